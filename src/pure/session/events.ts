/**
 * Stream events as rows: what happened, to which connection, and where its octets lie. Mirrors `core::session::events`.
 *
 * Tables share a batch: `events` in capture order, `opens` and `closes` with the connection records that some events
 * belong to, and, where packets are asked for, `packets` with what their headers say. Rows go straight into the caller's
 * batch and octets, side by side, into the caller's block; what doesn't fit waits here and goes first into the next ones.
 *
 * Octets that follow those of the row before, in their stream and so in the block, lengthen that row: one event then
 * holds what several segments brought.
 */
import { BatchView, type NumberArray } from '../../batch/view.js'
import { Layout, type Column } from '../batch.js'
import type { Packet } from '../capture/packet.js'
import type { Connection } from '../connection/observed.js'
import { COLUMNS, IDENTITY, IdentityTable, Nullable, OutcomeTable } from '../connection/record.js'
import { ABSENT } from '../connection/syn.js'
import type { Segment } from '../decode/segment.js'
import { TimeWriter } from '../time.js'
import type { WordTable } from '../word-table.js'
import { PacketRow, PACKETS, PacketTables } from './event-packets.js'
import { STAT_NAMES } from './stats.js'

/** What an event tells. */
export const EventKind = {
  /** A connection began: who it is says the next row of `opens`. */
  Open: 0,
  /** Octets in stream order. */
  Data: 1,
  /** Octets that are missing for good. */
  Gap: 2,
  /** Octets that came twice with different values. */
  Conflict: 3,
  /** A connection ended: its record is the next row of `closes`. */
  Close: 4,
  /** A segment came: its frame, as captured; what it says is the next row of `packets`. It stands before what it brings. */
  Packet: 6,
  /**
   * A fragment came whose datagram isn't whole: its frame; the next row of `packets` says which datagram. It belongs to
   * no connection yet.
   */
  Fragment: 7,
} as const

// The native engine gives marks, too.
const KIND_NAMES = ['open', 'data', 'gap', 'conflict', 'close', 'mark', 'packet', 'fragment']

const EVENTS: readonly Column[] = [
  { name: 'kind', kind: 'word', words: KIND_NAMES },
  { name: 'slot', kind: 'u32' },
  { name: 'direction', kind: 'u8' },
  // Where in the block its octets begin.
  { name: 'at', kind: 'u32' },
  { name: 'offset', kind: 'u64' },
  { name: 'length', kind: 'u64' },
  // Of the packet that brought the first octet.
  { name: 'ts_ns', kind: 'i64' },
  { name: 'packet', kind: 'u64' },
]

/**
 * What a close row adds to the record's columns: where in the block the gaps (pairs of doubles) and the SHA-256 digests
 * (32 octets each, forward first) lie.
 */
const CLOSE_EXTRA: readonly Column[] = [
  { name: 'gaps_at', kind: 'u32' },
  { name: 'gap_count_fwd', kind: 'u32' },
  { name: 'gap_count_rev', kind: 'u32' },
  { name: 'sha256_at', kind: 'u32', nullable: true },
]

/** Octets of the caller's block. */
export const BLOCK_LENGTH = 2 ** 20
/** Most events of one batch. */
const MAX_EVENTS = 4096
/** Most connections that one batch opens or closes. */
const MAX_RECORDS = 1024

const EVENT_LAYOUT = new Layout(STAT_NAMES, EVENTS, MAX_EVENTS)
const OPEN_LAYOUT = new Layout([], IDENTITY, MAX_RECORDS, EVENT_LAYOUT.byteLength)
const CLOSE_LAYOUT = new Layout([], [...COLUMNS, ...CLOSE_EXTRA], MAX_RECORDS, OPEN_LAYOUT.byteLength)
const PACKET_LAYOUT = new Layout([], PACKETS, MAX_EVENTS, CLOSE_LAYOUT.byteLength)
const NO_PACKET_LAYOUT = new Layout([], PACKETS, 0, CLOSE_LAYOUT.byteLength)

/** The tables of a batch as JSON: one layout for each; that of packets has rows where they are asked for. */
export function describeEvents(packets: boolean): string {
  const last = packets ? PACKET_LAYOUT : NO_PACKET_LAYOUT
  const { byteLength } = last
  return JSON.stringify({ byteLength, events: EVENT_LAYOUT, opens: OPEN_LAYOUT, closes: CLOSE_LAYOUT, packets: last })
}

