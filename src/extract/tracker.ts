/**
 * From packets to streams in parts: which stream a packet belongs to, when a stream is cut, and what is kept. In come
 * the calls of {@link PacketHandler}, out go parts, to the writers.
 */
import type { ConnectionEndReason, ConnectionIdentity } from '../connection.js'
import { WaitingFragments } from './fragments.js'
import { KeptStreams } from './kept-streams.js'
import type { OpenedConnection, PacketHandler } from './packet-events.js'
import type { PacketFacts } from './packet-log.js'
import type { StreamInfo } from './part.js'
import { inPage, SlotStatus } from './stream-slots.js'
import { StreamTable } from './stream-table.js'
import type { WriterQueue } from './writer-queue.js'

/** What a tracker is told. */
export interface TrackerOptions {
  /** There are writers; they want octets. */
  readonly packets: boolean
  readonly octets: boolean
  readonly keep: boolean
  readonly maxKeptBytes: number
  readonly flushPackets: number
  readonly flushBytes: number
  readonly maxPendingBytes: number
  /** Names of the captures, where there are several. */
  readonly captures: readonly string[] | null
  readonly want: ((connection: ConnectionIdentity) => boolean) | undefined
  /** Tells the engine that nothing is wanted of a connection. */
  readonly unwant: (slot: number, id: number) => void
}

/** Streams of a run. */
export class Tracker implements PacketHandler {
  readonly #options: TrackerOptions
  readonly #queue: WriterQueue
  readonly #table: StreamTable
  readonly #fragments = new WaitingFragments()
  /** Slots of streams with something pending, by when that began; and of those among them that are over. */
  readonly #pending = new Set<number>()
  readonly #over = new Set<number>()
  readonly kept: KeptStreams
  /** Octets of memory of what was not handed out. */
  pendingBytes = 0
  opened = 0
  openStreams = 0
  parts = 0
  /** Parts that were handed out before their stream's end. */
  cuts = 0
  /** Streams that ended because they were stale. */
  stale = 0
  /** The packet that came last, and its stream's slot. */
  lastFacts: PacketFacts | undefined
  #lastSlot = 0

  constructor(options: TrackerOptions, queue: WriterQueue) {
    this.#options = options
    this.#queue = queue
    this.#table = new StreamTable(options.captures)
    this.kept = new KeptStreams(options.maxKeptBytes)
  }

  /** Too much waits for the writers. */
  get isFull(): boolean {
    return this.#queue.isFull
  }

  /** Frames of fragments that belong to no stream. */
  get unclaimedFragments(): number {
    return this.#fragments.unclaimed
  }

  /** What is known of the stream of the packet that came last. */
  lastInfo(): StreamInfo {
    return this.#table.info(this.#lastSlot, null)
  }

