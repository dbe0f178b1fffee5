/**
 * What every engine can do: take captures one after another and fill batches. The rest of the package knows engines by
 * this interface only.
 */

import type { CheckedLive } from './live-source.js'
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
  /**
   * Begins to capture. What can't be opened comes as an error of the capture. Absent from engines that don't capture, as
   * is {@link Engine.liveReady}.
   */
  openLive?(live: CheckedLive, name: string): void
  /** Resolves when there may be packets, when time has gone on, or when the capture was told to end. */
  liveReady?(): Promise<void>
  /** Begins with a capture whose octets will be pushed. */
  openStream(name: string): void
  /** Begins with captures that are read as one, merged by packet time; those without a path will be pushed. */
  openMerged(members: { name: string; path?: string }[]): void
  /** Which merged capture needs octets, after {@link Status.NeedInput}; 0 where nothing is merged. */
  wanted(): number
  /** Gives octets of the stream that was opened last, or of a merged capture; they are copied. */
  push(chunk: Uint8Array, member: number): void
  /** That stream is at its end; a live capture ends once what arrived before was read. */
  endStream(member: number): void
  /** What was found out about captures that are at their end, as JSON; each is told once. */
  captures(): string
  /** Octets of the block to be lent with each batch; 0 where none is needed. */
  blockLength(): number
  /** Requests may be made before earlier ones are answered; they are answered in order. */
  readonly takesSeveral?: boolean
  /**
   * Fills `batch`, and the `block` where one is needed, which must not be touched until then: rows × 8 + status. To an
   * engine of packets, `givenBack` says how many batches were walked, and which flow keys are needed no more.
   */
  next(batch: Uint8Array, block?: Uint8Array, givenBack?: Uint32Array): Promise<number>
  /** Ends every open flow before the next request reads on. */
  flush(): void
  /** The payload of connection `id` in `slot` isn't wanted. */
  unwant(slot: number, id: number): void
  /** No more captures will come: everything still open ends. */
  finish(): void
  /** Throws why the last capture failed, if it did; of merged captures several may have. */
  throwError(): void
  /** Lets go of everything; may be called again. */
  close(): void
}

/** Makes engines. */
export interface EngineFactory {
  /**
   * For flow records: batches of rows with the columns of the built-in chains that were asked for. An engine may leave
   * that to the chains' hooks, which make the same records out of packets.
   */
  flows?(options: FlowEngineOptions): Engine
  /** For packets: batches of rows as {@link PacketColumns}, over blocks. */
  packets(options: PacketEngineOptions): Engine
  /** For stream events and connection records. */
  streams(options: StreamEngineOptions): Engine
  /** Writes a capture file per TCP flow. An engine may leave that to dumpers in TypeScript. */
  trace?(options: TraceEngineOptions): Engine
  /** For packets with partition keys. An engine may not give them. */
  partitions?(options: PartitionEngineOptions): Engine
  /** For the segments of the connections with these serial numbers, and the first `headBytes` octets of their streams. */
  series(options: StreamEngineOptions, connections: readonly number[], headBytes: number): Engine
}

/** What a packet engine is told. */
export interface PacketEngineOptions {
  /** One flow key for all packets. */
  aggregate: boolean
  /** Tell where the frames lie, too. */
  frames?: boolean
  decode: CheckedDecode
  filter?: string
}

/** The flow that a fragment belongs to, found out with fragments of other captures. */
export interface FragmentFlow {
  /** Number of the fragment's capture. */
  capture: number
  /** The fragment's number in its capture, from 1. */
  packet: number
  /** Its partition key: 64 bits with a sign, in decimal digits. */
  key: string
}

/** What an engine of packets with partition keys is told. */
export interface PartitionEngineOptions {
  /** Only what other parts of the job have to know. */
  survey: boolean
  /** Whole frames, not headers only. */
  payload: boolean
  tcpOnly: boolean
  /** First octet of each file that is read, and the octet behind the last one. */
  range?: number[]
  packetsBefore: number
  /** The latest time among those: nanoseconds, in decimal digits. */
  timeBefore?: string
  firstCapture: number
  fragments: FragmentFlow[]
  decode: CheckedDecode
  filter?: string
}

/** What an engine that writes a capture file per flow is told; times are seconds, sizes octets. */
export interface TraceEngineOptions {
  folder: string
  extension: string
  pcapng: boolean
  bigEndian: boolean
  nanosecond: boolean
  bidirectional: boolean
  linger: number
  maxFlows: number
  maxOpenFiles: number
  fileBufferBytes: number
  maxBufferedBytes: number
  overwrite: boolean
  /** Tell of every frame which flow it went to. */
  frames: boolean
  decode: CheckedDecode
  filter?: string
}

/** What a stream engine is told; times are seconds, sizes octets. */
export interface StreamEngineOptions {
  events: boolean
  /** Events for segments whose flags say more than their octets do. */
  marks: boolean
  /** With events: packets too. */
  packets: boolean
  /** Packets have their frames. */
  frames: boolean
  /** Data events have no octets, only their length. */
  bare: boolean
  /** Octets that follow each other in their stream and in capture order are one event. */
  join: boolean
  sha256: boolean
  analyse: boolean
  policy: string
  acked: boolean
  maxDirectionBytes: number
  maxWaitingBytes: number
  conflictWindow: number
  gapPatience: number
  maxConnections: number
  idleTimeout: number
  linger: number
  maxGaps: number
  filter?: string
  decode: CheckedDecode
}

/** What a flow engine is told. */
export interface FlowEngineOptions {
  chains: string[]
  idleTimeout: number
  expiryTimeout: number
  maxFlows: number
  aggregate: boolean
  decode: CheckedDecode
  filter?: string
}
