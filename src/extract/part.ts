/**
 * What writers get: streams in parts. A stream that ends in time is one part; a long one is cut into several, each with
 * what came since the one before.
 */
import type { ConnectionEndReason, Gap } from '../connection.js'
import type { PacketLog } from './packet-log.js'
import type { StateChange } from './state-history.js'
import type { TcpState } from './state-names.js'

/** A number for each side. */
export interface PerSide {
  readonly client: number
  readonly server: number
}

/** A stream and what is known of it so far. */
export interface StreamInfo {
  /** `'SRC:SPORT ==> DST:DPORT'`. Connections that use the same ports one after another share it; see `id`. */
  readonly key: string
  /** Safe as a file's name, different for each stream of a run, and the same in the next run over the same captures. */
  readonly id: string
  /** Serial number of the connection, from 0. */
  readonly connectionId: number
  /** Name of the capture with the first packet; only where several are read. */
  readonly capture?: string
  readonly ipVersion: number
  readonly clientAddr: string
  readonly clientPort: number
  readonly serverAddr: string
  readonly serverPort: number
  /** What the frame of the first packet begins with: a LINKTYPE number. */
  readonly linkType: number
  /** Time of the first packet, nanoseconds since the Unix epoch. */
  readonly firstNs: bigint
  /** Time of the latest packet. */
  readonly lastNs: bigint
  /** Number of the first packet in its capture, from 1. */
  readonly firstPacket: number
  /** Packets so far. */
  readonly packets: PerSide
  /** Octets of payload on the wire so far, repeated ones included. */
  readonly payloadBytes: PerSide
  /** Octets of the streams so far: in order, once each, gaps left out. */
  readonly streamBytes: PerSide
  /** Octets that are missing for good so far. */
  readonly gapBytes: PerSide
  /** The states of RFC 9293 that both ends are in, as an observer in the middle can tell. */
  readonly clientState: TcpState
  readonly serverState: TcpState
  /** How they came there. */
  readonly stateHistory: readonly StateChange[]
  /** Why it ended: `idle` is stale; null where it goes on. */
  readonly endReason: ConnectionEndReason | null
}

/** What a stream's files are called by. */
export type StreamNames = Pick<StreamInfo, 'key' | 'id' | 'linkType'>

/** What came before a part. */
export interface PartStart {
  /** Octets of payload on the wire. */
  readonly payloadBytes: PerSide
  /** Times of the latest packets, in the order of the capture; null: none yet. */
  readonly lastPacket: {
    readonly client: PacketTime | null
    readonly server: PacketTime | null
    /** Whichever came last. */
    readonly either: PacketTime | null
  }
}

/** A packet's time: whole seconds since the Unix epoch, rounded down, and nanoseconds after them. */
export type PacketTime = readonly [second: number, nanosecond: number]

/** The part before which there was none. */
export const NO_START: PartStart = {
  payloadBytes: { client: 0, server: 0 },
  lastPacket: { client: null, server: null, either: null },
}

/** A part of a stream. */
export interface StreamPart {
  /** The stream, as it stands at the end of this part. */
  readonly stream: StreamInfo
  /** @internal The same, where nothing else of it is needed; it takes less time and memory. */
  readonly names?: StreamNames
  /** Which part, from 0. */
  readonly number: number
  /** No part comes after this one. The last part may hold nothing new but the stream's end. */
  readonly last: boolean
  readonly start: PartStart
  /** The packets of this part. */
  readonly packets: PacketLog
  /** What the client sent, in order, gaps left out. */
  readonly client: Uint8Array
  /** What the server sent, in order, gaps left out. */
  readonly server: Uint8Array
  /** Gaps found in this part: offsets in the whole stream, from the first octet after the SYN. */
  readonly gaps: { readonly client: readonly Gap[]; readonly server: readonly Gap[] }
}

/** What the stream of a part is called. */
export function namesOf(part: StreamPart): StreamNames {
  return part.names ?? part.stream
}
