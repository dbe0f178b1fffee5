/**
 * Which octets stay when two segments that both wait overlap. Mirrors `core::stream::policy`.
 *
 * The rules are those of target-based reassembly (Novak and Sturges, 2007), which describe what hosts do. Octets that
 * were delivered are out of reach for every policy.
 */

/** Whether a new segment `[from, to)` takes the octets that it shares with a waiting piece `[oldFrom, oldTo)`. */
export type NewWins = (oldFrom: number, oldTo: number, from: number, to: number) => boolean

/** The rule of each policy. A piece is judged by what earlier overlaps left of it. */
export const POLICIES: Readonly<Record<string, NewWins>> = {
  /** What came first stays. Also Windows Vista and later. */
  first: () => false,
  /** What came last stays. */
  last: () => true,
  /** What came first, unless the later segment begins before it. */
  bsd: (oldFrom, _oldTo, from) => from < oldFrom,
  /** As `bsd`; of two that begin at the same octet, a longer later one wins. */
  linux: (oldFrom, oldTo, from, to) => from < oldFrom || (from === oldFrom && to > oldTo),
  /** As `bsd`; of two that begin at the same octet, a later one wins unless it is shorter. */
  'old-linux': (oldFrom, oldTo, from, to) => from < oldFrom || (from === oldFrom && to >= oldTo),
  /** The later segment wins if it ends after the earlier one, or at the same octet without beginning after it. */
  solaris: (oldFrom, oldTo, from, to) => to > oldTo || (to === oldTo && from <= oldFrom),
}
