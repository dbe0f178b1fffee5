/**
 * Several captures as one, by packet time. Mirrors `core::capture::merge`.
 *
 * A {@link MergeInput} gives its members' packets as a stream of records, each a header and the packet's octets, so they
 * come to lie in a block that the session's caller lends, and everything behind it stays as it is. The header keeps the
 * packet's link type and where it comes from.
 */
import type { FlowError } from '../../errors.js'
import { OptionError } from '../../errors.js'
import { inCapture } from '../error.js'
import type { Compression } from './compression.js'
import type { Container } from './container.js'
import { CaptureFacts } from './info.js'
import { Filled, type Input } from './input.js'
import { MAX_MERGED, MIN_BLOCK_LEN } from './limits.js'
import { Packet } from './packet.js'
import { BlockReader } from './reader.js'
import type { CaptureLog } from './report.js'

/** Octets of a record before the packet. */
const HEADER_LEN = 40

/** Where things stand in a record's header, in the machine's own favourite order: nobody else reads it. */
const Field = { second: 0, number: 8, captured: 16, wire: 20, nanosecond: 24, capture: 28, interface: 32, link: 36 } as const

/** Reads what a {@link MergeInput} gives. */
export class MergedContainer implements Container {
  readonly info = new CaptureFacts('')
  #block: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(this.#block.buffer)

  step(bytes: Uint8Array, at: number, end: number, _offset: number, packet: Packet): number {
    if (end - at < HEADER_LEN) return 0
    const view = this.#over(bytes)
    const next = HEADER_LEN + view.getUint32(at + Field.captured)
    if (end - at < next) return 0
    packet.second = view.getFloat64(at + Field.second)
    packet.nanosecond = view.getUint32(at + Field.nanosecond)
    packet.start = at + HEADER_LEN
    packet.end = at + next
    packet.wireLen = view.getUint32(at + Field.wire)
    packet.link = view.getUint16(at + Field.link)
    packet.interface = view.getUint32(at + Field.interface)
    return next
  }

  /** Number among those merged, from 0, of the capture that the packet in `bytes` is from; its number there. */
  origin(bytes: Uint8Array, packet: Packet): number {
    const view = this.#over(bytes)
    const at = packet.start - HEADER_LEN
    packet.number = view.getFloat64(at + Field.number)
    return view.getUint32(at + Field.capture)
  }

  #over(bytes: Uint8Array): DataView {
    if (bytes === this.#block) return this.#view
    this.#block = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#view
  }

  finish(rest: Uint8Array): void {
    if (rest.length > 0) throw new Error('merged captures end inside a packet')
  }
}

/** One of the captures. */
export class MergeMember {
  readonly name: string
  /** Its next packet, in its block; meaningless where `hasPacket` is false. */
  readonly packet = new Packet()
  hasPacket = false
  #input: Input | null
  #reader = new BlockReader()
  #block = new Uint8Array(0)
  /** Octets of input read, once the input is closed. */
  #position = 0

  /** A capture that `input` delivers; `name` stands in reports and errors. */
  constructor(input: Input, name: string) {
    this.#input = input
    this.name = name
  }

  get block(): Uint8Array {
    return this.#block
  }

  /** Octets taken from the input so far. */
  get position(): number {
    return this.#input?.position() ?? this.#position
  }

