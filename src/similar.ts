/** What may have been meant: the words that differ least from a mistyped one. */

/**
 * The candidates nearest to `word`, best first: at most three, and none that differs in more than 40 percent.
 *
 * @returns an empty list where nothing comes near
 */
export function similar(word: string, candidates: Iterable<string>): string[] {
  const near = [...new Set(candidates)]
    .map(candidate => ({ candidate, steps: editSteps(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, steps }) => steps <= Math.max(word.length, candidate.length) * 0.4 && candidate !== word)
  return near.toSorted((a, b) => a.steps - b.steps).slice(0, 3).map(({ candidate }) => candidate)
}

/** Letters to insert, remove, change or swap with their neighbour, to make one word of the other. */
function editSteps(from: string, to: string): number {
  let [older, old]: [number[], number[]] = [[], Array.from({ length: to.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const change = old[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swap = swapped ? older[j - 2]! + 1 : Infinity
      row.push(Math.min(change, swap, old[j]! + 1, row[j - 1]! + 1))
    }
    ;[older, old] = [old, row]
  }
  return old[to.length]!
}
