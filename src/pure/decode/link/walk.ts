/**
 * The walk from the start of a frame to its network layer. Mirrors `core::decode::link`.
 *
 * Each step reads one header and says what comes next. A step reads only what it needs, so a cut packet is followed as
 * far as it goes. A step is a function of the walk and an offset; its answer is one of {@link Step}, or one of
 * {@link Drop} with its sign turned: {@link CUT}, {@link BROKEN}, {@link NON_IP}, {@link UNKNOWN_LINK}.
 */
import { Drop } from '../drop.js'
import type { Layers } from '../encap.js'

/** What lies at an offset in the frame. */
export const Step = {
  /** An IP header: the end of the walk. */
  Ip: 0,
  /** A payload with its ethertype, or an 802.3 length in its place: the walk's `argument`. */
  Ethertype: 1,
  /** Ethernet: destination and source address first. */
  Ethernet: 2,
  /** IEEE 802.2 LLC. */
  Llc: 3,
  /** A PPP protocol number, perhaps with address and control before it. */
  Ppp: 4,
  /** A stack of MPLS labels. */
  Mpls: 5,
  /** An IEEE 802.11 MAC header; the argument: 1 where it is padded to a multiple of four. */
  Wlan: 6,
  /** A frame of another link type, which is the argument. */
  Link: 7,
} as const

/** Captured octets end inside the header. */
export const CUT = -Drop.Cut
/** The header contradicts itself. */
export const BROKEN = -Drop.Broken
/** Something else than IP comes next. */
export const NON_IP = -Drop.NonIp
/** The link type isn't known. */
export const UNKNOWN_LINK = -Drop.UnknownLink

/** One frame's walk: where it is. */
export class Walk {
  bytes: Uint8Array = new Uint8Array(0)
  /** Where the frame ends. */
  end = 0
  /** Takes VLAN tags and the like, outermost first. */
  readonly layers: Layers
  /** Where what the latest step found begins. */
  at = 0
  /** What else the latest step said. */
  argument = 0

  constructor(layers: Layers) {
    this.layers = layers
  }

  /** Answers that `step` comes next, at `at`. */
  go(step: number, at: number, argument = 0): number {
    this.at = at
    this.argument = argument
    return step
  }

  /** So many octets are there. */
  has(at: number, octets: number): boolean {
    return at + octets <= this.end
  }

  /** An octet that is known to be there. */
  u8(at: number): number {
    return this.bytes[at]!
  }

  /** Two octets that are known to be there, in network byte order. */
  u16(at: number): number {
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  /** Four octets, likewise. */
  u32(at: number): number {
    return ((this.u16(at) << 16) | this.u16(at + 2)) >>> 0
  }

  /** Two octets that are known to be there, the lowest first. */
  u16le(at: number): number {
    return this.bytes[at]! | (this.bytes[at + 1]! << 8)
  }

  /** Four octets, likewise. */
  u32le(at: number): number {
    return (this.u16le(at) | (this.u16le(at + 2) << 16)) >>> 0
  }
}
