/**
 * What flow records cost, beside reading the same file and doing nothing: `npm run bench`.
 *
 *   npm run bench -- [FILE...] [--rounds N] [--json OUT]
 */
import { mkdirSync, openSync, readSync, closeSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, totalmem, type, release, arch } from 'node:os'
import { basename, dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { basicChain, observe, tcpChain } from '../src/index.js'
import { generate, type Generated } from './generate.js'

/** What a job found, to be compared with what is known. */
interface Found {
  packets: number
  flows: number
  octets: number
}

/** Something to time. */
interface Job {
  readonly name: string
  run(path: string): Promise<Found | null>
}

const block = Buffer.alloc(512 * 1024)

const JOBS: readonly Job[] = [
  {
    name: 'plain read',
    async run(path) {
      const file = openSync(path, 'r')
      while (readSync(file, block) > 0);
      closeSync(file)
      return null
    },
  },
  { name: 'flows, no chain', run: bareFlows },
  { name: 'flows, basic + tcp', run: flows },
]

async function flows(path: string): Promise<Found> {
  let [records, octets] = [0, 0]
  const observer = observe(path, { chains: [basicChain(), tcpChain()] })
  for await (const flow of observer) {
    records += 1
    octets += flow.oct_fwd + flow.oct_rev
  }
  return { packets: observer.stats.packets, flows: records, octets }
}

async function bareFlows(path: string): Promise<null> {
  for await (const flow of observe(path)) if (flow.pkt_last < flow.pkt_first) throw new Error('time runs backwards')
  return null
}

/** Every sample in seconds, by job. */
type Samples = Record<string, number[]>

/** Runs the jobs in turn, so that a slow minute of the machine falls on all of them alike. */
async function measure(path: string, rounds: number): Promise<Samples> {
  const samples: Samples = Object.fromEntries(JOBS.map(job => [job.name, []]))
  // The first round warms the page cache and the compiler, and isn't counted.
  for (let round = 0; round <= rounds; round++) {
    for (const job of JOBS) {
      const start = performance.now()
      await job.run(path)
      if (round > 0) samples[job.name]!.push((performance.now() - start) / 1000)
    }
  }
  return samples
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

interface Result {
  capture: string
  bytes: number
  packets: number
  flows: number
  samples: Samples
}

function table({ capture, bytes, packets, flows: records, samples }: Result): string {
  const read = Math.min(...samples['plain read']!)
  const rows = Object.entries(samples).map(([name, seconds]) => {
    const best = Math.min(...seconds)
    return [
      name,
      best.toFixed(3),
      median(seconds).toFixed(3),
      ((best * 1e9) / packets).toFixed(1),
      Math.round(packets / best).toLocaleString('en'),
      (best / read).toFixed(2),
    ]
  })
  const header = ['job', 'min s', 'median s', 'ns/packet', 'packets/s', 'ratio to read']
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map(row => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  const size = `${(bytes / 2 ** 20).toFixed(0)} MiB, ${packets.toLocaleString('en')} packets, ${records.toLocaleString('en')} flows`
  return [`${capture}: ${size}`, ...[header, ...rows].map(cells => `  ${line(cells)}`), ''].join('\n')
}

/** Asserts the answer before anything is timed: a fast wrong one is worth nothing. */
async function check(path: string, wanted: Generated | null): Promise<Found> {
  const found = await flows(path)
  const again = await flows(path)
  const same = (other: Found) => found.packets === other.packets && found.flows === other.flows && found.octets === other.octets
  if (!same(again)) throw new Error(`two runs over ${path} differ`)
  if (wanted && !same(wanted)) throw new Error(`wrong answer: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
  return found
}

async function bench(path: string, wanted: Generated | null, rounds: number): Promise<Result> {
  const { packets, flows: records } = await check(path, wanted)
  const result = {
    capture: basename(path),
    bytes: statSync(path).size,
    packets,
    flows: records,
    samples: await measure(path, rounds),
  }
  process.stdout.write(`${table(result)}\n`)
  return result
}

/** The machine without its name. */
const machine = () => ({
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memory: totalmem(),
  system: `${type()} ${release()} ${arch()}`,
  versions: { node: process.versions.node, v8: process.versions.v8 },
})

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' }, json: { type: 'string' } },
})
const rounds = Math.max(1, Number(values.rounds) || 0)
const results: Result[] = []
for (const path of positionals) results.push(await bench(path, null, rounds))
if (positionals.length === 0) {
  const generated = generate({ packets: 400_000, concurrent: 500 })
  try {
    results.push(await bench(generated.path, generated, rounds))
  } finally {
    rmSync(generated.path, { force: true })
  }
}
if (values.json !== undefined) {
  mkdirSync(dirname(values.json), { recursive: true })
  const taken = { date: new Date().toISOString(), ...machine(), rounds, results }
  writeFileSync(values.json, `${JSON.stringify(taken, null, 2)}\n`)
}
