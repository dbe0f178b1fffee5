/**
 * What the table of flows knows of each flow, in typed arrays by slot: a million open flows are no work for the garbage
 * collector.
 */
import type { FlowBase } from '../flow.js'

/** What becomes of a flow. */
export const FlowStatus = {
  Free: 0,
  Active: 1,
  /** Complete or idle: open to late packets until it expires. */
  Expiring: 2,
  /** Out of the table, its record waiting to be taken. */
  Ready: 3,
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
  /** 1 where the key's first endpoint sent the first packet. */
  firstIsFwd = new Uint8Array(this.#capacity)
  /** Time of the first packet. */
  firstSecond = new Float64Array(this.#capacity)
  firstNanosecond = new Uint32Array(this.#capacity)
  /** Time of the latest packet. */
  second = new Float64Array(this.#capacity)
  nanosecond = new Uint32Array(this.#capacity)
  /** Second at which the flow is idle. */
  idleSecond = new Float64Array(this.#capacity)
  readonly records: (FlowBase | undefined)[] = []
  readonly #free: number[] = []

  /** A slot that nobody uses. */
  take(): number {
    const slot = this.#free.pop()
    if (slot !== undefined) return slot
    if (this.length === this.#capacity) this.#grow()
    this.records.push(undefined)
    return this.length++
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
    this.firstIsFwd = grown(this.firstIsFwd, new Uint8Array(this.#capacity))
    this.firstSecond = grown(this.firstSecond, new Float64Array(this.#capacity))
    this.firstNanosecond = grown(this.firstNanosecond, new Uint32Array(this.#capacity))
    this.second = grown(this.second, new Float64Array(this.#capacity))
    this.nanosecond = grown(this.nanosecond, new Uint32Array(this.#capacity))
    this.idleSecond = grown(this.idleSecond, new Float64Array(this.#capacity))
  }
}

/** Copies an array into a larger one. */
export function grown<A extends { set(array: ArrayLike<number>): void } & ArrayLike<number>>(from: A, to: A): A {
  to.set(from)
  return to
}
