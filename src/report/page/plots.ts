/** The plots of one connection: what each draws, and its legend with numbers. */
import { drawDots, drawLine, type Canvas, type Plot, type Range } from './chart.js'
import { duration, number, octets, rate } from './format.js'
import { FLAG, KIND, type Segments, type Way } from './segments.js'

/** An entry of a legend: a colour, what it is, and how much of it there is. */
export interface LegendEntry {
  readonly color: string
  readonly name: string
  readonly value?: string
  readonly line?: boolean
}

/** A plot with its legend. */
export interface NamedPlot {
  readonly plot: Plot
  readonly legend: readonly LegendEntry[]
  /** What must be said of it. */
  readonly note?: string
}

const WHO = ['the client', 'the server'] as const

const wide = (seconds: number): Range => (seconds > 0 ? [-seconds * 0.01, seconds * 1.02] : [-1e-5, 1e-3])
const tall = (most: number): Range => [0, most > 0 ? most * 1.06 : 1]
const most = (values: Iterable<number>): number => {
  let found = 0
  for (const value of values) if (value > found) found = value
  return found
}

/** Marks of duplicate acknowledgements in view. */
const MOST_DOTS = 250

/** What says that not all segments are there. */
function thinned({ meta, length }: Segments): string | undefined {
  if (meta.every === 1 && meta.everyMarked === 1) return undefined
  const marked = meta.everyMarked === 1 ? 'all' : `one in ${meta.everyMarked}`
  return `${number(length)} of ${number(meta.segments)} segments are drawn: ${marked} of those that are retransmitted, out of order, behind a loss, without window, or open and close; one in ${meta.every} of the others.`
}

/** Segments of one direction by their place in the stream, with the other side's acknowledgements and window. */
export function sequencePlot(segments: Segments, way: Way): NamedPlot {
  const at = (name: string) => segments.column(name)
  const [t, rev, flags, kind] = [at('t'), at('rev'), at('flags'), at('kind')]
  const [offset, length, ack, window] = [at('offset'), at('length'), at('ack'), at('window')]
  const sent = segments.rows(row => rev[row] === way && (length[row]! > 0 || (flags[row]! & (FLAG.syn | FLAG.fin | FLAG.rst)) !== 0))
  const data = sent.filter(row => length[row]! > 0)
  const isAgain = (row: number) => (kind[row]! & KIND.retransmission) !== 0
  const isLate = (row: number) => (kind[row]! & KIND.outOfOrder) !== 0
  // Of those without payload, a SYN or FIN may be sent again.
  const [again, late] = [sent.filter(isAgain), data.filter(isLate)]
  const acks = segments.rows(row => rev[row] !== way && !Number.isNaN(ack[row]!) && (flags[row]! & FLAG.rst) === 0)
  const windows = acks.filter(row => !Number.isNaN(window[row]!))
  const sacks = [...at('sackRev').keys()].filter(row => at('sackRev')[row] !== way)
  const highest = Math.max(most(sent.map(row => offset[row]! + length[row]!)), most(acks.map(row => ack[row]!)))
  const ceiling = most(windows.map(row => ack[row]! + window[row]!))
  // A large window would leave the data no height.
  const top = ceiling > highest * 1.6 ? highest : Math.max(highest, ceiling)
  const duplicates = acks.filter(row => (kind[row]! & KIND.duplicateAck) !== 0)
  const zeros = acks.filter(row => (kind[row]! & KIND.zeroWindow) !== 0)
  const seconds = (rows: readonly number[]) => rows.map(row => t[row]! / 1e9)
  const draw = (canvas: Canvas) => {
    drawLine(canvas, 'window', seconds(windows), windows.map(row => ack[row]! + window[row]!), true)
    drawLine(canvas, 'ack', seconds(acks), acks.map(row => ack[row]!), true)
    for (const row of sacks) bar(canvas, 'sack', at('sackT')[row]! / 1e9, at('sackLeft')[row]!, at('sackRight')[row]!, 2)
    for (const row of data) bar(canvas, isAgain(row) ? 'again' : isLate(row) ? 'late' : 'data', t[row]! / 1e9, offset[row]!, offset[row]! + length[row]!, isAgain(row) ? 2.5 : 1.5)
    for (const row of sent) if ((flags[row]! & (FLAG.syn | FLAG.fin | FLAG.rst)) !== 0) letter(canvas, flags[row]!, t[row]! / 1e9, offset[row]!, isAgain(row))
    const inView = duplicates.filter(row => t[row]! / 1e9 >= canvas.view[0] && t[row]! / 1e9 <= canvas.view[1])
    // Where there are many they would hide the line that they stand on.
    if (inView.length <= MOST_DOTS) drawDots(canvas, 'ack', seconds(inView), inView.map(row => ack[row]!), 4)
    drawDots(canvas, 'again', seconds(zeros), zeros.map(row => ack[row]!), 5)
  }
  const legend: LegendEntry[] = [
    { color: 'data', name: 'segments', value: number(data.length) },
    { color: 'again', name: 'retransmissions', value: number(again.length) },
    { color: 'late', name: 'out of order', value: number(late.length) },
    { color: 'ack', name: 'acknowledged', line: true, value: number(acks.length) },
    { color: 'ack', name: 'duplicate acknowledgements', value: number(duplicates.length) },
    { color: 'window', name: 'end of the window', line: true, ...(ceiling > top ? { value: 'goes beyond' } : {}) },
    { color: 'sack', name: 'SACK blocks', value: number(sacks.length) },
    { color: 'again', name: 'zero windows', value: number(zeros.length) },
  ]
  const summary = legend.filter(({ value }) => value !== undefined).map(({ name, value }) => `${value} ${name}`).join(', ')
  const note = thinned(segments)
  return {
    plot: {
      label: `Time and sequence of what ${WHO[way]} sent: ${summary}.`,
      x: wide(segments.seconds),
      y: tall(top),
      format: octets,
      draw,
      readout: nearest(segments, [...sent, ...acks], row => (rev[row] === way ? offset[row]! + length[row]! / 2 : ack[row]!)),
    },
    legend: legend.filter(({ value, name }) => value !== '0' || name === 'segments' || name === 'retransmissions'),
    ...(note === undefined ? {} : { note }),
  }
}

