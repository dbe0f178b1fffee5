/**
 * Stream events as rows: what happened, to which connection, and where its octets lie. Mirrors `core::session::events`.
 *
 * Three tables share a batch: `events` in capture order, and `opens` and `closes` with the connection records that some
 * events belong to. Rows go straight into the caller's batch; what doesn't fit waits here, copied, and goes first into
 * the next one.
 */
import { BatchView, type NumberArray } from '../../batch/view.js'
import { Layout, type Column } from '../batch.js'
import type { Connection } from '../connection/observed.js'
import { COLUMNS, IdentityTable, Nullable, OutcomeTable } from '../connection/record.js'
import { ABSENT } from '../connection/syn.js'
import { copy } from '../stream/history.js'
import { TimeWriter } from '../time.js'
import type { WordTable } from '../word-table.js'
import { STAT_NAMES } from './stats.js'

/** What an event tells. */
export const EventKind = {
  /** A connection began: its record so far is the next row of `opens`. */
  Open: 0,
  /** Octets in stream order. */
  Data: 1,
  /** Octets that are missing for good. */
  Gap: 2,
  /** Octets that came twice with different values. */
  Conflict: 3,
  /** A connection ended: its record is the next row of `closes`. */
  Close: 4,
} as const

const KIND_NAMES = ['open', 'data', 'gap', 'conflict', 'close']

/** Where an event's octets lie. */
const Place = { None: 0, Block: 1, Side: 2 } as const

const EVENTS: readonly Column[] = [
  { name: 'kind', kind: 'word', words: KIND_NAMES },
  { name: 'slot', kind: 'u32' },
  { name: 'direction', kind: 'u8' },
  { name: 'place', kind: 'u8' },
  { name: 'at', kind: 'u32' },
  { name: 'offset', kind: 'u64' },
  { name: 'length', kind: 'u64' },
  { name: 'ts_ns', kind: 'i64' },
  { name: 'packet', kind: 'u64' },
]

/**
 * What a close row adds to the record's columns: where in the side buffer the gaps (pairs of doubles) and the SHA-256
 * digests (32 octets each, forward first) lie.
 */
const CLOSE_EXTRA: readonly Column[] = [
  { name: 'gaps_at', kind: 'u32' },
  { name: 'gap_count_fwd', kind: 'u32' },
  { name: 'gap_count_rev', kind: 'u32' },
  { name: 'sha256_at', kind: 'u32', nullable: true },
]

/** Most events of one batch: a block of the smallest packets with one octet each has fewer. */
const MAX_EVENTS = 32_768
/** Most connections that one batch opens or closes. */
const MAX_RECORDS = 4096

const EVENT_LAYOUT = new Layout(STAT_NAMES, EVENTS, MAX_EVENTS)
const OPEN_LAYOUT = new Layout([], COLUMNS, MAX_RECORDS, EVENT_LAYOUT.byteLength)
const CLOSE_LAYOUT = new Layout([], [...COLUMNS, ...CLOSE_EXTRA], MAX_RECORDS, OPEN_LAYOUT.byteLength)

/** The tables of a batch as JSON: one layout for each. */
export function describeEvents(): string {
  const { byteLength } = CLOSE_LAYOUT
  return JSON.stringify({ byteLength, events: EVENT_LAYOUT, opens: OPEN_LAYOUT, closes: CLOSE_LAYOUT })
}

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
}

/** The columns of one batch. */
class Tables {
  readonly kind: NumberArray
  readonly slot: NumberArray
  readonly direction: NumberArray
  readonly place: NumberArray
  readonly at: NumberArray
  readonly offset: NumberArray
  readonly length: NumberArray
  readonly time: TimeWriter
  readonly packet: NumberArray
  readonly opens: IdentityTable
  readonly openOutcomes: OutcomeTable
  readonly closes: IdentityTable
  readonly closeOutcomes: OutcomeTable
  readonly gapsAt: NumberArray
  readonly gapCounts: readonly [NumberArray, NumberArray]
  readonly sha256At: Nullable

