//! The connection record: its columns, and how a row is written.

use super::{Connection, EndReason, State};
use crate::batch::{Column, Kind, RowWriter};

/// What stands fast from a connection's first segment on.
pub const IDENTITY: &[Column] = &[
    Column::new("connection_id", Kind::U64),
    Column::new("capture", Kind::U32),
    Column::new("first_packet", Kind::U64),
    Column::new("first_ns", Kind::I64),
    Column::new("ip_version", Kind::U8),
    Column::new("client_addr", Kind::Addr),
    Column::new("client_port", Kind::U16),
    Column::new("server_addr", Kind::Addr),
    Column::new("server_port", Kind::U16),
];

/// `[fwd, rev]` pairs stand side by side. `stream_sha256_*` and the list of gaps travel apart.
pub const COLUMNS: &[Column] = &[
    Column::new("connection_id", Kind::U64),
    Column::new("capture", Kind::U32),
    Column::new("first_packet", Kind::U64),
    Column::new("first_ns", Kind::I64),
    Column::new("last_ns", Kind::I64),
    Column::new("ip_version", Kind::U8),
    Column::new("client_addr", Kind::Addr),
    Column::new("client_port", Kind::U16),
    Column::new("server_addr", Kind::Addr),
    Column::new("server_port", Kind::U16),
    Column::new("state", Kind::Word(&State::NAMES)),
    Column::new("end_reason", Kind::Word(&EndReason::NAMES)),
    Column::new("packets_fwd", Kind::U64),
    Column::new("packets_rev", Kind::U64),
    Column::new("payload_bytes_fwd", Kind::U64),
    Column::new("payload_bytes_rev", Kind::U64),
    Column::nullable("syn_flags_fwd", Kind::U8),
    Column::nullable("syn_flags_rev", Kind::U8),
    Column::new("fin_fwd", Kind::Bool),
    Column::new("fin_rev", Kind::Bool),
    Column::new("rst_fwd", Kind::Bool),
    Column::new("rst_rev", Kind::Bool),
    Column::new("connected", Kind::Bool),
    Column::nullable("isn_fwd", Kind::U32),
    Column::nullable("isn_rev", Kind::U32),
    Column::nullable("mss_fwd", Kind::U16),
    Column::nullable("mss_rev", Kind::U16),
    Column::nullable("window_scale_fwd", Kind::U8),
    Column::nullable("window_scale_rev", Kind::U8),
    Column::nullable("sack_permitted_fwd", Kind::Bool),
    Column::nullable("sack_permitted_rev", Kind::Bool),
    Column::nullable("timestamps_fwd", Kind::Bool),
    Column::nullable("timestamps_rev", Kind::Bool),
    Column::new("stream_len_fwd", Kind::U64),
    Column::new("stream_len_rev", Kind::U64),
    Column::new("gap_bytes_fwd", Kind::U64),
    Column::new("gap_bytes_rev", Kind::U64),
    Column::new("retransmitted_bytes_fwd", Kind::U64),
    Column::new("retransmitted_bytes_rev", Kind::U64),
    Column::new("out_of_order_fwd", Kind::U32),
    Column::new("out_of_order_rev", Kind::U32),
    Column::new("overlap_bytes_fwd", Kind::U64),
    Column::new("overlap_bytes_rev", Kind::U64),
    Column::new("conflict_bytes_fwd", Kind::U64),
    Column::new("conflict_bytes_rev", Kind::U64),
];

impl Connection {
    /// Writes the columns of [`IDENTITY`].
    pub fn write_identity(&self, row: &mut RowWriter<'_>) {
        row.u64(self.id);
        row.u32(self.capture);
        row.u64(self.first_packet);
        row.i64(self.first_ns);
        row.u8(self.version);
        row.bytes(&self.addr[0]);
        row.u16(self.port[0]);
        row.bytes(&self.addr[1]);
        row.u16(self.port[1]);
    }

    /// Writes the columns of [`COLUMNS`].
    pub fn write(&self, reason: EndReason, row: &mut RowWriter<'_>) {
        row.u64(self.id);
        row.u32(self.capture);
        row.u64(self.first_packet);
        row.i64(self.first_ns);
        row.i64(self.last_ns);
        row.u8(self.version);
        row.bytes(&self.addr[0]);
        row.u16(self.port[0]);
        row.bytes(&self.addr[1]);
        row.u16(self.port[1]);
        row.u8(self.state as u8);
        row.u8(reason as u8);
        self.write_counts(row);
        self.write_handshake(row);
        self.write_streams(row);
    }

    fn write_counts(&self, row: &mut RowWriter<'_>) {
        let tracked = &self.tracked;
        tracked.packets.iter().chain(&tracked.payload).for_each(|&n| row.u64(n));
        self.syn.iter().for_each(|syn| row.optional(syn.map(|s| s.flags), RowWriter::u8));
        tracked.fin().into_iter().chain(tracked.rst()).for_each(|seen| row.bool(seen));
        row.bool(tracked.connected);
    }

    fn write_handshake(&self, row: &mut RowWriter<'_>) {
        let syn = &self.syn;
        syn.iter().for_each(|syn| row.optional(syn.map(|s| s.isn.0), RowWriter::u32));
        syn.iter().for_each(|syn| row.optional(syn.and_then(|s| s.mss), RowWriter::u16));
        syn.iter().for_each(|syn| row.optional(syn.and_then(|s| s.window_scale), RowWriter::u8));
        syn.iter().for_each(|syn| row.optional(syn.map(|s| s.sack_permitted), RowWriter::bool));
        syn.iter().for_each(|syn| row.optional(syn.map(|s| s.timestamps), RowWriter::bool));
    }

    fn write_streams(&self, row: &mut RowWriter<'_>) {
        let counters = [self.streams[0].counters(), self.streams[1].counters()];
        self.streams.iter().for_each(|s| row.u64(s.delivered()));
        counters.iter().for_each(|c| row.u64(c.gap_bytes));
        counters.iter().for_each(|c| row.u64(c.retransmitted_bytes));
        counters.iter().for_each(|c| row.u32(c.out_of_order));
        counters.iter().for_each(|c| row.u64(c.overlap_bytes));
        counters.iter().for_each(|c| row.u64(c.conflict_bytes));
    }
}