/** From one place in the stream to another, at a time; a tick at each end where there is room. */
function bar({ context, ratio, x, y, color }: Canvas, name: string, t: number, from: number, to: number, width: number): void {
  const [px, low, high] = [x(t), y(from), y(to)]
  context.fillStyle = color(name)
  const w = width * ratio
  context.fillRect(px - w / 2, high, w, Math.max(2 * ratio, low - high))
  if (low - high < 8 * ratio) return
  for (const end of [low, high]) context.fillRect(px - 2.5 * ratio, end - ratio / 2, 5 * ratio, ratio)
}

function letter({ context, ratio, x, y, color }: Canvas, flags: number, t: number, at: number, again: boolean): void {
  const text = (flags & FLAG.rst) !== 0 ? 'R' : (flags & FLAG.syn) !== 0 ? 'S' : 'F'
  context.fillStyle = color(text === 'R' || again ? 'again' : 'quiet')
  context.font = `600 ${10 * ratio}px system-ui, sans-serif`
  context.fillText(text, x(t) + 3 * ratio, y(Math.max(0, at)) - 3 * ratio)
}

/** Tells of the row whose place is nearest. */
function nearest(segments: Segments, rows: readonly number[], place: (row: number) => number): (x: number, y: number, reach: Range) => string {
  const t = segments.column('t')
  return (x, y, [reachX, reachY]) => {
    let [best, least] = [-1, 4]
    for (const row of rows) {
      const distance = Math.hypot((t[row]! / 1e9 - x) / reachX, (place(row) - y) / reachY)
      if (distance < least) [best, least] = [row, distance]
    }
    return best < 0 ? '' : segments.describe(best)
  }
}

/** Round-trip samples of one direction's octets. */
export function roundTripPlot(segments: Segments, way: Way): NamedPlot {
  const { meta } = segments
  const [t, rtt, rev] = [segments.column('rttT'), segments.column('rtt'), segments.column('rttRev')]
  const rows = [...rtt.keys()].filter(row => rev[row] === way)
  const xs = rows.map(row => t[row]! / 1e9)
  const ys = rows.map(row => rtt[row]! / 1e6)
  const sorted = rows.map(row => rtt[row]!).toSorted((a, b) => a - b)
  const part = (share: number) => (sorted.length === 0 ? '–' : duration(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!))
  const readout = (x: number, y: number, [reachX, reachY]: Range) => {
    let [best, least] = [-1, 4]
    for (const i of rows.keys()) {
      const distance = Math.hypot((xs[i]! - x) / reachX, (ys[i]! - y) / reachY)
      if (distance < least) [best, least] = [i, distance]
    }
    return best < 0 ? '' : `${duration(t[rows[best]!]!)} · round trip ${duration(rtt[rows[best]!]!)}`
  }
  return {
    plot: {
      label: `Round trips of what ${WHO[way]} sent: ${number(meta.samples[way])} samples, least ${part(0)}, median ${part(0.5)}, 95 % within ${part(0.95)}.`,
      x: wide(segments.seconds),
      y: tall(most(ys)),
      format: value => duration(value * 1e6),
      draw(canvas) {
        drawLine(canvas, 'faint', xs, ys, false)
        drawDots(canvas, 'data', xs, ys, 3.5)
      },
      readout,
    },
    legend: [
      { color: 'data', name: 'samples', value: number(meta.samples[way]) },
      { color: 'quiet', name: 'least', value: part(0) },
      { color: 'quiet', name: 'median', value: part(0.5) },
      { color: 'quiet', name: '95 %', value: part(0.95) },
    ],
    ...(meta.everySample === 1 ? {} : { note: `One in ${meta.everySample} samples is drawn.` }),
  }
}

