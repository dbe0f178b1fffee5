/** What the first SYN of a direction said. Mirrors `core::connection::SynInfo`. */
import type { Segment } from '../decode/segment.js'

/** An option that wasn't there. */
export const ABSENT = -1

const [EOL, NOP, MSS, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS] = [0, 1, 2, 3, 4, 8] as const
/** Most octets of options that a TCP header can have. */
const MAX_OPTIONS = 40

/** One SYN. The object is used again for another connection. */
export class SynInfo {
  /** There was one. */
  isSeen = false
  /** Flags octet. */
  flags = 0
  /** Initial sequence number, as a signed 32-bit integer. */
  isn = 0
  /** Maximum segment size (RFC 9293 section 3.7.1), octets. */
  mss = ABSENT
  /** Window scale as it stands in the option (RFC 7323 section 2.2). */
  windowScale = ABSENT
  /** SACK permitted (RFC 2018). */
  sackPermitted = false
  /** Timestamps (RFC 7323 section 3.2). */
  timestamps = false

  /** Forgets all. */
  clear(): void {
    this.isSeen = false
    this.mss = this.windowScale = ABSENT
    this.sackPermitted = this.timestamps = false
  }

  /** Takes in the first SYN. */
  take(segment: Segment): void {
    this.isSeen = true
    this.flags = segment.flags & 0xff
    this.isn = segment.seq | 0
    const end = segment.options + Math.min(segment.optionsCaptured, MAX_OPTIONS)
    const { bytes } = segment
    for (let at = segment.options; at < end && bytes[at] !== EOL; ) {
      if (bytes[at] === NOP) {
        at++
        continue
      }
      const length = at + 1 < end ? bytes[at + 1]! : 0
      // RFC 9293 section 3.2: the length counts kind and length themselves.
      if (length < 2 || at + length > end) return
      this.#option(bytes, at, length)
      at += length
    }
  }

  /** Notes an option, unless its length is impossible for its kind; the first one counts. */
  #option(bytes: Uint8Array, at: number, length: number): void {
    const kind = bytes[at]!
    if (kind === MSS && length === 4 && this.mss === ABSENT) this.mss = bytes[at + 2]! * 256 + bytes[at + 3]!
    else if (kind === WINDOW_SCALE && length === 3 && this.windowScale === ABSENT) this.windowScale = bytes[at + 2]!
    else if (kind === SACK_PERMITTED && length === 2) this.sackPermitted = true
    else if (kind === TIMESTAMPS && length === 10) this.timestamps = true
  }

  /** The shift that the option asks for (RFC 7323 section 2.3: at most 14). */
  get shift(): number {
    return this.windowScale === ABSENT ? 0 : Math.min(this.windowScale, 14)
  }
}
