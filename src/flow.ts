/** The columns that every flow record has, and how a record is made from a batch's row. */
import { whole, type BatchView } from './batch/view.js'
import type { Outer } from './packet/columns.js'
import { recordClass } from './record.js'

/** Why a flow record ended: a chain said so, no packets for the idle timeout, end of input, or the table was full. */
export type FlowEndReason = 'complete' | 'idle' | 'flush' | 'evicted'

/** What every flow record says. `fwd` is the direction of the flow's first packet. */
export interface FlowBase {
  /** Serial number in order of first packets, from 0. */
  flow_id: number
  /** 4 or 6. */
  ip_version: number
  /** Time of the first packet, seconds since the Unix epoch. */
  pkt_first: number
  /** Time of the latest packet, seconds since the Unix epoch. */
  pkt_last: number
  /** Time of the first packet, nanoseconds since the Unix epoch. */
  first_ns: bigint
  /** Time of the latest packet, nanoseconds since the Unix epoch. */
  last_ns: bigint
  /** Number of the first packet in its capture, from 1. */
  first_packet: number
  /** Name of the capture with the first packet; only where several are read. */
  capture?: string
  /** Why the record ends here. */
  end_reason: FlowEndReason
  /** VLAN id of the first packet's outermost tag; null where it has none. */
  vlan: number | null
  /** The innermost tunnel around the first packet; null where it has none. */
  tunnel: TunnelKind | null
  /** That tunnel's identifier (PPPoE session, I-SID, GRE key, VSID, VNI, ERSPAN session); null where it has none. */
  tunnel_id: number | null
}

/** What a flow's packets may be wrapped in. */
export type TunnelKind =
  | 'pppoe'
  | 'pbb'
  | 'ipip'
  | '6in4'
  | '4in6'
  | '6in6'
  | 'gre'
  | 'nvgre'
  | 'pptp'
  | 'erspan'
  | 'vxlan'
  | 'geneve'
  | 'gtp'
  | 'teredo'
  | 'etherip'
  | 'mpls'

/** Makes records from the rows of one batch. */
export type RowReader<Fields> = (row: number) => Fields

/** A reader of the base columns; `captures` names the captures where there are several. */
export function bindBase(view: BatchView, captures: readonly string[] | null): RowReader<FlowBase> {
  const columns = new BaseColumns(view)
  if (captures === null) return row => new FlowRow(columns, row)
  const capture = view.numbers('capture')
  return row => {
    const record: FlowBase = new FlowRow(columns, row)
    record.capture = captures[capture[row]!]!
    return record
  }
}

/** The base columns of a batch. */
class BaseColumns {
  readonly flowId
  readonly version
  readonly pktFirst
  readonly pktLast
  readonly first
  readonly last
  readonly firstPacket
  readonly reason
  readonly reasons
  readonly vlan
  readonly tunnel
  readonly tunnels
  readonly tunnelId

  constructor(view: BatchView) {
    this.flowId = view.numbers('flow_id')
    this.version = view.numbers('ip_version')
    this.pktFirst = view.numbers('pkt_first')
    this.pktLast = view.numbers('pkt_last')
    this.first = view.bigints('first_ns')
    this.last = view.bigints('last_ns')
    this.firstPacket = view.numbers('first_packet')
    this.reason = view.numbers('end_reason')
    this.reasons = view.words('end_reason') as readonly FlowEndReason[]
    this.vlan = nullable(view, 'vlan')
    this.tunnel = nullable(view, 'tunnel')
    this.tunnels = view.words('tunnel') as readonly TunnelKind[]
    this.tunnelId = nullable(view, 'tunnel_id')
  }
}

/** A reader of what lies around a flow's first packet, or around a packet. */
export function bindOuter(view: BatchView): (row: number) => Outer {
  const vlan = nullable(view, 'vlan')
  const tunnel = nullable(view, 'tunnel')
  const tunnels = view.words('tunnel') as readonly TunnelKind[]
  const tunnelId = nullable(view, 'tunnel_id')
  return row => {
    const kind = tunnel(row)
    return { vlan: vlan(row), tunnel: kind === null ? null : tunnels[kind]!, tunnel_id: tunnelId(row) }
  }
}

/** A reader of a column of numbers that may be missing. */
function nullable(view: BatchView, column: string): (row: number) => number | null {
  const [values, there] = [view.numbers(column), view.flags(column)]
  return row => (there[row] === 1 ? values[row]! : null)
}

/** A record's base columns, in order; chains add theirs. */
class FlowRow implements FlowBase {
  flow_id: number
  ip_version: number
  pkt_first: number
  pkt_last: number
  first_ns: bigint
  last_ns: bigint
  first_packet: number
  declare capture?: string
  end_reason: FlowEndReason
  vlan: number | null
  tunnel: TunnelKind | null
  tunnel_id: number | null

  constructor(columns: BaseColumns, row: number) {
    this.flow_id = whole(columns.flowId[row]!)
    this.ip_version = columns.version[row]!
    this.pkt_first = columns.pktFirst[row]!
    this.pkt_last = columns.pktLast[row]!
    this.first_ns = columns.first[row]!
    this.last_ns = columns.last[row]!
    this.first_packet = whole(columns.firstPacket[row]!)
    this.end_reason = columns.reasons[columns.reason[row]!]!
    this.vlan = columns.vlan(row)
    const tunnel = columns.tunnel(row)
    this.tunnel = tunnel === null ? null : columns.tunnels[tunnel]!
    this.tunnel_id = columns.tunnelId(row)
  }
}

recordClass(FlowRow)
