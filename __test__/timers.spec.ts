// The order in which flows end, where many end at once.
import test from 'ava'
import { inOrder } from '../src/flow/timers.js'

/** Pairs of slot and serial number, the latter all different, in no order. */
function shuffled(count: number, slots: number, serials: number): number[] {
  const list: number[] = []
  // A step that shares no divisor with the prime count of places visits each once.
  for (let i = 0, at = 0; i < count; i++, at = (at + 48_271) % 104_729) list.push((i * 7919) % slots, Math.floor((at / 104_729) * serials))
  return list
}

function sortedSlowly(list: readonly number[]): number[] {
  const pairs = Array.from({ length: list.length / 2 }, (_, i) => list.slice(2 * i, 2 * i + 2))
  return pairs.toSorted(([, a], [, b]) => a! - b!).flat()
}

for (const [what, slots, serials] of [
  ['few', 50, 104_729],
  ['the most that fit into a number', 2 ** 22, 2 ** 31],
  ['more slots than fit', 2 ** 22 + 100_000, 2 ** 31],
  ['more flows than fit', 1000, 2 ** 40],
] as const)
  test(`flows end in the order in which they began: ${what}`, t => {
    const list = shuffled(5000, slots, serials)
    // The last slot and the last serial number too.
    list.push(slots - 1, serials - 1, 0, serials - 2)
    t.deepEqual(inOrder(list), sortedSlowly(list))
    const ordered = sortedSlowly(list)
    t.deepEqual(inOrder(ordered), ordered)
    t.deepEqual(inOrder([]), [])
  })
