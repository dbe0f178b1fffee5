/** Columns that grow row by row or batch by batch, and how their values are read. */
import { formatAddress } from '../address.js'
import type { ColumnKind } from '../batch/view.js'

/** The arrays that hold a column's values. */
export type ColumnArray = Uint8Array | Uint16Array | Uint32Array | Float64Array | BigInt64Array | unknown[]

/** One finished column. */
export interface Column {
  readonly kind: ColumnKind | 'any'
  /** The values; 16 octets a row for addresses, and a place in `words` for words. */
  readonly values: ColumnArray
  /** 1 where there is a value; null where there always is. */
  readonly present: Uint8Array | null
  /** The words of a word column. */
  readonly words?: readonly string[]
}

type Typed = Exclude<ColumnArray, unknown[]>

/** Copies batches of a column's values one behind the other. */
export class ColumnCopy {
  readonly kind: ColumnKind
  readonly #width: number
  readonly #words: readonly string[] | undefined
  #values: Typed
  #present: Uint8Array | null
  #length = 0

  /** `sample` gives the array's type. */
  constructor(kind: ColumnKind, sample: Typed, nullable: boolean, words?: readonly string[]) {
    this.kind = kind
    this.#width = kind === 'addr' ? 16 : 1
    this.#words = words
    this.#values = sample.slice(0, 0)
    this.#present = nullable ? new Uint8Array(0) : null
  }

  /** Copies the first `rows` rows. */
  append(values: Typed, present: Uint8Array | null, rows: number): void {
    const width = this.#width
    this.#reserve(this.#length + rows)
    copy(this.#values, values.subarray(0, rows * width), this.#length * width)
    if (this.#present !== null && present !== null) this.#present.set(present.subarray(0, rows), this.#length)
    this.#length += rows
  }

  /** The column, no larger than it must be. */
  finish(): Column {
    const values = this.#values.slice(0, this.#length * this.#width)
    const present = this.#present?.slice(0, this.#length) ?? null
    const words = this.#words === undefined ? {} : { words: this.#words }
    return { kind: this.kind, values, present, ...words }
  }

  #reserve(rows: number): void {
    const capacity = this.#values.length / this.#width
    if (rows <= capacity) return
    const next = Math.max(rows, capacity * 2, 1024)
    const values = new (this.#values.constructor as new (length: number) => Typed)(next * this.#width)
    copy(values, this.#values, 0)
    this.#values = values
    if (this.#present === null) return
    const present = new Uint8Array(next)
    present.set(this.#present)
    this.#present = present
  }
}

function copy(to: Typed, from: Typed, at: number): void {
  // Both are of the same type; TypeScript can't know.
  ;(to as Uint8Array).set(from as Uint8Array, at)
}

/** Values of a user's own column, typed at the end by what they are. */
export function columnOf(values: unknown[]): Column {
  const types = new Set(values.map(value => (value === null || value === undefined ? 'null' : typeof value)))
  const missing = types.delete('null')
  const [type] = types
  if (types.size !== 1 || (type !== 'number' && type !== 'bigint' && type !== 'boolean'))
    return { kind: 'any', values, present: null }
  const present = missing ? Uint8Array.from(values, value => (value === null || value === undefined ? 0 : 1)) : null
  if (type === 'bigint') return { kind: 'i64', values: BigInt64Array.from(values, value => (value as bigint | null) ?? 0n), present }
  if (type === 'boolean') return { kind: 'bool', values: Uint8Array.from(values, value => Number(value === true)), present }
  return { kind: 'f64', values: Float64Array.from(values, value => (value as number | null) ?? 0), present }
}

/** A value as it stands in a flow record; `version` is the row's IP version. */
export function valueAt(column: Column, row: number, version: number): unknown {
  const { kind, values, present, words } = column
  if (present !== null && present[row] === 0) return null
  if (kind === 'addr') return formatAddress(values as Uint8Array, row * 16, version)
  const value: unknown = values[row]
  if (kind === 'bool') return value === 1
  if (kind === 'word' || words !== undefined) return words![value as number]
  return value
}
