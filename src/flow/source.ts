/** Where flow records come from, however they are made. */
import type { ObserveStats } from '../stats.js'

/** A run that makes flow records. */
export interface RecordSource<Flow> {
  /** A record that is ready; undefined where more must be read first. */
  take(): Flow | undefined
  /** Reads on. False at the end. */
  pull(): Promise<boolean>
  /** Counters so far. */
  stats(): ObserveStats
  /** Ends every flow that is open now. */
  flush(): void
  /** Lets go of everything. */
  stop(): Promise<void>
}
