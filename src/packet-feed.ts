/**
 * `PacketFeed`: packets from elsewhere (a socket, another program, a test) as a source for everything that reads
 * captures. In come packets, one by one; out goes a pcapng stream in memory, so that no API needs a second way in.
 */
import { OptionError, StateError } from './errors.js'
import { concat } from './octets.js'
import { integer, knownNames } from './options.js'

/** A packet to be fed. */
export interface FedPacket {
  /** The octets from the link layer on, as far as they were captured; at most 262,144. They are copied. */
  readonly data: Uint8Array
  /**
   * What the octets begin with: a LINKTYPE number.
   * @defaultValue 1, Ethernet (101: an IP packet)
   */
  readonly linkType?: number
  /**
   * Nanoseconds since the Unix epoch.
   * @defaultValue now
   */
  readonly timestampNs?: bigint
  /**
   * Octets of the packet on the wire, where fewer were captured.
   * @defaultValue the length of `data`
   */
  readonly wireLength?: number
}

/** What a feed takes. */
export interface PacketFeedOptions {
  /**
   * Octets that wait to be read, at most. A single packet is taken into an empty queue whatever its length.
   * @defaultValue 4 MiB
   */
  maxQueuedBytes?: number
}

/** Longest packet that captures may hold. */
const MAX_PACKET = 262_144
/** Octets of an enhanced packet block besides the packet and its padding. */
const BLOCK_OVERHEAD = 32
const MAX_TIME = 2n ** 64n

/**
 * Packets from elsewhere as a capture source, in the order in which they are pushed. For one reader.
 *
 * @example
 * const feed = new PacketFeed()
 * socket.on('message', data => feed.push({ data, linkType: 101 }))
 * for await (const event of streamEvents(feed)) console.log(event.type)
 *
 * @example
 * // Where packets come faster than they are read, and none may be lost
 * for (const packet of packets) while (!feed.push(packet)) await feed.drained()
 * feed.end()
 */
export class PacketFeed implements AsyncIterable<Uint8Array> {
  readonly #limit: number
  /** Interface numbers by link type. */
  readonly #interfaces = new Map<number, number>()
  #queue: Uint8Array[] = [sectionHeader()]
  #queued = 0
  #state: 'open' | 'ended' | 'closed' = 'open'
  #isRead = false
  #wakeReader: (() => void) | undefined
  #wakeWriters: (() => void)[] = []

  constructor(options: PacketFeedOptions = {}) {
    knownNames(options, ['maxQueuedBytes'])
    this.#limit = integer('maxQueuedBytes', options.maxQueuedBytes, 4 * 2 ** 20, 1, 2 ** 31)
  }

  /** Nobody reads any more, or `end` was called: a `push` would throw. */
  get closed(): boolean {
    return this.#state !== 'open'
  }

  /** Octets that wait to be read. */
  get queuedBytes(): number {
    return this.#queued
  }

  /** @internal Its reader has taken all and waits for more. */
  get isAwaited(): boolean {
    return this.#wakeReader !== undefined
  }

