/** Flow records that an engine makes by itself: all chains are built in. */
import type { CaptureInfo } from '../capture-info.js'
import { BatchView, parseLayout, type Layout } from '../batch/view.js'
import { isBuiltIn, type AnyChain, type RowWriter } from '../chain/chain.js'
import type { Engine } from '../engine.js'
import { InternalError } from '../errors.js'
import { bindBase, type FlowBase, type RowReader } from '../flow.js'
import { Drive, type DriveOptions, type Filled, type Slot } from '../iterate.js'
import type { ObserveStats } from '../stats.js'
import type { RecordSource } from './source.js'

/** A batch and a reader of its rows. */
interface FlowSlot<Flow> extends Slot {
  readonly read: RowReader<Flow>
}

/** Reads the records out of an engine's batches. */
export class NativeRecords<Flow> implements RecordSource<Flow> {
  readonly #engine: Engine
  readonly #drive: Drive<FlowSlot<Flow>>
  readonly #batches: AsyncGenerator<Filled<FlowSlot<Flow>>, undefined>
  #slot: FlowSlot<Flow>
  /** Rows of the batch that are not yet handed out: from `#row` to `#rows`. */
  #row = 0
  #rows = 0

  constructor(engine: Engine, chains: readonly AnyChain[], captures: readonly string[] | null, options: DriveOptions) {
    this.#engine = engine
    const layout = parseLayout(engine.layout())
    const slots = [flowSlot<Flow>(layout, chains, captures), flowSlot<Flow>(layout, chains, captures)] as const
    this.#slot = slots[0]
    this.#drive = new Drive(engine, options)
    this.#batches = this.#drive.batches(slots)
  }

  take(): Flow | undefined {
    return this.#row < this.#rows ? this.#slot.read(this.#row++) : undefined
  }

  async pull(): Promise<boolean> {
    const { done, value } = await this.#batches.next()
    if (done === true) return false
    this.#slot = value.slot
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
  const slots = [{ view: new BatchView(layout) }, { view: new BatchView(layout) }] as const
  return new Drive<Slot>(engine, options).batches(slots)
}

function flowSlot<Flow>(
  layout: Layout,
  chains: readonly AnyChain[],
  captures: readonly string[] | null,
): FlowSlot<Flow> {
  const view = new BatchView(layout)
  const base = bindBase(view, captures)
  const writers: RowWriter<FlowBase>[] = chains.map(chain => bindChain(chain, view))
  const read = (row: number): Flow => {
    const record = base(row)
    for (const write of writers) write(row, record)
    return record as unknown as Flow
  }
  return { view, read }
}

function bindChain(chain: AnyChain, view: BatchView): RowWriter<FlowBase> {
  if (!isBuiltIn(chain)) throw new InternalError(`the engine doesn't know the chain '${chain.name}'`)
  return chain.bind(view)
}
