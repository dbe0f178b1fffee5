/**
 * The analysis of a connection as columns of its record. Columns `_fwd` tell of what the client sent; a round trip
 * `_fwd` is that from the capture point to the server and back. Durations `*_ns` are nanoseconds of packet time, as
 * numbers.
 */
import { whole, type BatchView, type NumberArray } from '../batch/view.js'
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

/** In the column `analysis_noted`: some `kind_*` column, or some count of ECN, is not 0. */
const [NOTED_KINDS, NOTED_ECN] = [1, 2]

/** A column whose values may be missing. Each kind of array has functions of its own, which V8 makes quick code of. */
type Nullable<A> = readonly [values: A, flags: Uint8Array]

const optionalWhole = (column: Nullable<Float64Array>, row: number): number | null =>
  column[1][row] === 1 ? whole(column[0][row]!) : null
const optionalDouble = (column: Nullable<Float64Array>, row: number): number | null =>
  column[1][row] === 1 ? column[0][row]! : null
const optionalU32 = (column: Nullable<Uint32Array>, row: number): number | null =>
  column[1][row] === 1 ? column[0][row]! : null

/** Of the client and of the server. */
type Pair<T> = readonly [fwd: T, rev: T]

/** A reader of records with their analysis; `read` makes the record of a row as an {@link AnalysedRow}. */
export function bindAnalysis(view: BatchView, read: RowReader<ConnectionRecord>): RowReader<AnalysedRecord> {
  const noted = view.numbers('analysis_noted') as Uint8Array
  const [kinds, ecn] = [new KindsColumns(view), new EcnColumns(view)]
  const [roundTrips, pace, words] = [new RoundTripsColumns(view), new PaceColumns(view), new WordsColumns(view)]
  return row => {
    const record = read(row) as AnalysedRow
    // What is 0 in a group that nothing was noted in, a new record has already.
    if ((noted[row]! & NOTED_KINDS) !== 0) kinds.write(record, row)
    roundTrips.write(record, row)
    pace.write(record, row)
    if ((noted[row]! & NOTED_ECN) !== 0) ecn.write(record, row)
    words.write(record, row)
    return record
  }
}

const u32s = (view: BatchView, name: string) =>
  [view.numbers(`${name}_fwd`) as Uint32Array, view.numbers(`${name}_rev`) as Uint32Array] as const
const doubles = (view: BatchView, name: string) =>
  [view.numbers(`${name}_fwd`) as Float64Array, view.numbers(`${name}_rev`) as Float64Array] as const
const nullable = <A extends NumberArray>(view: BatchView, name: string): Nullable<A> => [view.numbers(name) as A, view.flags(name)]
const nullables = <A extends NumberArray>(view: BatchView, name: string) =>
  [nullable<A>(view, `${name}_fwd`), nullable<A>(view, `${name}_rev`)] as const

// Groups of columns are classes, and not closures for each batch, so that V8 compiles one function of each.
class KindsColumns {
  private readonly retransmission: Pair<Uint32Array>
  private readonly fastRetransmission: Pair<Uint32Array>
  private readonly spuriousRetransmission: Pair<Uint32Array>
  private readonly outOfOrder: Pair<Uint32Array>
  private readonly lostSegment: Pair<Uint32Array>
  private readonly ackLostSegment: Pair<Uint32Array>
  private readonly duplicateAck: Pair<Uint32Array>
  private readonly zeroWindow: Pair<Uint32Array>
  private readonly windowFull: Pair<Uint32Array>
  private readonly keepAlive: Pair<Uint32Array>
  private readonly keepAliveAck: Pair<Uint32Array>
  private readonly windowUpdate: Pair<Uint32Array>
  private readonly zeroWindowProbe: Pair<Uint32Array>
  private readonly zeroWindowProbeAck: Pair<Uint32Array>

