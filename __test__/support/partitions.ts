/** Streams of packets as a shuffle would give them, made without the code under test. */
import { Binary, Field, Int32, Int64, makeVector, RecordBatch, Schema, Struct, makeData, RecordBatchStreamWriter, vectorFromArray } from 'apache-arrow'

/** A row between `map` and `reduce`. */
export interface PartitionRow {
  key: bigint
  order_ns: bigint
  time_ns: bigint
  packet: bigint
  capture: number
  link: number
  wire_len: number
  bytes: Uint8Array
}

const LONGS = ['key', 'order_ns', 'time_ns', 'packet'] as const
const INTS = ['capture', 'link', 'wire_len'] as const
const fields = [
  ...LONGS.map(name => new Field(name, new Int64(), false)),
  ...INTS.map(name => new Field(name, new Int32(), false)),
  new Field('bytes', new Binary(), false),
]

/** An Arrow IPC stream of the rows, in batches of 1,000. */
export async function* packetStream(rows: readonly PartitionRow[]): AsyncGenerator<Uint8Array, undefined> {
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, new Schema(fields))
  for (let at = 0; at < rows.length; at += 1000) {
    const batch = rows.slice(at, at + 1000)
    const children = [
      ...LONGS.map(name => makeVector(BigInt64Array.from(batch, row => row[name])).data[0]!),
      ...INTS.map(name => makeVector(Int32Array.from(batch, row => row[name])).data[0]!),
      vectorFromArray(batch.map(row => row.bytes), new Binary()).data[0]!,
    ]
    const data = makeData({ type: new Struct(fields as never), length: batch.length, nullCount: 0, children: children as never })
    writer.write(new RecordBatch(new Schema(fields), data as never))
  }
  writer.finish()
  yield writer.toUint8Array(true)
}
