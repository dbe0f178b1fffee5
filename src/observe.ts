/** `observe`: captures in, flow records out. */
import { BatchView, parseLayout, type Layout } from './batch/view.js'
import type { CaptureInfo } from './capture-info.js'
import type { AnyChain, FieldsOfAll, RowWriter } from './chain/chain.js'
import { OptionError, type FlowError } from './errors.js'
import { bindBase, type FlowBase, type RowReader } from './flow.js'
import { Drive, type Filled, type Slot } from './iterate.js'
import { nativeEngines } from './native/index.js'
import {
  abortSignal,
  checkFilter,
  checkReading,
  checkTimes,
  flag,
  knownNames,
  READ_OPTION_NAMES,
  type ObserveTimes,
  type ReadOptions,
} from './options.js'
import { sourceList, sourceName, type CaptureSource } from './source.js'
import { addStats } from './stats.js'

/** What `observe` takes. */
export interface ObserveOptions<Chains extends readonly AnyChain[]> extends ObserveTimes, ReadOptions {
  /**
   * Chains whose columns the records have.
   * @defaultValue none: the base columns only
   */
  chains?: Chains
  /**
   * Reads each capture by itself: no flow goes on from one to the next, and serial numbers begin anew.
   * @defaultValue false
   */
  separate?: boolean
}

/** A flow record with the columns of the given chains. */
export type FlowRecord<Chains extends readonly AnyChain[]> = Simplify<FlowBase & FieldsOfAll<Chains>>

/** The same type, shown as one object. */
type Simplify<T> = { [Key in keyof T]: T[Key] } & {}

/** Counters of a run. */
export interface ObserveStats {
  /** Packets read. */
  packets: number
  /** Octets of packets captured. */
  capturedBytes: number
  /** Octets of input read. */
  inputBytes: number
  /** Packets that the filter left out; they count nowhere else. */
  filtered: number
  /** Packets that carry no IP. */
  nonIp: number
  /** Packets of an unknown link type. */
  unknownLink: number
  /** Packets cut inside the link-layer or IP header. */
  cut: number
  /** Packets with a header that contradicts itself. */
  broken: number
  /** Packets without the ports that their protocol should have: later fragments, or cut. */
  shortKey: number
  /** Packets of flows that a chain wants to ignore. */
  ignored: number
  /** ICMP errors counted to the flow that they quote. */
  quoted: number
  /** Packets with TCP whose header is broken, or cut before its flags. */
  badSegments: number
  /** Flows opened. */
  flows: number
  /** Flows ended because the table was full. */
  evicted: number
  /** Flows open now. */
  openFlows: number
}

const OPTION_NAMES = ['chains', 'separate', 'idleTimeout', 'expiryTimeout', 'maxFlows', 'aggregate', ...READ_OPTION_NAMES]

/**
 * Reads captures and gives one record per flow, in the order in which flows end.
 *
 * @param source one capture or several, read in the order given with flows kept open from one to the next, unless
 * `merge` or `separate` say otherwise
 * @returns an iterator of records; leaving the loop closes files and threads
 * @throws {@link OptionError} for an option that can't be used; the loop throws {@link CaptureError} after the last
 * record where a capture couldn't be read in full
 *
 * @example
 * for await (const flow of observe('capture.pcap', { chains: [basicChain(), tcpChain()] }))
 *   if (flow.tcp_connected) console.log(flow.sip, flow.dp, flow.pkt_fwd)
 */
export function observe<const Chains extends readonly AnyChain[] = []>(
  source: CaptureSource | readonly CaptureSource[],
  options: ObserveOptions<Chains> = {},
): Observer<FlowRecord<Chains>> {
  return new Observer<FlowRecord<Chains>>(source, options)
}

/** Reads captures and gives flow records: what {@link observe} returns. */
export class Observer<Flow extends object = FlowBase> implements AsyncIterableIterator<Flow, undefined> {
  readonly #start: (group: Group) => Run<Flow>
  readonly #batches: AsyncGenerator<Filled<FlowSlot<Flow>>, undefined>
  #run: Run<Flow>
  #slot: FlowSlot<Flow>
  /** Counters and captures of the runs before this one, where captures are read separately. */
  #before: ObserveStats | undefined
  #capturesBefore: readonly CaptureInfo[] = []
  #finished = false
  #firstError: FlowError | undefined
  /** Rows of the batch that are not yet handed out: from `#row` to `#rows`. */
  #row = 0
  #rows = 0

