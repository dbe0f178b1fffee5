/** Where flow records come from, however they are made. */
import type { CaptureInfo } from '../capture-info.js'
import type { ObserveStats } from '../stats.js'

/** A run that makes flow records. */
export interface RecordSource<Flow> {
  /** A record that is ready; undefined where more must be read first. */
  take(): Flow | undefined
  /** Reads on. False at the end. */
  pull(): Promise<boolean>
  /** Counters so far. */
  stats(): ObserveStats
  /** What was found out about the captures that are read to their end. */
  captures(): readonly CaptureInfo[]
  /** Ends a wait for more and opens no further capture; the flows that are open come. */
  finish(): void
  /** Ends every flow that is open now. */
  flush(): void
  /** Lets go of everything. */
  stop(): Promise<void>
}
