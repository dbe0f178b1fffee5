/** Flow records made in TypeScript, packet by packet: at least one chain is the user's own. */
import type { CaptureInfo } from '../capture-info.js'
import { BatchView, parseLayout, type Layout } from '../batch/view.js'
import type { AnyChain } from '../chain/chain.js'
import type { Engine } from '../engine.js'
import { bindOuter } from '../flow.js'
import { Drive, makeSlots, type DriveOptions, type Filled, type Slot } from '../iterate.js'
import type { ObserveStats } from '../stats.js'
import { platform } from '../platform.js'
import type { PacketColumns } from '../packet/columns.js'
import type { RecordSource } from './source.js'
import type { FlowTableLimits } from './table.js'
import { Walker } from './walker.js'

/** Batches that go round. */
const SLOTS = 5

/** A batch of packets and its block. */
interface PacketSlot extends Slot {
  readonly block: Uint8Array
  readonly columns: PacketColumns
}

/** Walks an engine's packets through the chains. */
export class HookedRecords<Flow> implements RecordSource<Flow> {
  readonly #drive: Drive<PacketSlot>
  readonly #batches: AsyncGenerator<Filled<PacketSlot>, undefined>
  readonly #walker: Walker
  #slot: PacketSlot
  /** Slots of finished flows whose records are to be handed out: from `#next` on. */
  #finished: number[] = []
  #next = 0
  /** Batches walked. */
  #walked = 0
  /** What a hook threw: it comes after the records that were ready before. */
  #error: unknown

  constructor(
    engine: Engine,
    chains: readonly AnyChain[],
    limits: FlowTableLimits,
    captures: readonly string[] | null,
    options: DriveOptions,
  ) {
    this.#walker = new Walker(chains, limits, captures)
    const layout = parseLayout(engine.layout())
    const length = engine.blockLength()
    const slots = makeSlots(engine, SLOTS, () => this.#makeSlot(layout, length))
    this.#slot = slots[0]
    this.#drive = new Drive(engine, options)
    this.#batches = this.#drive.batches(slots)
  }

  take(): Flow | undefined {
    if (this.#next >= this.#finished.length) return undefined
    return this.#walker.finish(this.#finished[this.#next++]!) as Flow
  }

  async pull(): Promise<boolean> {
    if (this.#error !== undefined) throw this.#error
    const { done, value } = await this.#batches.next()
    if (done === true) return false
    this.#slot = value.slot
    try {
      this.#walker.walk(value.slot.columns, value.rows)
    } catch (error) {
      this.#error = error
      this.#takeFinished()
      await this.#end()
      return true
    }
    this.#walked += 1
    if (value.last) this.#walker.table.flush()
    this.#takeFinished()
    return true
  }

  stats(): ObserveStats {
    const { table, ignored } = this.#walker
    const stats = this.#slot.view.stats() as unknown as ObserveStats
    return { ...stats, ignored, flows: table.opened, evicted: table.evicted, openFlows: table.open }
  }

  captures(): readonly CaptureInfo[] {
    return this.#drive.captures
  }

  finish(): void {
    this.#drive.finish()
  }

  flush(): void {
    this.#walker.table.flush()
    this.#takeFinished()
  }

  async stop(): Promise<void> {
    this.#next = this.#finished.length
    await this.#end()
  }

  /** Puts flows behind those that wait already; a flush may have left some. */
  #takeFinished(): void {
    const finished = this.#walker.table.takeFinished()
    this.#finished = this.#next < this.#finished.length ? this.#finished.slice(this.#next).concat(finished) : finished
    this.#next = 0
  }

  async #end(): Promise<void> {
    this.#drive.stop()
    await this.#batches.return(undefined)
  }

  #makeSlot(layout: Layout, length: number): PacketSlot {
    const view = new BatchView(layout)
    const block = new Uint8Array(length)
    platform().pin(block.buffer)
    platform().pin(view.bytes.buffer)
    const givenBack = () => this.#walker.table.keys.takeUnused(this.#walked)
    return { view, block, columns: packetColumns(view, block), givenBack }
  }
}

/** The columns of a batch and its block. */
export function packetColumns(view: BatchView, block: Uint8Array): PacketColumns {
  return {
    block,
    key: view.numbers('key'),
    meta: view.numbers('meta'),
    number: view.numbers('number'),
    capture: view.numbers('capture'),
    ts_ns: view.bigints('ts_ns'),
    second: view.numbers('second'),
    nanosecond: view.numbers('nanosecond'),
    ip: view.numbers('ip'),
    ip_len: view.numbers('ip_len'),
    ip_captured: view.numbers('ip_captured'),
    upper: view.numbers('upper'),
    upper_len: view.numbers('upper_len'),
    upper_captured: view.numbers('upper_captured'),
    packets: view.numbers('packets'),
    octets: view.numbers('octets'),
    head: view.data('head'),
    outer: bindOuter(view),
  }
}
