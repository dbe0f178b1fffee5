/** TCPChain: SYN flags, FIN and RST per direction, and whether the three-way handshake completed. */
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SA, TCP_SYN } from '../packet/constants.js'
import { builtIn, type BuiltInChain } from './chain.js'

/** The columns of {@link tcpChain}. */
export interface TcpFields {
  /** Flags octet of the first segment with SYN forward; null where none was seen. */
  tcp_synflags_fwd: number | null
  /** Flags octet of the first segment with SYN back; null where none was seen. */
  tcp_synflags_rev: number | null
  /** A segment with FIN went forward. */
  tcp_fin_fwd: boolean
  /** A segment with FIN came back. */
  tcp_fin_rev: boolean
  /** A segment with RST went forward. */
  tcp_rst_fwd: boolean
  /** A segment with RST came back. */
  tcp_rst_rev: boolean
  /** SYN forward, SYN and ACK back, ACK forward: the three-way handshake (RFC 9293 section 3.5) completed. */
  tcp_connected: boolean
}

/** Flows whose SYN with ACK in reverse direction came after a SYN without (simultaneous open, RFC 9293 section 3.5). */
const lateAnswers = new WeakSet<TcpFields>()

/** A SYN went forward, and one with ACK came back. */
function isAnswered(record: TcpFields): boolean {
  if (record.tcp_synflags_fwd === null || record.tcp_synflags_rev === null) return false
  return (record.tcp_synflags_rev & TCP_SA) === TCP_SA || lateAnswers.has(record)
}

const chain = builtIn<TcpFields>({
  name: 'tcp',
  columns: [
    'tcp_synflags_fwd',
    'tcp_synflags_rev',
    'tcp_fin_fwd',
    'tcp_fin_rev',
    'tcp_rst_fwd',
    'tcp_rst_rev',
    'tcp_connected',
  ],
  newFlow: () => ({
    tcp_synflags_fwd: null,
    tcp_synflags_rev: null,
    tcp_fin_fwd: false,
    tcp_fin_rev: false,
    tcp_rst_fwd: false,
    tcp_rst_rev: false,
    tcp_connected: false,
  }),
  tcp(record, { flags }, direction) {
    if ((flags & TCP_SYN) !== 0) {
      if (direction === 'fwd') record.tcp_synflags_fwd ??= flags
      else {
        record.tcp_synflags_rev ??= flags
        if ((flags & TCP_ACK) !== 0 && (record.tcp_synflags_rev & TCP_ACK) === 0) lateAnswers.add(record)
      }
    }
    if (direction === 'fwd' && (flags & TCP_ACK) !== 0) record.tcp_connected ||= isAnswered(record)
    if ((flags & TCP_FIN) !== 0) {
      if (direction === 'fwd') record.tcp_fin_fwd = true
      else record.tcp_fin_rev = true
    }
    if ((flags & TCP_RST) !== 0) {
      if (direction === 'fwd') record.tcp_rst_fwd = true
      else record.tcp_rst_rev = true
    }
    return !((record.tcp_fin_fwd && record.tcp_fin_rev) || record.tcp_rst_fwd || record.tcp_rst_rev)
  },
})

/**
 * SYN flags, FIN, RST and the handshake: PATHspider's TCPChain. A flow is complete after a FIN in both directions or
 * any RST.
 */
export function tcpChain(): BuiltInChain<TcpFields> {
  return chain
}
