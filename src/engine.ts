/**
 * What every engine can do: take captures one after another and fill batches. The rest of the package knows engines by
 * this interface only.
 */

import type { CheckedDecode } from './options.js'

/** What an engine needs or has, after it filled a batch; the numbers are the addon's. */
export const Status = {
  /** Call again. */
  More: 0,
  /** Push a chunk, then call again. */
  NeedInput: 1,
  /** Open the next capture, or finish. */
  SourceEnd: 2,
  /** As `SourceEnd`, but the capture wasn't read in full: `throwError` says why. */
  SourceFailed: 3,
  /** All is handed out. */
  Done: 4,
} as const

/** A job over captures. One `next` at a time. */
export interface Engine {
  /** Where things lie in a batch: see {@link Layout}. */
  layout(): string
  /** Begins with a file that the engine reads itself. */
  openPath(path: string, name: string): void
  /** Begins with a capture whose octets will be pushed. */
  openStream(name: string): void
  /** Gives octets of the stream that was opened last; they are copied. */
  push(chunk: Uint8Array): void
  /** That stream is at its end. */
  endStream(): void
  /** Fills `batch`, which must not be touched until then: rows × 8 + status. */
  next(batch: Uint8Array): Promise<number>
  /** No more captures will come: everything still open ends. */
  finish(): void
  /** Throws why the last capture failed, if it did. */
  throwError(): void
  /** Lets go of everything; may be called again. */
  close(): void
}

/** Makes an engine for flow records. */
export interface EngineFactory {
  flows(options: FlowEngineOptions): Engine
}

/** What a flow engine is told. */
export interface FlowEngineOptions {
  chains: string[]
  idleTimeout: number
  expiryTimeout: number
  maxFlows: number
  aggregate: boolean
  decode: CheckedDecode
}
