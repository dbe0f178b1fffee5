// What analysis, exports and the report cost beside each other: each job in a process of its own, round by round.
// usage: node bench/analysis.mjs FILE [ROUNDS]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [file = '', rounds = '5'] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-bench-'))
const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const cli = at('../bin/tcpskein.js')

/** Reads the capture's connections, with what they carried or without; the processor's time is that of all threads. */
const connections = (/** @type {object} */ options) => [
  '--input-type=module',
  '-e',
  `const { connections } = await import(${JSON.stringify(at('../dist/index.js'))})
   for await (const _ of connections(${JSON.stringify(file)}, ${JSON.stringify(options)}));`,
]
const flows = (/** @type {string} */ format) => [cli, 'flows', file, '--quiet', '--force', '--format', format, '-o', join(folder, `flows.${format}`)]

/** @type {Record<string, string[]>} */
const jobs = {
  connections: connections({}),
  analysis: connections({ analyse: true }),
  'connections without streams': connections({ maxStreamBytes: 0 }),
  'analysis without streams': connections({ maxStreamBytes: 0, analyse: true }),
  'flows to ndjson': flows('ndjson'),
  'flows to parquet': flows('parquet'),
  report: [cli, 'report', file, '--quiet', '--force', '-o', join(folder, 'report.html')],
}

/** Wall time and processor time of a run, seconds. The latter is what `times` of the shell says of its children. */
function run(/** @type {string[]} */ args) {
  const begin = performance.now()
  const { stdout, status, stderr } = spawnSync('sh', ['-c', '"$@" >/dev/null && times', 'sh', process.execPath, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  const wall = (performance.now() - begin) / 1000
  const children = stdout.trim().split('\n').at(-1) ?? ''
  const cpu = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, min, sec]) => sum + Number(min) * 60 + Number(sec), 0)
  return { wall, cpu }
}

const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
/** @type {Map<string, { wall: number, cpu: number }[]>} */
const samples = new Map(Object.keys(jobs).map(name => [name, []]))
for (let round = 0; round < Number(rounds); round += 1)
  for (const [name, args] of Object.entries(jobs)) samples.get(name)?.push(run(args))
rmSync(folder, { recursive: true })
for (const [name, runs] of samples)
  console.log(`${name}: wall ${Math.min(...runs.map(r => r.wall)).toFixed(2)} s, cpu ${Math.min(...runs.map(r => r.cpu)).toFixed(2)} s (best of ${runs.length})`)
const pairs = [['analysis', 'connections'], ['analysis without streams', 'connections without streams'], ['flows to parquet', 'flows to ndjson'], ['report', 'analysis without streams']]
for (const [a = '', b = ''] of pairs) {
  const ratios = (/** @type {'wall' | 'cpu'} */ of) => samples.get(a)?.map((run, i) => run[of] / (samples.get(b)?.[i]?.[of] ?? NaN)) ?? []
  console.log(`${a} / ${b}: wall ${median(ratios('wall')).toFixed(2)}, cpu ${median(ratios('cpu')).toFixed(2)} (median of rounds)`)
}
