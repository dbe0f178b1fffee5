/**
 * The states of RFC 9293 section 3.3.2 for both ends of a connection, as an observer in the middle can tell them.
 *
 * In: the headers of segments in capture order. An end is in the state that what it **sent** proves; and when the
 * acknowledgement of its SYN or FIN passes, it is taken as received. What an end received otherwise counts only once it
 * answers: the client of a SYN scan is never ESTABLISHED. States come from facts that only accumulate, so that segments
 * that are late, lost or doubled confuse nothing. The end of TIME-WAIT can't be seen.
 */
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../packet/constants.js'
import { TCP_STATES, type TcpState } from './state-names.js'

const place = (state: TcpState): number => TCP_STATES.indexOf(state)
const CLOSED = place('CLOSED')
const LISTEN = place('LISTEN')
const SYN_SENT = place('SYN-SENT')
const SYN_RECEIVED = place('SYN-RECEIVED')
const ESTABLISHED = place('ESTABLISHED')
const FIN_WAIT_1 = place('FIN-WAIT-1')
const FIN_WAIT_2 = place('FIN-WAIT-2')
const CLOSE_WAIT = place('CLOSE-WAIT')
const CLOSING = place('CLOSING')
const LAST_ACK = place('LAST-ACK')
const TIME_WAIT = place('TIME-WAIT')

/** What is known of an end: bits. */
const Fact = {
  /** It sent a SYN. */
  Syn: 1,
  /** That SYN, or a later one, acknowledged the peer's. */
  SynAck: 2,
  /** Its SYN was acknowledged. */
  SynAcked: 4,
  /** It sent a segment without SYN. */
  Talks: 8,
  /** It sent a FIN. */
  Fin: 16,
  /** Its FIN was acknowledged. */
  FinAcked: 32,
  /** It acknowledged the peer's FIN. */
  PeerFinAcked: 64,
  /** It did so before its own FIN, or with it. */
  Passive: 128,
  /** The peer sent it a SYN. */
  Called: 256,
  /** One of the two sent a RST that counts. */
  Reset: 512,
} as const

/** What is known of many ends: two for each connection, the client's first. All zero at first. */
export interface EndColumns {
  readonly facts: Uint16Array
  /** Initial sequence number. */
  readonly isn: Uint32Array
  /** The sequence number that acknowledges the FIN. */
  readonly finEnd: Uint32Array
}

/** What a segment's header says. */
export interface SegmentHeader {
  readonly flags: number
  readonly seq: number
  readonly ack: number
  readonly payloadLength: number
}

/**
 * Takes in a segment from `self` to `peer`, which are places in the columns.
 *
 * @param reset a RST that its receiver could accept has come, with this segment or before
 * @returns something new is known
 */
export function takeSegment(ends: EndColumns, self: number, peer: number, header: SegmentHeader, reset: boolean): boolean {
  const { facts } = ends
  const [own, other] = [facts[self]!, facts[peer]!]
  if (reset) {
    facts[self]! |= Fact.Reset
    facts[peer]! |= Fact.Reset
  } else if ((header.flags & TCP_RST) === 0) {
    if (header.flags & TCP_SYN) sendSyn(ends, self, peer, header)
    else facts[self]! |= Fact.Talks
    if (header.flags & TCP_ACK) sendAck(ends, self, peer, header.ack)
    if (header.flags & TCP_FIN) sendFin(ends, self, header)
  }
  return own !== facts[self] || other !== facts[peer]
}

function sendSyn({ facts, isn }: EndColumns, self: number, peer: number, { flags, seq }: SegmentHeader): void {
  // The first SYN counts: a later one with another number is a repeated answer, or a challenge.
  if ((facts[self]! & Fact.Syn) === 0) isn[self] = seq
  facts[self]! |= flags & TCP_ACK ? Fact.Syn | Fact.SynAck : Fact.Syn
  facts[peer]! |= Fact.Called
}

function sendAck({ facts, isn, finEnd }: EndColumns, self: number, peer: number, ack: number): void {
  const other = facts[peer]!
  if (other & Fact.Syn && reaches(ack, isn[peer]! + 1)) facts[peer]! |= Fact.SynAcked
  if ((other & Fact.Fin) === 0 || !reaches(ack, finEnd[peer]!)) return
  facts[peer]! |= Fact.FinAcked
  facts[self]! |= facts[self]! & Fact.Fin ? Fact.PeerFinAcked : Fact.PeerFinAcked | Fact.Passive
}

function sendFin({ facts, finEnd }: EndColumns, self: number, { flags, seq, payloadLength }: SegmentHeader): void {
  if ((facts[self]! & Fact.Fin) === 0) finEnd[self] = seq + payloadLength + (flags & TCP_SYN ? 2 : 1)
  facts[self]! |= Fact.Fin
}

/** RFC 9293 section 3.4: sequence numbers are compared modulo 2^32. */
function reaches(ack: number, number: number): boolean {
  return ((ack - number) | 0) >= 0
}

/** The state of an end, as a place in {@link TCP_STATES}, from what is known of it and of its peer. */
export function stateOf(facts: number, peer: number): number {
  if (facts & Fact.Reset) return CLOSED
  if (facts & Fact.Fin) return closingState(facts)
  if (facts & Fact.PeerFinAcked) return CLOSE_WAIT
  // Where no SYN was seen, the connection stood before the capture began.
  if (facts & Fact.Talks || ((facts | peer) & Fact.Syn) === 0) return ESTABLISHED
  if (facts & Fact.SynAck) return facts & Fact.SynAcked ? ESTABLISHED : SYN_RECEIVED
  if (facts & Fact.Syn) return SYN_SENT
  return facts & Fact.Called ? LISTEN : CLOSED
}

function closingState(facts: number): number {
  const acked = (facts & Fact.FinAcked) !== 0
  if ((facts & Fact.PeerFinAcked) === 0) return acked ? FIN_WAIT_2 : FIN_WAIT_1
  if (facts & Fact.Passive) return acked ? CLOSED : LAST_ACK
  return acked ? TIME_WAIT : CLOSING
}

/** Nothing more is to be expected of an end in this state. */
export function isDone(state: number): boolean {
  return state === CLOSED || state === TIME_WAIT
}
