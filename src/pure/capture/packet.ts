/** One packet in a block: the object is made once and filled again for each packet. Mirrors `core::capture::Packet`. */

/** One packet; its octets are `block[start]` to `block[end - 1]`. */
export class Packet {
  /** Number in the capture, from 1. */
  number = 0
  /** Capture time: whole seconds since the Unix epoch, rounded down; 0 where the record carries no time. */
  second = 0
  /** The rest of the time in nanoseconds, 0 to 999,999,999. */
  nanosecond = 0
  /** Where its octets begin in the block. */
  start = 0
  /** Where they end. */
  end = 0
  /** Octets on the wire, never fewer than were captured. */
  wireLen = 0
  /** Link-layer header type. */
  link = 0
  /** Interface number in the file, through all its sections; 0 where the format has none. */
  interface = 0

  /** Octets captured. */
  get capturedLen(): number {
    return this.end - this.start
  }
}
