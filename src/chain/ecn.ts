/** ECNChain: marks of Explicit Congestion Notification (RFC 3168) in IP headers. */
import type { BuiltInChain } from './chain.js'
import { booleanColumn } from './columns.js'

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

const chain: BuiltInChain<EcnFields> = {
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
  bind(view) {
    const ect0SynFwd = booleanColumn(view, 'ecn_ect0_syn_fwd')
    const ect0SynRev = booleanColumn(view, 'ecn_ect0_syn_rev')
    const ect0DataFwd = booleanColumn(view, 'ecn_ect0_data_fwd')
    const ect0DataRev = booleanColumn(view, 'ecn_ect0_data_rev')
    const ect1SynFwd = booleanColumn(view, 'ecn_ect1_syn_fwd')
    const ect1SynRev = booleanColumn(view, 'ecn_ect1_syn_rev')
    const ect1DataFwd = booleanColumn(view, 'ecn_ect1_data_fwd')
    const ect1DataRev = booleanColumn(view, 'ecn_ect1_data_rev')
    const ceSynFwd = booleanColumn(view, 'ecn_ce_syn_fwd')
    const ceSynRev = booleanColumn(view, 'ecn_ce_syn_rev')
    const ceDataFwd = booleanColumn(view, 'ecn_ce_data_fwd')
    const ceDataRev = booleanColumn(view, 'ecn_ce_data_rev')
    return (row, record) => {
      record.ecn_ect0_syn_fwd = ect0SynFwd(row)
      record.ecn_ect0_syn_rev = ect0SynRev(row)
      record.ecn_ect0_data_fwd = ect0DataFwd(row)
      record.ecn_ect0_data_rev = ect0DataRev(row)
      record.ecn_ect1_syn_fwd = ect1SynFwd(row)
      record.ecn_ect1_syn_rev = ect1SynRev(row)
      record.ecn_ect1_data_fwd = ect1DataFwd(row)
      record.ecn_ect1_data_rev = ect1DataRev(row)
      record.ecn_ce_syn_fwd = ceSynFwd(row)
      record.ecn_ce_syn_rev = ceSynRev(row)
      record.ecn_ce_data_fwd = ceDataFwd(row)
      record.ecn_ce_data_rev = ceDataRev(row)
    }
  },
}

/** ECN marks on SYNs and on packets with data: PATHspider's ECNChain. */
export function ecnChain(): BuiltInChain<EcnFields> {
  return chain
}
