/** `connections`: captures in, one record per TCP connection out, with what each side sent. */
import type { ConnectionAnalysis } from './analysis/columns.js'
import { connectionColumns } from './connection-columns.js'
import type { ColumnInfo } from './export/columns.js'
import type { CaptureInfo } from './capture-info.js'
import { ConnectionRow, type ConnectionRecord } from './connection.js'
import type { FlowError } from './errors.js'
import { abortSignal, checkEngine, checkReading, flag, integer, knownNames, READ_OPTION_NAMES } from './options.js'
import { InTurn } from './in-turn.js'
import { captureNames, needPayload, sourceList, sourceName, type CaptureSource } from './source.js'
import { NO_STATS, StreamEvents, type DataEvent, type StreamEvent, type StreamStats } from './stream-events.js'
import { addStats } from './stats.js'
import { noContents, type Contents, type StreamContent } from './stream-content.js'
import { checkStreams, oneOf, STREAM_OPTION_NAMES, type StreamOptions } from './stream-options.js'

/** What `connections` takes. */
export interface ConnectionsOptions extends StreamOptions {
  /**
   * Octets kept of each direction, from its start. 0 = none: then only records are made, which is quickest.
   * @defaultValue 1 MiB
   */
  maxStreamBytes?: number
  /**
   * Octets kept of all open connections together. Beyond it nothing more is kept (`content.complete` is false).
   * @defaultValue 256 MiB
   */
  maxKeptBytes?: number
  /**
   * Adds the columns `stream_sha256_fwd` and `stream_sha256_rev`: of all delivered octets, kept or not.
   * @defaultValue none
   */
  hash?: 'sha256'
  /**
   * Adds the columns of {@link ConnectionAnalysis}: kinds of segments, round trips, windows, rates, ECN, Zeek's state.
   * @defaultValue false
   */
  analyse?: boolean
  /**
   * Reads each capture by itself: no connection goes on from one to the next, and serial numbers begin anew.
   * @defaultValue false
   */
  separate?: boolean
}

/** A connection record with what each side sent. These two are no columns: spread and JSON leave them out. */
export interface Connection extends ConnectionRecord {
  readonly client: StreamContent
  readonly server: StreamContent
}

/** A connection with its analysis. */
export interface AnalysedConnection extends Connection, ConnectionAnalysis {}

/**
 * Reads captures and gives one record per TCP connection, in the order in which they end.
 *
 * @example
 * for await (const c of connections('big.pcap', { want: c => c.server_port === 443 }))
 *   console.log(c.client_addr, c.client.length, c.server.gaps)
 */
export function connections(
  source: CaptureSource | readonly CaptureSource[],
  options: ConnectionsOptions & { analyse: true },
): Connections<AnalysedConnection>
export function connections(source: CaptureSource | readonly CaptureSource[], options?: ConnectionsOptions): Connections
export function connections(
  source: CaptureSource | readonly CaptureSource[],
  options: ConnectionsOptions = {},
): Connections {
  return new Connections(source, options)
}

const OWN_NAMES = ['maxStreamBytes', 'maxKeptBytes', 'hash', 'analyse', 'separate']

interface Checked {
  readonly options: StreamOptions
  readonly maxStreamBytes: number
  readonly maxKeptBytes: number
  readonly sha256: boolean
  readonly analyse: boolean
}

/** The records of a run: what {@link connections} returns. */
export class Connections<C extends Connection = Connection> implements AsyncIterableIterator<C, undefined> {
  readonly #batches: AsyncGenerator<void, undefined>
  readonly #turns: InTurn<C>
  readonly #describe: () => readonly ColumnInfo[]
  #columns: readonly ColumnInfo[] | undefined
  #events: StreamEvents | undefined
  #keeper: Keeper | undefined
  #before: StreamStats | undefined
  #capturesBefore: readonly CaptureInfo[] = []
  #finished = false

  constructor(source: CaptureSource | readonly CaptureSource[], options: ConnectionsOptions = {}) {
    knownNames(options, [...READ_OPTION_NAMES, ...STREAM_OPTION_NAMES, ...OWN_NAMES])
    const { maxStreamBytes, maxKeptBytes, hash, analyse, separate, ...rest } = options
    checkStreams(rest)
    abortSignal(rest.signal)
    const checked = {
      options: rest,
      maxStreamBytes: integer('maxStreamBytes', maxStreamBytes, 2 ** 20, 0, 2 ** 31),
      maxKeptBytes: integer('maxKeptBytes', maxKeptBytes, 2 ** 28, 0, 2 ** 40),
      sha256: hash !== undefined && oneOf('hash', hash, ['sha256']) === 'sha256',
      analyse: flag('analyse', analyse, false),
    }
    const sources = sourceList(source)
    needPayload(sources)
    checkReading(options, sources.length)
    const names = captureNames(sources)
    const apart = flag('separate', separate, false)
    this.#batches = apart ? this.#runEach(sources, checked) : this.#run(sources, names, checked)
    this.#turns = new InTurn(() => this.#take(), async () => (await this.#batches.next()).done !== true)
    this.#describe = () => connectionColumns(checkStreams(rest), { ...checked, captures: apart || names !== null }, checkEngine(rest.engine))
  }

