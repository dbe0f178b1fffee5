/** `streamEvents`: captures in, streams as events in capture order out. */
import type { CaptureInfo } from './capture-info.js'
import type { ConnectionIdentity, ConnectionRecord } from './connection.js'
import { Drive, type Filled } from './iterate.js'
import { nativeEngines } from './native/index.js'
import type { Engine } from './engine.js'
import { abortSignal, checkReading, knownNames, READ_OPTION_NAMES } from './options.js'
import { sourceList, sourceName, type CaptureSource } from './source.js'
import { checkStreams, STREAM_OPTION_NAMES, type StreamOptions } from './stream-options.js'
import { eventSlot, parseEventLayouts, Place, type EventColumns, type EventSlot } from './stream-slot.js'

/** Which way octets went: from the client (`fwd`) or from the server (`rev`). */
export type Direction = 'fwd' | 'rev'

/** What every event says. Events are valid until the next one is asked for. */
interface EventBase {
  /** The connection. */
  readonly connection: ConnectionIdentity
  /** Packet time, nanoseconds since the Unix epoch. */
  readonly timestampNs: bigint
  /** Number of the packet that brought it, in its capture, from 1; 0 at the end of the input. */
  readonly packet: number
}

/** A connection began. */
export interface OpenEvent extends EventBase {
  readonly type: 'open'
}

/** Octets in stream order: each begins where data or gap before it ended. */
export interface DataEvent extends EventBase {
  readonly type: 'data'
  readonly direction: Direction
  /** Offset in the stream: 0 = the first octet after the SYN. */
  readonly offset: number
  readonly length: number
  /** A view into the block that was read: valid until the next event is asked for. */
  readonly data: Uint8Array
  /** A copy that stays. */
  copy(): Uint8Array
}

/** Octets that are missing for good. */
export interface GapEvent extends EventBase {
  readonly type: 'gap'
  readonly direction: Direction
  readonly offset: number
  readonly length: number
}

/** Octets that came twice with different values. */
export interface ConflictEvent extends EventBase {
  readonly type: 'conflict'
  readonly direction: Direction
  readonly offset: number
  readonly length: number
  /** What is in the stream. */
  readonly kept: Uint8Array
  /** What came too. */
  readonly other: Uint8Array
}

/** A connection ended. */
export interface CloseEvent extends EventBase {
  readonly type: 'close'
  /** The connection's record, complete. */
  readonly connection: ConnectionRecord
}

/** What can happen to a stream. */
export type StreamEvent = OpenEvent | DataEvent | GapEvent | ConflictEvent | CloseEvent

/**
 * Reads captures and gives the streams of all TCP connections as events, in capture order.
 *
 * @example
 * for await (const event of streamEvents('big.pcap', { filter: 'tcp port 80' }))
 *   if (event.type === 'data') console.log(event.connection.server_addr, event.direction, event.length)
 */
export function streamEvents(
  source: CaptureSource | readonly CaptureSource[],
  options: StreamOptions = {},
): StreamEvents {
  return new StreamEvents(source, options)
}

/** Counters of a run. Nothing is left out silently. */
export interface StreamStats {
  /** Packets read. */
  packets: number
  /** Octets of packets captured. */
  capturedBytes: number
  /** Octets of input read. */
  inputBytes: number
  /** Packets that the filter left out; they count nowhere else. */
  filtered: number
  /** Packets that carry no IP. */
  nonIp: number
  /** Packets of an unknown link type. */
  unknownLink: number
  /** Packets cut inside the link-layer or IP header. */
  cut: number
  /** Packets with a header that contradicts itself. */
  broken: number
  /** Packets with TCP whose header is broken, or cut before its flags. */
  badSegments: number
  /** Connections opened. */
  flows: number
  /** Connections ended because the table was full. */
  evicted: number
  /** Connections known now. */
  openFlows: number
  /** Holes given up because a limit on waiting octets was reached. */
  limitGaps: number
  /** Segments with sequence numbers out of every window, left out. */
  wildSegments: number
  /** Keep-alives and repeated zero-window probes. */
  keepAlives: number
}

