/**
 * Connections and everything that belongs to them: segments in, events and records out. Mirrors
 * `core::session::streams::Tracker`.
 */
import type { Packet } from '../capture/packet.js'
import { CaptureClock } from '../connection/clock.js'
import type { Connection, Side } from '../connection/observed.js'
import { beginsAnew } from '../connection/reuse.js'
import { EndReason } from '../connection/state.js'
import { ConnectionTable, type ConnectionLimits } from '../connection/table.js'
import type { Datagram } from '../decode/datagram.js'
import { Flags, type Segment } from '../decode/segment.js'
import { isLoop } from '../flow/endpoints.js'
import { FROM_FIRST, Identity } from '../flow/key.js'
import type { BeginHash } from '../sha256.js'
import { hasPassed } from '../span.js'
import { Arena } from '../stream/arena.js'
import type { StreamLimits } from '../stream/limits.js'
import { StreamSegment } from '../stream/segment.js'
import { EventSink } from './event-sink.js'
import { EventWriter } from './events.js'

/** What a tracker is to do. */
export interface TrackerOptions {
  readonly streams: StreamLimits
  readonly connections: ConnectionLimits
  /** Give open, data, gap and conflict events; otherwise only closes come. */
  readonly events: boolean
  /** With events: packets too. */
  readonly packets: boolean
  /** Packets have their frames. */
  readonly frames: boolean
  /** Data events have no octets, only their length. */
  readonly bare: boolean
  /** Octets that follow each other in their stream and in capture order are one event. */
  readonly join: boolean
  /** Begins the hash of each direction; null where none is asked for. */
  readonly beginHash: BeginHash | null
  /** Most gaps of a direction that its record lists. */
  readonly maxGaps: number
}

const NOTHING = new Uint8Array(0)
const SYN_ACK = Flags.SYN | Flags.ACK

/** Connections and what belongs to them. */
export class Tracker {
  readonly table: ConnectionTable
  readonly arena: Arena
  readonly writer: EventWriter
  readonly #sink: EventSink
  readonly #events: boolean
  readonly #packets: boolean
  readonly #frames: boolean
  readonly #idle: readonly [number, number]
  readonly #clock = new CaptureClock()
  readonly #identity: Identity
  /** The segment at hand, as streams want it. */
  readonly #fed = new StreamSegment()

  constructor(options: TrackerOptions) {
    this.table = new ConnectionTable(options.connections)
    this.#identity = new Identity(this.table.keys.key)
    this.arena = new Arena(options.streams)
    this.writer = new EventWriter(this.table.keys, options.join, options.packets)
    this.#sink = new EventSink(this.writer, options.beginHash, options.maxGaps, options.bare)
    this.#events = options.events
    this.#packets = options.events && options.packets
    this.#frames = options.frames
    this.#idle = options.connections.idle
  }

