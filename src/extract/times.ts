/** Times as whole seconds and nanoseconds, so that no digit is lost, and as decimal text. */

const NS = 1_000_000_000

/** A time, or a span between two: `nanosecond` is 0 or more and below 10^9, also where `second` is negative. */
export function secondsText(second: number, nanosecond: number): string {
  if (second < 0 && nanosecond > 0) return `-${unsigned(-second - 1, NS - nanosecond)}`
  return second < 0 ? `-${unsigned(-second, 0)}` : unsigned(second, nanosecond)
}

/** The span between two times, as text; negative where the second one is earlier. */
export function spanText(second: number, nanosecond: number, sinceSecond: number, sinceNanosecond: number): string {
  const rest = nanosecond - sinceNanosecond
  return rest < 0 ? secondsText(second - sinceSecond - 1, rest + NS) : secondsText(second - sinceSecond, rest)
}

function unsigned(second: number, nanosecond: number): string {
  return `${second}.${String(NS + nanosecond).slice(1)}`
}
