/** Records as NDJSON, as one JSON array, or as CSV. */
import type { stringify } from 'csv-stringify/sync'
import type { ColumnInfo } from './columns.js'
import type { Sink } from './sink.js'
import type { RecordWriter } from './writer.js'

/** A record's columns. */
export type Row = Readonly<Record<string, unknown>>

/** csv-stringify's function. */
type Stringify = typeof stringify

/** Turns a batch of records into text; `first` asks for what stands before the first record. */
type Formatter = (rows: readonly Row[], first: boolean) => string

/** Records that are formatted together. */
const BATCH = 1000

/** A writer of one of the formats. */
export function textWriter(
  format: 'ndjson' | 'csv' | 'json',
  columns: readonly ColumnInfo[],
  sink: Sink,
  live: boolean,
  csv?: Stringify,
): RecordWriter {
  switch (format) {
    case 'ndjson':
      return batchWriter(rows => rows.map(row => `${jsonRecord(row)}\n`).join(''), '', sink, live)
    case 'json':
      return batchWriter(formatArray, '\n]\n', sink, live)
    case 'csv':
      return batchWriter((rows, first) => formatCsv(csv!, columns, rows, first), '', sink, live)
  }
}

/** A writer that formats batches of records; `tail` stands behind the last one. */
export function batchWriter(formatter: Formatter, tail: string, sink: Sink, live: boolean): RecordWriter {
  const batch = live ? 1 : BATCH
  let rows: Row[] = []
  let first = true
  const flush = (): Promise<void> | undefined => {
    const text = formatter(rows, first)
    rows = []
    first = false
    return sink.write(text)
  }
  return {
    write(record) {
      rows.push(record as Row)
      return rows.length < batch ? undefined : flush()
    },
    async end() {
      if (rows.length > 0 || first) await flush()
      await sink.write(tail)
      await sink.end()
    },
  }
}

function formatArray(rows: readonly Row[], first: boolean): string {
  return (first ? '[\n' : ',\n') + rows.map(jsonRecord).join(',\n')
}

/** JSON with times as integers: every digit, and no quotes. */
export function jsonRecord(row: Row): string {
  let members = ''
  for (const name of Object.keys(row)) members += `${members === '' ? '' : ','}${jsonName(name)}${jsonText(row[name])}`
  return `{${members}}`
}

function jsonText(value: unknown): string {
  // The common kinds, without the general way's cost.
  if (typeof value === 'bigint' || typeof value === 'boolean' || Number.isFinite(value)) return String(value)
  return JSON.stringify(value) ?? 'null'
}

const jsonNames = new Map<string, string>()

/** A column's name with its colon. */
function jsonName(name: string): string {
  let text = jsonNames.get(name)
  if (text === undefined) jsonNames.set(name, (text = `${JSON.stringify(name)}:`))
  return text
}

function formatCsv(stringify: Stringify, columns: readonly ColumnInfo[], rows: readonly Row[], first: boolean): string {
  // Text is written as it is, which is quicker than a cast of each value.
  const cells = rows.map(row => Object.values(row).map(csvText))
  const names = rows.length > 0 ? Object.keys(rows[0]!) : columns.map(({ name }) => name)
  return stringify(first && names.length > 0 ? [names, ...cells] : cells)
}

function csvText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
