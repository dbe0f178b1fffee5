/**
 * Captures in, packets with partition keys out, batch by batch: the first half of a job that is done in several places.
 * What is needed to follow flows elsewhere goes with each packet, and all packets of a flow have the same key.
 */
import { BatchView, parseLayout } from '../batch/view.js'
import type { CaptureInfo } from '../capture-info.js'
import type { Engine, FragmentFlow, PartitionEngineOptions } from '../engine.js'
import { OptionError } from '../errors.js'
import { Drive, type Slot } from '../iterate.js'
import { abortSignal, checkDecode, checkEngine, checkFilter, flag, integer, knownNames, type ReadOptions } from '../options.js'
import { platform } from '../platform.js'
import { needPayload, sourceList, type CaptureSource } from '../source.js'
import type { ObserveStats } from '../stats.js'

/** What {@link partition} takes. */
export interface PartitionOptions extends Omit<ReadOptions, 'merge' | 'follow' | 'engine'> {
  /**
   * Whole frames travel, not only headers: for streams, and for chains that look at what packets carry (`dns`).
   * @defaultValue false
   */
  payload?: boolean
  /**
   * Only packets of TCP.
   * @defaultValue false
   */
  tcpOnly?: boolean
  /**
   * The first octet that is read of each file, and the octet behind the last one: the records that begin there. Ranges
   * that follow each other share no record and leave none out. Compressed files are read whole only.
   * @defaultValue all
   */
  range?: readonly [start: number, end: number]
  /**
   * Packets of the capture before the range: what the numbers of packets go on from.
   * @defaultValue 0
   */
  packetsBefore?: number
  /**
   * The latest time among those packets, nanoseconds since the Unix epoch.
   * @defaultValue none
   */
  timeBeforeNs?: bigint
  /**
   * Number of the first capture.
   * @defaultValue 0
   */
  firstCapture?: number
  /**
   * Flows of fragments whose datagram isn't whole in these captures: see {@link surveyCaptures}.
   * @defaultValue none
   */
  fragmentFlows?: readonly FragmentFlow[]
}

/** Packets as columns over an engine's memory: valid until the next batch is asked for. */
export interface PacketBatch {
  readonly rows: number
  /** Equal for all packets of a flow, in every process. */
  readonly key: BigInt64Array
  /**
   * The latest time in its capture up to the packet, nanoseconds since the Unix epoch. Sorting by it, by capture and by
   * packet puts captures together by time and leaves each one's own order as it is.
   */
  readonly orderNs: BigInt64Array
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: BigInt64Array
  /** Number in the capture, from 1. */
  readonly packet: BigInt64Array
  /** Number of the capture. */
  readonly capture: Int32Array
  /** LINKTYPE number. */
  readonly link: Int32Array
  /** Octets on the wire. */
  readonly wireLen: Int32Array
  /** Where each packet's octets begin in `bytes`, and where the last one's end. */
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

const NAMES = [
  'filter',
  'signal',
  'onError',
  'decap',
  'ignoreEncap',
  'checksum',
  'fragments',
  'payload',
  'tcpOnly',
  'range',
  'packetsBefore',
  'timeBeforeNs',
  'firstCapture',
  'fragmentFlows',
]

interface PartitionSlot extends Slot {
  readonly block: Uint8Array
}

/**
 * Reads captures and gives their packets with partition keys.
 *
 * @example
 * for await (const { rows, key } of partition('big.pcap')) console.log(rows, key[0])
 */
export function partition(
  source: CaptureSource | readonly CaptureSource[],
  options: PartitionOptions = {},
): Partitioner {
  return new Partitioner(source, options, false)
}

/** Packets of captures in batches: what {@link partition} returns. */
export class Partitioner implements AsyncIterable<PacketBatch> {
  readonly #engine: Engine
  readonly #drive: Drive<PartitionSlot>
  readonly #slots: readonly [PartitionSlot, PartitionSlot]
  #view: BatchView
  /** Whether packets are whole frames, not only headers. */
  readonly payload: boolean

  /** @internal */
  constructor(source: CaptureSource | readonly CaptureSource[], options: PartitionOptions, survey: boolean) {
    knownNames(options, NAMES)
    const sources = sourceList(source)
    const checked = checkPartition(options, survey)
    this.payload = checked.payload
    if (checked.payload) needPayload(sources)
    const engines = platform().engines(checkEngine('native'))
    if (!engines.partitions) throw new OptionError('partition: this engine gives no partition keys')
    this.#engine = engines.partitions(checked)
    const layout = parseLayout(this.#engine.layout())
    const slot = () => ({ view: new BatchView(layout), block: pinned(this.#engine.blockLength()) })
    this.#slots = [slot(), slot()]
    this.#view = this.#slots[0].view
    const { signal, onError } = options
    this.#drive = new Drive(this.#engine, { sources, merge: false, follow: false, signal: abortSignal(signal), onError })
  }

  /** Counters as they stood when the latest batch was read. */
  get stats(): ObserveStats {
    return this.#view.stats() as unknown as ObserveStats
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return this.#drive.captures
  }

  /** Batches; leaving the loop closes files and threads. */
  async *[Symbol.asyncIterator](): AsyncGenerator<PacketBatch, undefined> {
    for await (const { slot, rows } of this.#drive.batches(this.#slots)) {
      this.#view = slot.view
      if (rows > 0) yield columnsOf(slot, rows)
    }
  }
}

function pinned(length: number): Uint8Array {
  const block = new Uint8Array(length)
  platform().pin(block.buffer)
  return block
}

function columnsOf({ view, block }: PartitionSlot, rows: number): PacketBatch {
  const longs = (name: string) => view.bigints(name).subarray(0, rows)
  const ints = (name: string, count = rows) => new Int32Array(view.bytes.buffer, view.place(name).values, count)
  const offsets = ints('offset', rows + 1)
  return {
    rows,
    key: longs('key'),
    orderNs: longs('order_ns'),
    timeNs: longs('time_ns'),
    packet: longs('packet'),
    capture: ints('capture'),
    link: ints('link'),
    wireLen: ints('wire_len'),
    offsets,
    bytes: block.subarray(0, offsets[rows]!),
  }
}

function checkPartition(options: PartitionOptions, survey: boolean): PartitionEngineOptions {
  const { range, timeBeforeNs, fragmentFlows = [], ...rest } = options
  return {
    survey,
    payload: flag('payload', options.payload, false),
    tcpOnly: flag('tcpOnly', options.tcpOnly, false),
    packetsBefore: integer('packetsBefore', options.packetsBefore, 0, 0, Number.MAX_SAFE_INTEGER),
    firstCapture: integer('firstCapture', options.firstCapture, 0, 0, 0x7fff_ffff),
    fragments: [...fragmentFlows],
    ...(range === undefined ? {} : { range: checkRange(range) }),
    ...(timeBeforeNs === undefined ? {} : { timeBefore: String(timeBeforeNs) }),
    ...checkFilter(rest.filter),
    decode: checkDecode(rest),
  }
}

function checkRange([start, end]: readonly [number, number]): [number, number] {
  integer('range', start, 0, 0, Number.MAX_SAFE_INTEGER)
  integer('range', end, 0, start, Number.MAX_SAFE_INTEGER)
  return [start, end]
}