  /** What is known of the streams that are open. */
  *openInfos(): Generator<StreamInfo, undefined> {
    for (const slot of this.#openSlots()) yield this.#table.info(slot, null)
  }

  /** Brings what is known of the kept streams that are open up to date. */
  refreshKept(): void {
    for (const slot of this.#openSlots()) {
      const kept = this.#table.slots.extras[slot]?.kept
      if (kept) kept.info = this.#table.info(slot, null)
    }
  }

  open(slot: number, connection: OpenedConnection): void {
    this.#table.open(slot, connection)
    if (this.#options.want && !this.#options.want(connection.identity())) {
      this.#options.unwant(slot, connection.id)
      this.#table.close(slot, SlotStatus.Free)
    } else this.#begun()
  }

  packet(
    slot: number,
    facts: PacketFacts,
    reset: boolean,
    datagram: number,
    block: Uint8Array,
    from: number,
    length: number,
  ): void {
    const table = this.#table
    const status = table.slots.status(slot)
    // Not wanted; the engine had packets of it in this batch all the same.
    if (status === SlotStatus.Free) return
    if (status === SlotStatus.Stale) {
      table.openAgain(slot)
      this.#begun()
    }
    const changed = table.header(slot, facts, reset)
    this.lastFacts = facts
    this.#lastSlot = slot
    if (this.#options.keep && table.packets(slot) === 1)
      table.extras(slot).kept = this.kept.add(table.info(slot, null))
    if (!this.#options.packets) return
    const before = table.pending(slot)
    if (datagram > 0) this.#keepFragments(slot, datagram, facts.way)
    table.keepPacket(slot, facts, block, from, length)
    this.#kept(slot, before)
    if (changed && table.isOver(slot)) this.#over.add(slot)
  }

  fragment(datagram: number, facts: PacketFacts, frame: Uint8Array): void {
    this.#fragments.push(datagram, { ...facts }, frame)
  }

  data(slot: number, way: 0 | 1, length: number, octets: Uint8Array): void {
    const { slots } = this.#table
    if (slots.status(slot) !== SlotStatus.Open) return
    slots.page(slot).streamed[inPage(slot) * 2 + way]! += length
    const kept = slots.extras[slot]?.kept
    if (kept) this.kept.push(kept, way, octets)
    if (!this.#options.octets) return
    const before = this.#table.pending(slot)
    this.#table.keepOctets(slot, way, octets)
    this.#kept(slot, before)
  }

  gap(slot: number, way: 0 | 1, offset: number, length: number): void {
    const { slots } = this.#table
    if (slots.status(slot) !== SlotStatus.Open) return
    slots.page(slot).gapBytes[inPage(slot) * 2 + way]! += length
    const kept = slots.extras[slot]?.kept
    if (kept) this.kept.gap(kept, way, offset, length)
    if (this.#options.packets) this.#table.keepGap(slot, way, offset, length)
  }

  close(slot: number, reason: ConnectionEndReason): void {
    this.#end(slot, reason, SlotStatus.Free)
  }

  /** Ends every open stream as stale: nothing came for so long. What still comes makes another stream. */
  endAll(): void {
    for (const slot of this.#openSlots()) this.#end(slot, 'idle', SlotStatus.Stale)
  }

  *#openSlots(): Generator<number, undefined> {
    const { slots } = this.#table
    for (let slot = 0; slot < slots.length; slot++) if (slots.status(slot) === SlotStatus.Open) yield slot
  }

  #begun(): void {
    this.opened += 1
    this.openStreams += 1
  }

  #end(slot: number, reason: ConnectionEndReason, status: number): void {
    const { slots } = this.#table
    if (slots.status(slot) === SlotStatus.Open) {
      if (reason === 'idle') this.stale += 1
      const kept = slots.extras[slot]?.kept
      if (kept) kept.info = this.#table.info(slot, reason)
      if (this.#options.packets) this.#cut(slot, reason)
      this.openStreams -= 1
      this.#table.close(slot, status)
    } else slots.page(slot).status[inPage(slot)] = status
  }

  /** The frames that came before the one that made their datagram whole. */
  #keepFragments(slot: number, datagram: number, way: 0 | 1): void {
    for (const { facts, frame } of this.#fragments.take(datagram))
      this.#table.keepPacket(slot, { ...facts, way }, frame, 0, frame.length)
  }

  /** Something was kept for the writers: cuts where it is too much. */
  #kept(slot: number, before: number): void {
    const pending = this.#table.pending(slot)
    if (before === 0) this.#pending.add(slot)
    this.pendingBytes += pending - before
    const { flushPackets, flushBytes, maxPendingBytes } = this.#options
    const packets = this.#table.slots.logs[slot]?.length ?? 0
    if (packets >= flushPackets || pending > flushBytes) this.#cut(slot, null)
    if (this.pendingBytes > maxPendingBytes) this.#relieve(maxPendingBytes * 0.9)
  }

  /** Cuts streams until no more than so many octets are pending: those that are over first, then by age. */
  #relieve(least: number): void {
    for (const slots of [this.#over, this.#pending])
      for (const slot of slots) {
        if (this.pendingBytes <= least) return
        this.#cut(slot, null)
      }
  }

  #cut(slot: number, reason: ConnectionEndReason | null): void {
    const part = this.#table.cut(slot, reason)
    this.#pending.delete(slot)
    this.#over.delete(slot)
    this.pendingBytes -= part.octets
    this.parts += 1
    if (reason === null) this.cuts += 1
    this.#queue.push(part)
  }
}
