//! Captures in, flow records out, all in Rust.

pub(super) mod decoded;
pub(super) mod group;
mod pipeline;
mod tracker;

use super::feed::FeedFilled;
use super::{Buffers, Feed, Progress, Session, Source, Stats, Status};
use crate::batch::{Column, Kind, Layout, RowWriter};
use crate::capture::{Block, CaptureLog};
use crate::chain::Chain;
use crate::decode::{DecodeOptions, Decoder, LayerKind, Layers};
use crate::error::FlowError;
use crate::filter::Filter;
use crate::flow::{EndReason, FlowTableOptions};
use group::Group;
use pipeline::{Pool, Walked};
use tracker::FlowTracker;

/// Columns of every flow record.
const BASE: &[Column] = &[
    Column::new("flow_id", Kind::U64),
    Column::new("ip_version", Kind::U8),
    Column::new("pkt_first", Kind::F64),
    Column::new("pkt_last", Kind::F64),
    Column::new("first_ns", Kind::I64),
    Column::new("last_ns", Kind::I64),
    Column::new("first_packet", Kind::U64),
    Column::new("capture", Kind::U32),
    Column::new("end_reason", Kind::Word(&EndReason::NAMES)),
    Column::nullable("vlan", Kind::U16),
    Column::nullable("tunnel", Kind::Word(LayerKind::NAMES)),
    Column::nullable("tunnel_id", Kind::U32),
];

/// Rows of a batch: enough to make a request's cost vanish, and so few that the first ones come soon (measured with
/// bench/flows.mjs: three batches of 4096 took a tenth longer than ten of these).
const MAX_ROWS: usize = 1024;

/// Packets that are decoded in one go.
const GROUP: usize = 64;

/// Octets that one call reads at most, so that progress and an abort are seen.
const OCTETS_PER_CALL: usize = 32 << 20;

/// What a flow session is to do.
#[derive(Clone, Debug, Default)]
pub struct FlowSessionOptions {
    /// Chains whose columns the records have, in order.
    pub chains: Vec<Chain>,
    /// Times and bounds.
    pub table: FlowTableOptions,
    /// One flow for all packets, as PATHspider's `aggregate`.
    pub aggregate: bool,
    /// How packets are decoded.
    pub decode: DecodeOptions,
    /// Packets that it doesn't choose are as if they weren't there.
    pub filter: Option<Filter>,
}

/// Reads captures and hands out flow records as columns.
pub struct FlowSession {
    options: FlowSessionOptions,
    layout: Layout,
    feed: Feed,
    block: Block,
    /// The block holds packets that weren't looked at yet.
    in_block: bool,
    decoder: Decoder,
    tracker: FlowTracker,
    group: Group,
    /// For a thread that decodes.
    pool: Pool,
    finished: bool,
}

impl FlowSession {
    /// A session without a capture yet.
    #[must_use]
    pub fn new(options: FlowSessionOptions) -> Self {
        let columns = options.chains.iter().flat_map(|c| c.columns());
        let layout = Layout::new(Stats::NAMES, BASE.iter().chain(columns).copied(), MAX_ROWS);
        Self {
            feed: Feed::new(options.filter.clone()).reading_ahead(options.decode.threads > 1),
            tracker: FlowTracker::new(&options),
            decoder: Decoder::new(options.decode),
            options,
            layout,
            block: Block::default(),
            in_block: false,
            group: Group::new(GROUP),
            pool: Pool::default(),
            finished: false,
        }
    }

