/**
 * Flow keys as small dense numbers, for consumers that keep their own table of flows in arrays. Mirrors
 * `core::session::keys`.
 *
 * The table holds no more keys than the consumer holds flows, plus those of the batches that it hasn't walked yet.
 */
import { WordTable } from '../word-table.js'

/** Keys and their numbers. */
export class KeyTable {
  readonly #table: WordTable
  /** The latest batch with a packet of each key. */
  #batches = new Uint32Array(1024)

  /** @param width most words of a key */
  constructor(width: number) {
    this.#table = new WordTable(width)
  }

  /** The words of the key that {@link KeyTable.number} is asked for next. */
  get key(): Int32Array {
    return this.#table.key
  }

  /** The number of the key, of which `used` words count and which stands in batch `batch`. */
  number(used: number, batch: number): number {
    let number = this.#table.find(used)
    if (number < 0) {
      number = this.#table.insert(used)
      if (number >= this.#batches.length) {
        const larger = new Uint32Array(this.#batches.length * 2)
        larger.set(this.#batches)
        this.#batches = larger
      }
    }
    this.#batches[number] = batch
    return number
  }

  /**
   * The consumer has walked all batches up to the first number of `givenBack`, and needs the others, which are keys, no
   * more. Those that stand in a later batch stay: the consumer will meet them there and give them back again.
   */
  release(givenBack: Uint32Array): void {
    const walked = givenBack[0]!
    for (let i = 1; i < givenBack.length; i++) {
      const number = givenBack[i]!
      if (this.#table.has(number) && this.#batches[number]! <= walked) this.#table.remove(number)
    }
  }
}
