/**
 * Classic pcap (draft-ietf-opsawg-pcap): a 24-octet header, then records of 16 octets and data. Also its variant with
 * nanosecond times and the "modified" one of old Linux libpcaps, whose records have 24 octets.
 */
import { damagedError, formatError, truncatedError } from '../error.js'
import type { Container } from './container.js'
import { CaptureFacts, InterfaceFacts } from './info.js'
import { MAX_PACKET_LEN } from './limits.js'
import { linkFromFile } from './link-type.js'
import type { Packet } from './packet.js'

const FILE_HEADER_LEN = 24
const RECORD_HEADER_LEN = 16
/** The modified format adds interface index, protocol, packet type and a pad. */
const MODIFIED_HEADER_LEN = 24

/** What a magic number tells. */
interface Variant {
  /** Nanoseconds in one unit of a record's fraction: 1000 or 1. */
  readonly unit: number
  readonly headerLen: number
  readonly format: string
}

const VARIANTS: Readonly<Record<number, Variant>> = {
  0xa1b2c3d4: { unit: 1000, headerLen: RECORD_HEADER_LEN, format: 'pcap' },
  0xa1b23c4d: { unit: 1, headerLen: RECORD_HEADER_LEN, format: 'pcap with nanoseconds' },
  0xa1b2cd34: { unit: 1000, headerLen: MODIFIED_HEADER_LEN, format: 'modified pcap' },
}

/** Reads classic pcap in either byte order, with microsecond or nanosecond times. */
export class PcapReader implements Container {
  readonly info: CaptureFacts
  readonly #bigEndian: boolean
  readonly #unit: number
  readonly #headerLen: number
  #link = 1
  #headerRead = false
  /** A version before 2.4, in which the two lengths may stand the other way round. */
  #lengthsMayBeSwapped = false
  /** Magic number and version, as they stand in the file. */
  #signature = new Uint8Array(8)

  private constructor({ unit, headerLen, format }: Variant, bigEndian: boolean) {
    this.info = new CaptureFacts(format)
    this.info.bigEndian = bigEndian
    this.info.sections = 1
    this.#bigEndian = bigEndian
    this.#unit = unit
    this.#headerLen = headerLen
  }

  /** A reader for the file that begins at `at`, if that is pcap. */
  static fromMagic(bytes: Uint8Array, at: number): PcapReader | null {
    const little = VARIANTS[u32le(bytes, at)]
    if (little !== undefined) return new PcapReader(little, false)
    const big = VARIANTS[u32be(bytes, at)]
    return big === undefined ? null : new PcapReader(big, true)
  }