/** Counters before anything was read. */
export const NO_STATS: Readonly<StreamStats> = {
  packets: 0,
  capturedBytes: 0,
  inputBytes: 0,
  filtered: 0,
  nonIp: 0,
  unknownLink: 0,
  cut: 0,
  broken: 0,
  badSegments: 0,
  flows: 0,
  evicted: 0,
  openFlows: 0,
  limitGaps: 0,
  wildSegments: 0,
  keepAlives: 0,
}

const DIRECTIONS = ['fwd', 'rev'] as const

/** What this package asks for beyond the public options. */
interface InnerOptions {
  /** False: only closes come. */
  readonly events?: boolean
  readonly sha256?: boolean
  /** Names for the `capture` column; null: no such column. */
  readonly captures?: readonly string[] | null
}

/** The events of a run: what {@link streamEvents} returns. */
export class StreamEvents implements AsyncIterableIterator<StreamEvent, undefined> {
  readonly #engine: Engine
  readonly #drive: Drive<EventSlot>
  readonly #batches: AsyncGenerator<Filled<EventSlot>, undefined>
  readonly #want: ((connection: ConnectionIdentity) => boolean) | undefined
  /** The open connections, by the engine's slot numbers. */
  readonly #connections: (ConnectionIdentity | undefined)[] = []
  readonly #unwanted = new Set<number>()
  #slot: EventSlot
  #block: Uint8Array
  #row = 0
  #rows = 0
  #opens = 0
  #closes = 0

  constructor(source: CaptureSource | readonly CaptureSource[], options?: StreamOptions)
  /** @internal */
  constructor(source: CaptureSource | readonly CaptureSource[], options?: StreamOptions, inner?: InnerOptions)
  constructor(
    source: CaptureSource | readonly CaptureSource[],
    options: StreamOptions = {},
    inner: InnerOptions = {},
  ) {
    knownNames(options, [...READ_OPTION_NAMES, ...STREAM_OPTION_NAMES])
    const sources = sourceList(source)
    const signal = abortSignal(options.signal)
    const { events = true, sha256 = false, captures = sources.length > 1 ? sources.map(sourceName) : null } = inner
    const { merge, follow } = checkReading(options, sources.length)
    this.#want = options.want
    this.#engine = nativeEngines.streams({ events, packets: false, sha256, ...checkStreams(options) })
    const layouts = parseEventLayouts(this.#engine.layout())
    const length = this.#engine.blockLength()
    const slots = [eventSlot(layouts, captures, length), eventSlot(layouts, captures, length)] as const
    this.#slot = slots[0]
    this.#block = slots[0].side
    this.#drive = new Drive(this.#engine, { sources, merge, follow, signal, onError: options.onError })
    this.#batches = this.#drive.batches(slots)
  }

  /** Counters as they stood when the latest batch was filled. */
  get stats(): StreamStats {
    return this.#slot.view.stats() as unknown as StreamStats
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return this.#drive.captures
  }

  /** The next event. */
  async next(): Promise<IteratorResult<StreamEvent, undefined>> {
    for (;;) {
      const taken = this.#takeOrLeave()
      const value = taken instanceof Promise ? await taken : taken
      if (value) return { done: false, value }
      if (!(await this.nextBatch())) return { done: true, value: undefined }
    }
  }

  /** The next event of the batch at hand. Where `want` throws, no loop calls `return`: it is done here. */
  #takeOrLeave(): StreamEvent | undefined | Promise<never> {
    try {
      return this.take()
    } catch (error) {
      return this.return().then(() => {
        throw error
      })
    }
  }

  /** @internal The next event of the batch at hand; undefined at its end. */
  take(): StreamEvent | undefined {
    while (this.#row < this.#rows) {
      const event = this.#event(this.#row++)
      if (event) return event
    }
    return undefined
  }

  /**
   * Calls `callback` for each event, without a turn of the event loop between two: the quickest way. A promise that it
   * returns is waited for.
   */
  async each(callback: (event: StreamEvent) => void | Promise<void>): Promise<void> {
    try {
      do {
        for (let event = this.take(); event; event = this.take()) {
          const answer = callback(event)
          if (answer) await answer
        }
      } while (await this.nextBatch())
    } finally {
      await this.return()
    }
  }

