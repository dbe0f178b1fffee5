/**
 * The states that connections went through, many lists in a few typed arrays: there is one for each open connection.
 */
import { TCP_STATES, type TcpState } from './state-names.js'

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

/** Entries of a page, as a power of two: pages are added, so nothing is copied or left behind when there are more. */
const PAGE_BITS = 14
const IN_PAGE = (1 << PAGE_BITS) - 1

/** Some entries. */
class Page {
  readonly next = new Int32Array(IN_PAGE + 1)
  /** Nanoseconds since the connection's first packet. */
  readonly since = new Float64Array(IN_PAGE + 1)
  readonly packet = new Float64Array(IN_PAGE + 1)
  /** The client's state, and sixteen times the server's. */
  readonly states = new Uint8Array(IN_PAGE + 1)
}

/** Lists of changes. A list is known by its first and its last entry; an empty one is {@link NO_ENTRY} twice. */
export class StateHistories {
  readonly #pages: Page[] = []
  #used = 0
  #free = NO_ENTRY

  /** Adds a change behind the entry `last`; the new entry. */
  push(last: number, sinceNs: number, packet: number, client: number, server: number): number {
    const entry = this.#take()
    if (last !== NO_ENTRY) this.#page(last).next[last & IN_PAGE] = entry
    const [page, at] = [this.#page(entry), entry & IN_PAGE]
    page.next[at] = NO_ENTRY
    page.since[at] = sinceNs
    page.packet[at] = packet
    page.states[at] = client | (server << 4)
    return entry
  }

  /** The list that begins with `first`, its times counted from `firstNs`. */
  list(first: number, firstNs: bigint): StateChange[] {
    const out: StateChange[] = []
    for (let entry = first; entry !== NO_ENTRY; ) {
      const [page, at] = [this.#page(entry), entry & IN_PAGE]
      const states = page.states[at]!
      out.push({
        timestampNs: firstNs + BigInt(page.since[at]!),
        packet: page.packet[at]!,
        client: TCP_STATES[states & 15]!,
        server: TCP_STATES[states >>> 4]!,
      })
      entry = page.next[at]!
    }
    return out
  }

  /** The states of an entry. */
  statesAt(entry: number): number {
    return this.#page(entry).states[entry & IN_PAGE]!
  }

  /** Lets go of a list. */
  release(first: number, last: number): void {
    if (first === NO_ENTRY) return
    this.#page(last).next[last & IN_PAGE] = this.#free
    this.#free = first
  }

  #page(entry: number): Page {
    return this.#pages[entry >>> PAGE_BITS]!
  }

  #take(): number {
    const entry = this.#free
    if (entry !== NO_ENTRY) {
      this.#free = this.#page(entry).next[entry & IN_PAGE]!
      return entry
    }
    if (this.#used >>> PAGE_BITS === this.#pages.length) this.#pages.push(new Page())
    return this.#used++
  }
}
