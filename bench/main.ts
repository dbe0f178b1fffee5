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
import { main } from '../src/cli/main.js'
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
process.exitCode = files.length > 0 ? await bench(files, args) : await benchGenerated()

/** Engines, then chains over each file; the exit status. */
async function bench(captures: readonly string[], words: readonly string[]): Promise<number> {
  const status = await main(['bench', ...words])
  if (status !== 0 || words.some(word => word === '--help' || word === '-h')) return status
  const chains = fileURLToPath(new URL('chains.ts', import.meta.url))
  for (const capture of captures) {
    console.log(`\nchains: ${capture}`)
    const args = ['--expose-gc', '--import=@oxc-node/core/register', chains, capture, '3']
    const { status: failed } = spawnSync(process.execPath, args, { stdio: 'inherit' })
    if (failed !== 0) return failed ?? 1
  }
  return 0
}

async function benchGenerated(): Promise<number> {
  const made = generate({ packets: 400_000, concurrent: 500 })
  try {
    const found = await flows(made.path, 'native')
    for (const name of ['packets', 'flows', 'octets'] as const)
      if (found[name] !== made[name]) throw new Error(`${name}: found ${found[name]}, made ${made[name]}`)
    return await bench([made.path], [made.path, ...args])
  } finally {
    rmSync(made.path, { force: true })
  }
}
