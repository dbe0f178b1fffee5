// The guides: their programs run as they stand, and every test that a table names is there.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { basicChain, connections, observe, tcpChain, traceFlows } from '../src/index.js'
import { root, samplePath } from './support/places.js'
import { collect } from './support/collect.js'
import { handshakes, talking } from './support/sample.js'

const base = mkdtempSync(join(tmpdir(), 'tcpskein-guides-'))
test.after.always(() => rmSync(base, { recursive: true, force: true }))

const guide = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')
const programs = (name: string): string[] => [...guide(name).matchAll(/^```ts\n(.*?)^```$/gms)].map(match => match[1]!)

/** What a program of a guide prints; it stands in `examples` while it runs, so that it finds the package. */
async function output(program: string, ...args: string[]): Promise<string> {
  const file = join(root, 'examples', `guide-${process.pid}-${Math.random().toString(36).slice(2)}.ts`)
  writeFileSync(file, program)
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import=@oxc-node/core/register', file, ...args], { cwd: root })
    return stdout
  } finally {
    rmSync(file)
  }
}

/** The same, as lines. */
const run = async (program: string, ...args: string[]): Promise<string[]> => (await output(program, ...args)).split('\n').filter(Boolean)

/** What the originals document, and where it's not in code their words: each must stand in the guide's table. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'coming-from-cycapture.md': [
    'TCPStreamFollower', 'data_callback', 'end_callback', 'feed', 'PDU', 'list', 'iterator', 'that are no PDU are ignored', 'TCPStream', 'client_addr', 'server_addr',
    'client_port', 'server_port', 'identifier', 'finished', 'client_payload', 'server_payload',
  ],
  'coming-from-dpkt.md': [
    'decode_tcp', 'connection_id, string, ip_version', 'connection_id_to_str', 'ValueError', 'Connection_object', 'isn', 'seq', 'buffer', 'ProtocolException',
    'assemble_buffer', 'get_message_segment_size', '-f FILENAME', '-i INTERFACE', 'status 2',
  ],
  'coming-from-pathspider.md': [
    'TCPChain', 'new_flow', 'tcp_synflags_fwd', 'tcp_synflags_rev', 'tcp_fin_fwd', 'tcp_fin_rev', 'tcp_rst_fwd', 'tcp_rst_rev', 'tcp_connected', 'flow completion',
    'TCP_ACK', 'TO_WS', 'tcp_options', 'Observer', 'idle_timeout', 'expiry_timeout', 'aggregate', 'run_flow_enqueuer', 'flush()', 'statistics', 'ip4', 'ip6', 'icmp4', 'icmp6', 'udp',
  ],
  'coming-from-pypcapkit.md': [
    'TraceFlow', 'fout', 'format', 'byteorder', 'nanosecond', 'trace(packet', 'check', 'output', 'dump(packet)', 'calling the object', 'make_fout', 'submit()', 'index',
    'FormatWarning', 'FileWarning', 'FileExists', 'trace.packet', 'pcap', 'json', 'plist', 'tree', 'register_dumper', 'register_callback',
  ],
  'coming-from-scapy.md': [
    'TCPStreamExtractor', 'filename', 'packet_list', 'process_packets', 'outputdir', 'bpf_filter', 'get_streams()', 'get_client_server_streams()', 'summary()', 'TCPState',
    'next()', 'run()', 'clean-up thread', '10,000', 'pcap writer', 'flow summary writer', 'CouchDB writer', 'live capture',
  ],
}

test('every guide for who comes from elsewhere is looked at', t => {
  t.deepEqual(readdirSync(join(root, 'docs')).filter(file => file.startsWith('coming-from-')).toSorted(), Object.keys(MEMBERS).toSorted())
})

/** First and last cells of the table whose last column names tests. */
function rowsOf(name: string): [theirs: string, shownBy: string][] {
  const lines = guide(name).split('\n')
  const head = lines.findIndex(line => line.endsWith('| shown by |'))
  const table = lines.slice(head + 2)
  return table.slice(0, table.findIndex(line => !line.startsWith('|'))).map(line => {
    const cells = line.slice(2, -2).split(' | ')
    return [cells[0]!, cells.at(-1)!]
  })
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** There is a test with this title, spelled out or made of a template whose hole is filled by a text of the same file. */
function hasTest(spec: string, title: string): boolean {
  const source = readFileSync(join(root, '__test__', `${spec}.spec.ts`), 'utf8').replaceAll('\\\'', '\'')
  // Some files have a function of their own that makes a test.
  if (new RegExp(`\\w\\(\\s*['"]${escaped(title)}['"],`).test(source)) return true
  const templates = source.matchAll(/test(?:\.serial)?\(`([^`$]*)\$\{\w+\}([^`$]*)`/g)
  return [...templates].some(([, before = '', behind = '']) => {
    const filling = title.slice(before.length, title.length - behind.length)
    return title === before + filling + behind && source.includes(`'${filling}'`)
  })
}

for (const [name, members] of Object.entries(MEMBERS))
  test(`${name}: each member of the original has a row, and the tests that rows name are there`, t => {
    const rows = rowsOf(name)
    const theirs = rows.map(([cell]) => cell).join('\n')
    for (const member of members) t.true(theirs.includes(member), member)
    for (const [cell, shownBy] of rows) {
      const [, spec, title] = /^([\w-]+): (.+)$/.exec(shownBy) ?? []
      t.true(title !== undefined && hasTest(spec!, title), `${cell}: ${shownBy}`)
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

test('coming-from-cycapture.md', async t => {
  const updated = await run(programs('coming-from-cycapture.md')[0]!)
  const expected = (await talking()).map(c => `Updated stream from ${c.client_addr}:${c.client_port} to ${c.server_addr}:${c.server_port}`)
  t.deepEqual([...new Set(updated)].toSorted(), [...new Set(expected)].toSorted())
})

test('coming-from-dpkt.md: the last that is printed of each direction is all of it', async t => {
  const printed = `\n${await output(programs('coming-from-dpkt.md')[0]!)}`
  for (const c of await talking()) {
    const mark = c.ip_version === 4 ? ':' : '.'
    const [client, server] = [`${c.client_addr}${mark}${c.client_port}`, `${c.server_addr}${mark}${c.server_port}`]
    for (const [id, side] of [[`${client}=>${server}`, c.client], [`${server}=>${client}`, c.server]] as const)
      if (side.length > 0) t.true(printed.includes(`\n${id} ${Buffer.from(side.bytes()).toString('latin1')}\n`), id)
  }
})

test('coming-from-scapy.md', async t => {
  const lines = (await run(programs('coming-from-scapy.md')[0]!)).join('\n')
  const found = await collect(connections(samplePath))
  t.is(lines.split('\n').length, found.length)
  for (const { client_port, client, server } of found)
    t.regex(lines, new RegExp(`:${client_port} ==> .*: ${client.length} octets from the client, ${server.length} from the server`))
})

test('write-a-chain.md', async t => {
  const lines = await run(programs('write-a-chain.md')[0]!)
  t.is(lines.length, await handshakes())
  for (const line of lines) t.regex(line, /^[0-9a-f.:]+ port \d+: [\d.]+ µs$/)
})

test('writers.md', async t => {
  const sums = new Map<number, number>()
  for (const { server_port, server } of await collect(connections(samplePath))) sums.set(server_port, (sums.get(server_port) ?? 0) + server.length)
  const expected = [...sums].toSorted(([a], [b]) => a - b).map(([port, octets]) => `port ${port}: ${octets} octets`)
  t.deepEqual(await run(programs('writers.md')[0]!), expected)
})
