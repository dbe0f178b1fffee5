/** MSSChain: the maximum segment size option of each direction's SYN. */
import type { BuiltInChain } from './chain.js'
import { maybeNumberColumn } from './columns.js'

/** The columns of {@link mssChain}. */
export interface MssFields {
  /** Octets of the option forward, kind and length included (4 where it is well-formed); null without one. */
  mss_len_fwd: number | null
  /** The same back. */
  mss_len_rev: number | null
  /** Its value forward, octets. */
  mss_value_fwd: number | null
  /** Its value back, octets. */
  mss_value_rev: number | null
}

const chain: BuiltInChain<MssFields> = {
  name: 'mss',
  columns: ['mss_len_fwd', 'mss_len_rev', 'mss_value_fwd', 'mss_value_rev'],
  bind(view) {
    const lenFwd = maybeNumberColumn(view, 'mss_len_fwd')
    const lenRev = maybeNumberColumn(view, 'mss_len_rev')
    const valueFwd = maybeNumberColumn(view, 'mss_value_fwd')
    const valueRev = maybeNumberColumn(view, 'mss_value_rev')
    return (row, record) => {
      record.mss_len_fwd = lenFwd(row)
      record.mss_len_rev = lenRev(row)
      record.mss_value_fwd = valueFwd(row)
      record.mss_value_rev = valueRev(row)
    }
  },
}

/** Maximum segment size of both SYNs: PATHspider's MSSChain. */
export function mssChain(): BuiltInChain<MssFields> {
  return chain
}
