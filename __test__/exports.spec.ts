// Every export format read back by someone else's reader: values, types and nulls are those of the records.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { tableFromIPC } from 'apache-arrow'
import test from 'ava'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import {
  basicChain,
  connections,
  exportRecords,
  mssChain,
  observe,
  openExport,
  OptionError,
  tcpChain,
  type Chain,
  type ColumnType,
  type ExportFormat,
  type Exportable,
} from '../src/index.js'
import { collect } from './support/collect.js'
import { samplePath } from './support/places.js'
import { troubledCapture } from './support/stream-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-export-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const flows = () => observe(samplePath, { chains: [basicChain(), tcpChain(), mssChain()] })
const troubled = troubledCapture(5, { connections: 6, loss: 10, reorder: 4 })
const analysed = () => connections(troubled, { analyse: true, maxStreamBytes: 0, hash: 'sha256' })

let files = 0
async function written(records: Exportable, format: ExportFormat, rowGroupSize = 4): Promise<string> {
  const path = join(folder, `${files++}.${format}`)
  await exportRecords(records, path, { format, rowGroupSize })
  return path
}

/** A record with plain properties; times, lists and the rest as a reader gives them. */
const plain = (record: object, change: (value: unknown) => unknown = value => value) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))

/** Of what isn't a number. */
const JS_TYPES: Partial<Record<ColumnType, string>> = { bool: 'boolean', time: 'bigint', text: 'string', json: 'object' }

test('columns are those of the records, whatever the capture', async t => {
  for (const make of [flows, analysed]) {
    const records = make()
    const names = records.columns.map(({ name }) => name)
    for await (const record of records) {
      t.deepEqual(Object.keys(record), names)
      for (const { name, nullable, type } of records.columns) {
        const value = (record as unknown as Record<string, unknown>)[name]
        if (value === null) t.true(nullable, name)
        else t.is<string, string>(typeof value, JS_TYPES[type] ?? 'number', name)
      }
    }
  }
})

test('ndjson and json hold the records', async t => {
  const want = (await collect(flows())).map(record => plain(record, value => (typeof value === 'bigint' ? Number(value) : value)))
  const lines = readFileSync(await written(flows(), 'ndjson'), 'utf8').trimEnd().split('\n')
  t.deepEqual(lines.map(line => JSON.parse(line) as unknown), want)
  t.deepEqual(JSON.parse(readFileSync(await written(flows(), 'json'), 'utf8')), want)
})

test('csv holds the records', async t => {
  const want = (await collect(flows())).map(record => plain(record, value => (value === null ? '' : String(value))))
  const text = readFileSync(await written(flows(), 'csv'), 'utf8')
  // Nothing in these columns has to be quoted.
  t.false(text.includes('"'))
  const [names, ...lines] = text.trimEnd().split('\n').map(line => line.split(','))
  t.deepEqual(lines.map(cells => Object.fromEntries(names!.map((name, i) => [name, cells[i]]))), want)
})

test('parquet holds the records in groups of bounded size, with types and nulls', async t => {
  for (const make of [flows, analysed]) {
    const records = await collect<object>(make())
    const path = await written(make(), 'parquet', 3)
    const file = await asyncBufferFromFile(path)
    const metadata = await parquetMetadataAsync(file)
    t.is(metadata.row_groups.length, Math.ceil(records.length / 3))
    const rows = await parquetReadObjects({ file, parsers: { timestampFromNanoseconds: (ns: bigint) => ns } as never })
    const { columns } = make()
    const want = records.map(record =>
      Object.fromEntries(columns.map(({ name, type }) => {
        const value = (record as Record<string, unknown>)[name]
        return [name, type === 'u64' && value !== null ? BigInt(value as number) : value]
      })),
    )
    t.deepEqual(rows.map(row => plain(row, value => value ?? null)), want)
    for (const { name, nullable } of columns)
      t.is(metadata.schema.find(element => element.name === name)?.repetition_type, nullable ? 'OPTIONAL' : 'REQUIRED', name)
  }
})

test('arrow holds the records, as a file and as a stream', async t => {
  for (const make of [flows, analysed]) {
    const records = await collect<object>(make())
    const stream = new PassThrough()
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    await exportRecords(make(), stream, { format: 'arrow', rowGroupSize: 2 })
    for (const octets of [readFileSync(await written(make(), 'arrow', 2)), Buffer.concat(chunks)]) {
      const table = tableFromIPC(octets)
      t.is(table.numRows, records.length)
      t.is(table.batches.length, Math.ceil(records.length / 2))
      for (const { name, type, nullable } of make().columns) {
        const column = table.getChild(name)!
        // The package's own getter gives milliseconds.
        const times = type === 'time' ? (column.toArray() as BigInt64Array) : []
        t.is(table.schema.fields.find(field => field.name === name)?.nullable, nullable)
        records.forEach((record, row) => {
          const value = (record as Record<string, unknown>)[name]
          t.deepEqual(type === 'time' ? times[row] : ofArrow(column.get(row), type), type === 'json' ? JSON.stringify(value) : value, name)
        })
      }
    }
  }
})

