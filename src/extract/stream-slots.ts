/**
 * What is known of each open stream, in typed arrays by the engine's slot: a hundred thousand open streams are no work
 * for the garbage collector. Pages are added, so nothing is copied, or left behind, when there are more streams.
 */
import type { Gap } from '../connection.js'
import type { Growing } from './growing.js'
import type { KeptStream } from './kept-streams.js'
import type { PacketLog } from './packet-log.js'
import type { EndColumns } from './tcp-states.js'

/** What becomes of a slot's connection. */
export const SlotStatus = {
  /** There is none, or nobody wants it. */
  Free: 0,
  /** It has a stream. */
  Open: 1,
  /** Its stream ended as stale; a further packet begins another one. */
  Stale: 2,
} as const

/** What is rare, or no number. */
export interface StreamExtras {
  /** Of each side, octets that were not handed out. */
  octets: [Growing | undefined, Growing | undefined]
  gaps: [Gap[] | undefined, Gap[] | undefined]
  kept: KeptStream | null
}

/** Slots of a page, as a power of two. */
const PAGE_BITS = 10
const PER_PAGE = 1 << PAGE_BITS
/** Octets of all columns of a slot. */
const SLOT_OCTETS = 228

/** Makes typed arrays that lie behind each other in one buffer; those with the longest values come first. */
class Carver {
  readonly buffer = new ArrayBuffer(PER_PAGE * SLOT_OCTETS)
  #at = 0

  /** `each` values for each slot. */
  take<A>(array: { new (buffer: ArrayBuffer, at: number, length: number): A; BYTES_PER_ELEMENT: number }, each: number): A {
    const at = this.#at
    this.#at += PER_PAGE * each * array.BYTES_PER_ELEMENT
    return new array(this.buffer, at, PER_PAGE * each)
  }
}

/** The columns of some slots. Those of sides have two values for each slot, the client's first. */
export class SlotPage implements EndColumns {
  readonly #carver = new Carver()
  /** Of the connection: serial number; further below capture, IP version, addresses (16 octets for each side), ports. */
  readonly id = this.#carver.take(Float64Array, 1)
  /** The stream's first packet. */
  readonly firstPacket = this.#carver.take(Float64Array, 1)
  readonly firstSecond = this.#carver.take(Float64Array, 1)
  /** Of each side. */
  readonly payload = this.#carver.take(Float64Array, 2)
  readonly streamed = this.#carver.take(Float64Array, 2)
  readonly gapBytes = this.#carver.take(Float64Array, 2)
  /** Time of each side's latest packet. */
  readonly second = this.#carver.take(Float64Array, 2)
  /** What came before the part at hand: octets of payload, whether there were packets, and when the latest came. */
  readonly startPayload = this.#carver.take(Float64Array, 2)
  readonly startSecond = this.#carver.take(Float64Array, 2)
  readonly startNanosecond = this.#carver.take(Uint32Array, 2)
  readonly nanosecond = this.#carver.take(Uint32Array, 2)
  readonly packets = this.#carver.take(Uint32Array, 2)
  readonly isn = this.#carver.take(Uint32Array, 2)
  readonly finEnd = this.#carver.take(Uint32Array, 2)
  readonly firstNanosecond = this.#carver.take(Uint32Array, 1)
  readonly capture = this.#carver.take(Uint32Array, 1)
  /** Parts handed out. */
  readonly parts = this.#carver.take(Uint32Array, 1)
  /** First and last entry of the history of states. */
  readonly historyFirst = this.#carver.take(Int32Array, 1)
  readonly historyLast = this.#carver.take(Int32Array, 1)
  readonly port = this.#carver.take(Uint16Array, 2)
  readonly facts = this.#carver.take(Uint16Array, 2)
  readonly linkType = this.#carver.take(Uint16Array, 1)
  readonly address = this.#carver.take(Uint8Array, 32)
  readonly startSeen = this.#carver.take(Uint8Array, 2)
  readonly status = this.#carver.take(Uint8Array, 1)
  readonly version = this.#carver.take(Uint8Array, 1)
  /** Side of the latest packet. */
  readonly lastWay = this.#carver.take(Uint8Array, 1)
  readonly startWay = this.#carver.take(Uint8Array, 1)

  /** What was counted so far stands before the next part. */
  mark(at: number): void {
    for (const side of [at * 2, at * 2 + 1]) {
      this.startPayload[side] = this.payload[side]!
      this.startSeen[side] = Number(this.packets[side]! > 0)
      this.startSecond[side] = this.second[side]!
      this.startNanosecond[side] = this.nanosecond[side]!
    }
    this.startWay[at] = this.lastWay[at]!
  }

  /** Forgets what was counted in a slot. */
  clear(at: number): void {
    this.parts[at] = this.lastWay[at] = this.startWay[at] = 0
    this.historyFirst[at] = this.historyLast[at] = -1
    for (const side of [at * 2, at * 2 + 1]) {
      this.packets[side] = this.payload[side] = this.streamed[side] = this.gapBytes[side] = 0
      this.facts[side] = this.startPayload[side] = this.startSeen[side] = 0
    }
  }
}

/** All slots, page by page. */
export class StreamSlots {
  readonly #pages: SlotPage[] = []
  /** Packets that were not handed out. */
  readonly logs: (PacketLog | undefined)[] = []
  readonly extras: (StreamExtras | undefined)[] = []

  /** Slots there is room for. */
  get length(): number {
    return this.#pages.length * PER_PAGE
  }

  /** The page of a slot that was reached. */
  page(slot: number): SlotPage {
    return this.#pages[slot >>> PAGE_BITS]!
  }

  /** What became of a slot's connection: a {@link SlotStatus}. */
  status(slot: number): number {
    return this.page(slot).status[inPage(slot)]!
  }

  /** Makes room for a slot. */
  reach(slot: number): void {
    while (slot >= this.length) this.#pages.push(new SlotPage())
    while (this.logs.length <= slot) {
      this.logs.push(undefined)
      this.extras.push(undefined)
    }
  }

  /** Forgets what was counted in a slot. */
  clear(slot: number): void {
    this.page(slot).clear(inPage(slot))
    this.logs[slot] = this.extras[slot] = undefined
  }
}

/** A slot's place in its page. */
export function inPage(slot: number): number {
  return slot & (PER_PAGE - 1)
}
