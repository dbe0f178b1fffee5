//! What a record says of a connection's analysis: the columns, and how a row is written.

use super::Analysis;
use super::ecn::{EcnCounts, EcnMode};
use super::quantile::Quantiles;
use super::round_trip::RoundTrips;
use super::zeek::{ConnState, HISTORY_LEN};
use crate::batch::{Column, Kind, RowWriter};
use crate::connection::Connection;

/// The words of `originator`.
const SIDES: [&str; 2] = ["client", "server"];

/// In `analysis_noted`: some `kind_*` column is not 0.
const NOTED_KINDS: u8 = 1;
/// In `analysis_noted`: some column of ECN counts is not 0.
const NOTED_ECN: u8 = 1 << 1;

/// `[fwd, rev]` pairs stand side by side. Durations `*_ns` are nanoseconds of packet time. `analysis_noted` is no column
/// of a record: it tells readers of rows which groups of columns they can leave out, as most connections' are all 0.
pub const COLUMNS: &[Column] = &[
    Column::new("analysis_noted", Kind::U8),
    Column::new("kind_retransmission_fwd", Kind::U32),
    Column::new("kind_retransmission_rev", Kind::U32),
    Column::new("kind_fast_retransmission_fwd", Kind::U32),
    Column::new("kind_fast_retransmission_rev", Kind::U32),
    Column::new("kind_spurious_retransmission_fwd", Kind::U32),
    Column::new("kind_spurious_retransmission_rev", Kind::U32),
    Column::new("kind_out_of_order_fwd", Kind::U32),
    Column::new("kind_out_of_order_rev", Kind::U32),
    Column::new("kind_lost_segment_fwd", Kind::U32),
    Column::new("kind_lost_segment_rev", Kind::U32),
    Column::new("kind_ack_lost_segment_fwd", Kind::U32),
    Column::new("kind_ack_lost_segment_rev", Kind::U32),
    Column::new("kind_duplicate_ack_fwd", Kind::U32),
    Column::new("kind_duplicate_ack_rev", Kind::U32),
    Column::new("kind_zero_window_fwd", Kind::U32),
    Column::new("kind_zero_window_rev", Kind::U32),
    Column::new("kind_window_full_fwd", Kind::U32),
    Column::new("kind_window_full_rev", Kind::U32),
    Column::new("kind_keep_alive_fwd", Kind::U32),
    Column::new("kind_keep_alive_rev", Kind::U32),
    Column::new("kind_keep_alive_ack_fwd", Kind::U32),
    Column::new("kind_keep_alive_ack_rev", Kind::U32),
    Column::new("kind_window_update_fwd", Kind::U32),
    Column::new("kind_window_update_rev", Kind::U32),
    Column::new("kind_zero_window_probe_fwd", Kind::U32),
    Column::new("kind_zero_window_probe_rev", Kind::U32),
    Column::new("kind_zero_window_probe_ack_fwd", Kind::U32),
    Column::new("kind_zero_window_probe_ack_rev", Kind::U32),
    Column::nullable("irtt_ns", Kind::U64),
    Column::new("rtt_samples_fwd", Kind::U64),
    Column::new("rtt_samples_rev", Kind::U64),
    Column::nullable("rtt_min_ns_fwd", Kind::U64),
    Column::nullable("rtt_min_ns_rev", Kind::U64),
    Column::nullable("rtt_median_ns_fwd", Kind::U64),
    Column::nullable("rtt_median_ns_rev", Kind::U64),
    Column::nullable("rtt_p95_ns_fwd", Kind::U64),
    Column::nullable("rtt_p95_ns_rev", Kind::U64),
    Column::new("ts_rtt_samples_fwd", Kind::U64),
    Column::new("ts_rtt_samples_rev", Kind::U64),
    Column::nullable("ts_rtt_min_ns_fwd", Kind::U64),
    Column::nullable("ts_rtt_min_ns_rev", Kind::U64),
    Column::nullable("ts_rtt_median_ns_fwd", Kind::U64),
    Column::nullable("ts_rtt_median_ns_rev", Kind::U64),
    Column::nullable("ts_rtt_p95_ns_fwd", Kind::U64),
    Column::nullable("ts_rtt_p95_ns_rev", Kind::U64),
    Column::nullable("in_flight_max_bytes_fwd", Kind::U32),
    Column::nullable("in_flight_max_bytes_rev", Kind::U32),
    Column::nullable("window_max_bytes_fwd", Kind::U32),
    Column::nullable("window_max_bytes_rev", Kind::U32),
    Column::nullable("window_min_bytes_fwd", Kind::U32),
    Column::nullable("window_min_bytes_rev", Kind::U32),
    Column::nullable("throughput_bps_fwd", Kind::F64),
    Column::nullable("throughput_bps_rev", Kind::F64),
    Column::nullable("goodput_bps_fwd", Kind::F64),
    Column::nullable("goodput_bps_rev", Kind::F64),
    Column::nullable("first_byte_ns_fwd", Kind::U64),
    Column::nullable("first_byte_ns_rev", Kind::U64),
    Column::new("idle_max_ns_fwd", Kind::U64),
    Column::new("idle_max_ns_rev", Kind::U64),
    Column::nullable("ecn_mode", Kind::Word(&EcnMode::NAMES)),
    Column::new("ect0_packets_fwd", Kind::U32),
    Column::new("ect0_packets_rev", Kind::U32),
    Column::new("ect1_packets_fwd", Kind::U32),
    Column::new("ect1_packets_rev", Kind::U32),
    Column::new("ce_packets_fwd", Kind::U32),
    Column::new("ce_packets_rev", Kind::U32),
    Column::new("ece_packets_fwd", Kind::U32),
    Column::new("ece_packets_rev", Kind::U32),
    Column::new("cwr_packets_fwd", Kind::U32),
    Column::new("cwr_packets_rev", Kind::U32),
    Column::new("ae_packets_fwd", Kind::U32),
    Column::new("ae_packets_rev", Kind::U32),
    Column::new("ace_ce_packets_fwd", Kind::U32),
    Column::new("ace_ce_packets_rev", Kind::U32),
    Column::new("ip_bytes_fwd", Kind::U64),
    Column::new("ip_bytes_rev", Kind::U64),
    Column::new("conn_state", Kind::Word(&ConnState::NAMES)),
    Column::new("history", Kind::Text(HISTORY_LEN)),
    Column::new("originator", Kind::Word(&SIDES)),
    Column::new("orig_bytes", Kind::U64),
    Column::new("resp_bytes", Kind::U64),
    Column::new("missed_bytes", Kind::U64),
    Column::new("duration_ns", Kind::U64),
];

