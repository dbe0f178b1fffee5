/** What drives a session, and what a session is. Mirrors `core::session`. */
import type { ChunkQueue } from '../capture/input.js'
import type { CaptureLog } from '../capture/report.js'

/** Where a capture's octets come from. */
export type Source =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'queue'; readonly queue: ChunkQueue }
  | { readonly kind: 'merged'; readonly members: readonly MergedSource[] }

/** One of several captures to be merged. */
export interface MergedSource {
  readonly source: Source
  readonly name: string
}

/** A session's answer besides those of {@link Status} in `src/engine.ts`: octets are on their way, wait for `ready()`. */
export const WAITING = 6

/** What the caller lends for one call. A session that doesn't need one of them doesn't look at it. */
export interface Buffers {
  /** Takes columns. */
  readonly batch: Uint8Array
  /** Takes octets that rows point to. */
  readonly block: Uint8Array
  /** What the caller gives back; the session says what that is. */
  readonly givenBack: Uint32Array
}

/** One job over captures. */
export interface Session {
  /** How a batch is laid out, as JSON. */
  describe(): string
  /** Octets of the block that must be lent with each batch; 0 where the session needs none. */
  blockLength(): number
  /** Begins with a capture; `name` stands in records and errors. */
  open(source: Source, name: string): void
  /** Reads on and fills the buffers: rows × 8 + status. */
  next(buffers: Buffers): number
  /** Settled when what {@link WAITING} stood for is there. */
  ready(): Promise<void>
  /** Which merged capture needs octets. */
  wanted(): number
  /** Ends every flow that is open now; reading goes on. */
  flush(): void
  /** The payload of connection `id` in `slot` isn't wanted. */
  unwant(slot: number, id: number): void
  /** No more captures will come: everything still open ends. */
  finish(): void
  /** Why the last capture failed; of merged captures several may have, so ask until there is nothing more. */
  takeError(): Error | undefined
  /** Where reports of captures come to lie when they were read. */
  captures(): CaptureLog
  /** Lets go of files. */
  close(): void
}
