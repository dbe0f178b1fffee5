/**
 * Both engines beside a plain read, then what chains cost: `npm run bench`. Without a capture one is made in which every
 * count is known.
 *
 *   npm run bench -- [FILE...] [--rounds N] [--job NAMES] [--engine NAMES] [--samples OUT]
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { flows } from '../src/cli/bench-jobs.js'
import { generate } from './generate.js'

const args = process.argv.slice(2)
const text = { type: 'string' } as const
// What is wrong with them, `tcpskein bench` says.
const { positionals: files } = parseArgs({
  args,
  options: { rounds: text, job: text, engine: text, samples: text },
  allowPositionals: true,
  strict: false,
})
process.exitCode = files.length > 0 ? bench(files, args) : await benchGenerated()

/** Engines, then chains over each file; the exit status. */
function bench(captures: readonly string[], words: readonly string[]): number {
  const status = run('../bin/tcpskein.js', ['bench', ...words])
  if (status !== 0 || words.some(word => word === '--help' || word === '-h')) return status
  for (const capture of captures) {
    console.log(`\nchains: ${capture}`)
    const failed = run('chains.mjs', [capture, '3'], ['--expose-gc'])
    if (failed !== 0) return failed
  }
  return 0
}

/** Runs a program of what is built: the exit status. The loader of this one would make other code of it, and slower. */
function run(program: string, words: readonly string[], flags: readonly string[] = []): number {
  const path = fileURLToPath(new URL(program, import.meta.url))
  return spawnSync(process.execPath, [...flags, path, ...words], { stdio: 'inherit' }).status ?? 1
}

async function benchGenerated(): Promise<number> {
  const made = generate({ packets: 400_000, concurrent: 500 })
  try {
    const found = await flows(made.path, 'native')
    for (const name of ['packets', 'flows', 'octets'] as const)
      if (found[name] !== made[name]) throw new Error(`${name}: found ${found[name]}, made ${made[name]}`)
    return bench([made.path], [made.path, ...args])
  } finally {
    rmSync(made.path, { force: true })
  }
}