  step(bytes: Uint8Array, at: number, end: number, offset: number, packet: Packet): number {
    if (!this.#headerRead) return this.#fileHeader(bytes, at, end, offset)
    if (end - at < RECORD_HEADER_LEN) return 0
    let capturedLen = this.#u32(bytes, at + 8)
    let wireLen = this.#u32(bytes, at + 12)
    if (capturedLen === 0 || capturedLen > wireLen) {
      // Where they are swapped, and where more was captured than there was, the first field says what there was.
      if (capturedLen !== 0) [capturedLen, wireLen] = [this.#oddLength(bytes, at, end, offset), capturedLen]
      else this.#oddLength(bytes, at, end, offset)
    }
    if (capturedLen > MAX_PACKET_LEN) throw tooLong(capturedLen, offset)
    const next = this.#headerLen + capturedLen
    if (end - at < next) return 0
    let second = this.#u32(bytes, at)
    let nanosecond = this.#u32(bytes, at + 4) * this.#unit
    if (nanosecond >= 1_000_000_000) {
      const carry = Math.floor(nanosecond / 1_000_000_000)
      second += carry
      nanosecond -= carry * 1_000_000_000
    }
    packet.second = second
    packet.nanosecond = nanosecond
    packet.start = at + this.#headerLen
    packet.end = at + next
    packet.wireLen = wireLen
    packet.link = this.#link
    packet.interface = 0
    return next
  }

  /** The captured length of a record whose lengths are out of the ordinary. */
  #oddLength(bytes: Uint8Array, at: number, end: number, offset: number): number {
    const capturedLen = this.#u32(bytes, at + 8)
    const wireLen = this.#u32(bytes, at + 12)
    if (capturedLen === 0) {
      // `cat a.pcap b.pcap`: read as a record, the second header's zone is a captured length of 0.
      if (this.#signature.every((octet, i) => octet === bytes[at + i]))
        throw damagedError(offset, "another pcap file begins here: files were joined, which pcap doesn't allow")
      return 0
    }
    if (this.#lengthsMayBeSwapped && wireLen <= MAX_PACKET_LEN) return wireLen
    // A record that is not whole comes again.
    if (capturedLen <= MAX_PACKET_LEN && this.#headerLen + capturedLen <= end - at) this.info.shortWireLens += 1
    return capturedLen
  }

  #fileHeader(bytes: Uint8Array, at: number, end: number, offset: number): number {
    if (end - at < FILE_HEADER_LEN) return 0
    const [major, minor] = [this.#u16(bytes, at + 4), this.#u16(bytes, at + 6)]
    if (major < 2) throw formatError(offset + 4, `pcap version ${major}.${minor} is not known`)
    if (major > 2 || minor > 4) this.info.addNote(`the file says pcap version ${major}.${minor}; it is read as 2.4`)
    this.#lengthsMayBeSwapped = major === 2 && minor < 4
    this.#signature = bytes.slice(at, at + 8)
    const snaplen = this.#u32(bytes, at + 16)
    if (snaplen > 0x7fff_ffff) this.info.addNote(`the snapshot length ${snaplen} is impossible; it is not used`)
    this.#linkField(this.#u32(bytes, at + 20), snaplen)
    this.#headerRead = true
    return -FILE_HEADER_LEN
  }

  /**
   * The last field of the file header: 16 bits are the link type; above stand 10 reserved bits, the bit that says
   * whether the length of a frame check sequence is given, a reserved bit, and that length in units of 16 bits.
   */
  #linkField(field: number, snaplen: number): void {
    this.#link = linkFromFile(field & 0xffff)
    const fcsIsGiven = (field & 0x0400_0000) !== 0
    const reserved = field & (fcsIsGiven ? 0x0bff_0000 : 0xfbff_0000)
    if (reserved !== 0) {
      const digits = field.toString(16).padStart(8, '0')
      this.info.addNote(`reserved bits of the link type field are set (0x${digits}); ignored`)
    }
    const one = new InterfaceFacts(0, this.#link, snaplen)
    one.resolution = this.#unit === 1 ? 9 : 6
    if (fcsIsGiven) one.fcsLen = (field >>> 28) * 2
    this.info.addInterface(one)
  }

  finish(rest: Uint8Array, offset: number): void {
    const available = rest.length
    if (!this.#headerRead) throw truncatedError('the pcap file header', offset, FILE_HEADER_LEN, available)
    if (available === 0) return
    const headerLen = this.#headerLen
    if (available < headerLen) throw truncatedError('a packet header', offset, headerLen, available)
    throw truncatedError('a packet', offset, headerLen + this.#u32(rest, 8), available)
  }

  #u32(bytes: Uint8Array, at: number): number {
    return this.#bigEndian ? u32be(bytes, at) : u32le(bytes, at)
  }

  #u16(bytes: Uint8Array, at: number): number {
    return this.#bigEndian ? (bytes[at]! << 8) | bytes[at + 1]! : (bytes[at + 1]! << 8) | bytes[at]!
  }
}

function u32le(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!) >>> 0
}

function u32be(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function tooLong(capturedLen: number, offset: number): Error {
  return damagedError(offset, `a packet record claims ${capturedLen} octets, over the limit of ${MAX_PACKET_LEN}`)
}
