/**
 * Idle and expiry timers on packet time, in bins of one second.
 *
 * A deadline belongs to the first whole second at or after it and fires when packet time passes into that second or
 * beyond. Idle deadlines move with every packet; here they move only when their old bin fires, so a packet costs no
 * timer work.
 */

/** Flows as pairs in one list: a flow's slot, and its serial number, which tells which of the slot's flows is meant. */
export type Entries = number[]

/** One entry of such a list. */
export interface Entry {
  readonly slot: number
  readonly id: number
}

/** The entries of a list, one by one. */
export function entriesOf(list: Entries): Entry[] {
  const out: Entry[] = []
  for (let i = 0; i < list.length; i += 2) out.push({ slot: list[i]!, id: list[i + 1]! })
  return out
}

/** A slot and a serial number below these fit into one double, which sorts as the serial number does. */
const SLOTS = 2 ** 22
const SERIALS = 2 ** 31

/** The entries in the order in which their flows began. A million may end at once: none becomes an object. */
export function inOrder(list: Entries): Entries {
  const packed = new Float64Array(list.length / 2)
  let isSorted = true
  for (let i = 0, before = -1; i < packed.length; i++) {
    const [slot, id] = [list[2 * i]!, list[2 * i + 1]!]
    if (slot >= SLOTS || id >= SERIALS) return inOrderByObjects(list)
    packed[i] = id * SLOTS + slot
    isSorted &&= id > before
    before = id
  }
  return isSorted ? list : unpacked(packed.toSorted())
}

function unpacked(packed: Float64Array): Entries {
  const list: Entries = []
  for (let i = 0; i < packed.length; i++) {
    const id = Math.floor(packed[i]! / SLOTS)
    list.push(packed[i]! - id * SLOTS, id)
  }
  return list
}

function inOrderByObjects(list: Entries): Entries {
  return entriesOf(list).toSorted((a, b) => a.id - b.id).flatMap(({ slot, id }) => [slot, id])
}

/** What is due in one second. */
export interface Bin {
  /** Flows that were to be idle by now when they were put here. */
  idle: Entries
  /** The same, sorted for eviction: least recently seen last. */
  idleSorted: Entry[]
  /** When the latest of them was seen, as they were sorted. */
  sortedSecond: number
  sortedNanosecond: number
  /** Completed flows to be emitted, in the order in which they completed. */
  expiry: Entries
  /** Where the first of them stands that was not evicted. */
  expiryHead: number
}

/** The bins, in order of their seconds. */
export class Timers {
  readonly #bins = new Map<number, Bin>()
  /** The bins' seconds, ascending. */
  readonly #seconds: number[] = []
  /** The bin that was asked for last. */
  #lastSecond = Number.NaN
  #lastBin: Bin | undefined
  /** Idle entries in all bins, stale ones included. */
  idleEntries = 0

  /** Puts a flow where it is looked at again. */
  setIdle(second: number, slot: number, id: number): void {
    this.#bin(second).idle.push(slot, id)
    this.idleEntries += 1
  }

  /** Puts a completed flow where it is emitted. */
  setExpiry(second: number, slot: number, id: number): void {
    this.#bin(second).expiry.push(slot, id)
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
    this.#lastSecond = Number.NaN
    this.idleEntries -= bin.idle.length / 2 + bin.idleSorted.length
    return bin
  }

  /** The first bin, in order, for which `test` says yes, and its second. */
  find(test: (bin: Bin) => boolean): readonly [second: number, bin: Bin] | undefined {
    for (const second of this.#seconds) {
      const bin = this.#bins.get(second)!
      if (test(bin)) return [second, bin]
    }
    return undefined
  }

  /** Drops the idle entries for which `keep` says no. */
  retainIdle(keep: (slot: number, id: number) => boolean): void {
    let left = 0
    for (const bin of this.#bins.values()) {
      bin.idle = entriesOf(bin.idle).flatMap(({ slot, id }) => (keep(slot, id) ? [slot, id] : []))
      bin.idleSorted = bin.idleSorted.filter(({ slot, id }) => keep(slot, id))
      left += bin.idle.length / 2 + bin.idleSorted.length
    }
    this.idleEntries = left
  }

  /** Takes all bins out, in order. */
  clear(): Bin[] {
    const bins = this.#seconds.map(second => this.#bins.get(second)!)
    this.#bins.clear()
    this.#seconds.length = 0
    this.#lastSecond = Number.NaN
    this.idleEntries = 0
    return bins
  }

  #bin(second: number): Bin {
    if (second === this.#lastSecond) return this.#lastBin!
    let bin = this.#bins.get(second)
    if (bin === undefined) {
      bin = { idle: [], idleSorted: [], sortedSecond: 0, sortedNanosecond: 0, expiry: [], expiryHead: 0 }
      this.#bins.set(second, bin)
      this.#seconds.splice(this.#place(second), 0, second)
    }
    this.#lastSecond = second
    this.#lastBin = bin
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
