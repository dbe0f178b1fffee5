/** `decodeTcp`: captures in; out, at each PSH or URG, what one direction of a connection sent, in sequence order. */
import type { CaptureInfo } from '../capture-info.js'
import type { ConnectionIdentity, Gap } from '../connection.js'
import { Keeping } from '../follower/kept.js'
import { integer } from '../options.js'
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN, TCP_URG } from '../packet/constants.js'
import type { CaptureSource } from '../source.js'
import { StreamEvents, type Direction, type MarkEvent, type StreamEvent, type StreamStats } from '../stream-events.js'
import { checkStreams, oneOf, type StreamOptions } from '../stream-options.js'
import { Assembly, type Piece, type PieceReason, type Shared, type Since } from './assembly.js'
import type { ConnectionId } from './connection-id.js'

/** What `decodeTcp` takes. */
export interface DecodeTcpOptions extends StreamOptions {
  /**
   * Whether each piece has everything from the stream's start, or what came since the piece before.
   * @defaultValue 'start'
   */
  since?: Since
  /**
   * Octets kept of each direction. Beyond it, with `since: 'start'`, nothing more is kept (`complete` is false,
   * `stats.missedBytes` counts); with `'lastPush'` a piece comes before its time, with reason `limit`.
   * @defaultValue 64 MiB
   */
  maxStreamBytes?: number
  /**
   * Octets kept of all open connections together. Beyond it the same happens.
   * @defaultValue 256 MiB
   */
  maxKeptBytes?: number
}

/** What one direction sent. */
export interface DecodedData {
  /** The direction: source address and port, destination address and port. */
  readonly connectionId: ConnectionId
  /** Octets in sequence order, without what is missing. They stay as they are; don't write to them. */
  readonly data: Uint8Array
  readonly ipVersion: 4 | 6
  /** What is missing for good in this piece, as `[offset in the stream, length]`; at most `maxGaps`. */
  readonly gaps: readonly Gap[]
  /** Where the piece begins in the stream, gaps counted: 0 = the first octet after the SYN. */
  readonly offset: number
  /** `data` has all octets since `offset` but the gaps; false: a limit was reached. */
  readonly complete: boolean
  /** Why it comes: a PSH or URG, the end of the stream, or a limit. */
  readonly reason: PieceReason
  /** From the client (`fwd`) or from the server (`rev`). */
  readonly direction: Direction
  /** The connection, both directions together. */
  readonly connection: ConnectionIdentity
  /** Number of the packet that brought it, in its capture, from 1; 0 at the end of the input. */
  readonly packet: number
  /** Packet time, nanoseconds since the Unix epoch. */
  readonly timestampNs: bigint
}

/** Counters of a run. */
export interface DecodeTcpStats extends StreamStats {
  /** Segments with PSH or URG, on a SYN only where there is something to hand over. */
  pushes: number
  /** Of those, with `since: 'lastPush'` or behind a FIN, how many brought nothing new: no piece came. */
  emptyPushes: number
  /** Of those, how many waited for a hole while 1,024 others did: their octets came with the next piece. */
  mergedPushes: number
  /** Segments with neither SYN nor ACK. */
  withoutAck: number
  /** Octets that are in no piece because of a limit. */
  missedBytes: number
}

/**
 * Reads captures and gives what each direction of each TCP connection sent, at each segment with PSH or URG, and the
 * rest when the stream ends. A segment that came early takes effect when what is missing before it was filled in or given
 * up.
 *
 * @example
 * for await (const { connectionId, data, ipVersion } of decodeTcp('capture.pcap'))
 *   console.log(connectionIdToString(connectionId, ipVersion), data.length)
 */
export function decodeTcp(
  source: CaptureSource | readonly CaptureSource[],
  options: DecodeTcpOptions = {},
): DecodedTcp {
  return new DecodedTcp(source, options)
}

/** The pieces of a run: what {@link decodeTcp} returns. */
export class DecodedTcp implements AsyncIterableIterator<DecodedData, undefined> {
  readonly #events: StreamEvents
  readonly #shared: Shared
  readonly #open = new Map<number, readonly [Assembly, Assembly]>()
  /** Pieces that wait to be asked for: those of one event. */
  #ready: DecodedData[] = []
  #event: StreamEvent | undefined
  #pushes = 0
  #withoutAck = 0

