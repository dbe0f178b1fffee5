/** Which slot each flow key has, which keys are ignored, and which are needed no more. */
import { grown } from './slots.js'

/** The key has no flow. */
export const NO_FLOW = -1
/** The key's flow is ignored. */
export const IGNORED = -2

/** Flow keys by the numbers that an engine gives them. */
export class KeySlots {
  /** Slot of each key; {@link NO_FLOW} or {@link IGNORED}. */
  #slots = new Int32Array(1024).fill(NO_FLOW)
  /** Ignored keys in the order in which they were met, from `#ignoredFrom` on. */
  #ignored: number[] = []
  #ignoredFrom = 0
  /** Keys that had a flow and may have none now. */
  #left: number[] = []
  readonly #maxIgnored: number

  constructor(maxIgnored: number) {
    this.#maxIgnored = maxIgnored
  }

  /** The slot of a key, or {@link NO_FLOW}, or {@link IGNORED}. */
  get(key: number): number {
    return key < this.#slots.length ? this.#slots[key]! : NO_FLOW
  }

  /** Gives a key a slot. */
  set(key: number, slot: number): void {
    if (key >= this.#slots.length) {
      const larger = new Int32Array(Math.max(key + 1, this.#slots.length * 2)).fill(NO_FLOW)
      this.#slots = grown(this.#slots, larger)
    }
    this.#slots[key] = slot
  }

  /** The key's flow is out of the table. */
  clear(key: number): void {
    this.#slots[key] = NO_FLOW
    this.#left.push(key)
  }

  /** Ignores a key from now on; at the limit the one that was ignored first is forgotten. */
  ignore(key: number): void {
    this.set(key, IGNORED)
    this.#ignored.push(key)
    if (this.#ignored.length - this.#ignoredFrom > this.#maxIgnored) this.clear(this.#ignored[this.#ignoredFrom++]!)
    if (this.#ignoredFrom > 4096 && this.#ignoredFrom * 2 > this.#ignored.length) {
      this.#ignored = this.#ignored.slice(this.#ignoredFrom)
      this.#ignoredFrom = 0
    }
  }

  /** Forgets which keys are ignored. */
  clearIgnored(): void {
    for (let i = this.#ignoredFrom; i < this.#ignored.length; i++) this.clear(this.#ignored[i]!)
    this.#ignored = []
    this.#ignoredFrom = 0
  }

  /** Keys that are needed no more, behind `walked`: what an engine takes back. */
  takeUnused(walked: number): Uint32Array {
    const keys = this.#left.filter(key => this.#slots[key] === NO_FLOW)
    this.#left = []
    const out = new Uint32Array(keys.length + 1)
    out[0] = walked
    out.set(keys, 1)
    return out
  }
}
