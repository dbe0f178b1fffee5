/**
 * The octets of one datagram that are there, and which fragment each belongs to. Mirrors
 * `core::decode::defrag::pieces`.
 *
 * Invariant: the list is sorted by offset, without overlaps; every octet of the data belongs to exactly one piece, so
 * `covered` is the number of octets there are. An octet that changes its owner is overwritten in place, so however often
 * fragments overlap, a datagram never takes more octets than it has.
 */
import type { FragmentPolicy } from '../../../options.js'
import { newWins } from './config.js'

/** A range whose octets lie together and have one owner. */
interface Piece {
  readonly start: number
  readonly end: number
  /** Where its octets begin in the data. */
  readonly at: number
  /** What the owning fragment spanned on the wire: policies ask for that, not for what is left of it. */
  readonly ownerStart: number
  readonly ownerEnd: number
}

/** How a fragment lies to those that came before. */
export const Meeting = { Apart: 0, Duplicate: 1, Overlap: 2 } as const

/** What a piece counts for in the bound on memory; the same in every engine. */
const PIECE_COST = 20

/** Octets and owners of one datagram. */
export class Pieces {
  /** Octets of the datagram that are there. */
  covered = 0
  #data = new Uint8Array(2048)
  #list: Piece[] = []

  /** End of the last octet that is there; 0 where none is. */
  get end(): number {
    return this.#list.at(-1)?.end ?? 0
  }

  /** Octets of memory in use. */
  get cost(): number {
    return this.covered + this.#list.length * PIECE_COST
  }

  /**
   * Compares the fragment from `start` to `end`, whose octets begin at `from` in `bytes`, with what is there. A duplicate
   * has the same span and the same octets as a fragment none of whose octets was lost to another: putting it again would
   * change nothing under any policy.
   */
  meeting(start: number, end: number, bytes: Uint8Array, from: number): number {
    const piece = this.#list[this.#firstReaching(start)]
    if (piece === undefined || piece.start >= end) return Meeting.Apart
    const isSame = piece.ownerStart === start && piece.ownerEnd === end && piece.start === start && piece.end === end
    return isSame && this.#holds(piece, bytes, from) ? Meeting.Duplicate : Meeting.Overlap
  }

  #holds({ start, end, at }: Piece, bytes: Uint8Array, from: number): boolean {
    for (let i = 0; i < end - start; i++) if (this.#data[at + i] !== bytes[from + i]) return false
    return true
  }

  /** Puts a fragment in: holes are filled, and where octets are there already, `policy` says whose count. */
  put(start: number, end: number, bytes: Uint8Array, from: number, policy: FragmentPolicy): void {
    const first = this.#firstReaching(start)
    const placed: Piece[] = []
    let last = first
    let at = start
    const store = (to: number) => placed.push(this.#store(at, to, start, end, bytes, from))
    for (; last < this.#list.length && this.#list[last]!.start < end; last++) {
      const old = this.#list[last]!
      if (at < old.start) store(old.start)
      if (newWins(policy, old.ownerStart, old.ownerEnd, start, end)) this.#take(old, start, end, bytes, from, placed)
      else placed.push(old)
      at = old.end
    }
    if (at < end) store(end)
    this.#list.splice(first, last - first, ...placed)
  }

  /** Writes the datagram, which must have no hole, to `out` from `at` on. */
  assemble(out: Uint8Array, at: number): void {
    for (const piece of this.#list)
      out.set(this.#data.subarray(piece.at, piece.at + piece.end - piece.start), at + piece.start)
  }

  /** Index of the first piece that ends after `start`. */
  #firstReaching(start: number): number {
    // Most fragments come in order: behind everything.
    if (this.end <= start) return this.#list.length
    return this.#list.findIndex(piece => piece.end > start)
  }

  /** Stores the part from `start` to `end` of a fragment, where nothing is yet. */
  #store(start: number, end: number, ownerStart: number, ownerEnd: number, bytes: Uint8Array, from: number): Piece {
    const at = this.covered
    this.covered += end - start
    if (this.covered > this.#data.length) {
      const larger = new Uint8Array(Math.max(this.covered, this.#data.length * 2))
      larger.set(this.#data)
      this.#data = larger
    }
    this.#data.set(bytes.subarray(from + start - ownerStart, from + end - ownerStart), at)
    return { start, end, at, ownerStart, ownerEnd }
  }

  /** Writes to `placed` what is left of `old`, and what the fragment from `start` to `end` takes from it. */
  #take(old: Piece, start: number, end: number, bytes: Uint8Array, from: number, placed: Piece[]): void {
    const takenStart = Math.max(old.start, start)
    const takenEnd = Math.min(old.end, end)
    const at = old.at + takenStart - old.start
    this.#data.set(bytes.subarray(from + takenStart - start, from + takenEnd - start), at)
    if (old.start < takenStart) placed.push({ ...old, end: takenStart })
    placed.push({ start: takenStart, end: takenEnd, at, ownerStart: start, ownerEnd: end })
    if (takenEnd < old.end) placed.push({ ...old, start: takenEnd, at: old.at + takenEnd - old.start })
  }
}