  constructor(view: BatchView) {
    this.retransmission = u32s(view, 'kind_retransmission')
    this.fastRetransmission = u32s(view, 'kind_fast_retransmission')
    this.spuriousRetransmission = u32s(view, 'kind_spurious_retransmission')
    this.outOfOrder = u32s(view, 'kind_out_of_order')
    this.lostSegment = u32s(view, 'kind_lost_segment')
    this.ackLostSegment = u32s(view, 'kind_ack_lost_segment')
    this.duplicateAck = u32s(view, 'kind_duplicate_ack')
    this.zeroWindow = u32s(view, 'kind_zero_window')
    this.windowFull = u32s(view, 'kind_window_full')
    this.keepAlive = u32s(view, 'kind_keep_alive')
    this.keepAliveAck = u32s(view, 'kind_keep_alive_ack')
    this.windowUpdate = u32s(view, 'kind_window_update')
    this.zeroWindowProbe = u32s(view, 'kind_zero_window_probe')
    this.zeroWindowProbeAck = u32s(view, 'kind_zero_window_probe_ack')
  }

  write(record: AnalysedRow, row: number): void {
    record.kind_retransmission_fwd = this.retransmission[0][row]!
    record.kind_retransmission_rev = this.retransmission[1][row]!
    record.kind_fast_retransmission_fwd = this.fastRetransmission[0][row]!
    record.kind_fast_retransmission_rev = this.fastRetransmission[1][row]!
    record.kind_spurious_retransmission_fwd = this.spuriousRetransmission[0][row]!
    record.kind_spurious_retransmission_rev = this.spuriousRetransmission[1][row]!
    record.kind_out_of_order_fwd = this.outOfOrder[0][row]!
    record.kind_out_of_order_rev = this.outOfOrder[1][row]!
    record.kind_lost_segment_fwd = this.lostSegment[0][row]!
    record.kind_lost_segment_rev = this.lostSegment[1][row]!
    record.kind_ack_lost_segment_fwd = this.ackLostSegment[0][row]!
    record.kind_ack_lost_segment_rev = this.ackLostSegment[1][row]!
    record.kind_duplicate_ack_fwd = this.duplicateAck[0][row]!
    record.kind_duplicate_ack_rev = this.duplicateAck[1][row]!
    record.kind_zero_window_fwd = this.zeroWindow[0][row]!
    record.kind_zero_window_rev = this.zeroWindow[1][row]!
    record.kind_window_full_fwd = this.windowFull[0][row]!
    record.kind_window_full_rev = this.windowFull[1][row]!
    record.kind_keep_alive_fwd = this.keepAlive[0][row]!
    record.kind_keep_alive_rev = this.keepAlive[1][row]!
    record.kind_keep_alive_ack_fwd = this.keepAliveAck[0][row]!
    record.kind_keep_alive_ack_rev = this.keepAliveAck[1][row]!
    record.kind_window_update_fwd = this.windowUpdate[0][row]!
    record.kind_window_update_rev = this.windowUpdate[1][row]!
    record.kind_zero_window_probe_fwd = this.zeroWindowProbe[0][row]!
    record.kind_zero_window_probe_rev = this.zeroWindowProbe[1][row]!
    record.kind_zero_window_probe_ack_fwd = this.zeroWindowProbeAck[0][row]!
    record.kind_zero_window_probe_ack_rev = this.zeroWindowProbeAck[1][row]!
  }
}

class EcnColumns {
  private readonly ect0: Pair<Uint32Array>
  private readonly ect1: Pair<Uint32Array>
  private readonly ce: Pair<Uint32Array>
  private readonly ece: Pair<Uint32Array>
  private readonly cwr: Pair<Uint32Array>
  private readonly ae: Pair<Uint32Array>
  private readonly aceCe: Pair<Uint32Array>

  constructor(view: BatchView) {
    this.ect0 = u32s(view, 'ect0_packets')
    this.ect1 = u32s(view, 'ect1_packets')
    this.ce = u32s(view, 'ce_packets')
    this.ece = u32s(view, 'ece_packets')
    this.cwr = u32s(view, 'cwr_packets')
    this.ae = u32s(view, 'ae_packets')
    this.aceCe = u32s(view, 'ace_ce_packets')
  }

