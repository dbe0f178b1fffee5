/**
 * Packets with partition keys as Arrow IPC streams: written from an engine's batches, and read back as columns. The
 * columns are the engine's typed arrays; nothing is copied but by the format itself. The package is the user's to install.
 */
import type * as ApacheArrow from 'apache-arrow'
import { CaptureError, OptionError } from '../errors.js'
import { concat } from '../octets.js'
import { platform } from '../platform.js'
import type { PacketBatch } from './partitioner.js'

type Arrow = typeof ApacheArrow

/** Columns and their Arrow types, in order. */
const TYPES = {
  key: 'Int64',
  order_ns: 'Int64',
  time_ns: 'Int64',
  packet: 'Int64',
  capture: 'Int32',
  link: 'Int32',
  wire_len: 'Int32',
  bytes: 'Binary',
} as const

type ColumnName = keyof typeof TYPES
const NAMES = Object.keys(TYPES) as ColumnName[]

/** Where a stream's schema keeps the names of captures, as a JSON array. */
const NAMES_KEY = 'captures'

/** Where a stream's schema keeps whether its packets are whole frames: `true`, or `false` where they are headers only. */
const PAYLOAD_KEY = 'payload'

/** Columns of packets as they were read: what an engine takes. */
export interface ReadPackets {
  readonly orderNs: BigInt64Array
  readonly timeNs: BigInt64Array
  readonly packet: BigInt64Array
  readonly capture: Int32Array
  readonly link: Int32Array
  readonly wireLen: Int32Array
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/**
 * Batches as the octets of an Arrow IPC stream. The stream tells whether packets are whole frames, where the batches'
 * source does: see {@link Partitioner}.
 *
 * @param captures names of the captures, by number
 */
export async function* writePartition(
  batches: AsyncIterable<PacketBatch> & { readonly payload?: boolean },
  captures: readonly string[],
): AsyncGenerator<Uint8Array, undefined> {
  const arrow = await load()
  const chunks: Uint8Array[] = []
  class Queue extends arrow.AsyncByteQueue {
    override write(chunk: unknown): void {
      chunks.push((chunk as Uint8Array).slice())
    }
  }
  const writer = new arrow.RecordBatchStreamWriter()
  const fields = NAMES.map(name => new arrow.Field(name, new arrow[TYPES[name]](), false))
  const metadata = new Map([[NAMES_KEY, JSON.stringify(captures)]])
  if (batches.payload !== undefined) metadata.set(PAYLOAD_KEY, String(batches.payload))
  const schema = new arrow.Schema(fields, metadata)
  writer.reset(new Queue(), schema)
  for await (const batch of batches) {
    const children = NAMES.map(name => columnData(arrow, name, batch))
    const data = arrow.makeData({ type: new arrow.Struct(fields), length: batch.rows, nullCount: 0, children })
    writer.write(new arrow.RecordBatch(schema, data))
    yield concat(chunks.splice(0))
  }
  writer.finish()
  yield concat(chunks)
}

function columnData(arrow: Arrow, name: ColumnName, batch: PacketBatch) {
  const { rows, key, orderNs, timeNs, packet, capture, link, wireLen, offsets, bytes } = batch
  const columns = { key, order_ns: orderNs, time_ns: timeNs, packet, capture, link, wire_len: wireLen, bytes }
  const shape = { type: new arrow[TYPES[name]](), length: rows, nullCount: 0, data: columns[name] }
  // The arrays fit the type; TypeScript can't know which of many it is.
  return arrow.makeData((name === 'bytes' ? { ...shape, valueOffsets: offsets } : shape) as never)
}

/** Arrow IPC streams of packets, one behind the other. */
export class ArrowPackets implements AsyncIterable<ReadPackets> {
  readonly #source: AsyncIterable<Uint8Array>
  /** Names of captures by number, as far as the streams say; known once the first batch was read. */
  captures: readonly string[] = []
  /** A stream that says that it has headers only is refused. One that says nothing is taken as it is. */
  needsPayload = false

