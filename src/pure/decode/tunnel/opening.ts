/** A tunnel header that is being read. Offsets count from the start of the outer datagram's upper layer. */
import type { Datagram } from '../datagram.js'
import { NO_ID, type Layers, type PeerTable } from '../encap.js'

const NOTHING = new Uint8Array(0)

/** One at a time; filled again for each tunnel. */
export class Opening {
  outer!: Datagram
  bytes: Uint8Array = NOTHING
  /** Octets of the upper layer on the wire, and captured; UDP's own length may make them fewer. */
  upperLen = 0
  upperCaptured = 0
  /** What is inside, without anything behind it: where it begins and ends in `bytes`. */
  start = 0
  end = 0
  /** Octets of it on the wire. */
  wireLen = 0
  /** What it begins with, octets after `start`. */
  step = 0
  stepAt = 0
  argument = 0
  /** The inner packet must fit in the outer one: for what only a port number promised. */
  strict = false
  readonly #layers: Layers
  readonly #peers: PeerTable

  constructor(layers: Layers, peers: PeerTable) {
    this.#layers = layers
    this.#peers = peers
  }

  /** Turns to another datagram. */
  begin(outer: Datagram): void {
    this.outer = outer
    this.bytes = outer.bytes
    this.upperLen = outer.upperLen
    this.upperCaptured = outer.upperCaptured
    this.strict = false
  }

  /** So many octets of the upper layer were captured at `at`. */
  has(at: number, octets: number): boolean {
    return at + octets <= this.upperCaptured
  }

  /** An octet that is known to be there. */
  u8(at: number): number {
    return this.bytes[this.outer.upper + at]!
  }

  /** Two octets that are known to be there, in network byte order. */
  u16(at: number): number {
    return (this.u8(at) << 8) | this.u8(at + 1)
  }

  /** Four octets, likewise. */
  u32(at: number): number {
    return ((this.u16(at) << 16) | this.u16(at + 2)) >>> 0
  }

  /** Adds a layer that is known by an identifier, or by its kind alone. */
  push(kind: number, id: number): void {
    this.#layers.push(kind, id)
  }

  /** Adds a tunnel known by its end points. */
  between(kind: number, id: number = NO_ID): void {
    const { version, src, dst } = this.outer
    this.#layers.push(kind, id, this.#peers.number(this.bytes, version, src, dst))
  }

  /** What is inside is the rest of the upper layer from `skipped` on, and begins with `step`; false where nothing is left. */
  rest(skipped: number, step: number, argument = 0, stepAt = 0): boolean {
    if (skipped > this.upperCaptured || skipped > this.upperLen) return false
    this.start = this.outer.upper + skipped
    this.end = this.outer.upper + this.upperCaptured
    this.wireLen = this.upperLen - skipped
    this.step = step
    this.stepAt = stepAt
    this.argument = argument
    return true
  }
}
