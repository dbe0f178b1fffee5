/** `flowTable`: flow records as columns, without an object per flow. */
import type { AnyChain, WithoutClash } from '../chain/chain.js'
import { OptionError } from '../errors.js'
import type { RunOptions } from '../flow/open.js'
import type { FlowRecord } from '../observe.js'
import type { CaptureSource } from '../source.js'
import type { ObserveStats } from '../stats.js'
import { toArrow, type ArrowTable } from './arrow.js'
import { collectColumns } from './collect.js'
import { valueAt, type Column, type ColumnArray } from './column.js'

/** A typed array of numbers, whichever it is. */
export interface NumberColumn extends Iterable<number> {
  readonly length: number
  readonly [row: number]: number
  /** The value of a row; negative rows count from the end. */
  at(row: number): number | undefined
  /** Folds all values into one. */
  reduce<Sum>(callback: (sum: Sum, value: number, row: number) => Sum, start: Sum): Sum
  /** Calls back for each value. */
  forEach(callback: (value: number, row: number) => void): void
}

/** What {@link FlowTable.column} gives for a value's type. */
export type ColumnOf<Value> = [NonNullable<Value>] extends [bigint]
  ? BigInt64Array
  : [NonNullable<Value>] extends [number | boolean]
    ? NumberColumn
    : ArrayLike<unknown>

/** All flow records of a run, as columns. */
export class FlowTable<Flow extends object> {
  /** Flow records. */
  readonly length: number
  /** Counters of the run. */
  readonly stats: ObserveStats
  readonly #columns: ReadonlyMap<string, Column>
  /** Addresses and words that were asked for. */
  readonly #texts = new Map<string, string[]>()

  /** @internal */
  constructor(columns: ReadonlyMap<string, Column>, length: number, stats: ObserveStats) {
    this.#columns = columns
    this.length = length
    this.stats = stats
  }

  /** The columns' names, in order. */
  get columnNames(): (keyof Flow & string)[] {
    return [...this.#columns.keys()] as (keyof Flow & string)[]
  }

  /**
   * A column's values, not copied: typed arrays for numbers, times and truth values (0 or 1; 0 stands where there is
   * none, see {@link FlowTable.present}); an array of strings for addresses and words, made when first asked for.
   *
   * @throws {@link OptionError} where there is no such column
   */
  column<Name extends keyof Flow & string>(name: Name): ColumnOf<Flow[Name]> {
    return this.#array(name) as ColumnOf<Flow[Name]>
  }

  /** 1 for each row where there is a value, 0 for null; null where there always is one. */
  present(name: keyof Flow & string): Uint8Array | null {
    return this.#find(name).present
  }

  /** One value, as it stands in a flow record. */
  value<Name extends keyof Flow & string>(name: Name, row: number): Flow[Name] {
    return valueAt(this.#find(name), row, this.#version(row)) as Flow[Name]
  }

  /** One flow record as an object. */
  record(row: number): Flow {
    const version = this.#version(row)
    return Object.fromEntries(Array.from(this.#columns, ([name, column]) => [name, valueAt(column, row, version)])) as Flow
  }

  /**
   * The same as an Apache Arrow table.
   *
   * @throws {@link OptionError} where the package `apache-arrow` isn't installed
   */
  toArrow(): Promise<ArrowTable> {
    const columns = new Map(Array.from(this.#columns, ([name, column]) => [name, { ...column, array: this.#array(name) }]))
    return toArrow(columns, this.length)
  }

  #array(name: string): ColumnArray {
    const column = this.#find(name)
    if (column.kind !== 'addr' && column.words === undefined) return column.values
    let texts = this.#texts.get(name)
    if (texts === undefined) {
      texts = Array.from({ length: this.length }, (_, row) => valueAt(column, row, this.#version(row)) as string)
      this.#texts.set(name, texts)
    }
    return texts
  }

  #find(name: string): Column {
    const column = this.#columns.get(name)
    if (column === undefined)
      throw new OptionError(`column: there is no column '${name}'; there are ${this.columnNames.join(', ')}`)
    return column
  }

  #version(row: number): number {
    return this.#columns.get('ip_version')!.values[row] as number
  }
}

/**
 * Reads captures and gives all flow records as columns: for analysis, where an object per flow would be too much.
 *
 * @param source as for {@link observe}
 * @param options as for {@link observe}
 *
 * @example
 * const table = await flowTable('big.pcap', { chains: [basicChain()] })
 * const octets = table.column('oct_fwd').reduce((a, b) => a + b, 0)
 */
export async function flowTable<const Chains extends readonly AnyChain[] = []>(
  source: CaptureSource | readonly CaptureSource[],
  options: Omit<RunOptions, 'chains'> & { chains?: Chains & WithoutClash<Chains> } = {},
): Promise<FlowTable<FlowRecord<Chains>>> {
  const { columns, length, stats } = await collectColumns(source, options)
  return new FlowTable(columns, length, stats)
}
