/**
 * The second half of a job that is done in several places: packets that were taken from captures elsewhere, as a source
 * for everything that reads captures. They keep their times, numbers and captures.
 */
import { fromNative, StateError } from '../errors.js'
import type { NativePacker } from '../binding/index.js'
import { nativePacker } from '../native/packer.js'
import { CAPTURE_NAMES, NEEDS_PAYLOAD } from '../source.js'
import { ArrowPackets, type ReadPackets } from './arrow.js'

/** What a {@link PartitionFeed} takes. */
export interface PartitionFeedOptions {
  /**
   * Times of the whole job's packets, in order, as surveys give them: so flows end when they would with all packets in
   * one place.
   * @defaultValue none: time goes by with the packets that are read
   */
  clockNs?: readonly bigint[]
  /**
   * `time`: packets must come by `order_ns`, capture and number, or reading fails: captures are merged by time.
   * `capture`: they come by capture and number, as captures are read one after another.
   * @defaultValue 'time'
   */
  order?: 'time' | 'capture'
}

/**
 * Packets as `tcpskein map` writes them (Arrow IPC), sorted, as a capture source for one
 * reader. Only the native engine reads it. Streams may follow each other. One of packets that were mapped without what they
 * carry (`payload: false`) gives flow records only: for streams, connections and the chain `dns` reading it fails with
 * `ERR_CAPTURE_FORMAT`.
 *
 * @example
 * for await (const flow of observe(new PartitionFeed(process.stdin), { chains: [basicChain()] })) console.log(flow.sip)
 */
export class PartitionFeed implements AsyncIterable<Uint8Array> {
  readonly #packets: ArrowPackets
  readonly #options: PartitionFeedOptions
  readonly #names: string[] = []
  #isRead = false

  /** @param stream octets of an Arrow IPC stream */
  constructor(stream: AsyncIterable<Uint8Array>, options: PartitionFeedOptions = {}) {
    this.#packets = new ArrowPackets(stream)
    this.#options = options
  }

  /** @internal Names of captures by number; one without a name has its number. */
  get [CAPTURE_NAMES](): readonly string[] {
    return this.#names
  }

  /** @internal Headers are not enough for what reads the feed. */
  [NEEDS_PAYLOAD](): void {
    this.#packets.needsPayload = true
  }

  /** For whatever reads the feed as a source. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    if (this.#isRead) throw new StateError('ERR_BUSY', 'a partition feed has one reader')
    this.#isRead = true
    const { clockNs = [], order = 'time' } = this.#options
    const packer = nativePacker(BigInt64Array.from(clockNs), order === 'time')
    let isBegun = false
    try {
      for await (const batch of this.#packets) {
        this.#nameUpTo(batch.capture)
        yield packed(packer, batch)
        isBegun = true
      }
    } catch (error) {
      // Otherwise what reads complains of an empty file, too.
      if (!isBegun) yield packer.end()
      throw error
    }
    yield packer.end()
  }

  #nameUpTo(captures: Int32Array): void {
    let most = -1
    for (const capture of captures) most = Math.max(most, capture)
    const { captures: names } = this.#packets
    for (let next = this.#names.length; next <= most; next++) this.#names.push(names[next] ?? String(next))
  }
}

function packed(packer: NativePacker, batch: ReadPackets): Uint8Array {
  try {
    return packer.pack(batch)
  } catch (error) {
    throw fromNative(error)
  }
}
