/** What a run came to, in a few words on stderr: nothing is left out silently. */
import type { ObserveStats } from '../index.js'

/** One line, and one for each kind of packet that gave no record. */
export function flowTotals(stats: ObserveStats, seconds: number): string {
  const rate = Math.round(stats.packets / Math.max(seconds, 0.001))
  const lines = [
    `${count(stats.packets, 'packet')}, ${count(stats.flows, 'flow')} in ${seconds.toFixed(2)} s (${number(rate)} packets/s)`,
    ...REASONS.filter(([name]) => stats[name] > 0).map(([name, words]) => `  ${number(stats[name])} ${words}`),
  ]
  return `${lines.join('\n')}\n`
}

const REASONS: readonly (readonly [keyof ObserveStats, string])[] = [
  ['nonIp', 'packets without IP'],
  ['unknownLink', 'packets of an unknown link type'],
  ['cut', 'packets cut inside a header'],
  ['broken', 'packets with a broken header'],
  ['shortKey', 'packets without ports (later fragments, or cut)'],
  ['badSegments', 'packets with a broken or cut TCP header'],
  ['ignored', 'packets of ignored flows'],
  ['evicted', 'flows ended early: the table was full'],
]

function count(n: number, word: string): string {
  return `${number(n)} ${word}${n === 1 ? '' : 's'}`
}

function number(n: number): string {
  return n.toLocaleString('en')
}
