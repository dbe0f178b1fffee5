/** A traced flow of a whole capture, and the counters of a run. */
import type { TunnelKind } from '../flow.js'
import { recordClass } from '../record.js'
import type { ObserveStats } from '../stats.js'
import type { TraceIndex } from './trace-flow.js'
import type { TraceEndReason } from './tracer.js'

/** What is known of a flow besides its label and its file. */
export interface TracedFlow extends TraceIndex {
  /** Serial number in order of first packets, from 0. */
  flow_id: number
  /** Source address of the first packet. */
  src: string
  srcport: number
  dst: string
  dstport: number
  /** Time of the first packet, nanoseconds since the Unix epoch. */
  first_ns: bigint
  /** Time of the latest packet. */
  last_ns: bigint
  /** Number of the first packet in its capture, from 1. */
  first_packet: number
  /** The capture of the first packet, where several are read. */
  capture?: string
  /** Packets; each fragment counts. */
  packets: number
  /** Octets of them that were captured. */
  captured_bytes: number
  /**
   * `fin`: its FIN came (with `bidirectional`: both, or a RST); `reuse`: a SYN began a new flow on its ports; `flush`: the
   * input ended; `evicted`: there were too many flows.
   */
  end_reason: TraceEndReason
  /** Innermost VLAN around the first packet. */
  vlan: number | null
  /** Innermost tunnel around it. */
  tunnel: TunnelKind | null
  /** That tunnel's number. */
  tunnel_id: number | null
}

/** A flow's columns, in order. */
export class TracedRow {
  declare capture?: string

  constructor(columns: TracedFlow) {
    Object.assign(this, columns)
  }
}
recordClass(TracedRow)

/** Counters of a run: nothing is left out silently. */
export interface TraceStats extends ObserveStats {
  /** IP packets that carry no TCP. */
  notTcp: number
  /** Packets that belong to a flow; each fragment counts. */
  tracedPackets: number
  /** Of these, packets whose time a pcap file can't hold; another time stands there. */
  badTimes: number
  /** Fragments of TCP that no file got, because others of their datagram were missing. */
  lostFragments: number
  /** Flows that ended. */
  ended: number
  /** Frames that `index` has no room for: see `maxFrames`. */
  droppedFrames: number
  /** Files made. */
  files: number
  /** Octets written to them. */
  writtenBytes: number
  /** Files open now. */
  openFiles: number
  /** Most files open at a time. */
  mostOpenFiles: number
  /** Files closed because too many were open. */
  closedEarly: number
  /** Files opened again, to append to them. */
  reopened: number
  /** Octets that wait for files now. */
  bufferedBytes: number
  /** Most octets that waited at a time. */
  mostBufferedBytes: number
  /** Octets that could not be written. */
  unwrittenBytes: number
}
