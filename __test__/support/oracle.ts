// Compares flow records with the answers of two independent tools, per 5-tuple: the records on it against the streams
// that the tools see on it, summed up.
import type { BasicFields, FlowBase, TcpFields } from '../../src/index.js'

/** One TCP connection as both tools see it. */
export interface OracleStream {
  client?: [address: string, port: number]
  server: [address: string, port: number]
  first_frame: number
  pkts: [number, number]
  synFlags: [number | null, number | null]
  fin: [number, number]
  rst: [number, number]
  connected: boolean
  connectedHard?: boolean
  /** Both tools begin it at the same frame and give both directions the same packet counts. */
  hard?: boolean
  /** Seen only behind a tunnel or in an ICMP quote. */
  nested?: boolean
}

/** The tools' answer for a capture. */
export interface Oracle {
  capture: string
  tags: string[]
  streams: OracleStream[]
}

/** A record with what is compared. */
export type TcpRecord = FlowBase & BasicFields & TcpFields

/** One 5-tuple, in the direction of its first packet. */
export interface Tuple {
  /** `address port > address port` of the first packet. */
  from: string
  packets: [number, number]
  syn: [number | null, number | null]
  fin: [boolean, boolean]
  rst: [boolean, boolean]
  connected: boolean
}

/** A difference. */
export interface Mismatch {
  key: string
  field: keyof Tuple | 'missing' | 'unexpected'
  want: unknown
  have: unknown
}

/** One part of a 5-tuple: a stream or a flow record. */
interface Part extends Tuple {
  at: number
}

/** What a comparison came to. */
export interface Agreement {
  /** 5-tuples that both tools judge alike. */
  judged: number
  agreed: number
  mismatches: Mismatch[]
}

const keyOf = (a: string, b: string): string => (a < b ? `${a} - ${b}` : `${b} - ${a}`)

/** RFC 5952 text of addresses that may be written otherwise. */
function plain(address: string): string {
  const bare = address.split('%')[0]!
  return bare.includes(':') ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare
}

/** IPv4 in IPv6 is written with hex groups by `URL`, and by our records. */
const end = ([address, port]: [string, number]): string => `${plain(address)} ${port}`

function ofStream(stream: OracleStream): [key: string, part: Part] {
  const [from, to] = [end(stream.client!), end(stream.server)]
  const part: Part = {
    at: stream.first_frame,
    from,
    packets: stream.pkts,
    syn: stream.synFlags,
    fin: [stream.fin[0] > 0, stream.fin[1] > 0],
    rst: [stream.rst[0] > 0, stream.rst[1] > 0],
    connected: stream.connected,
  }
  return [keyOf(from, to), part]
}

function ofRecord(record: TcpRecord): [key: string, part: Part] {
  const [from, to] = [end([record.sip, record.sp ?? -1]), end([record.dip, record.dp ?? -1])]
  const part: Part = {
    at: record.first_packet,
    from,
    packets: [record.pkt_fwd, record.pkt_rev],
    syn: [record.tcp_synflags_fwd, record.tcp_synflags_rev],
    fin: [record.tcp_fin_fwd, record.tcp_fin_rev],
    rst: [record.tcp_rst_fwd, record.tcp_rst_rev],
    connected: record.tcp_connected,
  }
  return [keyOf(from, to), part]
}

const swap = <T>([a, b]: [T, T]): [T, T] => [b, a]
const turn = (part: Part): Part => ({
  ...part,
  packets: swap(part.packets),
  syn: swap(part.syn),
  fin: swap(part.fin),
  rst: swap(part.rst),
})

/** All parts of a 5-tuple in one, in the direction of the first. */
function sum(parts: readonly Part[]): Tuple {
  const [first, ...rest] = parts.toSorted((a, b) => a.at - b.at) as [Part, ...Part[]]
  const total: Tuple = { ...first }
  for (const other of rest) {
    const part = other.from === first.from ? other : turn(other)
    total.packets = [total.packets[0] + part.packets[0], total.packets[1] + part.packets[1]]
    total.syn = [total.syn[0] ?? part.syn[0], total.syn[1] ?? part.syn[1]]
    total.fin = [total.fin[0] || part.fin[0], total.fin[1] || part.fin[1]]
    total.rst = [total.rst[0] || part.rst[0], total.rst[1] || part.rst[1]]
    total.connected ||= part.connected
  }
  return total
}

function group<T>(items: readonly T[], read: (item: T) => [key: string, part: Part]): Map<string, Part[]> {
  const groups = new Map<string, Part[]>()
  for (const item of items) {
    const [key, part] = read(item)
    groups.set(key, [...(groups.get(key) ?? []), part])
  }
  return groups
}

const FIELDS = ['from', 'packets', 'syn', 'fin', 'rst', 'connected'] as const

function differences(key: string, want: Tuple, have: Tuple, judgeConnected: boolean): Mismatch[] {
  return FIELDS.filter(field => field !== 'connected' || judgeConnected)
    .filter(field => JSON.stringify(want[field]) !== JSON.stringify(have[field]))
    .map(field => ({ key, field, want: want[field], have: have[field] }))
}

/**
 * Compares a capture's TCP records with what both tools agree on.
 *
 * @param strict a record on a 5-tuple that the tools don't know is a mismatch
 */
export function compare(oracle: Oracle, records: readonly TcpRecord[], strict: boolean): Agreement {
  const mine = group(records.filter(record => record.proto === 6), ofRecord)
  const streams = oracle.streams.filter(stream => stream.client !== undefined)
  const theirs = group(streams, ofStream)
  const keysOf = (some: readonly OracleStream[]) => new Set(some.map(stream => ofStream(stream)[0]))
  const disputed = keysOf(streams.filter(stream => stream.hard !== true || stream.nested === true))
  const connectedDisputed = keysOf(streams.filter(stream => stream.connectedHard !== true))
  const mismatches: Mismatch[] = []
  let judged = 0
  let agreed = 0
  for (const [key, want] of theirs) {
    if (disputed.has(key)) continue
    judged += 1
    const have = mine.get(key)
    const found: Mismatch[] = have
      ? differences(key, sum(want), sum(have), !connectedDisputed.has(key))
      : [{ key, field: 'missing', want: sum(want), have: null }]
    agreed += found.length === 0 ? 1 : 0
    mismatches.push(...found)
  }
  for (const [key, have] of mine) {
    if (theirs.has(key) || !strict) continue
    judged += 1
    mismatches.push({ key, field: 'unexpected', want: null, have: sum(have) })
  }
  return { judged, agreed, mismatches }
}
