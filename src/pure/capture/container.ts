/** What a capture format's reader is: a state machine that is fed with octets and never reads by itself. */
import type { CaptureFacts } from './info.js'
import type { Packet } from './packet.js'

/** A capture format's reader. */
export interface Container {
  /** What the capture has said about itself so far. */
  readonly info: CaptureFacts
  /**
   * What lies at `at` in `bytes`, which are filled up to `end`; it is `offset` octets into the (decompressed) input.
   * More than 0: `packet` was filled (but for its number), and its record has so many octets. 0: more octets must be
   * there. Less than 0: so many octets carry no packet; they may reach beyond what is there.
   *
   * @throws what keeps the capture from being read on
   */
  step(bytes: Uint8Array, at: number, end: number, offset: number, packet: Packet): number
  /**
   * Judges the octets left over at the end of the input.
   *
   * @throws where a structure is cut
   */
  finish(rest: Uint8Array, offset: number): void
}
