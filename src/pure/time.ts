/**
 * Packet times. A time of 64 bits would be a bigint, an object per packet; so the engine keeps whole seconds (a double,
 * exact) and the nanoseconds after them (below 10^9) apart, and makes 64 bits of them as late as it can.
 */

const NS = 1_000_000_000
const TWO_32 = 2 ** 32

/** Least and greatest times: those of a signed 64-bit number of nanoseconds. */
export const MIN_NS = -(2n ** 63n)
export const MAX_NS = 2n ** 63n - 1n

/** A time as nanoseconds since the Unix epoch. */
export function nanoseconds(second: number, nanosecond: number): bigint {
  return BigInt(second) * 1_000_000_000n + BigInt(nanosecond)
}

/** Whole seconds of a time, rounded down. */
export function secondOf(ns: bigint): number {
  const second = ns / 1_000_000_000n
  return Number(ns < 0n && second * 1_000_000_000n !== ns ? second - 1n : second)
}

/** The octets of the machine's words stand with the lowest first. */
const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Writes times into a column of signed 64-bit nanoseconds without making bigints. */
export class TimeWriter {
  /** The column, two words for each time. */
  readonly #words: Uint32Array
  /** The second that was written last, and its nanoseconds in two words. */
  #second = 0
  #low = 0
  #high = 0

  /** @param at where the column begins in `buffer`: a multiple of 8 */
  constructor(buffer: ArrayBufferLike, at: number, rows: number) {
    this.#words = new Uint32Array(buffer, at, rows * 2)
  }

  /** Writes a time to a row. */
  write(row: number, second: number, nanosecond: number): void {
    if (second !== this.#second) this.#enter(second)
    let low = this.#low + nanosecond
    let high = this.#high
    if (low >= TWO_32) {
      low -= TWO_32
      high += 1
    }
    const words = this.#words
    words[row * 2] = LITTLE ? low : high
    words[row * 2 + 1] = LITTLE ? high : low
  }

  /** Multiplies a second by 10^9, which needs more bits than a double has. */
  #enter(second: number): void {
    this.#second = second
    const above = Math.floor(second / 65536)
    const low = (second - above * 65536) * NS
    // above × 10^9 stays below 2^53: seconds are below 2^34 either way.
    const middle = above * NS
    const upper = Math.floor(middle / 65536)
    const sum = (middle - upper * 65536) * 65536 + low
    this.#low = sum % TWO_32
    this.#high = upper + Math.floor(sum / TWO_32)
  }
}
