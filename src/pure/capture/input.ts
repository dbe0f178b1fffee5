/**
 * Where octets come from. An input fills the room it is given and never looks at what it delivers. Mirrors
 * `core::capture::input`; what reads files is the host's (see `src/pure/host.ts`).
 */
import type { Compression } from './compression.js'

/** What an input answers where it has no octets to give. */
export const Filled = {
  /** The end. */
  End: 0,
  /** Nothing there yet: more must be pushed first. */
  NeedInput: -1,
  /** Nothing there yet: it comes by itself, see {@link Input.ready}. */
  Waiting: -2,
} as const

/** A source of octets. */
export interface Input {
  /**
   * Writes octets into `out` from `at` on, where there is room. How many, at least one; or one of {@link Filled}.
   *
   * @throws where the system refuses, or compressed data is broken
   */
  fill(out: Uint8Array, at: number): number
  /** Octets taken from the file or stream itself so far (of compressed data: compressed octets). */
  position(): number
  /** How the octets are compressed, where that is known and this input takes the compression off. */
  compression(): Compression | null
  /** Settled when what {@link Filled.Waiting} stood for is there. */
  ready(): Promise<void>
  /** Lets go of files; may be called again. */
  close(): void
}

/** Chunks that were pushed and not read yet. */
export class ChunkQueue {
  #chunks: Uint8Array[] = []
  #first = 0
  /** Octets of the first chunk that were read already. */
  #taken = 0
  #ended = false

  /** Appends a copy of `chunk`. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(chunk.slice())
  }

  /** No more chunks will come. */
  end(): void {
    this.#ended = true
  }

  /** Moves octets into `out` from `at` on; see {@link Input.fill}. */
  take(out: Uint8Array, at: number): number {
    let end = at
    while (end < out.length && this.#first < this.#chunks.length) {
      const chunk = this.#chunks[this.#first]!
      const part = chunk.subarray(this.#taken, this.#taken + out.length - end)
      out.set(part, end)
      end += part.length
      this.#taken += part.length
      if (this.#taken === chunk.length) this.#next()
    }
    if (end > at) return end - at
    return this.#ended ? Filled.End : Filled.NeedInput
  }

  #next(): void {
    this.#taken = 0
    this.#first += 1
    if (this.#first < this.#chunks.length) return
    this.#chunks = []
    this.#first = 0
  }
}

/** Reads what is pushed into a shared {@link ChunkQueue}. */
export class QueueInput implements Input {
  readonly #queue: ChunkQueue
  #position = 0

  constructor(queue: ChunkQueue) {
    this.#queue = queue
  }

  fill(out: Uint8Array, at: number): number {
    const filled = this.#queue.take(out, at)
    if (filled > 0) this.#position += filled
    return filled
  }

  position(): number {
    return this.#position
  }

  compression(): null {
    return null
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {}
}
