/**
 * The table of known connections: look-up, timers, eviction, and the queue of finished ones. Mirrors
 * `core::connection::ConnectionTable`, step for step.
 */
import { entriesOf, Timers, type Bin } from '../../flow/timers.js'
import type { Segment } from '../decode/segment.js'
import { KEY_WORDS } from '../flow/key.js'
import { secondAfter } from '../span.js'
import { WordTable } from '../word-table.js'
import { Connection, Status } from './observed.js'
import { EndReason } from './state.js'

/** Bounds and times of a table; spans of packet time as seconds and nanoseconds. */
export interface ConnectionLimits {
  /**
   * Most connections known at a time, those that linger included. At the limit one that is over goes first, else the one
   * whose last segment is oldest.
   */
  readonly connections: number
  /** A connection without segments for this long ends. */
  readonly idle: readonly [second: number, nanosecond: number]
  /**
   * A connection that is over stays known for late segments for this long after its latest one: like TIME-WAIT (RFC 9293
   * section 3.10.7.4) it begins anew with each segment.
   */
  readonly linger: readonly [second: number, nanosecond: number]
}

/** Known connections. */
export class ConnectionTable {
  /** The keys of connections; a key's number is its connection's slot. */
  readonly keys = new WordTable(KEY_WORDS)
  readonly #limits: ConnectionLimits
  /** Of each slot, known, finished or free. */
  readonly #slots: Connection[] = []
  readonly #timers = new Timers()
  /** Those that left the table, and why, one after the other. */
  readonly #finished: Connection[] = []
  readonly #causes: number[] = []
  #taken = 0
  #second = -Infinity
  /** Connections ever opened. */
  opened = 0
  /** Connections that had to go because the table was full. */
  evicted = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** Moves packet time on; connections whose time has come are finished. */
  advance(second: number, nanosecond: number): void {
    const next = nanosecond > 0 ? second + 1 : second
    if (next > this.#second) this.#runTimers(next)
  }

  #runTimers(second: number): void {
    for (let first = this.#timers.first(); first <= second; first = this.#timers.first()) this.#fire(first)
    this.#second = second
  }

  #fire(second: number): void {
    const bin = this.#timers.take(second)
    if (bin === undefined) return
    for (const entry of [...entriesOf(bin.idle), ...bin.idleSorted])
      this.#check(second, entry.slot, entry.id, Status.Known)
    for (const entry of entriesOf(bin.expiry.slice(bin.expiryHead)))
      this.#check(second, entry.slot, entry.id, Status.Over)
  }

