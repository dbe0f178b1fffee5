/** All states of RFC 9293 section 3.3.2; their places are the numbers that are kept. */
export const TCP_STATES = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const

/** A state of RFC 9293. */
export type TcpState = (typeof TCP_STATES)[number]
