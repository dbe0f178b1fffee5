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
  for (const name of Object.keys(row)) members += jsonName(name) + jsonText(row[name])
  return members === '' ? '{}' : `{${members.slice(1)}}`
}

function jsonText(value: unknown): string {
  // The common kinds, without the general way's cost.
  if (typeof value === 'string') return isPlain(value) ? `"${value}"` : JSON.stringify(value)
  if (value === null) return 'null'
  if (typeof value === 'bigint' || typeof value === 'boolean' || Number.isFinite(value)) return String(value)
  return JSON.stringify(value) ?? 'null'
}

/** Whether `text` stands in JSON as it is: printable ASCII without what is escaped. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
  }
  return true
}

const jsonNames = new Map<string, string>()

/** A column's name, between the comma before it and its colon. */
function jsonName(name: string): string {
  let text = jsonNames.get(name)
  if (text === undefined) jsonNames.set(name, (text = `,${JSON.stringify(name)}:`))
  return text
}

function formatCsv(stringify: Stringify, columns: readonly ColumnInfo[], rows: readonly Row[], first: boolean): string {
  const names = rows.length > 0 ? Object.keys(rows[0]!) : columns.map(({ name }) => name)
  const head = first && names.length > 0 ? stringify([names]) : ''
  return head + rows.map(row => csvRecord(stringify, Object.values(row))).join('')
}

/** Most records hold numbers and plain words, which need only be joined; what else there may be is the library's. */
function csvRecord(stringify: Stringify, values: readonly unknown[]): string {
  let line = ''
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    const text = csvText(value)
    if (typeof value !== 'number' && isSpecial(text)) return stringify([values.map(csvText)])
    line += i === 0 ? text : `,${text}`
  }
  return `${line}\n`
}

/** Whether CSV may need quotes around `text`: what it takes for separators, and blanks. */
function isSpecial(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x22 || code === 0x2c) return true
  }
  return false
}

function csvText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
