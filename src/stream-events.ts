/** `streamEvents`: captures in, streams as events in capture order out. */
import type { CaptureInfo } from './capture-info.js'
import type { ConnectionIdentity, ConnectionRecord } from './connection.js'
import { Drive, EVENT_SLOTS, makeSlots, type Filled } from './iterate.js'
import type { Engine } from './engine.js'
import { abortSignal, checkEngine, checkReading, flag, knownNames, READ_OPTION_NAMES } from './options.js'
import { platform } from './platform.js'
import { needPayload, sourceList, sourceName, type CaptureSource } from './source.js'
import { checkStreams, STREAM_OPTION_NAMES, type EventOptions } from './stream-options.js'
import { OpenConnections } from './open-connections.js'
import { eventSlot, parseEventLayouts, type EventSlot } from './stream-slot.js'

/** Which way octets went: from the client (`fwd`) or from the server (`rev`). */
export type Direction = 'fwd' | 'rev'

/** What every event says. Events are valid until the next one is asked for. */
interface EventBase {
  /** The connection. */
  readonly connection: ConnectionIdentity
  /** Packet time, nanoseconds since the Unix epoch. */
  readonly timestampNs: bigint
  /**
   * Number of the packet that brought it (of data: its first octet), in its capture, from 1; 0 at the end of the input.
   */
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

/**
 * A segment with PSH, URG, FIN or RST, or with neither SYN nor ACK; only where `marks` are asked for. It comes behind
 * the octets that its segment brought, and at once, also where the segment's own octets still wait for a hole to fill.
 */
export interface MarkEvent extends EventBase {
  readonly type: 'mark'
  /** The segment's. */
  readonly direction: Direction
  /** Where its payload ends in the stream. */
  readonly offset: number
  /** The nine control bits: `TCP_FIN` to `TCP_CWR`, and 256 for AE. */
  readonly flags: number
  /** With this segment the connection is over: a FIN in both directions, or a RST that its receiver could accept. */
  readonly over: boolean
  /** Octets of one of the two streams are missing before others that came, or before a FIN. */
  readonly waits: boolean
}

/** What can happen to a stream. */
export type StreamEvent = OpenEvent | DataEvent | GapEvent | ConflictEvent | CloseEvent | MarkEvent

/**
 * Reads captures and gives the streams of all TCP connections as events, in capture order.
 *
 * @example
 * for await (const event of streamEvents('big.pcap', { filter: 'tcp port 80' }))
 *   if (event.type === 'data') console.log(event.connection.server_addr, event.direction, event.length)
 */
export function streamEvents(
  source: CaptureSource | readonly CaptureSource[],
  options: EventOptions = {},
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
  /** Packets of live sources that came and that their filters chose, dropped ones included; 0 of files. */
  received: number
  /** Packets of live sources that the system dropped because they weren't taken in time. */
  dropped: number
  /** Packets of live sources that the interface dropped. */
  droppedByInterface: number
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
  /** Packets by the number of each unknown link type, at most 64 types; those of further ones are in `unknownLink` only. */
  unknownLinkTypes: Readonly<Record<string, number>>
}

/** Counters before anything was read. */
export const NO_STATS: Readonly<StreamStats> = {
  packets: 0,
  capturedBytes: 0,
  inputBytes: 0,
  filtered: 0,
  received: 0,
  dropped: 0,
  droppedByInterface: 0,
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
  unknownLinkTypes: {},
}

const DIRECTIONS = ['fwd', 'rev'] as const

/** What this package asks for beyond the public options. */
interface InnerOptions {
  /** False: only closes come. */
  readonly events?: boolean
  readonly sha256?: boolean
  /** Closes have the analysis. */
  readonly analyse?: boolean
  /** Names for the `capture` column; null: no such column. */
  readonly captures?: readonly string[] | null
  /** Asked for a further source when those given are read; without one the input ends. */
  readonly more?: () => Promise<CaptureSource | undefined>
}

/** The events of a run: what {@link streamEvents} returns. */
export class StreamEvents implements AsyncIterableIterator<StreamEvent, undefined> {
  readonly #engine: Engine
  readonly #drive: Drive<EventSlot>
  readonly #batches: AsyncGenerator<Filled<EventSlot>, undefined>
  readonly #want: ((connection: ConnectionIdentity) => boolean) | undefined
  readonly #open: OpenConnections
  readonly #unwanted = new Set<number>()
  #slot: EventSlot
  #row = 0
  #rows = 0
  #opens = 0
  #closes = 0

