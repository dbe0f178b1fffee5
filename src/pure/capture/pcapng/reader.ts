/**
 * pcapng (draft-ietf-opsawg-pcapng): blocks of type, length, body and the length again, in sections that each have
 * their byte order and interfaces. Packets come out; the rest goes to the capture's facts or is counted and skipped.
 *
 * A block that carries no packet may be longer than what is there: only its head is looked at, the tail is discarded,
 * and the length at its end is still checked.
 */
import { hex } from '../../../octets.js'
import { damagedError, formatError, truncatedError } from '../../error.js'
import type { Container } from '../container.js'
import { CaptureFacts, InterfaceFacts, text } from '../info.js'
import { MAX_PACKET_LEN } from '../limits.js'
import { linkFromFile } from '../link-type.js'
import type { Packet } from '../packet.js'
import { Clock } from '../timestamp.js'
import { badLen, BLOCK_FRAME_LEN, blockName, BlockType, damagedBlock, MAX_BLOCK_LEN, minLen, octetsToSee } from './block.js'
import { u16, u32, u64 } from './bytes.js'
import { setInterfaceOption, setStatisticsOption, type Interface } from './interface.js'
import { COMMENT, eachOption } from './options.js'

/** Interfaces of one section at most. */
const MAX_INTERFACES = 65_536
/** Octets of a block before its body. */
const BLOCK_HEAD_LEN = 8
/** Octets of an enhanced or obsolete packet's body before the data. */
const PACKET_FIELDS_LEN = 20
/** `epb_dropcount`: packets lost between this one and the one before. */
const EPB_DROPCOUNT = 4
const MAX_U64 = 2n ** 64n - 1n

/** What the next octets are. */
const State = {
  /** A new block. */
  Head: 0,
  /** Octets that were not looked at, then the trailing length. */
  Rest: 1,
  /** The trailing length. */
  Trailer: 2,
} as const

/** The octets are those of a section header's type, the same in both byte orders. */
export function isPcapng(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x0a && bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0d && bytes[at + 3] === 0x0a
}

/** Reads pcapng: every section, interface and block type of the draft. */
export class PcapngReader implements Container {
  readonly info = new CaptureFacts('pcapng')
  #bigEndian = false
  #state: number = State.Head
  /** The block at hand: type, length, and octets from the start of the input. */
  #type = 0
  #length = 0
  #offset = 0
  /** Octets of it that were not looked at. */
  #rest = 0
  /** The section's interfaces. */
  #interfaces: Interface[] = []
  /** The number in the file of the section's first interface. */
  #firstInterface = 0