  constructor(batch: Uint8Array) {
    const events = new BatchView(EVENT_LAYOUT, batch)
    const opens = new BatchView(OPEN_LAYOUT, batch)
    const closes = new BatchView(CLOSE_LAYOUT, batch)
    this.kind = events.numbers('kind')
    this.slot = events.numbers('slot')
    this.direction = events.numbers('direction')
    this.place = events.numbers('place')
    this.at = events.numbers('at')
    this.offset = events.numbers('offset')
    this.length = events.numbers('length')
    this.time = new TimeWriter(batch.buffer, events.place('ts_ns').values, MAX_EVENTS)
    this.packet = events.numbers('packet')
    this.opens = new IdentityTable(opens, MAX_RECORDS)
    this.openOutcomes = new OutcomeTable(opens)
    this.closes = new IdentityTable(closes, MAX_RECORDS)
    this.closeOutcomes = new OutcomeTable(closes)
    this.gapsAt = closes.numbers('gaps_at')
    this.gapCounts = [closes.numbers('gap_count_fwd'), closes.numbers('gap_count_rev')]
    this.sha256At = new Nullable(closes, 'sha256_at')
  }
}

const NOTHING = new Uint8Array(0)

/** Writes events into the buffers of one call, and keeps those that have no room. */
export class EventWriter {
  /** Whose events come, and from which packet. */
  readonly head = new EventHead()
  readonly #keys: WordTable
  /** Columns over the batches that go round. */
  readonly #known = new WeakMap<ArrayBufferLike, Tables>()
  #tables!: Tables
  #side: Uint8Array = NOTHING
  #rows = 0
  #opens = 0
  #closes = 0
  #sideUsed = 0
  /** Events that wait for room, from `#spillFrom` on. */
  #spill: Spilled[] = []
  #spillFrom = 0

  /** @param keys where the addresses and ports of connections lie */
  constructor(keys: WordTable) {
    this.#keys = keys
  }

  /** Begins with empty buffers. */
  begin(batch: Uint8Array, side: Uint8Array): void {
    const known = this.#known.get(batch.buffer)
    this.#tables = known ?? new Tables(batch)
    if (known === undefined) this.#known.set(batch.buffer, this.#tables)
    this.#side = side
    this.#rows = this.#opens = this.#closes = this.#sideUsed = 0
  }

  /** Rows of the events table so far. */
  get rows(): number {
    return this.#rows
  }

  /** Events wait for room. */
  get isSpilling(): boolean {
    return this.#spillFrom < this.#spill.length
  }

