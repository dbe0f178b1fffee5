/** What a run came to, in a few words on stderr: nothing is left out silently. */
import {
  linkTypeName,
  type DecodeTcpStats,
  type ExtractStats,
  type ObserveStats,
  type RecordStats,
  type StreamStats,
  type TraceStats,
} from '../index.js'

/** Totals of a run over flows. */
export function flowTotals(stats: ObserveStats, seconds: number): string {
  return totals(stats, 'flow', seconds)
}

/** Totals of a run over packets. */
export function packetTotals(stats: ObserveStats, seconds: number): string {
  return [`${count(stats.packets, 'packet')} ${pace(stats.packets, seconds)}`, ...reasons(stats, 'flow'), ...unknownLinks(stats), ''].join('\n')
}

/** Totals of a run over connections. */
export function connectionTotals(stats: StreamStats, seconds: number): string {
  return totals(stats, 'connection', seconds)
}

/** Totals of a run that writes a file per flow. */
export function traceTotals(stats: TraceStats, seconds: number): string {
  const written = `  ${count(stats.files, 'file')}, ${number(stats.writtenBytes)} octets, at most ${number(stats.mostOpenFiles)} open at a time\n`
  return totals(stats, 'flow', seconds) + written
}

/** Totals of a run over streams that are written. */
export function streamTotals(stats: ExtractStats, seconds: number): string {
  return totals({ ...stats, flows: stats.streams }, 'stream', seconds)
}

/** Totals of a recording. */
export function recordTotals(stats: RecordStats, seconds: number): string {
  const { packets, fileBytes, files } = stats
  const took = `${seconds.toFixed(2)} s (${number(Math.round(packets / Math.max(seconds, 0.001)))} packets/s)`
  const lines = [`${count(packets, 'packet')}, ${count(fileBytes, 'octet')} in ${count(files, 'file')} in ${took}`]
  return `${[...lines, ...reasons(stats, 'recording')].join('\n')}\n`
}

type Counted = Partial<ObserveStats & ExtractStats & DecodeTcpStats & TraceStats> & Pick<ObserveStats, 'packets' | 'flows'>

/** One line, and one for each kind of packet or loss that the records don't show. */
function totals(stats: Counted, noun: string, seconds: number): string {
  const lines = [`${count(stats.packets, 'packet')}, ${count(stats.flows, noun)} ${pace(stats.packets, seconds)}`]
  return `${[...lines, ...reasons(stats, noun), ...unknownLinks(stats)].join('\n')}\n`
}

function pace(packets: number, seconds: number): string {
  return `in ${seconds.toFixed(2)} s (${number(Math.round(packets / Math.max(seconds, 0.001)))} packets/s)`
}

/** What is more than 0, a line each. */
function reasons(stats: Partial<Counted>, noun: string): string[] {
  return REASONS.filter(([name]) => (stats[name] ?? 0) > 0).map(
    ([name, words]) => `  ${number(stats[name]!)} ${words.replace('%', noun)}`,
  )
}

const REASONS: readonly (readonly [Exclude<keyof Counted, 'unknownLinkTypes'>, string])[] = [
  ['dropped', 'packets dropped by the system: they were not taken in time (--ring makes more room)'],
  ['droppedByInterface', 'packets dropped by the interface'],
  ['filtered', 'packets left out by the filter'],
  ['nonIp', 'packets without IP'],
  ['unknownLink', 'packets of an unknown link type'],
  ['cut', 'packets cut inside a header'],
  ['broken', 'packets with a broken header'],
  ['fragments', 'packets are fragments'],
  ['reassembled', 'datagrams put together from fragments'],
  ['incomplete', 'datagrams with fragments missing at the end'],
  ['fragmentTimeouts', 'datagrams given up: their fragments did not come in time'],
  ['fragmentEvictions', 'datagrams given up: too many fragments at a time'],
  ['invalidFragments', 'fragments that can not be'],
  ['fragmentOverlaps', 'fragments that overlap others'],
  ['badChecksums', 'packets with a bad checksum'],
  ['shortKey', 'packets without ports (cut)'],
  ['badSegments', 'packets with a broken or cut TCP header'],
  ['ignored', 'packets of ignored flows'],
  ['evicted', '%s ended early: the table was full'],
  ['limitGaps', 'holes given up: too many octets waited'],
  ['wildSegments', 'segments out of every window'],
  ['notTcp', 'packets without TCP'],
  ['lostFragments', 'fragments in no file: others of their datagram are missing'],
  ['badTimes', 'packets whose time a pcap file can not hold'],
  ['unwrittenBytes', 'octets not written'],
  ['withoutAck', 'segments with neither SYN nor ACK'],
  ['mergedPushes', 'pushes that come with a later one: too many waited'],
  ['missedBytes', 'octets left out: too many were kept'],
  ['staleStreams', '%s that ended as stale'],
  ['unclaimedFragments', 'fragments that belong to no stream'],
  ['writerErrors', 'failures of writers'],
]

/** One line for each unknown link type that was told apart, the most frequent first, and one for all others. */
function unknownLinks(stats: Counted): string[] {
  const found = Object.entries(stats.unknownLinkTypes ?? {}).toSorted(([, a], [, b]) => b - a)
  const others = found.reduce((rest, [, packets]) => rest - packets, stats.unknownLink ?? 0)
  const lines = found.map(([type, packets]) => `    ${number(packets)} of link type ${type}${linkName(Number(type))}`)
  return others > 0 && found.length > 0 ? [...lines, `    ${number(others)} of others`] : lines
}

function linkName(type: number): string {
  const name = linkTypeName(type)
  return name === null ? '' : ` (${name})`
}

/** A number and what is counted. */
export function count(n: number, word: string): string {
  return `${number(n)} ${word}${n === 1 ? '' : 's'}`
}

function number(n: number): string {
  return n.toLocaleString('en')
}