/** Slot of events that belong to no connection. */
const NO_SLOT = 0xffff_ffff

/** What a connection's record has besides its columns. */
export interface CloseExtra {
  /** Gaps of each direction: offset and length in turn. */
  readonly gaps: readonly [readonly number[], readonly number[]]
  /** SHA-256 of the delivered octets of each direction. */
  readonly sha256: readonly [Uint8Array, Uint8Array] | null
}

/** The event at hand: whose it is, and which packet brought it. The object is filled again for each. */
export class EventHead {
  /** The connection's slot. */
  slot = 0
  /** The direction that it is about: 0 forward, 1 reverse. */
  direction = 0
  /** Packet time. */
  second = 0
  nanosecond = 0
  /** Number of the packet. */
  packet = 0
}

/** An event that had no room. */
interface Spilled {
  readonly head: EventHead
  readonly kind: number
  readonly offset: number
  readonly length: number
  readonly octets: Uint8Array
  readonly close: { readonly reason: number; readonly extra: CloseExtra } | null
  readonly packet: PacketRow | null
}

/** The columns of one batch. */
class Tables {
  readonly kind: NumberArray
  readonly slot: NumberArray
  readonly direction: NumberArray
  readonly at: NumberArray
  readonly offset: NumberArray
  readonly length: NumberArray
  readonly time: TimeWriter
  readonly packet: NumberArray
  readonly opens: IdentityTable
  readonly closes: IdentityTable
  readonly closeOutcomes: OutcomeTable
  readonly gapsAt: NumberArray
  readonly gapCounts: readonly [NumberArray, NumberArray]
  readonly sha256At: Nullable
  readonly packets: PacketTables | null

  constructor(batch: Uint8Array, packets: boolean) {
    const events = new BatchView(EVENT_LAYOUT, batch)
    const opens = new BatchView(OPEN_LAYOUT, batch)
    const closes = new BatchView(CLOSE_LAYOUT, batch)
    this.kind = events.numbers('kind')
    this.slot = events.numbers('slot')
    this.direction = events.numbers('direction')
    this.at = events.numbers('at')
    this.offset = events.numbers('offset')
    this.length = events.numbers('length')
    this.time = new TimeWriter(batch.buffer, events.place('ts_ns').values, MAX_EVENTS)
    this.packet = events.numbers('packet')
    this.opens = new IdentityTable(opens, MAX_RECORDS)
    this.closes = new IdentityTable(closes, MAX_RECORDS)
    this.closeOutcomes = new OutcomeTable(closes, MAX_RECORDS)
    this.gapsAt = closes.numbers('gaps_at')
    this.gapCounts = [closes.numbers('gap_count_fwd'), closes.numbers('gap_count_rev')]
    this.sha256At = new Nullable(closes, 'sha256_at')
    this.packets = packets ? new PacketTables(new BatchView(PACKET_LAYOUT, batch)) : null
  }
}

const NOTHING = new Uint8Array(0)

/** Writes events into the buffers of one call, and keeps those that have no room. */
export class EventWriter {
  /** Whose events come, and from which packet. */
  readonly head = new EventHead()
  readonly #keys: WordTable
  readonly #join: boolean
  readonly #givesPackets: boolean
  readonly #row = new PacketRow()
  /** Columns over the batches that go round. */
  readonly #known = new WeakMap<ArrayBufferLike, Tables>()
  #tables!: Tables
  #block: Uint8Array = NOTHING
  #rows = 0
  #opens = 0
  #closes = 0
  #packets = 0
  /** Octets of the block that are taken. */
  #used = 0
  /** Where the next octet of the last row would be in its stream, where that row is data and may grow; or -1. */
  #tailOffset = -1
  #tailSlot = 0
  #tailDirection = 0
  /** Events that wait for room, from `#spillFrom` on. */
  #spill: Spilled[] = []
  #spillFrom = 0

  /**
   * @param keys where the addresses and ports of connections lie
   * @param join octets that follow those of the row before lengthen it
   * @param packets there will be packets, too
   */
  constructor(keys: WordTable, join: boolean, packets: boolean) {
    this.#keys = keys
    this.#join = join
    this.#givesPackets = packets
  }

