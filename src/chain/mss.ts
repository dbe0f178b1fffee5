/** MSSChain: the maximum segment size option of each direction's SYN. */
import { TCP_SYN, TO_MSS } from '../packet/constants.js'
import { tcpOptions } from '../packet/options.js'
import { builtIn, type BuiltInChain } from './chain.js'

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

const chain = builtIn<MssFields>({
  name: 'mss',
  columns: ['mss_len_fwd', 'mss_len_rev', 'mss_value_fwd', 'mss_value_rev'],
  newFlow: () => ({ mss_len_fwd: null, mss_len_rev: null, mss_value_fwd: null, mss_value_rev: null }),
  tcp(record, segment, direction) {
    if ((segment.flags & TCP_SYN) === 0) return
    const option = tcpOptions(segment).get(TO_MSS)
    if (option === undefined) return
    const value = option.reduce((value, octet) => value * 256 + octet, 0)
    if (direction === 'fwd') {
      record.mss_len_fwd = option.length + 2
      record.mss_value_fwd = value
    } else {
      record.mss_len_rev = option.length + 2
      record.mss_value_rev = value
    }
  },
})

/** Maximum segment size of both SYNs: PATHspider's MSSChain. */
export function mssChain(): BuiltInChain<MssFields> {
  return chain
}
