/** Finds where two versions of the same octets differ, counts that and reports it. */
import type { Comparison } from './history.js'
import type { Sink } from './sink.js'

/** Whose octets are compared. */
interface Counting {
  /** Position of offset 0. */
  readonly start: number
  conflictBytes: number
}

const NOBODY: Counting = { start: 0, conflictBytes: 0 }

/** Compares octets of one stream at a time. */
export class Differences implements Comparison {
  #stream = NOBODY
  #sink: Sink | undefined

  /** What is found from now on is that stream's, and told to its sink. */
  between(stream: Counting, sink: Sink): void {
    this.#stream = stream
    this.#sink = sink
  }

  /** Reports two versions of the same octets if they differ, from the first to the last octet that does. */
  found(position: number, kept: Uint8Array, other: Uint8Array): void {
    const { length } = kept
    let first = 0
    while (first < length && kept[first] === other[first]) first++
    if (first === length) return
    let last = first
    let count = 0
    for (let i = first; i < length; i++)
      if (kept[i] !== other[i]) {
        last = i
        count++
      }
    const stream = this.#stream
    stream.conflictBytes += count
    const offset = position - stream.start + first
    this.#sink?.conflict(offset, kept.subarray(first, last + 1), other.subarray(first, last + 1))
  }
}
