/** The buffers of a stream engine, and what reads them. */
import { BatchView, parseLayout, type Layout, type NumberArray } from './batch/view.js'
import {
  bindIdentity,
  bindRecord,
  type ConnectionEndReason,
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
  /** Rows for packet events, where they are asked for. */
  readonly packets: Layout
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
  /** The block's memory: views on it are made in two thirds of the time that `subarray` takes. */
  readonly memory: ArrayBufferLike
  readonly columns: EventColumns
  /** The table of connections that began. */
  readonly opens: BatchView
  readonly readOpen: RowReader<ConnectionIdentity>
  readonly readClosed: RowReader<ConnectionRecord>
  /** Only why a closed connection ended. */
  readonly readEnd: (row: number) => ConnectionEndReason
}

/** The connections that a batch opens, column by column. Addresses have 16 octets for each row. */
export interface OpenedColumns {
  readonly id: NumberArray
  readonly capture: NumberArray
  readonly version: NumberArray
  readonly client: Uint8Array
  readonly clientPort: NumberArray
  readonly server: Uint8Array
  readonly serverPort: NumberArray
}

/** The same of a batch. */
export function openedColumns({ opens }: EventSlot): OpenedColumns {
  return {
    id: opens.numbers('connection_id'),
    capture: opens.numbers('capture'),
    version: opens.numbers('ip_version'),
    client: opens.addresses('client_addr'),
    clientPort: opens.numbers('client_port'),
    server: opens.addresses('server_addr'),
    serverPort: opens.numbers('server_port'),
  }
}

/** What the headers of packets say, row by row. */
export interface PacketTable {
  readonly second: NumberArray
  readonly nanosecond: NumberArray
  readonly wireLength: NumberArray
  readonly linkType: NumberArray
  readonly seq: NumberArray
  readonly ack: NumberArray
  readonly flags: NumberArray
  readonly payloadLength: NumberArray
  /** The connection's state after the segment. */
  readonly state: NumberArray
  /** The one that stands for a reset. */
  readonly resetState: number
  /** Number of the fragmented datagram; 0 = none. */
  readonly datagram: NumberArray
}

/** The same of a batch. */
export function packetColumns(layouts: EventLayouts, { view }: EventSlot): PacketTable {
  const table = new BatchView(layouts.packets, view.bytes as Uint8Array<ArrayBuffer>)
  return {
    second: table.numbers('second'),
    nanosecond: table.numbers('nanosecond'),
    wireLength: table.numbers('wire_len'),
    linkType: table.numbers('link_type'),
    seq: table.numbers('seq'),
    ack: table.numbers('ack'),
    flags: table.numbers('flags'),
    payloadLength: table.numbers('payload_len'),
    state: table.numbers('state'),
    resetState: table.words('state').indexOf('reset'),
    datagram: table.numbers('datagram'),
  }
}

/** Makes a slot with a block of `blockLength` octets. */
export function eventSlot(layouts: EventLayouts, captures: readonly string[] | null, blockLength: number): EventSlot {
  const bytes = new Uint8Array(layouts.byteLength)
  const view = new BatchView(layouts.events, bytes)
  const opens = new BatchView(layouts.opens, bytes)
  const block = new Uint8Array(blockLength)
  const closes = new BatchView(layouts.closes, bytes)
  const [reason, reasons] = [closes.numbers('end_reason'), closes.words('end_reason')]
  return {
    view,
    block,
    memory: block.buffer,
    columns: new EventColumns(view),
    opens,
    readOpen: bindIdentity(opens, captures),
    readClosed: bindRecord(closes, block, captures),
    readEnd: row => reasons[reason[row]!] as ConnectionEndReason,
  }
}
