/**
 * Records out of a batch's rows, all columns at once.
 *
 * A constructor that names every column makes a record in one piece. Columns that are added one after another cost more
 * than twice the memory, because V8 copies what an object has beyond its first places each time it grows. Which columns
 * there are is known only when the layout is, so the constructor is compiled then, once for each set of columns.
 */
import { formatAddress } from '../address.js'
import { recordClass } from '../record.js'
import { KnownTexts, placeIn, type BatchView, type ColumnKind, type ColumnPlace, type Layout } from './view.js'

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
export type MakeRow<Row> = (arrays: RowArrays, row: number) => Row

/** What records look like. */
export interface RowPlan {
  /** The name of their class. */
  readonly name: string
  /** What it extends, a class made by {@link recordClass}; nothing: it is one itself. */
  readonly base?: (new () => object) | undefined
  /** Columns that come first, all at once. */
  readonly columns: readonly string[]
  /** Columns behind them: of more than a hundred values at a time V8 makes slow code, and late. */
  readonly parts?: readonly RowPart[]
  /** The column with the parts' bits. */
  readonly noted?: string
  /** Values of columns that the layout doesn't have, the same in each record. */
  readonly shared?: Readonly<Record<string, unknown>>
}

/** Some columns of a record. */
export interface RowPart {
  readonly columns: readonly string[]
  /** Where it isn't set in the column `noted`, they are all 0, and needn't be looked at. */
  readonly bit?: number | undefined
}

/** Which array holds a kind of column, and how many octets a value has. */
const STORED: Readonly<Record<ColumnKind, readonly [array: Exclude<keyof RowArrays, 'captures'>, width: number]>> = {
  bool: ['u8', 1],
  u8: ['u8', 1],
  word: ['u8', 1],
  u16: ['u16', 2],
  u32: ['u32', 4],
  u64: ['f64', 8],
  f64: ['f64', 8],
  i64: ['i64', 8],
  addr: ['u8', 1],
  text: ['u8', 1],
}

/** Whoever opens one capture after another asks for the same columns each time; and all records shall be of one shape. */
const kept = new Map<string, MakeRow<unknown>>()
const MOST_KEPT = 64

/** What makes records after a plan from batches of one layout. */
export function rowMaker<Row>(layout: Layout, plan: RowPlan): MakeRow<Row> {
  const key = JSON.stringify([plan, layout.columns])
  const known = kept.get(key) as MakeRow<Row> | undefined
  if (known !== undefined) return known
  const make = (compiled(layout, plan) ?? interpreted(layout, plan)) as MakeRow<Row>
  if (kept.size < MOST_KEPT) kept.set(key, make)
  return make
}

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
function compiled(layout: Layout, plan: RowPlan): MakeRow<unknown> | undefined {
  showBothVersions()
  const used = { formatAddress, recordClass, Base: plan.base, shared: plan.shared, KnownTexts }
  try {
    // Names and words are string literals in it, and are those of this package; nothing else comes from outside.
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
    return new Function(...Object.keys(used), sourceOf(layout, plan))(...Object.values(used)) as MakeRow<unknown>
  } catch {
    return undefined
  }
}

function sourceOf(layout: Layout, plan: RowPlan): string {
  const { columns, parts = [], noted } = plan
  const values = new Values(layout, plan)
  // Values come as arguments, so that V8 makes the object when it has them all and only has to put them there.
  const atOnce = columns.map(name => values.of(name)).join(',\n')
  const fills = parts.map(({ columns }, i) => {
    const puts = columns.map(name => `record[${JSON.stringify(name)}] = ${values.of(name)}`)
    return `function fill${i}(record, { u8, u16, u32, f64, i64, captures }, row) {\nlet t\n${puts.join('\n')}\n}`
  })
  const calls = parts.map(({ bit }, i) => {
    const call = `fill${i}(record, arrays, row)`
    return bit === undefined ? call : `if ((noted & ${bit}) !== 0) ${call}`
  })
  const bits = noted === undefined ? '' : `const noted = ${place(placeIn(layout, noted))}`
  return `${values.tables.join('\n')}
    ${classOf(plan)}
    ${fills.join('\n')}
    return function makeRow(arrays, row) {
      const { u8, u16, u32, f64, i64, captures } = arrays
      let t
      const record = new Row(${atOnce})
      ${[bits, ...calls].join('\n')}
      return record
    }`
}

