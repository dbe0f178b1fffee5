/**
 * Where a segment's octets go: compared with what is known, handed over, or stored; and how holes are given up. Mirrors
 * `core::stream::transfer`.
 *
 * Positions count from the first sequence number seen, and may be negative: the stream's start can still move down.
 * Offsets, which the sink hears, count from that start. Doubles are exact for both up to 2^53. Sequence numbers are kept
 * as signed 32-bit integers, which is all the same modulo 2^32 and what engines keep without an object.
 */
import type { Arena } from './arena.js'
import { Differences } from './differences.js'
import { NIL, NOT_ACKED } from './pieces.js'
import type { Queue } from './queue.js'
import type { StreamSegment } from './segment.js'
import type { Sink } from './sink.js'
import { PAGE } from './slab.js'

/** No position: lies below all others. */
export const NONE = -Infinity

/** A first sequence number is known. */
export const STARTED = 1
/** It comes from a SYN. */
export const SYN = 2
/** An acknowledgement came before the start. */
export const EARLY_ACK = 4
/** The start is that of a segment without payload, so it may have been a keep-alive. */
export const EMPTY_START = 8
/** A zero-window probe's octet is held back. */
export const PROBE = 16

/** The captured octets of the segment at hand that may be new: positions `[from, to)`. */
class Fresh {
  payload: Uint8Array = new Uint8Array(0)
  /** Position of the payload. */
  at = 0
  from = 0
  to = 0

  octets(from: number, to: number): Uint8Array {
    const { payload, at } = this
    return to - from === payload.length ? payload : payload.subarray(from - at, to - at)
  }
}

/** There is one segment at a time. */
const FRESH = new Fresh()
const PROBE_OCTET = new Uint8Array(1)
const DIFFERENCES = new Differences()

/** One direction's octets: what {@link Stream} does once a segment's place is known. */
export class Transfer {
  /** Sequence number that stands at position 0; before `STARTED` meaningless. */
  origin = 0
  /** The owner's name for the stream. */
  token: number
  /** Position of offset 0. */
  start = 0
  /** Next position to hand over. Everything below was handed over or given up. */
  rcvNxt = 0
  /** Highest end seen. */
  sndNxt = 0
  /** Highest acknowledgement seen, or {@link NONE}. */
  sndUna = NONE
  /** Position of the FIN, or {@link NONE}. */
  fin = NONE
  /** Newest entry of the history. */
  recent = 0
  flags = 0
  /** A zero-window probe's octet at `rcvNxt`, while `PROBE` is set. */
  probe = 0
  /** Present while something waits. */
  queue: Queue | null = null
  /** Payload octets of segments that brought nothing new. */
  retransmittedBytes = 0
  /** Octets seen before, in segments that also brought new ones. */
  overlapBytes = 0
  /** Octets that came again with another value. */
  conflictBytes = 0
  /** Octets given up. */
  gapBytes = 0
  /** Segments that arrived above `rcvNxt`. */
  outOfOrder = 0
  /** Segments of which octets were left out: wild, before the start, after the FIN. */
  ignored = 0

  constructor(token: number) {
    this.token = token
  }

