/** Columns as an Apache Arrow table. The package is the user's to install. */
import { OptionError } from '../errors.js'
import type { Column, ColumnArray } from './column.js'

/** What is used of an Apache Arrow table; the package's own type has it all. */
export interface ArrowTable {
  readonly numRows: number
  readonly numCols: number
  /** All rows. */
  toArray(): unknown[]
}

/** What is used of the package. */
interface Arrow {
  readonly Table: new (columns: Record<string, unknown>) => ArrowTable
  readonly Vector: new (data: readonly unknown[]) => unknown
  readonly Bool: new () => unknown
  readonly TimestampNanosecond: new (timezone: string) => unknown
  readonly Utf8: new () => unknown
  readonly makeData: (properties: object) => unknown
  readonly makeVector: (values: unknown) => { readonly type: unknown }
  readonly vectorFromArray: (values: unknown, type?: unknown) => unknown
}

/** Makes the table: numbers as they are stored, times as timestamps, texts as UTF-8. */
export async function toArrow(
  columns: ReadonlyMap<string, Column & { readonly array: ColumnArray }>,
  length: number,
): Promise<ArrowTable> {
  const arrow = await load()
  const vectors: Record<string, unknown> = {}
  for (const [name, column] of columns) vectors[name] = vector(arrow, name, column, length)
  return new arrow.Table(vectors)
}

async function load(): Promise<Arrow> {
  const name = 'apache-arrow'
  try {
    return (await import(name)) as unknown as Arrow
  } catch (error) {
    throw new OptionError(`toArrow needs the package ${name}: npm install ${name}`, { cause: error })
  }
}

function vector(arrow: Arrow, name: string, column: Column & { readonly array: ColumnArray }, length: number): unknown {
  const { kind, array, present } = column
  if (Array.isArray(array)) {
    const texts = array.every(value => value === null || value === undefined || typeof value === 'string')
    return texts ? arrow.vectorFromArray(array, new arrow.Utf8()) : arrow.vectorFromArray(array)
  }
  const nulls = present === null ? {} : { nullCount: present.reduce((n, there) => n + 1 - there, 0), nullBitmap: bits(present) }
  const type = arrowType(arrow, name, kind, array)
  const data = kind === 'bool' ? bits(array as Uint8Array) : array
  return new arrow.Vector([arrow.makeData({ type, length, data, ...nulls })])
}

function arrowType(arrow: Arrow, name: string, kind: Column['kind'], array: ColumnArray): unknown {
  if (kind === 'bool') return new arrow.Bool()
  if (kind === 'i64' && name.endsWith('_ns')) return new arrow.TimestampNanosecond('UTC')
  return arrow.makeVector(array).type
}

/** One bit for each octet that isn't 0, the lowest bit first. */
function bits(octets: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(octets.length / 64) * 8)
  octets.forEach((octet, i) => {
    if (octet !== 0) out[i >>> 3]! |= 1 << (i & 7)
  })
  return out
}
