/** What a stream tells its owner. Mirrors `core::stream::sink`. */

/**
 * Receives a stream's octets and findings. `data` and `gap` come in stream order without hole or overlap: each begins
 * where the one before ended. `conflict` comes when it is found, whatever its offset. Octets are lent for the time of the
 * call.
 */
export interface Sink {
  /** These octets lie at stream offset `offset`. */
  data(offset: number, octets: Uint8Array): void
  /** `length` octets at `offset` are missing for good. */
  gap(offset: number, length: number): void
  /**
   * Two versions of the octets at `offset`, equally long: from the first to the last octet that differs. `kept` is in the
   * stream or stays waiting.
   */
  conflict(offset: number, kept: Uint8Array, other: Uint8Array): void
}
