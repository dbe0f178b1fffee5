/** Flow records that an engine makes by itself: all chains are built in. */
import type { CaptureInfo } from '../capture-info.js'
import { RowArrays, rowMaker, type MakeRow } from '../batch/row-maker.js'
import { BatchView, parseLayout, type Layout } from '../batch/view.js'
import type { AnyChain } from '../chain/chain.js'
import type { Engine } from '../engine.js'
import { Drive, makeSlots, type DriveOptions, type Filled, type Slot } from '../iterate.js'
import type { ObserveStats } from '../stats.js'
import { BASE_COLUMNS } from './columns.js'
import type { RecordSource } from './source.js'

/** Batches that go round: the first records take V8 a while, in which the engine shall run on. */
const SLOTS = 10

/** A batch and the arrays that records are read from. */
interface FlowSlot extends Slot {
  readonly arrays: RowArrays
}

/** Reads the records out of an engine's batches. */
export class NativeRecords<Flow> implements RecordSource<Flow> {
  readonly #engine: Engine
  readonly #drive: Drive<FlowSlot>
  readonly #batches: AsyncGenerator<Filled<FlowSlot>, undefined>
  readonly #make: MakeRow<Flow>
  #slot: FlowSlot
  #arrays: RowArrays
  /** Rows of the batch that are not yet handed out: from `#row` to `#rows`. */
  #row = 0
  #rows = 0

  constructor(engine: Engine, chains: readonly AnyChain[], captures: readonly string[] | null, options: DriveOptions) {
    this.#engine = engine
    const layout = parseLayout(engine.layout())
    const slots = makeSlots(engine, SLOTS, () => flowSlot(layout, captures))
    this.#make = rowMaker<Flow>(layout, { name: 'FlowRow', columns: columnNames(chains, captures) })
    this.#slot = slots[0]
    this.#arrays = slots[0].arrays
    this.#drive = new Drive(engine, options)
    this.#batches = this.#drive.batches(slots)
  }

  take(): Flow | undefined {
    return this.#row < this.#rows ? this.#make(this.#arrays, this.#row++) : undefined
  }

  async pull(): Promise<boolean> {
    const { done, value } = await this.#batches.next()
    if (done === true) return false
    this.#slot = value.slot
    this.#arrays = value.slot.arrays
    this.#rows = value.rows
    this.#row = 0
    return true
  }

  stats(): ObserveStats {
    return this.#slot.view.stats() as unknown as ObserveStats
  }

  captures(): readonly CaptureInfo[] {
    return this.#drive.captures
  }

  finish(): void {
    this.#drive.finish()
  }

  flush(): void {
    this.#engine.flush()
  }

  async stop(): Promise<void> {
    this.#rows = 0
    this.#drive.stop()
    await this.#batches.return(undefined)
  }
}

/** Drives an engine of flow records for its columns alone. A batch is valid until the next one is asked for. */
export function driveBatches(engine: Engine, options: DriveOptions): AsyncGenerator<Filled<Slot>, undefined> {
  const layout = parseLayout(engine.layout())
  return new Drive<Slot>(engine, options).batches(makeSlots(engine, SLOTS, () => slot(layout)))
}

function slot(layout: Layout): Slot {
  return { view: new BatchView(layout) }
}

function columnNames(chains: readonly AnyChain[], captures: readonly string[] | null): string[] {
  const base = BASE_COLUMNS.filter(name => name !== 'capture' || captures !== null)
  return [...base, ...chains.flatMap(chain => chain.columns ?? [])]
}

function flowSlot(layout: Layout, captures: readonly string[] | null): FlowSlot {
  const view = new BatchView(layout)
  return { view, arrays: new RowArrays(view, captures) }
}
