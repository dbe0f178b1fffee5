/** TCPOptChain: which options the answering side's SYN carries. */
import type { BuiltInChain } from './chain.js'
import { maybeBooleanColumn } from './columns.js'

/** The columns of {@link tcpOptChain}. */
export interface TcpOptFields {
  /** Timestamps (RFC 7323) on a SYN in reverse direction: true or null. */
  tcpopt_ts: boolean | null
  /** Window scale (RFC 7323) likewise. */
  tcpopt_ws: boolean | null
  /** Selective acknowledgements permitted (RFC 2018) likewise. */
  tcpopt_sack: boolean | null
}

const chain: BuiltInChain<TcpOptFields> = {
  name: 'tcpopt',
  columns: ['tcpopt_ts', 'tcpopt_ws', 'tcpopt_sack'],
  bind(view) {
    const ts = maybeBooleanColumn(view, 'tcpopt_ts')
    const ws = maybeBooleanColumn(view, 'tcpopt_ws')
    const sack = maybeBooleanColumn(view, 'tcpopt_sack')
    return (row, record) => {
      record.tcpopt_ts = ts(row)
      record.tcpopt_ws = ws(row)
      record.tcpopt_sack = sack(row)
    }
  },
}

/** Options of the answering SYN: PATHspider's TCPOptChain. */
export function tcpOptChain(): BuiltInChain<TcpOptFields> {
  return chain
}
