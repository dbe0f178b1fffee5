/**
 * The analysis of a connection as columns of its record. Columns `_fwd` tell of what the client sent; a round trip
 * `_fwd` is that from the capture point to the server and back. Durations `*_ns` are nanoseconds of packet time, as
 * numbers.
 */
import type { BatchView, NumberArray } from '../batch/view.js'
import { ConnectionRow, type ConnectionRecord, type RowReader } from '../connection.js'

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

type Nullable = readonly [values: NumberArray, flags: Uint8Array]

const optional = ([values, flags]: Nullable, row: number): number | null => (flags[row] === 1 ? values[row]! : null)

/** A reader of records with their analysis; `read` makes the record of a row as an {@link AnalysedRow}. */
export function bindAnalysis(view: BatchView, read: RowReader<ConnectionRecord>): RowReader<AnalysedRecord> {
  const number = (name: string) => [view.numbers(`${name}_fwd`), view.numbers(`${name}_rev`)] as const
  const nullable = (name: string): Nullable => [view.numbers(name), view.flags(name)]
  const pair = (name: string) => [nullable(`${name}_fwd`), nullable(`${name}_rev`)] as const
  const kindRetransmission = number('kind_retransmission')
  const kindFastRetransmission = number('kind_fast_retransmission')
  const kindSpuriousRetransmission = number('kind_spurious_retransmission')
  const kindOutOfOrder = number('kind_out_of_order')
  const kindLostSegment = number('kind_lost_segment')
  const kindAckLostSegment = number('kind_ack_lost_segment')
  const kindDuplicateAck = number('kind_duplicate_ack')
  const kindZeroWindow = number('kind_zero_window')
  const kindWindowFull = number('kind_window_full')
  const kindKeepAlive = number('kind_keep_alive')
  const kindKeepAliveAck = number('kind_keep_alive_ack')
  const kindWindowUpdate = number('kind_window_update')
  const kindZeroWindowProbe = number('kind_zero_window_probe')
  const kindZeroWindowProbeAck = number('kind_zero_window_probe_ack')
  const irttNs = nullable('irtt_ns')
  const rttSamples = number('rtt_samples')
  const rttMinNs = pair('rtt_min_ns')
  const rttMedianNs = pair('rtt_median_ns')
  const rttP95Ns = pair('rtt_p95_ns')
  const tsRttSamples = number('ts_rtt_samples')
  const tsRttMinNs = pair('ts_rtt_min_ns')
  const tsRttMedianNs = pair('ts_rtt_median_ns')
  const tsRttP95Ns = pair('ts_rtt_p95_ns')
  const inFlightMaxBytes = pair('in_flight_max_bytes')
  const windowMaxBytes = pair('window_max_bytes')
  const windowMinBytes = pair('window_min_bytes')
  const throughputBps = pair('throughput_bps')
  const goodputBps = pair('goodput_bps')
  const firstByteNs = pair('first_byte_ns')
  const idleMaxNs = number('idle_max_ns')
  const ecnModeWords = view.words('ecn_mode') as readonly (EcnMode)[]
  const ecnMode = nullable('ecn_mode')
  const ect0Packets = number('ect0_packets')
  const ect1Packets = number('ect1_packets')
  const cePackets = number('ce_packets')
  const ecePackets = number('ece_packets')
  const cwrPackets = number('cwr_packets')
  const aePackets = number('ae_packets')
  const aceCePackets = number('ace_ce_packets')
  const ipBytes = number('ip_bytes')
  const connStateWords = view.words('conn_state') as readonly (ConnState)[]
  const connState = view.numbers('conn_state')
  const history = view.texts('history')
  const originatorWords = view.words('originator') as readonly ('client' | 'server')[]
  const originator = view.numbers('originator')
  const origBytes = view.numbers('orig_bytes')
  const respBytes = view.numbers('resp_bytes')
  const missedBytes = view.numbers('missed_bytes')
  const durationNs = view.numbers('duration_ns')
  return row => {
    const record = read(row) as AnalysedRow
    record.kind_retransmission_fwd = kindRetransmission[0][row]!
    record.kind_retransmission_rev = kindRetransmission[1][row]!
    record.kind_fast_retransmission_fwd = kindFastRetransmission[0][row]!
    record.kind_fast_retransmission_rev = kindFastRetransmission[1][row]!
    record.kind_spurious_retransmission_fwd = kindSpuriousRetransmission[0][row]!
    record.kind_spurious_retransmission_rev = kindSpuriousRetransmission[1][row]!
    record.kind_out_of_order_fwd = kindOutOfOrder[0][row]!
    record.kind_out_of_order_rev = kindOutOfOrder[1][row]!
    record.kind_lost_segment_fwd = kindLostSegment[0][row]!
    record.kind_lost_segment_rev = kindLostSegment[1][row]!
    record.kind_ack_lost_segment_fwd = kindAckLostSegment[0][row]!
    record.kind_ack_lost_segment_rev = kindAckLostSegment[1][row]!
    record.kind_duplicate_ack_fwd = kindDuplicateAck[0][row]!
    record.kind_duplicate_ack_rev = kindDuplicateAck[1][row]!
    record.kind_zero_window_fwd = kindZeroWindow[0][row]!
    record.kind_zero_window_rev = kindZeroWindow[1][row]!
    record.kind_window_full_fwd = kindWindowFull[0][row]!
    record.kind_window_full_rev = kindWindowFull[1][row]!
    record.kind_keep_alive_fwd = kindKeepAlive[0][row]!
    record.kind_keep_alive_rev = kindKeepAlive[1][row]!
    record.kind_keep_alive_ack_fwd = kindKeepAliveAck[0][row]!
    record.kind_keep_alive_ack_rev = kindKeepAliveAck[1][row]!
    record.kind_window_update_fwd = kindWindowUpdate[0][row]!
    record.kind_window_update_rev = kindWindowUpdate[1][row]!
    record.kind_zero_window_probe_fwd = kindZeroWindowProbe[0][row]!
    record.kind_zero_window_probe_rev = kindZeroWindowProbe[1][row]!
    record.kind_zero_window_probe_ack_fwd = kindZeroWindowProbeAck[0][row]!
    record.kind_zero_window_probe_ack_rev = kindZeroWindowProbeAck[1][row]!
    record.irtt_ns = optional(irttNs, row)
    record.rtt_samples_fwd = rttSamples[0][row]!
    record.rtt_samples_rev = rttSamples[1][row]!
    record.rtt_min_ns_fwd = optional(rttMinNs[0], row)
    record.rtt_min_ns_rev = optional(rttMinNs[1], row)
    record.rtt_median_ns_fwd = optional(rttMedianNs[0], row)
    record.rtt_median_ns_rev = optional(rttMedianNs[1], row)
    record.rtt_p95_ns_fwd = optional(rttP95Ns[0], row)
    record.rtt_p95_ns_rev = optional(rttP95Ns[1], row)
    record.ts_rtt_samples_fwd = tsRttSamples[0][row]!
    record.ts_rtt_samples_rev = tsRttSamples[1][row]!
    record.ts_rtt_min_ns_fwd = optional(tsRttMinNs[0], row)
    record.ts_rtt_min_ns_rev = optional(tsRttMinNs[1], row)
    record.ts_rtt_median_ns_fwd = optional(tsRttMedianNs[0], row)
    record.ts_rtt_median_ns_rev = optional(tsRttMedianNs[1], row)
    record.ts_rtt_p95_ns_fwd = optional(tsRttP95Ns[0], row)
    record.ts_rtt_p95_ns_rev = optional(tsRttP95Ns[1], row)
    record.in_flight_max_bytes_fwd = optional(inFlightMaxBytes[0], row)
    record.in_flight_max_bytes_rev = optional(inFlightMaxBytes[1], row)
    record.window_max_bytes_fwd = optional(windowMaxBytes[0], row)
    record.window_max_bytes_rev = optional(windowMaxBytes[1], row)
    record.window_min_bytes_fwd = optional(windowMinBytes[0], row)
    record.window_min_bytes_rev = optional(windowMinBytes[1], row)
    record.throughput_bps_fwd = optional(throughputBps[0], row)
    record.throughput_bps_rev = optional(throughputBps[1], row)
    record.goodput_bps_fwd = optional(goodputBps[0], row)
    record.goodput_bps_rev = optional(goodputBps[1], row)
    record.first_byte_ns_fwd = optional(firstByteNs[0], row)
    record.first_byte_ns_rev = optional(firstByteNs[1], row)
    record.idle_max_ns_fwd = idleMaxNs[0][row]!
    record.idle_max_ns_rev = idleMaxNs[1][row]!
    const mode = optional(ecnMode, row)
    record.ecn_mode = mode === null ? null : ecnModeWords[mode]!
    record.ect0_packets_fwd = ect0Packets[0][row]!
    record.ect0_packets_rev = ect0Packets[1][row]!
    record.ect1_packets_fwd = ect1Packets[0][row]!
    record.ect1_packets_rev = ect1Packets[1][row]!
    record.ce_packets_fwd = cePackets[0][row]!
    record.ce_packets_rev = cePackets[1][row]!
    record.ece_packets_fwd = ecePackets[0][row]!
    record.ece_packets_rev = ecePackets[1][row]!
    record.cwr_packets_fwd = cwrPackets[0][row]!
    record.cwr_packets_rev = cwrPackets[1][row]!
    record.ae_packets_fwd = aePackets[0][row]!
    record.ae_packets_rev = aePackets[1][row]!
    record.ace_ce_packets_fwd = aceCePackets[0][row]!
    record.ace_ce_packets_rev = aceCePackets[1][row]!
    record.ip_bytes_fwd = ipBytes[0][row]!
    record.ip_bytes_rev = ipBytes[1][row]!
    record.conn_state = connStateWords[connState[row]!]!
    record.history = history(row)
    record.originator = originatorWords[originator[row]!]!
    record.orig_bytes = origBytes[row]!
    record.resp_bytes = respBytes[row]!
    record.missed_bytes = missedBytes[row]!
    record.duration_ns = durationNs[row]!
    return record
  }
}

