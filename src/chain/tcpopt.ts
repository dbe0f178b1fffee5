/** TCPOptChain: which options the answering side's SYN carries. */
import { TCP_SYN, TO_SACKOK, TO_TS, TO_WS } from '../packet/constants.js'
import { tcpOptions } from '../packet/options.js'
import { builtIn, type BuiltInChain } from './chain.js'

/** The columns of {@link tcpOptChain}. */
export interface TcpOptFields {
  /** Timestamps (RFC 7323) on a SYN in reverse direction: true or null. */
  tcpopt_ts: boolean | null
  /** Window scale (RFC 7323) likewise. */
  tcpopt_ws: boolean | null
  /** Selective acknowledgements permitted (RFC 2018) likewise. */
  tcpopt_sack: boolean | null
}

const chain = builtIn<TcpOptFields>({
  name: 'tcpopt',
  columns: ['tcpopt_ts', 'tcpopt_ws', 'tcpopt_sack'],
  newFlow: () => ({ tcpopt_ts: null, tcpopt_ws: null, tcpopt_sack: null }),
  tcp(record, segment, direction) {
    if ((segment.flags & TCP_SYN) === 0 || direction === 'fwd') return
    const options = tcpOptions(segment)
    if (options.has(TO_TS)) record.tcpopt_ts = true
    if (options.has(TO_WS)) record.tcpopt_ws = true
    if (options.has(TO_SACKOK)) record.tcpopt_sack = true
  },
})

/** Options of the answering SYN: PATHspider's TCPOptChain. */
export function tcpOptChain(): BuiltInChain<TcpOptFields> {
  return chain
}
