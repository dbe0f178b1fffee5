/** Records as lines: NDJSON, CSV, or a table for people. Output is buffered and waits for who reads it. */
import { once } from 'node:events'
import { stringify } from 'csv-stringify/sync'

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
  const closed = new Promise<never>((_, reject) => process.stdout.once('error', reject))
  closed.catch(() => {})
  let rows: Row[] = []
  let first = true
  const flush = async () => {
    const text = formatter(rows, first)
    rows = []
    first = false
    if (text === '' || process.stdout.write(text)) return
    await Promise.race([once(process.stdout, 'drain'), closed])
  }
  return {
    write(record) {
      rows.push(record as Row)
      return rows.length < batch ? undefined : flush()
    },
    async end() {
      if (rows.length > 0 || first) await flush()
      // An empty write is called back when all before it is out, or with the error that stopped it.
      await new Promise<void>((resolve, reject) => process.stdout.write('', error => (error ? reject(error) : resolve())))
    },
  }
}

function formatNdjson(rows: readonly Row[]): string {
  return rows.map(row => `${json(row)}\n`).join('')
}

/** JSON with times as integers: every digit, and no quotes. */
function json(row: Row): string {
  const members = Object.entries(row).map(([name, value]) => {
    const text = typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
    return `${JSON.stringify(name)}:${text}`
  })
  return `{${members.join(',')}}`
}

function formatCsv(rows: readonly Row[], first: boolean): string {
  return stringify([...rows], {
    header: first,
    cast: { boolean: String, bigint: String, number: String, object: value => JSON.stringify(value) },
  })
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