impl Analysis {
    /// Writes the columns of [`COLUMNS`].
    pub fn write(&self, connection: &Connection, row: &mut RowWriter<'_>) {
        row.u8((u8::from(self.kinds_noted) * NOTED_KINDS) | (u8::from(self.ecn.noted) * NOTED_ECN));
        write_pairs(self.kinds_noted.then(|| self.kinds.each_ref().map(|counts| counts.0)), row);
        row.optional(duration(self.judge.initial_rtt_ns), RowWriter::u64);
        write_round_trips(&self.round_trips.0, |trips| &trips.seq_samples, row);
        write_round_trips(&self.round_trips.0, |trips| &trips.timestamp_samples, row);
        self.write_pace(connection, row);
        self.write_ecn(row);
        self.ip_octets.iter().for_each(|&octets| row.u64(octets));
        self.write_zeek(row);
    }

    fn write_pace(&self, connection: &Connection, row: &mut RowWriter<'_>) {
        let pace = &self.pace;
        pace.iter().for_each(|p| row.optional(p.in_flight, RowWriter::u32));
        pace.iter().for_each(|p| row.optional(p.window.map(|(greatest, _)| greatest), RowWriter::u32));
        pace.iter().for_each(|p| row.optional(p.window.map(|(_, least)| least), RowWriter::u32));
        let delivered = [connection.streams[0].delivered(), connection.streams[1].delivered()];
        for octets in [connection.tracked.payload, delivered] {
            for (p, octets) in pace.iter().zip(octets) {
                let bits_per_second = p.sending_ns().map(|ns| octets as f64 * 8e9 / ns as f64);
                row.optional(bits_per_second, RowWriter::f64);
            }
        }
        for p in pace {
            let first = p.first_payload_ns.map(|at| at.saturating_sub(connection.first_ns));
            row.optional(duration(first), RowWriter::u64);
        }
        pace.iter().for_each(|p| row.u64(p.idle_ns.unsigned_abs()));
    }

    fn write_ecn(&self, row: &mut RowWriter<'_>) {
        row.optional(self.ecn.agreed.map(|mode| mode as u8), RowWriter::u8);
        write_pairs(self.ecn.noted.then(|| self.ecn.counts.each_ref().map(EcnCounts::all)), row);
    }

    fn write_zeek(&self, row: &mut RowWriter<'_>) {
        let zeek = &self.zeek;
        row.u8(zeek.conn_state() as u8);
        row.text(zeek.history.letters());
        row.u8(u8::from(!zeek.client_is_originator()));
        zeek.sizes().iter().for_each(|&octets| row.u64(octets));
        row.u64(zeek.missed_bytes);
        row.u64(zeek.duration_ns().max(0).unsigned_abs());
    }
}

/// Times that run backwards are no duration.
fn duration(ns: Option<i64>) -> Option<u64> {
    ns.and_then(|ns| u64::try_from(ns).ok())
}

/// Counts of both directions; none: all are 0.
fn write_pairs<const N: usize>(counts: Option<[[u32; N]; 2]>, row: &mut RowWriter<'_>) {
    let Some([fwd, rev]) = counts else { return row.zeros_u32(2 * N) };
    for (fwd, rev) in fwd.into_iter().zip(rev) {
        row.u32(fwd);
        row.u32(rev);
    }
}

fn write_round_trips(trips: &[RoundTrips; 2], of: fn(&RoundTrips) -> &Quantiles, row: &mut RowWriter<'_>) {
    let found = trips.each_ref().map(|t| of(t).least_and([0.5, 0.95]));
    trips.iter().for_each(|t| row.u64(of(t).count()));
    found.iter().for_each(|f| row.optional(f.map(|(least, _)| least), RowWriter::u64));
    for part in 0..2 {
        found.iter().for_each(|f| row.optional(f.map(|(_, parts)| parts[part]), RowWriter::u64));
    }
}
