/**
 * Round-trip samples of one connection, one by one, as the engine's analysis takes them (`rtt_samples_*`): from a segment
 * to the first acknowledgement of all its octets; segments sent twice give none (RFC 6298 section 3).
 */

/** Segments under way that are timed at once in each direction. */
const UNDER_WAY = 256

interface Timed {
  /** Offset of the octet behind it. */
  readonly end: number
  readonly ns: number
  /** It was sent twice: its acknowledgement may be for either. */
  ambiguous: boolean
}

/** One direction's segments under way. */
export class RoundTrips {
  readonly #timed: Timed[] = []
  #sent: number | null = null

  /** A segment of this direction that takes sequence numbers, from `offset` to `end`. */
  sent(offset: number, end: number, ns: number): void {
    if (this.#sent !== null && this.#sent > offset) this.#again(offset, end)
    if (this.#sent !== null && end <= this.#sent) return
    this.#sent = end
    if (this.#timed.length < UNDER_WAY) this.#timed.push({ end, ns, ambiguous: false })
  }

  #again(offset: number, end: number): void {
    let previous: number | null = null
    for (const timed of this.#timed) {
      const beginsBeforeEnd: boolean = previous === null || end > previous
      previous = timed.end
      if (beginsBeforeEnd && timed.end > offset) timed.ambiguous = true
    }
  }

  /** The receiver acknowledged what lies before `ack`: a sample in nanoseconds, or null. */
  answered(ack: number, ns: number): number | null {
    let newest: Timed | undefined
    while (this.#timed[0] !== undefined && this.#timed[0].end <= ack) newest = this.#timed.shift()
    return newest === undefined || newest.ambiguous || ns < newest.ns ? null : ns - newest.ns
  }
}