function ofArrow(value: unknown, type: string): unknown {
  if (value === null || type !== 'u64') return value
  return Number(value)
}

test('formats with columns are complete without a record', async t => {
  const none = () => observe(samplePath, { chains: [basicChain()], filter: 'tcp port 1' })
  const file = await asyncBufferFromFile(await written(none(), 'parquet'))
  t.is((await parquetMetadataAsync(file)).schema.length, none().columns.length + 1)
  t.is(tableFromIPC(readFileSync(await written(none(), 'arrow'))).schema.fields.length, none().columns.length)
  t.is(readFileSync(await written(none(), 'csv'), 'utf8'), `${none().columns.map(({ name }) => name).join()}\n`)
  t.is(readFileSync(await written(none(), 'json'), 'utf8').replaceAll('\n', ''), '[]')
  t.is(readFileSync(await written(none(), 'ndjson'), 'utf8'), '')
})

test("columns of a user's own chain have the types of their values", async t => {
  const chain: Chain<{ label: string | null; size: number; at: bigint; odd: unknown }> = {
    name: 'own',
    columns: ['label', 'size', 'at'],
    newFlow: () => ({ label: null, size: 1.5, at: 7n, odd: [1] }),
  }
  const make = () => observe(samplePath, { chains: [chain] })
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(await written(make(), 'parquet', 100)) })
  t.true(rows.length > 3)
  for (const row of rows) {
    t.is(row.label ?? null, null)
    t.is(row.size, 1.5)
    t.deepEqual(row.odd, [1])
  }
})

test('a value of another type than its column is an option error', async t => {
  const columns = [{ name: 'n', type: 'u32', nullable: false } as const]
  for (const format of ['parquet', 'arrow'] as const) {
    const writer = await openExport(columns, new PassThrough().resume(), { format, rowGroupSize: 1 })
    await t.throwsAsync(async () => writer.write({ n: 'text' }), { code: 'ERR_INVALID_OPTION', message: /column n/ })
  }
  await t.throwsAsync(openExport(columns, '-', { format: 'zeek' }), { message: /analyse/ })
  await t.throwsAsync(openExport(columns, '-', { format: 'xml' as 'csv' }), { code: 'ERR_INVALID_OPTION' })
})

test('values that a column of one\'s own can not hold are refused, and so are types that there are not', async t => {
  const to = (name: string) => join(folder, `own-${name}`)
  for (const format of ['parquet', 'arrow'] as const)
    for (const [type, value] of [['u8', 300], ['u16', -1], ['u32', 2 ** 32 + 5], ['u64', 1.5], ['i64', 2n ** 63n], ['f64', '1']] as const) {
      const writer = await openExport([{ name: 'a', type, nullable: false }], to(`x.${format}`), { format })
      const write = async () => {
        await writer.write({ a: value })
        await writer.end()
      }
      await t.throwsAsync(write, { instanceOf: OptionError, message: /^column a: expected/ }, `${format} ${type}`)
    }
  const unknown = [{ name: 'a', type: 'u9', nullable: false }] as never
  for (const format of ['csv', 'json', 'ndjson', 'parquet', 'arrow'] as const)
    await t.throwsAsync(openExport(unknown, to('y'), { format }), { instanceOf: OptionError, message: /^column a: the type is one of/ })
  await t.throwsAsync(exportRecords([{ a: 1 }] as never, to('z'), { format: 'csv' }), { instanceOf: OptionError, message: /^records: expected a run/ })
  await t.throwsAsync(exportRecords(observe(samplePath), to('z'), undefined as never), { instanceOf: OptionError, message: /^options: expected an object/ })
  t.throws(() => observe(samplePath, { chains: [{ name: 'own', newFlow: () => ({}), columns: 'a' }] as never }), { instanceOf: OptionError, message: /list of names/ })
})

test('a bigint of one\'s own is a time only where its name says so', async t => {
  const own = { name: 'own', newFlow: () => ({ total: 5n, seen_ns: 7n }) }
  const path = join(folder, 'bigints.arrow')
  await exportRecords(observe(samplePath, { chains: [own] }), path, { format: 'arrow' })
  const { schema } = tableFromIPC(readFileSync(path))
  const typeOf = (name: string) => String(schema.fields.find(field => field.name === name)?.type)
  t.deepEqual([typeOf('total'), typeOf('seen_ns')], ['Int64', 'Timestamp<NANOSECOND, UTC>'])
})

test('a file that can not be written is ERR_OUTPUT_IO with its name', async t => {
  for (const [path, reason] of [[join(folder, 'no', 'such'), /ENOENT/], ['/dev/full', /ENOSPC/]] as const) {
    if (path === '/dev/full' && !existsSync(path)) return t.log('skipped: there is no /dev/full')
    const error = await t.throwsAsync(exportRecords(observe(samplePath), path, { format: 'csv' }), { code: 'ERR_OUTPUT_IO' })
    t.true(error!.message.startsWith(`${path}: cannot write: `), error!.message)
    t.regex(error!.message, reason)
  }
})
