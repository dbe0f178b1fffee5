/** What `tcpskein info` prints. */
import type { CaptureInfo } from '../index.js'
import type { Findings, Share } from './info.js'
import type { Talker } from './talkers.js'

type Line = readonly [name: string, value: string]

/** Sums that follow from a capture's own. */
function rates({ packets, wireBytes, firstNs, lastNs }: CaptureInfo) {
  const durationNs = firstNs === null || lastNs === null ? null : lastNs - firstNs
  const seconds = durationNs === null ? 0 : Number(durationNs) / 1e9
  const perSecond = (amount: number) => (seconds > 0 ? amount / seconds : null)
  return {
    durationNs,
    averagePacketBytes: packets > 0 ? wireBytes / packets : null,
    bytesPerSecond: perSecond(wireBytes),
    bitsPerSecond: perSecond(wireBytes * 8),
    packetsPerSecond: perSecond(packets),
  }
}

/** One line of JSON. Times are integers with all their digits. */
export function toJson({ capture, ...findings }: Findings): string {
  const { name, ...rest } = capture
  const all = { name, ...rest, ...rates(capture), ...findings }
  // JSON has no bigints, but integers of any length.
  const members = Object.entries(all).map(([key, value]) => {
    const text = typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
    return `${JSON.stringify(key)}:${text}`
  })
  return `{${members.join(',')}}\n`
}

/** Some lines for people. */
export function describe({ capture, fileBytes, sha256, matching, protocols, flows, talkers, talkersApproximate }: Findings): string {
  const { durationNs, averagePacketBytes, bytesPerSecond, bitsPerSecond, packetsPerSecond } = rates(capture)
  const lines: Line[] = [
    ['file', printable(capture.name)],
    ['format', formatName(capture)],
    ['file size', fileBytes === null ? '-' : octets(fileBytes)],
    ...(sha256 === null ? [] : [['SHA-256', sha256] as const]),
    ['packets', number(capture.packets)],
    ['data size', octets(capture.wireBytes)],
    ['captured', octets(capture.capturedBytes)],
    ['first packet', time(capture.firstNs)],
    ['last packet', time(capture.lastNs)],
    ['duration', durationNs === null ? '-' : `${decimal(durationNs)} s`],
    ['data rate', bytesPerSecond === null ? '-' : `${number(bytesPerSecond)} octets/s (${number(bitsPerSecond!)} bit/s)`],
    ['packet rate', packetsPerSecond === null ? '-' : `${number(packetsPerSecond, 2)} packets/s`],
    ['average packet', averagePacketBytes === null ? '-' : `${number(averagePacketBytes, 2)} octets`],
    ['time order', capture.inOrder ? 'strict' : 'not strict'],
    ...origin(capture),
    ...capture.interfaces.slice(0, MOST_LINES).map(interfaceLine),
    ...more('interfaces', capture.interfaceCount - Math.min(capture.interfaces.length, MOST_LINES)),
    ...capture.comments.slice(0, MOST_LINES).map(text => ['comment', printable(text)] as const),
    ...more('comments', capture.commentCount - Math.min(capture.comments.length, MOST_LINES)),
    ...oddities(capture),
    ...(matching === null ? [] : [['matching', `${number(matching)} packets, which all that follows is of`] as const]),
    ['flows', number(flows)],
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  const head = lines.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${value}\n`).join('')
  return head + shareTable(protocols) + talkerTable(talkers, talkersApproximate)
}

/** Interfaces and comments that are shown; JSON has more. */
const MOST_LINES = 16

function more(what: string, left: number): Line[] {
  return left > 0 ? [[what, `${number(left)} more`]] : []
}

function formatName({ format, byteOrder, compression, sections }: CaptureInfo): string {
  const parts = [format, `${byteOrder} endian`]
  if (sections > 1) parts.push(`${sections} sections`)
  if (compression !== null) parts.push(`compressed with ${compression}`)
  return parts.join(', ')
}

function origin({ hardware, os, application }: CaptureInfo): Line[] {
  const lines = [
    ['hardware', hardware],
    ['system', os],
    ['written by', application],
  ] as const
  return lines.flatMap(([name, value]) => (value === null ? [] : [[name, printable(value)] as const]))
}

function interfaceLine(one: CaptureInfo['interfaces'][number]): Line {
  const type = `${one.linkTypeName ?? 'unknown'} (link type ${one.linkType})`
  const counts = [
    ['received', one.received],
    ['dropped', one.dropped],
    ['accepted by the filter', one.filterAccepted],
    ['dropped by the system', one.osDropped],
    ['delivered', one.delivered],
    ['lost', one.lostPackets === 0 ? null : one.lostPackets],
  ] as const
  const parts = [
    ...(one.name === null ? [] : [printable(one.name)]),
    ...(one.description === null ? [] : [`'${printable(one.description)}'`]),
    type,
    one.snaplen === 0 ? 'no snapshot limit' : `snapshot ${number(one.snaplen)}`,
    `ticks of ${one.resolution} s`,
    ...(one.speed === null ? [] : [`${number(one.speed)} bit/s`]),
    ...(one.filter === null ? [] : [`filter '${printable(one.filter)}'`]),
    ...counts.flatMap(([name, n]) => (n === null ? [] : [`${number(n)} ${name}`])),
  ]
  return [`interface ${one.id}`, parts.join(', ')]
}

function oddities(capture: CaptureInfo): Line[] {
  const { untimedPackets, shortWireLengths, badOptions, notes } = capture
  const lines: Line[] = notes.map(note => ['note', printable(note)] as const)
  if (untimedPackets > 0) lines.push(['note', `${number(untimedPackets)} packets carry no time`])
  if (shortWireLengths > 0) lines.push(['note', `${number(shortWireLengths)} packets are longer than they were on the wire`])
  if (badOptions > 0) lines.push(['note', `${number(badOptions)} option lists are damaged`])
  return lines
}

function shareTable(shares: readonly Share[]): string {
  return table(
    ['protocol', 'packets', 'octets'],
    shares.map(({ name, packets, octets }) => [name, number(packets), octets === null ? '-' : number(octets)]),
  )
}

function talkerTable(talkers: readonly Talker[], approximate: boolean): string {
  return table(
    [approximate ? 'address (at least)' : 'address', 'packets', 'octets'],
    talkers.map(({ address, packets, octets }) => [address, number(packets), number(octets)]),
  )
}

/** Names to the left, numbers to the right. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map(row => row[column]!.length)))
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')
  return `\n${all.map(row => `${line(row)}\n`).join('')}`
}

/** Nanoseconds as seconds with nine places. */
function decimal(ns: bigint): string {
  return `${ns / 1_000_000_000n}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}`
}

/** UTC, with nanoseconds. */
function time(ns: bigint | null): string {
  if (ns === null) return '-'
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const seconds = new Date(Number((ns - fraction) / 1_000_000n)).toISOString().slice(0, 19)
  return `${seconds.replace('T', ' ')}.${fraction.toString().padStart(9, '0')} UTC`
}

function octets(n: number): string {
  return `${number(n)} octets`
}

function number(n: number, places = 0): string {
  return n.toLocaleString('en', { maximumFractionDigits: places, minimumFractionDigits: places })
}

/** Texts come from the file: nothing in them may drive the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, c => `\\u{${c.codePointAt(0)!.toString(16)}}`)
}
