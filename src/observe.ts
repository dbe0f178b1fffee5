/** `observe`: captures in, flow records out. */
import type { CaptureInfo } from './capture-info.js'
import type { AnyChain, FieldsOfAll, WithoutClash } from './chain/chain.js'
import type { ColumnInfo } from './export/columns.js'
import type { FlowBase } from './flow.js'
import { flowColumns } from './flow/describe.js'
import { checkRun, openRecords } from './flow/open.js'
import type { RecordSource } from './flow/source.js'
import { InTurn } from './in-turn.js'
import type { ObserveTimes, ReadOptions } from './options.js'
import { throwingSignal, type CaptureSource } from './source.js'
import type { ObserveStats } from './stats.js'

/** What `observe` takes. */
export interface ObserveOptions<Chains extends readonly AnyChain[]> extends ObserveTimes, ReadOptions {
  /**
   * Chains whose columns the records have. Where all are built in, they run in the engine; where one is your own, all
   * run in JavaScript and give the same records.
   * @defaultValue none: the base columns only
   */
  chains?: Chains & WithoutClash<Chains>
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

export type { ObserveStats } from './stats.js'

/**
 * Reads captures and gives one record per flow, in the order in which flows end.
 *
 * @param source one capture or several, read in the order given with flows kept open from one to the next, unless
 * `merge` or `separate` say otherwise
 * @returns an iterator of records; leaving the loop closes files and threads
 * @throws {@link OptionError} for an option that can't be used; the loop throws {@link CaptureError} after the last
 * record where a capture couldn't be read in full, and {@link ChainError} where a hook threw
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
  readonly #source: RecordSource<Flow>
  readonly #signal: AbortSignal | undefined
  readonly #describe: () => readonly ColumnInfo[]
  #columns: readonly ColumnInfo[] | undefined
  readonly #turns: InTurn<Flow>

  constructor(source: CaptureSource | readonly CaptureSource[], options: ObserveOptions<readonly AnyChain[]> = {}) {
    const run = checkRun(source, options)
    this.#source = openRecords<Flow>(run)
    this.#describe = () => flowColumns(run)
    this.#signal = throwingSignal(run.drive.signal, run.drive.sources)
    this.#turns = new InTurn(() => this.#take(), () => this.#source.pull())
  }

  /** The records' columns, in order, whatever the captures hold; those that a chain of your own declares are `any`. */
  get columns(): readonly ColumnInfo[] {
    return (this.#columns ??= this.#describe())
  }

  /** Counters as they stood when the latest batch was read. */
  get stats(): ObserveStats {
    return this.#source.stats()
  }

  /** What was found out about the captures that are read to their end, in the order given. */
  get captures(): readonly CaptureInfo[] {
    return this.#source.captures()
  }

  /**
   * Ends the wait for more of a stream or of a capture that is followed, and opens no further capture: the flows that
   * are open come, and the loop ends.
   */
  finish(): void {
    this.#source.finish()
  }

  /**
   * Ends every flow that is open now, in PATHspider's order, and forgets which flows are ignored; reading goes on. The
   * records, with `end_reason` `flush`, come with the next ones: where all chains are built in, packets that were read
   * ahead are in them.
   */
  flush(): void {
    this.#source.flush()
  }

  /** The next record. */
  next(): Promise<IteratorResult<Flow, undefined>> {
    return this.#turns.next()
  }

  /** A record that is ready; none after an abort, which the next batch then reports. */
  #take(): Flow | undefined {
    return this.#signal?.aborted === true ? undefined : this.#source.take()
  }

  /** Stops reading and lets go of files and threads. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#source.stop()
    return { done: true, value: undefined }
  }

  /** Itself: `for await` asks for it. */
  [Symbol.asyncIterator](): this {
    return this
  }
}
