/** One pass for the segments and the first octets of all chosen connections together. */
import { BatchView, parseLayout, type Layout } from '../batch/view.js'
import { Drive, type Slot } from '../iterate.js'
import { checkEngine, checkReading, type ReadOptions } from '../options.js'
import { platform } from '../platform.js'
import type { CaptureSource } from '../source.js'
import { checkStreams } from '../stream-options.js'
import { Detail, type SegmentNumbers } from './detail.js'
import type { OnBatch } from './overview.js'

interface DetailSlot extends Slot {
  readonly block: Uint8Array
  /** Reads a row: a segment of a connection, or octets of one. */
  readonly take: (row: number, to: (id: number) => Detail) => void
}

/**
 * Reads the captures until the connections `ids` are at their ends.
 *
 * @returns their containers by serial number; those that the captures don't have are missing
 */
export async function gatherDetails(
  sources: readonly CaptureSource[],
  options: ReadOptions,
  ids: readonly number[],
  limits: { maxSegments: number; headBytes: number },
  onBatch: OnBatch,
): Promise<Map<number, Uint8Array<ArrayBuffer>>> {
  const details = new Map<number, Detail>()
  if (ids.length === 0) return new Map()
  const checked = { events: false, marks: false, sha256: false, analyse: false, ...checkStreams(options) }
  const engine = platform().engines(checkEngine(options.engine)).series(checked, ids, limits.headBytes)
  const layout = parseLayout(engine.layout())
  const length = engine.blockLength()
  const slots = [detailSlot(layout, length), detailSlot(layout, length)] as const
  const { merge, follow } = checkReading(options, sources.length)
  const drive = new Drive<DetailSlot>(engine, { sources, merge, follow, signal: options.signal, onError: () => {} })
  const detailOf = (id: number): Detail => {
    let detail = details.get(id)
    if (detail === undefined) details.set(id, (detail = new Detail(id, limits)))
    return detail
  }
  for await (const { slot, rows } of drive.batches(slots)) {
    for (let row = 0; row < rows; row++) slot.take(row, detailOf)
    onBatch(slot.view.stats() as unknown as { inputBytes: number; packets: number })
  }
  return new Map(Array.from(details, ([id, detail]) => [id, detail.finish()]))
}

function detailSlot(layout: Layout, length: number): DetailSlot {
  const view = new BatchView(layout)
  const block = new Uint8Array(length)
  return { view, block, take: bindRows(view, block) }
}

/** A reader of rows. The object that it fills is the same for every segment. */
function bindRows(view: BatchView, block: Uint8Array): DetailSlot['take'] {
  const [id, at, isHead] = [view.numbers('connection_id'), view.numbers('at'), view.flags('at')]
  const [packet, time, rev, flags] = [view.numbers('packet'), view.bigints('ts_ns'), view.numbers('direction'), view.numbers('flags')]
  const [kind, offset, length] = [view.numbers('kind'), view.numbers('offset'), view.numbers('length')]
  const [ack, acks, window, windows] = [view.numbers('ack'), view.flags('ack'), view.numbers('window'), view.flags('window')]
  const blocks = view.numbers('sack_count')
  const edges = [0, 1, 2, 3].flatMap(i => [view.numbers(`sack_${i}_left`), view.numbers(`sack_${i}_right`)])
  const segment: SegmentNumbers = { packet: 0, ns: 0n, rev: 0, flags: 0, kind: 0, offset: 0, length: 0, ack: 0, window: 0, sack: [] }
  return (row, to) => {
    const detail = to(id[row]!)
    if (isHead[row] === 1) {
      const start = at[row]!
      return detail.head(rev[row] === 0 ? 0 : 1, offset[row]!, block.slice(start, start + length[row]!))
    }
    segment.packet = packet[row]!
    segment.ns = time[row]!
    segment.rev = rev[row]!
    segment.flags = flags[row]!
    segment.kind = kind[row]!
    segment.offset = offset[row]!
    segment.length = length[row]!
    segment.ack = acks[row] === 1 ? ack[row]! : Number.NaN
    segment.window = windows[row] === 1 ? window[row]! : Number.NaN
    segment.sack = blocks[row] === 0 ? NONE : edges.slice(0, blocks[row]! * 2).map(values => values[row]!)
    detail.segment(segment)
  }
}

const NONE: readonly number[] = []
