/** Records as lines: NDJSON, CSV, or a table for people. Output is buffered and waits for who reads it. */
import { stringify } from 'csv-stringify/sync'
import { openStdout } from './stdout.js'

/** The formats there are. */
export const FORMATS = ['table', 'ndjson', 'csv'] as const

/** One of them. */
export type Format = (typeof FORMATS)[number]

/** Takes records. */
export interface Output {
  /** Writes a record; the promise is there to be waited for only when who reads is slow. */
  write(record: object): Promise<void> | undefined
  /** Writes what is left. */
  end(): Promise<void>
}

type Row = Readonly<Record<string, unknown>>

/** Turns a batch of records into text; `first` asks for a header. */
type Formatter = (rows: readonly Row[], first: boolean) => string

/** Records that are formatted together. */
const BATCH = 1000

/** Standard output in the given format; `live` writes each record at once. */
export function openOutput(format: Format, live = false): Output {
  const batch = live ? 1 : BATCH
  const formatter = { ndjson: formatNdjson, csv: formatCsv, table: tableFormatter() }[format]
  const stdout = openStdout()
  let rows: Row[] = []
  let first = true
  const flush = async () => {
    const text = formatter(rows, first)
    rows = []
    first = false
    await stdout.write(text)
  }
  return {
    write(record) {
      rows.push(record as Row)
      return rows.length < batch ? undefined : flush()
    },
    async end() {
      if (rows.length > 0 || first) await flush()
      await stdout.end()
    },
  }
}

function formatNdjson(rows: readonly Row[]): string {
  return rows.map(row => `${json(row)}\n`).join('')
}

/** JSON with times as integers: every digit, and no quotes. */
function json(row: Row): string {
  let members = ''
  for (const name of Object.keys(row)) members += `${members === '' ? '' : ','}${jsonName(name)}${jsonText(row[name])}`
  return `{${members}}`
}

function jsonText(value: unknown): string {
  // The common kinds, without the general way's cost.
  if (typeof value === 'bigint' || typeof value === 'boolean' || Number.isFinite(value)) return String(value)
  return JSON.stringify(value)
}

const jsonNames = new Map<string, string>()

/** A column's name with its colon. */
function jsonName(name: string): string {
  let text = jsonNames.get(name)
  if (text === undefined) jsonNames.set(name, (text = `${JSON.stringify(name)}:`))
  return text
}

function formatCsv(rows: readonly Row[], first: boolean): string {
  // Text is written as it is, which is quicker than a cast of each value.
  const cells = rows.map(row => Object.values(row).map(csvText))
  return stringify(first && rows.length > 0 ? [Object.keys(rows[0]!), ...cells] : cells)
}

function csvText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Column widths come from the header and the first records; longer values later push their line out. */
function tableFormatter(): Formatter {
  let widths: [name: string, width: number][] = []
  return (rows, first) => {
    const names = Object.keys(rows[0] ?? {})
    if (first) widths = names.map(name => [name, Math.max(name.length, ...rows.map(row => cell(row[name]).length))])
    const line = (values: (name: string) => string) =>
      `${widths.map(([name, width]) => values(name).padEnd(width)).join('  ').trimEnd()}\n`
    const header = first && names.length > 0 ? line(name => name) : ''
    return header + rows.map(row => line(name => cell(row[name]))).join('')
  }
}

function cell(value: unknown): string {
  return value === null || value === undefined ? '-' : String(value)
}
