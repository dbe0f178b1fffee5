/**
 * Both engines beside a plain read: `npm run bench`. Without a capture one is made in which every count is known, and
 * chains are timed too.
 *
 *   npm run bench -- [FILE...] [--rounds N] [--samples OUT]
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flows } from '../src/cli/bench-jobs.js'
import { main } from '../src/cli/main.js'
import { generate } from './generate.js'

const args = process.argv.slice(2)
if (args.some(arg => !arg.startsWith('-') && arg.includes('.pcap'))) process.exitCode = await main(['bench', ...args])
else process.exitCode = await benchGenerated()

async function benchGenerated(): Promise<number> {
  const made = generate({ packets: 400_000, concurrent: 500 })
  try {
    const found = await flows(made.path, 'native')
    for (const name of ['packets', 'flows', 'octets'] as const)
      if (found[name] !== made[name]) throw new Error(`${name}: found ${found[name]}, made ${made[name]}`)
    const status = await main(['bench', made.path, ...args])
    const chains = fileURLToPath(new URL('chains.ts', import.meta.url))
    const timed = spawnSync(process.execPath, ['--import=@oxc-node/core/register', chains, made.path, '3'], { stdio: 'inherit' })
    return status || (timed.status ?? 1)
  } finally {
    rmSync(made.path, { force: true })
  }
}