  /** Looks for the next packet. More than 0: it's there; else one of {@link Filled}. */
  advance(): number {
    if (this.#input === null) return Filled.End
    this.hasPacket = false
    if (this.#block.length === 0) this.#block = new Uint8Array(MIN_BLOCK_LEN)
    for (;;) {
      if (this.#reader.next(this.#block, this.packet)) {
        this.hasPacket = true
        return 1
      }
      this.#reader.release(this.#block)
      const filled = this.#reader.fill(this.#block, this.#input)
      if (filled < 0) return filled
      if (filled === Filled.End) {
        this.#reader.finish()
        return filled
      }
    }
  }

  ready(): Promise<void> {
    return this.#input?.ready() ?? Promise.resolve()
  }

  /** Closes the input and tells what the capture was. */
  close(capture: number, log: CaptureLog): void {
    const input = this.#input
    if (input === null) return
    this.#position = input.position()
    const compression = input.compression()
    input.close()
    this.#input = null
    this.hasPacket = false
    this.#block = new Uint8Array(0)
    const { totals, info } = this.#reader
    log.add({ capture, name: this.name, compression, inputBytes: this.#position, totals, info })
    this.#reader = new BlockReader()
  }

  /** Lets go of the input. */
  leave(): void {
    this.#input?.close()
    this.#input = null
  }
}

/**
 * Members' packets, the earliest first; of equal times, the member's that was named first. Within a member the order
 * stays as it is: a packet earlier than the one before it comes as soon as that is gone.
 */
export class MergeInput implements Input {
  readonly #members: readonly MergeMember[]
  /** What the first member's number is in reports. */
  readonly #firstCapture: number
  readonly #log: CaptureLog
  /** Why members ended early. */
  readonly errors: FlowError[] = []
  /** The member that needs octets, or waits for them. */
  wanted = 0
  /** The record that is being given: its header, its member, and how much was given. */
  readonly #header = new DataView(new ArrayBuffer(HEADER_LEN))
  #giving: MergeMember | null = null
  #given = 0
  /** Every member stands at its next packet, or at its end. */
  #started = false
  /** The member that must move on first; -1 for none. */
  #behind = -1

  /** @throws OptionError for more than {@link MAX_MERGED} members */
  constructor(members: readonly MergeMember[], firstCapture: number, log: CaptureLog) {
    if (members.length > MAX_MERGED)
      throw new OptionError(`option merge: at most ${MAX_MERGED} captures can be merged, not ${members.length}`)
    this.#members = members
    this.#firstCapture = firstCapture
    this.#log = log
  }

  fill(out: Uint8Array, at: number): number {
    let end = at
    for (;;) {
      end = this.#give(out, end)
      if (this.#giving !== null && this.#given < HEADER_LEN + this.#giving.packet.capturedLen) return end - at
      if (this.#giving !== null) this.#behind = this.#members.indexOf(this.#giving)
      this.#giving = null
      const stopped = this.#catchUp()
      if (stopped < 0) return end > at ? end - at : stopped
      if (!this.#choose()) return end > at ? end - at : Filled.End
    }
  }

  /** Moves every member that has to be moved; less than 0 where one has nothing yet. */
  #catchUp(): number {
    if (!this.#started) {
      for (let member = Math.max(0, this.#behind); member < this.#members.length; member++) {
        this.#behind = member
        const stopped = this.#advance(member)
        if (stopped < 0) return stopped
      }
      this.#started = true
      this.#behind = -1
    }
    if (this.#behind < 0) return 0
    const stopped = this.#advance(this.#behind)
    if (stopped < 0) return stopped
    this.#behind = -1
    return 0
  }

  /** Moves one member on; less than 0 where it has nothing yet. */
  #advance(index: number): number {
    const member = this.#members[index]!
    try {
      const found = member.advance()
      if (found > 0) return 0
      if (found < 0) {
        this.wanted = index
        return found
      }
    } catch (error) {
      this.errors.push(inCapture(error, member.name))
    }
    member.close(this.#firstCapture + index, this.#log)
    return 0
  }

  /** Begins with the record of the earliest packet; false where there is none. */
  #choose(): boolean {
    let earliest = -1
    for (let i = 0; i < this.#members.length; i++) {
      const { hasPacket, packet } = this.#members[i]!
      if (hasPacket && (earliest < 0 || isEarlier(packet, this.#members[earliest]!.packet))) earliest = i
    }
    if (earliest < 0) return false
    const member = this.#members[earliest]!
    this.#writeHeader(member.packet, earliest)
    this.#giving = member
    this.#given = 0
    return true
  }

  #writeHeader(packet: Packet, capture: number): void {
    const header = this.#header
    header.setFloat64(Field.second, packet.second)
    header.setFloat64(Field.number, packet.number)
    header.setUint32(Field.captured, packet.capturedLen)
    header.setUint32(Field.wire, packet.wireLen)
    header.setUint32(Field.nanosecond, packet.nanosecond)
    header.setUint32(Field.capture, capture)
    header.setUint32(Field.interface, packet.interface)
    header.setUint16(Field.link, packet.link)
  }

  /** Gives what is left of the current record, as far as there is room; where it ends in `out`. */
  #give(out: Uint8Array, at: number): number {
    const giving = this.#giving
    if (giving === null) return at
    let end = at
    if (this.#given < HEADER_LEN) {
      const part = new Uint8Array(this.#header.buffer, this.#given).subarray(0, out.length - end)
      out.set(part, end)
      end += part.length
      this.#given += part.length
    }
    if (this.#given >= HEADER_LEN) {
      const from = giving.packet.start + this.#given - HEADER_LEN
      const part = giving.block.subarray(from, Math.min(giving.packet.end, from + out.length - end))
      out.set(part, end)
      end += part.length
      this.#given += part.length
    }
    return end
  }

  position(): number {
    return this.#members.reduce((sum, member) => sum + member.position, 0)
  }

  compression(): Compression | null {
    return null
  }

  ready(): Promise<void> {
    return this.#members[this.wanted]?.ready() ?? Promise.resolve()
  }

  /** Lets go of members that aren't at their end: of those nothing is told. */
  close(): void {
    for (const member of this.#members) member.leave()
  }
}

function isEarlier(a: Packet, b: Packet): boolean {
  return a.second < b.second || (a.second === b.second && a.nanosecond < b.nanosecond)
}