  write(record: AnalysedRow, row: number): void {
    record.ect0_packets_fwd = this.ect0[0][row]!
    record.ect0_packets_rev = this.ect0[1][row]!
    record.ect1_packets_fwd = this.ect1[0][row]!
    record.ect1_packets_rev = this.ect1[1][row]!
    record.ce_packets_fwd = this.ce[0][row]!
    record.ce_packets_rev = this.ce[1][row]!
    record.ece_packets_fwd = this.ece[0][row]!
    record.ece_packets_rev = this.ece[1][row]!
    record.cwr_packets_fwd = this.cwr[0][row]!
    record.cwr_packets_rev = this.cwr[1][row]!
    record.ae_packets_fwd = this.ae[0][row]!
    record.ae_packets_rev = this.ae[1][row]!
    record.ace_ce_packets_fwd = this.aceCe[0][row]!
    record.ace_ce_packets_rev = this.aceCe[1][row]!
  }
}

class RoundTripsColumns {
  private readonly irtt: Nullable<Float64Array>
  private readonly seqSamples: Pair<Float64Array>
  private readonly seqMin: Pair<Nullable<Float64Array>>
  private readonly seqMedian: Pair<Nullable<Float64Array>>
  private readonly seqP95: Pair<Nullable<Float64Array>>
  private readonly stampSamples: Pair<Float64Array>
  private readonly stampMin: Pair<Nullable<Float64Array>>
  private readonly stampMedian: Pair<Nullable<Float64Array>>
  private readonly stampP95: Pair<Nullable<Float64Array>>

  constructor(view: BatchView) {
    this.irtt = nullable<Float64Array>(view, 'irtt_ns')
    this.seqSamples = doubles(view, 'rtt_samples')
    this.seqMin = nullables<Float64Array>(view, 'rtt_min_ns')
    this.seqMedian = nullables<Float64Array>(view, 'rtt_median_ns')
    this.seqP95 = nullables<Float64Array>(view, 'rtt_p95_ns')
    this.stampSamples = doubles(view, 'ts_rtt_samples')
    this.stampMin = nullables<Float64Array>(view, 'ts_rtt_min_ns')
    this.stampMedian = nullables<Float64Array>(view, 'ts_rtt_median_ns')
    this.stampP95 = nullables<Float64Array>(view, 'ts_rtt_p95_ns')
  }

  write(record: AnalysedRow, row: number): void {
    record.irtt_ns = optionalWhole(this.irtt, row)
    record.rtt_samples_fwd = whole(this.seqSamples[0][row]!)
    record.rtt_samples_rev = whole(this.seqSamples[1][row]!)
    record.rtt_min_ns_fwd = optionalWhole(this.seqMin[0], row)
    record.rtt_min_ns_rev = optionalWhole(this.seqMin[1], row)
    record.rtt_median_ns_fwd = optionalWhole(this.seqMedian[0], row)
    record.rtt_median_ns_rev = optionalWhole(this.seqMedian[1], row)
    record.rtt_p95_ns_fwd = optionalWhole(this.seqP95[0], row)
    record.rtt_p95_ns_rev = optionalWhole(this.seqP95[1], row)
    record.ts_rtt_samples_fwd = whole(this.stampSamples[0][row]!)
    record.ts_rtt_samples_rev = whole(this.stampSamples[1][row]!)
    record.ts_rtt_min_ns_fwd = optionalWhole(this.stampMin[0], row)
    record.ts_rtt_min_ns_rev = optionalWhole(this.stampMin[1], row)
    record.ts_rtt_median_ns_fwd = optionalWhole(this.stampMedian[0], row)
    record.ts_rtt_median_ns_rev = optionalWhole(this.stampMedian[1], row)
    record.ts_rtt_p95_ns_fwd = optionalWhole(this.stampP95[0], row)
    record.ts_rtt_p95_ns_rev = optionalWhole(this.stampP95[1], row)
  }
}

class PaceColumns {
  private readonly inFlight: Pair<Nullable<Uint32Array>>
  private readonly windowMax: Pair<Nullable<Uint32Array>>
  private readonly windowMin: Pair<Nullable<Uint32Array>>
  private readonly throughput: Pair<Nullable<Float64Array>>
  private readonly goodput: Pair<Nullable<Float64Array>>
  private readonly firstByte: Pair<Nullable<Float64Array>>
  private readonly idle: Pair<Float64Array>
  private readonly ip: Pair<Float64Array>

