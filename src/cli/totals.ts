/** What a run came to, in a few words on stderr: nothing is left out silently. */
import type { ObserveStats, StreamStats } from '../index.js'

/** Totals of a run over flows. */
export function flowTotals(stats: ObserveStats, seconds: number): string {
  return totals(stats, 'flow', seconds)
}

/** Totals of a run over connections. */
export function connectionTotals(stats: StreamStats, seconds: number): string {
  return totals(stats, 'connection', seconds)
}

type Counted = Partial<ObserveStats & StreamStats> & Pick<ObserveStats, 'packets' | 'flows'>

/** One line, and one for each kind of packet or loss that the records don't show. */
function totals(stats: Counted, noun: string, seconds: number): string {
  const rate = Math.round(stats.packets / Math.max(seconds, 0.001))
  const took = `${seconds.toFixed(2)} s (${number(rate)} packets/s)`
  const lines = [`${count(stats.packets, 'packet')}, ${count(stats.flows, noun)} in ${took}`]
  for (const [name, words] of REASONS) {
    const value = stats[name] ?? 0
    if (value > 0) lines.push(`  ${number(value)} ${words.replace('%', noun)}`)
  }
  return `${lines.join('\n')}\n`
}

const REASONS: readonly (readonly [keyof Counted, string])[] = [
  ['filtered', 'packets left out by the filter'],
  ['nonIp', 'packets without IP'],
  ['unknownLink', 'packets of an unknown link type'],
  ['cut', 'packets cut inside a header'],
  ['broken', 'packets with a broken header'],
  ['shortKey', 'packets without ports (later fragments, or cut)'],
  ['badSegments', 'packets with a broken or cut TCP header'],
  ['ignored', 'packets of ignored flows'],
  ['evicted', '%s ended early: the table was full'],
  ['limitGaps', 'holes given up: too many octets waited'],
  ['wildSegments', 'segments out of every window'],
]

function count(n: number, word: string): string {
  return `${number(n)} ${word}${n === 1 ? '' : 's'}`
}

function number(n: number): string {
  return n.toLocaleString('en')
}
