/**
 * Zeek's `conn.log`, as tab-separated values with its header lines or as JSON lines: from connection records with their
 * analysis, or from flow records with the basic chain. What a record doesn't tell is unset, as Zeek has it.
 */
import type { BlockList } from 'node:net'
import { OptionError } from '../errors.js'
import type { ColumnInfo } from './columns.js'
import type { Sink } from './sink.js'
import { batchWriter, type Row } from './text.js'
import type { RecordWriter } from './writer.js'

/** The log's fields and their Zeek types. */
const FIELDS = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['service', 'string'],
  ['duration', 'interval'],
  ['orig_bytes', 'count'],
  ['resp_bytes', 'count'],
  ['conn_state', 'string'],
  ['local_orig', 'bool'],
  ['local_resp', 'bool'],
  ['missed_bytes', 'count'],
  ['history', 'string'],
  ['orig_pkts', 'count'],
  ['orig_ip_bytes', 'count'],
  ['resp_pkts', 'count'],
  ['resp_ip_bytes', 'count'],
  ['tunnel_parents', 'set[string]'],
  ['ip_proto', 'count'],
] as const

type Field = (typeof FIELDS)[number][0]

/** One line; what is not there is unset. Times are nanoseconds. */
type ConnLine = Partial<Record<Field, string | number | boolean | bigint>>

/** A writer of the log; which records come is told by the columns. */
export function zeekWriter(columns: readonly ColumnInfo[], json: boolean, live: boolean): (sink: Sink) => RecordWriter {
  const names = new Set(columns.map(({ name }) => name))
  const line = names.has('conn_state') ? ofConnection : names.has('pkt_fwd') ? ofFlow : undefined
  if (!line) throw new OptionError('format zeek needs connection records with analyse: true, or flow records with basicChain()')
  if (json) return sink => batchWriter(rows => rows.map(row => `${jsonLine(line(row))}\n`).join(''), '', sink, live)
  const format = (rows: readonly Row[], first: boolean): string =>
    (first ? header(new Date()) : '') + rows.map(row => `${tabLine(line(row))}\n`).join('')
  return sink => batchWriter(format, `#close\t${stamp(new Date())}\n`, sink, live)
}

function header(now: Date): string {
  return [
    '#separator \\x09',
    '#set_separator\t,',
    '#empty_field\t(empty)',
    '#unset_field\t-',
    '#path\tconn',
    `#open\t${stamp(now)}`,
    `#fields\t${FIELDS.map(([name]) => name).join('\t')}`,
    `#types\t${FIELDS.map(([, type]) => type).join('\t')}\n`,
  ].join('\n')
}

/** Local time as Zeek's header has it: `2024-05-01-12-30-59`. */
function stamp(time: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())]
  return [...date, two(time.getHours()), two(time.getMinutes()), two(time.getSeconds())].join('-')
}

function tabLine(line: ConnLine): string {
  return FIELDS.map(([name, type]) => {
    const value = line[name]
    if (value === undefined) return '-'
    if (typeof value === 'boolean') return value ? 'T' : 'F'
    if (type === 'time' || type === 'interval') return seconds(value as bigint)
    return value === '' ? '(empty)' : String(value)
  }).join('\t')
}

function jsonLine(line: ConnLine): string {
  const members = FIELDS.flatMap(([name, type]) => {
    const value = line[name]
    if (value === undefined) return []
    const text = type === 'time' || type === 'interval' ? seconds(value as bigint).replace(/\.?0+$/, '') : JSON.stringify(value)
    return [`${JSON.stringify(name)}:${text}`]
  })
  return `{${members.join(',')}}`
}

/** Nanoseconds as seconds with six digits behind the point, rounded as Zeek's doubles are. */
function seconds(ns: bigint): string {
  const micros = (ns < 0n ? ns - 500n : ns + 500n) / 1000n
  const [sign, abs] = micros < 0n ? ['-', -micros] : ['', micros]
  return `${sign}${abs / 1_000_000n}.${String(abs % 1_000_000n).padStart(6, '0')}`
}

