/** `series`: one connection's segments, in capture order, as points to plot or to count. */
import { BatchView, parseLayout } from '../batch/view.js'
import type { ConnectionIdentity } from '../connection.js'
import { OptionError } from '../errors.js'
import { Drive, type Filled, type Slot } from '../iterate.js'
import { platform } from '../platform.js'
import { abortSignal, checkEngine, checkReading, knownNames, READ_OPTION_NAMES, type ReadOptions } from '../options.js'
import { needPayload, sourceList, type CaptureSource } from '../source.js'
import { checkStreams, type StreamLimits } from '../stream-options.js'
import { SEGMENT_KINDS, type SegmentKind } from './segment-kinds.js'

/**
 * One segment. Offsets count from the octet after the SYN; where none was seen, from the first number seen of that
 * direction, so they may be negative.
 */
export interface SegmentPoint {
  /** Number of its packet in its capture, from 1. */
  packet: number
  /** Packet time, nanoseconds since the Unix epoch. */
  ts_ns: bigint
  /** From the client (`fwd`) or from the server. */
  direction: 'fwd' | 'rev'
  /** Control bits, AE (256) to FIN (1). */
  flags: number
  /** Offset of its first octet in its direction's stream. */
  offset: number
  /** Octets of payload on the wire. */
  length: number
  /** Offset in the other direction's stream that it acknowledges; null without ACK. */
  ack: number | null
  /** Window advertised, octets; null where its scale isn't known. */
  window: number | null
  /** SACK blocks as offsets in the other direction's stream: left edge, right edge. */
  sack: [left: number, right: number][]
  /** What it is; mostly nothing special. */
  kind: SegmentKind[]
}

/** What `series` takes: as `connections`, so that serial numbers are the same. */
export type SeriesOptions = ReadOptions & Pick<StreamLimits, 'maxConnections' | 'idleTimeout' | 'linger'>

const LIMIT_NAMES = ['maxConnections', 'idleTimeout', 'linger'] as const

/**
 * Reads captures and gives each segment of one connection; reading ends with the connection.
 *
 * @param connection its serial number or its record, from `connections` with the same source and options
 * @throws {@link OptionError} (in the loop) where there is no such connection
 *
 * @example
 * for await (const point of series('big.pcap', 12))
 *   if (point.kind.includes('retransmission')) console.log(point.packet, point.offset)
 */
export function series(
  source: CaptureSource | readonly CaptureSource[],
  connection: number | ConnectionIdentity,
  options: SeriesOptions = {},
): Series {
  return new Series(source, connection, options)
}

interface SeriesSlot extends Slot {
  readonly read: (row: number) => SegmentPoint
}

/** One connection's segments: what {@link series} returns. */
export class Series implements AsyncIterableIterator<SegmentPoint, undefined> {
  readonly #points: AsyncGenerator<SegmentPoint, undefined>
  readonly #drive: Drive<SeriesSlot>

  constructor(
    source: CaptureSource | readonly CaptureSource[],
    connection: number | ConnectionIdentity,
    options: SeriesOptions = {},
  ) {
    knownNames(options, [...READ_OPTION_NAMES, ...LIMIT_NAMES])
    const id = typeof connection === 'number' ? connection : connection.connection_id
    if (!Number.isSafeInteger(id) || id < 0)
      throw new OptionError(`connection: expected a connection's record or its serial number, not ${String(id)}`)
    const sources = sourceList(source)
    needPayload(sources)
    const { merge, follow } = checkReading(options, sources.length)
    const checked = { events: false, marks: false, sha256: false, analyse: false, ...checkStreams(options) }
    const engine = platform().engines(checkEngine(options.engine)).series(checked, [id], 0)
    const slots = [seriesSlot(engine.layout()), seriesSlot(engine.layout())] as const
    const signal = abortSignal(options.signal)
    this.#drive = new Drive(engine, { sources, merge, follow, signal, onError: options.onError })
    this.#points = this.#run(this.#drive.batches(slots), connection, id)
  }

  async *#run(
    batches: AsyncGenerator<Filled<SeriesSlot>, undefined>,
    connection: number | ConnectionIdentity,
    id: number,
  ): AsyncGenerator<SegmentPoint, undefined> {
    let found = false
    for await (const { slot, rows } of batches)
      for (let row = 0; row < rows; row++) {
        const point = slot.read(row)
        if (!found && typeof connection === 'object' && connection.first_packet !== point.packet)
          throw new OptionError(`connection: the captures' connection ${id} is another one`)
        found = true
        yield point
      }
    if (!found) throw new OptionError(`connection: the captures have no connection ${id}`)
  }

  /** The next segment. */
  next(): Promise<IteratorResult<SegmentPoint, undefined>> {
    return this.#points.next()
  }

  /** Ends a wait for more of a stream or of a capture that is followed. */
  finish(): void {
    this.#drive.finish()
  }

  /** Stops reading and lets go of files and threads. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#drive.stop()
    await this.#points.return(undefined)
    return { done: true, value: undefined }
  }

  /** For `for await`. */
  [Symbol.asyncIterator](): this {
    return this
  }
}

function seriesSlot(layout: string): SeriesSlot {
  const view = new BatchView(parseLayout(layout))
  return { view, read: bindPoints(view) }
}

/** A reader of points. */
function bindPoints(view: BatchView): (row: number) => SegmentPoint {
  const [packet, time, direction] = [view.numbers('packet'), view.bigints('ts_ns'), view.numbers('direction')]
  const [flags, kind, offset, length] = [view.numbers('flags'), view.numbers('kind'), view.numbers('offset'), view.numbers('length')]
  const [ack, acks] = [view.numbers('ack'), view.flags('ack')]
  const [window, windows] = [view.numbers('window'), view.flags('window')]
  const blocks = view.numbers('sack_count')
  const edges = [0, 1, 2, 3].map(i => [view.numbers(`sack_${i}_left`), view.numbers(`sack_${i}_right`)] as const)
  return row => ({
    packet: packet[row]!,
    ts_ns: time[row]!,
    direction: direction[row] === 0 ? 'fwd' : 'rev',
    flags: flags[row]!,
    offset: offset[row]!,
    length: length[row]!,
    ack: acks[row] === 1 ? ack[row]! : null,
    window: windows[row] === 1 ? window[row]! : null,
    sack: edges.slice(0, blocks[row]).map(([left, right]) => [left[row]!, right[row]!]),
    kind: kindsOf(kind[row]!),
  })
}

function kindsOf(bits: number): SegmentKind[] {
  return bits === 0 ? [] : SEGMENT_KINDS.filter((_, bit) => (bits >>> bit) & 1)
}
