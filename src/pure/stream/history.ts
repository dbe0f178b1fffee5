/**
 * The window of recently delivered octets, shared by all streams: what a later copy is compared with. Mirrors
 * `core::stream::history`.
 *
 * A ring of octets and a ring of entries that say whose they are. A stream keeps the number of its newest entry, each
 * entry that of the one before it in the same stream. Overwritten entries and octets are known by their numbers, so
 * nothing has to be cleaned up when a stream ends. Number 0 = no entry.
 */

/** Entries that one comparison looks at before it stops: a bound on the time that an old copy can cost. */
const MAX_STEPS = 1024
/** The entries' ring is as long as if each held this many octets. */
const OCTETS_PER_ENTRY = 256
/** Is told the runs that {@link History.compare} finds. */
export interface Comparison {
  /** Remembered octets at `position`, and those that came now. */
  found(position: number, kept: Uint8Array, other: Uint8Array): void
}

/** The ring. */
export class History {
  readonly #size: number
  #bytes = new Uint8Array(0)
  /** Number of the next octet, counted over everything ever written. */
  #head = 0
  /** Number of the next entry. */
  #next = 1
  /** Of each entry: position in the stream, number of its first octet, the stream's entry before it, octets. */
  #start = new Float64Array(0)
  #at = new Float64Array(0)
  #prev = new Float64Array(0)
  #length = new Uint32Array(0)

  /** A window of `octets`, rounded up to a power of two; 0 switches it off. Memory is taken when the first octet comes. */
  constructor(octets: number) {
    let size = octets === 0 ? 0 : 1
    while (size < Math.min(octets, 2 ** 30)) size *= 2
    this.#size = size
  }

  /** Octets of memory. */
  get memory(): number {
    return this.#bytes.length + this.#start.length * 28
  }

  /** Remembers octets that were delivered at `start`. `last` is the stream's newest entry; gives the new one. */
  record(last: number, start: number, octets: Uint8Array): number {
    const size = this.#size
    if (size === 0 || octets.length === 0) return last
    if (this.#bytes.length === 0) this.#allocate()
    const room = size - (this.#head & (size - 1))
    if (octets.length <= room) return this.#append(last, start, octets)
    const lost = Math.max(0, octets.length - size)
    const cut = Math.min(octets.length, lost + room)
    const first = this.#append(last, start + lost, octets.subarray(lost, cut))
    return cut < octets.length ? this.#append(first, start + cut, octets.subarray(cut)) : first
  }

  /** Calls `told.found` for each remembered run that shares octets with `other` at `start`. */
  compare(last: number, start: number, other: Uint8Array, told: Comparison): void {
    const end = start + other.length
    const count = this.#start.length
    const oldest = Math.max(0, this.#head - this.#size)
    for (let id = last, steps = 0; steps < MAX_STEPS; steps++) {
      if (id === 0 || id + count < this.#next) return
      const slot = id & (count - 1)
      const begin = this.#start[slot]!
      const number = this.#at[slot]!
      const length = this.#length[slot]!
      // What was overwritten of it.
      const lost = Math.max(0, oldest - number)
      if (lost >= length) return
      const a = Math.max(start, begin + lost)
      const b = Math.min(end, begin + length)
      if (a < b) {
        const place = (number + (a - begin)) & (this.#size - 1)
        told.found(a, this.#bytes.subarray(place, place + b - a), other.subarray(a - start, b - start))
      }
      if (begin <= start) return
      id = this.#prev[slot]!
    }
  }

  /** Appends octets that fit without wrapping; gives the stream's newest entry. */
  #append(last: number, start: number, octets: Uint8Array): number {
    const mask = this.#start.length - 1
    const place = this.#head & (this.#size - 1)
    this.#bytes.set(octets, place)
    const newest = (this.#next - 1) & mask
    const end = this.#start[newest]! + this.#length[newest]!
    if (last !== 0 && last + 1 === this.#next && end === start && place !== 0) {
      this.#length[newest]! += octets.length
      this.#head += octets.length
      return last
    }
    const slot = this.#next & mask
    this.#start[slot] = start
    this.#at[slot] = this.#head
    this.#prev[slot] = last
    this.#length[slot] = octets.length
    this.#head += octets.length
    return this.#next++
  }

  #allocate(): void {
    const entries = Math.max(16, this.#size / OCTETS_PER_ENTRY)
    this.#bytes = new Uint8Array(this.#size)
    this.#start = new Float64Array(entries)
    this.#at = new Float64Array(entries)
    this.#prev = new Float64Array(entries)
    this.#length = new Uint32Array(entries)
  }
}
