/**
 * One direction of a connection on its way to `decodeTcp`'s loop. In come its data, gaps and marks in capture order; out
 * go pieces: what was assembled, each time the stream comes to a PSH or URG, and the rest at its end.
 *
 * A mark stands at a place in the stream: that of a segment that waits for a hole takes effect when the hole is filled,
 * or given up.
 */
import type { Gap } from '../connection.js'
import { Kept, type Keeping } from '../follower/kept.js'

/** Why a piece comes: a PSH or URG, the end of the stream, or a limit on what is kept. */
export type PieceReason = 'push' | 'end' | 'limit'

/** What is assembled. */
export interface Piece {
  readonly reason: PieceReason
  readonly offset: number
  readonly data: Uint8Array
  readonly gaps: readonly Gap[]
  readonly complete: boolean
}

/** Since when octets are handed over with each piece. */
export type Since = 'start' | 'lastPush'

/** Bounds and counters that all directions share. */
export interface Shared {
  readonly since: Since
  readonly keeping: Keeping
  readonly maxGaps: number
  /** Pushes that brought nothing new, left out. */
  emptyPushes: number
  /** Pushes that came while too many others waited: their octets come with the next one. */
  mergedPushes: number
  /** Octets in no piece. */
  missedBytes: number
}

/** Most pushes of a direction that wait for holes. */
const MAX_WAITING = 1024

/** One direction. */
export class Assembly {
  readonly #shared: Shared
  readonly #emit: (piece: Piece) => void
  #kept = new Kept()
  /** Where what is kept begins: data and gaps before it were handed over. */
  #from = 0
  /** Where the stream stands: data and gaps together. */
  #at = 0
  #gaps: Gap[] = []
  #isNew = false
  /** Ends of segments that waited, ascending. */
  #waiting: number[] = []
  #finAt: number | undefined
  /** All up to the FIN was handed over. */
  #hasEnded = false

  constructor(shared: Shared, emit: (piece: Piece) => void) {
    this.#shared = shared
    this.#emit = emit
  }

  /** Octets in stream order. */
  data(octets: Uint8Array): void {
    let rest = octets
    while (this.#waiting.length > 0 && this.#waiting[0]! <= this.#at + rest.length) {
      const length = this.#waiting[0]! - this.#at
      this.#add(rest.subarray(0, length))
      rest = rest.subarray(length)
      this.#pushWaiting()
    }
    if (rest.length > 0) this.#add(rest)
    this.#endAtFin()
  }

  /** Octets that are missing for good. */
  gap(offset: number, length: number): void {
    const last = this.#gaps.at(-1)
    if (last && last[0] + last[1] === offset) last[1] += length
    else if (this.#gaps.length < this.#shared.maxGaps) this.#gaps.push([offset, length])
    this.#at = offset + length
    this.#isNew = true
    while (this.#waiting.length > 0 && this.#waiting[0]! <= this.#at) this.#pushWaiting()
    this.#endAtFin()
  }

  /** A segment that ends at `offset` had PSH or URG. */
  push(offset: number): void {
    if (offset <= this.#at) return this.#push()
    const at = this.#waiting.findIndex(other => other >= offset)
    // The same segment again.
    if (this.#waiting[at] === offset) return
    if (this.#waiting.length >= MAX_WAITING) this.#shared.mergedPushes++
    else this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, offset)
  }

  /** A FIN stands at `offset`. */
  fin(offset: number): void {
    this.#finAt ??= offset
    this.#endAtFin()
  }

  /** Nothing more will come, or hardly: hands over what there is. */
  end(): void {
    if (this.#isNew) this.#hand('end')
  }

  /** Nobody asks for this direction any more. */
  release(): void {
    this.#shared.keeping.release(this.#kept)
    this.#kept = new Kept()
  }

  #endAtFin(): void {
    if (this.#finAt === undefined || this.#at < this.#finAt) return
    this.end()
    this.#hasEnded = true
    this.release()
  }

  #pushWaiting(): void {
    this.#waiting.shift()
    this.#push()
  }

  #push(): void {
    if (this.#hasEnded || (!this.#isNew && this.#shared.since === 'lastPush')) this.#shared.emptyPushes++
    else this.#hand('push')
  }

  #add(octets: Uint8Array): void {
    const rest = this.#keep(octets)
    if (rest.length === 0) return
    if (this.#shared.since === 'lastPush') return this.#handAll(rest)
    this.#kept.miss(rest.length)
    this.#shared.missedBytes += rest.length
    this.#at += rest.length
    this.#isNew = true
  }

  /** Keeps what there is room for; the rest. */
  #keep(octets: Uint8Array): Uint8Array {
    const taken = this.#shared.keeping.keep(this.#kept, octets)
    this.#at += taken
    this.#isNew ||= taken > 0
    return octets.subarray(taken)
  }

  /** Where there is no room, nothing is lost: what there is goes on its way before its time. */
  #handAll(octets: Uint8Array): void {
    for (let rest = octets; rest.length > 0; ) {
      if (this.#kept.length > 0) this.#hand('limit')
      const left = this.#keep(rest)
      if (left.length === rest.length) {
        this.#at += rest.length
        return this.#hand('limit', rest.slice())
      }
      rest = left
    }
  }

  #hand(reason: PieceReason, data = this.#kept.view()): void {
    const { since, keeping } = this.#shared
    const piece = { reason, offset: this.#from, data, complete: this.#kept.missed === 0 }
    this.#isNew = false
    if (since === 'start') return this.#emit({ ...piece, gaps: this.#gaps.map(([at, length]) => [at, length]) })
    this.#emit({ ...piece, gaps: this.#gaps })
    keeping.release(this.#kept)
    this.#kept = new Kept()
    this.#gaps = []
    this.#from = this.#at
  }
}
