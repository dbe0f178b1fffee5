/** What a stream tells its owner. Mirrors `core::stream::sink`. */

/**
 * Receives a stream's octets and findings. `inOrder`, `released` and `gap` come in stream order without hole or overlap:
 * each begins where the one before ended. `conflict` comes when it is found, whatever its offset. Octets are lent for
 * the time of the call.
 */
export interface Sink {
  /** `length` octets of the segment that was just pushed lie at stream offset `offset`; in its octets, at `at`. */
  inOrder(offset: number, at: number, length: number): void
  /** Octets that had waited (or a copy of them) lie at stream offset `offset`. */
  released(offset: number, bytes: Uint8Array, at: number, length: number): void
  /** `length` octets at `offset` are missing for good. */
  gap(offset: number, length: number): void
  /**
   * Two versions of the `length` octets at `offset`, from the first to the last octet that differs. What is kept is in
   * the stream or stays waiting.
   */
  conflict(offset: number, kept: Uint8Array, keptAt: number, other: Uint8Array, otherAt: number, length: number): void
}