  /** Moves packet time on: ends connections and gives up holes whose time has come. */
  advance(packet: Packet): void {
    const { second, nanosecond } = packet
    const head = this.writer.head
    head.second = second
    head.nanosecond = nanosecond
    head.packet = packet.number
    this.#clock.tick(second, nanosecond)
    this.table.advance(this.#clock.second, this.#clock.nanosecond)
    this.#endFinished()
    for (;;) {
      const token = this.arena.due(second, nanosecond)
      if (token < 0) return
      this.#named(token)?.stream.onTime(this.arena, second, nanosecond, this.#sink)
    }
  }

  /**
   * Takes a segment in. `encap` is what counts for the key of what lies around the datagram; `capture` the number of its
   * capture, and its packet lies in `block`.
   */
  segment(packet: Packet, block: Uint8Array, datagram: Datagram, segment: Segment, encap: number, capture: number): void {
    const { second, nanosecond } = packet
    const isFromFirst = this.#identity.of(datagram, encap) === FROM_FIRST
    const known = this.table.find(this.#identity.used)
    const goesOn = known !== undefined && !(segment.has(Flags.SYN) && this.#isAnew(known, packet, segment, isFromFirst))
    const connection = goesOn ? known : this.#replace(known, packet, segment, isFromFirst, capture)
    const own = this.#isFromClient(connection, isFromFirst, goesOn, segment) ? connection.fwd : connection.rev
    this.table.touch(connection, this.#clock.second, this.#clock.nanosecond)
    connection.lastSecond = second
    connection.lastNanosecond = nanosecond
    const zeroWindow = connection.peer(own).window === 0
    const isOver = connection.header(segment, own)
    if (this.#packets && connection.wanted) {
      this.#aim(connection.slot, own === connection.fwd ? 0 : 1)
      this.writer.packet(packet, segment, connection.state, datagram.serial, this.#frame(packet, block))
    }
    this.#feed(connection, own, zeroWindow, segment)
    if (isOver) this.table.setOver(connection, this.#clock.second, this.#clock.nanosecond)
    for (;;) {
      const token = this.arena.overLimit()
      if (token < 0) return
      this.#named(token)?.stream.relieve(this.arena, this.#sink)
    }
  }

  /** Tells of a fragment whose datagram isn't whole: that is number `datagram`, or 0 where it was refused. */
  fragment(packet: Packet, block: Uint8Array, datagram: number): void {
    if (this.#packets) this.writer.packet(packet, null, 0, datagram, this.#frame(packet, block))
  }

  #frame({ start, end }: Packet, block: Uint8Array): Uint8Array {
    return this.#frames ? block.subarray(start, end) : NOTHING
  }

  /** The first segment says by its flags who sent it, which matters where a host talks to itself. */
  #isFromClient(connection: Connection, isFromFirst: boolean, goesOn: boolean, segment: Segment): boolean {
    return goesOn ? isFromFirst === connection.clientIsFirst : !isFromServer(segment)
  }

  /** Ends the connection that is known under the key at hand, if there is one, and opens another. */
  #replace(
    known: Connection | undefined,
    packet: Packet,
    segment: Segment,
    isFromFirst: boolean,
    capture: number,
  ): Connection {
    if (known !== undefined) {
      this.table.finish(known, this.#isIdle(known, packet) ? EndReason.Idle : EndReason.Reuse)
      this.#endFinished()
    }
    return this.#open(packet, segment, isFromFirst, capture)
  }

  #isAnew(known: Connection, packet: Packet, segment: Segment, isFromFirst: boolean): boolean {
    const own = isFromFirst === known.clientIsFirst ? known.fwd : known.rev
    return beginsAnew(known, segment, own, this.#isIdle(known, packet))
  }

  /** By packet time, no segment came for the idle time. */
  #isIdle(known: Connection, { second, nanosecond }: Packet): boolean {
    return hasPassed(known.lastSecond, known.lastNanosecond, second, nanosecond, this.#idle[0], this.#idle[1])
  }

  #open(packet: Packet, segment: Segment, isFromFirst: boolean, capture: number): Connection {
    const connection = this.table.open(this.#identity.used, segment)
    const { slot } = connection
    connection.clientIsFirst = isFromFirst !== isFromServer(segment) || isLoop(this.table.keys, slot)
    connection.capture = capture
    connection.firstPacket = packet.number
    connection.firstSecond = connection.lastSecond = packet.second
    connection.firstNanosecond = connection.lastNanosecond = packet.nanosecond
    // Opening may have evicted another one.
    this.#endFinished()
    this.#sink.open(slot)
    if (this.#events) {
      this.#aim(slot, 0)
      this.writer.open(connection)
    }
    return connection
  }

  #aim(slot: number, direction: number): void {
    this.writer.head.slot = slot
    this.writer.head.direction = direction
  }

  /** Gives the payload to its stream and the acknowledgement to the other one. */
  #feed(connection: Connection, own: Side, zeroWindow: boolean, segment: Segment): void {
    const { head } = this.writer
    const direction = own === connection.fwd ? 0 : 1
    const givesEvents = this.#events && connection.wanted
    this.#sink.hear(connection.slot, givesEvents)
    if (segment.has(Flags.ACK)) {
      head.direction = 1 - direction
      connection.peer(own).stream.onAck(this.arena, segment.ack, head.second, head.nanosecond, this.#sink)
    }
    // RFC 9293 section 3.5.3: what a RST carries explains it and is no stream data.
    if (!segment.has(Flags.RST)) {
      head.direction = direction
      own.stream.push(this.arena, this.#asFed(segment, zeroWindow), this.#sink)
    }
    if (!connection.wanted) this.#discard(connection)
  }

  #asFed(segment: Segment, zeroWindow: boolean): StreamSegment {
    const fed = this.#fed
    const { head } = this.writer
    fed.seq = segment.seq | 0
    fed.syn = segment.has(Flags.SYN)
    fed.fin = segment.has(Flags.FIN)
    const end = segment.payload + segment.payloadCaptured
    fed.payload = segment.payloadCaptured > 0 ? segment.bytes.subarray(segment.payload, end) : NOTHING
    fed.wireLength = segment.payloadLen
    fed.zeroWindow = zeroWindow
    fed.second = head.second
    fed.nanosecond = head.nanosecond
    return fed
  }

  #discard(connection: Connection): void {
    connection.fwd.stream.discard(this.arena)
    connection.rev.stream.discard(this.arena)
  }

  /** The side whose stream has that name; what the sink hears from now on is its. */
  #named(token: number): Side | undefined {
    const connection = this.table.at(Math.floor(token / 2))
    if (connection === undefined) return undefined
    const direction = token % 2
    this.#sink.hear(connection.slot, this.#events && connection.wanted)
    this.writer.head.direction = direction
    return direction === 0 ? connection.fwd : connection.rev
  }

  /** Ends the connections that left the table: what waits in their streams comes out, then their record. */
  #endFinished(): void {
    for (let ended = this.table.nextFinished(); ended !== undefined; ended = this.table.nextFinished())
      this.#end(ended, this.table.cause)
  }

  #end(connection: Connection, cause: number): void {
    const { slot } = connection
    for (const token of [slot * 2, slot * 2 + 1]) this.#named(token)?.stream.finish(this.arena, this.#sink)
    const extra = this.#sink.end(slot)
    this.#aim(slot, 0)
    if (this.writer.close(connection, connection.endReason(cause), extra)) this.table.release(connection)
  }

  /** Writes what waited for room. */
  drain(): void {
    if (!this.writer.isSpilling) return
    this.writer.drain(
      slot => this.table.at(slot),
      connection => this.table.release(connection),
    )
  }

  /** The input ended: ends connections until all are out or the batch is full. True: all are out. */
  flush(): boolean {
    const { head } = this.writer
    for (let ended = this.table.nextFinished(); ended !== undefined; ended = this.table.nextFinished()) {
      head.second = ended.lastSecond
      head.nanosecond = ended.lastNanosecond
      head.packet = 0
      this.#end(ended, this.table.cause)
      if (this.writer.isSpilling) return false
    }
    return true
  }

  /** The payload is neither kept nor handed out from now on. The slot may be another connection's by now. */
  unwant(slot: number, id: number): void {
    const connection = this.table.at(slot)
    if (connection === undefined || connection.id !== id) return
    connection.wanted = false
    this.#discard(connection)
  }
}

/** An opening segment that only servers send. */
function isFromServer(segment: Segment): boolean {
  return (segment.flags & SYN_ACK) === SYN_ACK
}