  #hasRoom(kind: number, sideLength: number): boolean {
    return (
      this.#rows < MAX_EVENTS &&
      // Behind the next multiple of 8.
      sideLength <= this.#side.length - this.#sideUsed - 8 &&
      (kind !== EventKind.Open || this.#opens < MAX_RECORDS) &&
      (kind !== EventKind.Close || this.#closes < MAX_RECORDS)
    )
  }

  /** Writes octets that lie in the block, at `at`, or lets them wait. */
  block(offset: number, block: Uint8Array, at: number, length: number): void {
    if (this.isSpilling || this.#rows === MAX_EVENTS)
      this.#wait(EventKind.Data, offset, length, block.slice(at, at + length))
    else this.#write(this.head, EventKind.Data, Place.Block, at, offset, length)
  }

  /** Writes octets that must be copied, or lets them wait. */
  data(offset: number, bytes: Uint8Array, at: number, length: number): void {
    if (this.isSpilling || !this.#hasRoom(EventKind.Data, length)) {
      this.#wait(EventKind.Data, offset, length, bytes.slice(at, at + length))
      return
    }
    const place = this.#copyToSide(bytes, at, length)
    this.#write(this.head, EventKind.Data, Place.Side, place, offset, length)
  }

  /** Writes a gap, or lets it wait. */
  gap(offset: number, length: number): void {
    if (this.isSpilling || !this.#hasRoom(EventKind.Gap, 0)) this.#wait(EventKind.Gap, offset, length, NOTHING)
    else this.#write(this.head, EventKind.Gap, Place.None, 0, offset, length)
  }

  /** Writes two versions of the same octets, or lets them wait. */
  conflict(offset: number, kept: Uint8Array, keptAt: number, other: Uint8Array, otherAt: number, length: number): void {
    if (this.isSpilling || !this.#hasRoom(EventKind.Conflict, 2 * length)) {
      const octets = new Uint8Array(2 * length)
      copy(kept, keptAt, length, octets, 0)
      copy(other, otherAt, length, octets, length)
      this.#wait(EventKind.Conflict, offset, length, octets)
      return
    }
    const place = this.#copyToSide(kept, keptAt, length)
    this.#copyToSide(other, otherAt, length)
    this.#write(this.head, EventKind.Conflict, Place.Side, place, offset, length)
  }

  /** Writes an open event with its connection's record, or lets it wait. */
  open(connection: Connection): void {
    if (this.isSpilling || !this.#hasRoom(EventKind.Open, 0)) this.#wait(EventKind.Open, 0, 0, NOTHING)
    else this.#writeOpen(this.head, connection)
  }

  /** Writes a close event with its connection's record. True: written, so the connection may go; false: it waits. */
  close(connection: Connection, reason: number, extra: CloseExtra): boolean {
    if (this.isSpilling || !this.#hasRoom(EventKind.Close, sideLength(extra))) {
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
      const { head, kind, offset, length, octets, close } = spilled
      if (!this.#hasRoom(kind, close === null ? octets.length : sideLength(close.extra))) return
      this.#spillFrom++
      const connection = at(head.slot)
      if (kind === EventKind.Open) {
        if (connection !== undefined) this.#writeOpen(head, connection)
      } else if (close !== null) {
        if (connection === undefined) continue
        this.#writeClose(head, connection, close.reason, close.extra)
        closed(connection)
      } else if (octets.length === 0) {
        this.#write(head, kind, Place.None, 0, offset, length)
      } else {
        this.#write(head, kind, Place.Side, this.#copyToSide(octets, 0, octets.length), offset, length)
      }
    }
    this.#spill = []
    this.#spillFrom = 0
  }

  #wait(kind: number, offset: number, length: number, octets: Uint8Array, close: Spilled['close'] = null): void {
    const head = Object.assign(new EventHead(), this.head)
    this.#spill.push({ head, kind, offset, length, octets, close })
  }

  #writeOpen(head: EventHead, connection: Connection): void {
    this.#tables.opens.write(this.#opens, connection, this.#keys)
    this.#tables.openOutcomes.write(this.#opens, connection, 4)
    this.#opens++
    this.#write(head, EventKind.Open, Place.None, 0, 0, 0)
  }

  #writeClose(head: EventHead, connection: Connection, reason: number, { gaps, sha256 }: CloseExtra): void {
    const { closes, closeOutcomes, gapsAt, gapCounts, sha256At } = this.#tables
    const row = this.#closes++
    this.#sideUsed = Math.ceil(this.#sideUsed / 8) * 8
    closes.write(row, connection, this.#keys)
    closeOutcomes.write(row, connection, reason)
    gapsAt[row] = this.#sideUsed
    for (const way of [0, 1] as const) {
      gapCounts[way][row] = gaps[way].length / 2
      this.#copyNumbers(gaps[way])
    }
    sha256At.write(row, sha256 === null ? ABSENT : this.#sideUsed)
    if (sha256 !== null) for (const digest of sha256) this.#copyToSide(digest, 0, digest.length)
    this.#write(head, EventKind.Close, Place.None, 0, 0, 0)
  }

  #write(head: EventHead, kind: number, place: number, at: number, offset: number, length: number): void {
    const tables = this.#tables
    const row = this.#rows++
    tables.kind[row] = kind
    tables.slot[row] = head.slot
    tables.direction[row] = head.direction
    tables.place[row] = place
    tables.at[row] = at
    tables.offset[row] = offset
    tables.length[row] = length
    tables.time.write(row, head.second, head.nanosecond)
    tables.packet[row] = head.packet
  }

  #copyToSide(bytes: Uint8Array, at: number, length: number): number {
    const place = this.#sideUsed
    copy(bytes, at, length, this.#side, place)
    this.#sideUsed += length
    return place
  }

  /** Copies numbers as doubles; what is used of the side buffer is a multiple of 8. */
  #copyNumbers(numbers: readonly number[]): void {
    new Float64Array(this.#side.buffer, this.#side.byteOffset + this.#sideUsed, numbers.length).set(numbers)
    this.#sideUsed += numbers.length * 8
  }
}

/** Octets that a close event takes in the side buffer. */
function sideLength({ gaps }: CloseExtra): number {
  return (gaps[0].length + gaps[1].length) * 8 + 64
}
