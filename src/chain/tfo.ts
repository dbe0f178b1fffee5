/** TFOChain: TCP Fast Open (RFC 7413), and whether data on the SYN was acknowledged. What was not seen is 0. */
import { TCP_ACK, TCP_SYN } from '../packet/constants.js'
import { tcpOptions } from '../packet/options.js'
import type { TcpView } from '../packet/upper-views.js'
import { builtIn, type BuiltInChain } from './chain.js'

/** The columns of {@link tfoChain}. */
export interface TfoFields {
  /** Option kind on the SYN: 34, 253, 254 or 255; 0 without one. */
  tfo_synkind: number
  /** Option kind on the SYN with ACK. */
  tfo_ackkind: number
  /** Octets of cookie on the SYN. */
  tfo_synclen: number
  /** Octets of cookie on the SYN with ACK. */
  tfo_ackclen: number
  /** Sequence number of the SYN. */
  tfo_seq: number
  /** Octets of data on the SYN. */
  tfo_dlen: number
  /** Acknowledgment number of the SYN with ACK. */
  tfo_ack: number
}

function takeSyn(record: TfoFields, segment: TcpView): void {
  const option = tcpOptions(segment).fastOpen
  if (option === null) return
  record.tfo_synkind = option.kind
  record.tfo_synclen = option.cookie.length
  record.tfo_seq = segment.seq
  record.tfo_dlen = segment.payloadLength
  record.tfo_ack = 0
}

function takeAnswer(record: TfoFields, segment: TcpView): void {
  record.tfo_ack = segment.ack
  const option = tcpOptions(segment).fastOpen
  if (option === null) return
  record.tfo_ackkind = option.kind
  record.tfo_ackclen = option.cookie.length
}

const chain = builtIn<TfoFields>({
  name: 'tfo',
  columns: ['tfo_synkind', 'tfo_ackkind', 'tfo_synclen', 'tfo_ackclen', 'tfo_seq', 'tfo_dlen', 'tfo_ack'],
  newFlow: () => ({
    tfo_synkind: 0,
    tfo_ackkind: 0,
    tfo_synclen: 0,
    tfo_ackclen: 0,
    tfo_seq: 0,
    tfo_dlen: 0,
    tfo_ack: 0,
  }),
  tcp(record, segment) {
    const { flags } = segment
    if ((flags & TCP_SYN) === 0) return
    if ((flags & TCP_ACK) === 0) takeSyn(record, segment)
    else if (record.tfo_synkind !== 0) takeAnswer(record, segment)
  },
})

/** TCP Fast Open: PATHspider's TFOChain. Kind 34, and the experiments 253, 254 and 255. */
export function tfoChain(): BuiltInChain<TfoFields> {
  return chain
}
