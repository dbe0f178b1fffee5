/**
 * What the columns of records are: names, types, nullability. In come the engine's layouts; out comes one description
 * that every format is written by, so that a file has the same columns whatever its rows hold.
 */
import type { ColumnKind, ColumnPlace } from '../batch/view.js'

/**
 * The type of a column's values:
 * `u64` are counts and durations, numbers in JavaScript, exact up to 2^53; `time` are nanoseconds since the Unix
 * epoch, bigints in JavaScript; `i64` are other bigints; `json` are lists; `any` is what a user's own chain gives, and known
 * by its values.
 */
export type ColumnType = 'bool' | 'u8' | 'u16' | 'u32' | 'u64' | 'i64' | 'f64' | 'time' | 'text' | 'json' | 'any'

/** All of them. */
export const COLUMN_TYPES: readonly ColumnType[] = ['bool', 'u8', 'u16', 'u32', 'u64', 'i64', 'f64', 'time', 'text', 'json', 'any']

/** One column of records. */
export interface ColumnInfo {
  readonly name: string
  readonly type: ColumnType
  /** Values may be null. */
  readonly nullable: boolean
}

const TYPES: Readonly<Record<ColumnKind, ColumnType>> = {
  bool: 'bool',
  u8: 'u8',
  u16: 'u16',
  u32: 'u32',
  u64: 'u64',
  i64: 'time',
  f64: 'f64',
  addr: 'text',
  word: 'text',
  text: 'text',
}

/** A column as the engine lays it out. */
export function columnInfo({ name, kind, flags }: ColumnPlace): ColumnInfo {
  return { name, type: TYPES[kind], nullable: flags !== null }
}

/** A column that records have and the engine's layout doesn't. */
export function derived(name: string, type: ColumnType, nullable = false): ColumnInfo {
  return { name, type, nullable }
}

/** The type of a value, for columns that nobody described. Names of times end in `_ns`. */
export function typeOf(name: string, value: unknown): ColumnType {
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'number':
      return 'f64'
    case 'bigint':
      return name.endsWith('_ns') ? 'time' : 'i64'
    case 'string':
      return 'text'
    default:
      return 'json'
  }
}
