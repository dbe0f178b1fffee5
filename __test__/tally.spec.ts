// The count in the last line of `npm test`: what the tallies make of the runners' output.
import test from 'ava'
import { AvaTally, CargoTally } from '../scripts/tally.mjs'

const feed = (tally: AvaTally | CargoTally, text: string): string[] => text.split('\n').filter(line => tally.output(line))

const cargoOutput = `running 3 tests
test slow ... ignored, needs an hour
test reads ... ok
test breaks ... FAILED

successes:

---- reads stdout ----
skipped: no corpus

successes:
    reads

failures:

---- breaks stdout ----
test result: 9 passed in a dream

failures:
    breaks

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
running 1 test
test result: ok. 20 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`

test('cargo: every result line counts, ignored tests and skipped parts are listed', t => {
  const tally = new CargoTally()
  const shown = feed(tally, cargoOutput)
  tally.end('exit status 101')
  t.deepEqual([tally.passed, tally.failed, tally.broken], [21, 1, null])
  t.deepEqual(tally.skipped, ['slow is ignored: needs an hour', 'skipped: no corpus'])
  t.true(shown.includes('---- breaks stdout ----'))
  t.false(shown.includes('    reads'), 'the second list of names is left out')
})

test('cargo: what does not compile is one failure', t => {
  const tally = new CargoTally()
  tally.end('exit status 101')
  t.deepEqual([tally.passed, tally.failed, tally.broken], [0, 1, 'exit status 101'])
})

test('cargo: a crash counts beside failed tests, a failing harness does not', t => {
  const tally = new CargoTally()
  feed(tally, 'test result: FAILED. 0 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0s')
  tally.errorOutput("  process didn't exit successfully: `a --show-output` (exit status: 101)")
  t.is(tally.failed, 2)
  tally.errorOutput("  process didn't exit successfully: `b --show-output` (signal: 6, SIGABRT: process abort signal)")
  t.is(tally.failed, 3)
})

test('ava: skipped and planned tests are neither passed nor failed', t => {
  const tally = new AvaTally()
  feed(tally, [
    'TAP version 13', 'ok 1 - one', 'ok 2 - two # SKIP', 'not ok 3 - three # TODO', 'not ok 4 - four',
    '#   skipped: no corpus', 'not ok 5 - x.spec.ts exited with a non-zero exit code: 1', '', '1..4', '# skip 1',
  ].join('\n'))
  tally.end('exit status 1')
  t.deepEqual([tally.passed, tally.failed, tally.broken], [1, 2, null])
  t.deepEqual(tally.skipped, ['two (SKIP)', 'three (TODO)', 'skipped: no corpus'])
})

test('ava: a run that ends badly without a failed test is one failure', t => {
  const tally = new AvaTally()
  feed(tally, 'ok 1 - one')
  tally.end('SIGSEGV')
  t.deepEqual([tally.passed, tally.failed, tally.broken], [1, 1, 'SIGSEGV'])
})