  constructor(source: CaptureSource | readonly CaptureSource[], options: ObserveOptions<readonly AnyChain[]> = {}) {
    knownNames(options, OPTION_NAMES)
    const sources = sourceList(source)
    const chains = checkChains(options.chains ?? [])
    const signal = abortSignal(options.signal)
    const { merge, follow } = checkReading(options, sources.length)
    const groups = flag('separate', options.separate, false)
      ? sources.map(one => ({ sources: [one], names: [sourceName(one)] }))
      : [{ sources, names: sources.length > 1 ? sources.map(sourceName) : null }]
    const onError = options.onError ?? ((error: FlowError) => void (this.#firstError ??= error))
    const engineOptions = {
      chains: chains.map(chain => chain.name),
      ...checkTimes(options),
      ...checkFilter(options.filter),
    }
    this.#start = group => {
      const engine = nativeEngines.flows(engineOptions)
      const layout = parseLayout(engine.layout())
      const slots = [flowSlot<Flow>(layout, chains, group.names), flowSlot<Flow>(layout, chains, group.names)] as const
      const last = group === groups.at(-1)
      return { slots, drive: new Drive(engine, { sources: group.sources, merge, follow: follow && last, signal, onError }) }
    }
    this.#run = this.#start(groups[0]!)
    this.#slot = this.#run.slots[0]
    this.#batches = this.#runEach(groups)
  }

  /** Reads the groups one after another; the first is begun already. */
  async *#runEach(groups: readonly Group[]): AsyncGenerator<Filled<FlowSlot<Flow>>, undefined> {
    for (const [index, group] of groups.entries()) {
      if (this.#finished) break
      if (index > 0) this.#begin(this.#start(group))
      yield* this.#run.drive.batches(this.#run.slots)
    }
    if (this.#firstError) throw this.#firstError
  }

  #begin(run: Run<Flow>): void {
    this.#before = this.stats
    this.#capturesBefore = this.captures
    this.#run = run
    this.#slot = run.slots[0]
  }

  /** Counters as they stood when the latest batch was filled. */
  get stats(): ObserveStats {
    return addStats(this.#before, this.#slot.view.stats() as unknown as ObserveStats)
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return [...this.#capturesBefore, ...this.#run.drive.captures]
  }

  /** The next record. */
  next(): Promise<IteratorResult<Flow, undefined>> {
    if (this.#row < this.#rows) return Promise.resolve({ done: false, value: this.#slot.read(this.#row++) })
    return this.#nextBatch()
  }

  async #nextBatch(): Promise<IteratorResult<Flow, undefined>> {
    do {
      const { done, value } = await this.#batches.next()
      if (done === true) return { done: true, value: undefined }
      this.#slot = value.slot
      this.#rows = value.rows
    } while (this.#rows === 0)
    this.#row = 1
    return { done: false, value: this.#slot.read(0) }
  }

  /**
   * Ends the wait for more of a stream or of a capture that is followed, and opens no further capture: the flows that
   * are open come, and the loop ends.
   */
  finish(): void {
    this.#finished = true
    this.#run.drive.stop()
  }

  /** Stops reading and lets go of files and threads. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#rows = 0
    this.finish()
    await this.#batches.return(undefined)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Captures that one engine reads, and their names for the column `capture`. */
interface Group {
  readonly sources: readonly CaptureSource[]
  readonly names: readonly string[] | null
}

/** An engine at work on a group. */
interface Run<Flow> {
  readonly drive: Drive<FlowSlot<Flow>>
  readonly slots: readonly [FlowSlot<Flow>, FlowSlot<Flow>]
}

/** A batch and a reader of its rows. */
interface FlowSlot<Flow> extends Slot {
  readonly read: RowReader<Flow>
}

function flowSlot<Flow>(
  layout: Layout,
  chains: readonly AnyChain[],
  captures: readonly string[] | null,
): FlowSlot<Flow> {
  const view = new BatchView(layout)
  const base = bindBase(view, captures)
  const writers: RowWriter<FlowBase>[] = chains.map(chain => chain.bind(view))
  const read = (row: number): Flow => {
    const record = base(row)
    for (const write of writers) write(row, record)
    return record as unknown as Flow
  }
  return { view, read }
}

function checkChains(chains: readonly AnyChain[]): readonly AnyChain[] {
  if (!Array.isArray(chains)) throw new OptionError('chains: expected a list of chains, such as [basicChain()]')
  const owners = new Map<string, string>()
  for (const chain of chains) {
    if (typeof chain?.name !== 'string' || typeof chain.bind !== 'function')
      throw new OptionError('chains: expected chains, such as basicChain() (with its parentheses)')
    for (const column of chain.columns) {
      const owner = owners.get(column)
      if (owner !== undefined)
        throw new OptionError(`chains: '${owner}' and '${chain.name}' both have a column ${column}`)
      owners.set(column, chain.name)
    }
  }
  return chains
}
