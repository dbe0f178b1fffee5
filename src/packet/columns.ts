/**
 * Packets as an engine gives them: the octets in a block, and where everything lies in it as columns. Whatever looks at
 * packets in TypeScript depends on this alone, so that every engine can serve it.
 */
import type { TunnelKind } from '../flow.js'

/** The `key` of a row that only moves the clock: its packet belongs to no flow. */
export const NO_KEY = 0xffff_ffff

/** The bit of `meta` that says that the clock goes on. */
export const MOVES_CLOCK = 1 << 16

/** Octets of `head`. */
export const HEAD_LENGTH = 16

/** What stands behind the IP header: bits 2 to 4 of `meta`. */
export const Upper = {
  /** Something else, broken, or cut before what matters. */
  Other: 0,
  Tcp: 1,
  Udp: 2,
  /** ICMP in IPv4. */
  Icmp4: 3,
  /** ICMPv6 in IPv6. */
  Icmp6: 4,
} as const

/** One batch of packets. Offsets count from the start of `block`; lengths are octets. */
export interface PacketColumns {
  /** The octets of the captures' packets. */
  readonly block: Uint8Array
  /** The flow key's number, the same for both directions; {@link NO_KEY} for none. */
  readonly key: ArrayLike<number>
  /**
   * Bit 0: goes from the key's first endpoint. 1: ICMP error, matched to the flow that it quotes. 2 to 4: {@link Upper}.
   * 5 and 6: whole (0), first fragment (1), later fragment (2). 7: IPv6. 8 to 15: upper-layer protocol. 16: packet time
   * goes on, to a second that no row before has reached.
   */
  readonly meta: ArrayLike<number>
  /** Number of the packet in its capture, from 1. */
  readonly number: ArrayLike<number>
  /** Number of the capture, from 0. */
  readonly capture: ArrayLike<number>
  /** Time, nanoseconds since the Unix epoch. */
  readonly ts_ns: BigInt64Array
  /** The same: whole seconds, rounded down. */
  readonly second: ArrayLike<number>
  /** The same: nanoseconds after `second`. */
  readonly nanosecond: ArrayLike<number>
  /** The IP header. */
  readonly ip: ArrayLike<number>
  /** Octets of the IP packet by its header. */
  readonly ip_len: ArrayLike<number>
  /** Octets of it that were captured. */
  readonly ip_captured: ArrayLike<number>
  /** The upper layer. */
  readonly upper: ArrayLike<number>
  /** Octets of the upper layer by the IP header. */
  readonly upper_len: ArrayLike<number>
  /** Octets of it that were captured. */
  readonly upper_captured: ArrayLike<number>
  /** IP packets that it came in: 1, or its fragments. */
  readonly packets: ArrayLike<number>
  /** Octets of those IP packets by their headers. */
  readonly octets: ArrayLike<number>
  /** The first 16 octets of each TCP or UDP header; zeros where they weren't captured. */
  readonly head: DataView
  /** What lies around the packet of a row, as in a flow record. */
  outer(row: number): Outer
}

/** What lies around a packet. */
export interface Outer {
  readonly vlan: number | null
  readonly tunnel: TunnelKind | null
  readonly tunnel_id: number | null
}
