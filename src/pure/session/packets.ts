/**
 * Captures in, packets out: where each lies in the caller's block, and which flow key it has. Mirrors
 * `core::session::packets`, whose columns these are.
 *
 * The caller lends a block with each batch; the capture is read straight into it, and the columns say where headers
 * begin. The block and its batch belong together until the caller lends them again.
 */
import { Status } from '../../engine.js'
import { InternalError } from '../../errors.js'
import { MOVES_CLOCK, NO_KEY, Upper } from '../../packet/columns.js'
import type { PacketEngineOptions } from '../../engine.js'
import { Layout, type Column } from '../batch.js'
import { MIN_BLOCK_LEN } from '../capture/limits.js'
import { Packet } from '../capture/packet.js'
import type { CaptureLog } from '../capture/report.js'
import { Fragment, type Datagram } from '../decode/datagram.js'
import { Decoder } from '../decode/decoder.js'
import { Drop } from '../decode/drop.js'
import { LAYER_NAMES, NO_ID } from '../decode/encap.js'
import { ICMP, ICMPV6, TCP, UDP } from '../decode/proto.js'
import { isSegment } from '../decode/segment.js'
import { compile } from '../filter/filter.js'
import { FROM_FIRST, Identity, KEY_WORDS, QUOTED } from '../flow/key.js'
import type { Host } from '../host.js'
import { Feed, FeedFilled } from './feed.js'
import { KeyTable } from './keys.js'
import { PacketRows } from './packet-rows.js'
import { WAITING, type Buffers, type Session, type Source } from './session.js'
import { STAT_NAMES, Stats } from './stats.js'

const COLUMNS: readonly Column[] = [
  { name: 'key', kind: 'u32' },
  { name: 'meta', kind: 'u32' },
  { name: 'number', kind: 'u64' },
  { name: 'capture', kind: 'u32' },
  { name: 'ts_ns', kind: 'i64' },
  { name: 'second', kind: 'f64' },
  { name: 'nanosecond', kind: 'u32' },
  { name: 'ip', kind: 'u32' },
  { name: 'ip_len', kind: 'u32' },
  { name: 'ip_captured', kind: 'u32' },
  { name: 'upper', kind: 'u32' },
  { name: 'upper_len', kind: 'u32' },
  { name: 'upper_captured', kind: 'u32' },
  { name: 'packets', kind: 'u32' },
  { name: 'octets', kind: 'u32' },
  { name: 'head', kind: 'addr' },
  { name: 'vlan', kind: 'u16', nullable: true },
  { name: 'tunnel', kind: 'word', nullable: true, words: LAYER_NAMES },
  { name: 'tunnel_id', kind: 'u32', nullable: true },
]

/** Where frames are asked for, these stand behind them. */
const FRAME_COLUMNS: readonly Column[] = [
  { name: 'frame', kind: 'u32' },
  { name: 'frame_captured', kind: 'u32' },
  { name: 'frame_len', kind: 'u32' },
  { name: 'link', kind: 'u16' },
  { name: 'snaplen', kind: 'u32' },
]

/** Rows of a batch. */
const MAX_ROWS = 16_384
/** Octets of a block that packets are read into. */
const READ_LEN = 2 * MIN_BLOCK_LEN
/** Room behind them for reassembled datagrams, which lie nowhere in the capture in one piece. */
const TAIL_LEN = 256 * 1024
/** Most octets that one of them takes: its IP header's packet and its upper layer. */
const MOST_IN_TAIL = 2 * 65_536
const BLOCK_LEN = READ_LEN + TAIL_LEN

/** Reads captures and hands out packets as columns over the caller's blocks. */
export class PacketSession implements Session {
  readonly #layout: Layout
  readonly #aggregate: boolean
  readonly #feed: Feed
  readonly #decoder: Decoder
  readonly #keys = new KeyTable(KEY_WORDS)
  readonly #identity = new Identity(this.#keys.key)
  readonly #packet = new Packet()
  readonly #stats = new Stats()
  /** The rows of the two batches that the caller lends in turn. */
  readonly #rows = new WeakMap<ArrayBufferLike, PacketRows>()
  /** Number of the batch being filled, from 1. */
  #batch = 0
  /** The latest second that the consumer's clock knows of. */
  #second = -Infinity
  /** Octets used of the tail. */
  #tail = 0
  #finished = false
  #error: Error | undefined

