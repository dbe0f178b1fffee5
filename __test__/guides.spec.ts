// The guides: their programs run as they stand, and every test that a table names is there.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { basicChain, observe, tcpChain, traceFlows } from '../src/index.js'
import { root, samplePath } from './support/places.js'
import { collect } from './support/collect.js'

const base = mkdtempSync(join(tmpdir(), 'tcpskein-guides-'))
test.after.always(() => rmSync(base, { recursive: true, force: true }))

const guide = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')
const programs = (name: string): string[] => [...guide(name).matchAll(/^```ts\n(.*?)^```$/gms)].map(match => match[1]!)

/** What a program of a guide prints; it stands in `examples` while it runs, so that it finds the package. */
async function run(program: string, ...args: string[]): Promise<string[]> {
  const file = join(root, 'examples', `guide-${process.pid}-${Math.random().toString(36).slice(2)}.ts`)
  writeFileSync(file, program)
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import=@oxc-node/core/register', file, ...args], { cwd: root })
    return stdout.split('\n').filter(Boolean)
  } finally {
    rmSync(file)
  }
}

for (const name of readdirSync(join(root, 'docs')).filter(file => file.startsWith('coming-from-')))
  test(`${name}: the tests that the table names are there`, t => {
    const rows = guide(name).split('\n').filter(line => line.startsWith('| ') && !line.includes('shown by'))
    t.true(rows.length > 10)
    for (const row of rows) {
      const [, spec, title] = /\| ([\w-]+): ([^|]+) \|$/.exec(row) ?? []
      t.truthy(title, row)
      const source = readFileSync(join(root, '__test__', `${spec}.spec.ts`), 'utf8').replaceAll('\\\'', '\'')
      t.true(source.includes(`'${title}'`), `${spec}: ${title}`)
    }
  })

test('coming-from-pypcapkit.md: a whole capture', async t => {
  const { index } = await traceFlows(samplePath, { fout: join(base, 'expected'), format: 'json' })
  const fout = join(base, 'whole')
  const lines = await run(programs('coming-from-pypcapkit.md')[0]!, samplePath, fout)
  t.deepEqual(lines, index.map(flow => `${flow.label} ${flow.index.length} ${join(fout, `${flow.label}.json`)}`))
  for (const { label } of index) t.deepEqual(readFileSync(join(fout, `${label}.json`)), readFileSync(join(base, 'expected', `${label}.json`)))
})

test('coming-from-pypcapkit.md: packet by packet', async t => {
  const { index } = await traceFlows(samplePath, { fout: join(base, 'pcap'), format: 'pcap' })
  const fout = join(base, 'packets')
  const lines = await run(programs('coming-from-pypcapkit.md')[1]!, samplePath, fout)
  t.deepEqual(lines.toSorted(), index.map(flow => `${flow.label} ${flow.index.length} ${join(fout, `${flow.label}.pcap`)}`).toSorted())
  t.deepEqual(readdirSync(fout), readdirSync(join(base, 'pcap')))
})

test('coming-from-pathspider.md: flow records', async t => {
  const flows = await collect(observe(samplePath, { chains: [basicChain(), tcpChain()] }))
  const expected = flows.filter(flow => flow.tcp_connected && !flow.tcp_rst_rev).map(flow => `${flow.dip} ${flow.dp} ${flow.pkt_fwd}`)
  t.true(expected.length > 3)
  t.deepEqual(await run(programs('coming-from-pathspider.md')[0]!, samplePath), expected)
})

test('coming-from-pathspider.md: a chain of one’s own', async t => {
  const flows = await collect(observe(samplePath, { chains: [basicChain()] }))
  const lines = await run(programs('coming-from-pathspider.md')[1]!, samplePath)
  t.is(lines.length, flows.length)
  // What IPv4 packets of the sample have; there is none in IPv6 flows.
  for (const [i, line] of lines.entries()) t.regex(line, flows[i]!.ip_version === 4 ? /^\S+ 64 (64|null)$/ : /^\S+ null null$/)
})
