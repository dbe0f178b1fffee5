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
/** Fewer octets than this are copied one by one: a view would cost more. */
const SHORT = 32

/** Is told the runs that {@link History.compare} finds. */
export interface Comparison {
  /** `length` remembered octets at `position`, and those that came now. */
  found(position: number, kept: Uint8Array, keptAt: number, other: Uint8Array, otherAt: number, length: number): void
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
  record(last: number, start: number, bytes: Uint8Array, at: number, length: number): number {
    const size = this.#size
    if (size === 0 || length === 0) return last
    if (this.#bytes.length === 0) this.#allocate()
    const lost = Math.max(0, length - size)
    const from = at + lost
    const position = start + lost
    const kept = length - lost
    const room = size - (this.#head & (size - 1))
    if (kept <= room) return this.#append(last, position, bytes, from, kept)
    const first = this.#append(last, position, bytes, from, room)
    return this.#append(first, position + room, bytes, from + room, kept - room)
  }

  /** Calls `told.found` for each remembered run that shares octets with `other` at `start`. */
  compare(last: number, start: number, other: Uint8Array, at: number, length: number, told: Comparison): void {
    const end = start + length
    const count = this.#start.length
    const oldest = Math.max(0, this.#head - this.#size)
    for (let id = last, steps = 0; steps < MAX_STEPS; steps++) {
      if (id === 0 || id + count < this.#next) return
      const slot = id & (count - 1)
      const begin = this.#start[slot]!
      const number = this.#at[slot]!
      const octets = this.#length[slot]!
      // What was overwritten of it.
      const lost = Math.max(0, oldest - number)
      if (lost >= octets) return
      const a = Math.max(start, begin + lost)
      const b = Math.min(end, begin + octets)
      if (a < b) {
        const place = (number + (a - begin)) & (this.#size - 1)
        told.found(a, this.#bytes, place, other, at + (a - start), b - a)
      }
      if (begin <= start) return
      id = this.#prev[slot]!
    }
  }

  /** Appends octets that fit without wrapping; gives the stream's newest entry. */
  #append(last: number, start: number, bytes: Uint8Array, at: number, length: number): number {
    const mask = this.#start.length - 1
    const place = this.#head & (this.#size - 1)
    copy(bytes, at, length, this.#bytes, place)
    const newest = (this.#next - 1) & mask
    const end = this.#start[newest]! + this.#length[newest]!
    if (last !== 0 && last + 1 === this.#next && end === start && place !== 0) {
      this.#length[newest]! += length
      this.#head += length
      return last
    }
    const slot = this.#next & mask
    this.#start[slot] = start
    this.#at[slot] = this.#head
    this.#prev[slot] = last
    this.#length[slot] = length
    this.#head += length
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

/** Copies octets from one array into another one. */
export function copy(from: Uint8Array, at: number, length: number, to: Uint8Array, place: number): void {
  if (length > SHORT) to.set(from.subarray(at, at + length), place)
  else for (let i = 0; i < length; i++) to[place + i] = from[at + i]!
}