  /** A session without a capture yet. */
  constructor(options: PacketEngineOptions, host: Host) {
    this.#layout = new Layout(STAT_NAMES, options.frames === true ? [...COLUMNS, ...FRAME_COLUMNS] : COLUMNS, MAX_ROWS)
    this.#aggregate = options.aggregate
    this.#feed = new Feed(host, compile(options.filter))
    this.#decoder = new Decoder(options.decode)
  }

  describe(): string {
    return this.#layout.describe()
  }

  blockLength(): number {
    return BLOCK_LEN
  }

  open(source: Source, name: string): void {
    this.#feed.open(source, name)
  }

  /** `givenBack` begins with the number of batches that the caller has walked; keys that it needs no more follow. */
  next({ batch, block, givenBack }: Buffers): number {
    this.#batch += 1
    if (givenBack.length > 0) this.#keys.release(givenBack)
    const answer = this.#answer(batch, block)
    this.#feed.count(this.#stats)
    this.#stats.countDecoder(this.#decoder)
    this.#stats.write(batch)
    return answer
  }

  #answer(batch: Uint8Array, block: Uint8Array): number {
    if (this.#finished) return Status.Done
    if (block.length < BLOCK_LEN) {
      this.#error = new InternalError('internal error (please report it): the block is too small or detached')
      return Status.SourceFailed
    }
    return this.#read(this.#rowsOf(batch), block)
  }

