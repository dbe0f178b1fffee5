// Zeek's conn.log: header, types and unset fields as Zeek writes them, and rows that its own tests expect.
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test from 'ava'
import { basicChain, connections, exportRecords, observe, type Exportable, type ExportFormat } from '../src/index.js'
import { pcap, tcpFrame, udpFrame } from './support/frames.js'
import { NO_CORPUS, corpusFolder, samplePath } from './support/places.js'
import { ACK, FIN, PSH, SYN, framesOf } from './support/stream-capture.js'

async function text(records: Exportable, format: ExportFormat): Promise<string> {
  const stream = new PassThrough()
  let out = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  await exportRecords(records, stream, { format })
  return out
}

const client = { ports: [4000, 80] as [number, number], window: 1000 }
const server = { ports: [80, 4000] as [number, number], reversed: true, window: 500 }
const capture = pcap([
  ...framesOf([
    { ...client, seq: 10, flags: SYN },
    { ...server, seq: 100, ack: 11, flags: SYN | ACK },
    { ...client, seq: 11, ack: 101, flags: ACK },
    { ...client, seq: 11, ack: 101, flags: ACK | PSH, payload: new Uint8Array(7) },
    { ...server, seq: 101, ack: 18, flags: ACK | PSH, payload: new Uint8Array(5) },
    { ...client, seq: 18, ack: 106, flags: ACK | FIN },
    { ...server, seq: 106, ack: 19, flags: ACK | FIN },
    { ...client, seq: 19, ack: 107, flags: ACK },
  ]),
  [1_000_001_000_000n, tcpFrame({ ports: [5000, 81], seq: 1, flags: SYN, window: 500 })],
  [1_000_002_000_000n, udpFrame({ payload: new Uint8Array(3) })],
])

const TYPES: Readonly<Record<string, RegExp>> = {
  time: /^\d+\.\d{6}$/,
  interval: /^\d+\.\d{6}$/,
  string: /^\S+$/,
  addr: /^[\d.:a-f]+$/,
  port: /^\d+$/,
  count: /^\d+$/,
  bool: /^[TF]$/,
  enum: /^[a-z_]+$/,
}

/** Rows of a log by the names in its header; checks what every log has. */
function rowsOf(t: { true: (value: boolean, message?: string) => unknown; deepEqual: (a: unknown, b: unknown) => unknown }, log: string) {
  const lines = log.trimEnd().split('\n')
  t.deepEqual(lines.slice(0, 5), ['#separator \\x09', '#set_separator\t,', '#empty_field\t(empty)', '#unset_field\t-', '#path\tconn'])
  t.true(/^#open\t\d{4}(-\d\d){5}$/.test(lines[5]!))
  t.true(/^#close\t\d{4}(-\d\d){5}$/.test(lines.at(-1)!))
  const [names, types] = [lines[6]!, lines[7]!].map(line => line.split('\t').slice(1)) as [string[], string[]]
  return lines.slice(8, -1).map(line => {
    const cells = line.split('\t')
    t.deepEqual(cells.length, names.length)
    cells.forEach((cell, i) => t.true(cell === '-' || TYPES[types[i]!]!.test(cell), `${names[i]}: ${cell}`))
    return Object.fromEntries(names.map((name, i) => [name, cells[i]!]))
  })
}

test('connections are rows of conn.log', async t => {
  const [row, attempt] = rowsOf(t, await text(connections(capture, { analyse: true, maxStreamBytes: 0 }), 'zeek'))
  t.regex(row!.uid!, /^C[0-9A-Za-z]{17}$/)
  const { uid: _, ...rest } = row!
  t.deepEqual(rest, {
    ts: '1000.000000',
    'id.orig_h': '10.0.0.1',
    'id.orig_p': '4000',
    'id.resp_h': '10.0.0.2',
    'id.resp_p': '80',
    proto: 'tcp',
    service: '-',
    // The last ACK comes after both sides have closed.
    duration: '0.000060',
    orig_bytes: '7',
    resp_bytes: '5',
    conn_state: 'SF',
    local_orig: 'T',
    local_resp: 'T',
    missed_bytes: '0',
    history: 'ShADdFfA'.slice(0, 7),
    orig_pkts: '5',
    orig_ip_bytes: '207',
    resp_pkts: '3',
    resp_ip_bytes: '125',
    tunnel_parents: '-',
    ip_proto: '6',
  })
  t.is(attempt!.conn_state, 'S0')
  t.deepEqual([attempt!.duration, attempt!.orig_bytes, attempt!.resp_bytes], ['-', '-', '-'])
})

test('the same as JSON leaves out what is unset', async t => {
  const lines = (await text(connections(capture, { analyse: true, maxStreamBytes: 0 }), 'zeek-json')).trimEnd().split('\n')
  const [row, attempt] = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  t.is(row!.ts, 1000)
  t.is(row!['id.orig_p'], 4000)
  t.is(row!.local_orig, true)
  t.is(row!.duration, 0.00006)
  t.false('service' in row!)
  t.false('duration' in attempt!)
  t.is(attempt!.history, 'S')
})

test('flow records fill what they know', async t => {
  const rows = rowsOf(t, await text(observe(capture, { chains: [basicChain()] }), 'zeek'))
  const udp = rows.find(row => row.proto === 'udp')!
  t.deepEqual([udp.conn_state, udp.history, udp.orig_pkts, udp.orig_ip_bytes], ['S0', 'D', '1', '31'])
  const tcp = rows.find(row => row['id.resp_p'] === '80')!
  t.deepEqual([tcp.conn_state, tcp.orig_bytes, tcp.orig_pkts], ['-', '-', '5'])
})

test('identifiers are the same in each run and differ between connections', async t => {
  const log = () => text(connections(samplePath, { analyse: true, maxStreamBytes: 0 }), 'zeek')
  const [first, second] = [rowsOf(t, await log()), rowsOf(t, await log())]
  t.deepEqual(first, second)
  t.is(new Set(first.map(({ uid }) => uid)).size, first.length)
})

test('a log of a real capture has the columns that Zeek expects', async t => {
  const corpus = corpusFolder()
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  const path = join(corpus, 'dev', 'captures', '319a1b263ddf-ipv4.pcap')
  const rows = rowsOf(t, await text(connections(path, { analyse: true, maxStreamBytes: 0, idleTimeout: 300, linger: 5 }), 'zeek'))
  t.deepEqual(
    rows.filter(row => row.history === 'ShAdfFa').map(row => [row.conn_state, row.orig_bytes, row.resp_bytes, row.resp_ip_bytes]),
    [['SF', '0', '342', '562'], ['SF', '0', '77', '297']],
  )
})
