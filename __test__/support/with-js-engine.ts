// Imported before tests of an engine: they run with the one in TypeScript (each file of tests has its own environment).
process.env.TCPSKEIN_TEST_ENGINE = 'js'
