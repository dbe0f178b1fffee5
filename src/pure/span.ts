/**
 * Spans of packet time. A time is whole seconds since the Unix epoch, rounded down, and nanoseconds from 0 to
 * 999,999,999; a span likewise. Both numbers are exact for every time that fits in 64 bits of nanoseconds.
 */

/** Nanoseconds of a second. */
export const SECOND_NS = 1_000_000_000

/** The longest span: as many nanoseconds as fit in 63 bits. */
const LONGEST_SECOND = 9_223_372_036
const LONGEST_NANOSECOND = 854_775_807

/** From one time to another, at least a span has passed. */
export function hasPassed(
  sinceSecond: number,
  sinceNanosecond: number,
  second: number,
  nanosecond: number,
  spanSecond: number,
  spanNanosecond: number,
): boolean {
  const seconds = second - sinceSecond
  if (seconds < spanSecond) return false
  const nanoseconds = nanosecond - sinceNanosecond + (seconds - spanSecond) * SECOND_NS
  return nanoseconds >= spanNanosecond
}

/** A span given in seconds, as whole seconds and nanoseconds; what is too long, `Infinity` too, is the longest. */
export function spanOf(seconds: number): [second: number, nanosecond: number] {
  const nanoseconds = Math.trunc(seconds * SECOND_NS)
  if (!(nanoseconds < 2 ** 63)) return [LONGEST_SECOND, LONGEST_NANOSECOND]
  const rest = nanoseconds % SECOND_NS
  return [(nanoseconds - rest) / SECOND_NS, rest]
}

/** The first whole second at or after a time that lies a span after another one. */
export function secondAfter(second: number, nanosecond: number, spanSecond: number, spanNanosecond: number): number {
  const nanoseconds = nanosecond + spanNanosecond
  const whole = second + spanSecond + (nanoseconds > SECOND_NS ? 2 : nanoseconds > 0 ? 1 : 0)
  return Math.min(whole, LONGEST_SECOND + 1)
}
