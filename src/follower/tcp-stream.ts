/** `TcpStream`: one followed connection, as callbacks get it. One object per connection, which grows. */
import type { ConnectionEndReason, ConnectionIdentity, Gap } from '../connection.js'
import type { DataEvent, Direction, GapEvent } from '../stream-events.js'
import { Kept, type Keeping } from './kept.js'

const NONE = new Uint8Array(0)

/** What one side of a connection sent so far. */
export class StreamSide {
  /** @internal */
  readonly kept = new Kept()
  /** @internal Where the FIN stands, once one was seen. */
  finAt: number | undefined
  readonly #gaps: Gap[] = []
  readonly #maxGaps: number
  #length = 0
  #gapBytes = 0

  /** @internal */
  constructor(maxGaps: number) {
    this.#maxGaps = maxGaps
  }

  /** Octets delivered in order, kept or not; gaps not counted. */
  get length(): number {
    return this.#length
  }

  /** Octets that are missing for good, as `[offset, length]`; at most `maxGaps`. */
  get gaps(): readonly Gap[] {
    return this.#gaps
  }

  /** Octets in gaps, listed or not. */
  get gapBytes(): number {
    return this.#gapBytes
  }

  /** All delivered octets were kept: `payload` has them all, from the first on. */
  get complete(): boolean {
    return this.kept.missed === 0
  }

  /**
   * What was kept, gaps left out, in one piece and without a copy. What you got stays as it is while the stream grows.
   * Don't write to it.
   */
  get payload(): Uint8Array {
    return this.kept.view()
  }

  /** @internal Everything up to a FIN was delivered or given up. */
  get isComplete(): boolean {
    return this.finAt !== undefined && this.#length + this.#gapBytes >= this.finAt
  }

  /** @internal Takes new octets in; what is new, to stay. */
  data(event: DataEvent, keeping: Keeping): Uint8Array {
    const { data } = event
    this.#length += data.length
    const taken = keeping.keep(this.kept, data)
    if (taken === data.length) return this.kept.view(this.kept.length - taken)
    this.kept.miss(data.length - taken)
    return data.slice()
  }

  /** @internal */
  gap({ offset, length }: GapEvent): void {
    this.#gapBytes += length
    const last = this.#gaps.at(-1)
    if (last && last[0] + last[1] === offset) last[1] += length
    else if (this.#gaps.length < this.#maxGaps) this.#gaps.push([offset, length])
  }
}

/**
 * A TCP connection that is followed. The same object comes with each callback of its connection, and it goes on growing:
 * `chunk`, `gap`, `direction`, `offset`, `packet` and `timestampNs` tell of the callback at hand.
 */
export class TcpStream {
  /** The client's address (RFC 5952 text). The client sent the SYN or, where none was seen, the first segment. */
  readonly clientAddr: string
  /** The server's address. */
  readonly serverAddr: string
  readonly clientPort: number
  readonly serverPort: number
  /** Serial number in order of first segments, from 0. */
  readonly identifier: number
  /** 4 or 6. */
  readonly ipVersion: number
  /** What the client sent. */
  readonly client: StreamSide
  /** What the server sent. */
  readonly server: StreamSide
  /** @internal A FIN in both directions was seen, or a RST. */
  over: 'fin' | 'rst' | undefined
  #endReason: ConnectionEndReason | null = null
  #chunk: Uint8Array = NONE
  #gap: Gap | null = null
  #direction: Direction | null = null
  #offset = 0
  #packet = 0
  #timestampNs: bigint

  /** @internal Streams come from a follower. */
  constructor(connection: ConnectionIdentity, maxGaps: number) {
    this.clientAddr = connection.client_addr
    this.serverAddr = connection.server_addr
    this.clientPort = connection.client_port
    this.serverPort = connection.server_port
    this.identifier = connection.connection_id
    this.ipVersion = connection.ip_version
    this.client = new StreamSide(maxGaps)
    this.server = new StreamSide(maxGaps)
    this.#timestampNs = connection.first_ns
  }

  /** The connection was closed: a FIN in both directions, or a RST. False where it ended otherwise. */
  get finished(): boolean {
    return this.#endReason === 'fin' || this.#endReason === 'rst'
  }

  /** Why the stream ended; null as long as it has not. */
  get endReason(): ConnectionEndReason | null {
    return this.#endReason
  }

  /** What the client has sent so far: see {@link StreamSide.payload}. */
  get clientPayload(): Uint8Array {
    return this.client.payload
  }

  /** What the server has sent so far. */
  get serverPayload(): Uint8Array {
    return this.server.payload
  }

  /** What is new with this callback; empty for a gap and an end. It may be kept. Don't write to it. */
  get chunk(): Uint8Array {
    return this.#chunk
  }

  /** Octets that are missing for good, as `[offset, length]`, where this callback tells of them. */
  get gap(): Gap | null {
    return this.#gap
  }

  /** Who sent `chunk`, or what is missing: the client (`fwd`) or the server (`rev`); null at an end. */
  get direction(): Direction | null {
    return this.#direction
  }

  /** Where `chunk` or `gap` begins in its stream: 0 = the first octet after the SYN. */
  get offset(): number {
    return this.#offset
  }

  /** Number of the packet that brought this callback, in its capture, from 1; 0 at the end of the input. */
  get packet(): number {
    return this.#packet
  }

  /** Packet time of this callback, nanoseconds since the Unix epoch. */
  get timestampNs(): bigint {
    return this.#timestampNs
  }

  /** @internal */
  side(direction: Direction): StreamSide {
    return direction === 'fwd' ? this.client : this.server
  }

  /** @internal */
  tellData(event: DataEvent, keeping: Keeping): void {
    this.#tell(event, event.direction, event.offset)
    this.#chunk = this.side(event.direction).data(event, keeping)
  }

  /** @internal */
  tellGap(event: GapEvent): void {
    this.#tell(event, event.direction, event.offset)
    this.#gap = [event.offset, event.length]
    this.side(event.direction).gap(event)
  }

  /** @internal */
  tellEnd(event: { readonly timestampNs: bigint; readonly packet: number }, reason: ConnectionEndReason): void {
    this.#tell(event, null, 0)
    this.#endReason = reason
  }

  #tell(event: { readonly timestampNs: bigint; readonly packet: number }, direction: Direction | null, offset: number): void {
    this.#packet = event.packet
    this.#timestampNs = event.timestampNs
    this.#direction = direction
    this.#offset = offset
    this.#chunk = NONE
    this.#gap = null
  }
}
