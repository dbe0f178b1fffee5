//! Captures in, flow records out, all in Rust.

use super::feed::FeedFilled;
use super::lookahead::{self, Lookahead, Looked};
use super::{Buffers, Feed, Progress, Session, Source, Stats, Status};
use crate::batch::{Column, Kind, Layout, RowWriter};
use crate::capture::{Block, CaptureLog, Packet};
use crate::chain::{BasicState, Chain, ColdStates, Seen};
use crate::decode::{Datagram, DecodeOptions, Decoder, LayerKind, Layers, Segment, proto};
use crate::error::FlowError;
use crate::filter::Filter;
use crate::flow::{Direction, EndReason, FlowCold, FlowKey, FlowTable, FlowTableOptions, Identity, identify};

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

/// Rows of a batch: enough to make a task's cost vanish, few enough to stay in the cache.
const MAX_ROWS: usize = 4096;

/// Whom every packet belongs to when flows are aggregated.
const AGGREGATE: Identity = Identity { key: FlowKey::AGGREGATE, from_first: true, quoted: false };

/// Blocks that one call reads at most, so that progress and an abort are seen.
const BLOCKS_PER_CALL: usize = 8;

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
    lookahead: Lookahead,
    decoder: Decoder,
    table: FlowTable,
    /// What the rarer chains remember.
    states: ColdStates,
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
        let states = ColdStates::new(&options.chains);
        let decoder = Decoder::new(options.decode);
        Self {
            feed: Feed::new(options.filter.clone()),
            options,
            layout,
            block: Block::default(),
            in_block: false,
            lookahead: Lookahead::default(),
            decoder,
            table,
            states,
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
        // A datagram may lie in the decoder's memory, so the decoder is lent for the time of the walk.
        let mut decoder = std::mem::take(&mut self.decoder);
        let mut looked = Vec::new();
        while self.table.finished() < MAX_ROWS {
            let group = self.lookahead.group(&mut self.feed, &block);
            if group.is_empty() {
                break;
            }
            self.walk_group(&group, &block, &mut decoder, &mut looked);
            self.lookahead.give_back(group);
        }
        drop(looked);
        self.block = block;
        self.decoder = decoder;
        self.lookahead.is_done()
    }

    #[inline]
    fn walk_group<'a>(
        &mut self,
        group: &[Packet],
        block: &'a [u8],
        decoder: &mut Decoder,
        looked: &mut Vec<Looked<'a>>,
    ) {
        lookahead::look(group, block, decoder, looked, |datagram| self.owner(datagram));
        for (_, hash) in looked.iter().filter_map(|packet| packet.owner) {
            self.table.fetch_ahead(hash);
        }
        for Looked { packet, plain, owner } in &*looked {
            self.table.advance(packet.ts_ns);
            match plain {
                Some(datagram) => {
                    self.count(packet);
                    self.datagram(packet, datagram, *owner);
                }
                None if packet.number == 0 => {}
                None => self.packet(decoder, packet, packet.bytes(block)),
            }
            self.lookahead.find(&mut self.feed, block);
        }
    }

    #[inline]
    fn count(&mut self, packet: &Packet) {
        self.stats.packets += 1;
        self.stats.captured_bytes += u64::from(packet.captured_len);
    }

    /// A packet that takes more than a look.
    fn packet(&mut self, decoder: &mut Decoder, packet: &Packet, frame: &[u8]) {
        self.count(packet);
        match decoder.decode(packet, frame) {
            Ok(datagram) => self.datagram(packet, &datagram, self.owner(&datagram)),
            Err(reason) => self.stats.count_drop(reason),
        }
    }

    /// Whom a datagram belongs to, and the hash of the key.
    #[inline]
    fn owner(&self, datagram: &Datagram<'_>) -> Option<(Identity, u64)> {
        let encap = self.options.decode.key_encap(datagram.outer);
        let identity = if self.options.aggregate { AGGREGATE } else { identify(datagram, encap)? };
        Some((identity, self.table.hash_ahead(&identity.key)))
    }

    #[inline]
    fn datagram(&mut self, packet: &Packet, datagram: &Datagram<'_>, owner: Option<(Identity, u64)>) {
        let Some((identity, hash)) = owner else {
            self.stats.short_key += 1;
            return;
        };
        self.stats.quoted += u64::from(identity.quoted);
        let mut is_new = false;
        let (index, direction) = self.table.find_or_open(&identity, hash, packet.ts_ns, |flow_id| {
            is_new = true;
            FlowCold {
                flow_id,
                first_ns: packet.ts_ns,
                first_packet: packet.number,
                capture: packet.capture,
                version: datagram.version,
                outer: datagram.outer,
                basic: BasicState::new(datagram),
            }
        });
        let slot = self.table.slot_mut(index);
        slot.packets[direction.index()] += u64::from(datagram.packets);
        slot.octets[direction.index()] += u64::from(datagram.octets);
        if is_new && !self.states.is_empty() {
            self.states.begin(index);
        }
        self.chains(index, datagram, direction);
    }

    /// Shows every chain the packet; the flow is complete where one of them says so.
    #[inline]
    fn chains(&mut self, index: usize, datagram: &Datagram<'_>, direction: Direction) {
        let segment = if datagram.proto == proto::TCP { Segment::parse(datagram) } else { None };
        let mut keep = true;
        if let Some(segment) = &segment {
            keep = self.table.slot_mut(index).tcp.segment(segment, direction)
                || !self.options.chains.contains(&Chain::Tcp);
        } else if datagram.proto == proto::TCP {
            self.stats.bad_segments += 1;
        }
        if !self.states.is_empty() {
            keep &= self.states.packet(index, &Seen { datagram, segment: segment.as_ref(), direction });
        }
        if !keep {
            self.table.complete(index);
        }
    }

    fn write_rows(&mut self, batch: &mut [u8]) -> usize {
        let mut rows = 0;
        let (layout, chains, states) = (&self.layout, &self.options.chains, &self.states);
        let encaps = self.decoder.encaps();
        while rows < MAX_ROWS
            && self.table.take_finished(|index, slot, cold, reason| {
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
        for _ in 0..BLOCKS_PER_CALL {
            if self.in_block {
                self.in_block = !self.walk_block();
            }
            if self.in_block || self.table.finished() >= MAX_ROWS {
                return Status::More;
            }
            if self.feed.failed() {
                return Status::SourceFailed;
            }
            match self.feed.fill_own(&mut self.block) {
                FeedFilled::Ready => {
                    self.in_block = true;
                    self.lookahead.enter_block();
                }
                FeedFilled::NeedInput => return Status::NeedInput,
                FeedFilled::End if self.feed.failed() => return Status::SourceFailed,
                FeedFilled::End => return Status::SourceEnd,
            }
        }
        Status::More
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
        self.lookahead.enter_block();
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
        self.stats.count_decoder(&self.decoder);
        self.stats.flows = self.table.opened;
        self.stats.evicted = self.table.evicted;
        self.stats.open_flows = self.table.open_flows() as u64;
        self.layout.write_stats(batch, self.stats.values());
        Progress { rows, status }
    }

    fn flush(&mut self) {
        self.table.flush();
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
