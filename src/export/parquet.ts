/** Parquet: groups of rows, written as they come; only one group is in memory. */
import type { SchemaElement } from 'hyparquet'
import type * as HyparquetWriter from 'hyparquet-writer'
import type { ColumnInfo } from './columns.js'
import { checkType, groupWriter, type GroupColumn, type GroupSink } from './groups.js'
import type { Sink } from './sink.js'
import type { RecordWriter } from './writer.js'

type Library = typeof HyparquetWriter

/** A writer of Parquet. The library is loaded when it is first needed. */
export async function parquetWriter(
  columns: readonly ColumnInfo[],
  rows: number,
): Promise<(sink: Sink) => RecordWriter> {
  const library = await import('hyparquet-writer')
  return sink => groupWriter(columns, rows, new ParquetSink(library, sink))
}

class ParquetSink implements GroupSink {
  readonly #library: Library
  readonly #sink: Sink
  readonly #bytes: InstanceType<Library['ByteWriter']>
  #writer: InstanceType<Library['ParquetWriter']> | undefined

  constructor(library: Library, sink: Sink) {
    this.#library = library
    this.#sink = sink
    this.#bytes = new library.ByteWriter()
  }

  group(columns: readonly GroupColumn[], rows: number): Promise<void> | undefined {
    const columnData = columns.map(column => ({ name: column.name, data: dataOf(column) }))
    void this.#open(columns).write({ columnData, rowGroupSize: rows })
    return this.#take()
  }

  async end(columns: readonly GroupColumn[]): Promise<void> {
    void this.#open(columns).finish()
    await this.#take()
    await this.#sink.end()
  }

  #open(columns: readonly GroupColumn[]): InstanceType<Library['ParquetWriter']> {
    const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }, ...columns.map(schemaOf)]
    this.#writer ??= new this.#library.ParquetWriter({ writer: this.#bytes, schema, createdBy: 'tcpskein' })
    return this.#writer
  }

  /** Hands over what was written; the writer's `offset` goes on counting. */
  #take(): Promise<void> | undefined {
    const octets = new Uint8Array(this.#bytes.buffer, 0, this.#bytes.index).slice()
    this.#bytes.index = 0
    return this.#sink.write(octets)
  }
}

function schemaOf({ name, type, nullable }: GroupColumn): SchemaElement {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED'
  switch (type) {
    case 'bool':
      return { name, repetition_type, type: 'BOOLEAN' }
    case 'u8':
      return { name, repetition_type, type: 'INT32', converted_type: 'UINT_8' }
    case 'u16':
      return { name, repetition_type, type: 'INT32', converted_type: 'UINT_16' }
    case 'u32':
      return { name, repetition_type, type: 'INT32', converted_type: 'UINT_32' }
    case 'u64':
    case 'i64':
      return { name, repetition_type, type: 'INT64' }
    case 'f64':
      return { name, repetition_type, type: 'DOUBLE' }
    case 'time':
      return {
        name,
        repetition_type,
        type: 'INT64',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' },
      }
    case 'text':
      return { name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8' }
    case 'json':
      return { name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'JSON' }
  }
}

function dataOf(column: GroupColumn): unknown[] | Uint32Array | Int32Array | Float64Array | BigInt64Array {
  const { type, nullable, values } = column
  for (const value of values) checkType(column, value)
  switch (type) {
    case 'u64':
      return nullable
        ? values.map(value => (value === null ? null : BigInt(value as number)))
        : BigInt64Array.from(values as number[], BigInt)
    case 'u32':
      return nullable ? values : Uint32Array.from(values as number[])
    case 'u8':
    case 'u16':
      return nullable ? values : Int32Array.from(values as number[])
    case 'f64':
      return nullable ? values : Float64Array.from(values as number[])
    default:
      return values
  }
}
