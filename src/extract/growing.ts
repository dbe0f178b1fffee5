/**
 * Buffers that grow, from a pool: an extractor fills and empties one for each stream, so buffers go round instead of
 * waiting for the garbage collector. Small ones are pieces of pages of one size, which serve whatever size is asked for
 * next: the sizes that streams reach change while a capture is read, and buffers of sizes no longer asked for would fill
 * the heap with holes.
 */

/** Smallest buffer. */
const LEAST = 1024
/** Octets of a page; larger buffers are no pieces of one. */
const PAGE = 64 * 1024
/** Octets of empty pages, and of emptied larger buffers, that are kept for the next ones. */
const MAX_KEPT = 8 * 2 ** 20

/** A buffer of the pool, a power of two in size. */
interface Piece {
  readonly bytes: Buffer
  /** What it is a piece of; null: nothing. */
  readonly page: Page | null
}

/** Memory that is cut into pieces of one size. */
class Page {
  readonly size: number
  readonly memory: ArrayBuffer
  readonly free: Piece[] = []
  /** Where it stands among the pages of its size that have free pieces; -1: it has none. */
  place = -1

  constructor(memory: ArrayBuffer, size: number) {
    this.memory = memory
    this.size = size
    for (let at = PAGE - size; at >= 0; at -= size) this.free.push({ bytes: Buffer.from(memory, at, size), page: this })
  }

  get isEmpty(): boolean {
    return this.free.length === PAGE / this.size
  }
}

/** Buffers in sizes of powers of two. */
export class BufferPool {
  /** By size, the smallest first: pages with free pieces. */
  readonly #pages: Page[][] = []
  /** Pages that nobody uses. */
  readonly #spare: ArrayBuffer[] = []
  /** Larger buffers that nobody uses. */
  #large: Piece[] = []
  #kept = 0

  /** A buffer of at least that many octets; what is in it is anything. */
  take(octets: number): Piece {
    const size = Math.max(LEAST, 2 ** Math.ceil(Math.log2(octets)))
    return size > PAGE ? this.#takeLarge(size) : this.#takePiece(size)
  }

  /** Takes a buffer back that nobody looks at any more. */
  give(piece: Piece): void {
    const { page } = piece
    if (page === null) return this.#keepLarge(piece)
    const pages = this.#pagesOf(page.size)
    page.free.push(piece)
    if (page.place < 0) page.place = pages.push(page) - 1
    // The last one of its size stays: it is likely to be needed at once.
    if (page.isEmpty && pages.length > 1) this.#dissolve(page, pages)
  }

  #takePiece(size: number): Piece {
    const pages = this.#pagesOf(size)
    const page = pages.at(-1) ?? this.#begin(size, pages)
    const piece = page.free.pop()!
    if (page.free.length === 0) {
      pages.pop()
      page.place = -1
    }
    return piece
  }

  #pagesOf(size: number): Page[] {
    return (this.#pages[Math.log2(size / LEAST)] ??= [])
  }

  #begin(size: number, pages: Page[]): Page {
    const page = new Page(this.#spare.pop() ?? new ArrayBuffer(PAGE), size)
    page.place = pages.push(page) - 1
    return page
  }

  /** Keeps a page's memory for pieces of any size. */
  #dissolve(page: Page, pages: Page[]): void {
    const last = pages.pop()!
    if (last !== page) {
      pages[page.place] = last
      last.place = page.place
    }
    if (this.#spare.length * PAGE < MAX_KEPT) this.#spare.push(page.memory)
  }

  #takeLarge(size: number): Piece {
    const at = this.#large.findLastIndex(({ bytes }) => bytes.length === size)
    if (at < 0) return { bytes: Buffer.allocUnsafeSlow(size), page: null }
    this.#kept -= size
    return this.#large.splice(at, 1)[0]!
  }

  #keepLarge(piece: Piece): void {
    if (piece.bytes.length > MAX_KEPT) return
    this.#large.push(piece)
    this.#kept += piece.bytes.length
    // Those that were not asked for the longest go first.
    while (this.#kept > MAX_KEPT) this.#kept -= this.#large.shift()!.bytes.length
  }
}

const NOTHING: Piece = { bytes: Buffer.alloc(0), page: null }

/** Octets to which more are added. */
export class Growing {
  bytes: Buffer = NOTHING.bytes
  /** Octets in use. */
  length = 0
  #piece = NOTHING
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
    this.#exchange(NOTHING)
    this.length = 0
  }

  #grow(used: number): void {
    const larger = this.#pool.take(this.length)
    larger.bytes.set(this.bytes.subarray(0, used))
    this.#exchange(larger)
  }

  #exchange(piece: Piece): void {
    if (this.#piece !== NOTHING) this.#pool.give(this.#piece)
    this.#piece = piece
    this.bytes = piece.bytes
  }
}
