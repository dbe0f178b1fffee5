/** What all records share: they are plain data, and JSON.stringify works on them although times are bigints. */

/**
 * The prototype of records. JSON has no integers beyond 2^53 in JavaScript, so a time in nanoseconds goes into JSON as
 * a string of decimal digits; nothing is rounded.
 */
export const recordPrototype = {
  toJSON(this: object): object {
    const out: { [column: string]: unknown } = {}
    for (const [column, value] of Object.entries(this)) out[column] = typeof value === 'bigint' ? value.toString() : value
    return out
  },
}
Object.defineProperty(recordPrototype, 'toJSON', { enumerable: false })

/**
 * Makes an empty record. A constructor, not a literal with `__proto__` in it: V8 takes objects of such a literal for
 * dictionaries, and filling one with two chains' columns then takes 24 µs instead of 0.3 µs.
 */
export const EmptyRecord = function () {} as unknown as new () => object
EmptyRecord.prototype = recordPrototype