    /// Counters so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.tracker.stats
    }

    /// Walks packets until a batch of records is there or the block is done. True: the block is done.
    fn walk_block(&mut self) -> bool {
        let Self { feed, block, decoder, tracker, group, .. } = self;
        while tracker.table.finished() < MAX_ROWS {
            let is_done = group.take(feed, block, decoder.plain());
            tracker.walk(group.packets(), block, decoder);
            if is_done {
                return true;
            }
        }
        false
    }

    fn write_rows(&mut self, batch: &mut [u8]) -> usize {
        let mut rows = 0;
        let (layout, chains, states) = (&self.layout, &self.options.chains, &self.tracker.states);
        let encaps = self.decoder.encaps();
        while rows < MAX_ROWS
            && self.tracker.table.take_finished(|index, slot, cold, reason| {
                let row = &mut layout.row(batch, rows);
                row.u64(cold.flow_id);
                row.u8(cold.version);
                row.f64(seconds(cold.first_ns));
                row.f64(seconds(slot.last_ns));
                row.i64(cold.first_ns);
                row.i64(slot.last_ns);
                row.u64(cold.first_packet);
                row.u32(cold.capture);
                row.u8(reason as u8);
                let outer = encaps.layers(cold.outer);
                let tunnel = outer.and_then(Layers::tunnel);
                row.optional(outer.and_then(Layers::vlan), RowWriter::u16);
                row.optional(tunnel.map(|t| t.kind as u8), RowWriter::u8);
                row.optional(tunnel.and_then(|t| t.id), RowWriter::u32);
                for chain in chains {
                    chain.write(slot, cold, states.get(index), row);
                }
            })
        {
            rows += 1;
        }
        rows
    }

    /// Reads until a batch of records is there, the input stops, or enough blocks are read.
    fn read(&mut self) -> Status {
        let mut octets = 0;
        while octets < OCTETS_PER_CALL {
            if self.in_block {
                self.in_block = !self.walk_block();
            }
            if self.in_block || self.tracker.table.finished() >= MAX_ROWS {
                return Status::More;
            }
            if self.feed.failed() {
                return Status::SourceFailed;
            }
            let mut filled = self.feed.fill_own(&mut self.block);
            octets += self.block.len();
            if filled == FeedFilled::Ready && self.is_worth_a_thread() {
                match self.walk_with_thread() {
                    Some(stopped) => filled = stopped,
                    None => return Status::More,
                }
            }
            match filled {
                FeedFilled::Ready => self.in_block = true,
                FeedFilled::NeedInput => return Status::NeedInput,
                FeedFilled::End if self.feed.failed() => return Status::SourceFailed,
                FeedFilled::End => return Status::SourceEnd,
            }
        }
        Status::More
    }

    /// Blocks come as fast as they are walked.
    fn is_worth_a_thread(&self) -> bool {
        self.options.decode.threads > 2 && self.feed.is_steady()
    }

    /// Walks the block just filled and those behind it, with a thread that decodes ahead. What filling a block said,
    /// where that is to be answered; [`FeedFilled::Ready`] where there is no thread to be had, and nothing was walked.
    fn walk_with_thread(&mut self) -> Option<FeedFilled> {
        match self.pool.walk(&mut self.feed, &mut self.block, &mut self.tracker, &mut self.decoder) {
            Walked::Some => None,
            Walked::Stopped(filled) => Some(filled),
            Walked::NoThread => Some(FeedFilled::Ready),
        }
    }
}

/// Nanoseconds as seconds. Dividing them as they are would round twice: times in whole microseconds come out as the
/// nearest double, others within one unit in the last place.
fn seconds(ns: i64) -> f64 {
    match (ns / 1000, ns % 1000) {
        (micros, 0) => micros as f64 / 1e6,
        _ => (ns / 1_000_000_000) as f64 + (ns % 1_000_000_000) as f64 / 1e9,
    }
}

impl Session for FlowSession {
    fn describe(&self) -> String {
        self.layout.describe()
    }

    fn batch_len(&self) -> usize {
        self.layout.byte_len()
    }

    fn open(&mut self, source: Source, name: &str) {
        self.feed.open(source, name);
        self.in_block = false;
    }

    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress {
        let batch = &mut *buffers.batch;
        let status = match (self.finished, self.tracker.table.finished()) {
            (true, 0..=MAX_ROWS) => Status::Done,
            (true, _) => Status::More,
            (false, _) => self.read(),
        };
        let rows = self.write_rows(batch);
        let FlowTracker { stats, table, .. } = &mut self.tracker;
        self.feed.count(stats);
        stats.count_decoder(&self.decoder);
        stats.flows = table.opened;
        stats.evicted = table.evicted;
        stats.open_flows = table.open_flows() as u64;
        self.layout.write_stats(batch, stats.values());
        Progress { rows, status }
    }

    fn flush(&mut self) {
        self.tracker.table.flush();
    }

    fn finish(&mut self) {
        self.tracker.table.flush();
        self.finished = true;
    }

    fn take_error(&mut self) -> Option<FlowError> {
        self.feed.take_error()
    }

    fn captures(&self) -> CaptureLog {
        self.feed.captures()
    }
}