  step(bytes: Uint8Array, at: number, end: number, offset: number, packet: Packet): number {
    if (this.#state !== State.Head) return this.#tail(bytes, at, end)
    if (end - at < BLOCK_FRAME_LEN) return 0
    if (isPcapng(bytes, at)) this.#bigEndian = this.#sectionOrder(bytes, at, offset)
    const type = u32(bytes, at, this.#bigEndian)
    const length = u32(bytes, at + 4, this.#bigEndian)
    if (length < minLen(type) || length > MAX_BLOCK_LEN || (length & 3) !== 0) throw badLen(type, offset, length)
    const seen = octetsToSee(type, length)
    if (end - at < seen) return 0
    this.#type = type
    this.#length = length
    this.#offset = offset
    const whole = seen === length
    if (whole) this.#checkTrailer(bytes, at + length - 4)
    const bodyEnd = whole ? at + length - 4 : at + seen
    const { badOptions } = this.info
    const hasPacket = this.#block(bytes, at + BLOCK_HEAD_LEN, bodyEnd, packet)
    if (!whole) {
      // A list that ends where we stopped looking is not bad.
      this.info.badOptions = badOptions
      this.#state = State.Rest
      this.#rest = length - 4 - seen
    }
    return hasPacket ? seen : -seen
  }

  /** Reads the body from `at` to `end`; whether there is a packet in it. */
  #block(bytes: Uint8Array, at: number, end: number, packet: Packet): boolean {
    switch (this.#type) {
      case BlockType.EnhancedPacket:
        this.#enhancedPacket(bytes, at, end, packet)
        return true
      case BlockType.SimplePacket:
        this.#simplePacket(bytes, at, packet)
        return true
      case BlockType.ObsoletePacket:
        this.#obsoletePacket(bytes, at, end, packet)
        return true
      case BlockType.Section:
        this.#section(bytes, at, end)
        return false
      case BlockType.Interface:
        this.#interface(bytes, at, end)
        return false
      case BlockType.InterfaceStatistics:
        this.#statistics(bytes, at, end)
        return false
      default:
        return false
    }
  }

  #tail(bytes: Uint8Array, at: number, end: number): number {
    if (this.#state === State.Rest) {
      this.#state = State.Trailer
      // Nothing may be left: then the trailing length is next.
      if (this.#rest > 0) return -this.#rest
    }
    if (end - at < 4) return 0
    this.#checkTrailer(bytes, at)
    this.#state = State.Head
    return -4
  }

  #checkTrailer(bytes: Uint8Array, at: number): void {
    const length = u32(bytes, at, this.#bigEndian)
    if (length !== this.#length)
      throw damagedBlock(this.#type, this.#offset, `says ${this.#length} octets at its start and ${length} at its end`)
  }

  /** The byte order of the section whose header begins at `at`: whether it is big endian. */
  #sectionOrder(bytes: Uint8Array, at: number, offset: number): boolean {
    const magic = u32(bytes, at + 8, false)
    if (magic === 0x1a2b_3c4d) return false
    if (magic === 0x4d3c_2b1a) return true
    const reason = `${hex(bytes, at + 8, at + 12)} is no byte-order magic of pcapng`
    throw this.info.sections === 0 ? formatError(offset + 8, `not a capture: ${reason}`) : damagedError(offset + 8, reason)
  }

  /** Draft section 4.1: a new section forgets the interfaces of the one before. */
  #section(bytes: Uint8Array, at: number, end: number): void {
    const { info } = this
    const [major, minor] = [u16(bytes, at + 4, this.#bigEndian), u16(bytes, at + 6, this.#bigEndian)]
    if (major !== 1) throw formatError(this.#offset + 12, `pcapng version ${major}.${minor} is not known`)
    this.#firstInterface = Math.min(this.#firstInterface + this.#interfaces.length, 0xffff_ffff)
    this.#interfaces = []
    info.sections += 1
    info.bigEndian = this.#bigEndian
    this.#options(bytes, at + 16, end, (code, value) => {
      if (code === 2) info.hardware ??= text(value)
      else if (code === 3) info.os ??= text(value)
      else if (code === 4) info.application ??= text(value)
    })
  }

  /** Reads an option list; comments are kept, other options go to `take`. */
  #options(bytes: Uint8Array, at: number, end: number, take?: (code: number, value: Uint8Array) => void): void {
    const whole = eachOption(bytes, at, end, this.#bigEndian, (code, from, to) => {
      const value = bytes.subarray(from, to)
      if (code === COMMENT) this.info.addComment(value)
      else take?.(code, value)
    })
    if (!whole) this.info.badOptions += 1
  }

  /** Adds the interface of a description block; the body may be cut after the first octets. */
  #interface(bytes: Uint8Array, at: number, end: number): void {
    if (this.#interfaces.length === MAX_INTERFACES)
      throw damagedBlock(this.#type, this.#offset, `comes after ${MAX_INTERFACES} others of this section`)
    const bigEndian = this.#bigEndian
    const link = linkFromFile(u16(bytes, at, bigEndian))
    const snaplen = u32(bytes, at + 4, bigEndian)
    const id = Math.min(this.#firstInterface + this.#interfaces.length, 0xffff_ffff)
    const facts = new InterfaceFacts(id, link, snaplen)
    this.#options(bytes, at + 8, end, (code, value) => setInterfaceOption(facts, code, value, bigEndian))
    const clock = new Clock(facts.resolution, facts.offsetSeconds)
    const described = this.info.addInterface(facts) ? facts : null
    this.#interfaces.push({ link, snaplen, clock, described })
  }

  #statistics(bytes: Uint8Array, at: number, end: number): void {
    const bigEndian = this.#bigEndian
    const id = u32(bytes, at, bigEndian)
    const one = this.#interfaces[id]
    if (one === undefined) throw this.#noInterface(id)
    this.#options(bytes, at + 12, end, (code, value) => {
      if (one.described !== null) setStatisticsOption(one.described, code, value, bigEndian)
    })
  }