/** Bins that are drawn at most: fewer are easier to read. */
const DRAWN_BINS = 150

/** Octets over time of one direction: all of payload, and those that hadn't been sent before. */
export function throughputPlot(segments: Segments, way: Way): NamedPlot {
  const { meta } = segments
  const [all, fresh] = [segments.column(way === 0 ? 'sentFwd' : 'sentRev'), segments.column(way === 0 ? 'newFwd' : 'newRev')]
  const together = Math.max(1, Math.ceil(all.length / DRAWN_BINS))
  const width = (meta.binMs * together) / 1000
  const start = meta.binStartMs / 1000
  const sums = (values: ArrayLike<number>) =>
    Array.from({ length: Math.ceil(values.length / together) }, (_, i) => {
      let sum = 0
      for (let j = i * together; j < Math.min(values.length, (i + 1) * together); j++) sum += values[j]!
      return (sum * 8) / width
    })
  const [sent, delivered] = [sums(all), sums(fresh)]
  const edges = (values: readonly number[]) => [values.flatMap((_, i) => [start + i * width, start + (i + 1) * width]), values.flatMap(value => [value, value])] as const
  const octetsSent = Array.from(all).reduce((sum, value) => sum + value, 0)
  const octetsNew = Array.from(fresh).reduce((sum, value) => sum + value, 0)
  return {
    plot: {
      label: `Rate of what ${WHO[way]} sent, in bins of ${duration(width * 1e9)}: at most ${rate(most(sent))}.`,
      x: wide(Math.max(segments.seconds, start + sent.length * width)),
      y: tall(most(sent)),
      format: rate,
      draw(canvas) {
        for (const [name, values] of [['again', sent], ['data', delivered]] as const) fill(canvas, name, values, start, width)
        drawLine(canvas, 'data', ...edges(delivered), false)
      },
      readout(x) {
        const i = Math.floor((x - start) / width)
        return sent[i] === undefined ? '' : `${duration((start + i * width) * 1e9)} · ${rate(sent[i])} payload, ${rate(delivered[i]!)} sent for the first time`
      },
    },
    legend: [
      { color: 'data', name: 'sent for the first time', value: octets(octetsNew) },
      { color: 'again', name: 'sent again', value: octets(octetsSent - octetsNew) },
      { color: 'quiet', name: 'bins of', value: duration(width * 1e9) },
    ],
  }
}

function fill({ context, x, y, color }: Canvas, name: string, values: readonly number[], start: number, width: number): void {
  context.save()
  context.globalAlpha = name === 'again' ? 0.9 : 1
  context.fillStyle = color(name)
  for (const [i, value] of values.entries()) {
    const [left, right] = [x(start + i * width), x(start + (i + 1) * width)]
    if (value > 0) context.fillRect(left, y(value), Math.max(1, right - left - (right - left > 4 ? 1 : 0)), y(0) - y(value))
  }
  context.restore()
}

/** What one side had under way, and what the other allowed. */
export function windowPlot(segments: Segments, way: Way): NamedPlot {
  const at = (name: string) => segments.column(name)
  const [t, rev, flags, window, flight, length] = [at('t'), at('rev'), at('flags'), at('window'), at('flight'), at('length')]
  const senders = segments.rows(row => rev[row] === way && length[row]! > 0 && !Number.isNaN(flight[row]!))
  const receivers = segments.rows(row => rev[row] !== way && !Number.isNaN(window[row]!) && (flags[row]! & (FLAG.syn | FLAG.rst)) === 0)
  const [flights, windows] = [senders.map(row => flight[row]!), receivers.map(row => window[row]!)]
  const seconds = (rows: readonly number[]) => rows.map(row => t[row]! / 1e9)
  const note = thinned(segments)
  return {
    plot: {
      label: `Octets under way from ${WHO[way]}, at most ${octets(most(flights))}, and the window that the other side gave, at most ${octets(most(windows))}.`,
      x: wide(segments.seconds),
      y: tall(Math.max(most(flights), most(windows))),
      format: octets,
      draw(canvas) {
        drawLine(canvas, 'window', seconds(receivers), windows, true)
        drawLine(canvas, 'data', seconds(senders), flights, true)
        drawDots(canvas, 'data', seconds(senders), flights, 2.5)
      },
      readout: nearest(segments, [...senders, ...receivers], row => (rev[row] === way ? flight[row]! : window[row]!)),
    },
    legend: [
      { color: 'data', name: 'under way, at most', line: true, value: octets(most(flights)) },
      { color: 'window', name: "the receiver's window, at most", line: true, value: windows.length === 0 ? 'not known' : octets(most(windows)) },
    ],
    ...(note === undefined ? {} : { note }),
  }
}