  /** The records' columns, in order, whatever the captures hold. */
  get columns(): readonly ColumnInfo[] {
    return (this.#columns ??= this.#describe())
  }

  /** Counters of the run so far. */
  get stats(): StreamStats {
    return this.#events ? addStats(this.#before, this.#events.stats) : (this.#before ?? NO_STATS)
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return [...this.#capturesBefore, ...(this.#events?.captures ?? [])]
  }

  async *#runEach(sources: readonly CaptureSource[], checked: Checked): AsyncGenerator<void, undefined> {
    let first: FlowError | undefined
    const onError = checked.options.onError ?? ((error: FlowError) => void (first ??= error))
    for (const [index, source] of sources.entries()) {
      if (this.#finished) break
      const follow = checked.options.follow === true && index === sources.length - 1
      const each = { ...checked, options: { ...checked.options, onError, follow } }
      yield* this.#run([source], [sourceName(source)], each)
    }
    if (first) throw first
  }

  /** Reads batch after batch, which {@link #take} takes records from. */
  async *#run(
    sources: readonly CaptureSource[],
    captures: readonly string[] | null,
    { options, maxStreamBytes, maxKeptBytes, sha256, analyse }: Checked,
  ): AsyncGenerator<void, undefined> {
    const keep = maxStreamBytes > 0
    const events = new StreamEvents(sources, options, { events: keep, sha256, analyse, captures })
    this.#keeper = new Keeper(maxStreamBytes, maxKeptBytes)
    this.#events = events
    if (this.#finished) events.finish()
    try {
      while (await events.nextBatch()) yield
    } finally {
      await events.return()
      this.#before = this.stats
      this.#capturesBefore = this.captures
      this.#events = undefined
    }
  }

  /** A record of the batch at hand. */
  #take(): C | undefined {
    const [events, keeper] = [this.#events, this.#keeper]
    if (events === undefined || keeper === undefined) return undefined
    for (let event = events.take(); event; event = events.take()) {
      const ended = keeper.take(event)
      // With `analyse` the engine's records have these columns.
      if (ended) return ended as C
    }
    return undefined
  }

  /** The next record. */
  next(): Promise<IteratorResult<C, undefined>> {
    return this.#turns.next()
  }

  /**
   * Ends the wait for more of a stream or of a capture that is followed, and opens no further capture: the connections
   * that are open come, and the loop ends.
   */
  finish(): void {
    this.#finished = true
    this.#events?.finish()
  }

  /** Stops reading and lets go of files and threads. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.finish()
    await this.#batches.return(undefined)
    return { done: true, value: undefined }
  }

  /** Itself: `for await` asks for it. */
  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Keeps what connections carry, up to the limits, until they end. */
class Keeper {
  readonly #perStream: number
  readonly #inAll: number
  readonly #open = new Map<number, Contents>()
  #kept = 0

  constructor(perStream: number, inAll: number) {
    this.#perStream = perStream
    this.#inAll = inAll
  }

  /** Takes an event in; gives the connection that ended with it. */
  take(event: StreamEvent): Connection | undefined {
    if (event.type === 'data') this.#keep(event)
    return event.type === 'close' ? this.#end(event.connection) : undefined
  }

  #keep(event: DataEvent): void {
    const content = this.#contents(event.connection.connection_id)[event.direction === 'fwd' ? 0 : 1]
    const room = Math.min(this.#perStream - content.kept, this.#inAll - this.#kept)
    this.#kept += content.push(event.data, room)
  }

  #contents(id: number): Contents {
    let contents = this.#open.get(id)
    if (!contents) this.#open.set(id, (contents = noContents()))
    return contents
  }

  #end(closed: ConnectionRecord): Connection {
    const record = closed as ConnectionRecord & ConnectionRow
    const contents = this.#open.size === 0 ? undefined : this.#open.get(record.connection_id)
    // Where nothing is kept, what says so is made when it is asked for.
    if (contents !== undefined) {
      this.#open.delete(record.connection_id)
      this.#kept -= contents[0].kept + contents[1].kept
      ConnectionRow.keep(record, contents)
    }
    return record
  }
}
