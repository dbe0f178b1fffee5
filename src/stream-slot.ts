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

/** The events table, column by column. */
export class EventColumns {
  readonly kind
  readonly words: readonly string[]
  readonly slot
  readonly direction
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
    this.at = view.numbers('at')
    this.offset = view.numbers('offset')
    this.length = view.numbers('length')
    this.time = view.bigints('ts_ns')
    this.packet = view.numbers('packet')
  }
}

/** A batch with its block, and what makes records of its tables. */
export interface EventSlot extends Slot {
  readonly block: Uint8Array
  readonly columns: EventColumns
  /** The table of connections that began. */
  readonly opens: BatchView
  readonly readOpen: RowReader<ConnectionIdentity>
  readonly readClosed: RowReader<ConnectionRecord>
}

/** Makes a slot with a block of `blockLength` octets; `analyse`: closes have the analysis. */
export function eventSlot(
  layouts: EventLayouts,
  captures: readonly string[] | null,
  blockLength: number,
  analyse: boolean,
): EventSlot {
  const bytes = new Uint8Array(layouts.byteLength)
  const view = new BatchView(layouts.events, bytes)
  const opens = new BatchView(layouts.opens, bytes)
  const block = new Uint8Array(blockLength)
  return {
    view,
    block,
    columns: new EventColumns(view),
    opens,
    readOpen: bindIdentity(opens, captures),
    readClosed: bindClosed(new BatchView(layouts.closes, bytes), block, captures, analyse),
  }
}

function bindClosed(
  view: BatchView,
  block: Uint8Array,
  captures: readonly string[] | null,
  analyse: boolean,
): RowReader<ConnectionRecord> {
  return analyse ? bindAnalysis(view, bindRecord(view, block, captures, AnalysedRow)) : bindRecord(view, block, captures)
}