  /** @internal Waits for a batch; false at the end. */
  async nextBatch(): Promise<boolean> {
    const { done, value } = await this.#batches.next()
    if (done === true) return false
    this.#slot = value.slot
    this.#block = value.block ?? value.slot.side
    this.#rows = value.rows
    this.#row = this.#opens = this.#closes = 0
    return true
  }

  /** The event of a row; undefined where nobody wants it. */
  #event(row: number): StreamEvent | undefined {
    const { columns } = this.#slot
    const slot = columns.slot[row]!
    switch (columns.kind[row]) {
      case 0:
        return this.#open(row, slot)
      case 4:
        return this.#close(row, slot)
      default:
        if (this.#unwanted.has(slot)) return undefined
        return this.#payload(row, slot)
    }
  }

  #open(row: number, slot: number): StreamEvent {
    const connection = this.#slot.readOpen(this.#opens++)
    this.#connections[slot] = connection
    if (this.#want && !this.#want(connection)) {
      this.#unwanted.add(slot)
      this.#engine.unwant(slot, connection.connection_id)
    }
    return new RowEvent('open', this.#slot.columns, row, connection)
  }

  #close(row: number, slot: number): StreamEvent {
    const connection = this.#slot.readClosed(this.#closes++)
    this.#connections[slot] = undefined
    this.#unwanted.delete(slot)
    return new RowEvent('close', this.#slot.columns, row, connection)
  }

  #payload(row: number, slot: number): StreamEvent {
    const { columns, side } = this.#slot
    const connection = this.#connections[slot]!
    const octets = columns.place[row] === Place.Block ? this.#block : side
    switch (columns.kind[row]) {
      case 1:
        return new DataRow(columns, row, connection, octets)
      case 2:
        return new OffsetEvent('gap', columns, row, connection)
      default:
        return new ConflictRow(columns, row, connection, octets)
    }
  }

  /**
   * Ends the wait for more of a stream or of a capture that is followed, and opens no further capture: the connections
   * that are open end, and the loop too.
   */
  finish(): void {
    this.#drive.finish()
  }

  /** Stops reading and lets go of files and threads. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#rows = 0
    this.#drive.stop()
    await this.#batches.return(undefined)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

class RowEvent<Type extends string, Connection extends ConnectionIdentity = ConnectionIdentity> {
  readonly type: Type
  readonly connection: Connection
  protected readonly columns: EventColumns
  protected readonly row: number

  constructor(type: Type, columns: EventColumns, row: number, connection: Connection) {
    this.type = type
    this.connection = connection
    this.columns = columns
    this.row = row
  }

  get timestampNs(): bigint {
    return this.columns.time[this.row]!
  }

  get packet(): number {
    return this.columns.packet[this.row]!
  }
}

class OffsetEvent<Type extends string> extends RowEvent<Type> {
  get direction(): Direction {
    return DIRECTIONS[this.columns.direction[this.row] as 0 | 1]
  }

  get offset(): number {
    return this.columns.offset[this.row]!
  }

  get length(): number {
    return this.columns.length[this.row]!
  }
}

class DataRow extends OffsetEvent<'data'> implements DataEvent {
  readonly data: Uint8Array

  constructor(columns: EventColumns, row: number, connection: ConnectionIdentity, octets: Uint8Array) {
    super('data', columns, row, connection)
    const at = columns.at[row]!
    this.data = octets.subarray(at, at + columns.length[row]!)
  }

  copy(): Uint8Array {
    return this.data.slice()
  }
}

class ConflictRow extends OffsetEvent<'conflict'> implements ConflictEvent {
  readonly kept: Uint8Array
  readonly other: Uint8Array

  constructor(columns: EventColumns, row: number, connection: ConnectionIdentity, octets: Uint8Array) {
    super('conflict', columns, row, connection)
    const [at, length] = [columns.at[row]!, columns.length[row]!]
    this.kept = octets.subarray(at, at + length)
    this.other = octets.subarray(at + length, at + 2 * length)
  }
}

