/** Runs a reading to its end and keeps what it says as columns. */
import type { BatchView } from '../batch/view.js'
import type { AnyChain } from '../chain/chain.js'
import { BASE_COLUMNS } from '../flow/columns.js'
import { driveBatches } from '../flow/native-records.js'
import { checkRun, openEngine, openRecords, type Run, type RunOptions } from '../flow/open.js'
import type { CaptureSource } from '../source.js'
import type { ObserveStats } from '../stats.js'
import { ColumnCopy, columnOf, type Column } from './column.js'

/** All columns of a run, in the order of a record's. */
export interface Collected {
  readonly columns: ReadonlyMap<string, Column>
  readonly length: number
  readonly stats: ObserveStats
}

/** Reads captures to their end. */
export async function collectColumns(
  source: CaptureSource | readonly CaptureSource[],
  options: RunOptions,
): Promise<Collected> {
  const run = checkRun(source, options)
  return run.isBuiltIn && !run.separate ? collectBatches(run) : collectRecords(run)
}

/** Every chain is built in: the engine's columns are copied as they are. */
async function collectBatches(run: Run): Promise<Collected> {
  const { chains, captures, drive } = run
  const names = [...BASE_COLUMNS, ...chains.flatMap(chain => chain.columns ?? [])]
  const copies = new Map<string, ColumnCopy>()
  let length = 0
  let stats: ObserveStats | undefined
  for await (const { slot, rows } of driveBatches(openEngine(run), drive)) {
    for (const name of names) appendColumn(copies, slot.view, name, rows)
    length += rows
    stats = slot.view.stats() as unknown as ObserveStats
  }
  const finished = new Map(Array.from(copies, ([name, copy]) => [name, copy.finish()]))
  return { columns: inOrder(finished, chains, captures), length, stats: stats! }
}

function appendColumn(copies: Map<string, ColumnCopy>, view: BatchView, name: string, rows: number): void {
  const { kind, flags, words } = view.place(name)
  const values = kind === 'addr' ? view.addresses(name) : kind === 'i64' ? view.bigints(name) : view.numbers(name)
  let copy = copies.get(name)
  if (copy === undefined) {
    copy = new ColumnCopy(kind, values, flags !== null, words)
    copies.set(name, copy)
  }
  copy.append(values, flags === null ? null : view.flags(name), rows)
}

function inOrder(
  finished: ReadonlyMap<string, Column>,
  chains: readonly AnyChain[],
  captures: readonly string[] | null,
): ReadonlyMap<string, Column> {
  const columns = new Map<string, Column>()
  for (const name of [...BASE_COLUMNS, ...chains.flatMap(chain => chain.columns ?? [])]) {
    if (name !== 'capture') columns.set(name, finished.get(name)!)
    else if (captures !== null) columns.set(name, { ...finished.get(name)!, words: captures })
  }
  return columns
}

/** A chain is the user's own: the records come from its hooks, and their values are kept by column. */
async function collectRecords(run: Run): Promise<Collected> {
  const records = openRecords<object>(run)
  const values = new Map<string, unknown[]>()
  let length = 0
  do {
    for (let record = records.take(); record !== undefined; record = records.take()) {
      appendRecord(values, record, length)
      length += 1
    }
  } while (await records.pull())
  const declared = [...BASE_COLUMNS.slice(0, -1), ...run.chains.flatMap(chain => chain.columns ?? [])]
  for (const name of declared) if (!values.has(name)) values.set(name, Array.from({ length }))
  return { columns: new Map(Array.from(values, ([name, list]) => [name, columnOf(list)])), length, stats: records.stats() }
}

function appendRecord(values: Map<string, unknown[]>, record: object, row: number): void {
  for (const [name, value] of Object.entries(record)) {
    let column = values.get(name)
    if (column === undefined) {
      column = Array.from({ length: row })
      values.set(name, column)
    }
    column.push(value)
  }
}
