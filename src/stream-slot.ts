/** The buffers of a stream engine, and what reads them. */
import { AnalysedRow, bindAnalysis } from './analysis/columns.js'
import { BatchView, parseLayout, type Layout } from './batch/view.js'
import {
  bindIdentity,
  bindRecord,
  type ConnectionIdentity,
  type ConnectionRecord,
  type RowReader,
} from './connection.js'
import { SIDE_LENGTH } from './engine.js'
import type { Slot } from './iterate.js'

/** The layouts of the tables that share a batch. */
export interface EventLayouts {
  readonly byteLength: number
  readonly events: Layout
  readonly opens: Layout
  readonly closes: Layout
}

/** Reads the layouts as an engine gives them. */
export function parseEventLayouts(json: string): EventLayouts {
  return parseLayout(json) as unknown as EventLayouts
}

/** Where an event's octets lie. */
export const Place = { None: 0, Block: 1, Side: 2 } as const

/** The events table, column by column. */
export class EventColumns {
  readonly kind
  readonly words: readonly string[]
  readonly slot
  readonly direction
  readonly place
  readonly at
  readonly offset
  readonly length
  readonly time
  readonly packet

  constructor(view: BatchView) {
    this.kind = view.numbers('kind')
    this.words = view.words('kind')
    this.slot = view.numbers('slot')
    this.direction = view.numbers('direction')
    this.place = view.numbers('place')
    this.at = view.numbers('at')
    this.offset = view.numbers('offset')
    this.length = view.numbers('length')
    this.time = view.bigints('ts_ns')
    this.packet = view.numbers('packet')
  }
}

/** A batch with its side buffer, and what makes records of its tables. */
export interface EventSlot extends Slot {
  readonly side: Uint8Array
  readonly columns: EventColumns
  readonly readOpen: RowReader<ConnectionIdentity>
  readonly readClosed: RowReader<ConnectionRecord>
}

/** Makes a slot; `blockLength` is 0 where no event points into a block; `analyse`: closes have the analysis. */
export function eventSlot(
  layouts: EventLayouts,
  captures: readonly string[] | null,
  blockLength: number,
  analyse: boolean,
): EventSlot {
  const bytes = new Uint8Array(layouts.byteLength)
  const view = new BatchView(layouts.events, bytes)
  const side = new Uint8Array(SIDE_LENGTH)
  return {
    view,
    side,
    ...(blockLength > 0 ? { block: new Uint8Array(blockLength) } : {}),
    columns: new EventColumns(view),
    readOpen: bindIdentity(new BatchView(layouts.opens, bytes), captures),
    readClosed: bindClosed(new BatchView(layouts.closes, bytes), side, captures, analyse),
  }
}

function bindClosed(
  view: BatchView,
  side: Uint8Array,
  captures: readonly string[] | null,
  analyse: boolean,
): RowReader<ConnectionRecord> {
  return analyse ? bindAnalysis(view, bindRecord(view, side, captures, AnalysedRow)) : bindRecord(view, side, captures)
}
