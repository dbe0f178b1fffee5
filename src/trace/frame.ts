/** What is dumped of a frame: its record and its headers, named as PyPCAPKit names them. */
import { tcpOptions } from '../packet/options.js'
import { Ip4View, type IpView } from '../packet/ip-view.js'
import type { TcpView } from '../packet/upper-views.js'
import type { TraceFrame } from './packet.js'

/** A frame as it was captured. */
export interface CapturedFrame {
  readonly number: number
  readonly ns: bigint
  readonly link: number
  readonly snaplen: number
  /** Octets on the wire. */
  readonly length: number
  /** The captured octets, which stay. */
  readonly octets: Uint8Array
}

const SECOND = 1_000_000_000n
const ETHERNET = 1

/** All that is known of a frame; `tcp` is null where the header is broken or cut. */
export function traceFrame(frame: CapturedFrame, ip: IpView, tcp: TcpView | null): TraceFrame {
  const { number, ns, link, snaplen, length, octets } = frame
  const seconds = ns / SECOND - (ns % SECOND < 0n ? 1n : 0n)
  const rest = ns - seconds * SECOND
  const internet = { ...internetLayer(ip), ...(tcp === null ? {} : { tcp: transportLayer(tcp) }) }
  const layers = { [ip.version === 4 ? 'ipv4' : 'ipv6']: internet }
  const isEthernet = link === ETHERNET && octets.length >= 14
  return {
    frame_info: {
      ts_sec: Number(seconds),
      ts_usec: Number(rest / 1000n),
      incl_len: octets.length,
      orig_len: length,
    },
    time: isoTime(seconds, rest),
    number,
    time_epoch: decimalSeconds(ns),
    link_type: link,
    snaplen,
    len: length,
    cap_len: octets.length,
    ...(isEthernet ? { ethernet: { ...linkLayer(octets), ...layers } } : layers),
    protocols: `${isEthernet ? 'Ethernet:' : ''}${ip.version === 4 ? 'IPv4' : 'IPv6'}${tcp === null ? '' : ':TCP'}`,
    packet: octets,
  }
}

/** With every digit: microseconds, or nanoseconds where there are any. */
function decimalSeconds(ns: bigint): string {
  const [size, sign] = ns < 0n ? [-ns, '-'] : [ns, '']
  return `${sign}${size / SECOND}.${fraction(size % SECOND)}`
}

function fraction(ns: bigint): string {
  const digits = ns.toString().padStart(9, '0')
  return digits.endsWith('000') ? digits.slice(0, 6) : digits
}

/** ECMA-262's dates end 8.64e12 seconds from the epoch; no 64-bit number of nanoseconds reaches that. */
function isoTime(seconds: bigint, rest: bigint): string {
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, -5)}.${fraction(rest)}`
}

function linkLayer(octets: Uint8Array): object {
  const mac = (at: number) => Array.from(octets.subarray(at, at + 6), octet => octet.toString(16).padStart(2, '0')).join(':')
  return { dst: mac(0), src: mac(6), type: (octets[12]! << 8) | octets[13]! }
}

function internetLayer(ip: IpView): object {
  const tos = { dscp: ip.dscp, ecn: ip.ecn }
  if (ip instanceof Ip4View)
    return {
      version: 4,
      hdr_len: ip.ihl * 4,
      tos,
      len: ip.totalLength,
      id: ip.identification,
      flags: { df: ip.dontFragment, mf: ip.moreFragments },
      offset: ip.fragmentOffset,
      ttl: ip.ttl,
      protocol: ip.protocol,
      checksum: u16(ip.headerChecksum),
      src: ip.source,
      dst: ip.destination,
    }
  return {
    version: 6,
    class: tos,
    label: ip.flowLabel,
    payload: ip.payloadLength,
    next: ip.nextHeader,
    limit: ip.hopLimit,
    src: ip.source,
    dst: ip.destination,
  }
}

function transportLayer(tcp: TcpView): object {
  const { flags } = tcp
  const has = (bit: number) => (flags & bit) !== 0
  return {
    srcport: tcp.srcPort,
    dstport: tcp.dstPort,
    seq: tcp.seq,
    ack: tcp.ack,
    hdr_len: tcp.dataOffset * 4,
    flags: { cwr: has(128), ece: has(64), urg: has(32), ack: has(16), psh: has(8), rst: has(4), syn: has(2), fin: has(1) },
    window_size: tcp.window,
    checksum: u16(tcp.checksum),
    urgent_pointer: tcp.urgentPointer,
    options: tcpOptions(tcp).list.map(({ kind, data }) => ({ kind, length: kind < 2 ? 1 : data.length + 2, data })),
    packet: tcp.payload.slice(),
  }
}

const u16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value & 0xff)