  /** Begins with empty buffers. */
  begin(batch: Uint8Array, block: Uint8Array): void {
    const known = this.#known.get(batch.buffer)
    this.#tables = known ?? new Tables(batch, this.#givesPackets)
    if (known === undefined) this.#known.set(batch.buffer, this.#tables)
    this.#block = block
    this.#rows = this.#opens = this.#closes = this.#packets = this.#used = 0
    this.#tailOffset = -1
  }

  /** Rows of the events table so far. */
  get rows(): number {
    return this.#rows
  }

  /** Events wait for room. */
  get isSpilling(): boolean {
    return this.#spillFrom < this.#spill.length
  }

  #hasRoom(kind: number, octets: number): boolean {
    return (
      this.#rows < MAX_EVENTS &&
      // Behind the next multiple of 8.
      octets <= this.#block.length - this.#used - 8 &&
      (kind !== EventKind.Open || this.#opens < MAX_RECORDS) &&
      (kind !== EventKind.Close || this.#closes < MAX_RECORDS)
    )
  }

  /** Writes data, or lets it wait. */
  data(offset: number, octets: Uint8Array): void {
    const { slot, direction } = this.head
    const { length } = octets
    const follows = this.#tailOffset === offset && this.#tailSlot === slot && this.#tailDirection === direction
    if (follows && length + this.#used + 8 <= this.#block.length) {
      this.#tables.length[this.#rows - 1]! += length
      this.#tailOffset = offset + length
      this.#copy(octets)
      return
    }
    if (this.isSpilling || !this.#hasRoom(EventKind.Data, length)) {
      this.#wait(EventKind.Data, offset, length, octets.slice())
      return
    }
    this.#write(this.head, EventKind.Data, offset, length)
    this.#copy(octets)
    if (!this.#join) return
    this.#tailOffset = offset + length
    this.#tailSlot = slot
    this.#tailDirection = direction
  }

  /** Writes that data came, without the octets, or lets it wait. */
  bareData(offset: number, length: number): void {
    if (this.isSpilling || !this.#hasRoom(EventKind.Data, 0)) this.#wait(EventKind.Data, offset, length, NOTHING)
    else this.#write(this.head, EventKind.Data, offset, length)
  }

  /**
   * Writes a packet with what is wanted of its frame, or lets it wait. It belongs to the connection and direction of
   * `head`; without a segment it is a fragment, and belongs to none.
   */
  packet(packet: Packet, segment: Segment | null, state: number, datagram: number, frame: Uint8Array): void {
    const { head } = this
    const row = this.#row.fill(packet, segment, state, datagram)
    const kind = segment === null ? EventKind.Fragment : EventKind.Packet
    if (segment === null) {
      head.slot = NO_SLOT
      head.direction = 0
    }
    if (this.isSpilling || !this.#hasRoom(kind, frame.length))
      this.#wait(kind, 0, frame.length, frame.slice(), null, Object.assign(new PacketRow(), row))
    else this.#writePacket(head, kind, row, frame)
  }

  /** Writes a gap, or lets it wait. */
  gap(offset: number, length: number): void {
    if (this.isSpilling || !this.#hasRoom(EventKind.Gap, 0)) this.#wait(EventKind.Gap, offset, length, NOTHING)
    else this.#write(this.head, EventKind.Gap, offset, length)
  }

  /** Writes two versions of the same octets, or lets them wait. */
  conflict(offset: number, kept: Uint8Array, other: Uint8Array): void {
    const { length } = kept
    if (this.isSpilling || !this.#hasRoom(EventKind.Conflict, 2 * length)) {
      const octets = new Uint8Array(2 * length)
      octets.set(kept)
      octets.set(other, length)
      this.#wait(EventKind.Conflict, offset, length, octets)
      return
    }
    this.#write(this.head, EventKind.Conflict, offset, length)
    this.#copy(kept)
    this.#copy(other)
  }

  /** Writes an open event with its connection's record, or lets it wait. */
  open(connection: Connection): void {
    if (this.isSpilling || !this.#hasRoom(EventKind.Open, 0)) this.#wait(EventKind.Open, 0, 0, NOTHING)
    else this.#writeOpen(this.head, connection)
  }

  /** Writes a close event with its connection's record. True: written, so the connection may go; false: it waits. */
  close(connection: Connection, reason: number, extra: CloseExtra): boolean {
    if (this.isSpilling || !this.#hasRoom(EventKind.Close, blockLength(extra))) {
      this.#wait(EventKind.Close, 0, 0, NOTHING, { reason, extra })
      return false
    }
    this.#writeClose(this.head, connection, reason, extra)
    return true
  }

  /** Writes what waits, as far as there is room. `at` finds a slot's connection; `closed` may free it. */
  drain(at: (slot: number) => Connection | undefined, closed: (connection: Connection) => void): void {
    while (this.isSpilling) {
      const spilled = this.#spill[this.#spillFrom]!
      const { head, kind, offset, length, octets, close, packet } = spilled
      if (!this.#hasRoom(kind, close === null ? octets.length : blockLength(close.extra))) return
      this.#spillFrom++
      if (packet !== null) {
        this.#writePacket(head, kind, packet, octets)
        continue
      }
      const connection = at(head.slot)
      if (kind === EventKind.Open) {
        if (connection !== undefined) this.#writeOpen(head, connection)
      } else if (close !== null) {
        if (connection === undefined) continue
        this.#writeClose(head, connection, close.reason, close.extra)
        closed(connection)
      } else {
        this.#write(head, kind, offset, length)
        this.#copy(octets)
      }
    }
    this.#spill = []
    this.#spillFrom = 0
  }

  #wait(
    kind: number,
    offset: number,
    length: number,
    octets: Uint8Array,
    close: Spilled['close'] = null,
    packet: PacketRow | null = null,
  ): void {
    const head = Object.assign(new EventHead(), this.head)
    this.#spill.push({ head, kind, offset, length, octets, close, packet })
  }

  #writePacket(head: EventHead, kind: number, row: PacketRow, frame: Uint8Array): void {
    this.#tables.packets!.write(this.#packets++, row)
    this.#write(head, kind, 0, frame.length)
    this.#copy(frame)
  }

  #writeOpen(head: EventHead, connection: Connection): void {
    this.#tables.opens.write(this.#opens, connection, this.#keys)
    this.#opens++
    this.#write(head, EventKind.Open, 0, 0)
  }

  #writeClose(head: EventHead, connection: Connection, reason: number, { gaps, sha256 }: CloseExtra): void {
    const { closes, closeOutcomes, gapsAt, gapCounts, sha256At } = this.#tables
    const row = this.#closes++
    this.#used = Math.ceil(this.#used / 8) * 8
    closes.write(row, connection, this.#keys)
    closeOutcomes.write(row, connection, reason)
    gapsAt[row] = this.#used
    for (const way of [0, 1] as const) {
      gapCounts[way][row] = gaps[way].length / 2
      this.#copyNumbers(gaps[way])
    }
    sha256At.write(row, sha256 === null ? ABSENT : this.#used)
    if (sha256 !== null) for (const digest of sha256) this.#copy(digest)
    this.#write(head, EventKind.Close, 0, 0)
  }

  #write(head: EventHead, kind: number, offset: number, length: number): void {
    const tables = this.#tables
    const row = this.#rows++
    tables.kind[row] = kind
    tables.slot[row] = head.slot
    tables.direction[row] = head.direction
    tables.at[row] = this.#used
    tables.offset[row] = offset
    tables.length[row] = length
    tables.time.write(row, head.second, head.nanosecond)
    tables.packet[row] = head.packet
    this.#tailOffset = -1
  }

  #copy(octets: Uint8Array): void {
    this.#block.set(octets, this.#used)
    this.#used += octets.length
  }

  /** Copies numbers as doubles; what is used of the block is a multiple of 8. */
  #copyNumbers(numbers: readonly number[]): void {
    if (numbers.length === 0) return
    new Float64Array(this.#block.buffer, this.#block.byteOffset + this.#used, numbers.length).set(numbers)
    this.#used += numbers.length * 8
  }
}

/** Octets that a close event takes in the block. */
function blockLength({ gaps }: CloseExtra): number {
  return (gaps[0].length + gaps[1].length) * 8 + 64
}
