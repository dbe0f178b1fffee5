/** What a capture's packets come to. Mirrors `core::capture::PacketTotals`. */
import { nanoseconds } from '../time.js'

/** Sums over the packets of one capture. */
export class PacketTotals {
  packets = 0
  capturedBytes = 0
  wireBytes = 0
  /** No packet is earlier than the one before it. Packets without a time don't matter. */
  inOrder = true
  #firstSecond = Infinity
  #firstNanosecond = 0
  #lastSecond = -Infinity
  #lastNanosecond = 0
  #previousSecond = -Infinity
  #previousNanosecond = 0

  /** Takes in a packet's time. */
  time(second: number, nanosecond: number): void {
    if (isBefore(second, nanosecond, this.#firstSecond, this.#firstNanosecond)) {
      this.#firstSecond = second
      this.#firstNanosecond = nanosecond
    }
    if (!isBefore(second, nanosecond, this.#lastSecond, this.#lastNanosecond)) {
      this.#lastSecond = second
      this.#lastNanosecond = nanosecond
    }
    if (isBefore(second, nanosecond, this.#previousSecond, this.#previousNanosecond)) this.inOrder = false
    this.#previousSecond = second
    this.#previousNanosecond = nanosecond
  }

  /** The earliest and the latest time, nanoseconds since the Unix epoch; null where no packet has a time. */
  span(): readonly [first: bigint, last: bigint] | null {
    if (this.#firstSecond === Infinity) return null
    return [
      nanoseconds(this.#firstSecond, this.#firstNanosecond),
      nanoseconds(this.#lastSecond, this.#lastNanosecond),
    ]
  }
}

function isBefore(second: number, nanosecond: number, otherSecond: number, otherNanosecond: number): boolean {
  return second < otherSecond || (second === otherSecond && nanosecond < otherNanosecond)
}
