/** One connection's segments as columns, and what they are. */
import type { Container, Numbers } from '../container.js'
import type { DetailMeta } from '../shapes.js'
import { duration, flagLetters, number } from './format.js'

/** Kinds of segments by their bits; the engine's order. */
export const KINDS = [
  'retransmission', 'fast retransmission', 'spurious retransmission', 'out of order', 'lost segment before',
  'acknowledges a lost segment', 'duplicate acknowledgement', 'zero window', 'window full', 'keep-alive',
  'keep-alive acknowledgement', 'window update', 'zero-window probe', 'probe acknowledgement',
] as const

/** Bits of kinds that plots draw in their own way. */
export const KIND = { retransmission: 1, outOfOrder: 8, duplicateAck: 64, zeroWindow: 128, keepAlive: 512 } as const
export const FLAG = { fin: 1, syn: 2, rst: 4 } as const

/** Which direction's octets: 0 = the client sent them. */
export type Way = 0 | 1

/** The columns, by name. */
export class Segments {
  readonly meta: DetailMeta
  readonly length: number
  readonly #arrays: Readonly<Record<string, Numbers>>

  constructor({ meta, arrays }: Container<DetailMeta>) {
    this.meta = meta
    this.#arrays = arrays
    this.length = this.column('t').length
  }

  /** A column. */
  column(name: string): Numbers {
    return this.#arrays[name] ?? new Uint8Array(0)
  }

  /** Rows of segments that a test chooses. */
  rows(test: (row: number) => boolean): number[] {
    const rows: number[] = []
    for (let row = 0; row < this.length; row++) if (test(row)) rows.push(row)
    return rows
  }

  /** Seconds from the start to the last segment. */
  get seconds(): number {
    let most = 0
    for (const t of this.column('t')) if (t > most) most = t
    return most / 1e9
  }

  /** A segment in words. */
  describe(row: number): string {
    const at = (name: string) => this.column(name)[row]!
    const parts = [
      `packet ${number(at('packet'))}`,
      duration(at('t')),
      at('rev') === 1 ? 'from the server' : 'from the client',
      flagLetters(at('flags')),
      `${number(at('offset'))} + ${number(at('length'))}`,
    ]
    if (!Number.isNaN(at('ack'))) parts.push(`ack ${number(at('ack'))}`)
    if (!Number.isNaN(at('window'))) parts.push(`window ${number(at('window'))}`)
    const kinds = kindsOf(at('kind'))
    return [...parts, ...(kinds === '' ? [] : [kinds])].join(' · ')
  }
}

/** The words of some bits. */
export function kindsOf(bits: number): string {
  return KINDS.filter((_, bit) => (bits >>> bit) & 1).join(', ')
}
