/**
 * The one bounded store that all streams of an engine share: waiting octets and the window of recent ones. Mirrors
 * `core::stream::arena`.
 *
 * Waiting octets lie in slots (`slab.ts`), found through a tree per stream (`pieces.ts`). After warm-up nothing here
 * allocates.
 */
import { hasPassed } from '../span.js'
import { History } from './history.js'
import type { StreamLimits } from './limits.js'
import { NIL, NODE_OCTETS, NOT_ACKED, Pieces } from './pieces.js'
import { Queues, type Queue } from './queue.js'
import { Slab, slotSize } from './slab.js'

/** What all streams of an arena met, ended ones included. */
export class Totals {
  /** Holes given up because the peer acknowledged them and the patience was over. */
  ackedGaps = 0
  /** Times a direction had to give up a hole because it held as many octets as it may. */
  directionLimitHits = 0
  /** Times a stream had to give up a hole because all streams held as many octets as they may. */
  totalLimitHits = 0
  /** Holes that were open when the connection ended. */
  endGaps = 0
  /** Jumps of the sequence numbers that a stream followed. */
  resyncs = 0
  /** Segments with sequence numbers out of every plausible window, left out. */
  wildSegments = 0
  /** Keep-alives and repeated zero-window probes. */
  keepAlives = 0
  /** Octets that lie before the stream's start, left out. */
  beforeStartOctets = 0
  /** Octets after the FIN, left out. */
  afterFinOctets = 0
}

/** The shared store. One per engine; every method of a stream that may store or release takes it. */
export class Arena {
  readonly limits: StreamLimits
  readonly slab: Slab
  readonly pieces = new Pieces()
  readonly queues = new Queues()
  readonly history: History
  readonly totals = new Totals()
  /** Memory of all waiting octets: slots and nodes. */
  #octets = 0

  /** An empty arena; memory is taken as needed, up to the limits. */
  constructor(limits: StreamLimits) {
    const total = Math.min(limits.totalOctets, 3 * 2 ** 30)
    this.limits = { ...limits, totalOctets: total }
    this.slab = new Slab(total + Math.floor(total / 16))
    this.history = new History(limits.historyOctets)
  }

  /** Octets of memory that waiting octets use, as the limits count them. */
  get waitingOctets(): number {
    return this.#octets
  }

  /** Octets of memory that the arena holds, used or not. */
  get memory(): number {
    return this.slab.memory + this.pieces.memory + this.history.memory
  }

