/** What `traceFlows` hands to whoever traces, and what it gets. */
import type { CaptureInfo } from '../capture-info.js'
import type { DriveOptions } from '../iterate.js'
import type { ReadOptions } from '../options.js'
import type { CheckedTrace } from './options.js'
import type { TracedFlow, TraceStats } from './traced-flow.js'

/** Whoever traces: the engine, or the dumpers in TypeScript. */
export interface TraceRunner {
  /** Runs to the end; `batch` is called after each batch. */
  run(flow: (flow: TracedFlow) => void, batch: (stats: TraceStats) => void): Promise<void>
  stats(): TraceStats
  captures(): readonly CaptureInfo[]
  /** Ends a wait for more. */
  finish(): void
}

/** What a runner needs to know. */
export interface TraceTask {
  readonly trace: CheckedTrace
  readonly reading: ReadOptions
  readonly drive: DriveOptions
  /** Names of the captures, where there are several. */
  readonly captures: readonly string[] | null
  readonly maxBufferedBytes: number
  readonly force: boolean
  readonly maxFrames: number
}

/** Octets that wait for one file before they are written. */
export const FILE_BUFFER = 64 * 1024
