/** Records into a file or stream in one of several formats: `exportRecords` for a whole run, `openExport` for more. */
import type { Writable } from 'node:stream'
import { OptionError } from '../errors.js'
import { flag, integer, knownNames, word } from '../options.js'
import { arrowWriter } from './arrow.js'
import { COLUMN_TYPES, type ColumnInfo } from './columns.js'
import { EXPORT_FORMATS, type ExportFormat } from './formats.js'
import { parquetWriter } from './parquet.js'
import { openSink, type Sink } from './sink.js'
import { textWriter } from './text.js'
import { zeekWriter } from './zeek.js'

/** How records are written. */
export interface ExportOptions {
  format: ExportFormat
  /**
   * Rows of a row group (`parquet`) or record batch (`arrow`): so many are held in memory.
   * @defaultValue 65536 for up to 32 columns, fewer for more, so that a group has at most 2^21 values
   */
  rowGroupSize?: number
  /**
   * Writes each record at once (`ndjson`, `csv`, `zeek`, `zeek-json`).
   * @defaultValue false
   */
  live?: boolean
}

/** Takes records. */
export interface RecordWriter {
  /** Writes a record; the promise is there to be waited for only when who reads is slow. */
  write(record: object): Promise<void> | undefined
  /** Writes what is left, and waits until all is out. */
  end(): Promise<void>
}

/** Records that know their columns: what `observe` and `connections` return. */
export interface Exportable extends AsyncIterable<object> {
  readonly columns: readonly ColumnInfo[]
}

/**
 * Writes all records of a run.
 *
 * @param to a path, `-` for standard output, or a stream, which stays open
 * @returns how many there were
 * @throws {@link OptionError} for a format whose package isn't installed, or records that don't fit it
 *
 * @example
 * await exportRecords(observe('big.pcap', { chains: [basicChain()] }), 'flows.parquet', { format: 'parquet' })
 */
export async function exportRecords(records: Exportable, to: string | Writable, options: ExportOptions): Promise<number> {
  const writer = await openExport(records.columns, to, options)
  let count = 0
  for await (const record of records) {
    const wait = writer.write(record)
    if (wait) await wait
    count += 1
  }
  await writer.end()
  return count
}

/** Opens a file or stream for records with these columns. */
export async function openExport(
  columns: readonly ColumnInfo[],
  to: string | Writable,
  options: ExportOptions,
): Promise<RecordWriter> {
  knownNames(options, ['format', 'rowGroupSize', 'live'])
  checkColumns(columns)
  if (options.format === undefined) throw new OptionError(`format: expected one of ${EXPORT_FORMATS.join(', ')}`)
  const format = word('format', options.format, 'ndjson', EXPORT_FORMATS)
  const rows = integer('rowGroupSize', options.rowGroupSize, groupSize(columns.length), 1, 2 ** 24)
  const live = flag('live', options.live, false)
  const open = await opener(format, columns, rows, live, typeof to === 'string' && to !== '-')
  return open(openSink(to))
}

function checkColumns(columns: unknown): void {
  if (!Array.isArray(columns)) throw new OptionError('records: expected a run that gives records, such as observe(…), or a list of columns')
  for (const { name, type } of columns as readonly Partial<ColumnInfo>[]) {
    if (typeof name !== 'string') throw new OptionError('columns: expected objects with name, type and nullable')
    if (!(COLUMN_TYPES as readonly unknown[]).includes(type))
      throw new OptionError(`column ${name}: the type is one of ${COLUMN_TYPES.join(', ')}, not ${String(type)}`)
  }
}

function groupSize(columns: number): number {
  return Math.max(1024, Math.min(65_536, Math.floor(2 ** 21 / Math.max(1, columns))))
}

/** What can fail does before the file is made. */
async function opener(
  format: ExportFormat,
  columns: readonly ColumnInfo[],
  rows: number,
  live: boolean,
  file: boolean,
): Promise<(sink: Sink) => RecordWriter> {
  switch (format) {
    case 'parquet':
      return parquetWriter(columns, rows)
    case 'arrow':
      return arrowWriter(columns, rows, file)
    case 'zeek':
    case 'zeek-json':
      return zeekWriter(columns, format === 'zeek-json', live)
    case 'csv': {
      // Loaded where it is needed, as the other formats' packages.
      const { stringify } = await import('csv-stringify/sync')
      return sink => textWriter(format, columns, sink, live, stringify)
    }
    default:
      return sink => textWriter(format, columns, sink, live)
  }
}
