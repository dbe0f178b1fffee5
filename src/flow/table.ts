/**
 * The table of open flows in TypeScript: look-up by key number, timers, eviction, and the queue of finished flows. The
 * rules and the order of what comes out are those of the native engine's table, step for step.
 */
import type { FlowEndReason } from '../flow.js'
import { KeySlots } from './keys.js'
import type { OpenRecord } from './record-makers.js'
import { FlowSlots, FlowStatus, Hot, HOT } from './slots.js'
import { entriesOf, inOrder, Timers, type Bin, type Entry } from './timers.js'

/** Why flows end. */
export const END_REASONS: readonly FlowEndReason[] = ['complete', 'idle', 'flush', 'evicted']
const [COMPLETE, IDLE, FLUSH, EVICTED] = [0, 1, 2, 3]

/** Bounds and times of a table. */
export interface FlowTableLimits {
  /** Seconds of packet time. */
  readonly idleTimeout: number
  /** Seconds of packet time. */
  readonly expiryTimeout: number
  /** Most open flows, and most ignored ones. */
  readonly maxFlows: number
}

const NS = 1_000_000_000

/** The last second that 64 bits of nanoseconds reach: what lies beyond is due then. */
const LAST_SECOND = 9_223_372_037

/** A span of time as whole seconds and nanoseconds. */
function span(seconds: number): readonly [whole: number, rest: number] {
  const ns = Math.trunc(seconds * NS)
  if (ns >= 2 ** 63) return [LAST_SECOND, 0]
  const exact = BigInt(ns)
  return [Number(exact / 1_000_000_000n), Number(exact % 1_000_000_000n)]
}

/** Open flows, and those that are ignored. */
export class FlowTable {
  readonly slots = new FlowSlots()
  readonly keys: KeySlots
  readonly #idleWhole: number
  readonly #idleRest: number
  readonly #expiry: number
  readonly #maxFlows: number
  readonly #timers = new Timers()
  /** Slots of finished flows. */
  #ready: number[] = []
  /** Packet time in whole seconds, rounded up; NaN before the first packet. */
  #second = Number.NaN
  /** Flows ever opened. */
  opened = 0
  /** Flows that had to go because the table was full. */
  evicted = 0
  /** Flows that are open now. */
  open = 0
  /** How often all flows were ended at once. */
  flushes = 0

  constructor(limits: FlowTableLimits) {
    const [expiryWhole, expiryRest] = span(limits.expiryTimeout)
    ;[this.#idleWhole, this.#idleRest] = span(limits.idleTimeout)
    // A flow becomes complete at a whole second of packet time.
    this.#expiry = expiryWhole + (expiryRest > 0 ? 1 : 0)
    this.#maxFlows = limits.maxFlows
    this.keys = new KeySlots(limits.maxFlows)
  }

  /** Moves packet time on and ends the flows whose time has come. */
  advance(second: number, nanosecond: number): void {
    const next = nanosecond > 0 ? second + 1 : second
    if (next <= this.#second) return
    if (!Number.isNaN(this.#second)) this.#runTimers(next)
    this.#second = next
  }

  #runTimers(second: number): void {
    for (let first = this.#timers.first(); first <= second; first = this.#timers.first()) this.#fire(first)
  }

  #fire(second: number): void {
    const bin = this.#timers.take(second)
    if (bin === undefined) return
    const idle = bin.idle.concat(bin.idleSorted.flatMap(({ slot, id }) => [slot, id]))
    // In the order in which the flows began: at the limit, the first that completed goes first.
    const ordered = inOrder(idle)
    for (let i = 0; i < ordered.length; i += 2) this.#checkIdle(second, ordered[i]!, ordered[i + 1]!)
    // Completed by an idle bin with an expiry time of 0: they are due in this very second.
    this.#retireAll(bin.expiry.slice(bin.expiryHead).concat(this.#timers.take(second)?.expiry ?? []))
  }

  #checkIdle(second: number, slot: number, id: number): void {
    if (!this.#isActive(slot, id)) return
    const later = this.slots.get(slot, Hot.Idle)
    if (later > second) this.#timers.setIdle(later, slot, id)
    else this.#setComplete(slot, second, IDLE!)
  }

  #isActive(slot: number, id: number): boolean {
    return this.slots.id[slot] === id && this.slots.status[slot] === FlowStatus.Active
  }

  /** Notes the time of a flow's packet. */
  touch(slot: number, second: number, nanosecond: number): void {
    const { hot } = this.slots
    const at = slot * HOT
    hot[at + Hot.Second] = second
    hot[at + Hot.Nanosecond] = nanosecond
    const rest = nanosecond + this.#idleRest
    let idle = second + this.#idleWhole
    if (rest > 0) idle += rest > NS ? 2 : 1
    if (idle > hot[at + Hot.Idle]!) hot[at + Hot.Idle] = Math.min(idle, LAST_SECOND)
  }

  /** Opens a flow with its first packet, and makes room for it where there is none; its slot. */
  add(key: number, firstWay: number, record: OpenRecord, second: number, nanosecond: number): number {
    if (this.open >= this.#maxFlows) this.#evict()
    const { slots } = this
    const slot = slots.take()
    const id = this.opened++
    slots.key[slot] = key
    slots.id[slot] = id
    slots.status[slot] = FlowStatus.Active
    slots.reason[slot] = FLUSH!
    slots.hot[slot * HOT + Hot.Idle] = Number.NEGATIVE_INFINITY
    slots.hot[slot * HOT + Hot.FirstWay] = firstWay
    slots.records[slot] = record
    this.keys.set(key, slot)
    this.open += 1
    this.#tidyTimers()
    this.touch(slot, second, nanosecond)
    this.#timers.setIdle(slots.get(slot, Hot.Idle), slot, id)
    return slot
  }

  /** Idle entries of flows that ended early stay until their second comes; here they go when they outweigh the rest. */
  #tidyTimers(): void {
    if (this.#timers.idleEntries > 2 * this.slots.length + 1024)
      this.#timers.retainIdle((slot, id) => this.#isActive(slot, id))
  }

  /** A chain says that the flow is complete: it stays open for late packets until the expiry timeout. */
  complete(slot: number): void {
    if (this.slots.status[slot] === FlowStatus.Active) this.#setComplete(slot, this.#second, COMPLETE!)
  }

  #setComplete(slot: number, second: number, reason: number): void {
    this.slots.status[slot] = FlowStatus.Expiring
    this.slots.reason[slot] = reason
    this.#timers.setExpiry(Math.min(second + this.#expiry, LAST_SECOND), slot, this.slots.id[slot]!)
  }

  /** Ends flows in the order in which they began. */
  #retireAll(due: number[]): void {
    const ordered = inOrder(due)
    for (let i = 0; i < ordered.length; i += 2) this.#retire(ordered[i]!, ordered[i + 1]!)
  }

  /** Takes a flow out of the table and puts it into the queue of finished ones. */
  #retire(slot: number, id: number): void {
    const { slots } = this
    const status = slots.status[slot]
    if (slots.id[slot] !== id || (status !== FlowStatus.Active && status !== FlowStatus.Expiring)) return
    slots.status[slot] = FlowStatus.Ready
    this.open -= 1
    this.keys.clear(slots.key[slot]!)
    this.#ready.push(slot)
  }

