// Runs every fuzz target for a while: `node scripts/fuzz.mjs [--seconds N] [target ...]`, 20 seconds each by default.
// Skips, saying so, where cargo-fuzz or fuzz/ is missing: it is an extra tool, not needed to build or to test.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './tools.mjs'

const TARGETS = join(root, 'fuzz', 'fuzz_targets')
const SEEDS = ['run', '--quiet', '-p', 'tcpskein-core', '--example', 'fuzz_seeds', '--']
const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '20' } },
  allowPositionals: true,
})
const seconds = Number(values.seconds)
if (!Number.isInteger(seconds) || seconds < 1) {
  console.error('usage: node scripts/fuzz.mjs [--seconds N] [target ...]')
  process.exit(2)
}

/** Why there is nothing to run, or null. */
function obstacle() {
  if (!existsSync(TARGETS)) return 'there is no fuzz/fuzz_targets'
  if (spawnSync('cargo', ['fuzz', '--version'], { stdio: 'ignore' }).status !== 0) {
    return 'cargo-fuzz is not installed (cargo install cargo-fuzz)'
  }
  return null
}

/** @param {string} target */
function survives(target) {
  console.log(`== fuzz ${target}, ${seconds} s`)
  // cargo-fuzz wants nightly flags; the stable compiler takes them with this.
  const env = { ...process.env, RUSTC_BOOTSTRAP: '1' }
  const corpus = join(root, 'fuzz', 'corpus', target)
  mkdirSync(corpus, { recursive: true })
  const seeds = join(root, 'fuzz', 'seeds', target)
  rmSync(seeds, { recursive: true, force: true })
  if (spawnSync('cargo', [...SEEDS, target, seeds], { cwd: root, stdio: 'inherit' }).status !== 0) return false
  const limits = [`-max_total_time=${seconds}`, '-rss_limit_mb=1024', '-timeout=10']
  // Safe Rust needs no address sanitizer; without it there are several times as many runs.
  const args = ['fuzz', 'run', '--sanitizer', 'none', target, corpus, seeds, '--', ...limits]
  return spawnSync('cargo', args, { cwd: root, env, stdio: 'inherit' }).status === 0
}

const reason = obstacle()
if (reason !== null) {
  console.log(`fuzz: skipped: ${reason}`)
} else {
  const all = readdirSync(TARGETS).filter(file => file.endsWith('.rs')).map(file => file.slice(0, -3)).toSorted()
  const failed = all.filter(name => positionals.length === 0 || positionals.includes(name)).filter(name => !survives(name))
  for (const name of failed) console.log(`fuzz: FAILED ${name}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}
