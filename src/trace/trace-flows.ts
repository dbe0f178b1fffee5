/** `traceFlows`: a whole capture, a file per TCP flow. */
import type { CaptureInfo } from '../capture-info.js'
import { FileExistsError, OptionError, OutputError, type FlowError } from '../errors.js'
import { abortSignal, checkEngine, checkReading, flag, integer, knownNames, READ_OPTION_NAMES, type ReadOptions } from '../options.js'
import { platform } from '../platform.js'
import { sourceList, sourceName, type CaptureSource } from '../source.js'
import { PcapDumper, PcapngDumper } from './dump-capture.js'
import { openFormat } from './formats.js'
import { checkTrace, TRACE_OPTION_NAMES, type TraceFlowOptions } from './options.js'
import { NativeTrace } from './native-trace.js'
import type { TraceRunner, TraceTask } from './runner.js'
import { ScriptTrace } from './script-trace.js'
import type { TracedFlow, TraceStats } from './traced-flow.js'

/** What `traceFlows` takes. */
export interface TraceFlowsOptions extends TraceFlowOptions, ReadOptions {
  /**
   * As for {@link TraceFlow}; pcap and pcapng are written by the engine, on another thread.
   * @defaultValue 'pcap'
   */
  format?: string | null
  /**
   * Octets of memory for what waits to be written. Beyond it, what waited longest is written.
   * @defaultValue 32 MiB
   */
  maxBufferedBytes?: number
  /**
   * Files that are in `fout` already may be replaced.
   * @defaultValue false: the first such file ends the run with a {@link FileExistsError}
   */
  force?: boolean
  /** Called for each flow when it has ended and its file is complete. The result's `index` is then empty. */
  onFlow?: (flow: TracedFlow) => void
  /** Called with the counters after every batch. */
  onStats?: (stats: TraceStats) => void
  /**
   * Frame numbers that are kept for the `index` of flows, 8 octets each. Further ones are counted as `droppedFrames`.
   * @defaultValue 16777216; 0 with `onFlow`
   */
  maxFrames?: number
  /**
   * Ends the wait for more of a stream or of a capture that is followed; what was read is written.
   */
  until?: AbortSignal
}

const OPTION_NAMES = [
  ...TRACE_OPTION_NAMES, ...READ_OPTION_NAMES, 'maxBufferedBytes', 'force', 'onFlow', 'onStats', 'maxFrames', 'until',
]

/** What a run came to. */
export interface TraceSummary {
  /** The flows in the order in which they ended, unless `onFlow` took them. */
  readonly index: readonly TracedFlow[]
  /** Counters. */
  readonly stats: TraceStats
  /** What was found out about the captures. */
  readonly captures: readonly CaptureInfo[]
}

/**
 * Reads captures and writes a file for each TCP flow: `fout`/`src_srcport-dst_dstport-timestamp.pcap`.
 *
 * Memory follows the open flows, and open files are bounded. Every frame of a flow is in its file, with its own time,
 * lengths and link type, in the order of the capture; fragments stand before the one that completes their datagram.
 *
 * @returns the flows and the counters
 * @throws {@link OptionError}; {@link FileExistsError} for a file that is there already; {@link OutputError} where a file
 * can't be written; {@link CaptureError} at the end, where a capture couldn't be read in full and there is no `onError`.
 * What was written before stays.
 *
 * @example
 * await traceFlows('big.pcap', { fout: './flows', format: 'pcap' })
 */
export async function traceFlows(
  source: CaptureSource | readonly CaptureSource[],
  options: TraceFlowsOptions = {},
): Promise<TraceSummary> {
  knownNames(options, OPTION_NAMES)
  const failures = new Failures(options.onError)
  const task = checkTask(source, options, failures)
  const format = openFormat(task.trace.fout, task.trace.format)
  const { trace } = platform().engines(checkEngine(options.engine))
  const isCapture = format.dumper === PcapDumper || format.dumper === PcapngDumper
  const runner: TraceRunner = trace && isCapture ? new NativeTrace(trace, task, format.extension) : new ScriptTrace(task, format)
  const index: TracedFlow[] = []
  const until = abortSignal(options.until)
  const finish = () => runner.finish()
  until?.addEventListener('abort', finish, { once: true })
  if (until?.aborted === true) finish()
  try {
    await runner.run(options.onFlow ?? (flow => index.push(flow)), options.onStats ?? (() => {}))
  } finally {
    until?.removeEventListener('abort', finish)
  }
  failures.throwFirst()
  return { index, stats: runner.stats(), captures: runner.captures() }
}

function checkTask(source: CaptureSource | readonly CaptureSource[], options: TraceFlowsOptions, failures: Failures): TraceTask {
  const sources = sourceList(source)
  for (const name of ['onFlow', 'onStats'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function') throw new OptionError(`${name}: expected a function`)
  const fallback = options.onFlow === undefined ? 1 << 24 : 0
  return {
    trace: checkTrace(options, 'pcap'),
    reading: options,
    drive: {
      sources,
      ...checkReading(options, sources.length),
      signal: abortSignal(options.signal),
      onError: error => failures.add(error),
    },
    captures: sources.length > 1 ? sources.map(sourceName) : null,
    maxBufferedBytes: integer('maxBufferedBytes', options.maxBufferedBytes, 32 << 20, 0, Number.MAX_SAFE_INTEGER),
    force: flag('force', options.force, false),
    maxFrames: integer('maxFrames', options.maxFrames, fallback, 0, Number.MAX_SAFE_INTEGER),
  }
}

/** Files that can't be written end a run; captures that can't be read are for `onError`. */
class Failures {
  readonly #onError: ((error: FlowError) => void) | undefined
  #first: FlowError | undefined
  #output: FlowError | undefined

  constructor(onError: ((error: FlowError) => void) | undefined) {
    this.#onError = onError
  }

  add(error: FlowError): void {
    if (error instanceof OutputError || error instanceof FileExistsError) this.#output ??= error
    else if (this.#onError) this.#onError(error)
    else this.#first ??= error
  }

  throwFirst(): void {
    const error = this.#output ?? this.#first
    if (error !== undefined) throw error
  }
}
