/**
 * What streams sent, kept as it grows. In come octets in stream order; out go views that stay as they are, because octets
 * are only ever added behind them.
 */

const NONE = new Uint8Array(0)
/** Octets of the first buffer of a stream, at least. */
const LEAST = 256

/** Octets of one stream, from some place on, without gaps. */
export class Kept {
  #octets: Uint8Array = NONE
  #length = 0
  #missed = 0

  /** Octets kept. */
  get length(): number {
    return this.#length
  }

  /** Octets that there was no room for. None is kept behind them, so what is kept has no hole. */
  get missed(): number {
    return this.#missed
  }

  /** What is kept, from octet `from` on: a view that stays as it is. */
  view(from = 0): Uint8Array {
    return this.#octets.subarray(from, this.#length)
  }

  /** @internal Adds octets, all of them. */
  add(octets: Uint8Array): void {
    const length = this.#length + octets.length
    if (length > this.#octets.length) {
      // Views of the buffer before keep it alive, and unchanged.
      const grown = new Uint8Array(Math.max(length, LEAST, Math.min(length * 2, length + (16 << 20))))
      grown.set(this.view())
      this.#octets = grown
    }
    this.#octets.set(octets, this.#length)
    this.#length = length
  }

  /** @internal Counts octets that there was no room for. */
  miss(octets: number): void {
    this.#missed += octets
  }

  /** @internal Lets go of all. */
  clear(): void {
    this.#octets = NONE
    this.#length = 0
  }
}

/** How much is kept: of each stream, and of all together. Octets are counted; buffers may be twice as large. */
export class Keeping {
  readonly #perStream: number
  readonly #inAll: number
  #used = 0

  constructor(perStream: number, inAll: number) {
    this.#perStream = perStream
    this.#inAll = inAll
  }

  /** Keeps of `octets` what there is room for; how many. */
  keep(kept: Kept, octets: Uint8Array): number {
    const room = Math.min(this.#perStream - kept.length, this.#inAll - this.#used)
    const taken = kept.missed > 0 ? 0 : Math.max(0, Math.min(room, octets.length))
    if (taken > 0) kept.add(taken === octets.length ? octets : octets.subarray(0, taken))
    this.#used += taken
    return taken
  }

  /** What was kept of a stream is kept no longer, here. */
  release(kept: Kept): void {
    this.#used -= kept.length
  }
}
