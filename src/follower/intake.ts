/**
 * What was fed and is still to be read: packets and captures in, in order; sources for one run of a stream engine out.
 *
 * Packets that come one after another share one `PacketFeed`; a capture between them ends it. All is read when the engine
 * asks for what isn't there yet: that is how it is known, without waiting or asking, that every packet was walked.
 */
import { PacketFeed, type FedPacket } from '../packet-feed.js'
import { sourceName, type CaptureSource } from '../source.js'

/** A queue of sources. */
export class Intake {
  readonly #maxQueuedBytes: number
  readonly #sources: CaptureSource[] = []
  /** Takes packets, until a capture comes. */
  #feed: PacketFeed | undefined
  /** Gives the engine its next source; undefined while it reads one. */
  #give: ((source: CaptureSource | undefined) => void) | undefined
  #count = 0
  #hasEnded = false

  constructor(maxQueuedBytes: number) {
    this.#maxQueuedBytes = maxQueuedBytes
  }

  /** No more is taken. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** The engine was given all there is and asked for more. */
  get isRead(): boolean {
    if (this.#sources.length > 0) return false
    return this.#give !== undefined || this.#feed?.isAwaited === true
  }

  /** Packets and captures taken so far. */
  get count(): number {
    return this.#count
  }

  /** For the engine: the next source, once there is one; undefined after `end`. */
  more(): Promise<CaptureSource | undefined> {
    const source = this.#sources.shift()
    if (source !== undefined || this.#hasEnded) return Promise.resolve(source)
    return new Promise(resolve => (this.#give = resolve))
  }

  /** The engine reads the packets that were pushed last: it comes to its end by itself. */
  get isFeeding(): boolean {
    return this.#feed !== undefined && !this.#sources.includes(this.#feed)
  }

  /**
   * Takes a capture.
   *
   * @throws {@link OptionError} where it can't be one
   */
  add(source: CaptureSource): void {
    sourceName(source)
    this.#count++
    this.#feed?.end()
    this.#feed = undefined
    this.#put(source)
  }

  /** Takes a packet, where there is room for it. */
  tryPush(packet: FedPacket): boolean {
    if (!this.#feed) this.#put((this.#feed = new PacketFeed({ maxQueuedBytes: this.#maxQueuedBytes })))
    const isTaken = this.#feed.push(packet)
    if (isTaken) this.#count++
    return isTaken
  }

  /** Takes a packet; a promise where it must wait for room. */
  push(packet: FedPacket): Promise<void> | undefined {
    return this.tryPush(packet) ? undefined : this.#pushLater(packet)
  }

  async #pushLater(packet: FedPacket): Promise<void> {
    do await this.#feed!.drained()
    while (!this.tryPush(packet))
  }

  /** No more will come. May be called again. */
  end(): void {
    this.#hasEnded = true
    this.#feed?.end()
    this.#give?.(undefined)
    this.#give = undefined
  }

  #put(source: CaptureSource): void {
    if (!this.#give) this.#sources.push(source)
    else {
      this.#give(source)
      this.#give = undefined
    }
  }
}
