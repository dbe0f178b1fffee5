/**
 * One IP packet: numbers and offsets into the octets that it lies in. The object is made once and filled again for
 * each packet. Mirrors `core::decode::Datagram`.
 */
import { hasPorts } from './proto.js'

/** What part of a datagram a packet holds. */
export const Fragment = {
  /** All of it. */
  Whole: 0,
  /** The first fragment: the upper-layer header is there. */
  First: 1,
  /** A later fragment: no upper-layer header. */
  Later: 2,
} as const

const NOTHING = new Uint8Array(0)

/** One IP packet. Offsets count from the start of `bytes`, lengths are octets. */
export class Datagram {
  /** What it lies in: the caller's block, or a buffer of the decoder's where it was reassembled. */
  bytes: Uint8Array = NOTHING
  /** 4 or 6. */
  version = 0
  /** Upper-layer protocol, after extension headers. */
  proto = 0
  /** IPv4 TOS or IPv6 traffic class (RFC 2474: DSCP in the upper six bits, RFC 3168: ECN in the lower two). */
  trafficClass = 0
  /** Whole or fragment: one of {@link Fragment}. */
  fragment = 0
  /** Where the source address begins: 4 octets, or 16 in IPv6. */
  src = 0
  /** Where the destination address begins, likewise. */
  dst = 0
  /** Where the IP header begins. */
  ip = 0
  /** Octets of the IP packet by its header; captured octets where the header says 0 (segmentation offload). */
  ipLen = 0
  /** Octets captured of the IP header and everything behind it (link-layer padding taken off). */
  ipCaptured = 0
  /** Where the upper layer begins. */
  upper = 0
  /** Octets of the upper layer by the IP header; more than `upperCaptured` where the packet is cut. */
  upperLen = 0
  /** Octets captured of the upper layer. */
  upperCaptured = 0
  /** IP packets that the datagram came in: 1, or its fragments. */
  packets = 0
  /** Octets of those IP packets by their headers: `ipLen`, or the sum over all fragments. */
  octets = 0
  /**
   * The datagram lies in a buffer of the decoder's, not in the caller's block: a copy of the IP packet that was the last
   * fragment to come, and the upper layer put together. It is valid until the next packet is decoded.
   */
  reassembled = false
  /** Number of the fragmented datagram that the packet completed, from 1; 0: it completed none. */
  serial = 0
  /** VLANs and tunnels around the packet: a number of the decoder's `encaps`; 0 where there are none. */
  outer = 0

  /** Source port in the upper 16 bits, destination port in the lower; -1 where there are none or they are cut. */
  ports(): number {
    if (!hasPorts(this.proto) || this.fragment === Fragment.Later || this.upperCaptured < 4) return -1
    const { bytes, upper } = this
    // Not shifted by 24 bits, which would make it negative.
    return (bytes[upper]! * 256 + bytes[upper + 1]!) * 65536 + ((bytes[upper + 2]! << 8) | bytes[upper + 3]!)
  }

  /** Becomes a copy of `other`. */
  copyFrom(other: Datagram): void {
    this.bytes = other.bytes
    this.version = other.version
    this.proto = other.proto
    this.trafficClass = other.trafficClass
    this.fragment = other.fragment
    this.src = other.src
    this.dst = other.dst
    this.ip = other.ip
    this.ipLen = other.ipLen
    this.ipCaptured = other.ipCaptured
    this.upper = other.upper
    this.upperLen = other.upperLen
    this.upperCaptured = other.upperCaptured
    this.packets = other.packets
    this.octets = other.octets
    this.reassembled = other.reassembled
    this.serial = other.serial
    this.outer = other.outer
  }
}
