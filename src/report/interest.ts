/** Which connections are worth a look: those with many marked segments, resets and gaps, and those with many octets. */
import type { Numbers } from './container.js'
import type { ConnectionTable } from './table.js'

/** Columns `*_fwd` and `*_rev` whose values are signs of trouble, and what one of them weighs. */
const TROUBLE: Readonly<Record<string, number>> = {
  kind_retransmission: 1,
  kind_out_of_order: 1,
  kind_lost_segment: 1,
  kind_ack_lost_segment: 1,
  kind_zero_window: 2,
  kind_window_full: 1,
  rst: 1,
}

/**
 * Serial numbers of the `n` most interesting connections, most interesting first. The measure is 3 × log2(1 + marked
 * segments) + log2(1 + octets of payload): a problem counts most, but not a thousand times as much for being frequent.
 */
export function mostInteresting({ meta, arrays }: ConnectionTable, n: number): number[] {
  const ids = arrays.connection_id
  if (ids === undefined) return []
  const weighed = Object.entries(TROUBLE).flatMap(([name, weight]) =>
    ['_fwd', '_rev'].map((way): [Numbers, number] => [arrays[name + way]!, weight]),
  )
  const [fwd, rev] = [arrays.payload_bytes_fwd!, arrays.payload_bytes_rev!]
  const scores = Float64Array.from({ length: meta.length }, (_, row) => {
    const trouble = weighed.reduce((sum, [values, weight]) => sum + values[row]! * weight, 0)
    return 3 * Math.log2(1 + trouble) + Math.log2(1 + fwd[row]! + rev[row]!)
  })
  const order = Uint32Array.from(scores.keys()).toSorted((a, b) => scores[b]! - scores[a]! || a - b)
  return Array.from(order.subarray(0, n), row => ids[row]!)
}
