// Runs cargo test, then ava; shows what they print as they print it; ends with one plain line, `N passed, N failed`,
// the sum over both. A run that breaks without a failed test (it doesn't compile, it crashes, it falls silent and is
// killed) counts as one failure.
//
//   node scripts/test.mjs [cargo | ava] [arguments for it]     one of them alone
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { AvaTally, CargoTally } from './tally.mjs'
import { root } from './tools.mjs'

/** Milliseconds for which a suite may say nothing: more than the longest test, and a build, take. */
const PATIENCE = 10 * 60_000

/** @type {Record<string, { command: string, args: string[], tally: () => AvaTally | CargoTally }>} */
const SUITES = {
  cargo: {
    command: 'cargo',
    // --show-output: a test that skips says why on its stderr, which the harness would keep to itself.
    args: ['test', '--workspace', '--no-fail-fast', '--', '--show-output', '--color=never'],
    tally: () => new CargoTally(),
  },
  ava: {
    command: process.execPath,
    args: [join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs'), '--tap'],
    tally: () => new AvaTally(),
  },
}

/**
 * Runs one suite to its end.
 *
 * @param {string} name
 * @param {string[]} extra
 * @returns {Promise<AvaTally | CargoTally>}
 */
async function runSuite(name, extra) {
  const suite = SUITES[name]
  if (!suite) throw new RangeError(`no suite ${name}`)
  const tally = suite.tally()
  console.log(`\n== ${name}`)
  // No colours: the tally reads the lines.
  const env = { ...process.env, CARGO_TERM_COLOR: 'never', FORCE_COLOR: '0', NO_COLOR: '1' }
  const child = spawn(suite.command, [...suite.args, ...extra], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const silence = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  const ended = new Promise(resolve => {
    child.on('error', error => resolve(error.message))
    child.on('close', (status, signal) => resolve(status === 0 ? null : (signal ?? `exit status ${status}`)))
  })
  const out = createInterface({ input: child.stdout }).on('line', line => {
    silence.refresh()
    if (tally.output(line)) console.log(line)
  })
  const err = createInterface({ input: child.stderr }).on('line', line => {
    silence.refresh()
    tally.errorOutput(line)
    console.error(line)
  })
  await Promise.all([ended, closed(out), closed(err)])
  clearTimeout(silence)
  tally.end(/** @type {string | null} */ (await ended))
  return tally
}

const closed = (/** @type {import('node:readline').Interface} */ lines) =>
  new Promise(resolve => lines.once('close', resolve))

const [only, ...extra] = process.argv.slice(2)
if (only !== undefined && !(only in SUITES)) {
  console.error('usage: node scripts/test.mjs [cargo | ava] [arguments for it]')
  process.exit(2)
}
let passed = 0
let failed = 0
/** @type {string[]} */
const skipped = []
for (const name of only === undefined ? Object.keys(SUITES) : [only]) {
  const tally = await runSuite(name, extra)
  passed += tally.passed
  failed += tally.failed
  skipped.push(...tally.skipped.map(reason => `${name}: ${reason}`))
  if (tally.broken !== null) console.log(`== ${name} broke: ${tally.broken}`)
}
console.log(`\n== ${skipped.length === 0 ? 'nothing skipped' : `skipped, in whole or in part: ${skipped.length}`}`)
for (const reason of skipped) console.log(`   ${reason}`)
process.exitCode = failed > 0 ? 1 : 0
console.log(`${passed} passed, ${failed} failed`)
