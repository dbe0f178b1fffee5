/**
 * The table of open flows in TypeScript: look-up by key number, timers, eviction, and the queue of finished flows. The
 * rules and the order of what comes out are those of the native engine's table, step for step.
 */
import type { FlowBase, FlowEndReason } from '../flow.js'
import { Timers } from './timers.js'

/** What becomes of a flow. */
export const FlowStatus = {
  Active: 0,
  /** Complete or idle: open to late packets until it expires. */
  Expiring: 1,
  /** Out of the table. */
  Gone: 2,
  /** A chain wants none of it. */
  Ignored: 3,
} as const

/** One flow. */
export class Flow {
  readonly key: number
  readonly id: number
  /** The key's first endpoint sent the first packet. */
  readonly firstIsFwd: boolean
  record: FlowBase
  /** Time of the latest packet. */
  second = 0
  nanosecond = 0
  /** Second at which the flow is idle. */
  idleSecond = Number.NEGATIVE_INFINITY
  status: number = FlowStatus.Active
  reason: FlowEndReason = 'flush'

  constructor(key: number, id: number, firstIsFwd: boolean, record: FlowBase) {
    this.key = key
    this.id = id
    this.firstIsFwd = firstIsFwd
    this.record = record
  }
}

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

/** A span of time as whole seconds and nanoseconds; beyond what 64 bits of nanoseconds hold it is for ever. */
function span(seconds: number): readonly [whole: number, rest: number] {
  const ns = Math.trunc(seconds * NS)
  if (ns >= 2 ** 63) return [Number.POSITIVE_INFINITY, 0]
  const exact = BigInt(ns)
  return [Number(exact / 1_000_000_000n), Number(exact % 1_000_000_000n)]
}

/** The first whole second at or after a time. */
export function secondAtOrAfter(second: number, nanosecond: number): number {
  return nanosecond > 0 ? second + 1 : second
}

/** The record of a flow that is ignored, or whose record was handed out: nobody reads it. */
export const NO_RECORD = {} as FlowBase

/** Open flows, and those that are ignored. */
export class FlowTable {
  readonly #idle: readonly [number, number]
  readonly #expiry: readonly [number, number]
  readonly #maxFlows: number
  readonly #flows: (Flow | undefined)[] = []
  readonly #timers = new Timers()
  #ready: Flow[] = []
  /** Keys of ignored flows, in the order in which they were met, from `#ignoredFrom` on. */
  #ignored: number[] = []
  #ignoredFrom = 0
  /** Keys that had a flow and may have none now. */
  #candidates: number[] = []
  /** Packet time in whole seconds, rounded up; none before the first packet. */
  #second: number | undefined
  /** Most flows that were in the table or the queue at a time. */
  #peak = 0
  /** Flows ever opened. */
  opened = 0
  /** Flows that had to go because the table was full. */
  evicted = 0
  /** Flows that are open now. */
  open = 0

  constructor(limits: FlowTableLimits) {
    this.#idle = span(limits.idleTimeout)
    this.#expiry = span(limits.expiryTimeout)
    this.#maxFlows = limits.maxFlows
  }

