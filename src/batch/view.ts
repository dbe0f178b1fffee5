/**
 * Typed arrays over a batch that an engine filled. Nothing is copied: a view is valid until its batch is lent again.
 */
import { InternalError } from '../errors.js'
import { readStats } from '../stats.js'

/** How a column's values are stored. */
export type ColumnKind = 'bool' | 'u8' | 'u16' | 'u32' | 'u64' | 'i64' | 'f64' | 'addr' | 'word' | 'text'

/** Where a column lies in a batch. */
export interface ColumnPlace {
  readonly name: string
  readonly kind: ColumnKind
  /** Octets from the start of the batch to the values. */
  readonly values: number
  /** Octets to the null flags (1 = there is a value), or null where a value is always there. */
  readonly flags: number | null
  /** The words that a `word` column's numbers stand for. */
  readonly words?: readonly string[]
  /** Octets of a `text` column's values; zeros stand behind shorter ones. */
  readonly width?: number
}

/** Where everything lies in a batch. */
export interface Layout {
  readonly byteLength: number
  readonly maxRows: number
  /** Names of the statistics, one double each at the start of the batch. */
  readonly stats: readonly string[]
  readonly columns: readonly ColumnPlace[]
}

/** Numbers of a column: `u64` columns come as doubles, exact up to 2^53. */
export type NumberArray = Uint8Array | Uint16Array | Uint32Array | Float64Array

/**
 * A whole number of a `u64` column. V8 keeps small integers in an object as they are, but what comes from an array of
 * doubles in a box of its own, and a record has half a dozen of them.
 */
export const whole = (value: number): number => (value <= 0x3fff_ffff ? value | 0 : value)

/** One batch and its columns. */
export class BatchView {
  readonly layout: Layout
  readonly bytes: Uint8Array
  readonly #stats: Float64Array

  /** @param bytes the batch, where several tables share one */
  constructor(layout: Layout, bytes: Uint8Array = new Uint8Array(layout.byteLength)) {
    this.layout = layout
    this.bytes = bytes
    this.#stats = new Float64Array(this.bytes.buffer, 0, layout.stats.length)
  }

  /** The statistics as they stood when the batch was filled. */
  stats(): Record<string, number> {
    return readStats(this.layout.stats, this.#stats)
  }

  /** The place of a column. */
  place(name: string): ColumnPlace {
    return placeIn(this.layout, name)
  }

  /** A column of numbers, booleans (0 or 1) or word numbers. */
  numbers(name: string): NumberArray {
    const { kind, values } = this.place(name)
    const { buffer } = this.bytes
    const rows = this.layout.maxRows
    switch (kind) {
      case 'bool':
      case 'u8':
      case 'word':
        return new Uint8Array(buffer, values, rows)
      case 'u16':
        return new Uint16Array(buffer, values, rows)
      case 'u32':
        return new Uint32Array(buffer, values, rows)
      case 'u64':
      case 'f64':
        return new Float64Array(buffer, values, rows)
      default:
        throw new InternalError(`column ${name} (${kind}) holds no plain numbers`)
    }
  }

  /** A column of times. */
  bigints(name: string): BigInt64Array {
    return new BigInt64Array(this.bytes.buffer, this.place(name).values, this.layout.maxRows)
  }

  /** A column of addresses, 16 octets each. */
  addresses(name: string): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.place(name).values, 16 * this.layout.maxRows)
  }

  /** A column of parts of headers, 16 octets each. */
  data(name: string): DataView {
    return new DataView(this.bytes.buffer, this.place(name).values, 16 * this.layout.maxRows)
  }

  /** What reads the texts of a column. */
  texts(name: string): (row: number) => string {
    const { values, width = 0 } = this.place(name)
    const octets = new Uint8Array(this.bytes.buffer, values, width * this.layout.maxRows)
    const known = new KnownTexts(width)
    return row => known.read(octets, row * width)
  }

  /** A column's null flags: 1 = there is a value. */
  flags(name: string): Uint8Array {
    const { flags } = this.place(name)
    if (flags === null) throw new InternalError(`column ${name} has no null flags`)
    return new Uint8Array(this.bytes.buffer, flags, this.layout.maxRows)
  }

  /** A word column's words. */
  words(name: string): readonly string[] {
    return this.place(name).words ?? []
  }
}

/** The place of a column. */
export function placeIn(layout: Layout, name: string): ColumnPlace {
  const place = layout.columns.find(column => column.name === name)
  if (!place) throw new InternalError(`a batch has no column ${name}`)
  return place
}

/** Texts that are remembered, a power of two. */
const KNOWN = 256

/** Texts of a column. They are short and repeat, so that most are found and not made. */
export class KnownTexts {
  readonly #width: number
  readonly #texts: string[] = Array.from({ length: KNOWN }, () => '')

  /** @param width octets of a value */
  constructor(width: number) {
    this.#width = width
  }

  /** The text at `at`; zeros stand behind it. */
  read(octets: Uint8Array, at: number): string {
    const most = at + this.#width
    let [end, hash] = [at, 0]
    while (end < most && octets[end] !== 0) hash = (Math.imul(hash, 31) + octets[end++]!) | 0
    const place = (hash ^ (hash >>> 8)) & (KNOWN - 1)
    const known = this.#texts[place]!
    if (isText(known, octets, at, end)) return known
    return (this.#texts[place] = String.fromCharCode(...octets.subarray(at, end)))
  }
}

function isText(text: string, octets: Uint8Array, at: number, end: number): boolean {
  if (text.length !== end - at) return false
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== octets[at + i]) return false
  return true
}

/** Reads a layout as an engine gives it. */
export function parseLayout(json: string): Layout {
  return JSON.parse(json) as Layout
}