  /** Makes room for one flow. */
  #evict(): void {
    this.evicted += 1
    const expiring = this.#firstExpiring()
    if (expiring !== undefined) return this.#retire(expiring.slot, expiring.id)
    const entry = this.#leastRecentlySeen()
    if (entry === undefined) return
    this.slots.reason[entry.slot] = EVICTED!
    this.#retire(entry.slot, entry.id)
  }

  #firstExpiring(): Entry | undefined {
    let entry: Entry | undefined
    this.#timers.find(bin => (entry = this.#firstExpiringOf(bin)) !== undefined)
    return entry
  }

  #firstExpiringOf(bin: Bin): Entry | undefined {
    while (bin.expiryHead < bin.expiry.length) {
      const slot = bin.expiry[bin.expiryHead]!
      const id = bin.expiry[bin.expiryHead + 1]!
      bin.expiryHead += 2
      if (this.slots.id[slot] === id && this.slots.status[slot] === FlowStatus.Expiring) return { slot, id }
    }
    return undefined
  }

  /** The earliest idle bin holds the flows that were seen least recently; it is sorted once, when first needed. */
  #leastRecentlySeen(): Entry | undefined {
    for (;;) {
      const found = this.#timers.find(({ idle, idleSorted }) => idle.length > 0 || idleSorted.length > 0)
      if (found === undefined) return undefined
      const [second, bin] = found
      if (bin.idleSorted.length === 0) this.#sortIdle(bin)
      const entry = bin.idleSorted.pop()!
      this.#timers.idleEntries -= 1
      if (!this.#isActive(entry.slot, entry.id)) continue
      const later = this.slots.get(entry.slot, Hot.Idle)
      // Seen again since the sorting: its turn is after all that weren't.
      if (later <= second && this.#seenUntil(entry, bin)) return entry
      this.#timers.setIdle(Math.max(later, second), entry.slot, entry.id)
    }
  }

  #seenUntil({ slot }: Entry, { sortedSecond, sortedNanosecond }: Bin): boolean {
    const second = this.slots.get(slot, Hot.Second)
    return second < sortedSecond || (second === sortedSecond && this.slots.get(slot, Hot.Nanosecond) <= sortedNanosecond)
  }

  #sortIdle(bin: Bin): void {
    const { slots } = this
    const later = (a: Entry, b: Entry, value: typeof Hot.Second | typeof Hot.Nanosecond) => slots.get(b.slot, value) - slots.get(a.slot, value)
    bin.idleSorted = entriesOf(bin.idle).toSorted(
      (a, b) => later(a, b, Hot.Second) || later(a, b, Hot.Nanosecond) || b.id - a.id,
    )
    bin.idle = []
    const latest = bin.idleSorted[0]
    if (latest === undefined) return
    bin.sortedSecond = slots.get(latest.slot, Hot.Second)
    bin.sortedNanosecond = slots.get(latest.slot, Hot.Nanosecond)
  }

  /**
   * Ends every flow: complete ones first, in the order in which they would have expired, then the others in the order
   * in which they began. Nothing is ignored any more.
   */
  flush(): void {
    this.flushes += 1
    for (const bin of this.#timers.clear()) this.#retireAll(bin.expiry.slice(bin.expiryHead))
    const { slots } = this
    const open: number[] = []
    for (let slot = 0; slot < slots.length; slot++)
      if (slots.status[slot] === FlowStatus.Active || slots.status[slot] === FlowStatus.Expiring) open.push(slot, slots.id[slot]!)
    this.#retireAll(open)
    this.keys.clearIgnored()
  }

  /** Slots of finished flows, in the order in which they ended; whoever takes them gives them back to `slots`. */
  takeFinished(): number[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }
}
