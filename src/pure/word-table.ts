/**
 * A hash table of keys that are a few 32-bit words each, numbered densely: no object and no string per key. The hash is
 * seeded, so that chosen keys can't be made to collide; keys are compared in full.
 */

/** Keys and their numbers. */
export class WordTable {
  /** The key that the next call is about: the caller fills its first words. */
  readonly key: Int32Array
  readonly #width: number
  readonly #multiplier = (Math.floor(Math.random() * 2 ** 32) | 1) >>> 0
  readonly #seed = Math.floor(Math.random() * 2 ** 32) | 0
  #capacity = 64
  /** Words of the keys, by number. */
  #words: Int32Array
  #hashes = new Int32Array(this.#capacity)
  /** Words of each key that count; 0: nobody uses the number. */
  #used = new Uint8Array(this.#capacity)
  /** Numbers ever given out. */
  #length = 0
  readonly #free: number[] = []
  /** Number + 1 by hash, or 0; twice as many places as there is room for keys. */
  #index = new Int32Array(this.#capacity * 2)
  /** Keys there are. */
  size = 0

  /** @param width most words of a key */
  constructor(width: number) {
    this.#width = width
    this.key = new Int32Array(width)
    this.#words = new Int32Array(this.#capacity * width)
  }

  /** The number of the key whose first `used` words were filled, or -1. */
  find(used: number): number {
    const hash = this.#hash(used)
    const mask = this.#index.length - 1
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const number = this.#index[place]! - 1
      if (number < 0 || (this.#hashes[number] === hash && this.#isKey(number, used))) return number
    }
  }

  /** Adds that key, which must not be there yet; its number. */
  insert(used: number): number {
    const number = this.#free.pop() ?? this.#length++
    if (number === this.#capacity) this.#grow()
    const hash = this.#hash(used)
    const at = number * this.#width
    for (let i = 0; i < used; i++) this.#words[at + i] = this.key[i]!
    this.#hashes[number] = hash
    this.#used[number] = used
    this.#enter(number, hash)
    this.size += 1
    return number
  }

  /** Whether a number stands for a key. */
  has(number: number): boolean {
    return number < this.#length && this.#used[number] !== 0
  }

  /** Takes a key out; its number may be given to another one. */
  remove(number: number): void {
    this.withdraw(number)
    this.release(number)
  }

  /** Lets go of the number of a key that was withdrawn. */
  release(number: number): void {
    this.#free.push(number)
  }

  /** Takes a key out; nobody else gets its number, and its words can be asked for, until it is released. */
  withdraw(number: number): void {
    const mask = this.#index.length - 1
    let hole = this.#hashes[number]! & mask
    while (this.#index[hole] !== number + 1) hole = (hole + 1) & mask
    // What stands behind the hole moves up, as far as its hash allows.
    for (let place = (hole + 1) & mask; this.#index[place] !== 0; place = (place + 1) & mask) {
      const home = this.#hashes[this.#index[place]! - 1]! & mask
      if (((place - home) & mask) < ((place - hole) & mask)) continue
      this.#index[hole] = this.#index[place]!
      hole = place
    }
    this.#index[hole] = 0
    this.#used[number] = 0
    this.size -= 1
  }

  /** Words of the key with a number. */
  used(number: number): number {
    return this.#used[number]!
  }

  /** A word of the key with a number. */
  word(number: number, i: number): number {
    return this.#words[number * this.#width + i]!
  }

  #hash(used: number): number {
    const { key } = this
    let hash = this.#seed ^ used
    for (let i = 0; i < used; i++) {
      hash = Math.imul(hash ^ key[i]!, this.#multiplier)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash, 0x2c1b_3c6d)
    return hash ^ (hash >>> 13)
  }

  #isKey(number: number, used: number): boolean {
    const { key } = this
    const at = number * this.#width
    for (let i = 0; i < used; i++) if (this.#words[at + i] !== key[i]) return false
    return this.#used[number] === used
  }

  #enter(number: number, hash: number): void {
    const mask = this.#index.length - 1
    let place = hash & mask
    while (this.#index[place] !== 0) place = (place + 1) & mask
    this.#index[place] = number + 1
  }

  #grow(): void {
    this.#capacity *= 2
    this.#words = larger(this.#words, new Int32Array(this.#capacity * this.#width))
    this.#hashes = larger(this.#hashes, new Int32Array(this.#capacity))
    this.#used = larger(this.#used, new Uint8Array(this.#capacity))
    this.#index = new Int32Array(this.#capacity * 2)
    for (let number = 0; number < this.#length; number++)
      if (this.#used[number] !== 0) this.#enter(number, this.#hashes[number]!)
  }
}

function larger<A extends Int32Array | Uint8Array>(from: A, to: A): A {
  to.set(from)
  return to
}
