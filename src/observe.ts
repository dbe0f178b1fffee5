/** `observe`: captures in, flow records out. */
import { isBuiltIn, type AnyChain, type FieldsOfAll, type WithoutClash } from './chain/chain.js'
import type { FlowBase } from './flow.js'
import { checkChains } from './flow/columns.js'
import { HookedRecords } from './flow/hooked-records.js'
import { NativeRecords } from './flow/native-records.js'
import type { RecordSource } from './flow/source.js'
import { nativeEngines } from './native/index.js'
import {
  abortSignal,
  checkDecode,
  checkFilter,
  checkTimes,
  knownNames,
  READ_OPTION_NAMES,
  type ObserveTimes,
  type ReadOptions,
} from './options.js'
import { sourceList, sourceName, type CaptureSource } from './source.js'

/** What `observe` takes. */
export interface ObserveOptions<Chains extends readonly AnyChain[]> extends ObserveTimes, ReadOptions {
  /**
   * Chains whose columns the records have. Where all are built in, they run in the engine; where one is your own, all
   * run in JavaScript and give the same records.
   * @defaultValue none: the base columns only
   */
  chains?: Chains & WithoutClash<Chains>
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
  /** Packets that are fragments. A datagram counts when its last fragment comes. */
  fragments: number
  /** Datagrams put together from fragments. */
  reassembled: number
  /** Datagrams of which fragments are missing now. */
  incomplete: number
  /** Datagrams whose missing fragments didn't come in time. */
  fragmentTimeouts: number
  /** Datagrams given up because of a limit on fragments. */
  fragmentEvictions: number
  /** Fragments that can't be: empty, unaligned, too long, or at odds about the datagram's end. */
  invalidFragments: number
  /** Fragments that overlap another one. */
  fragmentOverlaps: number
  /** Packets with a bad checksum, where checksums are looked at. */
  badChecksums: number
  /** Packets without the ports that their protocol should have: cut ones. */
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
  /** A link type that isn't known, where `unknownLinkPackets1` is more than 0; up to four are told apart. */
  unknownLinkType1: number
  /** Packets of it. */
  unknownLinkPackets1: number
  /** The second such type. */
  unknownLinkType2: number
  /** Packets of it. */
  unknownLinkPackets2: number
  /** The third such type. */
  unknownLinkType3: number
  /** Packets of it. */
  unknownLinkPackets3: number
  /** The fourth such type. */
  unknownLinkType4: number
  /** Packets of it. */
  unknownLinkPackets4: number
}

const OPTION_NAMES = ['chains', 'idleTimeout', 'expiryTimeout', 'maxFlows', 'aggregate', ...READ_OPTION_NAMES]

/**
 * Reads captures and gives one record per flow, in the order in which flows end.
 *
 * @param source one capture or several, read in the order given with flows kept open from one to the next
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
  /** The latest of the requests that wait for a batch, and how many wait. */
  #latest: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(source: CaptureSource | readonly CaptureSource[], options: ObserveOptions<readonly AnyChain[]> = {}) {
    knownNames(options, OPTION_NAMES)
    this.#source = openRecords<Flow>(source, options)
    this.#signal = options.signal
  }

  /** Counters as they stood when the latest batch was read. */
  get stats(): ObserveStats {
    return this.#source.stats()
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
    const value = this.#waiting === 0 ? this.#take() : undefined
    if (value !== undefined) return Promise.resolve({ done: false, value })
    // Whoever asks while another waits for a batch comes after it, or the batch's other records would be passed over.
    this.#waiting += 1
    const answer = this.#latest.then(() => this.#nextInTurn()).finally(() => (this.#waiting -= 1))
    this.#latest = answer.catch(() => {})
    return answer
  }

  /** A record that is ready; none after an abort, which the next batch then reports. */
  #take(): Flow | undefined {
    return this.#signal?.aborted === true ? undefined : this.#source.take()
  }

  async #nextInTurn(): Promise<IteratorResult<Flow, undefined>> {
    for (let value = this.#take(); ; value = this.#take()) {
      if (value !== undefined) return { done: false, value }
      if (!(await this.#source.pull())) return { done: true, value: undefined }
    }
  }

  /** Stops reading and lets go of files and threads. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#source.stop()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Chooses who makes the records: the engine where all chains are built in, else the chains' hooks. */
function openRecords<Flow>(
  source: CaptureSource | readonly CaptureSource[],
  options: ObserveOptions<readonly AnyChain[]>,
): RecordSource<Flow> {
  const sources = sourceList(source)
  const chains = checkChains(options.chains ?? [])
  const times = checkTimes(options)
  const filter = checkFilter(options.filter)
  const decode = checkDecode(options)
  const drive = { sources, signal: abortSignal(options.signal), onError: options.onError }
  const captures = sources.length > 1 ? sources.map(sourceName) : null
  if (!chains.every(isBuiltIn)) {
    const engine = nativeEngines.packets({ aggregate: times.aggregate, decode, ...filter })
    return new HookedRecords<Flow>(engine, chains, times, captures, drive)
  }
  const engine = nativeEngines.flows({ chains: chains.map(chain => chain.name), ...times, decode, ...filter })
  return new NativeRecords<Flow>(engine, chains, captures, drive)
}
