/** The states and ends of a connection, with the words that records use. Mirrors `core::connection::State`. */

/** How far a connection came. */
export const State = {
  /** A SYN was seen, no answer. */
  SynSent: 0,
  /** A SYN was answered by a SYN. */
  SynReceived: 1,
  /** The three-way handshake completed (RFC 9293 section 3.5). */
  Established: 2,
  /** A FIN was seen. */
  Closing: 3,
  /** A FIN was seen and acknowledged in both directions. */
  Closed: 4,
  /** A RST was seen that its receiver could accept. */
  Reset: 5,
  /** No handshake was seen: the capture began too late. */
  Midstream: 6,
} as const

/** The words, by number. */
export const STATE_NAMES = ['syn_sent', 'syn_received', 'established', 'closing', 'closed', 'reset', 'midstream']

/** Why a connection's record ends. */
export const EndReason = {
  /** A FIN in both directions. */
  Fin: 0,
  /** A RST. */
  Rst: 1,
  /** No segment for the idle time. */
  Idle: 2,
  /** A new SYN took the ports. */
  Reuse: 3,
  /** The input ended. */
  Eof: 4,
  /** The table was full. */
  Evicted: 5,
} as const

/** The words, by number. */
export const END_REASON_NAMES = ['fin', 'rst', 'idle', 'reuse', 'eof', 'evicted']
