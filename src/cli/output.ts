/** Records for people as a table; every other format is the library's. Output is buffered and waits for who reads it. */
import { lstatSync, rmSync } from 'node:fs'
import { EXPORT_FORMATS, openExport, type ColumnInfo, type ExportFormat, type RecordWriter } from '../index.js'
import { refuseInput } from '../same-file.js'
import { refuseToReplace } from './overwrite.js'
import { openStdout } from './stdout.js'

/** The formats there are. */
export const FORMATS = ['table', ...EXPORT_FORMATS] as const

/** One of them. */
export type Format = 'table' | ExportFormat

/** What is written, where and how. */
export interface OutputOptions {
  readonly format: Format
  /** A path; without it standard output. */
  readonly output?: string
  /** Paths of what is read. */
  readonly inputs: readonly string[]
  /** A file that is there already is replaced. */
  readonly force: boolean
  /** Each record at once. */
  readonly live: boolean
  /** The records' columns. */
  readonly columns: readonly ColumnInfo[]
  /** Those that a table shows; without them all. */
  readonly shown?: readonly string[]
}

/**
 * Opens it.
 *
 * @throws {@link FileExistsError}, {@link OptionError} where it is an input
 */
export async function openOutput(options: OutputOptions): Promise<Output> {
  const { format, output = '-', live, columns, force } = options
  refuseInput(options.output, options.inputs)
  if (!force) refuseToReplace(options.output)
  if (format === 'table') return { writer: openTable(options) }
  const isNew = output !== '-' && lstatSync(output, { throwIfNoEntry: false }) === undefined
  const writer = await openExport(columns, output, { format, live })
  return isNew ? { writer, made: output } : { writer }
}

/** Where records go. */
export interface Output {
  readonly writer: RecordWriter
  /** The file that was made for them. */
  readonly made?: string
}

/**
 * Writes all records. Where the run fails before there is one, a file that was made for them goes again.
 *
 * @param errors what went wrong without being thrown
 */
export async function writeRecords({ writer, made }: Output, records: AsyncIterable<object>, errors: readonly Error[]): Promise<void> {
  let isEmpty = true
  try {
    for await (const record of records) {
      await writer.write(record)
      isEmpty = false
    }
  } catch (error) {
    if (isEmpty && made !== undefined) await discard(writer, made)
    throw error
  }
  if (isEmpty && errors.length > 0 && made !== undefined) await discard(writer, made)
  else await writer.end()
}

/** A file is opened in Node's own time: only once it is closed it can't come back. */
async function discard(writer: RecordWriter, made: string): Promise<void> {
  await writer.end().catch(() => {})
  rmSync(made, { force: true })
}

type Row = Readonly<Record<string, unknown>>

/** Records that the widths of a table's columns come from. */
const BATCH = 1000

function openTable({ live, shown }: OutputOptions): RecordWriter {
  const batch = live ? 1 : BATCH
  const formatter = tableFormatter(shown)
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

/** Column widths come from the header and the first records; longer values later push their line out. */
function tableFormatter(shown: readonly string[] | undefined): (rows: readonly Row[], first: boolean) => string {
  let widths: [name: string, width: number][] = []
  return (rows, first) => {
    const names = shown ?? Object.keys(rows[0] ?? {})
    if (first) widths = names.map(name => [name, Math.max(name.length, ...rows.map(row => cell(row[name]).length))])
    const line = (values: (name: string) => string) =>
      `${widths.map(([name, width]) => values(name).padEnd(width)).join('  ').trimEnd()}\n`
    const header = first && rows.length > 0 ? line(name => name) : ''
    return header + rows.map(row => line(name => cell(row[name]))).join('')
  }
}

function cell(value: unknown): string {
  return value === null || value === undefined ? '-' : String(value)
}
