/**
 * IPv4 (RFC 791, RFC 815) and IPv6 (RFC 8200 section 4.5) fragments put together before the transport layer. Mirrors
 * `core::decode::defrag`.
 *
 * In: one fragment after another with its place and packet time. Out: the whole datagram's payload as soon as its last
 * octet is there. Memory is bounded, time is packet time, and what is thrown away is counted. A fragment that the
 * snapshot length cut must not be pushed: its missing octets would be taken for a hole's edge.
 */
import type { CheckedDecode } from '../../../options.js'
import { MAX_NS, nanoseconds } from '../../time.js'
import { WordTable } from '../../word-table.js'
import type { Packet } from '../../capture/packet.js'
import type { Datagram } from '../datagram.js'
import { putAddress } from '../encap.js'
import type { FragmentPart } from '../ip.js'
import { FragmentStats, MAX_DATAGRAM_LEN, MAX_DATAGRAMS, MAX_FRAGMENTS } from './config.js'
import { Meeting, Pieces } from './pieces.js'

/** What became of a fragment. */
export const Outcome = {
  /** Kept; the datagram has holes. */
  Pending: 0,
  /** It was the last one missing. */
  Complete: 1,
  /** Not kept. */
  Dropped: 2,
} as const

const MAX_U32 = 0xffff_ffff

/** One pending datagram. */
class Pending {
  pieces = new Pieces()
  /** The datagram's length, once its last fragment was seen; else -1. */
  total = -1
  fragments = 0
  /** IP packets that brought them, duplicates too, and their octets. */
  packets = 0
  octets = 0
  /** Upper-layer protocol of the fragment at offset 0. */
  proto: number
  /** Given up: only the key is kept, so that later fragments are recognised. */
  discarded = false
  readonly version: number
  /** Number of its key. */
  readonly key: number
  readonly firstNs: bigint
  /** Serial number of the datagram. */
  readonly serial: number

  constructor(version: number, key: number, proto: number, firstNs: bigint, serial: number) {
    this.version = version
    this.key = key
    this.proto = proto
    this.firstNs = firstNs
    this.serial = serial
  }

  /** A fragment would lie beyond the datagram's end, move that end, or leave octets beyond it. */
  endConflict(end: number, more: boolean): boolean {
    if (this.total >= 0) return end > this.total || (!more && end !== this.total)
    return !more && this.pieces.end > end
  }
}

/** Puts fragments together. */
export class Defragmenter {
  readonly stats = new FragmentStats()
  /** The datagram that was completed last. */
  outputLength = 0
  outputProto = 0
  outputPackets = 0
  outputOctets = 0
  /** Number of the datagram that the latest fragment belongs to, from 1; 0: it was refused, or is a datagram by itself. */
  lastSerial = 0
  readonly #policy: CheckedDecode['fragmentPolicy']
  readonly #timeoutV4: bigint
  readonly #timeoutV6: bigint
  readonly #maxOctets: number
  readonly #keys = new WordTable(11)
  /** By key. */
  readonly #pending: (Pending | undefined)[] = []
  /** In the order in which their first fragments came. IPv4 and IPv6 apart, since their timeouts differ. */
  readonly #queues: readonly [Set<Pending>, Set<Pending>] = [new Set(), new Set()]
  #serial = 0
  /** Octets and bookkeeping of all pending datagrams. */
  #held = 0
  /** What was completed last: pieces, or an atomic fragment's octets. */
  #pieces: Pieces | null = null
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0

  constructor(options: CheckedDecode) {
    this.#policy = options.fragmentPolicy
    this.#timeoutV4 = toNs(options.fragmentTimeoutV4)
    this.#timeoutV6 = toNs(options.fragmentTimeoutV6)
    this.#maxOctets = options.fragmentMaxBytes
  }

  /** Datagrams that are not complete, with the discarded ones that are remembered until their time is over. */
  get pending(): number {
    return this.#keys.size
  }

  /** Takes the fragment `part` of `last`, around which lies what `encap` stands for. Expires what is overdue first. */
  push(last: Datagram, part: FragmentPart, encap: number, packet: Packet): number {
    const { stats } = this
    stats.fragments += 1
    this.lastSerial = 0
    const now = nanoseconds(packet.second, packet.nanosecond)
    this.#expire(now)
    // RFC 6946: an atomic fragment has nothing to do with others of the same key.
    if (part.offset === 0 && !part.more) return this.#atomic(last, part)
    const length = part.end - part.start
    const end = part.offset + length
    // RFC 8200 section 4.5 asks for this of IPv6; IPv4 hosts either do the same or cut the odd octets off.
    const unaligned = part.offset % 8 !== 0 || (part.more && length % 8 !== 0)
    if (length === 0 || unaligned || end > MAX_DATAGRAM_LEN) {
      stats.invalid += 1
      return Outcome.Dropped
    }
    const pending = this.#find(last, part, encap, now)
    if (!this.#admit(pending, last, part, end)) return Outcome.Dropped
    this.lastSerial = pending.serial
    pending.packets = Math.min(pending.packets + 1, MAX_U32)
    pending.octets = Math.min(pending.octets + last.ipLen, MAX_U32)
    if (part.offset === 0) pending.proto = part.proto
    return this.#settle(pending)
  }

  /** Moves the octets of the datagram that was completed last into `out`, from `at` on. */
  takeOutput(out: Uint8Array, at: number): void {
    if (this.#pieces === null) out.set(this.#bytes.subarray(this.#start, this.#start + this.outputLength), at)
    else this.#pieces.assemble(out, at)
    this.#pieces = null
  }

  /** Forgets the datagrams whose first fragment is older than their timeout. */
  #expire(now: bigint): void {
    for (const queue of this.#queues)
      for (const pending of queue) {
        // Times span 64 bits, and so a difference saturates.
        const age = now - pending.firstNs
        const timeout = pending.version === 6 ? this.#timeoutV6 : this.#timeoutV4
        if ((age > MAX_NS ? MAX_NS : age) <= timeout) break
        // A discarded datagram was counted when that happened.
        if (!pending.discarded) this.stats.timeouts += 1
        this.#remove(pending)
      }
  }

  #atomic(last: Datagram, part: FragmentPart): number {
    this.stats.atomic += 1
    this.#pieces = null
    this.#bytes = last.bytes
    this.#start = part.start
    this.#output(part.end - part.start, part.proto, 1, last.ipLen)
    return Outcome.Complete
  }

  #output(length: number, proto: number, packets: number, octets: number): void {
    this.outputLength = length
    this.outputProto = proto
    this.outputPackets = packets
    this.outputOctets = octets
  }