  constructor(source: CaptureSource | readonly CaptureSource[], options: DecodeTcpOptions = {}) {
    const { since, maxStreamBytes, maxKeptBytes, ...rest } = options
    const perStream = integer('maxStreamBytes', maxStreamBytes, 2 ** 26, 1, 2 ** 31)
    const inAll = integer('maxKeptBytes', maxKeptBytes, 2 ** 28, 1, 2 ** 40)
    this.#shared = {
      since: oneOf('since', since, ['start', 'lastPush']),
      keeping: new Keeping(perStream, inAll),
      maxGaps: checkStreams(rest).maxGaps,
      emptyPushes: 0,
      mergedPushes: 0,
      missedBytes: 0,
    }
    this.#events = new StreamEvents(source, { ...rest, marks: true, joinData: false })
  }

  /** Counters so far. */
  get stats(): DecodeTcpStats {
    const { emptyPushes, mergedPushes, missedBytes } = this.#shared
    const own = { pushes: this.#pushes, emptyPushes, mergedPushes, withoutAck: this.#withoutAck, missedBytes }
    return { ...this.#events.stats, ...own }
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return this.#events.captures
  }

  /** The next piece. */
  async next(): Promise<IteratorResult<DecodedData, undefined>> {
    try {
      do for (let event = this.#nextEvent(); event; event = this.#nextEvent()) this.#take(event)
      while (this.#ready.length === 0 && (await this.#events.nextBatch()))
    } catch (error) {
      await this.return()
      throw error
    }
    const value = this.#ready.shift()
    return value ? { done: false, value } : { done: true, value: undefined }
  }

  /** The next event of the batch at hand; none while there are pieces to hand over. */
  #nextEvent(): StreamEvent | undefined {
    return this.#ready.length === 0 ? this.#events.take() : undefined
  }

  /**
   * Ends the wait for more of a stream or of a capture that is followed, and opens no further capture: the rest of what
   * is open comes, and the loop ends.
   */
  finish(): void {
    this.#events.finish()
  }

  /** Stops reading and lets go of files and threads. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#ready = []
    this.#open.clear()
    return this.#events.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(event: StreamEvent): void {
    this.#event = event
    switch (event.type) {
      case 'data':
        return this.#assembly(event).data(event.data)
      case 'gap':
        return this.#assembly(event).gap(event.offset, event.length)
      case 'mark':
        return this.#mark(event)
      case 'close':
        for (const assembly of this.#open.get(event.connection.connection_id) ?? []) {
          assembly.end()
          assembly.release()
        }
        this.#open.delete(event.connection.connection_id)
    }
  }

  #mark(event: MarkEvent): void {
    const { flags, offset } = event
    const assembly = this.#assembly(event)
    if ((flags & (TCP_SYN | TCP_ACK)) === 0) this.#withoutAck++
    const isPush = (flags & (TCP_PSH | TCP_URG)) !== 0
    // A SYN brings octets with TCP Fast Open only (RFC 7413).
    if (isPush && ((flags & TCP_SYN) === 0 || offset > 0)) {
      this.#pushes++
      assembly.push(offset)
    }
    if ((flags & TCP_FIN) !== 0) assembly.fin(offset)
    // What waits behind a hole may still come when the connection is closed.
    if (event.over && (flags & TCP_RST) !== 0) for (const each of this.#open.get(event.connection.connection_id)!) each.end()
  }

  #assembly({ connection, direction }: { connection: ConnectionIdentity; direction: Direction }): Assembly {
    let pair = this.#open.get(connection.connection_id)
    if (!pair) {
      const assembly = (way: Direction) => new Assembly(this.#shared, piece => this.#ready.push(this.#decoded(connection, way, piece)))
      this.#open.set(connection.connection_id, (pair = [assembly('fwd'), assembly('rev')]))
    }
    return pair[direction === 'fwd' ? 0 : 1]
  }

  #decoded(connection: ConnectionIdentity, direction: Direction, piece: Piece): DecodedData {
    const { client_addr, client_port, server_addr, server_port, ip_version } = connection
    const connectionId: ConnectionId =
      direction === 'fwd'
        ? [client_addr, client_port, server_addr, server_port]
        : [server_addr, server_port, client_addr, client_port]
    const { packet, timestampNs } = this.#event!
    const ipVersion = ip_version === 4 ? 4 : 6
    const { data, gaps, offset, complete, reason } = piece
    return { connectionId, data, ipVersion, gaps, offset, complete, reason, direction, connection, packet, timestampNs }
  }
}