  constructor(source: CaptureSource | readonly CaptureSource[], options?: EventOptions)
  /** @internal */
  constructor(source: CaptureSource | readonly CaptureSource[], options?: EventOptions, inner?: InnerOptions)
  constructor(
    source: CaptureSource | readonly CaptureSource[],
    options: EventOptions = {},
    inner: InnerOptions = {},
  ) {
    knownNames(options, [...READ_OPTION_NAMES, ...STREAM_OPTION_NAMES, 'marks'])
    const marks = flag('marks', options.marks, false)
    const sources = inner.more ? [] : sourceList(source)
    needPayload(sources)
    const signal = abortSignal(options.signal)
    const { events = true, sha256 = false, analyse = false, captures = sources.length > 1 ? sources.map(sourceName) : null } = inner
    const { merge, follow } = checkReading(options, sources.length)
    this.#want = options.want
    const engines = platform().engines(checkEngine(options.engine))
    this.#engine = engines.streams({ events, marks, sha256, analyse, ...checkStreams(options) })
    const layouts = parseEventLayouts(this.#engine.layout())
    this.#open = new OpenConnections(layouts.opens, captures)
    const length = this.#engine.blockLength()
    const slot = () => eventSlot(layouts, captures, length)
    const slots = makeSlots(this.#engine, EVENT_SLOTS, slot)
    this.#slot = slots[0]
    this.#drive = new Drive(this.#engine, { sources, more: inner.more, merge, follow, signal, onError: options.onError })
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
    // After an abort none comes: the next batch throws its reason.
    while (this.#row < this.#rows && !this.#drive.stopped) {
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
    // The batch at hand is about to be filled anew.
    this.#open.keep()
    const { done, value } = await this.#batches.next()
    if (done === true) return false
    this.#slot = value.slot
    this.#open.enter(value.slot)
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
        return this.#opened(row, slot)
      case 4:
        this.#open.delete(slot)
        if (this.#unwanted.size > 0) this.#unwanted.delete(slot)
        return new CloseRow(this.#slot, row, this.#closes++)
      default:
        if (this.#unwanted.size > 0 && this.#unwanted.has(slot)) return undefined
        return this.#payload(row)
    }
  }

  #opened(row: number, slot: number): StreamEvent {
    this.#open.add(slot, this.#opens++)
    if (this.#want) {
      const connection = this.#open.get(slot)
      if (!this.#want(connection)) {
        this.#unwanted.add(slot)
        this.#engine.unwant(slot, connection.connection_id)
      }
    }
    return new OpenRow(this.#slot, row, this.#open)
  }

  #payload(row: number): StreamEvent {
    switch (this.#slot.columns.kind[row]) {
      case 1:
        return new DataRow(this.#slot, row, this.#open)
      case 2:
        return new GapRow(this.#slot, row, this.#open)
      case 5:
        return new MarkRow(this.#slot, row, this.#open)
      default:
        return new ConflictRow(this.#slot, row, this.#open)
    }
  }

  /** @internal Nothing more of the connection of `event`, which must be valid still, is wanted but its close. */
  leave(event: StreamEvent): void {
    const { connectionSlot: slot } = event as StreamEvent & RowEvent
    this.#unwanted.add(slot)
    this.#engine.unwant(slot, event.connection.connection_id)
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

  /** Itself: `for await` asks for it. */
  [Symbol.asyncIterator](): this {
    return this
  }
}

class RowEvent {
  protected readonly slot: EventSlot
  protected readonly row: number

  constructor(slot: EventSlot, row: number) {
    this.slot = slot
    this.row = row
  }

  get timestampNs(): bigint {
    return this.slot.columns.time[this.row]!
  }

  get packet(): number {
    return this.slot.columns.packet[this.row]!
  }

  /** The engine's number of the connection, as long as it is known. */
  get connectionSlot(): number {
    return this.slot.columns.slot[this.row]!
  }
}

/** An event of a connection that is open. */
class OpenRow extends RowEvent implements OpenEvent {
  protected readonly open: OpenConnections

  constructor(slot: EventSlot, row: number, open: OpenConnections) {
    super(slot, row)
    this.open = open
  }

  get type(): 'open' {
    return 'open'
  }

  get connection(): ConnectionIdentity {
    return this.open.get(this.slot.columns.slot[this.row]!)
  }
}

class CloseRow extends RowEvent implements CloseEvent {
  private readonly closed: number
  private record: ConnectionRecord | undefined = undefined

  constructor(slot: EventSlot, row: number, closed: number) {
    super(slot, row)
    this.closed = closed
  }

  get type(): 'close' {
    return 'close'
  }

  get connection(): ConnectionRecord {
    return (this.record ??= this.slot.readClosed(this.closed))
  }
}

abstract class StreamRow extends RowEvent {
  protected readonly open: OpenConnections

  constructor(slot: EventSlot, row: number, open: OpenConnections) {
    super(slot, row)
    this.open = open
  }

  get connection(): ConnectionIdentity {
    return this.open.get(this.slot.columns.slot[this.row]!)
  }

  get direction(): Direction {
    return DIRECTIONS[this.slot.columns.direction[this.row] as 0 | 1]
  }

  get offset(): number {
    return this.slot.columns.offset[this.row]!
  }

  get length(): number {
    return this.slot.columns.length[this.row]!
  }

  /** `length` octets of the block, from the event's first on or behind that. */
  protected octets(skip: number, length: number): Uint8Array {
    const at = this.slot.columns.at[this.row]! + skip
    return new Uint8Array(this.slot.memory, at, length)
  }
}

class DataRow extends StreamRow implements DataEvent {
  // No `#data`: native private fields cost more than all the rest of an event.
  private view: Uint8Array | undefined = undefined

  get type(): 'data' {
    return 'data'
  }

  get data(): Uint8Array {
    return (this.view ??= this.octets(0, this.length))
  }

  copy(): Uint8Array {
    return this.data.slice()
  }
}

class GapRow extends StreamRow implements GapEvent {
  get type(): 'gap' {
    return 'gap'
  }
}

class MarkRow extends StreamRow implements MarkEvent {
  get type(): 'mark' {
    return 'mark'
  }

  get flags(): number {
    return this.length & 0x1ff
  }

  get over(): boolean {
    return (this.length & 0x1_0000) !== 0
  }

  get waits(): boolean {
    return (this.length & 0x2_0000) !== 0
  }
}

class ConflictRow extends StreamRow implements ConflictEvent {
  get type(): 'conflict' {
    return 'conflict'
  }

  get kept(): Uint8Array {
    return this.octets(0, this.length)
  }

  get other(): Uint8Array {
    return this.octets(this.length, this.length)
  }
}
