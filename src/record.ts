/** What all records share: they are plain data, and JSON.stringify works on them although times are bigints. */

/**
 * A record's columns as JSON takes them. JSON has no integers beyond 2^53 in JavaScript, so a time in nanoseconds goes
 * into JSON as a string of decimal digits; nothing is rounded.
 */
function toJson(record: object): object {
  const out: { [column: string]: unknown } = {}
  for (const [column, value] of Object.entries(record)) out[column] = typeof value === 'bigint' ? value.toString() : value
  return out
}

/** Gives a class of records its `toJSON`, not enumerable. Classes, because their objects stay quick with many columns. */
export function recordClass(of: { prototype: object }): void {
  const value = function (this: object): object {
    return toJson(this)
  }
  Object.defineProperty(of.prototype, 'toJSON', { value, configurable: true, writable: true })
}

const SECOND = 1_000_000_000n

/**
 * Nanoseconds as seconds. `Number(ns) / 1e9` would round twice; times in whole microseconds come out as the nearest
 * double, others within one unit in the last place.
 */
export function secondsOf(ns: bigint): number {
  const micros = ns / 1000n
  if (micros * 1000n === ns) return Number(micros) / 1e6
  return Number(ns / SECOND) + Number(ns % SECOND) / 1e9
}

/** Up to here whole microseconds, as a double counts them, are exact: the year 2255. */
const EXACT_SECONDS = 9_000_000_000

/** {@link secondsOf} of a time in two parts, without a bigint: each step of arithmetic with those makes an object. */
export function secondsAt(second: number, nanosecond: number): number {
  if (second < 0 || second > EXACT_SECONDS) return secondsOf(exactNanoseconds(second, nanosecond))
  if (nanosecond % 1000 === 0) return (second * 1e6 + nanosecond / 1000) / 1e6
  return second + nanosecond / 1e9
}

const WORDS = new Uint32Array(2)
const WHOLE = new BigInt64Array(WORDS.buffer)
/** Which word is the lower one, on this machine. */
const LOW = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 0 : 1
const TWO_32 = 2 ** 32

/** Whole seconds and nanoseconds after them as one number; its words are computed, so that one bigint is made. */
export function nanosecondsAt(second: number, nanosecond: number): bigint {
  if (second < 0 || second > EXACT_SECONDS) return exactNanoseconds(second, nanosecond)
  // In two parts, each exact as a double: upper * 2^16 + lower. What is stored, or masked, is taken modulo 2^32.
  const upper = Math.floor(second / 65536) * 1e9
  const low = (upper & 0xffff) * 65536 + (second & 0xffff) * 1e9 + nanosecond
  WORDS[LOW] = low
  WORDS[1 - LOW] = Math.floor(upper / 65536) + Math.floor(low / TWO_32)
  return WHOLE[0]!
}

const exactNanoseconds = (second: number, nanosecond: number): bigint => BigInt(second) * SECOND + BigInt(nanosecond)

/** A record without columns yet, for whoever takes them from elsewhere. */
// oxlint-disable-next-line typescript/no-extraneous-class -- what it has is its prototype
export class EmptyRecord {}
recordClass(EmptyRecord)