  /** Octets read. */
  #octets = 0
  #failure: unknown

  constructor(source: AsyncIterable<Uint8Array>) {
    platform().expectSource(source)
    this.#source = source
  }

  /** Arrow takes a source that fails for one that ends. */
  async *#read(): AsyncGenerator<Uint8Array, undefined> {
    try {
      for await (const chunk of this.#source) {
        this.#octets += chunk.length
        yield chunk
      }
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  /** Checks what there was before the end: nothing at all is well, as from a program that had nothing to say. */
  #end(streams: number): undefined {
    if (this.#failure !== undefined) throw this.#failure as Error
    if (streams === 0 && this.#octets > 0) throw notPackets('there is no Arrow stream')
  }

  /** Batches; the columns lie in the stream's own octets. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReadPackets, undefined> {
    const { RecordBatchReader } = await load()
    try {
      const reader = await RecordBatchReader.from(this.#read())
      for (let streams = 0; ; streams++) {
        // Otherwise what lies behind a stream's end is thrown away, and so would be the packets of the next one.
        await reader.open({ autoDestroy: false })
        const { schema } = reader as { schema?: ApacheArrow.Schema }
        if (reader.closed || schema === undefined) return this.#end(streams)
        const places = this.#begin(schema)
        for await (const batch of reader) if (batch.numRows > 0) yield columnsOf(batch, places)
        reader.reset()
      }
    } catch (error) {
      if (error instanceof CaptureError || error === this.#failure) throw error
      throw notPackets(error instanceof Error ? error.message : String(error), error)
    }
  }

  /** Checks a stream's head; gives the places of its columns. */
  #begin({ metadata, fields }: ApacheArrow.Schema): number[] {
    if (this.needsPayload && metadata.get(PAYLOAD_KEY) === 'false') throw headersOnly()
    const names = JSON.parse(metadata.get(NAMES_KEY) ?? '[]') as string[]
    if (names.length > this.captures.length) this.captures = names
    return NAMES.filter(name => name !== 'key').map(name => placeOf(fields, name))
  }
}

function headersOnly(): CaptureError {
  const reason = 'packets were mapped without what they carry, and that is needed: map them with --payload or --connections'
  return new CaptureError('ERR_CAPTURE_FORMAT', reason)
}

function placeOf(fields: readonly ApacheArrow.Field[], name: ColumnName): number {
  const place = fields.findIndex(field => field.name === name)
  const type = fields[place]?.type
  if (String(type) !== TYPES[name]) throw notPackets(`column ${name} should be ${TYPES[name]}, and is ${String(type ?? 'missing')}`)
  return place
}

function columnsOf(batch: ApacheArrow.RecordBatch, places: readonly number[]): ReadPackets {
  const columns = places.map(place => batch.data.children[place] as ApacheArrow.Data)
  if (columns.some(column => column.nullCount > 0)) throw notPackets('a value is missing')
  const rows = batch.numRows
  const [orderNs, timeNs, packet, capture, link, wireLen, octets] = columns
  const values = <A>(data: ApacheArrow.Data | undefined): A => (data!.values as Uint8Array).subarray(0, rows) as A
  return {
    orderNs: values(orderNs),
    timeNs: values(timeNs),
    packet: values(packet),
    capture: values(capture),
    link: values(link),
    wireLen: values(wireLen),
    offsets: (octets!.valueOffsets as Int32Array).subarray(0, rows + 1),
    bytes: octets!.values as Uint8Array,
  }
}

function notPackets(reason: string, cause?: unknown): CaptureError {
  return new CaptureError('ERR_CAPTURE_FORMAT', `not an Arrow IPC stream of packets as map writes it: ${reason}`, { cause })
}

async function load(): Promise<Arrow> {
  const name = 'apache-arrow'
  try {
    return (await import(name)) as Arrow
  } catch (error) {
    throw new OptionError(`streams of packets need the package ${name}: npm install ${name}`, { cause: error })
  }
}