  /** The datagram's place, made where there is none. */
  #find(last: Datagram, part: FragmentPart, encap: number, now: bigint): Pending {
    const { version } = last
    const octets = version === 4 ? 4 : 16
    const { key } = this.#keys
    // IPv6 fragments of one datagram may differ in the protocol (RFC 8200 section 4.5).
    key[0] = version | (version === 4 ? part.proto << 8 : 0)
    key[1] = part.id
    key[2] = encap
    const used = putAddress(key, putAddress(key, 3, last.bytes, last.src, octets), last.bytes, last.dst, octets)
    const number = this.#keys.find(used)
    if (number >= 0) return this.#pending[number]!
    while (this.#keys.size >= MAX_DATAGRAMS) this.#evictOldestBut(null)
    const pending = new Pending(version, this.#keys.insert(used), part.proto, now, ++this.#serial)
    this.#pending[pending.key] = pending
    this.#queues[version === 6 ? 1 : 0].add(pending)
    return pending
  }

  /** Puts a fragment into its datagram; false where it isn't kept. */
  #admit(pending: Pending, last: Datagram, part: FragmentPart, end: number): boolean {
    const { stats } = this
    if (pending.discarded) return false
    if (pending.endConflict(end, part.more)) {
      stats.invalid += 1
      return false
    }
    if (!part.more) pending.total = end
    const meeting = pending.pieces.meeting(part.offset, end, last.bytes, part.start)
    if (meeting === Meeting.Duplicate) {
      stats.duplicates += 1
      return true
    }
    if (meeting === Meeting.Overlap) {
      stats.overlaps += 1
      // RFC 5722 section 4: an IPv6 datagram with overlapping fragments is discarded.
      if (pending.version === 6) {
        this.#discard(pending)
        return false
      }
    }
    return this.#store(pending, last, part, end)
  }

  /** Stores a fragment that was found fit; false where the datagram has too many. */
  #store(pending: Pending, last: Datagram, part: FragmentPart, end: number): boolean {
    if (pending.fragments >= MAX_FRAGMENTS) {
      this.#giveUp(pending)
      return false
    }
    pending.fragments += 1
    const before = pending.pieces.cost
    pending.pieces.put(part.offset, end, last.bytes, part.start, this.#policy)
    this.#held += pending.pieces.cost - before
    return true
  }

  /** After a fragment was kept: hands the datagram out where it is whole, else keeps the memory bound. */
  #settle(pending: Pending): number {
    const { pieces } = pending
    if (pending.total === pieces.covered) {
      this.#remove(pending)
      this.stats.datagrams += 1
      this.#pieces = pieces
      this.#output(pending.total, pending.proto, pending.packets, pending.octets)
      return Outcome.Complete
    }
    while (this.#held > this.#maxOctets)
      if (!this.#evictOldestBut(pending)) {
        this.#giveUp(pending)
        return Outcome.Dropped
      }
    return Outcome.Pending
  }

  /** Gives a datagram up because of a limit; the rest of its fragments will be dropped. */
  #giveUp(pending: Pending): void {
    this.stats.evictions += 1
    this.#discard(pending)
  }

  /** Frees the octets of a datagram and remembers its key, so that its further fragments are dropped too. */
  #discard(pending: Pending): void {
    pending.discarded = true
    this.#held -= pending.pieces.cost
    pending.pieces = new Pieces()
  }

  /** Evicts the oldest datagram other than `but`; false where there is none. */
  #evictOldestBut(but: Pending | null): boolean {
    let oldest: Pending | null = null
    for (const queue of this.#queues)
      for (const candidate of queue) {
        if (candidate === but) continue
        if (oldest === null || candidate.serial < oldest.serial) oldest = candidate
        break
      }
    if (oldest === null) return false
    if (!oldest.discarded) this.stats.evictions += 1
    this.#remove(oldest)
    return true
  }

  #remove(pending: Pending): void {
    this.#held -= pending.pieces.cost
    this.#keys.remove(pending.key)
    this.#pending[pending.key] = undefined
    this.#queues[pending.version === 6 ? 1 : 0].delete(pending)
  }
}

/** Seconds as nanoseconds, saturating. */
function toNs(seconds: number): bigint {
  const ns = Math.trunc(seconds * 1e9)
  return ns >= Number(MAX_NS) ? MAX_NS : BigInt(ns)
}
