/**
 * The states that connections went through, many lists in a few typed arrays: there is one for each open connection.
 */
import { grown } from '../flow/slots.js'
import { TCP_STATES, type TcpState } from './tcp-states.js'

/** A change of state. */
export interface StateChange {
  /** Packet time of the segment that showed it, nanoseconds since the Unix epoch. */
  readonly timestampNs: bigint
  /** Number of its packet in its capture, from 1. */
  readonly packet: number
  readonly client: TcpState
  readonly server: TcpState
}

/** The entry behind the last one. */
export const NO_ENTRY = -1

/** Lists of changes. A list is known by its first and its last entry; an empty one is {@link NO_ENTRY} twice. */
export class StateHistories {
  #capacity = 4096
  #used = 0
  #free = NO_ENTRY
  #next = new Int32Array(this.#capacity)
  /** Nanoseconds since the connection's first packet. */
  #since = new Float64Array(this.#capacity)
  #packet = new Float64Array(this.#capacity)
  /** The client's state, and sixteen times the server's. */
  #states = new Uint8Array(this.#capacity)

  /** Adds a change behind the entry `last`; the new entry. */
  push(last: number, sinceNs: number, packet: number, client: number, server: number): number {
    const entry = this.#take()
    if (last !== NO_ENTRY) this.#next[last] = entry
    this.#next[entry] = NO_ENTRY
    this.#since[entry] = sinceNs
    this.#packet[entry] = packet
    this.#states[entry] = client | (server << 4)
    return entry
  }

  /** The list that begins with `first`, its times counted from `firstNs`. */
  list(first: number, firstNs: bigint): StateChange[] {
    const out: StateChange[] = []
    for (let entry = first; entry !== NO_ENTRY; entry = this.#next[entry]!) {
      const states = this.#states[entry]!
      out.push({
        timestampNs: firstNs + BigInt(this.#since[entry]!),
        packet: this.#packet[entry]!,
        client: TCP_STATES[states & 15]!,
        server: TCP_STATES[states >>> 4]!,
      })
    }
    return out
  }

  /** The states of an entry. */
  statesAt(entry: number): number {
    return this.#states[entry]!
  }

  /** Lets go of a list. */
  release(first: number, last: number): void {
    if (first === NO_ENTRY) return
    this.#next[last] = this.#free
    this.#free = first
  }

  #take(): number {
    const entry = this.#free
    if (entry !== NO_ENTRY) {
      this.#free = this.#next[entry]!
      return entry
    }
    if (this.#used === this.#capacity) this.#grow()
    return this.#used++
  }

  #grow(): void {
    this.#capacity *= 2
    this.#next = grown(this.#next, new Int32Array(this.#capacity))
    this.#since = grown(this.#since, new Float64Array(this.#capacity))
    this.#packet = grown(this.#packet, new Float64Array(this.#capacity))
    this.#states = grown(this.#states, new Uint8Array(this.#capacity))
  }
}