function classOf({ name, base, columns, parts = [], shared = {} }: RowPlan): string {
  const parameters = columns.map((_, i) => `v${i}`)
  const atOnce = columns.map((name, i) => [name, name in shared ? 'null' : `v${i}`] as const)
  const later = parts.flatMap(({ columns, bit }) => columns.map(name => [name, bit === undefined ? 'null' : '0'] as const))
  // Twice: V8 would take what is the same in each record for a constant, and begin anew at the first record with its own.
  const again = columns.flatMap((name, i) => (name in shared ? [[name, `v${i}`] as const] : []))
  const fields = [...atOnce, ...later]
  const body = [...fields, ...again].map(([name, value]) => `this[${JSON.stringify(name)}] = ${value}`)
  // Without arguments it makes one for `showAll`.
  if (parts.length > 0) body.unshift('if (v0 === undefined) return')
  if (base !== undefined) body.unshift('super()')
  return `class Row ${base === undefined ? '' : 'extends Base'} { constructor(${parameters}) {\n${body.join('\n')}\n} }
    Object.defineProperty(Row, 'name', { value: ${JSON.stringify(name)} })
    ${base === undefined ? 'recordClass(Row)' : ''}
    ${parts.length === 0 ? '' : showAll(fields.map(([name]) => name))}`
}

/**
 * With parts, each field is shown null and a number before there is the next. V8 makes code for what it has seen in a
 * field, and throws it away when something else comes: here that would be again and again, as it doesn't remember it of
 * fields that are filled later.
 */
function showAll(names: readonly string[]): string {
  const puts = names.map(name => JSON.stringify(name)).map(name => `record[${name}] = null\nrecord[${name}] = 0`)
  return `const record = new Row()\n${puts.join('\n')}`
}

/** What reads a record's values. */
class Values {
  /** Declares what they look up. */
  readonly tables: string[] = []
  readonly #places: ReadonlyMap<string, ColumnPlace>
  readonly #shared: object
  readonly #version: string

  constructor({ columns }: Layout, { shared = {} }: RowPlan) {
    this.#places = new Map(columns.map(column => [column.name, column]))
    this.#shared = shared
    this.#version = place(this.#places.get('ip_version')!)
  }

  of(name: string): string {
    if (name in this.#shared) return this.#table(`shared[${JSON.stringify(name)}]`)
    const column = this.#places.get(name)!
    const value = this.#plain(column)
    // The value is read in any case: V8 throws its code away where it comes to what it never came to before.
    return column.flags === null ? value : `(t = ${value}, u8[${column.flags} + row] === 1 ? t : null)`
  }

  /** Written out rather than called (`whole` and the like): V8 takes half the time to compile what it needn't put together. */
  #plain(column: ColumnPlace): string {
    const { name, kind, values, width } = column
    const value = place(column)
    if (name === 'capture') return `captures[${value}]`
    if (kind === 'addr') return `formatAddress(u8, ${values} + row * 16, ${this.#version})`
    if (kind === 'bool') return `${value} === 1`
    if (kind === 'u64') return `((t = ${value}) <= 0x3fff_ffff ? t | 0 : t)`
    if (kind === 'word') return `${this.#table(JSON.stringify(column.words))}[${value}]`
    if (kind === 'text') return `${this.#table(`new KnownTexts(${width})`)}.read(u8, ${values} + row * ${width})`
    return value
  }

  #table(value: string): string {
    const name = `table${this.tables.length}`
    this.tables.push(`const ${name} = ${value}`)
    return name
  }
}

/** Where a row's value is read. */
function place({ kind, values }: ColumnPlace): string {
  const [array, width] = STORED[kind]
  return `${array}[${values / width} + row]`
}

/** The same without compiling: several times slower. */
function interpreted(layout: Layout, { name, base, columns, parts = [], shared = {} }: RowPlan): MakeRow<unknown> {
  const version = placeIn(layout, 'ip_version')
  const names = [...columns, ...parts.flatMap(part => part.columns)]
  const readers = names.map(name => [name, name in shared ? () => shared[name] : looseReader(placeIn(layout, name), version)] as const)
  const Base = base ?? Object
  class Row extends Base {
    [column: string]: unknown

    constructor(arrays: RowArrays, row: number) {
      super()
      for (const [name, read] of readers) this[name] = read(arrays, row)
    }
  }
  Object.defineProperty(Row, 'name', { value: name })
  if (base === undefined) recordClass(Row)
  return (arrays, row) => new Row(arrays, row)
}

function looseReader(column: ColumnPlace, version: ColumnPlace): MakeRow<unknown> {
  const { name, kind, values, flags, words, width = 0 } = column
  const [array, size] = STORED[kind]
  const texts = new KnownTexts(width)
  return (arrays, row) => {
    if (flags !== null && arrays.u8[flags + row] !== 1) return null
    const value = arrays[array][values / size + row]!
    if (name === 'capture') return arrays.captures[value as number]
    if (kind === 'addr') return formatAddress(arrays.u8, values + row * 16, arrays.u8[version.values + row]!)
    if (kind === 'text') return texts.read(arrays.u8, values + row * width)
    if (kind === 'word') return words![value as number]
    return kind === 'bool' ? value === 1 : value
  }
}
