/**
 * Slots for octets: sizes from 64 octets to 64 KiB, cut from pages of 64 KiB. Mirrors `core::stream::slab`.
 *
 * A page serves one size at a time and goes back to the pool when its last slot is free, so a burst of one size does
 * not starve the others. Pages are allocated when first needed and kept; nothing else allocates. A slot is a number:
 * the page's in the upper half, the slot's in the lower.
 */

/** Octets of a page, and the longest slot. */
export const PAGE = 65_536

/** Sizes of slots. 1536 holds the usual full segment. */
const SIZES: readonly number[] = [
  64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 9216, 13_104, 21_840, 32_768, 65_536,
]
const CLASSES = SIZES.length
const NIL = -1
const NO_SLOT = 0xffff

class Page {
  readonly data = new Uint8Array(PAGE)
  sizeClass = 0
  used = 0
  /** Slots from here on were never handed out since the page got its class. */
  fresh = 0
  /** First of the slots that came back; each holds the next one's number in its first two octets. */
  free = NO_SLOT
  prev = NIL
  next = NIL
}

/** Octets that `length` octets occupy. */
export function slotSize(length: number): number {
  return SIZES[classOf(length)]!
}

function classOf(length: number): number {
  let sizeClass = 0
  while (sizeClass < CLASSES - 1 && SIZES[sizeClass]! < length) sizeClass++
  return sizeClass
}

function slotsIn(sizeClass: number): number {
  return Math.floor(PAGE / SIZES[sizeClass]!)
}

/** The slots of one arena. */
export class Slab {
  readonly #pages: Page[] = []
  readonly #maxPages: number
  /** First page of each class that has a free slot. */
  readonly #open = new Int32Array(CLASSES).fill(NIL)
  /** First of the pages that serve no class. */
  #pool = NIL

  /** Room for `octets`, and one begun page of each size. */
  constructor(octets: number) {
    this.#maxPages = Math.min(Math.ceil(octets / PAGE) + CLASSES, 65_535)
  }

  /** Octets of memory in pages. */
  get memory(): number {
    return this.#pages.length * PAGE
  }

  /** A slot for `length` octets (at most {@link PAGE}), or -1 when every page is taken. */
  alloc(length: number): number {
    const sizeClass = classOf(length)
    if (this.#open[sizeClass] === NIL && !this.#openPage(sizeClass)) return -1
    const at = this.#open[sizeClass]!
    const page = this.#pages[at]!
    let index
    if (page.free === NO_SLOT) {
      index = page.fresh++
    } else {
      index = page.free
      const place = index * SIZES[sizeClass]!
      page.free = page.data[place]! | (page.data[place + 1]! << 8)
    }
    if (++page.used === slotsIn(sizeClass)) this.#unlink(at, sizeClass)
    return at * PAGE + index
  }

  /** Gives a slot back. */
  free(slot: number): void {
    const at = slot >>> 16
    const index = slot & 0xffff
    const page = this.#pages[at]!
    const { sizeClass } = page
    const wasFull = page.used === slotsIn(sizeClass)
    const place = index * SIZES[sizeClass]!
    page.data[place] = page.free
    page.data[place + 1] = page.free >>> 8
    page.free = index
    page.used--
    if (wasFull) this.#link(at, sizeClass)
    if (page.used > 0) return
    this.#unlink(at, sizeClass)
    page.next = this.#pool
    this.#pool = at
  }

  /** `length` octets of a slot, from `skip` on. */
  octets(slot: number, skip: number, length: number): Uint8Array {
    const from = this.#place(slot) + skip
    return this.#pages[slot >>> 16]!.data.subarray(from, from + length)
  }

  /** Fills a slot from its beginning. */
  write(slot: number, octets: Uint8Array): void {
    this.#pages[slot >>> 16]!.data.set(octets, this.#place(slot))
  }

  /** Where a slot begins in its page. */
  #place(slot: number): number {
    return (slot & 0xffff) * SIZES[this.#pages[slot >>> 16]!.sizeClass]!
  }

  #openPage(sizeClass: number): boolean {
    let at = this.#pool
    if (at === NIL) {
      at = this.#pages.length
      if (at >= this.#maxPages) return false
      this.#pages.push(new Page())
    }
    const page = this.#pages[at]!
    if (at === this.#pool) this.#pool = page.next
    page.sizeClass = sizeClass
    page.used = 0
    page.fresh = 0
    page.free = NO_SLOT
    this.#link(at, sizeClass)
    return true
  }

  #link(at: number, sizeClass: number): void {
    const next = this.#open[sizeClass]!
    if (next !== NIL) this.#pages[next]!.prev = at
    this.#pages[at]!.prev = NIL
    this.#pages[at]!.next = next
    this.#open[sizeClass] = at
  }

  #unlink(at: number, sizeClass: number): void {
    const { prev, next } = this.#pages[at]!
    if (prev === NIL) this.#open[sizeClass] = next
    else this.#pages[prev]!.next = next
    if (next !== NIL) this.#pages[next]!.prev = prev
  }
}
