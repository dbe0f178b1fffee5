/** The columns that every flow record has, and what lies around packets. */
import type { BatchView } from './batch/view.js'
import type { Outer } from './packet/columns.js'

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

/** Nothing lies around most packets. */
const NOTHING_AROUND: Outer = Object.freeze({ vlan: null, tunnel: null, tunnel_id: null })

/** A reader of what lies around a flow's first packet, or around a packet. */
export function bindOuter(view: BatchView): (row: number) => Outer {
  const vlan = nullable(view, 'vlan')
  const tunnel = nullable(view, 'tunnel')
  const tunnels = view.words('tunnel') as readonly TunnelKind[]
  const tunnelId = nullable(view, 'tunnel_id')
  return row => {
    const [tag, kind] = [vlan(row), tunnel(row)]
    if (tag === null && kind === null) return NOTHING_AROUND
    return { vlan: tag, tunnel: kind === null ? null : tunnels[kind]!, tunnel_id: tunnelId(row) }
  }
}

/** A reader of a column of numbers that may be missing. */
function nullable(view: BatchView, column: string): (row: number) => number | null {
  const [values, there] = [view.numbers(column), view.flags(column)]
  return row => (there[row] === 1 ? values[row]! : null)
}
