// The tests of streams once more, with the engine in TypeScript.
import './support/with-js-engine.js'
import './streams.spec.js'
import './stream-policies.spec.js'
