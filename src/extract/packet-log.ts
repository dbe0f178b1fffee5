/**
 * The packets of a stream that were not handed to the writers yet, in one buffer: what the TCP header says, then a
 * record as it stands in a pcap file. In come columns, out come views, packet by packet.
 */
import type { Direction } from '../stream-events.js'
import { Growing, type BufferPool } from './growing.js'

/** Octets of what the header says, before a record. */
const META = 32
/** Octets of a pcap record's header. */
const RECORD = 16

/** What an extractor knows of a packet. */
export interface PacketFacts {
  /** Time: whole seconds since the Unix epoch, rounded down, and nanoseconds after them. */
  readonly second: number
  readonly nanosecond: number
  /** Number of the packet in its capture, from 1. */
  readonly number: number
  /** 0 = from the client, 1 = from the server. */
  readonly way: 0 | 1
  readonly flags: number
  readonly seq: number
  readonly ack: number
  readonly payloadLength: number
  readonly linkType: number
  readonly wireLength: number
}

/** One packet of a stream. What it shows is valid as long as its part: see {@link StreamWriter.write}. */
export class StreamPacket {
  /** @internal The log's buffer. */
  protected readonly log: Buffer
  /** @internal Where it begins in there. */
  protected at: number

  /** @internal */
  constructor(log: Buffer, at: number) {
    this.log = log
    this.at = at
  }

  /** Time, whole seconds since the Unix epoch, rounded down. */
  get second(): number {
    return this.log.readDoubleLE(this.at)
  }

  /** Nanoseconds after `second`. */
  get nanosecond(): number {
    return this.log.readUInt32LE(this.at + META + 4)
  }

  /** Time, nanoseconds since the Unix epoch. */
  get timestampNs(): bigint {
    return BigInt(this.second) * 1_000_000_000n + BigInt(this.nanosecond)
  }

  /** Number of the packet in its capture, from 1. */
  get packet(): number {
    return this.log.readDoubleLE(this.at + 8)
  }

  /** Sequence number. */
  get seq(): number {
    return this.log.readUInt32LE(this.at + 16)
  }

  /** Acknowledgment number; it only means something with {@link TCP_ACK}. */
  get ack(): number {
    return this.log.readUInt32LE(this.at + 20)
  }

  /** Octets of payload on the wire. */
  get payloadLength(): number {
    return this.log.readUInt32LE(this.at + 24)
  }

  /** Control bits, nine of them: `TCP_FIN` to `TCP_CWR`, and 256 (AE). */
  get flags(): number {
    return this.log.readUInt16LE(this.at + 28) & 0x1ff
  }

  /** Who sent it: the client (`fwd`) or the server (`rev`). */
  get direction(): Direction {
    return this.log[this.at + 29]! & 0x80 ? 'rev' : 'fwd'
  }

  /** What the frame begins with: a LINKTYPE number. */
  get linkType(): number {
    return this.log.readUInt16LE(this.at + 30)
  }

  /** Octets on the wire. */
  get wireLength(): number {
    return this.log.readUInt32LE(this.at + META + 12)
  }

  /** The frame as captured: a view. Empty where no writer wants frames. */
  get frame(): Uint8Array {
    const from = this.at + META + RECORD
    return this.log.subarray(from, from + this.#captured)
  }

  /** @internal Octets of its record in a pcap. */
  get recordLength(): number {
    return RECORD + this.#captured
  }

  /** @internal Copies its record in a little-endian pcap with nanoseconds; how long it is. */
  copyRecord(to: Buffer, at: number): number {
    const from = this.at + META
    this.log.copy(to, at, from, from + this.recordLength)
    return this.recordLength
  }

  get #captured(): number {
    return this.log.readUInt32LE(this.at + META + 8)
  }
}

/** A view that moves from packet to packet: for writers that look at every one. */
export class PacketCursor extends StreamPacket {
  readonly #end: number
  #next: number

  /** @internal */
  constructor(log: Buffer, end: number) {
    super(log, 0)
    this.#end = end
    this.#next = 0
  }

  /** Moves to the next packet, at first to the first one; false at the end. */
  next(): boolean {
    if (this.#next >= this.#end) return false
    this.at = this.#next
    this.#next += META + RECORD + this.log.readUInt32LE(this.at + META + 8)
    return true
  }
}

/** Packets in the order of their capture. */
export class PacketLog implements Iterable<StreamPacket> {
  readonly #octets: Growing
  /** Packets. */
  length = 0

  /** @internal */
  constructor(pool: BufferPool) {
    this.#octets = new Growing(pool)
  }

  /** @internal Octets of memory. */
  get capacity(): number {
    return this.#octets.capacity
  }

  /** One object that moves from packet to packet: quicker than a loop with an object for each. */
  cursor(): PacketCursor {
    return new PacketCursor(this.#octets.bytes, this.#octets.length)
  }

  /** The packets, in order. */
  *[Symbol.iterator](): Generator<StreamPacket, undefined> {
    const cursor = this.cursor()
    for (let at = 0; cursor.next(); at += META + cursor.recordLength) yield new StreamPacket(this.#octets.bytes, at)
  }

  /** @internal Adds a packet; its frame is `length` octets of `block` from `from` on. */
  push(facts: PacketFacts, block: Uint8Array, from: number, length: number): void {
    const at = this.#octets.reserve(META + RECORD + length)
    const { bytes } = this.#octets
    bytes.writeDoubleLE(facts.second, at)
    bytes.writeDoubleLE(facts.number, at + 8)
    bytes.writeUInt32LE(facts.seq, at + 16)
    bytes.writeUInt32LE(facts.ack, at + 20)
    bytes.writeUInt32LE(facts.payloadLength, at + 24)
    bytes.writeUInt16LE(facts.flags | (facts.way << 15), at + 28)
    bytes.writeUInt16LE(facts.linkType, at + 30)
    const record = at + META
    bytes.writeUInt32LE(facts.second >>> 0, record)
    bytes.writeUInt32LE(facts.nanosecond, record + 4)
    bytes.writeUInt32LE(length, record + 8)
    bytes.writeUInt32LE(facts.wireLength, record + 12)
    if (length > 0) bytes.set(block.subarray(from, from + length), record + RECORD)
    this.length += 1
  }

  /** @internal Lets go of the memory. */
  release(): void {
    this.#octets.release()
    this.length = 0
  }
}
