/** What is known of one connection, and how a segment changes it. Mirrors `core::connection::Connection`. */
import { Flags, type Segment } from '../decode/segment.js'
import { Stream } from '../stream/reassembler.js'
import { EndReason, State } from './state.js'
import { ABSENT, SynInfo } from './syn.js'

/** What becomes of a connection's slot. */
export const Status = { Free: 0, Known: 1, Over: 2, Finished: 3 } as const

/** Counts and flags of one direction, and its octets. */
export class Side {
  readonly stream: Stream
  readonly syn = new SynInfo()
  /** Segments. */
  packets = 0
  /** Payload octets on the wire, retransmissions included. */
  payload = 0
  /** A FIN was seen. */
  fin = false
  /** A RST was seen. */
  rst = false
  /** The sequence number that acknowledges the FIN, as a signed 32-bit integer. */
  finEnd = 0
  finAcked = false
  /** Last advertised window, unscaled; of a direction that sent no segment yet, none. */
  window = ABSENT

  constructor(token: number) {
    this.stream = new Stream(token)
  }

  clear(): void {
    this.stream.reset(this.stream.token)
    this.syn.clear()
    this.packets = this.payload = 0
    this.fin = this.rst = this.finAcked = false
    this.window = ABSENT
  }
}

/** One connection. The object belongs to a slot of the table and is used again. */
export class Connection {
  readonly slot: number
  /** From the client. */
  readonly fwd: Side
  /** From the server. */
  readonly rev: Side
  /** Serial number in order of first segments, from 0. */
  id = 0
  /** Number of the capture of the first segment, from 0. */
  capture = 0
  /** Number of its packet, from 1. */
  firstPacket = 0
  /** Time of the first segment. */
  firstSecond = 0
  firstNanosecond = 0
  /** Time of the latest segment. */
  lastSecond = 0
  lastNanosecond = 0
  /** The client is the first endpoint of the key. */
  clientIsFirst = true
  /** How far it came: one of {@link State}. */
  state = 0
  /** The three-way handshake completed. */
  connected = false
  /** A SYN with ACK came from the server. */
  synAck = false
  /** A consumer wants its payload. */
  wanted = true
  /** One of {@link Status}. */
  status = 0
  /** Second at which it ends: idle or, where it is over, no longer awaited. */
  endSecond = -Infinity

  constructor(slot: number) {
    this.slot = slot
    this.fwd = new Side(slot * 2)
    this.rev = new Side(slot * 2 + 1)
  }

  /** Begins anew with `segment`. */
  open(id: number, segment: Segment): void {
    this.id = id
    this.fwd.clear()
    this.rev.clear()
    this.state = segment.has(Flags.SYN) ? State.SynSent : State.Midstream
    this.connected = this.synAck = false
    this.wanted = true
    this.status = Status.Known
    this.endSecond = -Infinity
  }

  /** Takes in what the header of a segment of `own` says. True: the connection is over with this segment. */
  header(segment: Segment, own: Side): boolean {
    const wasOver = this.isOver
    own.packets += 1
    own.payload += segment.payloadLen
    if (segment.has(Flags.SYN)) this.#syn(segment, own)
    if (segment.has(Flags.ACK)) this.#ack(segment, own)
    if (segment.has(Flags.FIN)) {
      own.fin = true
      own.finEnd = (segment.seq + segment.payloadLen + 1) | 0
      if (!this.isOver) this.state = State.Closing
    }
    if (segment.has(Flags.RST)) {
      own.rst = true
      if (this.state !== State.Closed && this.#acceptsReset(segment, own)) this.state = State.Reset
    } else {
      own.window = segment.window
    }
    return !wasOver && this.isOver
  }

  #syn(segment: Segment, own: Side): void {
    if (!own.syn.isSeen) own.syn.take(segment)
    if (own === this.rev && segment.has(Flags.ACK)) this.synAck = true
    const both = this.fwd.syn.isSeen && this.rev.syn.isSeen
    if (this.state === State.SynSent && (both || own === this.rev)) this.state = State.SynReceived
  }

  #ack(segment: Segment, own: Side): void {
    if (own === this.fwd && this.synAck) {
      // Where the capture missed the first SYN, what follows shows it all the same; `connected` asks to see it.
      if (this.fwd.syn.isSeen) this.connected = true
      if (this.state === State.SynSent || this.state === State.SynReceived) this.state = State.Established
    }
    const peer = this.peer(own)
    if (!peer.fin || ((segment.ack - peer.finEnd) | 0) < 0) return
    peer.finAcked = true
    if (own.finAcked && this.state !== State.Reset) this.state = State.Closed
  }

  /** The other direction. */
  peer(own: Side): Side {
    return own === this.fwd ? this.rev : this.fwd
  }

  /**
   * Whether the receiver of a RST could accept it: RFC 5961 section 3.2 asks for a sequence number in its window; RFC
   * 9293 section 3.10.7.3 for an acknowledgement of the SYN where nothing else was sent yet.
   */
  #acceptsReset(segment: Segment, own: Side): boolean {
    const peer = this.peer(own)
    if (!own.syn.isSeen && peer.syn.isSeen) return !segment.has(Flags.ACK) || ((segment.ack - peer.syn.isn) | 0) > 0
    const { stream } = own
    if (!stream.hasStarted) return true
    // What the sender of the RST was last told it may send, from what is in order on.
    const window = Math.max(1, this.window(peer))
    const next = stream.seqAt(stream.rcvNxt)
    const ahead = (segment.seq - next) | 0
    const inFlight = (stream.seqAt(stream.sndNxt) - next) | 0
    // A host may reset from where it is, which may lie behind what it had sent before.
    return ahead >= -window && ahead <= Math.max(window, inFlight)
  }

  /** Receive window that the sender of `side` last advertised, in octets, scaled (RFC 7323 section 2.3). */
  window(side: Side): number {
    const raw = side.window === ABSENT ? 0xffff : side.window
    // Scaling is in force only if both sides asked for it; where a SYN is missing, the largest scale is assumed.
    const { fwd, rev } = this
    if (!fwd.syn.isSeen || !rev.syn.isSeen) return raw * 2 ** 14
    return fwd.syn.windowScale === ABSENT || rev.syn.windowScale === ABSENT ? raw : raw * 2 ** side.syn.shift
  }

  /** A FIN was seen in both directions, or a RST that was accepted. */
  get isOver(): boolean {
    return this.state === State.Reset || (this.fwd.fin && this.rev.fin)
  }

  /** What the record says of the end when the connection leaves the table because of `cause`. */
  endReason(cause: number): number {
    if (this.state === State.Reset) return EndReason.Rst
    return this.fwd.fin && this.rev.fin ? EndReason.Fin : cause
  }
}