/** All columns in order, with nothing in them yet. A class, because its objects stay quick with many columns. */
export class AnalysedRow extends ConnectionRow implements ConnectionAnalysis {
  kind_retransmission_fwd = 0
  kind_retransmission_rev = 0
  kind_fast_retransmission_fwd = 0
  kind_fast_retransmission_rev = 0
  kind_spurious_retransmission_fwd = 0
  kind_spurious_retransmission_rev = 0
  kind_out_of_order_fwd = 0
  kind_out_of_order_rev = 0
  kind_lost_segment_fwd = 0
  kind_lost_segment_rev = 0
  kind_ack_lost_segment_fwd = 0
  kind_ack_lost_segment_rev = 0
  kind_duplicate_ack_fwd = 0
  kind_duplicate_ack_rev = 0
  kind_zero_window_fwd = 0
  kind_zero_window_rev = 0
  kind_window_full_fwd = 0
  kind_window_full_rev = 0
  kind_keep_alive_fwd = 0
  kind_keep_alive_rev = 0
  kind_keep_alive_ack_fwd = 0
  kind_keep_alive_ack_rev = 0
  kind_window_update_fwd = 0
  kind_window_update_rev = 0
  kind_zero_window_probe_fwd = 0
  kind_zero_window_probe_rev = 0
  kind_zero_window_probe_ack_fwd = 0
  kind_zero_window_probe_ack_rev = 0
  irtt_ns: number | null = null
  rtt_samples_fwd = 0
  rtt_samples_rev = 0
  rtt_min_ns_fwd: number | null = null
  rtt_min_ns_rev: number | null = null
  rtt_median_ns_fwd: number | null = null
  rtt_median_ns_rev: number | null = null
  rtt_p95_ns_fwd: number | null = null
  rtt_p95_ns_rev: number | null = null
  ts_rtt_samples_fwd = 0
  ts_rtt_samples_rev = 0
  ts_rtt_min_ns_fwd: number | null = null
  ts_rtt_min_ns_rev: number | null = null
  ts_rtt_median_ns_fwd: number | null = null
  ts_rtt_median_ns_rev: number | null = null
  ts_rtt_p95_ns_fwd: number | null = null
  ts_rtt_p95_ns_rev: number | null = null
  in_flight_max_bytes_fwd: number | null = null
  in_flight_max_bytes_rev: number | null = null
  window_max_bytes_fwd: number | null = null
  window_max_bytes_rev: number | null = null
  window_min_bytes_fwd: number | null = null
  window_min_bytes_rev: number | null = null
  throughput_bps_fwd: number | null = null
  throughput_bps_rev: number | null = null
  goodput_bps_fwd: number | null = null
  goodput_bps_rev: number | null = null
  first_byte_ns_fwd: number | null = null
  first_byte_ns_rev: number | null = null
  idle_max_ns_fwd = 0
  idle_max_ns_rev = 0
  ecn_mode: EcnMode | null = null
  ect0_packets_fwd = 0
  ect0_packets_rev = 0
  ect1_packets_fwd = 0
  ect1_packets_rev = 0
  ce_packets_fwd = 0
  ce_packets_rev = 0
  ece_packets_fwd = 0
  ece_packets_rev = 0
  cwr_packets_fwd = 0
  cwr_packets_rev = 0
  ae_packets_fwd = 0
  ae_packets_rev = 0
  ace_ce_packets_fwd = 0
  ace_ce_packets_rev = 0
  ip_bytes_fwd = 0
  ip_bytes_rev = 0
  conn_state: ConnState = 'OTH'
  history = ''
  originator: 'client' | 'server' = 'client'
  orig_bytes = 0
  resp_bytes = 0
  missed_bytes = 0
  duration_ns = 0
}
