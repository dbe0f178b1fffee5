/**
 * Frames of fragments whose datagram isn't whole yet: nobody knows which stream they belong to until the last one
 * comes. In come frames with the number of their datagram; out come those of a datagram that is whole.
 */
import type { PacketFacts } from './packet-log.js'

/** Octets of frames that wait, at most. */
const MAX_WAITING = 8 * 2 ** 20

/** A fragment's frame, and what is known of its packet. */
export interface WaitingFrame {
  readonly facts: PacketFacts
  readonly frame: Uint8Array
}

/** The frames that wait, oldest datagrams first. */
export class WaitingFragments {
  readonly #datagrams = new Map<number, WaitingFrame[]>()
  #octets = 0
  #waiting = 0
  #dropped = 0

  /** Frames that belong to no stream: of datagrams without TCP, or that were never whole. */
  get unclaimed(): number {
    return this.#dropped + this.#waiting
  }

  /** Keeps a copy of a frame; datagram 0 is none: the fragment was refused. */
  push(datagram: number, facts: PacketFacts, frame: Uint8Array): void {
    if (datagram === 0) {
      this.#dropped += 1
      return
    }
    const frames = this.#datagrams.get(datagram)
    const waiting = { facts, frame: frame.slice() }
    if (frames) frames.push(waiting)
    else this.#datagrams.set(datagram, [waiting])
    this.#octets += frame.length
    this.#waiting += 1
    for (const [oldest] of this.#datagrams) {
      if (this.#octets <= MAX_WAITING) break
      this.#dropped += this.take(oldest).length
    }
  }

  /** The frames of a datagram that is whole with the packet at hand. */
  take(datagram: number): readonly WaitingFrame[] {
    const frames = this.#datagrams.get(datagram)
    if (!frames) return []
    this.#datagrams.delete(datagram)
    for (const { frame } of frames) this.#octets -= frame.length
    this.#waiting -= frames.length
    return frames
  }
}
