/**
 * Records as columns in the caller's buffer. Mirrors `core::batch`.
 *
 * ```text
 * | statistics: one double each | column 0: maxRows values | its null flags | column 1 | …
 * ```
 *
 * Every part begins at a multiple of 8 octets. A null flag of 1 means: there is a value. A {@link Columns} lays typed
 * arrays over one buffer; whoever fills rows takes the arrays it needs once and writes to them.
 */
import type { ColumnKind, ColumnPlace, Layout as Description } from '../batch/view.js'

/** One column: its name is the record's property. */
export interface Column {
  readonly name: string
  readonly kind: ColumnKind
  /** A value may be missing. */
  readonly nullable?: boolean
  /** What the numbers of a `word` column stand for. */
  readonly words?: readonly string[]
}

const SIZES: Readonly<Record<ColumnKind, number>> = { bool: 1, u8: 1, word: 1, u16: 2, u32: 4, u64: 8, i64: 8, f64: 8, addr: 16, text: 0 }

/** Where every column lies in a buffer for `maxRows` rows. */
export class Layout implements Description {
  readonly stats: readonly string[]
  readonly columns: readonly ColumnPlace[]
  readonly maxRows: number
  /** Octets a buffer must have, counted from its start. */
  readonly byteLength: number

  /** Lays out `columns` behind the statistics, which begin `start` octets (a multiple of 8) into the buffer. */
  constructor(stats: readonly string[], columns: readonly Column[], maxRows: number, start = 0) {
    this.stats = stats
    this.maxRows = maxRows
    let end = start + stats.length * 8
    const reserve = (octets: number): number => {
      const at = end
      end += Math.ceil(octets / 8) * 8
      return at
    }
    this.columns = columns.map(({ name, kind, nullable, words }) => {
      const values = reserve(SIZES[kind] * maxRows)
      const flags = nullable === true ? reserve(maxRows) : null
      return words === undefined ? { name, kind, values, flags } : { name, kind, values, flags, words }
    })
    this.byteLength = end
  }

  /** The layout as JSON, as the native engine gives it. */
  describe(): string {
    const { byteLength, maxRows, stats, columns } = this
    return JSON.stringify({ byteLength, maxRows, stats, columns })
  }
}
