/**
 * Where one packet lies. The views of a packet share one place, which the walker moves from packet to packet: views
 * cost nothing until they are read.
 */
import { HEAD_LENGTH, Upper, type PacketColumns } from './columns.js'

/** What stands in a quoted IP packet, as {@link Place.quote} finds it. */
const PROTO = { hopByHop: 0, icmp: 1, tcp: 6, udp: 17, routing: 43, fragment: 44, icmp6: 58, destination: 60 } as const

/** A packet's place in a block. Offsets count from the start of the block; lengths are octets. */
export abstract class Place {
  bytes: Uint8Array = new Uint8Array(0)
  /** The same octets. */
  data = new DataView(this.bytes.buffer)
  columns: PacketColumns | undefined
  row = 0
  meta = 0
  /** The IP header. */
  abstract readonly ip: number
  /** Octets of the IP packet by its header. */
  abstract readonly ipLen: number
  /** Behind the last octet of it that was captured. */
  abstract readonly ipEnd: number
  /** The upper layer. */
  abstract readonly upper: number
  abstract readonly upperLen: number
  abstract readonly upperEnd: number

  /** The octet at `at` of the upper layer, which is TCP or UDP, below 16; 0 where it wasn't captured. */
  abstract headOctet(at: number): number
  /** Two octets, likewise. */
  abstract head16(at: number): number
  /** Four octets, likewise. */
  abstract head32(at: number): number

  /** What stands behind the IP header: one of {@link Upper}. */
  get kind(): number {
    return (this.meta >>> 2) & 7
  }

  /** Upper-layer protocol. */
  get protocol(): number {
    return (this.meta >>> 8) & 0xff
  }

  /** 4 or 6. */
  get version(): 4 | 6 {
    return (this.meta & 0x80) === 0 ? 4 : 6
  }

  /** An octet, or 0 where it wasn't captured. */
  octet(at: number, end: number): number {
    return at < end ? this.bytes[at]! : 0
  }

  /** Two octets, or 0 where they weren't captured. */
  u16(at: number, end: number): number {
    return at + 2 <= end ? this.data.getUint16(at) : 0
  }

  /** Four octets, or 0 where they weren't captured. */
  u32(at: number, end: number): number {
    return at + 4 <= end ? this.data.getUint32(at) : 0
  }

  /** A view of the octets from `at` to `end`. */
  slice(at: number, end: number): Uint8Array {
    return this.bytes.subarray(at, Math.max(at, end))
  }
}

/** The place of a row: it holds nothing of the packet, so that moving on costs next to nothing. */
export class RowPlace extends Place {
  /** The columns' `head`, and where this row's begins. */
  #head = this.data
  #headAt = 0

  /** Turns to another batch. */
  enter(columns: PacketColumns): void {
    this.columns = columns
    this.#head = columns.head
    if (columns.block === this.bytes) return
    this.bytes = columns.block
    this.data = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
  }

  /** Moves to the packet of a row. */
  move(row: number, meta: number): void {
    this.row = row
    this.meta = meta
    this.#headAt = row * HEAD_LENGTH
  }

  get ip(): number {
    return this.columns!.ip[this.row]!
  }

  get ipLen(): number {
    return this.columns!.ip_len[this.row]!
  }

  get ipEnd(): number {
    return this.ip + this.columns!.ip_captured[this.row]!
  }

  get upper(): number {
    return this.columns!.upper[this.row]!
  }

  get upperLen(): number {
    return this.columns!.upper_len[this.row]!
  }

  get upperEnd(): number {
    return this.upper + this.columns!.upper_captured[this.row]!
  }

  headOctet(at: number): number {
    return this.#head.getUint8(this.#headAt + at)
  }

  head16(at: number): number {
    return this.#head.getUint16(this.#headAt + at)
  }

  head32(at: number): number {
    return this.#head.getUint32(this.#headAt + at)
  }
}

/** The place of an IP packet that an ICMP error quotes. */
export class QuotePlace extends Place {
  ip = 0
  ipLen = 0
  ipEnd = 0
  upper = 0
  upperLen = 0
  upperEnd = 0

  headOctet(at: number): number {
    return this.octet(this.upper + at, this.upperEnd)
  }

  head16(at: number): number {
    return this.u16(this.upper + at, this.upperEnd)
  }

  head32(at: number): number {
    return this.u32(this.upper + at, this.upperEnd)
  }

  /** Moves to the IP packet that an ICMP error in `outer` quotes; false where it quotes none that can be read. */
  quote(outer: Place): boolean {
    const { bytes } = outer
    const at = outer.upper + 8
    const end = outer.upperEnd
    this.bytes = bytes
    this.data = outer.data
    this.columns = outer.columns
    this.row = outer.row
    this.ip = at
    if (at >= end) return false
    const version = bytes[at]! >>> 4
    if (version === 4) return this.#quote4(at, end)
    return version === 6 && this.#quote6(at, end)
  }

  #quote4(at: number, end: number): boolean {
    const header = (this.bytes[at]! & 0x0f) * 4
    if (header < 20 || at + header > end) return false
    const total = this.u16(at + 2, end)
    if (total !== 0 && total < header) return false
    this.#set(at, end, total === 0 ? end - at : total, at + header)
    const fragmented = (this.u16(at + 6, end) & 0x3fff) !== 0
    const later = (this.u16(at + 6, end) & 0x1fff) !== 0
    this.#finish(4, this.bytes[at + 9]!, fragmented ? (later ? 2 : 1) : 0)
    return true
  }

  #quote6(at: number, end: number): boolean {
    if (at + 40 > end) return false
    let [protocol, upper, fragment] = [this.bytes[at + 6]!, at + 40, 0]
    while (upper + 8 <= end) {
      const next = this.bytes[upper]!
      if (protocol === PROTO.fragment) {
        fragment = (this.u16(upper + 2, end) & 0xfff8) === 0 ? 1 : 2
        upper += 8
      } else if (protocol === PROTO.hopByHop || protocol === PROTO.routing || protocol === PROTO.destination) {
        upper += (this.bytes[upper + 1]! + 1) * 8
      } else break
      protocol = next
    }
    const length = this.u16(at + 4, end)
    this.#set(at, end, length === 0 ? end - at : 40 + length, Math.min(upper, end))
    this.#finish(6, protocol, fragment)
    return true
  }

  #set(at: number, end: number, length: number, upper: number): void {
    this.ipLen = length
    this.ipEnd = Math.min(end, at + length)
    this.upper = upper
    this.upperLen = Math.max(0, at + length - upper)
    this.upperEnd = Math.max(upper, Math.min(end, at + length))
  }

  #finish(version: 4 | 6, protocol: number, fragment: number): void {
    const there = this.upperEnd - this.upper
    let kind: number = Upper.Other
    if (fragment === 2) kind = Upper.Other
    // RFC 792 quotes 8 octets at least: ports and sequence number of a segment, all of a UDP header.
    else if (protocol === PROTO.tcp && there >= 8) kind = Upper.Tcp
    else if (protocol === PROTO.udp && there >= 8) kind = Upper.Udp
    else if (protocol === PROTO.icmp && there > 0 && version === 4) kind = Upper.Icmp4
    else if (protocol === PROTO.icmp6 && there > 0 && version === 6) kind = Upper.Icmp6
    this.meta = (kind << 2) | (fragment << 5) | (version === 6 ? 0x80 : 0) | (protocol << 8)
  }
}
