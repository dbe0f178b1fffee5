/**
 * What is known of each open stream, in typed arrays by the engine's slot: a hundred thousand open streams are no work
 * for the garbage collector. Columns of sides have two values for each slot, the client's first.
 */
import { grown } from '../flow/slots.js'
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

/** Typed arrays that grow together. */
export class StreamSlots implements EndColumns {
  #capacity = 256
  status = new Uint8Array(this.#capacity)
  /** Of the connection: serial number, capture, IP version, addresses (16 octets for each side). */
  id = new Float64Array(this.#capacity)
  capture = new Uint32Array(this.#capacity)
  version = new Uint8Array(this.#capacity)
  address = new Uint8Array(this.#capacity * 32)
  port = new Uint16Array(this.#capacity * 2)
  /** The stream's first packet. */
  firstPacket = new Float64Array(this.#capacity)
  firstSecond = new Float64Array(this.#capacity)
  firstNanosecond = new Uint32Array(this.#capacity)
  linkType = new Uint16Array(this.#capacity)
  /** Parts handed out. */
  parts = new Uint32Array(this.#capacity)
  /** Side of the latest packet. */
  lastWay = new Uint8Array(this.#capacity)
  /** First and last entry of the history of states. */
  historyFirst = new Int32Array(this.#capacity)
  historyLast = new Int32Array(this.#capacity)
  /** Of each side. */
  packets = new Uint32Array(this.#capacity * 2)
  payload = new Float64Array(this.#capacity * 2)
  streamed = new Float64Array(this.#capacity * 2)
  gapBytes = new Float64Array(this.#capacity * 2)
  /** Time of each side's latest packet. */
  second = new Float64Array(this.#capacity * 2)
  nanosecond = new Uint32Array(this.#capacity * 2)
  facts = new Uint16Array(this.#capacity * 2)
  isn = new Uint32Array(this.#capacity * 2)
  finEnd = new Uint32Array(this.#capacity * 2)
  /** What came before the part at hand: octets of payload, whether there were packets, and when the latest came. */
  startPayload = new Float64Array(this.#capacity * 2)
  startSeen = new Uint8Array(this.#capacity * 2)
  startSecond = new Float64Array(this.#capacity * 2)
  startNanosecond = new Uint32Array(this.#capacity * 2)
  startWay = new Uint8Array(this.#capacity)
  /** Packets that were not handed out. */
  readonly logs: (PacketLog | undefined)[] = []
  readonly extras: (StreamExtras | undefined)[] = []

  /** Makes room for a slot. */
  reach(slot: number): void {
    while (slot >= this.#capacity) this.#grow()
    while (this.logs.length <= slot) {
      this.logs.push(undefined)
      this.extras.push(undefined)
    }
  }

  /** What was counted so far stands before the next part. */
  mark(slot: number): void {
    for (const side of [slot * 2, slot * 2 + 1]) {
      this.startPayload[side] = this.payload[side]!
      this.startSeen[side] = Number(this.packets[side]! > 0)
      this.startSecond[side] = this.second[side]!
      this.startNanosecond[side] = this.nanosecond[side]!
    }
    this.startWay[slot] = this.lastWay[slot]!
  }

  /** Forgets what was counted in a slot. */
  clear(slot: number): void {
    this.parts[slot] = this.lastWay[slot] = this.startWay[slot] = 0
    this.historyFirst[slot] = this.historyLast[slot] = -1
    for (const side of [slot * 2, slot * 2 + 1]) {
      this.packets[side] = this.payload[side] = this.streamed[side] = this.gapBytes[side] = 0
      this.facts[side] = this.startPayload[side] = this.startSeen[side] = 0
    }
    this.logs[slot] = this.extras[slot] = undefined
  }

  #grow(): void {
    const n = (this.#capacity *= 2)
    this.status = grown(this.status, new Uint8Array(n))
    this.id = grown(this.id, new Float64Array(n))
    this.capture = grown(this.capture, new Uint32Array(n))
    this.version = grown(this.version, new Uint8Array(n))
    this.address = grown(this.address, new Uint8Array(n * 32))
    this.port = grown(this.port, new Uint16Array(n * 2))
    this.firstPacket = grown(this.firstPacket, new Float64Array(n))
    this.firstSecond = grown(this.firstSecond, new Float64Array(n))
    this.firstNanosecond = grown(this.firstNanosecond, new Uint32Array(n))
    this.linkType = grown(this.linkType, new Uint16Array(n))
    this.parts = grown(this.parts, new Uint32Array(n))
    this.lastWay = grown(this.lastWay, new Uint8Array(n))
    this.historyFirst = grown(this.historyFirst, new Int32Array(n))
    this.historyLast = grown(this.historyLast, new Int32Array(n))
    this.packets = grown(this.packets, new Uint32Array(n * 2))
    this.payload = grown(this.payload, new Float64Array(n * 2))
    this.streamed = grown(this.streamed, new Float64Array(n * 2))
    this.gapBytes = grown(this.gapBytes, new Float64Array(n * 2))
    this.second = grown(this.second, new Float64Array(n * 2))
    this.nanosecond = grown(this.nanosecond, new Uint32Array(n * 2))
    this.facts = grown(this.facts, new Uint16Array(n * 2))
    this.isn = grown(this.isn, new Uint32Array(n * 2))
    this.finEnd = grown(this.finEnd, new Uint32Array(n * 2))
    this.startPayload = grown(this.startPayload, new Float64Array(n * 2))
    this.startSeen = grown(this.startSeen, new Uint8Array(n * 2))
    this.startSecond = grown(this.startSecond, new Float64Array(n * 2))
    this.startNanosecond = grown(this.startNanosecond, new Uint32Array(n * 2))
    this.startWay = grown(this.startWay, new Uint8Array(n))
  }
}
