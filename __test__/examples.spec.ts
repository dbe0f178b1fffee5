// The examples run as they are written, and the program in the guide does.
import { execFile } from 'node:child_process'
import { createReadStream, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { basicChain, connections, observe, tcpChain } from '../src/index.js'
import { collect } from './support/collect.js'

const root = join(import.meta.dirname, '..')
const sample = 'examples/captures/sample.pcap'

/** What a program prints. */
function run(file: string, input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ['--import=@oxc-node/core/register', file]
    const child = execFile(process.execPath, args, { cwd: root }, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
    if (input === undefined) child.stdin!.end()
    else createReadStream(join(root, input)).pipe(child.stdin!)
  })
}

/** Handshakes of the sample by another way: from the records of built-in chains alone. */
async function connected(): Promise<number> {
  let n = 0
  for await (const flow of observe(join(root, sample), { chains: [tcpChain()] }))
    if (flow.tcp_synflags_fwd === 2 && flow.tcp_synflags_rev !== null && (flow.tcp_synflags_rev & 0x12) === 0x12) n += 1
  return n
}

test('flow-records.ts', async t => {
  const lines: string[] = []
  for await (const flow of observe(join(root, sample), { chains: [basicChain(), tcpChain()] }))
    if (flow.tcp_connected && flow.tcp_rst_rev) lines.push(`${flow.sip} ${flow.dp} ${flow.pkt_fwd}\n`)
  t.is(await run('examples/flow-records.ts'), lines.join(''))
})

test('handshake-time.ts', async t => {
  const lines = (await run('examples/handshake-time.ts', sample)).trim().split('\n')
  t.true(lines.length > 10)
  t.is(lines.filter(line => !line.endsWith(' null')).length, await connected())
})

test('columns.ts', async t => {
  let [flows, octets] = [0, 0]
  for await (const flow of observe(join(root, sample), { chains: [basicChain()] })) {
    flows += 1
    octets += flow.oct_fwd
  }
  t.is(await run('examples/columns.ts'), `${flows} flows, ${octets} octets forward\n`)
})

/** What the first program in a guide prints, as lines. */
async function runGuide(name: string): Promise<string[]> {
  const [, program] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs', name), 'utf8')) ?? []
  const file = join(root, 'examples', `guide-${name}-${process.pid}.ts`)
  writeFileSync(file, program!)
  try {
    return (await run(file)).trim().split('\n')
  } finally {
    rmSync(file)
  }
}

test('the program in docs/write-a-chain.md', async t => {
  const lines = await runGuide('write-a-chain.md')
  t.is(lines.length, await connected())
  for (const line of lines) t.regex(line, /^[0-9a-f.:]+ port \d+: [\d.]+ µs$/)
})

/** The sample's connections that carry octets. */
const talking = async () => (await collect(connections(join(root, sample)))).filter(c => c.client.length + c.server.length > 0)

test('follow-streams.ts', async t => {
  const lines = (await run('examples/follow-streams.ts')).trim().split('\n')
  const octets = lines.map(line => Number(/ (?:fwd|rev) (\d+),/.exec(line)?.[1] ?? 0)).reduce((a, b) => a + b)
  const records = await collect(connections(join(root, sample)))
  t.is(octets, records.reduce((sum, c) => sum + c.client.length + c.server.length, 0))
  t.is(lines.filter(line => line.endsWith(' closed')).length, records.filter(c => c.end_reason === 'fin' || c.end_reason === 'rst').length)
  t.is(lines.filter(line => / (closed|ended)$/.test(line)).length, records.length)
})

test('decode-tcp.ts', async t => {
  const last = new Map((await run('examples/decode-tcp.ts')).trim().split('\n').map(line => line.split(' ') as [string, string]))
  for (const c of await talking()) {
    const [mark, client, server] = [c.ip_version === 4 ? ':' : '.', c.client_addr, c.server_addr]
    if (c.client.length > 0) t.is(last.get(`${client}${mark}${c.client_port}=>${server}${mark}${c.server_port}`), String(c.client.length))
    if (c.server.length > 0) t.is(last.get(`${server}${mark}${c.server_port}=>${client}${mark}${c.client_port}`), String(c.server.length))
  }
})

test('the program in docs/coming-from-cycapture.md', async t => {
  const updated = new Set(await runGuide('coming-from-cycapture.md'))
  const expected = (await talking()).map(c => `Updated stream from ${c.client_addr}:${c.client_port} to ${c.server_addr}:${c.server_port}`)
  t.deepEqual([...updated].toSorted(), [...new Set(expected)].toSorted())
})

test('the program in docs/coming-from-dpkt.md', async t => {
  const ids = new Set((await runGuide('coming-from-dpkt.md')).flatMap(line => /^\S+=>\S+(?= )/.exec(line) ?? []))
  const sides = (await talking()).flatMap(c => [c.client.length, c.server.length]).filter(length => length > 0)
  t.is(ids.size, sides.length)
})

test('extract-streams.ts, and the program in docs/coming-from-scapy.md', async t => {
  const printed = await run('examples/extract-streams.ts')
  const guide = (await runGuide('coming-from-scapy.md')).join('\n')
  const found = await collect(connections(join(root, sample)))
  t.is(printed.split('\n').length - 1, found.length)
  t.is(guide.split('\n').length, found.length)
  for (const { client_port, server_port, client, server } of found) {
    t.regex(printed, new RegExp(`:${client_port} ==> .*\\b${client_port}: ${client.length}\\b`))
    t.regex(printed, new RegExp(`:${server_port} .*\\b${server_port}: ${server.length}\\b`))
    t.regex(guide, new RegExp(`:${client_port} ==> .*: ${client.length} octets from the client, ${server.length} from the server`))
  }
})

test('the tests that docs/coming-from-scapy.md names are there', t => {
  const rows = [...readFileSync(join(root, 'docs/coming-from-scapy.md'), 'utf8').matchAll(/^\| .* \| .* \| (.+) \|$/gm)].map(row => row[1]!)
  const named = rows.slice(1, rows.findIndex(row => row.startsWith('when it is reached')))
  t.true(named.length > 15)
  const specs = ['extractor', 'extract-states', 'extract-files', 'extract-couchdb'].map(name => readFileSync(join(root, '__test__', `${name}.spec.ts`), 'utf8'))
  for (const name of named) t.true(specs.some(text => text.includes(`test('${name.replaceAll("'", "\\'")}'`)), name)
})

test('the program in docs/writers.md', async t => {
  const lines = await runGuide('writers.md')
  const sums = new Map<number, number>()
  for (const { server_port, server } of await collect(connections(join(root, sample)))) sums.set(server_port, (sums.get(server_port) ?? 0) + server.length)
  t.deepEqual(lines, [...sums].toSorted(([a], [b]) => a - b).map(([port, octets]) => `port ${port}: ${octets} octets`))
})