  /**
   * The token of the stream that must give up a hole now because all streams together hold too much, the one that went
   * longest without progress; -1 = none. Ask after each push, call `relieve` on it, and ask again. An owner that never
   * asks stays bounded too: then the stream that pushes gives up its own holes.
   */
  overLimit(): number {
    if (this.#octets <= this.limits.totalOctets) return -1
    return this.queues.oldest?.token ?? -1
  }

  /**
   * The token of a stream whose oldest hole was acknowledged so long ago, at this packet time, that the patience is
   * over; -1 = none. Call `onTime` on it, and ask again. Streams that get packets judge themselves.
   */
  due(second: number, nanosecond: number): number {
    const queue = this.queues.firstDue
    if (queue === null || !this.isOver(queue.dueSecond, queue.dueNanosecond, second, nanosecond)) return -1
    return queue.token
  }

  /** The patience that began at `since` is over. */
  isOver(sinceSecond: number, sinceNanosecond: number, second: number, nanosecond: number): boolean {
    const { patienceSecond, patienceNanosecond } = this.limits
    return hasPassed(sinceSecond, sinceNanosecond, second, nanosecond, patienceSecond, patienceNanosecond)
  }

  /**
   * Stores octets of which none waits yet, at most one page; `una` is how far the peer was seen to acknowledge. False:
   * there is no memory left.
   */
  store(queue: Queue, start: number, octets: Uint8Array, una: number, time: Time): boolean {
    const { totalOctets } = this.limits
    if (this.#octets > totalOctets + Math.floor(totalOctets / 16)) return false
    const { length } = octets
    const slot = this.slab.alloc(length)
    if (slot < 0) return false
    this.slab.write(slot, octets)
    const id = this.pieces.create(start, length, slot, slotSize(length))
    if (start <= una) {
      this.pieces.ackedSecond[id] = time.second
      this.pieces.ackedNanosecond[id] = time.nanosecond
    }
    this.#attach(queue, id)
    return true
  }

  /** Takes `[from, to)` out of a piece that contains it. There may be no memory for a second remainder: then it stays. */
  cut(queue: Queue, id: number, from: number, to: number): void {
    const { pieces } = this
    const start = pieces.start[id]!
    const end = pieces.end(id)
    if (start < from && to < end) this.#cutMiddle(queue, id, from, to)
    else if (start < from) pieces.length[id] = from - start
    else if (to < end) this.trimFront(id, to - start)
    else this.remove(queue, id)
  }

  #cutMiddle(queue: Queue, id: number, from: number, to: number): void {
    const { pieces, slab } = this
    const start = pieces.start[id]!
    const length = pieces.end(id) - to
    const slot = slab.alloc(length)
    if (slot < 0) return
    const old = pieces.slot[id]!
    slab.write(slot, slab.octets(old, pieces.skip[id]! + (to - start), length))
    pieces.length[id] = from - start
    const right = pieces.create(to, length, slot, slotSize(length))
    pieces.ackedSecond[right] = pieces.ackedSecond[id]!
    pieces.ackedNanosecond[right] = pieces.ackedNanosecond[id]!
    this.#attach(queue, right)
  }

  /** Drops the first `count` octets of a longer piece. */
  trimFront(id: number, count: number): void {
    this.pieces.start[id]! += count
    this.pieces.skip[id]! += count
    this.pieces.length[id]! -= count
  }

  /** `length` of a piece's octets, from `skip` on. */
  octets(id: number, skip: number, length: number): Uint8Array {
    return this.slab.octets(this.pieces.slot[id]!, this.pieces.skip[id]! + skip, length)
  }

  /** Frees a piece. */
  remove(queue: Queue, id: number): void {
    const { pieces } = this
    queue.root = pieces.remove(queue.root, id)
    const prev = pieces.prev[id]!
    const next = pieces.next[id]!
    const octets = pieces.slotLength[id]! + NODE_OCTETS
    this.slab.free(pieces.slot[id]!)
    pieces.discard(id)
    queue.octets -= octets
    this.#octets -= octets
    if (queue.unacked === id) queue.unacked = next
    if (prev === NIL) queue.head = next
    else pieces.next[prev] = next
    if (next === NIL) queue.tail = prev
    else pieces.prev[next] = prev
  }

  /** The peer's acknowledgement was seen to reach `una` at that time: stamps the pieces whose hole it passed. */
  acknowledge(queue: Queue, una: number, second: number, nanosecond: number): void {
    const { pieces } = this
    let id = queue.unacked
    while (id !== NIL && pieces.start[id]! <= una) {
      pieces.ackedSecond[id] = second
      pieces.ackedNanosecond[id] = nanosecond
      id = pieces.next[id]!
    }
    queue.unacked = id
  }

  /** Puts a new piece into its stream's tree and list. */
  #attach(queue: Queue, id: number): void {
    const { pieces } = this
    const octets = pieces.slotLength[id]! + NODE_OCTETS
    const prev = pieces.floor(queue.root, pieces.start[id]!)
    const next = prev === NIL ? queue.head : pieces.next[prev]!
    queue.root = pieces.insert(queue.root, id)
    queue.octets += octets
    this.#octets += octets
    const isUnacked = pieces.ackedSecond[id] === NOT_ACKED
    if (isUnacked && (queue.unacked === NIL || queue.unacked === next)) queue.unacked = id
    if (prev === NIL) queue.head = id
    else pieces.next[prev] = id
    if (next === NIL) queue.tail = id
    else pieces.prev[next] = id
    pieces.prev[id] = prev
    pieces.next[id] = next
  }
}

/** A packet time. */
export interface Time {
  readonly second: number
  readonly nanosecond: number
}
