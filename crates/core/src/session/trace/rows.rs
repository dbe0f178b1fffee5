//! What JavaScript hears: one row per flow that ended and, where asked for, one per frame that was written.

use std::collections::VecDeque;

use super::flows::{TraceEnd, TracedFlow};
use super::stats::TraceStats;
use crate::batch::{Column, Kind, Layout, RowWriter};
use crate::decode::{EncapTable, LayerKind, Layers};

/// A flow that ended. `suffix` stands behind its label in its file's name where that was taken; 0 = it wasn't.
const FLOWS: &[Column] = &[
    Column::new("flow_id", Kind::U64),
    Column::new("ip_version", Kind::U8),
    Column::new("src", Kind::Addr),
    Column::new("dst", Kind::Addr),
    Column::new("srcport", Kind::U16),
    Column::new("dstport", Kind::U16),
    Column::new("first_ns", Kind::I64),
    Column::new("last_ns", Kind::I64),
    Column::new("first_packet", Kind::U64),
    Column::new("capture", Kind::U32),
    Column::new("packets", Kind::U64),
    Column::new("captured_bytes", Kind::U64),
    Column::new("suffix", Kind::U32),
    Column::new("end_reason", Kind::Word(&TraceEnd::NAMES)),
    Column::nullable("vlan", Kind::U16),
    Column::nullable("tunnel", Kind::Word(LayerKind::NAMES)),
    Column::nullable("tunnel_id", Kind::U32),
];

/// A frame that was written: the flow's `flow_id`, and the frame's number in its capture.
const FRAMES: &[Column] = &[Column::new("flow_id", Kind::U64), Column::new("number", Kind::U64)];

/// Rows of flows in a batch; what has no room waits for the next one.
pub const MAX_FLOWS: usize = 4096;
/// Rows of frames in a batch.
pub const MAX_FRAMES: usize = 32_768;

/// The tables of a batch.
#[derive(Debug)]
pub struct TraceLayout {
    flows: Layout,
    frames: Option<Layout>,
}

impl TraceLayout {
    /// With or without the table of frames.
    #[must_use]
    pub fn new(with_frames: bool) -> Self {
        let flows = Layout::new(TraceStats::NAMES, FLOWS.iter().copied(), MAX_FLOWS);
        let frames = with_frames.then(|| Layout::behind(flows.byte_len(), &[], FRAMES.iter().copied(), MAX_FRAMES));
        Self { flows, frames }
    }

    /// Octets of a batch.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.frames.as_ref().unwrap_or(&self.flows).byte_len()
    }

    /// As JSON for JavaScript: one layout for each table.
    #[must_use]
    pub fn describe(&self) -> String {
        let frames = self.frames.as_ref().map_or_else(|| "null".to_owned(), Layout::describe);
        format!("{{\"byteLength\":{},\"flows\":{},\"frames\":{frames}}}", self.byte_len(), self.flows.describe())
    }

    /// Writes the statistics.
    pub fn write_stats(&self, batch: &mut [u8], stats: &TraceStats) {
        self.flows.write_stats(batch, stats.values());
    }

    /// Writes a frame's row; false where no frames are wanted.
    #[inline]
    pub fn write_frame(&self, batch: &mut [u8], row: usize, flow: u64, number: u64) -> bool {
        let Some(frames) = &self.frames else { return false };
        let row = &mut frames.row(batch, row);
        row.u64(flow);
        row.u64(number);
        true
    }

    /// Writes the rows of as many flows as there is room for; the number of them.
    pub fn write_flows(&self, batch: &mut [u8], ended: &mut VecDeque<EndedFlow>, encaps: &EncapTable) -> usize {
        let rows = ended.len().min(MAX_FLOWS);
        for (at, flow) in ended.drain(..rows).enumerate() {
            flow.write(&mut self.flows.row(batch, at), encaps);
        }
        rows
    }
}

/// A flow that ended, and what became of its file.
#[derive(Debug)]
pub struct EndedFlow {
    /// The flow.
    pub flow: TracedFlow,
    /// What its file's name got.
    pub suffix: u32,
    /// Why it ended.
    pub reason: TraceEnd,
}

impl EndedFlow {
    fn write(&self, row: &mut RowWriter<'_>, encaps: &EncapTable) {
        let Self { flow, suffix, reason } = self;
        let parts = &flow.first.parts;
        row.u64(flow.id);
        row.u8(parts.version);
        row.bytes(&parts.src);
        row.bytes(&parts.dst);
        row.u16(parts.ports.0);
        row.u16(parts.ports.1);
        row.i64(parts.first_ns);
        row.i64(flow.last_ns);
        row.u64(flow.first.number);
        row.u32(flow.first.capture);
        row.u64(flow.packets);
        row.u64(flow.octets);
        row.u32(*suffix);
        row.u8(*reason as u8);
        let outer = encaps.layers(flow.first.outer);
        let tunnel = outer.and_then(Layers::tunnel);
        row.optional(outer.and_then(Layers::vlan), RowWriter::u16);
        row.optional(tunnel.map(|t| t.kind as u8), RowWriter::u8);
        row.optional(tunnel.and_then(|t| t.id), RowWriter::u32);
    }
}
