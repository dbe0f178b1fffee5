/**
 * Reassembly of one direction of a TCP connection: segments in any order in, octets in stream order out. Mirrors
 * `core::stream::reassembler`, whose room says the rules: where a stream starts, when a hole is given up, what a conflict
 * is, and what is done about wild sequence numbers.
 *
 * In come segments and the peer's cumulative acknowledgements; out go in-order octets, gaps and conflicts through a
 * {@link Sink}. A stream holds no octets; what waits lies in the {@link Arena}.
 */
import type { Arena } from './arena.js'
import type { StreamSegment } from './segment.js'
import type { Sink } from './sink.js'
import { EARLY_ACK, EMPTY_START, NONE, PROBE, STARTED, SYN, Transfer } from './transfer.js'

/** Farthest that a segment may lie from `rcvNxt`: RFC 7323 section 2.3's largest window. */
const REACH = 2 ** 30
/** Farthest that an acknowledgement is believed to run ahead of the octets that were seen. */
const ACK_REACH = 16 * 2 ** 20
/** Farthest that a stream without a SYN moves its start down for an earlier segment. */
const LOWER = 2 ** 20
/** Wild segments in a row that continue each other before the stream follows them. */
const RESYNC_AFTER = 3
/** Farthest that the next of them may lie from the end of the one before. */
const RESYNC_STEP = 2 ** 20

/** One direction. A connection holds two; the token is the owner's name for it, as the arena gives it. */
export class Stream extends Transfer {
  /** End of the last wild segment; before the start, the peer's acknowledgement. */
  #wildNext = 0
  #wild = 0

  /** Becomes a stream that has seen nothing. Nothing may wait. */
  reset(token: number): void {
    this.origin = 0
    this.token = token
    this.start = this.rcvNxt = this.sndNxt = this.recent = 0
    this.sndUna = this.fin = NONE
    this.flags = this.probe = 0
    this.retransmittedBytes = this.overlapBytes = this.conflictBytes = this.gapBytes = 0
    this.outOfOrder = this.ignored = 0
    this.#wildNext = this.#wild = 0
  }

  /** A segment of this direction, in capture order. */
  push(arena: Arena, segment: StreamSegment, sink: Sink): void {
    const { payload } = segment
    const { length } = payload
    const isPlain =
      (this.flags & (STARTED | PROBE)) === STARTED &&
      !segment.syn &&
      !segment.fin &&
      !segment.zeroWindow &&
      length === segment.wireLength &&
      this.#wild === 0
    const isSettled = this.queue === null && this.fin === NONE && this.rcvNxt === this.sndNxt
    if (!isPlain || !isSettled || segment.seq !== this.seqAt(this.rcvNxt) || arena.limits.acked)
      return this.#pushSlow(arena, segment, sink)
    if (length === 0) return
    this.flags &= ~EMPTY_START
    sink.data(this.endOffset, payload)
    this.recent = arena.history.record(this.recent, this.rcvNxt, payload)
    this.rcvNxt += length
    this.sndNxt = this.rcvNxt
  }

  /** The peer's cumulative acknowledgement, from any of its segments with ACK set, in capture order. */
  onAck(arena: Arena, ack: number, second: number, nanosecond: number, sink: Sink): void {
    if ((this.flags & STARTED) === 0) {
      this.#wildNext = ack | 0
      this.flags |= EARLY_ACK
      return
    }
    const una = this.rcvNxt + since(ack, this.seqAt(this.rcvNxt))
    if (una > this.sndUna && una >= this.start && una <= this.sndNxt + ACK_REACH) this.sndUna = una
    if (this.queue !== null || this.flags & PROBE) this.acknowledged(arena, second, nanosecond, sink)
  }

  /**
   * The connection ended: hands over all that waits, with the gaps between, and frees the arena. Octets at the end that
   * the peer acknowledged, that a cut packet had on the wire, or that a FIN stands behind, are a last gap.
   */
  finish(arena: Arena, sink: Sink): void {
    this.giveUpAll(arena, true, sink)
    this.flags &= ~PROBE
    // An acknowledged octet beyond all that was seen may be a FIN that the capture missed: not counted.
    const acked = this.fin === NONE ? this.sndUna - 1 : Math.min(this.sndUna, this.fin)
    const end = Math.max(this.sndNxt, acked, this.fin)
    if (end > this.rcvNxt) this.giveUpTo(arena, end, true, sink)
  }

  /** Octets handed over. */
  get delivered(): number {
    return this.endOffset - this.gapBytes
  }

  /** The stream has begun: a first sequence number is known. */
  get hasStarted(): boolean {
    return (this.flags & STARTED) !== 0
  }

  /** Sequence number at a position, as a signed 32-bit integer. */
  seqAt(at: number): number {
    return (this.origin + at) | 0
  }

