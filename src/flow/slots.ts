/**
 * What the table of flows knows of each flow, in typed arrays by slot: a million open flows are no work for the garbage
 * collector.
 */
import type { Outer, PacketColumns } from '../packet/columns.js'
import type { OpenRecord } from './record-makers.js'

/** What becomes of a flow. */
export const FlowStatus = {
  Free: 0,
  Active: 1,
  /** Complete or idle: open to late packets until it expires. */
  Expiring: 2,
  /** Out of the table, its record waiting to be taken. */
  Ready: 3,
} as const

/** Values of each slot in {@link FlowSlots.hot}, and where each stands. */
export const HOT = 4
export const Hot = {
  /** Time of the latest packet. */
  Second: 0,
  Nanosecond: 1,
  /** Second at which the flow is idle. */
  Idle: 2,
  /** 1 where the key's first endpoint sent the first packet. */
  FirstWay: 3,
} as const

/** Values of each slot in {@link FlowSlots.first}, and where each stands. */
export const FIRST = 4
export const First = {
  Second: 0,
  Nanosecond: 1,
  /** Its number. */
  Packet: 2,
  /** The number of its capture. */
  Capture: 3,
} as const

/** Typed arrays that grow together. */
export class FlowSlots {
  #capacity = 1024
  /** Slots ever used. */
  length = 0
  key = new Uint32Array(this.#capacity)
  /** Serial number of the flow. */
  id = new Float64Array(this.#capacity)
  status = new Uint8Array(this.#capacity)
  /** Why the flow ends, as a place in {@link END_REASONS}. */
  reason = new Uint8Array(this.#capacity)
  /** 4 or 6. */
  version = new Uint8Array(this.#capacity)
  /** What is known of the first packet, side by side. */
  first = new Float64Array(this.#capacity * FIRST)
  /** What every packet looks at or changes, side by side: one line of the processor's cache. */
  hot = new Float64Array(this.#capacity * HOT)
  /** What lies around each flow's packets. */
  readonly outers: Outer[] = []
  readonly records: (OpenRecord | undefined)[] = []
  readonly #free: number[] = []
  /** Means nothing: what is read must be used. */
  looked = 0

  /** A slot that nobody uses. */
  take(): number {
    const slot = this.#free.pop()
    if (slot !== undefined) return slot
    if (this.length === this.#capacity) this.#grow()
    this.records.push(undefined)
    return this.length++
  }

  /** Notes what is known of a flow's first packet, that of a row. */
  begin(slot: number, columns: PacketColumns, row: number): void {
    const at = slot * FIRST
    this.first[at + First.Second] = columns.second[row]!
    this.first[at + First.Nanosecond] = columns.nanosecond[row]!
    this.first[at + First.Packet] = columns.number[row]!
    this.first[at + First.Capture] = columns.capture[row]!
    this.version[slot] = (columns.meta[row]! & 0x80) === 0 ? 4 : 6
    this.outers[slot] = columns.outer(row)
  }

  /** One of a slot's hot values. */
  get(slot: number, value: (typeof Hot)[keyof typeof Hot]): number {
    return this.hot[slot * HOT + value]!
  }

  /** Fetches what the next packet of a slot's flow will need, if there is a flow. */
  look(slot: number): void {
    if (slot >= 0) this.looked ^= this.hot[slot * HOT + Hot.FirstWay]!
  }

  /** Lets go of a slot. */
  give(slot: number): void {
    this.status[slot] = FlowStatus.Free
    this.records[slot] = undefined
    this.#free.push(slot)
  }

  #grow(): void {
    this.#capacity *= 2
    this.key = grown(this.key, new Uint32Array(this.#capacity))
    this.id = grown(this.id, new Float64Array(this.#capacity))
    this.status = grown(this.status, new Uint8Array(this.#capacity))
    this.reason = grown(this.reason, new Uint8Array(this.#capacity))
    this.version = grown(this.version, new Uint8Array(this.#capacity))
    this.first = grown(this.first, new Float64Array(this.#capacity * FIRST))
    this.hot = grown(this.hot, new Float64Array(this.#capacity * HOT))
  }
}

/** Copies an array into a larger one. */
export function grown<A extends { set(array: ArrayLike<number>): void } & ArrayLike<number>>(from: A, to: A): A {
  to.set(from)
  return to
}
