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
import { SIDE_LENGTH } from './engine.js'
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
export function openedColumns(layouts: EventLayouts, bytes: Uint8Array<ArrayBuffer>): OpenedColumns {
  const view = new BatchView(layouts.opens, bytes)
  return {
    id: view.numbers('connection_id'),
    capture: view.numbers('capture'),
    version: view.numbers('ip_version'),
    client: view.addresses('client_addr'),
    clientPort: view.numbers('client_port'),
    server: view.addresses('server_addr'),
    serverPort: view.numbers('server_port'),
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

/** The packets table of a batch. */
export function packetColumns(layouts: EventLayouts, bytes: Uint8Array<ArrayBuffer>): PacketTable {
  const view = new BatchView(layouts.packets, bytes)
  return {
    second: view.numbers('second'),
    nanosecond: view.numbers('nanosecond'),
    wireLength: view.numbers('wire_len'),
    linkType: view.numbers('link_type'),
    seq: view.numbers('seq'),
    ack: view.numbers('ack'),
    flags: view.numbers('flags'),
    payloadLength: view.numbers('payload_len'),
    state: view.numbers('state'),
    resetState: view.words('state').indexOf('reset'),
    datagram: view.numbers('datagram'),
  }
}

/** Makes a slot; `blockLength` is 0 where no event points into a block. */
export function eventSlot(
  layouts: EventLayouts,
  captures: readonly string[] | null,
  blockLength: number,
): EventSlot {
  const bytes = new Uint8Array(layouts.byteLength)
  const view = new BatchView(layouts.events, bytes)
  const side = new Uint8Array(SIDE_LENGTH)
  const [opens, closes] = [new BatchView(layouts.opens, bytes), new BatchView(layouts.closes, bytes)]
  const [reason, reasons] = [closes.numbers('end_reason'), closes.words('end_reason')]
  return {
    view,
    side,
    ...(blockLength > 0 ? { block: new Uint8Array(blockLength) } : {}),
    columns: new EventColumns(view),
    readOpen: bindIdentity(opens, captures),
    readClosed: bindRecord(closes, side, captures),
    readEnd: row => reasons[reason[row]!] as ConnectionEndReason,
  }
}
