/** TCPOptChain: which options the answering side's SYN carries. */
import type { BuiltInChain } from './chain.js'

/** The columns of {@link tcpOptChain}: true where the option was seen on a SYN in reverse direction, else null. */
export interface TcpOptFields {
  /** Timestamps (RFC 7323). */
  tcpopt_ts: boolean | null
  /** Window scale (RFC 7323). */
  tcpopt_ws: boolean | null
  /** Selective acknowledgements permitted (RFC 2018). */
  tcpopt_sack: boolean | null
}