  /** Draft section 4.3. */
  #enhancedPacket(bytes: Uint8Array, at: number, end: number, packet: Packet): void {
    const id = u32(bytes, at, this.#bigEndian)
    const list = this.#packet(bytes, at, id, packet)
    if (list < end)
      this.#options(bytes, list, end, (code, value) => {
        if (code === EPB_DROPCOUNT && value.length >= 8) this.#addLost(id, u64(value, 0, this.#bigEndian))
      })
  }

  /** Draft appendix A. */
  #obsoletePacket(bytes: Uint8Array, at: number, end: number, packet: Packet): void {
    const id = u16(bytes, at, this.#bigEndian)
    const drops = u16(bytes, at + 2, this.#bigEndian)
    const list = this.#packet(bytes, at, id, packet)
    // 0xffff: not known.
    if (drops !== 0 && drops !== 0xffff) this.#addLost(id, BigInt(drops))
    this.#options(bytes, list, end)
  }

  /** What the enhanced and the obsolete block have in common: time and lengths at the same places. Where options begin. */
  #packet(bytes: Uint8Array, at: number, id: number, packet: Packet): number {
    const bigEndian = this.#bigEndian
    const one = this.#interfaces[id]
    if (one === undefined) throw this.#noInterface(id)
    const capturedLen = u32(bytes, at + 12, bigEndian)
    this.#checkCapturedLen(capturedLen, PACKET_FIELDS_LEN)
    let wireLen = u32(bytes, at + 16, bigEndian)
    if (wireLen < capturedLen) {
      // A packet can't have been shorter than what was captured of it.
      this.info.shortWireLens += 1
      wireLen = capturedLen
    }
    one.clock.read(u32(bytes, at + 4, bigEndian), u32(bytes, at + 8, bigEndian), packet)
    packet.start = at + PACKET_FIELDS_LEN
    packet.end = packet.start + capturedLen
    packet.wireLen = wireLen
    packet.link = one.link
    packet.interface = Math.min(this.#firstInterface + id, 0xffff_ffff)
    return packet.start + ((capturedLen + 3) & ~3)
  }

  /** Draft section 4.4: the first interface's, without a time; what was captured follows from the snapshot length. */
  #simplePacket(bytes: Uint8Array, at: number, packet: Packet): void {
    const wireLen = u32(bytes, at, this.#bigEndian)
    const one = this.#interfaces[0]
    if (one === undefined) throw this.#noInterface(0)
    const capturedLen = one.snaplen === 0 ? wireLen : Math.min(wireLen, one.snaplen)
    this.#checkCapturedLen(capturedLen, 4)
    this.info.untimedPackets += 1
    packet.second = 0
    packet.nanosecond = 0
    packet.start = at + 4
    packet.end = packet.start + capturedLen
    packet.wireLen = wireLen
    packet.link = one.link
    packet.interface = this.#firstInterface
  }

  /** `fields` octets stand in the body before the data. */
  #checkCapturedLen(capturedLen: number, fields: number): void {
    // Type and both lengths are 12 octets; the block's length was checked to hold the fields.
    const room = this.#length - BLOCK_FRAME_LEN - fields
    if (capturedLen > MAX_PACKET_LEN)
      throw damagedBlock(this.#type, this.#offset, `claims a packet of ${capturedLen} octets, over ${MAX_PACKET_LEN}`)
    if (capturedLen > room)
      throw damagedBlock(this.#type, this.#offset, `claims a packet of ${capturedLen} octets, but has room for ${room}`)
  }

  #addLost(id: number, packets: bigint): void {
    const described = this.#interfaces[id]?.described
    if (!described) return
    const lost = described.lostPackets + packets
    described.lostPackets = lost > MAX_U64 ? MAX_U64 : lost
  }

  #noInterface(id: number): Error {
    return damagedBlock(this.#type, this.#offset, `names interface ${id}, but the section has ${this.#interfaces.length}`)
  }

  finish(rest: Uint8Array, offset: number): void {
    const available = rest.length
    if (this.#state !== State.Head)
      throw truncatedError(blockName(this.#type), this.#offset, this.#length, offset + available - this.#offset)
    if (available === 0) return
    if (available < BLOCK_FRAME_LEN) throw truncatedError('a block header', offset, BLOCK_FRAME_LEN, available)
    const type = u32(rest, 0, this.#bigEndian)
    throw truncatedError(blockName(type), offset, u32(rest, 4, this.#bigEndian), available)
  }
}
