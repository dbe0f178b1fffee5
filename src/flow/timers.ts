/**
 * Idle and expiry timers on packet time, in bins of one second.
 *
 * A deadline belongs to the first whole second at or after it and fires when packet time passes into that second or
 * beyond. Idle deadlines move with every packet; here they move only when their old bin fires, so a packet costs no
 * timer work.
 */
import type { Flow } from './table.js'

/** What is due in one second. */
export interface Bin {
  /** Flows that were to be idle by now when they were put here. */
  idle: Flow[]
  /** The same, sorted for eviction: least recently seen last. */
  idleSorted: Flow[]
  /** Completed flows to be emitted. */
  expiry: Flow[]
}

/** The bins, in order of their seconds. */
export class Timers {
  readonly #bins = new Map<number, Bin>()
  /** The bins' seconds, ascending. */
  readonly #seconds: number[] = []
  /** Idle entries in all bins, stale ones included. */
  idleEntries = 0

  /** Puts a flow where it is looked at again. */
  setIdle(second: number, flow: Flow): void {
    this.#bin(second).idle.push(flow)
    this.idleEntries += 1
  }

  /** Puts a completed flow where it is emitted. */
  setExpiry(second: number, flow: Flow): void {
    this.#bin(second).expiry.push(flow)
  }

  /** The earliest second with a bin; Infinity for none. */
  first(): number {
    return this.#seconds[0] ?? Number.POSITIVE_INFINITY
  }

  /** Takes the bin of a second out. */
  take(second: number): Bin | undefined {
    const bin = this.#bins.get(second)
    if (bin === undefined) return undefined
    this.#bins.delete(second)
    this.#seconds.splice(this.#place(second), 1)
    this.idleEntries -= bin.idle.length + bin.idleSorted.length
    return bin
  }

  /** The bins in order, with their seconds. */
  *bins(): Generator<[second: number, bin: Bin], void> {
    for (const second of [...this.#seconds]) {
      const bin = this.#bins.get(second)
      if (bin !== undefined) yield [second, bin]
    }
  }

  /** Drops the idle entries for which `keep` says no. */
  retainIdle(keep: (flow: Flow) => boolean): void {
    let left = 0
    for (const bin of this.#bins.values()) {
      bin.idle = bin.idle.filter(keep)
      bin.idleSorted = bin.idleSorted.filter(keep)
      left += bin.idle.length + bin.idleSorted.length
    }
    this.idleEntries = left
  }

  /** Takes all bins out, in order. */
  clear(): Bin[] {
    const bins = Array.from(this.bins(), ([, bin]) => bin)
    this.#bins.clear()
    this.#seconds.length = 0
    this.idleEntries = 0
    return bins
  }

  #bin(second: number): Bin {
    let bin = this.#bins.get(second)
    if (bin === undefined) {
      bin = { idle: [], idleSorted: [], expiry: [] }
      this.#bins.set(second, bin)
      this.#seconds.splice(this.#place(second), 0, second)
    }
    return bin
  }

  /** Where `second` stands, or belongs, among the seconds. */
  #place(second: number): number {
    let [low, high] = [0, this.#seconds.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#seconds[middle]! < second) low = middle + 1
      else high = middle
    }
    return low
  }
}