  /** Takes a segment whose place is known. */
  take(arena: Arena, at: number, segment: StreamSegment, sink: Sink): void {
    const { payload } = segment
    const end = this.#clipAtFin(arena, at, segment)
    const begin = Math.max(at, this.start)
    if (at < this.start && end > at) {
      arena.totals.beforeStartOctets += Math.min(end, this.start) - at
      this.ignored++
    }
    if (end <= begin || this.#isKeepAlive(arena, at, end, segment) || this.#holdsProbe(arena, at, segment)) return
    if (this.flags & PROBE && at === this.rcvNxt + 1) this.#releaseProbe(arena, sink)
    if (at > this.rcvNxt) this.outOfOrder++
    this.sndNxt = Math.max(this.sndNxt, end)
    const capturedEnd = Math.min(end, at + payload.length)
    const oldEnd = Math.min(capturedEnd, this.rcvNxt)
    if (begin < oldEnd) {
      DIFFERENCES.between(this, sink)
      arena.history.compare(this.recent, begin, payload.subarray(begin - at, oldEnd - at), DIFFERENCES)
    }
    const fresh = FRESH
    fresh.payload = payload
    fresh.at = at
    fresh.from = Math.max(at, this.rcvNxt)
    fresh.to = capturedEnd
    let seen = Math.max(0, Math.min(end, this.rcvNxt) - begin)
    if (this.queue !== null && fresh.from < fresh.to) seen += this.#resolveOverlaps(arena, this.queue, fresh, sink)
    if (seen >= end - begin) this.retransmittedBytes += seen
    else this.overlapBytes += seen
    if (fresh.from < fresh.to) this.#place(arena, fresh, segment, sink)
  }

  /** Notes a FIN; gives the segment's end, at most the FIN's place. A FIN below what was seen is not believed. */
  #clipAtFin(arena: Arena, at: number, segment: StreamSegment): number {
    const end = at + segment.wireLength
    if (segment.fin && this.fin === NONE && end >= Math.max(this.sndNxt, this.rcvNxt)) this.fin = end
    if (this.fin === NONE || end <= this.fin) return end
    arena.totals.afterFinOctets += end - Math.max(at, this.fin)
    this.ignored++
    return Math.max(this.fin, at)
  }

  /**
   * RFC 9293 section 3.8.4: one octet just below `sndNxt`, sent when everything is acknowledged; its value means nothing.
   * Where the acknowledgements seen say that it is still under way, it is a retransmission like others.
   */
  #isKeepAlive(arena: Arena, at: number, end: number, segment: StreamSegment): boolean {
    if (end - at !== 1 || end !== this.sndNxt || segment.fin || segment.syn) return false
    const acked = this.sndUna >= end
    const delivered = at < this.rcvNxt && (acked || this.sndUna === NONE)
    if (!delivered && !(acked && this.#isStored(arena, at))) return false
    arena.totals.keepAlives++
    return true
  }

  #isStored(arena: Arena, at: number): boolean {
    if (this.queue === null) return false
    const id = arena.pieces.floor(this.queue.root, at)
    return id !== NIL && arena.pieces.end(id) > at
  }

