/** Streams that are kept for `getStreams`: their octets, up to a limit, and what is known of them. */
import type { Gap } from '../connection.js'
import type { StreamInfo } from './part.js'

/** What each stream costs besides its octets. */
const OVERHEAD = 1024

/** What each gap costs. */
const GAP = 64

/** A kept stream. */
export interface KeptStream {
  /** What is known of it: as it stands now, or at its end. */
  info: StreamInfo
  readonly chunks: readonly [Uint8Array[], Uint8Array[]]
  readonly gaps: readonly [Gap[], Gap[]]
  /** Nothing was left out because of the limit. */
  complete: boolean
}

/** Octets of many streams. */
export class KeptStreams {
  readonly #limit: number
  readonly #streams: KeptStream[] = []
  #octets = 0
  /** Octets, and streams, for which there was no room. */
  unkeptBytes = 0
  unkeptStreams = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Octets kept, and 1 KiB for each stream. */
  get octets(): number {
    return this.#octets
  }

  /** All of them, in the order in which they began. */
  get streams(): readonly KeptStream[] {
    return this.#streams
  }

  /** Begins with a stream; null where there is no room. */
  add(info: StreamInfo): KeptStream | null {
    if (this.#octets + OVERHEAD > this.#limit) {
      this.unkeptStreams += 1
      return null
    }
    this.#octets += OVERHEAD
    const kept: KeptStream = { info, chunks: [[], []], gaps: [[], []], complete: true }
    this.#streams.push(kept)
    return kept
  }

  /** Keeps a gap, as far as there is room. */
  gap(kept: KeptStream, way: 0 | 1, offset: number, length: number): void {
    const gaps = kept.gaps[way]
    const last = gaps.at(-1)
    if (last && last[0] + last[1] === offset) last[1] += length
    else if (this.#octets + GAP > this.#limit) kept.complete = false
    else {
      this.#octets += GAP
      gaps.push([offset, length])
    }
  }

  /** Keeps octets of a stream, as far as there is room. */
  push(kept: KeptStream, way: 0 | 1, octets: Uint8Array): void {
    // What comes after something that was left out is left out too: no hole is hidden in a stream.
    const room = kept.complete ? Math.max(0, this.#limit - this.#octets) : 0
    const taken = octets.slice(0, room)
    if (taken.length > 0) kept.chunks[way].push(taken)
    this.#octets += taken.length
    if (taken.length === octets.length) return
    kept.complete = false
    this.unkeptBytes += octets.length - taken.length
  }
}
