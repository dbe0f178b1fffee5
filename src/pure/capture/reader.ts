/**
 * Packets in a block: fills a block from an input and walks the records in it. Mirrors `core::capture::BlockReader`.
 *
 * Each filling may use another block: a record cut at a block's end is carried over to the next block's head, so every
 * packet lies in one piece in exactly one block.
 */
import { truncatedError } from '../error.js'
import type { Container } from './container.js'
import { CaptureFacts } from './info.js'
import { Filled, type Input } from './input.js'
import type { Packet } from './packet.js'
import { sniff, unknownFormat } from './sniff.js'
import { PacketTotals } from './totals.js'

const NOTHING = new Uint8Array(0)

/** Walks one capture, block by block. */
export class BlockReader {
  readonly totals = new PacketTotals()
  #container: Container | null
  /** The cut record at the end of the last block. */
  #carry: Uint8Array = NOTHING
  /** Octets of the input before the block's first unread one. */
  #inputOffset = 0
  /** First unread octet of the block. */
  #position = 0
  /** End of what is filled in the block. */
  #filled = 0
  /** Octets still to be thrown away. */
  #discard = 0
  /** Packets without a time so far. */
  #untimed = 0
  /** What was carried over may hold whole records. */
  #leftEarly = false
  /** The input failed after it had given octets: said once those are read. */
  #failed: unknown

  /** @param container the format's reader, where it isn't to be found by the first octets */
  constructor(container: Container | null = null) {
    this.#container = container
  }

  /** What the capture has said about itself so far. */
  get info(): CaptureFacts {
    return this.#container?.info ?? new CaptureFacts('')
  }

  /**
   * Sets `packet` to the next one in `block`, which must be the one that was filled last. False: the block holds no
   * further whole record; release it and fill another.
   *
   * @throws what keeps the capture from being read on; the packets found before stay good
   */
  next(block: Uint8Array, packet: Packet): boolean {
    for (;;) {
      if (this.#discard > 0 && !this.#skip()) return false
      const container = this.#container ?? this.#sniff(block)
      if (container === null) return false
      const octets = container.step(block, this.#position, this.#filled, this.#inputOffset, packet)
      if (octets > 0) {
        this.#position += octets
        this.#inputOffset += octets
        this.#count(packet)
        return true
      }
      if (octets === 0) return false
      this.#discard = -octets
    }
  }

  #sniff(block: Uint8Array): Container | null {
    this.#container = sniff(block, this.#position, this.#filled, this.#inputOffset)
    return this.#container
  }

  #count(packet: Packet): void {
    const { totals } = this
    totals.packets += 1
    totals.capturedBytes += packet.end - packet.start
    totals.wireBytes += packet.wireLen
    packet.number = totals.packets
    if (packet.second !== 0 || packet.nanosecond !== 0 || this.#isTimed()) totals.time(packet.second, packet.nanosecond)
  }

  /** Whether the packet just found, whose time is 0, really has that time. */
  #isTimed(): boolean {
    const { untimedPackets } = this.info
    const isTimed = untimedPackets === this.#untimed
    this.#untimed = untimedPackets
    return isTimed
  }

  /** Throws away what is to be discarded, as far as it is there. True when all is gone. */
  #skip(): boolean {
    const octets = Math.min(this.#discard, this.#filled - this.#position)
    this.#position += octets
    this.#inputOffset += octets
    this.#discard -= octets
    return this.#discard === 0
  }

  /** Takes leave of `block`: what is unread in it is kept, so that another block may be filled next. */
  release(block: Uint8Array): void {
    if (this.#position < this.#filled) this.#carry = block.slice(this.#position, this.#filled)
    this.#position = 0
    this.#filled = 0
  }

  /** Takes leave of `block` before its end: the records not walked yet are carried over too. */
  leave(block: Uint8Array): void {
    this.release(block)
    this.#leftEarly = true
  }

  /**
   * Fills `block` from `input` after the block before was released. How many octets are in it now, or one of
   * {@link Filled}. At the end, ask {@link BlockReader.finish} whether the capture is whole.
   *
   * @throws what the input throws
   */
  fill(block: Uint8Array, input: Input): number {
    if (!this.#leftEarly && this.#failed !== undefined) {
      const error = this.#failed
      this.#failed = undefined
      throw error
    }
    const kept = this.#carry.length
    block.set(this.#carry)
    let end = kept
    let last: number = Filled.End
    while (end < block.length && this.#failed === undefined) {
      try {
        last = input.fill(block, end)
      } catch (error) {
        // What came before counts.
        if (end === kept && !this.#leftEarly) throw error
        this.#failed = error
        break
      }
      if (last <= 0) break
      end += last
    }
    const leftEarly = this.#leftEarly
    this.#leftEarly = false
    // What was carried over may be walked even where the input has no more.
    if (end === kept && !leftEarly) return last
    this.#carry = NOTHING
    this.#filled = end
    return end
  }

  /**
   * Judges what is left over at the end of the input.
   *
   * @throws where a structure is cut
   */
  finish(): void {
    const rest = this.#carry
    if (this.#container === null) throw unknownFormat(rest, this.#inputOffset)
    this.#container.finish(rest, this.#inputOffset)
    if (this.#discard > 0) throw truncatedError('a block', this.#inputOffset, this.#discard, 0)
  }
}
