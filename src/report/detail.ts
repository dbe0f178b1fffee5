/** What the page shows of one connection: its segments come in, in capture order; out comes a container. */
import { encodeContainer, narrowed } from './container.js'
import { TimeBins } from './bins.js'
import { KeptRows } from './kept-rows.js'
import { RoundTrips } from './round-trips.js'
import type { DetailMeta, HeadRange } from './shapes.js'

/** One segment, as numbers. `rev`: 1 = from the server. `ack` and `window`: NaN = none. `sack`: left and right edges. */
export interface SegmentNumbers {
  packet: number
  ns: bigint
  rev: number
  flags: number
  kind: number
  offset: number
  length: number
  ack: number
  window: number
  sack: readonly number[]
}

const FIN = 1
const SYN = 2
const RST = 4

/**
 * Kinds by which a segment is kept before others: all but duplicate acknowledgements, keep-alives, their answers and
 * window updates, which are many in transfers that go well.
 */
const MARKS = 0b1_0001_1011_1111

/** Places in a row of a segment. */
const COLUMNS = ['packet', 't', 'rev', 'flags', 'kind', 'offset', 'length', 'ack', 'window', 'flight'] as const

/** Bins for rates over time. */
const BINS = 600

/** Gathers one connection. */
export class Detail {
  readonly #id: number
  readonly #headBytes: number
  readonly #segments: KeptRows
  readonly #samples: KeptRows
  readonly #sack: KeptRows
  readonly #bins = new TimeBins(4, 10, BINS)
  readonly #trips = [new RoundTrips(), new RoundTrips()] as const
  readonly #counts: [number, number] = [0, 0]
  /** Highest offset sent, and acknowledged, by direction. */
  readonly #sent = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  readonly #acked = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  readonly #heads: [HeadRange[], HeadRange[]] = [[], []]
  readonly #octets: [Uint8Array[], Uint8Array[]] = [[], []]
  #start: bigint | undefined

  constructor(id: number, { maxSegments, headBytes }: { maxSegments: number; headBytes: number }) {
    this.#id = id
    this.#headBytes = headBytes
    this.#segments = new KeptRows(COLUMNS.length, maxSegments)
    this.#samples = new KeptRows(3, maxSegments)
    this.#sack = new KeptRows(4, maxSegments)
  }

  /** Takes in a segment. */
  segment(segment: SegmentNumbers): void {
    const { packet, rev, flags, kind, offset, length, ack, window } = segment
    this.#start ??= segment.ns
    const t = Number(segment.ns - this.#start)
    const end = offset + length + ((flags & SYN) === 0 ? 0 : 1) + ((flags & FIN) === 0 ? 0 : 1)
    if ((flags & RST) === 0) this.#time(rev, t, offset, end, ack)
    this.#rate(rev, t, offset + ((flags & SYN) === 0 ? 0 : 1), length)
    if (!(ack <= this.#acked[1 - rev]!) && !Number.isNaN(ack)) this.#acked[1 - rev] = ack
    if (end > this.#sent[rev]!) this.#sent[rev] = end
    const flight = this.#sent[rev]! - this.#acked[rev]!
    const marked = (kind & MARKS) !== 0 || (flags & (SYN | FIN | RST)) !== 0
    this.#segments.add([packet, t, rev, flags, kind, offset, length, ack, window, Number.isFinite(flight) ? Math.max(0, flight) : Number.NaN], marked)
    for (let i = 0; i < segment.sack.length; i += 2) this.#sack.add([t, rev, segment.sack[i]!, segment.sack[i + 1]!], false)
  }

  #time(rev: number, t: number, offset: number, end: number, ack: number): void {
    if (!Number.isNaN(ack)) {
      const sample = this.#trips[1 - rev]!.answered(ack, t)
      if (sample !== null) {
        this.#counts[1 - rev]! += 1
        this.#samples.add([t, sample, 1 - rev], false)
      }
    }
    if (end > offset) this.#trips[rev]!.sent(offset, end, t)
  }

  /** Octets of payload over time, and of those the ones that weren't sent before. */
  #rate(rev: number, t: number, offset: number, length: number): void {
    if (length === 0) return
    const at = this.#bins.at(t / 1000)
    this.#bins.sums[at + rev]! += length
    this.#bins.sums[at + 2 + rev]! += Math.max(0, Math.min(length, offset + length - this.#sent[rev]!))
  }

  /** Takes in octets of a stream; they come in order. */
  head(rev: 0 | 1, offset: number, octets: Uint8Array): void {
    this.#heads[rev].push([offset, octets.length])
    this.#octets[rev].push(octets)
  }

  /** Octets of a container. */
  finish(): Uint8Array<ArrayBuffer> {
    const { startMs, binMs, columns } = this.#bins.finish()
    const meta: DetailMeta = {
      id: this.#id,
      startNs: String(this.#start ?? 0n),
      segments: this.#segments.given,
      every: this.#segments.every,
      everyMarked: this.#segments.everyMarked,
      sackBlocks: this.#sack.given,
      everySack: this.#sack.every,
      samples: this.#counts,
      everySample: this.#samples.every,
      binMs,
      binStartMs: startMs,
      heads: this.#heads,
      headBytes: this.#headBytes,
    }
    const [sentFwd, sentRev, newFwd, newRev] = columns as [Float64Array, Float64Array, Float64Array, Float64Array]
    const rates = { sentFwd, sentRev, newFwd, newRev }
    const arrays = {
      ...Object.fromEntries(COLUMNS.map((name, i) => [name, this.#segments.column(i)])),
      ...Object.fromEntries(['sackT', 'sackRev', 'sackLeft', 'sackRight'].map((name, i) => [name, this.#sack.column(i)])),
      ...Object.fromEntries(['rttT', 'rtt', 'rttRev'].map((name, i) => [name, this.#samples.column(i)])),
      ...rates,
    }
    return encodeContainer({
      meta,
      arrays: {
        ...Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, narrowed(values)])),
        headFwd: Buffer.concat(this.#octets[0]),
        headRev: Buffer.concat(this.#octets[1]),
      },
    })
  }
}
