/** Records gathered into groups of columns, for the formats that store columns. */
import { OptionError } from '../errors.js'
import { typeOf, type ColumnInfo, type ColumnType } from './columns.js'
import type { RecordWriter } from './writer.js'

/** A column whose type is settled, and its values in the group at hand. */
export interface GroupColumn {
  readonly name: string
  readonly type: Exclude<ColumnType, 'any'>
  readonly nullable: boolean
  values: unknown[]
}

/** Takes finished groups. */
export interface GroupSink {
  /** Writes a group of `rows` rows. The columns are the same each time. */
  group(columns: readonly GroupColumn[], rows: number): Promise<void> | undefined
  /** Writes what stands behind the last group; the columns, where there was none. */
  end(columns: readonly GroupColumn[]): Promise<void>
}

/** A writer that hands over groups of at most `size` rows. */
export function groupWriter(columns: readonly ColumnInfo[], size: number, sink: GroupSink): RecordWriter {
  return new GroupWriter(columns, size, sink)
}

class GroupWriter implements RecordWriter {
  readonly #declared: readonly ColumnInfo[]
  readonly #size: number
  readonly #sink: GroupSink
  #names: string[]
  #values: unknown[][]
  #rows = 0
  /** From the first group on. */
  #columns: GroupColumn[] | undefined

  constructor(columns: readonly ColumnInfo[], size: number, sink: GroupSink) {
    this.#declared = columns
    this.#size = size
    this.#sink = sink
    this.#names = columns.map(({ name }) => name)
    this.#values = columns.map(() => [])
  }

  write(record: object): Promise<void> | undefined {
    const row = record as Readonly<Record<string, unknown>>
    const [names, values] = [this.#names, this.#values]
    for (let i = 0; i < names.length; i++) values[i]!.push(row[names[i]!] ?? null)
    this.#rows += 1
    if (this.#rows === 1 || Object.keys(record).length > names.length) this.#findMore(row)
    return this.#rows < this.#size ? undefined : this.#flush()
  }

  /** Columns of a user's own chain that it didn't declare. */
  #findMore(row: Readonly<Record<string, unknown>>): void {
    for (const name of Object.keys(row)) {
      if (this.#names.includes(name)) continue
      if (this.#columns) throw new OptionError(`column ${name}: its chain must declare it, it comes too late for this format`)
      this.#names.push(name)
      const values: unknown[] = Array.from({ length: this.#rows - 1 }, () => null)
      this.#values.push([...values, row[name] ?? null])
    }
  }

  #flush(): Promise<void> | undefined {
    this.#columns ??= this.#settle()
    this.#columns.forEach((column, i) => {
      column.values = this.#values[i]!
    })
    const rows = this.#rows
    this.#values = this.#values.map(() => [])
    this.#rows = 0
    return this.#sink.group(this.#columns, rows)
  }

  /** Types of columns that nobody described are those of their first values. */
  #settle(): GroupColumn[] {
    return this.#names.map((name, i) => {
      const known = this.#declared.find(column => column.name === name)
      const values: unknown[] = []
      if (known && known.type !== 'any') return { name, type: known.type, nullable: known.nullable, values }
      const types = new Set(this.#values[i]!.filter(value => value !== null).map(value => typeOf(name, value)))
      const [type = 'text'] = types
      return { name, type: types.size > 1 || type === 'any' ? 'json' : type, nullable: true, values }
    })
  }

  async end(): Promise<void> {
    if (this.#rows > 0) await this.#flush()
    await this.#sink.end((this.#columns ??= this.#settle()))
  }
}

/** A value of a column, or what is wrong with it. */
export function checkType(column: GroupColumn, value: unknown): void {
  const { name, type, nullable } = column
  if (value === null ? nullable : type === 'json' || matches(type, value)) return
  const given = typeof value === 'number' || typeof value === 'bigint' ? String(value) : typeof value
  throw new OptionError(`column ${name}: expected ${type} in every record, not ${given}`)
}

const LARGEST = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff } as const

function matches(type: GroupColumn['type'], value: unknown): boolean {
  switch (type) {
    case 'bool':
      return typeof value === 'boolean'
    case 'time':
    case 'i64':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value
    case 'text':
      return typeof value === 'string'
    case 'f64':
      return typeof value === 'number'
    case 'u64':
      return Number.isInteger(value)
    default:
      return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LARGEST[type as keyof typeof LARGEST]
  }
}
