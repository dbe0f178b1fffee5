/**
 * Flow keys and where they lead: both endpoints in canonical order (the lesser address and port first), protocol, IP
 * version and what is wrapped around, compared in full. Mirrors `core::flow::FlowKey` and the hash tables over it.
 *
 * The owner names each key by a slot number of its own; the keys lie here, by slot, in one array of 32-bit words.
 */
import type { Datagram } from '../decode/datagram.js'
import { grown } from '../../flow/slots.js'

/** Words of a key: ports, protocol and version, what is wrapped around, then both addresses, word by word in turn. */
const WORDS = 11
const ADDRESSES = 3
const EMPTY = -1

/** A key at a time, and an index of those that were put into it. */
export class KeyIndex {
  /** The key at hand. */
  readonly #key = new Int32Array(WORDS)
  #used = 0
  #hash = 0
  readonly #seed = Math.floor(Math.random() * 2 ** 32) | 0
  #keys = new Int32Array(WORDS * 64)
  #hashes = new Int32Array(64)
  /** Slots by hash, probed one after another; a power of two, at most half full. */
  #table = new Int32Array(128).fill(EMPTY)

  /** Keys in the index. */
  size = 0

  /**
   * Takes the key of packets like this one; true: its source is the key's first endpoint. `encap` is what is wrapped
   * around, as far as it counts.
   */
  take(datagram: Datagram, srcPort: number, dstPort: number, encap: number): boolean {
    const { bytes, src, dst, version } = datagram
    const octets = version === 4 ? 4 : 16
    const isFromFirst = isOrdered(bytes, src, dst, octets, srcPort, dstPort)
    const first = isFromFirst ? src : dst
    const second = isFromFirst ? dst : src
    const key = this.#key
    key[0] = isFromFirst ? srcPort * 65_536 + dstPort : dstPort * 65_536 + srcPort
    key[1] = datagram.proto * 256 + version
    key[2] = encap
    let words = ADDRESSES
    for (let i = 0; i < octets; i += 4) {
      key[words++] = word(bytes, first + i)
      key[words++] = word(bytes, second + i)
    }
    // What the key before may have left there.
    if (words < this.#used) key.fill(0, words)
    this.#used = words
    this.#hash = this.#hashOf(words)
    return isFromFirst
  }

  /** Murmur3's mixing, seeded, so that chosen addresses can't be made to collide. */
  #hashOf(words: number): number {
    const key = this.#key
    let hash = this.#seed
    for (let i = 0; i < words; i++) {
      const mixed = Math.imul(key[i]!, 0xcc9e_2d51)
      hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b87_3593)
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe654_6b64) | 0
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
    return hash ^ (hash >>> 16)
  }

  /** The slot of the key at hand, -1 where it isn't in the index. */
  find(): number {
    const table = this.#table
    const mask = table.length - 1
    for (let at = this.#hash & mask; ; at = (at + 1) & mask) {
      const slot = table[at]!
      if (slot === EMPTY || (this.#hashes[slot] === this.#hash && this.#isKey(slot))) return slot
    }
  }

  #isKey(slot: number): boolean {
    const key = this.#key
    const keys = this.#keys
    const at = slot * WORDS
    const used = this.#used
    // The version, in the second word, says how many words count.
    for (let i = 0; i < used; i++) if (keys[at + i] !== key[i]) return false
    return true
  }

  /** Puts the key at hand, which must not be in the index, under a slot of the owner's. */
  insert(slot: number): void {
    if (slot >= this.#hashes.length) this.#growKeys(slot + 1)
    if (2 * (this.size + 1) > this.#table.length) this.#growTable()
    this.#keys.set(this.#key, slot * WORDS)
    this.#hashes[slot] = this.#hash
    this.#place(slot)
    this.size++
  }

  /** Takes a slot's key out of the index; it can be asked for until another one comes into the slot. */
  remove(slot: number): void {
    const table = this.#table
    const mask = table.length - 1
    let at = this.#hashes[slot]! & mask
    while (table[at] !== slot) at = (at + 1) & mask
    this.size--
    // What was pushed on by this key moves back, so that no search ends too soon.
    for (let hole = at, next = (at + 1) & mask; ; next = (next + 1) & mask) {
      const moved = table[next]!
      table[hole] = EMPTY
      if (moved === EMPTY) return
      const home = this.#hashes[moved]! & mask
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        table[hole] = moved
        hole = next
      }
    }
  }

  /** A port of a slot's key. */
  port(slot: number, isFirst: boolean): number {
    const ports = this.#keys[slot * WORDS]!
    return isFirst ? ports >>> 16 : ports & 0xffff
  }

  /** IP version of a slot's key. */
  version(slot: number): number {
    return this.#keys[slot * WORDS + 1]! & 0xff
  }

  /** Both endpoints of a slot's key are the same. */
  isLoop(slot: number): boolean {
    for (let i = 0; i < 8; i += 2) {
      const at = slot * WORDS + ADDRESSES + i
      if (this.#keys[at] !== this.#keys[at + 1]) return false
    }
    return this.port(slot, true) === this.port(slot, false)
  }

  /** Writes an address of a slot's key: 16 octets, IPv4 in the first four. */
  writeAddress(slot: number, isFirst: boolean, out: Uint8Array, at: number): void {
    for (let i = 0; i < 4; i++) {
      const octets = this.#keys[slot * WORDS + ADDRESSES + 2 * i + (isFirst ? 0 : 1)]!
      out[at + 4 * i] = octets >>> 24
      out[at + 4 * i + 1] = octets >>> 16
      out[at + 4 * i + 2] = octets >>> 8
      out[at + 4 * i + 3] = octets
    }
  }

  #place(slot: number): void {
    const table = this.#table
    const mask = table.length - 1
    let at = this.#hashes[slot]! & mask
    while (table[at] !== EMPTY) at = (at + 1) & mask
    table[at] = slot
  }

  #growKeys(slots: number): void {
    const room = Math.max(slots, this.#hashes.length * 2)
    this.#keys = grown(this.#keys, new Int32Array(room * WORDS))
    this.#hashes = grown(this.#hashes, new Int32Array(room))
  }

  #growTable(): void {
    const before = this.#table
    this.#table = new Int32Array(before.length * 2).fill(EMPTY)
    for (const slot of before) if (slot !== EMPTY) this.#place(slot)
  }
}

/** Source and destination, address before port, stand in order. */
function isOrdered(
  bytes: Uint8Array,
  src: number,
  dst: number,
  octets: number,
  srcPort: number,
  dstPort: number,
): boolean {
  for (let i = 0; i < octets; i++) {
    const difference = bytes[src + i]! - bytes[dst + i]!
    if (difference !== 0) return difference < 0
  }
  return srcPort <= dstPort
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
