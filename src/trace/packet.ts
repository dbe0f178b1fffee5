/** What flow tracing takes: PyPCAPKit's dictionary of a TCP packet, typed. */
import { OptionError } from '../errors.js'
import type { TunnelKind } from '../flow.js'

/**
 * What is known of a frame: what a dumper writes. {@link tracePackets} fills all of it; a dumper of text writes whatever
 * there is, and the dumpers of pcap and pcapng need `packet` and a time.
 */
export interface TraceFrame {
  /** The record's header: `ts_usec` are microseconds, or nanoseconds where the files have those. */
  readonly frame_info?: { readonly ts_sec: number; readonly ts_usec: number; readonly incl_len: number; readonly orig_len: number }
  /** Time as text, ISO 8601 in UTC, with every digit. */
  readonly time?: string
  /** Number of the frame in its capture, from 1. */
  readonly number?: number
  /** Time as decimal seconds since the Unix epoch, with every digit. It goes before `frame_info`. */
  readonly time_epoch?: string
  /** Link-layer header type. Without it, the flow's first packet's counts. */
  readonly link_type?: number
  /** Octets that were kept at most of each packet; 0 = no limit. */
  readonly snaplen?: number
  /** Octets on the wire. */
  readonly len?: number
  /** Octets captured. */
  readonly cap_len?: number
  /** The captured octets. */
  readonly packet?: Uint8Array
  /** Layers: `ethernet`, `ipv4`, `ipv6`, `tcp`, each inside the one around it; and whatever else is to be dumped. */
  readonly [field: string]: unknown
}

/** One TCP packet. The first ten fields are PyPCAPKit's. */
export interface TracePacket {
  /** Link-layer header type: the `LINKTYPE_` number, 1 = Ethernet. */
  readonly protocol: number
  /** Frame number. */
  readonly index: number
  /** The frame. */
  readonly frame: TraceFrame
  /** SYN flag. */
  readonly syn: boolean
  /** FIN flag. */
  readonly fin: boolean
  /** Source address. */
  readonly src: string
  /** Destination address. */
  readonly dst: string
  /** Source port, 0 to 65535. */
  readonly srcport: number
  /** Destination port, 0 to 65535. */
  readonly dstport: number
  /** Time, seconds since the Unix epoch. */
  readonly timestamp: number
  /** ACK flag. */
  readonly ack?: boolean
  /** RST flag. */
  readonly rst?: boolean
  /** Sequence number. Without it no SYN can be told from a repeated one, and ports used again are not told apart. */
  readonly seq?: number
  /** The capture it is from, where there are several. */
  readonly capture?: string
  /** Innermost VLAN, where it tells flows apart. */
  readonly vlan?: number | null
  /** Innermost tunnel, likewise. */
  readonly tunnel?: TunnelKind | null
  /** That tunnel's number, likewise. */
  readonly tunnel_id?: number | null
}

const isWhole = (most: number) => (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
const isFlag = (value: unknown) => typeof value === 'boolean'
const isAddress = (value: unknown) => typeof value === 'string' && process.getBuiltinModule('node:net').isIP(value) !== 0

/** What each field must be. */
const FIELDS: readonly (readonly [field: keyof TracePacket, holds: (value: unknown) => boolean, expected: string])[] = [
  ['protocol', isWhole(0xffff), 'a link type number'],
  ['index', isWhole(Number.MAX_SAFE_INTEGER), 'a frame number'],
  ['frame', value => typeof value === 'object' && value !== null, 'an object'],
  ['syn', isFlag, 'true or false'],
  ['fin', isFlag, 'true or false'],
  ['src', isAddress, 'an IP address'],
  ['dst', isAddress, 'an IP address'],
  ['srcport', isWhole(0xffff), 'a port'],
  ['dstport', isWhole(0xffff), 'a port'],
  ['timestamp', value => Number.isFinite(value), 'seconds since the Unix epoch'],
]

/** What each further field must be, where it is there. */
const FURTHER: typeof FIELDS = [
  ['ack', isFlag, 'true or false'],
  ['rst', isFlag, 'true or false'],
  ['seq', isWhole(0xffff_ffff), 'a sequence number'],
]

/**
 * Checks a packet.
 *
 * @throws {@link OptionError} that names the field
 */
export function checkTracePacket(packet: TracePacket): void {
  if (typeof packet !== 'object' || packet === null) throw new OptionError(`packet: expected an object, not ${String(packet)}`)
  for (const [field, holds, expected] of FIELDS) if (!holds(packet[field])) complain(packet, field, expected)
  for (const [field, holds, expected] of FURTHER)
    if (packet[field] !== undefined && !holds(packet[field])) complain(packet, field, expected)
}

function complain(packet: TracePacket, field: keyof TracePacket, expected: string): never {
  throw new OptionError(`packet.${field}: expected ${expected}, not ${String(packet[field])}`)
}