  /**
   * Takes a packet.
   *
   * @returns false: the queue is full and the packet was not taken; see {@link PacketFeed.drained}
   * @throws {@link OptionError} where the packet can't be in a capture; {@link StateError} after `end`, or when the
   * reader has stopped
   */
  push(packet: FedPacket): boolean {
    this.#check()
    const { data, linkType = 1, timestampNs = now(), wireLength = data?.length } = packet
    if (!(data instanceof Uint8Array) || data.length > MAX_PACKET)
      throw new OptionError(`data: expected a Uint8Array of at most ${MAX_PACKET} octets`)
    integer('linkType', linkType, 1, 0, 0xffff)
    integer('wireLength', wireLength, data.length, data.length, 0xffff_ffff)
    if (typeof timestampNs !== 'bigint' || timestampNs < 0n || timestampNs >= MAX_TIME)
      throw new OptionError('timestampNs: expected a bigint, 0 or more')
    if (this.#queued > 0 && this.#queued + data.length + BLOCK_OVERHEAD > this.#limit) return false
    this.#add(packetBlock(data, this.#interface(linkType), timestampNs, wireLength))
    return true
  }

  /** Resolves when half of the queue is free, or the feed is closed. */
  drained(): Promise<void> {
    if (this.closed || this.#queued <= this.#limit / 2) return Promise.resolve()
    return new Promise(resolve => this.#wakeWriters.push(resolve))
  }

  /** No more packets will come. May be called again. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    this.#wakeAll()
  }

  /** For whatever reads the feed as a source. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#isRead) throw new StateError('ERR_BUSY', 'a packet feed has one reader')
    this.#isRead = true
    return {
      next: async () => {
        if (this.#queue.length === 0 && this.#state === 'open')
          await new Promise<void>(resolve => (this.#wakeReader = resolve))
        return this.#take()
      },
      return: () => {
        this.#close()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  #check(): void {
    if (this.#state === 'ended') throw new StateError('ERR_CLOSED', 'a packet was pushed after the end of its feed')
    if (this.#state === 'closed') throw new StateError('ERR_CLOSED', 'a packet was pushed and nobody reads its feed any more')
  }

  /** The number of the interface with this link type; new ones are announced in the stream. */
  #interface(linkType: number): number {
    let number = this.#interfaces.get(linkType)
    if (number === undefined) {
      number = this.#interfaces.size
      this.#interfaces.set(linkType, number)
      this.#add(interfaceBlock(linkType))
    }
    return number
  }

  #add(block: Uint8Array): void {
    this.#queue.push(block)
    this.#queued += block.length
    this.#wakeReader?.()
    this.#wakeReader = undefined
  }

  /** All that waits, in one piece. */
  #take(): IteratorResult<Uint8Array, undefined> {
    if (this.#queue.length === 0 || this.#state === 'closed') return { done: true, value: undefined }
    const value = this.#queue.length === 1 ? this.#queue[0]! : concat(this.#queue)
    this.#queue = []
    this.#queued = 0
    this.#wakeAll()
    return { done: false, value }
  }

  #close(): void {
    this.#state = 'closed'
    this.#queue = []
    this.#queued = 0
    this.#wakeAll()
  }

  #wakeAll(): void {
    this.#wakeReader?.()
    this.#wakeReader = undefined
    for (const wake of this.#wakeWriters.splice(0)) wake()
  }
}

/** Wall-clock time as far as this process knows it. */
function now(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n
}

/** A pcapng block of `length` octets (draft-ietf-opsawg-pcapng section 3.1), and where its body begins. */
function block(type: number, length: number): DataView {
  const view = new DataView(new ArrayBuffer(length))
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  view.setUint32(length - 4, length, true)
  return view
}

const octets = (view: DataView): Uint8Array => new Uint8Array(view.buffer)

/** Section 4.1: little-endian, version 1.0, length unknown. */
function sectionHeader(): Uint8Array {
  const view = block(0x0a0d_0d0a, 28)
  view.setUint32(8, 0x1a2b_3c4d, true)
  view.setUint16(12, 1, true)
  view.setBigInt64(16, -1n, true)
  return octets(view)
}

/** Section 4.2: no limit on lengths, times in nanoseconds (option 9, if_tsresol). */
function interfaceBlock(linkType: number): Uint8Array {
  const view = block(1, 32)
  view.setUint16(8, linkType, true)
  view.setUint16(16, 9, true)
  view.setUint16(18, 1, true)
  view.setUint8(20, 9)
  return octets(view)
}

/** Section 4.3: the enhanced packet block. */
function packetBlock(data: Uint8Array, number: number, timestampNs: bigint, wireLength: number): Uint8Array {
  const view = block(6, BLOCK_OVERHEAD + Math.ceil(data.length / 4) * 4)
  view.setUint32(8, number, true)
  view.setUint32(12, Number(timestampNs >> 32n), true)
  view.setUint32(16, Number(timestampNs & 0xffff_ffffn), true)
  view.setUint32(20, data.length, true)
  view.setUint32(24, wireLength, true)
  octets(view).set(data, 28)
  return octets(view)
}
