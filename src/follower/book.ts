/**
 * The streams that are followed. In come stream events with marks; out goes what callbacks are told: an update for each
 * piece of data, each gap, and one end per stream.
 */
import type { ConnectionIdentity } from '../connection.js'
import type { CloseEvent, MarkEvent, StreamEvent } from '../stream-events.js'
import { TCP_FIN, TCP_RST } from '../packet/constants.js'
import type { Keeping } from './kept.js'
import { TcpStream } from './tcp-stream.js'

/** What happened to a stream. */
export interface StreamUpdate {
  readonly type: 'data' | 'gap' | 'end'
  readonly stream: TcpStream
}

/** Streams by connection. */
export class StreamBook {
  readonly #keeping: Keeping
  readonly #maxGaps: number
  readonly #streams = new Map<number, TcpStream>()
  /** Connections that nobody wants to hear of. */
  readonly #left = new Set<number>()
  /** Octets that were not kept because of a limit. */
  missedBytes = 0

  constructor(keeping: Keeping, maxGaps: number) {
    this.#keeping = keeping
    this.#maxGaps = maxGaps
  }

  /** Data or gap of an event, or the end that comes with its connection's close. */
  take(event: StreamEvent): StreamUpdate | undefined {
    switch (event.type) {
      case 'data':
      case 'gap':
        return this.#payload(event)
      case 'mark':
        this.#mark(event)
        return undefined
      case 'close':
        return this.#close(event)
      default:
        return undefined
    }
  }

  /**
   * The end of a stream that is over, once nothing of it can come any more. To be asked after each event, when its own
   * update was told.
   */
  endOf(event: StreamEvent): StreamUpdate | undefined {
    if (event.type !== 'mark' && event.type !== 'data' && event.type !== 'gap') return undefined
    const stream = this.#streams.get(event.connection.connection_id)
    if (stream?.over === undefined || stream.endReason !== null) return undefined
    const nothingWaits = event.type === 'mark' && !event.waits
    if (!nothingWaits && !(stream.client.isComplete && stream.server.isComplete)) return undefined
    stream.tellEnd(event, stream.over)
    // Behind a FIN nothing can come, so the octets are let go of at once. Some go on sending after a RST.
    if (stream.over === 'fin') this.leave(event.connection)
    return { type: 'end', stream }
  }

  /** Nobody wants to hear of this connection any more. */
  leave(connection: ConnectionIdentity): void {
    this.#left.add(connection.connection_id)
    this.#forget(connection.connection_id)
  }

  #payload(event: Extract<StreamEvent, { type: 'data' | 'gap' }>): StreamUpdate {
    const stream = this.#stream(event.connection)
    if (event.type === 'gap') stream.tellGap(event)
    else {
      const side = stream.side(event.direction)
      const before = side.kept.missed
      stream.tellData(event, this.#keeping)
      this.missedBytes += side.kept.missed - before
    }
    return { type: event.type, stream }
  }

  #mark(event: MarkEvent): void {
    const { flags, over } = event
    if ((flags & (TCP_FIN | TCP_RST)) === 0) return
    const stream = this.#stream(event.connection)
    if ((flags & TCP_FIN) !== 0) stream.side(event.direction).finAt ??= event.offset
    if (over) stream.over = (flags & TCP_RST) === 0 ? 'fin' : 'rst'
  }

  #close(event: CloseEvent): StreamUpdate | undefined {
    const { connection } = event
    if (this.#left.delete(connection.connection_id)) return undefined
    const stream = this.#stream(connection)
    this.#forget(connection.connection_id)
    if (stream.endReason !== null) return undefined
    stream.tellEnd(event, connection.end_reason)
    return { type: 'end', stream }
  }

  #stream(connection: ConnectionIdentity): TcpStream {
    const { connection_id: id } = connection
    let stream = this.#streams.get(id)
    if (!stream) this.#streams.set(id, (stream = new TcpStream(connection, this.#maxGaps)))
    return stream
  }

  #forget(id: number): void {
    const stream = this.#streams.get(id)
    if (!stream) return
    this.#streams.delete(id)
    this.#keeping.release(stream.client.kept)
    this.#keeping.release(stream.server.kept)
  }
}
