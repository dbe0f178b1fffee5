//! Captures in, flow records out, all in Rust.

use super::feed::FeedFilled;
use super::{Buffers, Feed, FeedStep, Progress, Session, Source, Stats, Status};
use crate::batch::{Column, Kind, Layout};
use crate::capture::{CaptureLog, Packet};
use crate::chain::{BasicState, Chain};
use crate::decode::{Datagram, Decoder, Segment, proto};
use crate::error::FlowError;
use crate::filter::Filter;
use crate::flow::{Direction, EndReason, FlowCold, FlowKey, FlowTable, FlowTableOptions, Identity, identify};

/// Columns of every flow record. `pkt_first` and `pkt_last` follow from the times in JavaScript.
const BASE: &[Column] = &[
    Column::new("flow_id", Kind::U64),
    Column::new("ip_version", Kind::U8),
    Column::new("first_ns", Kind::I64),
    Column::new("last_ns", Kind::I64),
    Column::new("first_packet", Kind::U64),
    Column::new("capture", Kind::U32),
    Column::new("end_reason", Kind::Word(&EndReason::NAMES)),
];

/// Rows of a batch: enough to make a task's cost vanish, few enough to stay in the cache.
const MAX_ROWS: usize = 2048;

/// Whom every packet belongs to when flows are aggregated.
const AGGREGATE: Identity = Identity { key: FlowKey::AGGREGATE, from_first: true, quoted: false };

/// Blocks that one call reads at most, so that progress and an abort are seen.
const BLOCKS_PER_CALL: usize = 16;

/// What a flow session is to do.
#[derive(Clone, Debug, Default)]
pub struct FlowSessionOptions {
    /// Chains whose columns the records have, in order.
    pub chains: Vec<Chain>,
    /// Times and bounds.
    pub table: FlowTableOptions,
    /// One flow for all packets, as PATHspider's `aggregate`.
    pub aggregate: bool,
    /// Packets that it doesn't choose are as if they weren't there.
    pub filter: Option<Filter>,
}

/// Reads captures and hands out flow records as columns.
pub struct FlowSession {
    options: FlowSessionOptions,
    layout: Layout,
    feed: Feed,
    block: Vec<u8>,
    /// The block holds packets that weren't looked at yet.
    in_block: bool,
    decoder: Decoder,
    table: FlowTable,
    stats: Stats,
    finished: bool,
}

impl FlowSession {
    /// A session without a capture yet.
    #[must_use]
    pub fn new(options: FlowSessionOptions) -> Self {
        let columns = options.chains.iter().flat_map(|c| c.columns());
        let layout = Layout::new(Stats::NAMES, BASE.iter().chain(columns).copied(), MAX_ROWS);
        let table = FlowTable::new(options.table);
        Self {
            feed: Feed::new(options.filter.clone()),
            options,
            layout,
            block: Vec::new(),
            in_block: false,
            decoder: Decoder::default(),
            table,
            stats: Stats::default(),
            finished: false,
        }
    }

    /// Counters so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Walks packets until a batch of records is there or the block is done. True: the block is done.
    fn walk_block(&mut self) -> bool {
        let block = std::mem::take(&mut self.block);
        let mut done = false;
        while self.table.finished() < MAX_ROWS {
            match self.feed.next(&block) {
                FeedStep::Packet(packet) => self.packet(&packet, packet.bytes(&block)),
                FeedStep::BlockDone => {
                    done = true;
                    break;
                }
            }
        }
        self.block = block;
        done
    }

    #[inline]
    fn packet(&mut self, packet: &Packet, frame: &[u8]) {
        self.stats.packets += 1;
        self.stats.captured_bytes += u64::from(packet.captured_len);
        self.table.advance(packet.ts_ns);
        match self.decoder.decode(packet.link, frame) {
            Ok(datagram) => self.datagram(packet, &datagram),
            Err(reason) => self.stats.count_drop(reason),
        }
    }

    #[inline]
    fn datagram(&mut self, packet: &Packet, datagram: &Datagram<'_>) {
        let identity = if self.options.aggregate { Some(AGGREGATE) } else { identify(datagram) };
        let Some(identity) = identity else {
            self.stats.short_key += 1;
            return;
        };
        self.stats.quoted += u64::from(identity.quoted);
        let capture = self.feed.capture();
        let (index, direction) = self.table.find_or_open(&identity, packet.ts_ns, |flow_id| FlowCold {
            flow_id,
            first_ns: packet.ts_ns,
            first_packet: packet.number,
            capture,
            version: datagram.version,
            basic: BasicState::new(datagram),
        });
        let slot = self.table.slot_mut(index);
        slot.packets[direction.index()] += 1;
        slot.octets[direction.index()] += u64::from(datagram.ip_len);
        if datagram.proto == proto::TCP {
            self.tcp(index, datagram, direction);
        }
    }

    #[inline]
    fn tcp(&mut self, index: usize, datagram: &Datagram<'_>, direction: Direction) {
        let Some(segment) = Segment::parse(datagram) else {
            self.stats.bad_segments += 1;
            return;
        };
        let keep = self.table.slot_mut(index).tcp.segment(&segment, direction);
        if !keep && self.options.chains.contains(&Chain::Tcp) {
            self.table.complete(index);
        }
    }

    fn write_rows(&mut self, batch: &mut [u8]) -> usize {
        let mut rows = 0;
        let (layout, chains) = (&self.layout, &self.options.chains);
        while rows < MAX_ROWS
            && self.table.take_finished(|slot, cold, reason| {
                let row = &mut layout.row(batch, rows);
                row.u64(cold.flow_id);
                row.u8(cold.version);
                row.i64(cold.first_ns);
                row.i64(slot.last_ns);
                row.u64(cold.first_packet);
                row.u32(cold.capture);
                row.u8(reason as u8);
                for chain in chains {
                    chain.write(slot, cold, row);
                }
            })
        {
            rows += 1;
        }
        rows
    }

    /// Reads until a batch of records is there, the input stops, or enough blocks are read.
    fn read(&mut self) -> Status {
        for _ in 0..BLOCKS_PER_CALL {
            if self.in_block {
                self.in_block = !self.walk_block();
            }
            if self.table.finished() >= MAX_ROWS {
                return Status::More;
            }
            if self.feed.failed() {
                return Status::SourceFailed;
            }
            match self.feed.fill_own(&mut self.block) {
                FeedFilled::Ready => self.in_block = true,
                FeedFilled::NeedInput => return Status::NeedInput,
                FeedFilled::End if self.feed.failed() => return Status::SourceFailed,
                FeedFilled::End => return Status::SourceEnd,
            }
        }
        Status::More
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
        let status = match (self.finished, self.table.finished()) {
            (true, 0..=MAX_ROWS) => Status::Done,
            (true, _) => Status::More,
            (false, _) => self.read(),
        };
        let rows = self.write_rows(batch);
        self.feed.count(&mut self.stats);
        self.stats.flows = self.table.opened;
        self.stats.evicted = self.table.evicted;
        self.stats.open_flows = self.table.open_flows() as u64;
        self.layout.write_stats(batch, self.stats.values());
        Progress { rows, status }
    }

    fn finish(&mut self) {
        self.table.flush();
        self.finished = true;
    }

    fn take_error(&mut self) -> Option<FlowError> {
        self.feed.take_error()
    }

    fn captures(&self) -> CaptureLog {
        self.feed.captures()
    }
}
