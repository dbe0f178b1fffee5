/** Streams of packets as a shuffle would give them, made without the code under test. */
import { AsyncByteQueue, Binary, Field, Int32, Int64, makeData, makeVector, RecordBatch, RecordBatchStreamWriter, Schema, Struct } from 'apache-arrow'

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

const schema = new Schema(fields)

/** Octets as they are written, batch by batch. */
class Written extends AsyncByteQueue {
  readonly chunks: Uint8Array[] = []
  override write(chunk: unknown): void {
    this.chunks.push((chunk as Uint8Array).slice())
  }
}

/** An Arrow IPC stream of the rows, in batches of 1,000, as they are asked for. */
export async function* packetStream(rows: Iterable<PartitionRow>): AsyncGenerator<Uint8Array, undefined> {
  const writer = new RecordBatchStreamWriter()
  const written = new Written()
  writer.reset(written, schema)
  for (const batch of batches(rows)) {
    writer.write(recordBatch(batch))
    yield Buffer.concat(written.chunks.splice(0))
  }
  writer.finish()
  yield Buffer.concat(written.chunks)
}

function* batches(rows: Iterable<PartitionRow>): Generator<PartitionRow[]> {
  let batch: PartitionRow[] = []
  for (const row of rows) {
    batch.push(row)
    if (batch.length === 1000) {
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

function recordBatch(batch: readonly PartitionRow[]): RecordBatch {
  const offsets = new Int32Array(batch.length + 1)
  batch.forEach(({ bytes }, i) => (offsets[i + 1] = offsets[i]! + bytes.length))
  const children = [
    ...LONGS.map(name => makeVector(BigInt64Array.from(batch, row => row[name])).data[0]!),
    ...INTS.map(name => makeVector(Int32Array.from(batch, row => row[name])).data[0]!),
    makeData({ type: new Binary(), length: batch.length, nullCount: 0, valueOffsets: offsets, data: Buffer.concat(batch.map(row => row.bytes)) }),
  ]
  const data = makeData({ type: new Struct(fields as never), length: batch.length, nullCount: 0, children: children as never })
  return new RecordBatch(schema, data as never)
}
