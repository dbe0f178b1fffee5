/**
 * From a frame to its IP datagram, lying in the block. Mirrors `core::decode`.
 *
 * ```text
 * frame → link → ip → [defrag] → [tunnel → link → ip → …] → Segment.parse
 * ```
 *
 * Plain datagrams take the short way; what needs memory or a closer look goes through `walk.ts`. A packet that can't be
 * decoded is a {@link Drop} reason, counted and never fatal. A packet cut by the snapshot length is decoded as far as it
 * goes.
 */
import type { CheckedDecode } from '../../options.js'
import type { Packet } from '../capture/packet.js'
import { Datagram, Fragment } from './datagram.js'
import type { FragmentStats } from './defrag/config.js'
import { Defragmenter } from './defrag/defragmenter.js'
import { Drop } from './drop.js'
import { EncapTable, Layers, PeerTable } from './encap.js'
import { parse, parseWithin } from './ip.js'
import { networkLayer, pppoeEnd } from './link/network-layer.js'
import { Walk } from './link/walk.js'
import { isCandidate } from './tunnel/tunnel.js'
import { UnknownLinks } from './unknown-links.js'
import { InnerWalk } from './walk.js'

/** Decodes frames; holds what must be remembered from one to the next. */
export class Decoder {
  /** The datagram of the packet that was decoded last; always the same object. */
  readonly datagram = new Datagram()
  /** What stands behind the numbers in `outer`. */
  readonly encaps = new EncapTable()
  /** Packets by unknown link type. */
  readonly unknownLinks = new UnknownLinks()
  /** Packets with a bad checksum; 0 where checksums are ignored. */
  badChecksums = 0
  readonly #decap: boolean
  readonly #checks: boolean
  readonly #drops: boolean
  readonly #ignoreEncap: boolean
  readonly #layers = new Layers()
  readonly #walk = new Walk(this.#layers)
  readonly #defragmenter: Defragmenter
  readonly #inner: InnerWalk

  constructor(options: CheckedDecode) {
    this.#decap = options.decap
    this.#checks = options.checksum !== 'ignore'
    this.#drops = options.checksum === 'drop'
    this.#ignoreEncap = options.ignoreEncap
    this.#defragmenter = new Defragmenter(options)
    const tools = { walk: this.#walk, peers: new PeerTable(), encaps: this.encaps, defragmenter: this.#defragmenter }
    this.#inner = new InnerWalk(tools, this.#decap, this.#checks)
  }

  /**
   * Sets `datagram` to what `packet`, which lies in `block`, carries or completes.
   *
   * @returns one of {@link Drop}: 0, or the reason why there is no datagram
   */
  decode(packet: Packet, block: Uint8Array): number {
    const { datagram } = this
    const { start, end } = packet
    this.#layers.length = 0
    const at = networkLayer(packet.link, block, start, end, this.#walk)
    if (at < 0) return this.#withoutNetworkLayer(packet, -at)
    const drop =
      this.#layers.length === 0 ? parse(block, at, end, 0, datagram) : this.#parseWrapped(block, at, start, end)
    if (drop !== Drop.None || !this.#isWorthALook()) return drop
    return this.#decodeOn(packet)
  }

  /** The IP packet at `at`, around which lies something that may know better where it ends. */
  #parseWrapped(block: Uint8Array, at: number, start: number, end: number): number {
    const outer = this.encaps.number(this.#layers)
    const packetEnd = pppoeEnd(block, at, start, end, this.#layers)
    return packetEnd > 0
      ? parseWithin(block, at, packetEnd, outer, this.datagram)
      : parse(block, at, end, outer, this.datagram)
  }

  /** A fragment, perhaps a tunnel's, or checksums are asked for. */
  #isWorthALook(): boolean {
    const { datagram } = this
    return datagram.fragment !== Fragment.Whole || this.#checks || (this.#decap && isCandidate(datagram))
  }

  #withoutNetworkLayer(packet: Packet, reason: number): number {
    if (reason === Drop.UnknownLink) this.unknownLinks.count(packet.link)
    return reason
  }

  /** What is left to do for a datagram that isn't plain: tunnels, fragments, checksums. */
  #decodeOn(packet: Packet): number {
    const drop = this.#inner.run(this.datagram, packet)
    if (!this.#inner.isBad) return drop
    this.badChecksums += 1
    return this.#drops ? Drop.Checksum : drop
  }

  /** What counts for a flow's key of what lies around the datagram. */
  get keyEncap(): number {
    return this.#ignoreEncap ? 0 : this.datagram.outer
  }

  /** Number of the datagram that the latest fragment belongs to, from 1; 0: of none. */
  get lastDatagram(): number {
    return this.#defragmenter.lastSerial
  }

  /** Counters of fragments. */
  get fragments(): FragmentStats {
    return this.#defragmenter.stats
  }

  /** Datagrams of which fragments are missing now. */
  get pendingDatagrams(): number {
    return this.#defragmenter.pending
  }
}

/**
 * Sets `datagram` to the IP packet that an ICMP error quotes at `at`, as far as it is quoted; false where there is none.
 */
export function quotedDatagram(bytes: Uint8Array, at: number, end: number, datagram: Datagram): boolean {
  return parse(bytes, at, end, 0, datagram) === Drop.None
}
