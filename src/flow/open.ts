/** From what a user asks for to a run that makes flow records: one place for every way of asking. */
import type { FlowError } from '../errors.js'
import { isBuiltIn, readsPayload, type AnyChain } from '../chain/chain.js'
import type { Engine, EngineFactory } from '../engine.js'
import type { DriveOptions } from '../iterate.js'
import {
  abortSignal,
  checkDecode,
  checkEngine,
  checkFilter,
  checkReading,
  checkTimes,
  flag,
  knownNames,
  READ_OPTION_NAMES,
  type CheckedDecode,
  type CheckedTimes,
  type ObserveTimes,
  type ReadOptions,
} from '../options.js'
import { platform } from '../platform.js'
import { captureNames, needPayload, sourceList, sourceName, type CaptureSource } from '../source.js'
import { checkChains } from './columns.js'
import { HookedRecords } from './hooked-records.js'
import { NativeRecords } from './native-records.js'
import { SeparateRecords } from './separate-records.js'
import type { RecordSource } from './source.js'

/** What a user may ask for. */
export interface RunOptions extends ObserveTimes, ReadOptions {
  chains?: readonly AnyChain[]
  separate?: boolean
}

const OPTION_NAMES = [
  'chains',
  'separate',
  'idleTimeout',
  'expiryTimeout',
  'maxFlows',
  'aggregate',
  ...READ_OPTION_NAMES,
]

/** The same, checked and complete. */
export interface Run {
  readonly chains: readonly AnyChain[]
  readonly engines: EngineFactory
  /** All chains are built in, and the engine computes their columns itself. */
  readonly isBuiltIn: boolean
  readonly times: CheckedTimes
  /** What is read, and how it is decoded. */
  readonly reading: { readonly decode: CheckedDecode; readonly filter?: string }
  /** Names of the captures, where there are several. */
  readonly captures: readonly string[] | null
  /** Each capture by itself. */
  readonly separate: boolean
  readonly drive: DriveOptions
}

/**
 * Checks what a user asks for.
 *
 * @throws {@link OptionError} for what can't be used
 */
export function checkRun(source: CaptureSource | readonly CaptureSource[], options: RunOptions): Run {
  knownNames(options, OPTION_NAMES)
  const sources = sourceList(source)
  const chains = checkChains(options.chains ?? [])
  if (chains.some(readsPayload)) needPayload(sources)
  const engines = platform().engines(checkEngine(options.engine))
  return {
    chains,
    engines,
    isBuiltIn: engines.flows !== undefined && chains.every(isBuiltIn),
    times: checkTimes(options),
    reading: { decode: checkDecode(options), ...checkFilter(options.filter) },
    captures: captureNames(sources),
    separate: flag('separate', options.separate, false),
    drive: {
      sources,
      ...checkReading(options, sources.length),
      signal: abortSignal(options.signal),
      onError: options.onError,
    },
  }
}

/** An engine that computes the run's columns. */
export function openEngine({ engines, chains, times, reading }: Run): Engine {
  return engines.flows!({ chains: chains.map(chain => chain.name), ...times, ...reading })
}

/** Chooses who makes the records: the engine where all chains are built in, else the chains' hooks. */
export function openRecords<Flow>(run: Run): RecordSource<Flow> {
  return run.separate ? openEach(run) : openOne(run)
}

function openOne<Flow>(run: Run): RecordSource<Flow> {
  const { engines, chains, times, reading, captures, drive } = run
  if (run.isBuiltIn) return new NativeRecords<Flow>(openEngine(run), chains, captures, drive)
  const engine = engines.packets({ aggregate: times.aggregate, ...reading })
  return new HookedRecords<Flow>(engine, chains, times, captures, drive)
}

/** One run for each capture. Errors are kept to the end, so that one capture's don't keep the next from being read. */
function openEach<Flow>(run: Run): RecordSource<Flow> {
  const { sources, follow } = run.drive
  let first: FlowError | undefined
  const onError = run.drive.onError ?? ((error: FlowError) => void (first ??= error))
  const openers = sources.map((source, index) => () => {
    const drive = { ...run.drive, sources: [source], onError, follow: follow && index === sources.length - 1 }
    return openOne<Flow>({ ...run, captures: [sourceName(source)], drive })
  })
  return new SeparateRecords<Flow>(openers, () => first)
}
