/**
 * The analysis of a connection as columns of its record. Columns `_fwd` tell of what the client sent; a round trip
 * `_fwd` is that from the capture point to the server and back. Durations `*_ns` are nanoseconds of packet time, as
 * numbers.
 */
import type { RowPart } from '../batch/row-maker.js'
import type { ConnectionRecord } from '../connection.js'

/** What a handshake agreed on: RFC 3168 or RFC 9768. */
export type EcnMode = 'none' | 'classic' | 'accurate'

/** Zeek's `conn_state`. */
export type ConnState =
  | 'S0'
  | 'S1'
  | 'SF'
  | 'REJ'
  | 'S2'
  | 'S3'
  | 'RSTO'
  | 'RSTR'
  | 'RSTOS0'
  | 'RSTRH'
  | 'SH'
  | 'SHR'
  | 'OTH'

/** What `analyse: true` adds to a connection's record. What was never seen is null. */
export interface ConnectionAnalysis {
  /** Wireshark's `tcp.analysis.retransmission`. Octets sent before; fast and spurious ones too, as in Wireshark's filters. */
  kind_retransmission_fwd: number
  kind_retransmission_rev: number
  /** Wireshark's `tcp.analysis.fast_retransmission`. Retransmissions within 20 ms of the second duplicate acknowledgement or a later one. */
  kind_fast_retransmission_fwd: number
  kind_fast_retransmission_rev: number
  /** Wireshark's `tcp.analysis.spurious_retransmission`. Retransmissions of octets that were acknowledged already. */
  kind_spurious_retransmission_fwd: number
  kind_spurious_retransmission_rev: number
  /** Wireshark's `tcp.analysis.out_of_order`. Late by less than the initial round trip (3 ms where that isn't known). */
  kind_out_of_order_fwd: number
  kind_out_of_order_rev: number
  /** Wireshark's `tcp.analysis.lost_segment`. Segments that begin behind the next octet expected: one before was not captured. */
  kind_lost_segment_fwd: number
  kind_lost_segment_rev: number
  /** Wireshark's `tcp.analysis.ack_lost_segment`. Acknowledgements of octets that were not captured. */
  kind_ack_lost_segment_fwd: number
  kind_ack_lost_segment_rev: number
  /** Wireshark's `tcp.analysis.duplicate_ack`. Acknowledgements that repeat the one before, with the same window and no payload. */
  kind_duplicate_ack_fwd: number
  kind_duplicate_ack_rev: number
  /** Wireshark's `tcp.analysis.zero_window`. Windows of zero advertised. */
  kind_zero_window_fwd: number
  kind_zero_window_rev: number
  /** Wireshark's `tcp.analysis.window_full`. Segments that fill the receiver's window to its end. */
  kind_window_full_fwd: number
  kind_window_full_rev: number
  /** Wireshark's `tcp.analysis.keep_alive`. Keep-alives: at most one octet, one below the next one expected. */
  kind_keep_alive_fwd: number
  kind_keep_alive_rev: number
  /** Wireshark's `tcp.analysis.keep_alive_ack`. Answers to keep-alives. */
  kind_keep_alive_ack_fwd: number
  kind_keep_alive_ack_rev: number
  /** Wireshark's `tcp.analysis.window_update`. Segments that only change the window. */
  kind_window_update_fwd: number
  kind_window_update_rev: number
  /** Wireshark's `tcp.analysis.zero_window_probe`. One octet into a window of zero. */
  kind_zero_window_probe_fwd: number
  kind_zero_window_probe_rev: number
  /** Wireshark's `tcp.analysis.zero_window_probe_ack`. Answers to probes: the window is still zero. */
  kind_zero_window_probe_ack_fwd: number
  kind_zero_window_probe_ack_rev: number
  /** Initial round trip: from the SYN to the acknowledgement that completes the handshake. */
  irtt_ns: number | null
  /** Round-trip samples by sequence and acknowledgment number; segments sent twice give none. */
  rtt_samples_fwd: number
  rtt_samples_rev: number
  /** Least of them. */
  rtt_min_ns_fwd: number | null
  rtt_min_ns_rev: number | null
  /** Half of them are at most so long: exact up to 32 samples, then within 1.6 %. */
  rtt_median_ns_fwd: number | null
  rtt_median_ns_rev: number | null
  /** The same for 95 % of them. */
  rtt_p95_ns_fwd: number | null
  rtt_p95_ns_rev: number | null
  /** Round-trip samples by timestamps (RFC 7323). */
  ts_rtt_samples_fwd: number
  ts_rtt_samples_rev: number
  /** Least of them. */
  ts_rtt_min_ns_fwd: number | null
  ts_rtt_min_ns_rev: number | null
  /** Half of them are at most so long: exact up to 32 samples, then within 1.6 %. */
  ts_rtt_median_ns_fwd: number | null
  ts_rtt_median_ns_rev: number | null
  /** The same for 95 % of them. */
  ts_rtt_p95_ns_fwd: number | null
  ts_rtt_p95_ns_rev: number | null
  /** Most octets sent and not yet acknowledged, after a segment with payload. */
  in_flight_max_bytes_fwd: number | null
  in_flight_max_bytes_rev: number | null
  /** Greatest window advertised, scaled; null where the scale isn't known. SYNs and RSTs don't count. */
  window_max_bytes_fwd: number | null
  window_max_bytes_rev: number | null
  /** Least window advertised, likewise. */
  window_min_bytes_fwd: number | null
  window_min_bytes_rev: number | null
  /** Payload bits a second, retransmissions included, from the first segment with payload to the last. */
  throughput_bps_fwd: number | null
  throughput_bps_rev: number | null
  /** The same for octets delivered in order. */
  goodput_bps_fwd: number | null
  goodput_bps_rev: number | null
  /** From the connection's first segment to the direction's first one with payload. */
  first_byte_ns_fwd: number | null
  first_byte_ns_rev: number | null
  /** Longest time between two segments of the direction. */
  idle_max_ns_fwd: number
  idle_max_ns_rev: number
  /** What the handshake agreed on; null where it wasn't seen in full. */
  ecn_mode: EcnMode | null
  /** Packets marked ECT(0) (RFC 3168). */
  ect0_packets_fwd: number
  ect0_packets_rev: number
  /** Packets marked ECT(1). */
  ect1_packets_fwd: number
  ect1_packets_rev: number
  /** Packets marked CE: congestion was experienced. */
  ce_packets_fwd: number
  ce_packets_rev: number
  /** Segments with the flag ECE. */
  ece_packets_fwd: number
  ece_packets_rev: number
  /** Segments with the flag CWR. */
  cwr_packets_fwd: number
  cwr_packets_rev: number
  /** Segments with the flag AE (RFC 9768). */
  ae_packets_fwd: number
  ae_packets_rev: number
  /** CE marks that the direction's sender says it received, by the counter of accurate ECN. */
  ace_ce_packets_fwd: number
  ace_ce_packets_rev: number
  /** Octets of IP packets by their headers. */
  ip_bytes_fwd: number
  ip_bytes_rev: number
  /** Zeek's summary of both ends. */
  conn_state: ConnState
  /** Zeek's history: a letter for what happened first, upper case for the originator; at most 48. */
  history: string
  /** Which side Zeek takes for the originator: mostly the client. */
  originator: 'client' | 'server'
  /** Payload octets of the originator by sequence numbers, as Zeek counts them. */
  orig_bytes: number
  /** The same of the responder. */
  resp_bytes: number
  /** Octets that were acknowledged and not captured, as Zeek counts them. */
  missed_bytes: number
  /** From the first segment to the last one before both sides had closed, as Zeek has it. */
  duration_ns: number
}

/** A connection's record with its analysis. */
export type AnalysedRecord = ConnectionRecord & ConnectionAnalysis

/** In the column `analysis_noted`: some `kind_*` column, or some count of ECN, is not 0. */
const [NOTED_KINDS, NOTED_ECN] = [1, 2]
const KIND = /^kind_/
const ECN_COUNT = /^(?:ect0|ect1|ce|ece|cwr|ae|ace_ce)_packets_/

/** The analysis' columns, in order, as parts of a record: those that mostly are all 0 are apart. */
export function analysisParts(columns: readonly string[]): RowPart[] {
  const parts: { columns: string[]; bit: number | undefined }[] = []
  for (const name of columns) {
    const bit = KIND.test(name) ? NOTED_KINDS : ECN_COUNT.test(name) ? NOTED_ECN : undefined
    const last = parts.at(-1)
    if (last !== undefined && last.bit === bit) last.columns.push(name)
    else parts.push({ columns: [name], bit })
  }
  return parts
}