  /** Everything but the next plain in-order segment. */
  #pushSlow(arena: Arena, segment: StreamSegment, sink: Sink): void {
    if (segment.payload.length > segment.wireLength)
      segment.payload = segment.payload.subarray(0, segment.wireLength)
    let { seq } = segment
    if (segment.syn) {
      if (!this.#open(arena, seq)) {
        this.ignored++
        return
      }
      seq = plus(seq, 1)
    } else if ((this.flags & STARTED) === 0 && !this.#begin(arena, seq, segment.wireLength)) {
      return
    }
    const located = this.#locate(arena, seq, segment.wireLength, sink)
    const at = located === NONE ? NONE : this.#settleStart(arena, located, segment.wireLength)
    if (at === NONE) return
    this.take(arena, at, segment, sink)
    if (this.queue !== null) this.checkPatience(arena, segment.second, segment.nanosecond, sink)
  }

  /**
   * A SYN: `isn + 1` is offset 0. False where the stream stands elsewhere already: then it belongs to another
   * connection, which the owner tells apart.
   */
  #open(arena: Arena, isn: number): boolean {
    const first = plus(isn, 1)
    if ((this.flags & STARTED) === 0) {
      this.#setOrigin(first)
      this.flags |= SYN
      return true
    }
    if (this.seqAt(this.start) === first) {
      this.flags = (this.flags | SYN) & ~EMPTY_START
      return true
    }
    // RFC 9293 section 3.10.7.3: until the peer acknowledged a SYN, a later one with another ISN may be the one it
    // takes (a server that lost its state answers anew).
    const isSettled = (this.flags & SYN) !== 0 && (this.sndUna !== NONE || this.queue !== null)
    if (isSettled || this.rcvNxt !== this.start) return false
    // Nothing was handed over: what waits stays if it can belong to this start.
    const distance = since(first, this.seqAt(this.start))
    if (this.queue === null || distance < -REACH || distance > 0) {
      this.discard(arena)
      this.#setOrigin(first)
      this.sndUna = NONE
      this.fin = NONE
    } else {
      this.#moveStart(this.start + distance)
    }
    this.flags = (this.flags | SYN) & ~EMPTY_START
    return true
  }

  /** The first segment of a stream without SYN. False: it was a keep-alive, and nothing is left to do. */
  #begin(arena: Arena, seq: number, length: number): boolean {
    const early = (this.flags & EARLY_ACK) !== 0
    const isKeepAlive = early && length <= 1 && this.#wildNext === plus(seq, 1)
    this.#setOrigin(isKeepAlive ? plus(seq, 1) : seq)
    const ahead = early ? since(this.#wildNext, this.origin) : 0
    if (ahead > 0) this.sndUna = ahead <= ACK_REACH ? ahead : NONE
    if (isKeepAlive) arena.totals.keepAlives++
    else if (length === 0) this.flags |= EMPTY_START
    return !isKeepAlive
  }

  #setOrigin(first: number): void {
    this.origin = first
    this.#moveStart(0)
    this.sndNxt = 0
    this.flags |= STARTED
  }

  #moveStart(to: number): void {
    this.start = to
    this.rcvNxt = to
    this.sndNxt = Math.max(this.sndNxt, to)
  }

  /** The position of a sequence number, or {@link NONE} if it is wild. */
  #locate(arena: Arena, seq: number, length: number, sink: Sink): number {
    const distance = since(seq, this.seqAt(this.rcvNxt))
    if (distance >= -REACH && distance <= REACH) {
      if (length > 0) this.#wild = 0
      return this.rcvNxt + distance
    }
    if (length === 0) return NONE
    const isOpen = this.rcvNxt === this.start && this.queue === null
    if ((this.flags & (SYN | EMPTY_START)) === EMPTY_START && isOpen) {
      // A stray segment without payload proves nothing: the first payload does.
      this.#setOrigin(seq)
      return this.rcvNxt
    }
    const continues = this.#wild > 0 && Math.abs(since(seq, this.#wildNext)) <= RESYNC_STEP
    this.#wild = continues ? this.#wild + 1 : 1
    this.#wildNext = plus(seq, length)
    if (this.#wild < RESYNC_AFTER) {
      arena.totals.wildSegments++
      this.ignored++
      return NONE
    }
    this.#resync(arena, seq, sink)
    return this.rcvNxt
  }

  /** Goes on at `seq`, at the next place ahead that has this number. */
  #resync(arena: Arena, seq: number, sink: Sink): void {
    this.giveUpAll(arena, false, sink)
    arena.totals.resyncs++
    this.#wild = 0
    this.flags &= ~PROBE
    this.sndUna = NONE
    this.fin = NONE
    if (this.rcvNxt === this.start && (this.flags & SYN) === 0) return this.#setOrigin(seq)
    const ahead = (seq - this.seqAt(this.rcvNxt)) >>> 0
    this.giveUpTo(arena, this.rcvNxt + ahead, false, sink)
    this.sndNxt = this.rcvNxt
  }

  /**
   * Moves the start of a stream without SYN where this segment shows that it lies elsewhere. Gives the segment's
   * position, {@link NONE} if it was a keep-alive.
   */
  #settleStart(arena: Arena, at: number, length: number): number {
    const isUntouched = this.rcvNxt === this.start && (this.flags & SYN) === 0
    if (isUntouched && at < this.start) {
      if (at + 1 === this.start && length <= 1 && this.flags & EMPTY_START) {
        arena.totals.keepAlives++
        return NONE
      }
      if (length > 0 && this.start - at <= LOWER) this.#moveStart(at)
    }
    if (length > 0 && this.flags & EMPTY_START) {
      // RFC 9293 section 3.8.4: the first segment was a keep-alive if what follows begins one above it.
      if (isUntouched && this.queue === null && at === this.start + 1) this.#moveStart(at)
      this.flags &= ~EMPTY_START
    }
    return at
  }
}

/** A sequence number `n` octets later. */
function plus(seq: number, n: number): number {
  return (seq + n) | 0
}

/** Signed distance from `earlier` to `seq`, modulo 2^32: RFC 9293 section 3.4. */
function since(seq: number, earlier: number): number {
  return (seq - earlier) | 0
}