  /** Moves packet time on and ends the flows whose time has come. */
  advance(second: number, nanosecond: number): void {
    const next = nanosecond > 0 ? second + 1 : second
    if (this.#second === undefined) this.#second = next
    else if (next > this.#second) this.#runTimers(next)
  }

  #runTimers(second: number): void {
    for (let first = this.#timers.first(); first <= second; first = this.#timers.first()) this.#fire(first)
    this.#second = second
  }

  #fire(second: number): void {
    const bin = this.#timers.take(second)
    if (bin === undefined) return
    for (const list of [bin.idle, bin.idleSorted])
      for (const flow of list) {
        if (flow.status !== FlowStatus.Active) continue
        if (flow.idleSecond > second) this.#timers.setIdle(flow.idleSecond, flow)
        else this.#setComplete(flow, second, 'idle')
      }
    // Completed by an idle bin with an expiry time of 0: they are due in this very second.
    const due = bin.expiry.concat(this.#timers.take(second)?.expiry ?? [])
    due.sort((a, b) => a.id - b.id)
    for (const flow of due) this.#retire(flow)
  }

  /** The flow of a key: open, expiring or ignored. */
  find(key: number): Flow | undefined {
    return this.#flows[key]
  }

  /** Notes the time of a flow's packet. */
  touch(flow: Flow, second: number, nanosecond: number): void {
    flow.second = second
    flow.nanosecond = nanosecond
    const rest = nanosecond + this.#idle[1]
    let idle = second + this.#idle[0]
    if (rest > 0) idle += rest > NS ? 2 : 1
    if (idle > flow.idleSecond) flow.idleSecond = idle
  }

  /** Opens a flow with its first packet's record; makes room for it where there is none. */
  add(key: number, firstIsFwd: boolean, record: FlowBase, second: number, nanosecond: number): Flow {
    if (this.open >= this.#maxFlows) this.#evict()
    const flow = new Flow(key, this.opened++, firstIsFwd, record)
    record.flow_id = flow.id
    this.#flows[key] = flow
    this.open += 1
    this.#peak = Math.max(this.#peak, this.open + this.#ready.length)
    this.#tidyTimers()
    this.touch(flow, second, nanosecond)
    this.#timers.setIdle(flow.idleSecond, flow)
    return flow
  }

  /** Ignores a key from now on; at the limit the one that was ignored first is forgotten. */
  ignore(key: number): Flow {
    const flow = new Flow(key, -1, true, NO_RECORD)
    flow.status = FlowStatus.Ignored
    this.#flows[key] = flow
    this.#ignored.push(key)
    if (this.#ignored.length - this.#ignoredFrom > this.#maxFlows) this.#forget(this.#ignored[this.#ignoredFrom++]!)
    if (this.#ignoredFrom > 4096 && this.#ignoredFrom * 2 > this.#ignored.length) {
      this.#ignored = this.#ignored.slice(this.#ignoredFrom)
      this.#ignoredFrom = 0
    }
    return flow
  }

  #forget(key: number): void {
    this.#flows[key] = undefined
    this.#candidates.push(key)
  }

  /** Idle entries of flows that ended early stay until their second comes; here they go when they outweigh the rest. */
  #tidyTimers(): void {
    if (this.#timers.idleEntries > 2 * this.#peak + 1024)
      this.#timers.retainIdle(flow => flow.status === FlowStatus.Active)
  }

  /** A chain says that the flow is complete: it stays open for late packets until the expiry timeout. */
  complete(flow: Flow): void {
    if (flow.status === FlowStatus.Active) this.#setComplete(flow, this.#second ?? 0, 'complete')
  }

  #setComplete(flow: Flow, second: number, reason: FlowEndReason): void {
    flow.status = FlowStatus.Expiring
    flow.reason = reason
    this.#timers.setExpiry(secondAtOrAfter(second + this.#expiry[0], this.#expiry[1]), flow)
  }

  /** Takes a flow out of the table and puts it into the queue of finished ones. */
  #retire(flow: Flow): void {
    if (flow.status !== FlowStatus.Active && flow.status !== FlowStatus.Expiring) return
    flow.status = FlowStatus.Gone
    this.open -= 1
    this.#forget(flow.key)
    this.#ready.push(flow)
  }

  /** Makes room for one flow. */
  #evict(): void {
    this.evicted += 1
    const expiring = this.#firstExpiring()
    if (expiring !== undefined) return this.#retire(expiring)
    const flow = this.#leastRecentlySeen()
    if (flow === undefined) return
    flow.reason = 'evicted'
    this.#retire(flow)
  }

  #firstExpiring(): Flow | undefined {
    for (const [, bin] of this.#timers.bins())
      for (let flow = bin.expiry.pop(); flow !== undefined; flow = bin.expiry.pop())
        if (flow.status === FlowStatus.Expiring) return flow
    return undefined
  }

  /** The earliest idle bin holds the flows that were seen least recently; it is sorted once, when first needed. */
  #leastRecentlySeen(): Flow | undefined {
    for (;;) {
      const found = this.#firstIdleBin()
      if (found === undefined) return undefined
      const [second, bin] = found
      if (bin.idleSorted.length === 0) {
        bin.idleSorted = bin.idle
        bin.idle = []
        bin.idleSorted.sort((a, b) => b.second - a.second || b.nanosecond - a.nanosecond)
      }
      const flow = bin.idleSorted.pop()!
      this.#timers.idleEntries -= 1
      if (flow.status !== FlowStatus.Active) continue
      if (flow.idleSecond <= second) return flow
      this.#timers.setIdle(flow.idleSecond, flow)
    }
  }

  #firstIdleBin(): [number, { idle: Flow[]; idleSorted: Flow[] }] | undefined {
    for (const found of this.#timers.bins()) if (found[1].idle.length > 0 || found[1].idleSorted.length > 0) return found
    return undefined
  }

  /**
   * Ends every flow: complete ones first, in the order in which they would have expired, then the others in the order
   * in which they began. Nothing is ignored any more.
   */
  flush(): void {
    for (const bin of this.#timers.clear()) for (const flow of bin.expiry.toSorted((a, b) => a.id - b.id)) this.#retire(flow)
    const open = this.#flows.filter(flow => flow !== undefined && flow.status !== FlowStatus.Ignored) as Flow[]
    for (const flow of open.toSorted((a, b) => a.id - b.id)) this.#retire(flow)
    for (const key of this.#ignored.slice(this.#ignoredFrom)) this.#forget(key)
    this.#ignored = []
    this.#ignoredFrom = 0
  }

  /** Finished flows, in the order in which they ended; the queue is empty then. */
  takeFinished(): Flow[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  /** Keys that are needed no more, after `walked`: what an engine takes back. */
  takeUnusedKeys(walked: number): Uint32Array {
    const keys = this.#candidates.filter(key => this.#flows[key] === undefined)
    this.#candidates = []
    const out = new Uint32Array(keys.length + 1)
    out[0] = walked
    out.set(keys, 1)
    return out
  }
}
