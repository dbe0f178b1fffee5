/** The TCP header (RFC 9293 section 3.1). Mirrors `core::decode::Segment`. */
import { Fragment, type Datagram } from './datagram.js'
import { TCP } from './proto.js'

/** Control bits, as they stand in the flags octet; `AE` lies one bit above it. */
export const Flags = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
  AE: 0x100,
} as const

/** The segment in `datagram` can be read, at least up to the flags. */
export function isSegment(datagram: Datagram): boolean {
  if (datagram.proto !== TCP || datagram.fragment === Fragment.Later) return false
  const { bytes, upper, upperCaptured, upperLen } = datagram
  if (upperCaptured < 14) return false
  const headerLen = (bytes[upper + 12]! >> 4) * 4
  // A header shorter than 20 octets or longer than the segment is no header (RFC 9293 section 3.1).
  if (headerLen < 20 || headerLen > upperLen) return false
  return upperCaptured >= headerLen || upperCaptured < upperLen
}

/** One TCP segment; offsets count from the start of `bytes`, lengths are octets. Filled again for each segment. */
export class Segment {
  /** What it lies in: the datagram's octets. */
  bytes: Uint8Array = new Uint8Array(0)
  /** Source port. */
  srcPort = 0
  /** Destination port. */
  dstPort = 0
  /** Sequence number, 0 to 2^32 - 1. */
  seq = 0
  /** Acknowledgment number, 0 to 2^32 - 1; only meaningful with `ACK`. */
  ack = 0
  /** Control bits, nine of them. */
  flags = 0
  /** Receive window, unscaled. */
  window = 0
  /** Urgent pointer. */
  urgent = 0
  /** Where the options begin. */
  options = 0
  /** Octets captured of the options. */
  optionsCaptured = 0
  /** Where the payload begins; only meaningful where some of it was captured. */
  payload = 0
  /** Octets captured of the payload. */
  payloadCaptured = 0
  /** Octets of payload on the wire. */
  payloadLen = 0
  /** Octets of the header by its data offset. */
  headerLen = 0

  /** Takes the segment in `datagram`, as far as it was captured (at least up to the flags); false where there is none. */
  parse(datagram: Datagram): boolean {
    if (!isSegment(datagram)) return false
    const { bytes, upper, upperCaptured, upperLen } = datagram
    const headerLen = (bytes[upper + 12]! >> 4) * 4
    if (upperCaptured < headerLen) return this.#parseCut(datagram, headerLen)
    this.#parseFixed(bytes, upper)
    this.window = (bytes[upper + 14]! << 8) | bytes[upper + 15]!
    this.urgent = (bytes[upper + 18]! << 8) | bytes[upper + 19]!
    this.options = upper + 20
    this.optionsCaptured = headerLen - 20
    this.payload = upper + headerLen
    this.payloadCaptured = upperCaptured - headerLen
    this.payloadLen = upperLen - headerLen
    this.headerLen = headerLen
    return true
  }

  /** Any of the control bits in `mask` is set. */
  has(mask: number): boolean {
    return (this.flags & mask) !== 0
  }

  /** What stands before the window. */
  #parseFixed(bytes: Uint8Array, at: number): void {
    this.bytes = bytes
    this.srcPort = (bytes[at]! << 8) | bytes[at + 1]!
    this.dstPort = (bytes[at + 2]! << 8) | bytes[at + 3]!
    this.seq = ((bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!) >>> 0
    this.ack = ((bytes[at + 8]! << 24) | (bytes[at + 9]! << 16) | (bytes[at + 10]! << 8) | bytes[at + 11]!) >>> 0
    this.flags = ((bytes[at + 12]! & 1) << 8) | bytes[at + 13]!
  }

  /** The header is not all there. */
  #parseCut({ bytes, upper, upperCaptured, upperLen }: Datagram, headerLen: number): boolean {
    this.#parseFixed(bytes, upper)
    this.window = upperCaptured >= 16 ? (bytes[upper + 14]! << 8) | bytes[upper + 15]! : 0
    this.urgent = upperCaptured >= 20 ? (bytes[upper + 18]! << 8) | bytes[upper + 19]! : 0
    this.options = upper + Math.min(20, upperCaptured)
    this.optionsCaptured = Math.max(0, upperCaptured - 20)
    this.payload = upper + upperCaptured
    this.payloadCaptured = 0
    this.payloadLen = upperLen - headerLen
    this.headerLen = headerLen
    return true
  }
}
