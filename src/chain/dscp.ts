/** DSCPChain: the Differentiated Services codepoint (RFC 2474). */
import type { IpView } from '../packet/ip-view.js'
import { builtIn, type BuiltInChain, type Direction } from './chain.js'
import { Role, roleOf } from './role.js'

/** The columns of {@link dscpChain}. */
export interface DscpFields {
  /** Codepoint, 0 to 63, of the first segment with SYN forward. */
  dscp_mark_syn_fwd: number | null
  /** Codepoint, 0 to 63, of the first segment with SYN back. */
  dscp_mark_syn_rev: number | null
  /** Codepoint, 0 to 63, of the first packet with data forward. */
  dscp_mark_data_fwd: number | null
  /** Codepoint, 0 to 63, of the first packet with data back. */
  dscp_mark_data_rev: number | null
}

function note(record: DscpFields, packet: IpView, direction: Direction): void {
  const role = roleOf(packet)
  if (role === Role.Bare) return
  const { dscp } = packet
  if (role === Role.Syn) {
    if (direction === 'fwd') record.dscp_mark_syn_fwd ??= dscp
    else record.dscp_mark_syn_rev ??= dscp
  } else if (direction === 'fwd') record.dscp_mark_data_fwd ??= dscp
  else record.dscp_mark_data_rev ??= dscp
}

const chain = builtIn<DscpFields>({
  name: 'dscp',
  columns: ['dscp_mark_syn_fwd', 'dscp_mark_syn_rev', 'dscp_mark_data_fwd', 'dscp_mark_data_rev'],
  newFlow: () => ({ dscp_mark_syn_fwd: null, dscp_mark_syn_rev: null, dscp_mark_data_fwd: null, dscp_mark_data_rev: null }),
  ip4: note,
  ip6: note,
})

/** Codepoint of the first SYN and of the first packet with data: PATHspider's DSCPChain. */
export function dscpChain(): BuiltInChain<DscpFields> {
  return chain
}