  /**
   * RFC 9293 section 3.8.6.1: one new octet sent into a zero window. The peer may refuse it, so it is held back until it
   * is acknowledged or the next octet follows; a segment that brings its place again replaces it.
   */
  #holdsProbe(arena: Arena, at: number, segment: StreamSegment): boolean {
    const held = (this.flags & PROBE) !== 0
    const isNew = segment.wireLength === 1 && at === this.rcvNxt && this.rcvNxt === this.sndNxt
    const isProbe = segment.zeroWindow && isNew && this.queue === null && !segment.fin && !segment.syn
    if (isProbe && segment.payload.length > 0) {
      if (held) arena.totals.keepAlives++
      this.probe = segment.payload[0]!
      this.flags |= PROBE
      return true
    }
    if (held && at <= this.rcvNxt && at + segment.wireLength > this.rcvNxt) this.flags &= ~PROBE
    return false
  }

  #releaseProbe(arena: Arena, sink: Sink): void {
    this.flags &= ~PROBE
    PROBE_OCTET[0] = this.probe
    sink.data(this.endOffset, PROBE_OCTET)
    this.recent = arena.history.record(this.recent, this.rcvNxt, PROBE_OCTET)
    this.rcvNxt += 1
    this.sndNxt = Math.max(this.sndNxt, this.rcvNxt)
    this.#advance(arena, null, this.#deliverLimit(arena), sink)
  }

  /**
   * Takes out of the waiting pieces what the new segment wins, and reports what differs. Gives how many of its octets
   * were waiting.
   */
  #resolveOverlaps(arena: Arena, queue: Queue, fresh: Fresh, sink: Sink): number {
    const { pieces, limits } = arena
    let id = pieces.floor(queue.root, fresh.from)
    if (id === NIL) id = queue.head
    let covered = 0
    while (id !== NIL && pieces.start[id]! < fresh.to) {
      const start = pieces.start[id]!
      const end = pieces.end(id)
      const next = pieces.next[id]!
      const from = Math.max(start, fresh.from)
      const to = Math.min(end, fresh.to)
      if (from < to) {
        covered += to - from
        const old = arena.octets(id, from - start, to - from)
        const now = fresh.octets(from, to)
        const wins = limits.newWins(start, end, fresh.at, fresh.to)
        DIFFERENCES.between(this, sink)
        if (wins) DIFFERENCES.found(from, now, old)
        else DIFFERENCES.found(from, old, now)
        if (wins) arena.cut(queue, id, from, to)
      }
      id = next
    }
    return covered
  }

  /** Hands over what is in order and stores the rest. */
  #place(arena: Arena, fresh: Fresh, segment: StreamSegment, sink: Sink): void {
    let limit = this.#deliverLimit(arena)
    for (;;) {
      if (fresh.from === this.rcvNxt) {
        this.#advance(arena, fresh, limit, sink)
        fresh.from = this.rcvNxt
      }
      if (fresh.from >= fresh.to) break
      const fullAt = this.#store(arena, fresh, segment)
      if (fullAt < 0) break
      // No memory: what waits before this octet is given up, and it can go out at once.
      arena.totals.totalLimitHits++
      this.#giveUpBefore(arena, fullAt, sink)
      fresh.from = fullAt
      limit = Infinity
    }
    this.#closeIfEmpty(arena)
    while (this.queue !== null && this.queue.octets > arena.limits.directionOctets) {
      arena.totals.directionLimitHits++
      this.#giveUpOldest(arena, this.queue, false, sink)
    }
  }

  /** Stores the octets of which none waits yet. Gives where memory ended, -1 when all is stored. */
  #store(arena: Arena, fresh: Fresh, segment: StreamSegment): number {
    const { pieces } = arena
    const queue = (this.queue ??= arena.queues.open(this.token))
    let at = fresh.from
    while (at < fresh.to) {
      const id = pieces.floor(queue.root, at)
      const next = id === NIL ? queue.head : pieces.next[id]!
      if (id !== NIL && pieces.end(id) > at) {
        at = pieces.end(id)
        continue
      }
      let to = Math.min(fresh.to, at + PAGE)
      if (next !== NIL) to = Math.min(to, pieces.start[next]!)
      if (!arena.store(queue, at, fresh.octets(at, to), this.sndUna, segment)) return at
      at = to
    }
    return -1
  }

  /** How far octets may be handed over. */
  #deliverLimit(arena: Arena): number {
    return arena.limits.acked ? this.sndUna : Infinity
  }

  /** Hands over what is in order, from the segment at hand and from what waits, up to `limit`. */
  #advance(arena: Arena, fresh: Fresh | null, limit: number, sink: Sink): void {
    const before = this.rcvNxt
    while (this.rcvNxt < limit) {
      const head = this.queue === null ? NIL : this.queue.head
      const next = head === NIL ? Infinity : arena.pieces.start[head]!
      if (next <= this.rcvNxt) {
        this.#releaseHead(arena, this.queue!, limit, sink)
        continue
      }
      if (fresh === null || this.rcvNxt >= fresh.to) break
      const to = Math.min(fresh.to, next, limit)
      const octets = fresh.octets(this.rcvNxt, to)
      sink.data(this.endOffset, octets)
      this.recent = arena.history.record(this.recent, this.rcvNxt, octets)
      this.rcvNxt = to
    }
    this.#closeIfEmpty(arena)
    if (this.queue !== null && this.rcvNxt > before) arena.queues.progressed(this.queue)
  }

  #releaseHead(arena: Arena, queue: Queue, limit: number, sink: Sink): void {
    const { pieces } = arena
    const { head } = queue
    const length = Math.min(pieces.length[head]!, limit - this.rcvNxt)
    const octets = arena.octets(head, 0, length)
    sink.data(this.endOffset, octets)
    this.recent = arena.history.record(this.recent, this.rcvNxt, octets)
    this.rcvNxt += length
    if (length === pieces.length[head]) arena.remove(queue, head)
    else arena.trimFront(head, length)
  }

  #closeIfEmpty(arena: Arena): void {
    if (this.queue !== null && this.queue.head === NIL) {
      arena.queues.close(this.queue)
      this.queue = null
    }
  }

  /** The peer's acknowledgement was looked at while something waits. */
  acknowledged(arena: Arena, second: number, nanosecond: number, sink: Sink): void {
    if (this.flags & PROBE && this.sndUna > this.rcvNxt) this.#releaseProbe(arena, sink)
    if (this.queue === null) return
    arena.acknowledge(this.queue, this.sndUna, second, nanosecond)
    if (arena.limits.acked) this.#advance(arena, null, this.sndUna, sink)
    this.checkPatience(arena, second, nanosecond, sink)
  }

  /** Gives up the holes that were acknowledged long enough ago. */
  checkPatience(arena: Arena, second: number, nanosecond: number, sink: Sink): void {
    const { pieces } = arena
    while (this.queue !== null) {
      const { head } = this.queue
      const ackedSecond = pieces.ackedSecond[head]!
      if (pieces.start[head]! <= this.rcvNxt || ackedSecond === NOT_ACKED) return
      const ackedNanosecond = pieces.ackedNanosecond[head]!
      if (!arena.isOver(ackedSecond, ackedNanosecond, second, nanosecond))
        return arena.queues.setDue(this.queue, ackedSecond, ackedNanosecond)
      arena.totals.ackedGaps++
      this.#giveUpOldest(arena, this.queue, false, sink)
    }
  }

  /** Gives up holes whose patience is over at that packet time. For streams that {@link Arena.due} names. */
  onTime(arena: Arena, second: number, nanosecond: number, sink: Sink): void {
    if (this.queue === null) return
    arena.queues.clearDue(this.queue)
    this.checkPatience(arena, second, nanosecond, sink)
  }

  /** Gives up the oldest hole. For streams that {@link Arena.overLimit} names. */
  relieve(arena: Arena, sink: Sink): void {
    if (this.queue === null) return
    arena.totals.totalLimitHits++
    this.#giveUpOldest(arena, this.queue, false, sink)
  }

  /** Gives up all holes: hands over all that waits, with the gaps between. */
  giveUpAll(arena: Arena, atEnd: boolean, sink: Sink): void {
    while (this.queue !== null) this.#giveUpOldest(arena, this.queue, atEnd, sink)
  }

  /** Forgets all that waits, unreported: for payload that nobody wants. */
  discard(arena: Arena): void {
    while (this.queue !== null) {
      arena.remove(this.queue, this.queue.head)
      this.#closeIfEmpty(arena)
    }
  }

  /** Gives up the hole before the first waiting piece and hands over what follows it. */
  #giveUpOldest(arena: Arena, queue: Queue, atEnd: boolean, sink: Sink): void {
    const { pieces } = arena
    const start = pieces.start[queue.head]!
    const end = pieces.end(queue.head)
    if (start > this.rcvNxt) this.giveUpTo(arena, start, atEnd, sink)
    const limit = atEnd ? Infinity : Math.max(this.#deliverLimit(arena), end)
    this.#advance(arena, null, limit, sink)
  }

  /** Gives up all holes before `at`, where nothing waits. */
  #giveUpBefore(arena: Arena, at: number, sink: Sink): void {
    while (this.queue !== null && this.queue.head !== NIL && arena.pieces.start[this.queue.head]! < at)
      this.#giveUpOldest(arena, this.queue, false, sink)
    if (this.rcvNxt < at) this.giveUpTo(arena, at, false, sink)
  }

  /** Everything from `rcvNxt` to `to` is missing for good. */
  giveUpTo(arena: Arena, to: number, atEnd: boolean, sink: Sink): void {
    const length = to - this.rcvNxt
    if (atEnd) arena.totals.endGaps++
    this.flags &= ~PROBE
    this.gapBytes += length
    sink.gap(this.endOffset, length)
    this.rcvNxt = to
    this.sndNxt = Math.max(this.sndNxt, to)
  }

  /** Offset of the next octet to hand over: delivered octets and gaps together. */
  get endOffset(): number {
    return this.rcvNxt - this.start
  }
}
