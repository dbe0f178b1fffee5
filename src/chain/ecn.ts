/** ECNChain: marks of Explicit Congestion Notification (RFC 3168) in IP headers. */
import type { IpView } from '../packet/ip-view.js'
import { builtIn, type BuiltInChain, type Direction } from './chain.js'
import { Role, roleOf } from './role.js'

/** The columns of {@link ecnChain}. */
export interface EcnFields {
  /** ECT(0) on a segment with SYN forward. */
  ecn_ect0_syn_fwd: boolean
  /** ECT(0) on a segment with SYN back. */
  ecn_ect0_syn_rev: boolean
  /** ECT(0) on a packet with data forward. */
  ecn_ect0_data_fwd: boolean
  /** ECT(0) on a packet with data back. */
  ecn_ect0_data_rev: boolean
  /** ECT(1) on a segment with SYN forward. */
  ecn_ect1_syn_fwd: boolean
  /** ECT(1) on a segment with SYN back. */
  ecn_ect1_syn_rev: boolean
  /** ECT(1) on a packet with data forward. */
  ecn_ect1_data_fwd: boolean
  /** ECT(1) on a packet with data back. */
  ecn_ect1_data_rev: boolean
  /** CE on a segment with SYN forward. */
  ecn_ce_syn_fwd: boolean
  /** CE on a segment with SYN back. */
  ecn_ce_syn_rev: boolean
  /** CE on a packet with data forward. */
  ecn_ce_data_fwd: boolean
  /** CE on a packet with data back. */
  ecn_ce_data_rev: boolean
}

/** The columns by the mark on the wire (RFC 3168 section 5: 1 = ECT(1), 2 = ECT(0), 3 = CE), role and direction. */
const COLUMNS = {
  1: marks('ect1'),
  2: marks('ect0'),
  3: marks('ce'),
} as const

function marks<Mark extends 'ect0' | 'ect1' | 'ce'>(mark: Mark) {
  return {
    [Role.Syn]: { fwd: `ecn_${mark}_syn_fwd`, rev: `ecn_${mark}_syn_rev` },
    [Role.Data]: { fwd: `ecn_${mark}_data_fwd`, rev: `ecn_${mark}_data_rev` },
  } as const
}

function note(record: EcnFields, packet: IpView, direction: Direction): void {
  const { ecn } = packet
  if (ecn === 0) return
  const role = roleOf(packet)
  if (role !== Role.Bare) record[COLUMNS[ecn as 1 | 2 | 3][role][direction]] = true
}

const chain = builtIn<EcnFields>({
  name: 'ecn',
  columns: [
    'ecn_ect0_syn_fwd',
    'ecn_ect0_syn_rev',
    'ecn_ect0_data_fwd',
    'ecn_ect0_data_rev',
    'ecn_ect1_syn_fwd',
    'ecn_ect1_syn_rev',
    'ecn_ect1_data_fwd',
    'ecn_ect1_data_rev',
    'ecn_ce_syn_fwd',
    'ecn_ce_syn_rev',
    'ecn_ce_data_fwd',
    'ecn_ce_data_rev',
  ],
  newFlow: () => ({
    ecn_ect0_syn_fwd: false,
    ecn_ect0_syn_rev: false,
    ecn_ect0_data_fwd: false,
    ecn_ect0_data_rev: false,
    ecn_ect1_syn_fwd: false,
    ecn_ect1_syn_rev: false,
    ecn_ect1_data_fwd: false,
    ecn_ect1_data_rev: false,
    ecn_ce_syn_fwd: false,
    ecn_ce_syn_rev: false,
    ecn_ce_data_fwd: false,
    ecn_ce_data_rev: false,
  }),
  ip4: note,
  ip6: note,
})

/** ECN marks on SYNs and on packets with data: PATHspider's ECNChain. */
export function ecnChain(): BuiltInChain<EcnFields> {
  return chain
}
