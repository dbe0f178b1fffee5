/**
 * Buffers that grow, from a pool: an extractor fills and empties one for each stream, so buffers go round instead of
 * waiting for the garbage collector.
 */

/** Smallest buffer. */
const LEAST = 1024
/** Octets of emptied buffers that are kept for the next ones. */
const MAX_KEPT = 4 * 2 ** 20

/** Emptied buffers of one size. */
interface Shelf {
  readonly size: number
  readonly buffers: Buffer[]
}

/** Buffers in sizes of powers of two. */
export class BufferPool {
  /** By size, the smallest first. */
  readonly #shelves: Shelf[] = []
  #kept = 0

  /** A buffer of at least that many octets; what is in it is anything. */
  take(octets: number): Buffer {
    const size = Math.max(LEAST, 2 ** Math.ceil(Math.log2(octets)))
    const found = this.#shelf(size).buffers.pop()
    if (found === undefined) return Buffer.allocUnsafeSlow(size)
    this.#kept -= size
    return found
  }

  /** Takes a buffer back that nobody looks at any more. */
  give(buffer: Buffer): void {
    const size = buffer.length
    if (size < LEAST || size > MAX_KEPT) return
    this.#shelf(size).buffers.push(buffer)
    this.#kept += size
    while (this.#kept > MAX_KEPT) this.#drop()
  }

  #shelf(size: number): Shelf {
    const place = Math.log2(size / LEAST)
    for (let next = this.#shelves.length; next <= place; next++) this.#shelves.push({ size: LEAST * 2 ** next, buffers: [] })
    return this.#shelves[place]!
  }

  /** Drops a buffer of the size that most octets are kept of: a size no longer asked for must not keep others out. */
  #drop(): void {
    const octets = ({ size, buffers }: Shelf) => size * buffers.length
    const largest = this.#shelves.reduce((a, b) => (octets(b) > octets(a) ? b : a))
    largest.buffers.pop()
    this.#kept -= largest.size
  }
}

const NOTHING = Buffer.alloc(0)

/** Octets to which more are added. */
export class Growing {
  bytes: Buffer = NOTHING
  /** Octets in use. */
  length = 0
  readonly #pool: BufferPool

  constructor(pool: BufferPool) {
    this.#pool = pool
  }

  /** Octets of memory. */
  get capacity(): number {
    return this.bytes.length
  }

  /** Makes room for so many octets more and takes it; where they begin. */
  reserve(octets: number): number {
    const at = this.length
    this.length += octets
    if (this.length > this.bytes.length) this.#grow(at)
    return at
  }

  /** Adds octets. */
  push(octets: Uint8Array): void {
    const at = this.reserve(octets.length)
    this.bytes.set(octets, at)
  }

  /** What is there; valid until it grows or is released. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** Lets go of the memory: nothing is there then. */
  release(): void {
    this.#pool.give(this.bytes)
    this.bytes = NOTHING
    this.length = 0
  }

  #grow(used: number): void {
    const larger = this.#pool.take(this.length)
    larger.set(this.bytes.subarray(0, used))
    this.#pool.give(this.bytes)
    this.bytes = larger
  }
}