  #rowsOf(batch: Uint8Array): PacketRows {
    let rows = this.#rows.get(batch.buffer)
    if (rows === undefined) this.#rows.set(batch.buffer, (rows = new PacketRows(this.#layout, batch)))
    return rows
  }

  #read(rows: PacketRows, block: Uint8Array): number {
    const feed = this.#feed
    if (feed.failed()) return Status.SourceFailed
    switch (feed.fill(block.subarray(0, READ_LEN))) {
      case FeedFilled.Ready: {
        const count = this.#walk(rows, block)
        return count * 8 + (feed.failed() ? Status.SourceFailed : Status.More)
      }
      case FeedFilled.NeedInput:
        return Status.NeedInput
      case FeedFilled.Waiting:
        return WAITING
      default:
        return feed.failed() ? Status.SourceFailed : Status.SourceEnd
    }
  }

  /** Walks the block until it is done or the batch or the tail is full; the number of rows. */
  #walk(rows: PacketRows, block: Uint8Array): number {
    const feed = this.#feed
    const packet = this.#packet
    this.#tail = READ_LEN
    let row = 0
    while (row < MAX_ROWS && this.#tail + MOST_IN_TAIL <= BLOCK_LEN) {
      if (!feed.next(block, packet)) return row
      row += this.#take(rows, row, packet, block)
    }
    feed.leave(block)
    return row
  }

  /** Writes the packet's row, where it has one; rows written. */
  #take(rows: PacketRows, row: number, packet: Packet, block: Uint8Array): number {
    const stats = this.#stats
    stats.packets += 1
    stats.capturedBytes += packet.end - packet.start
    const second = packet.nanosecond === 0 ? packet.second : packet.second + 1
    const movesClock = second > this.#second
    if (movesClock) this.#second = second
    const decoder = this.#decoder
    const drop = decoder.decode(packet, block)
    if (drop !== Drop.None) stats.countDrop(drop)
    else {
      const { datagram } = decoder
      const bits = this.#aggregate ? this.#identity.aggregate() : this.#identity.of(datagram, decoder.keyEncap)
      if (bits >= 0) {
        this.#write(rows, row, packet, datagram, movesClock ? bits | MOVES_CLOCK : bits, block)
        return 1
      }
      stats.shortKey += 1
    }
    if (!movesClock) return 0
    this.#writeTime(rows, row, packet)
    return 1
  }

  #write(rows: PacketRows, row: number, packet: Packet, datagram: Datagram, bits: number, block: Uint8Array): void {
    const upper = upperOf(datagram)
    if ((bits & QUOTED) !== 0) this.#stats.quoted += 1
    if (upper === Upper.Other && datagram.proto === TCP) this.#stats.badSegments += 1
    rows.key[row] = this.#keys.number(this.#identity.used, this.#batch)
    rows.meta[row] =
      (bits & (FROM_FIRST | QUOTED | MOVES_CLOCK)) |
      (upper << 2) |
      (datagram.fragment << 5) |
      (datagram.version === 6 ? 0x80 : 0) |
      (datagram.proto << 8)
    this.#writePacket(rows, row, packet)
    rows.ipLen[row] = datagram.ipLen
    rows.ipCaptured[row] = datagram.ipCaptured
    rows.upperLen[row] = datagram.upperLen
    rows.upperCaptured[row] = datagram.upperCaptured
    rows.packets[row] = datagram.packets
    rows.octets[row] = datagram.octets
    rows.writeHead(row, datagram, upper)
    if (datagram.reassembled) {
      rows.ip[row] = this.#copy(datagram.bytes, datagram.ip, datagram.ipCaptured, block)
      rows.upper[row] = this.#copy(datagram.bytes, datagram.upper, datagram.upperCaptured, block)
    } else {
      rows.ip[row] = datagram.ip
      rows.upper[row] = datagram.upper
    }
    if (datagram.outer === 0) {
      rows.hasVlan[row] = 0
      rows.hasTunnel[row] = 0
      rows.hasTunnelId[row] = 0
    } else this.#writeOuter(rows, row, datagram.outer)
  }

  #writePacket(rows: PacketRows, row: number, packet: Packet): void {
    rows.number[row] = packet.number
    rows.capture[row] = this.#feed.capture
    rows.times.write(row, packet.second, packet.nanosecond)
    rows.second[row] = packet.second
    rows.nanosecond[row] = packet.nanosecond
    rows.frames?.write(row, packet, this.#feed.snaplen(packet))
  }

  #writeOuter(rows: PacketRows, row: number, outer: number): void {
    const { encaps } = this.#decoder
    const vlan = encaps.vlan(outer)
    rows.hasVlan[row] = vlan === NO_ID ? 0 : 1
    rows.vlan[row] = vlan
    const place = encaps.tunnel(outer)
    rows.hasTunnel[row] = place < 0 ? 0 : 1
    const id = place < 0 ? NO_ID : encaps.id(outer, place)
    rows.tunnel[row] = place < 0 ? 0 : encaps.kind(outer, place)
    rows.hasTunnelId[row] = id === NO_ID ? 0 : 1
    rows.tunnelId[row] = id
  }

  #writeTime(rows: PacketRows, row: number, packet: Packet): void {
    rows.key[row] = NO_KEY
    rows.meta[row] = MOVES_CLOCK
    this.#writePacket(rows, row, packet)
  }

  /** Copies a part of a reassembled datagram into the tail; where it lies in the block. */
  #copy(bytes: Uint8Array, from: number, length: number, block: Uint8Array): number {
    const at = this.#tail
    block.set(bytes.subarray(from, from + length), at)
    this.#tail += length
    return at
  }

  ready(): Promise<void> {
    return this.#feed.ready()
  }

  wanted(): number {
    return this.#feed.wanted()
  }

  flush(): void {}

  unwant(): void {}

  finish(): void {
    this.#finished = true
  }

  takeError(): Error | undefined {
    const error = this.#error
    this.#error = undefined
    return error ?? this.#feed.takeError()
  }

  captures(): CaptureLog {
    return this.#feed.captures
  }

  close(): void {
    this.#feed.close()
  }
}

/** What the datagram carries, as far as a view of it can be given. */
function upperOf(datagram: Datagram): number {
  const { proto, fragment, upperCaptured, version } = datagram
  if (fragment === Fragment.Later) return Upper.Other
  if (proto === TCP) return isSegment(datagram) ? Upper.Tcp : Upper.Other
  if (proto === UDP) return upperCaptured >= 8 ? Upper.Udp : Upper.Other
  if (upperCaptured === 0) return Upper.Other
  if (proto === ICMP && version === 4) return Upper.Icmp4
  return proto === ICMPV6 && version === 6 ? Upper.Icmp6 : Upper.Other
}
