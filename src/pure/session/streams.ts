/** Captures in, stream events and connection records out. Mirrors `core::session::streams`. */
import { Status, type StreamEngineOptions } from '../../engine.js'
import { MIN_BLOCK_LEN } from '../capture/limits.js'
import { Packet } from '../capture/packet.js'
import type { CaptureLog } from '../capture/report.js'
import { Decoder } from '../decode/decoder.js'
import { Drop } from '../decode/drop.js'
import { TCP } from '../decode/proto.js'
import { Segment } from '../decode/segment.js'
import { compile } from '../filter/filter.js'
import type { Host } from '../host.js'
import { spanOf } from '../span.js'
import { POLICIES } from '../stream/policy.js'
import { BLOCK_LENGTH, describeEvents } from './events.js'
import { Feed, FeedFilled } from './feed.js'
import { WAITING, type Buffers, type Session, type Source } from './session.js'
import { Stats } from './stats.js'
import { Tracker } from './tracker.js'

/** Octets of the block that captures are read into. */
const READ_LENGTH = 2 * MIN_BLOCK_LEN
/** Blocks of the capture that one call walks at most, so that other work has its turn. */
const BLOCKS_PER_CALL = 4

/** Reads captures and hands out stream events. */
export class StreamSession implements Session {
  readonly #feed: Feed
  readonly #decoder: Decoder
  readonly #tracker: Tracker
  readonly #ignoreEncap: boolean
  readonly #packets: boolean
  readonly #block = new Uint8Array(READ_LENGTH)
  readonly #packet = new Packet()
  readonly #segment = new Segment()
  readonly #stats = new Stats()
  #isInBlock = false
  #isFinished = false

  /** A session without a capture yet. */
  constructor(options: StreamEngineOptions, host: Host) {
    this.#feed = new Feed(host, compile(options.filter))
    this.#decoder = new Decoder(options.decode)
    this.#ignoreEncap = options.decode.ignoreEncap
    this.#packets = options.packets
    const [patienceSecond, patienceNanosecond] = spanOf(options.gapPatience)
    this.#tracker = new Tracker({
      streams: {
        directionOctets: options.maxDirectionBytes,
        totalOctets: options.maxWaitingBytes,
        historyOctets: options.conflictWindow,
        patienceSecond,
        patienceNanosecond,
        newWins: POLICIES[options.policy]!,
        acked: options.acked,
      },
      connections: {
        connections: options.maxConnections,
        idle: spanOf(options.idleTimeout),
        linger: spanOf(options.linger),
      },
      events: options.events,
      packets: options.packets,
      frames: options.frames,
      bare: options.bare,
      join: options.join,
      beginHash: options.sha256 ? host.beginSha256 : null,
      maxGaps: options.maxGaps,
    })
  }

  describe(): string {
    return describeEvents(this.#packets)
  }

  blockLength(): number {
    return BLOCK_LENGTH
  }

  open(source: Source, name: string): void {
    this.#feed.open(source, name)
    this.#isInBlock = false
  }

  next({ batch, block }: Buffers): number {
    const { writer } = this.#tracker
    writer.begin(batch, block)
    this.#tracker.drain()
    const status = this.#advance()
    this.#count()
    this.#stats.write(batch)
    return writer.rows * 8 + status
  }

  #advance(): number {
    if (this.#tracker.writer.isSpilling) return Status.More
    if (this.#isFinished) return this.#tracker.flush() ? Status.Done : Status.More
    return this.#read()
  }

  /** Reads and walks what one call may. */
  #read(): number {
    for (let blocks = 0; blocks < BLOCKS_PER_CALL; blocks++) {
      if (this.#isInBlock) this.#isInBlock = !this.#walk()
      if (this.#tracker.writer.isSpilling) return Status.More
      if (this.#feed.failed()) return Status.SourceFailed
      const filled = this.#feed.fill(this.#block)
      if (filled === FeedFilled.NeedInput) return Status.NeedInput
      if (filled === FeedFilled.Waiting) return WAITING
      if (filled === FeedFilled.End) return this.#feed.failed() ? Status.SourceFailed : Status.SourceEnd
      this.#isInBlock = true
    }
    return Status.More
  }

  /** Walks the packets of the block until it is done or events had to wait. True: the block is done. */
  #walk(): boolean {
    const { writer } = this.#tracker
    const block = this.#block
    while (this.#feed.next(block, this.#packet)) {
      this.#take(block)
      if (writer.isSpilling) return false
    }
    return true
  }

  #take(block: Uint8Array): void {
    const packet = this.#packet
    const stats = this.#stats
    const { datagram } = this.#decoder
    stats.packets += 1
    stats.capturedBytes += packet.end - packet.start
    this.#tracker.advance(packet)
    const dropped = this.#decoder.decode(packet, block)
    if (dropped !== Drop.None) {
      if (dropped === Drop.Fragment) this.#tracker.fragment(packet, block, this.#decoder.lastDatagram)
      return stats.countDrop(dropped)
    }
    if (datagram.proto !== TCP) return
    const segment = this.#segment
    if (!segment.parse(datagram)) {
      stats.badSegments += 1
      return
    }
    if (!datagram.reassembled) clipToWire(segment, packet.wireLen - (datagram.upper + segment.headerLen - packet.start))
    const encap = this.#ignoreEncap ? 0 : datagram.outer
    this.#tracker.segment(packet, block, datagram, segment, encap, this.#feed.capture)
  }

  #count(): void {
    const stats = this.#stats
    const { arena, table } = this.#tracker
    const { totals } = arena
    this.#feed.count(stats)
    stats.countDecoder(this.#decoder)
    stats.flows = table.opened
    stats.evicted = table.evicted
    stats.openFlows = table.keys.size
    stats.limitGaps = totals.directionLimitHits + totals.totalLimitHits
    stats.wildSegments = totals.wildSegments
    stats.keepAlives = totals.keepAlives
  }

  ready(): Promise<void> {
    return this.#feed.ready()
  }

  wanted(): number {
    return this.#feed.wanted()
  }

  /** There is nothing to be flushed before the end. */
  flush(): void {}

  unwant(slot: number, id: number): void {
    this.#tracker.unwant(slot, id)
  }

  finish(): void {
    this.#tracker.table.flush()
    this.#isFinished = true
  }

  takeError(): Error | undefined {
    return this.#feed.takeError()
  }

  captures(): CaptureLog {
    return this.#feed.captures
  }

  close(): void {
    this.#feed.close()
  }
}

/**
 * Octets that an IP header claims beyond the end of its packet were never on the wire, whatever was captured: a receiver
 * drops such a packet, and nothing but the claim speaks for them.
 */
function clipToWire(segment: Segment, room: number): void {
  if (room < segment.payloadLen) segment.payloadLen = Math.max(0, room, segment.payloadCaptured)
}
