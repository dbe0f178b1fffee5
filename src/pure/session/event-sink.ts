/** Turns what a stream tells into events, hashes and lists of gaps. Mirrors `core::session::streams::EventSink`. */
import type { BeginHash, Hash } from '../sha256.js'
import type { Sink } from '../stream/sink.js'
import type { CloseExtra, EventWriter } from './events.js'

/** What a connection needs beside its slot. */
class Extra {
  /** Offset and length in turn, of each direction. */
  readonly gaps: [number[], number[]] = [[], []]
  /** Of each direction, from its first octet on. */
  readonly hashes: [Hash | null, Hash | null] = [null, null]
}

const NO_GAPS = [[], []] as const

/** Hears all streams of a session, one at a time: say whose it is before each. */
export class EventSink implements Sink {
  readonly #writer: EventWriter
  readonly #beginHash: BeginHash | null
  readonly #maxGaps: number
  readonly #bare: boolean
  /** By slot, where a connection has gaps or hashes. */
  readonly #extras: (Extra | undefined)[] = []
  /** What the connection at hand has. */
  #extra: Extra | undefined
  /** Events of it are asked for. */
  #givesEvents = false
  /** The digest of a direction without octets. */
  readonly #emptyDigest: Uint8Array | null

  /**
   * @param beginHash begins the hash of a direction, where one is asked for
   * @param bare events of data have no octets, only their length
   */
  constructor(writer: EventWriter, beginHash: BeginHash | null, maxGaps: number, bare: boolean) {
    this.#writer = writer
    this.#beginHash = beginHash
    this.#maxGaps = maxGaps
    this.#bare = bare
    this.#emptyDigest = beginHash === null ? null : beginHash().digest()
  }

  /** A connection began. */
  open(slot: number): void {
    this.#extras[slot] = undefined
  }

  /** What comes now is of that connection. */
  hear(slot: number, givesEvents: boolean): void {
    this.#writer.head.slot = slot
    this.#extra = this.#extras[slot]
    this.#givesEvents = givesEvents
  }

  /** What its record has besides its columns; the connection ended. */
  end(slot: number): CloseExtra {
    const extra = this.#extras[slot]
    this.#extras[slot] = this.#extra = undefined
    const empty = this.#emptyDigest
    const hashes = extra?.hashes
    return {
      gaps: extra?.gaps ?? NO_GAPS,
      sha256: empty === null ? null : [hashes?.[0]?.digest() ?? empty, hashes?.[1]?.digest() ?? empty],
    }
  }

  data(offset: number, octets: Uint8Array): void {
    if (this.#beginHash !== null) this.#hash(this.#beginHash, octets)
    if (!this.#givesEvents) return
    if (this.#bare) this.#writer.bareData(offset, octets.length)
    else this.#writer.data(offset, octets)
  }

  #hash(begin: BeginHash, octets: Uint8Array): void {
    const { slot, direction } = this.#writer.head
    const { hashes } = (this.#extra ??= this.#extras[slot] ??= new Extra())
    ;(hashes[direction as 0 | 1] ??= begin()).update(octets)
  }

  gap(offset: number, length: number): void {
    this.#noteGap(offset, length)
    if (this.#givesEvents) this.#writer.gap(offset, length)
  }

  conflict(offset: number, kept: Uint8Array, other: Uint8Array): void {
    if (this.#givesEvents) this.#writer.conflict(offset, kept, other)
  }

  /** Adds a gap to the list, or makes the last one longer. */
  #noteGap(offset: number, length: number): void {
    const { slot, direction } = this.#writer.head
    const extra = (this.#extra ??= this.#extras[slot] ??= new Extra())
    const gaps = extra.gaps[direction as 0 | 1]
    const last = gaps.length - 2
    const end = last < 0 ? -1 : gaps[last]! + gaps[last + 1]!
    if (end === offset) gaps[last + 1]! += length
    else if (gaps.length < 2 * this.#maxGaps) gaps.push(offset, length)
  }
}
