// Compares the analysis of connections with what Wireshark says of the same streams.
import type { AnalysedRecord } from '../../src/index.js'
import type { OracleStream } from './oracle.js'

/** A stream with what Wireshark's analysis counted, both directions together. */
export interface AnalysedStream extends OracleStream {
  i: number
  ana?: Partial<Record<KindName, number>>
  /** Initial round trip, seconds as decimal digits. */
  irtt?: string | null
}

/** Kinds that the answers count. */
export const KIND_NAMES = [
  'retransmission',
  'fast_retransmission',
  'spurious_retransmission',
  'out_of_order',
  'lost_segment',
  'ack_lost_segment',
  'duplicate_ack',
  'zero_window',
  'window_full',
  'keep_alive',
  'keep_alive_ack',
  'window_update',
] as const

/** One of them. */
export type KindName = (typeof KIND_NAMES)[number]

/** How often something was judged and right; `met`: of those judged, where there was something to count. */
export class Score {
  judged = 0
  equal = 0
  met = 0
  metEqual = 0
  readonly wrong: string[] = []

  /** Takes in a comparison. */
  take(equal: boolean, met: boolean, what: () => string): void {
    this.judged += 1
    this.equal += Number(equal)
    this.met += Number(met)
    this.metEqual += Number(met && equal)
    if (!equal) this.wrong.push(what())
  }

  /** Share that is right, 0 to 1. */
  get share(): number {
    return this.judged === 0 ? 1 : this.equal / this.judged
  }

  toString(): string {
    return `${this.equal}/${this.judged} = ${(this.share * 100).toFixed(2)} %, where any ${this.metEqual}/${this.met}`
  }
}

/** The scores of a run over captures. */
export class AnalysisScores {
  readonly kinds = new Map(KIND_NAMES.map(kind => [kind, new Score()]))
  readonly all = new Score()
  readonly irtt = new Score()

  /** Compares a hard stream with its record. */
  compare(capture: string, stream: AnalysedStream, record: AnalysedRecord): void {
    const where = `${capture} stream ${stream.i}`
    let equal = true
    for (const [kind, score] of this.kinds) {
      const want = stream.ana?.[kind] ?? 0
      const have = record[`kind_${kind}_fwd`] + record[`kind_${kind}_rev`]
      score.take(want === have, want > 0, () => `${where} ${kind}: ${have}, not ${want}`)
      equal &&= want === have
    }
    this.all.take(equal, Object.keys(stream.ana ?? {}).length > 0, () => where)
    const want = typeof stream.irtt === 'string' ? Math.round(Number(stream.irtt) * 1e9) : null
    const have = record.irtt_ns
    const same = want === null || have === null ? want === have : Math.abs(want - have) <= 1000
    this.irtt.take(same, want !== null, () => `${where} irtt: ${have}, not ${want}`)
  }
}
