/**
 * Flow records out of a batch's rows, all columns at once.
 *
 * A constructor that names every column makes a record in one piece. Columns that are added one after another cost more
 * than twice the memory, because V8 copies what an object has beyond its first places each time it grows. Which columns
 * there are is known only when the chains are, so the constructor is compiled then, once for each set of columns.
 */
import { formatAddress } from '../address.js'
import { placeIn, type BatchView, type ColumnKind, type ColumnPlace, type Layout } from '../batch/view.js'
import { InternalError } from '../errors.js'
import { recordClass } from '../record.js'

/** The whole batch as arrays of each width; a column is a stretch of one of them. One for each column would cost twice. */
export class RowArrays {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly f64: Float64Array
  readonly i64: BigInt64Array
  /** What the numbers of the column `capture` stand for. */
  readonly captures: readonly string[]

  constructor({ bytes }: BatchView, captures: readonly string[] | null) {
    const { buffer, byteLength } = bytes
    this.u8 = new Uint8Array(buffer, 0, byteLength)
    this.u16 = new Uint16Array(buffer, 0, byteLength >>> 1)
    this.u32 = new Uint32Array(buffer, 0, byteLength >>> 2)
    this.f64 = new Float64Array(buffer, 0, byteLength >>> 3)
    this.i64 = new BigInt64Array(buffer, 0, byteLength >>> 3)
    this.captures = captures ?? []
  }
}

/** Makes the record of a row. */
export type MakeRow<Flow> = (arrays: RowArrays, row: number) => Flow

/** Which array holds a kind of column, and how many octets a value has. */
const STORED: Readonly<Record<Exclude<ColumnKind, 'text'>, readonly [array: keyof RowArrays, width: number]>> = {
  bool: ['u8', 1],
  u8: ['u8', 1],
  word: ['u8', 1],
  u16: ['u16', 2],
  u32: ['u32', 4],
  u64: ['f64', 8],
  f64: ['f64', 8],
  i64: ['i64', 8],
  addr: ['u8', 1],
}

/** Whoever opens one capture after another asks for the same columns each time; and all records shall be of one shape. */
const kept = new Map<string, MakeRow<unknown>>()
const MOST_KEPT = 64

/** What makes records with these columns, in this order, from batches of one layout. */
export function rowMaker<Flow>(layout: Layout, names: readonly string[]): MakeRow<Flow> {
  const columns = names.map(name => placeIn(layout, name))
  const key = JSON.stringify(columns)
  const known = kept.get(key) as MakeRow<Flow> | undefined
  if (known !== undefined) return known
  const make = compiled<Flow>(columns) ?? interpreted<Flow>(columns)
  if (kept.size < MOST_KEPT) kept.set(key, make)
  return make
}

/** What the compiled code calls. */
const USED = { formatAddress, recordClass }

/**
 * Most captures have both versions of addresses, the second one often late. V8 would compile the constructor for the one
 * that it has seen, throw that away at the first of the other, and compile again: a fiftieth of a second on another
 * thread each time. So it is shown both.
 */
function showBothVersions(): void {
  const octets = new Uint8Array(16)
  for (let i = 0; i < 200; i++) formatAddress(octets, 0, i % 2 === 0 ? 4 : 6)
}

/** Undefined where no code may be compiled: node --disallow-code-generation-from-strings. */
function compiled<Flow>(columns: readonly ColumnPlace[]): MakeRow<Flow> | undefined {
  const version = valueOf(columns.find(({ name }) => name === 'ip_version')!)
  const parameters = columns.map((_, i) => `v${i}`).join(', ')
  // Values come as arguments, so that V8 makes the object when it has them all and only has to put them there.
  const fields = columns.map(({ name }, i) => `this[${JSON.stringify(name)}] = v${i}`).join('\n')
  const values = columns.map((column, i) => expression(column, i, version)).join(',\n')
  const tables = columns.map(({ words }, i) => (words === null ? '' : `const w${i} = ${JSON.stringify(words)}`))
  const source = `${tables.filter(table => table !== '').join('\n')}
    function FlowRow(${parameters}) {\n${fields}\n}
    recordClass(FlowRow)
    return function flowRow({ u8, u16, u32, f64, i64, captures }, row) { let t; return new FlowRow(${values}) }`
  showBothVersions()
  try {
    // Names and words are string literals in it, and are those of this package; nothing else comes from outside.
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
    return new Function(...Object.keys(USED), source)(...Object.values(USED)) as MakeRow<Flow>
  } catch {
    return undefined
  }
}

/** Written out rather than called (`whole` and the like): V8 takes half the time to compile what it needn't put together. */
function expression(column: ColumnPlace, i: number, version: string): string {
  const { name, kind, values, flags } = column
  let value = valueOf(column)
  if (kind === 'addr') value = `formatAddress(u8, ${values} + row * 16, ${version})`
  else if (kind === 'bool') value += ' === 1'
  else if (kind === 'u64') value = `((t = ${value}) <= 0x3fff_ffff ? t | 0 : t)`
  else if (name === 'capture') value = `captures[${value}]`
  else if (kind === 'word') value = `w${i}[${value}]`
  // The value is read in any case: V8 throws its code away where it comes to what it never came to before.
  return flags === null ? value : `(t = ${value}, u8[${flags} + row] === 1 ? t : null)`
}

/** Where a row's value is read. */
function valueOf({ name, kind, values }: ColumnPlace): string {
  const [array, width] = stored(name, kind)
  return `${array}[${values / width} + row]`
}

function stored(name: string, kind: ColumnKind): readonly [array: keyof RowArrays, width: number] {
  if (kind === 'text') throw new InternalError(`column ${name} (${kind}) has no place in a flow record`)
  return STORED[kind]
}

/** The same without compiling: several times slower. */
function interpreted<Flow>(columns: readonly ColumnPlace[]): MakeRow<Flow> {
  const version = columns.find(({ name }) => name === 'ip_version')!
  class FlowRow {
    [column: string]: unknown

    constructor(from: RowArrays, row: number) {
      for (const column of columns) this[column.name] = looseValue(column, from, row, from.u8[version.values + row]!)
    }
  }
  recordClass(FlowRow)
  return (from, row) => new FlowRow(from, row) as Flow
}

function looseValue({ name, kind, values, flags, words }: ColumnPlace, from: RowArrays, row: number, version: number): unknown {
  if (flags !== null && from.u8[flags + row] !== 1) return null
  if (kind === 'addr') return formatAddress(from.u8, values + row * 16, version)
  const [array, width] = stored(name, kind)
  const value = from[array][values / width + row]!
  if (kind === 'bool') return value === 1
  if (name === 'capture') return from.captures[value as number]
  return kind === 'word' ? words![value as number] : value
}