  /** Finishes a connection whose time has come, or looks again when it will have. */
  #check(second: number, slot: number, id: number, status: number): void {
    const connection = this.#slots[slot]!
    if (connection.id !== id || connection.status !== status) return
    const { endSecond } = connection
    if (endSecond <= second) this.finish(connection, EndReason.Idle)
    else if (status === Status.Known) this.#timers.setIdle(endSecond, slot, id)
    else this.#timers.setExpiry(endSecond, slot, id)
  }

  /** The connection whose key stands in `keys`, where `used` words count. */
  find(used: number): Connection | undefined {
    const slot = this.keys.find(used)
    return slot < 0 ? undefined : this.#slots[slot]
  }

  /** The connection of a slot: known, or finished and not yet released. */
  at(slot: number): Connection | undefined {
    const connection = this.#slots[slot]
    return connection === undefined || connection.status === Status.Free ? undefined : connection
  }

  /** Opens a connection that begins with `segment` under the key that stands in `keys`, which must not be known. */
  open(used: number, segment: Segment): Connection {
    if (this.keys.size >= Math.max(1, this.#limits.connections)) this.#evict()
    const slot = this.keys.insert(used)
    const connection = (this.#slots[slot] ??= new Connection(slot))
    connection.open(this.opened++, segment)
    if (this.#timers.idleEntries > 2 * this.#slots.length + 1024)
      this.#timers.retainIdle((slot, id) => this.#isKnown(slot, id))
    return connection
  }

  #isKnown(slot: number, id: number): boolean {
    const connection = this.#slots[slot]!
    return connection.id === id && connection.status === Status.Known
  }

  /** A segment came at that time: the idle time, or the time to linger, begins anew. */
  touch(connection: Connection, second: number, nanosecond: number): void {
    const wait = connection.status === Status.Over ? this.#limits.linger : this.#limits.idle
    const before = connection.endSecond
    const end = secondAfter(second, nanosecond, wait[0], wait[1])
    if (end <= before) return
    connection.endSecond = end
    if (before === -Infinity) this.#timers.setIdle(end, connection.slot, connection.id)
  }

  /** The connection is over; it lingers. */
  setOver(connection: Connection, second: number, nanosecond: number): void {
    if (connection.status !== Status.Known) return
    const { linger } = this.#limits
    connection.status = Status.Over
    connection.endSecond = secondAfter(second, nanosecond, linger[0], linger[1])
    this.#timers.setExpiry(connection.endSecond, connection.slot, connection.id)
  }

  /** Takes a connection out of the table because of `cause`. */
  finish(connection: Connection, cause: number): void {
    if (connection.status !== Status.Known && connection.status !== Status.Over) return
    connection.status = Status.Finished
    this.keys.withdraw(connection.slot)
    this.#finished.push(connection)
    this.#causes.push(cause)
  }

  #evict(): void {
    this.evicted += 1
    const connection = this.#firstOver() ?? this.#leastRecentlySeen()
    if (connection !== undefined) this.finish(connection, EndReason.Evicted)
  }

  #firstOver(): Connection | undefined {
    let found: Connection | undefined
    this.#timers.find(bin => (found = this.#firstOverOf(bin)) !== undefined)
    return found
  }

  #firstOverOf(bin: Bin): Connection | undefined {
    while (bin.expiryHead < bin.expiry.length) {
      const connection = this.#slots[bin.expiry[bin.expiryHead]!]!
      const id = bin.expiry[bin.expiryHead + 1]
      bin.expiryHead += 2
      if (connection.id === id && connection.status === Status.Over) return connection
    }
    return undefined
  }

  /** The earliest idle bin holds those that were seen least recently; it is sorted once, when first needed. */
  #leastRecentlySeen(): Connection | undefined {
    for (;;) {
      const found = this.#timers.find(({ idle, idleSorted }) => idle.length > 0 || idleSorted.length > 0)
      if (found === undefined) return undefined
      const [second, bin] = found
      if (bin.idleSorted.length === 0) this.#sortIdle(bin)
      const { slot, id } = bin.idleSorted.pop()!
      this.#timers.idleEntries -= 1
      if (!this.#isKnown(slot, id)) continue
      const connection = this.#slots[slot]!
      // Seen again since the sorting: its turn is after all that weren't.
      if (connection.endSecond <= second && wasSeenUntil(connection, bin)) return connection
      this.#timers.setIdle(Math.max(connection.endSecond, second), slot, id)
    }
  }

  /** The latest segment first; of those with the same time, the order in which they were put here. */
  #sortIdle(bin: Bin): void {
    const slots = this.#slots
    bin.idleSorted = entriesOf(bin.idle).toSorted((a, b) => byLatest(slots[a.slot]!, slots[b.slot]!))
    bin.idle = []
    const latest = slots[bin.idleSorted[0]!.slot]!
    bin.sortedSecond = latest.status === Status.Free ? -Infinity : latest.lastSecond
    bin.sortedNanosecond = latest.lastNanosecond
  }

  /** The input ended: all connections finish, in the order in which they began. */
  flush(): void {
    this.#timers.clear()
    const open = this.#slots.filter(({ status }) => status === Status.Known || status === Status.Over)
    for (const connection of open.toSorted((a, b) => a.id - b.id)) this.finish(connection, EndReason.Eof)
  }

  /** The next connection that finished; its cause is `cause`. */
  nextFinished(): Connection | undefined {
    if (this.#taken === this.#finished.length) return undefined
    this.cause = this.#causes[this.#taken]!
    const connection = this.#finished[this.#taken++]
    if (this.#taken === this.#finished.length) {
      this.#taken = 0
      this.#finished.length = 0
      this.#causes.length = 0
    }
    return connection
  }

  /** Why the connection that {@link nextFinished} gave left the table: one of {@link EndReason}. */
  cause = 0

  /** Frees a finished connection's slot. */
  release(connection: Connection): void {
    connection.status = Status.Free
    this.keys.release(connection.slot)
  }
}

/** The one whose latest segment is later comes first; those that are free last. */
function byLatest(a: Connection, b: Connection): number {
  if (a.status === Status.Free || b.status === Status.Free) return Number(a.status === Status.Free) - Number(b.status === Status.Free)
  return b.lastSecond - a.lastSecond || b.lastNanosecond - a.lastNanosecond
}

/** The latest segment is no later than that of any other when the bin was sorted. */
function wasSeenUntil({ lastSecond, lastNanosecond }: Connection, { sortedSecond, sortedNanosecond }: Bin): boolean {
  return lastSecond < sortedSecond || (lastSecond === sortedSecond && lastNanosecond <= sortedNanosecond)
}