  constructor(view: BatchView) {
    this.inFlight = nullables<Uint32Array>(view, 'in_flight_max_bytes')
    this.windowMax = nullables<Uint32Array>(view, 'window_max_bytes')
    this.windowMin = nullables<Uint32Array>(view, 'window_min_bytes')
    this.throughput = nullables<Float64Array>(view, 'throughput_bps')
    this.goodput = nullables<Float64Array>(view, 'goodput_bps')
    this.firstByte = nullables<Float64Array>(view, 'first_byte_ns')
    this.idle = doubles(view, 'idle_max_ns')
    this.ip = doubles(view, 'ip_bytes')
  }

  write(record: AnalysedRow, row: number): void {
    record.in_flight_max_bytes_fwd = optionalU32(this.inFlight[0], row)
    record.in_flight_max_bytes_rev = optionalU32(this.inFlight[1], row)
    record.window_max_bytes_fwd = optionalU32(this.windowMax[0], row)
    record.window_max_bytes_rev = optionalU32(this.windowMax[1], row)
    record.window_min_bytes_fwd = optionalU32(this.windowMin[0], row)
    record.window_min_bytes_rev = optionalU32(this.windowMin[1], row)
    record.throughput_bps_fwd = optionalDouble(this.throughput[0], row)
    record.throughput_bps_rev = optionalDouble(this.throughput[1], row)
    record.goodput_bps_fwd = optionalDouble(this.goodput[0], row)
    record.goodput_bps_rev = optionalDouble(this.goodput[1], row)
    record.first_byte_ns_fwd = optionalWhole(this.firstByte[0], row)
    record.first_byte_ns_rev = optionalWhole(this.firstByte[1], row)
    record.idle_max_ns_fwd = whole(this.idle[0][row]!)
    record.idle_max_ns_rev = whole(this.idle[1][row]!)
    record.ip_bytes_fwd = whole(this.ip[0][row]!)
    record.ip_bytes_rev = whole(this.ip[1][row]!)
  }
}

class WordsColumns {
  private readonly modes: Nullable<Uint8Array>
  private readonly modeWords: readonly EcnMode[]
  private readonly state: Uint8Array
  private readonly states: readonly ConnState[]
  private readonly history: (row: number) => string
  private readonly side: Uint8Array
  private readonly sides: readonly ('client' | 'server')[]
  private readonly orig: Float64Array
  private readonly resp: Float64Array
  private readonly missed: Float64Array
  private readonly duration: Float64Array

  constructor(view: BatchView) {
    this.modes = nullable<Uint8Array>(view, 'ecn_mode')
    this.modeWords = view.words('ecn_mode') as readonly EcnMode[]
    this.state = view.numbers('conn_state') as Uint8Array
    this.states = view.words('conn_state') as readonly ConnState[]
    this.history = view.texts('history')
    this.side = view.numbers('originator') as Uint8Array
    this.sides = view.words('originator') as readonly ('client' | 'server')[]
    this.orig = view.numbers('orig_bytes') as Float64Array
    this.resp = view.numbers('resp_bytes') as Float64Array
    this.missed = view.numbers('missed_bytes') as Float64Array
    this.duration = view.numbers('duration_ns') as Float64Array
  }

  write(record: AnalysedRow, row: number): void {
    if (this.modes[1][row] === 1) record.ecn_mode = this.modeWords[this.modes[0][row]!]!
    record.conn_state = this.states[this.state[row]!]!
    record.history = this.history(row)
    record.originator = this.sides[this.side[row]!]!
    record.orig_bytes = whole(this.orig[row]!)
    record.resp_bytes = whole(this.resp[row]!)
    record.missed_bytes = whole(this.missed[row]!)
    record.duration_ns = whole(this.duration[row]!)
  }
}

/**
 * For numbers that may be too large for V8's small integers, and always get a value. A field that began with a small
 * integer would change its kind with the first large one, and all code that was compiled for it would be compiled anew.
 */
const UNSET = null as unknown as number

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
  idle_max_ns_fwd = UNSET
  idle_max_ns_rev = UNSET
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
  ip_bytes_fwd = UNSET
  ip_bytes_rev = UNSET
  conn_state: ConnState = 'OTH'
  history = ''
  originator: 'client' | 'server' = 'client'
  orig_bytes = UNSET
  resp_bytes = UNSET
  missed_bytes = UNSET
  duration_ns = UNSET
}