function ofConnection(row: Row): ConnLine {
  const client = end(row, 'client_addr', 'client_port', 'packets_fwd', 'ip_bytes_fwd')
  const server = end(row, 'server_addr', 'server_port', 'packets_rev', 'ip_bytes_rev')
  const [orig, resp] = row.originator === 'client' ? [client, server] : [server, client]
  const duration = BigInt(row.duration_ns as number)
  return {
    ...ends(row.first_ns as bigint, orig, resp, 6),
    // Zeek logs neither for a connection that took no time.
    ...(duration > 0n ? { duration, orig_bytes: row.orig_bytes as number, resp_bytes: row.resp_bytes as number } : {}),
    conn_state: row.conn_state as string,
    missed_bytes: row.missed_bytes as number,
    ...(row.history === '' ? {} : { history: row.history as string }),
  }
}

/** Flow records know packets, not what a TCP connection's state was, nor payload. */
function ofFlow(row: Row): ConnLine {
  const orig = end(row, 'sip', 'sp', 'pkt_fwd', 'oct_fwd')
  const resp = end(row, 'dip', 'dp', 'pkt_rev', 'oct_rev')
  const duration = (row.last_ns as bigint) - (row.first_ns as bigint)
  const state = row.proto === 17 ? { conn_state: resp.packets > 0 ? 'SF' : 'S0', history: resp.packets > 0 ? 'Dd' : 'D' } : {}
  return {
    ...ends(row.first_ns as bigint, orig, resp, row.proto as number),
    ...(duration > 0n ? { duration } : {}),
    ...state,
  }
}

interface End {
  addr: string
  port: number
  packets: number
  octets: number
}

function end(row: Row, addr: string, port: string, packets: string, octets: string): End {
  return {
    addr: row[addr] as string,
    port: (row[port] as number | null) ?? 0,
    packets: row[packets] as number,
    octets: row[octets] as number,
  }
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp' }

function ends(ts: bigint, orig: End, resp: End, proto: number): ConnLine {
  return {
    ts,
    uid: uid(ts, orig, resp, proto),
    'id.orig_h': orig.addr,
    'id.orig_p': orig.port,
    'id.resp_h': resp.addr,
    'id.resp_p': resp.port,
    proto: PROTOCOLS[proto] ?? 'unknown_transport',
    local_orig: isLocal(orig.addr),
    local_resp: isLocal(resp.addr),
    orig_pkts: orig.packets,
    orig_ip_bytes: orig.octets,
    resp_pkts: resp.packets,
    resp_ip_bytes: resp.octets,
    ip_proto: proto,
  }
}

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** An identifier in Zeek's form, `C` and 17 letters; the same for the same connection in each run. */
function uid(ts: bigint, orig: End, resp: End, proto: number): string {
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256').update(`${ts} ${orig.addr} ${orig.port} ${resp.addr} ${resp.port} ${proto}`).digest()
  let number = digest.readBigUInt64LE(0) + (digest.readBigUInt64LE(8) << 64n)
  let letters = 'C'
  for (let i = 0; i < 17; i++, number /= 62n) letters += LETTERS[Number(number % 62n)]
  return letters
}

/** What Zeek takes for local by default: private address space (RFC 1918, 6598, 4193, 3927, 4291). */
const SUBNETS = [
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['::1', 128, 'ipv6'],
] as const
let local: BlockList | undefined

function isLocal(address: string): boolean {
  // Loaded here, because few need it and loading takes milliseconds.
  const net = process.getBuiltinModule('node:net')
  if (local === undefined) {
    local = new net.BlockList()
    for (const [network, prefix, family] of SUBNETS) local.addSubnet(network, prefix, family)
  }
  return local.check(address, net.isIPv6(address) ? 'ipv6' : 'ipv4')
}
