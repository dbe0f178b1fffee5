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

/** A record without columns yet, for whoever takes them from elsewhere. */
// oxlint-disable-next-line typescript/no-extraneous-class -- what it has is its prototype
export class EmptyRecord {}
recordClass(EmptyRecord)
