/** Arrow IPC: a file where it goes to a file, a stream elsewhere. The package is the user's to install. */
import type * as ApacheArrow from 'apache-arrow'
import { OptionError } from '../errors.js'
import type { ColumnInfo } from './columns.js'
import { checkType, groupWriter, type GroupColumn, type GroupSink } from './groups.js'
import type { Sink } from './sink.js'
import type { RecordWriter } from './writer.js'

type Arrow = typeof ApacheArrow

/** A writer of Arrow IPC. */
export async function arrowWriter(
  columns: readonly ColumnInfo[],
  rows: number,
  file: boolean,
): Promise<(sink: Sink) => RecordWriter> {
  const arrow = await load()
  return sink => groupWriter(columns, rows, new ArrowSink(arrow, sink, file))
}

async function load(): Promise<Arrow> {
  const name = 'apache-arrow'
  try {
    return (await import(name)) as Arrow
  } catch (error) {
    throw new OptionError(`format arrow needs the package ${name}: npm install ${name}`, { cause: error })
  }
}

class ArrowSink implements GroupSink {
  readonly #arrow: Arrow
  readonly #sink: Sink
  readonly #writer: InstanceType<Arrow['RecordBatchWriter']>
  /** Octets that the writer made and nobody took yet. */
  #octets: Uint8Array[] = []
  #fields: InstanceType<Arrow['Field']>[] | undefined

  constructor(arrow: Arrow, sink: Sink, file: boolean) {
    this.#arrow = arrow
    this.#sink = sink
    const octets = (chunk: Uint8Array): void => void this.#octets.push(chunk.slice())
    /** Hands chunks over at once, where the library's own queue would hold them. */
    class Queue extends arrow.AsyncByteQueue {
      override write(chunk: unknown): void {
        octets(chunk as Uint8Array)
      }
    }
    this.#writer = file ? new arrow.RecordBatchFileWriter() : new arrow.RecordBatchStreamWriter()
    this.#writer.reset(new Queue())
  }

  group(columns: readonly GroupColumn[], rows: number): Promise<void> | undefined {
    const { RecordBatch, Struct, makeData } = this.#arrow
    const children = columns.map(column => this.#data(column, rows))
    const struct = new Struct(this.#open(columns))
    this.#writer.write(new RecordBatch(this.#schema(columns), makeData({ type: struct, length: rows, nullCount: 0, children })))
    return this.#take()
  }

  async end(columns: readonly GroupColumn[]): Promise<void> {
    if (!this.#fields) this.#writer.reset(undefined, this.#schema(columns))
    this.#writer.finish()
    await this.#take()
    await this.#sink.end()
  }

  #open(columns: readonly GroupColumn[]): InstanceType<Arrow['Field']>[] {
    this.#fields ??= columns.map(column => new this.#arrow.Field(column.name, this.#type(column), column.nullable))
    return this.#fields
  }

  #schema(columns: readonly GroupColumn[]): InstanceType<Arrow['Schema']> {
    return new this.#arrow.Schema(this.#open(columns))
  }

  #take(): Promise<void> | undefined {
    const octets = Buffer.concat(this.#octets)
    this.#octets = []
    return this.#sink.write(octets)
  }

  #type({ type }: GroupColumn): InstanceType<Arrow['DataType']> {
    const { Bool, Float64, Int64, TimestampNanosecond, Uint8, Uint16, Uint32, Utf8 } = this.#arrow
    switch (type) {
      case 'bool':
        return new Bool()
      case 'u8':
        return new Uint8()
      case 'u16':
        return new Uint16()
      case 'u32':
        return new Uint32()
      case 'u64':
      case 'i64':
        return new Int64()
      case 'f64':
        return new Float64()
      case 'time':
        return new TimestampNanosecond('UTC')
      default:
        return new Utf8()
    }
  }

  #data(column: GroupColumn, length: number) {
    for (const value of column.values) checkType(column, value)
    const { makeData } = this.#arrow
    const nulls = column.nullable ? nullsOf(column.values) : {}
    const text = column.type === 'text' || column.type === 'json'
    const data = text ? textsOf(column) : { data: numbersOf(column) }
    // The arrays fit the type; TypeScript can't know which of many it is.
    return makeData({ type: this.#type(column), length, ...nulls, ...data } as never)
  }
}

function nullsOf(values: readonly unknown[]): { nullCount: number; nullBitmap: Uint8Array } {
  const nullBitmap = bits(values.length, row => values[row] !== null)
  return { nullCount: values.filter(value => value === null).length, nullBitmap }
}

/** One bit for each row, the lowest bit first. */
function bits(rows: number, isSet: (row: number) => boolean): Uint8Array {
  const out = new Uint8Array(Math.ceil(rows / 64) * 8)
  for (let row = 0; row < rows; row++) if (isSet(row)) out[row >>> 3]! |= 1 << (row & 7)
  return out
}

function numbersOf({ type, values }: GroupColumn): ArrayBufferView {
  const numbers = values as (number | null)[]
  switch (type) {
    case 'bool':
      return bits(values.length, row => values[row] === true)
    case 'u8':
      return Uint8Array.from(numbers, value => value ?? 0)
    case 'u16':
      return Uint16Array.from(numbers, value => value ?? 0)
    case 'u32':
      return Uint32Array.from(numbers, value => value ?? 0)
    case 'u64':
      return BigInt64Array.from(numbers, value => BigInt(value ?? 0))
    case 'time':
    case 'i64':
      return BigInt64Array.from(values as (bigint | null)[], value => value ?? 0n)
    default:
      return Float64Array.from(numbers, value => value ?? 0)
  }
}

function textsOf({ type, values }: GroupColumn): { valueOffsets: Int32Array; data: Uint8Array } {
  const texts = values.map(value => (value === null ? '' : type === 'json' ? JSON.stringify(value) : (value as string)))
  const data = Buffer.from(texts.join(''), 'utf8')
  const valueOffsets = new Int32Array(values.length + 1)
  texts.forEach((text, row) => (valueOffsets[row + 1] = valueOffsets[row]! + Buffer.byteLength(text)))
  return { valueOffsets, data }
}
