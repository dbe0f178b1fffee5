//! Captures in, packets out: where each lies in the caller's block, and which flow key it has.
//!
//! For consumers that look at every packet themselves. The caller lends a block with each batch; the capture is read
//! straight into it, and the columns say where headers begin. The block and its batch belong together until the
//! caller lends them again.

use super::feed::FeedFilled;
use super::keys::{KeyTable, NO_KEY};
use super::{Buffers, Feed, FeedStep, Progress, Session, Source, Stats, Status};
use crate::batch::{Column, Kind, Layout, RowWriter};
use crate::capture::{CaptureLog, MIN_BLOCK_LEN, Packet};
use crate::decode::{Datagram, DecodeOptions, Decoder, Fragment, LayerKind, Layers, Segment, proto};
use crate::error::FlowError;
use crate::filter::Filter;
use crate::flow::{FlowKey, Identity, identify, second_at_or_after};

/// One row per packet that belongs to a flow, and one per packet that moves the clock only (`key` is then
/// [`NO_KEY`]). Offsets count from the start of the block; lengths are octets.
const COLUMNS: &[Column] = &[
    // The flow key's number: the same for both directions.
    Column::new("key", Kind::U32),
    // Bit 0: goes from the key's first endpoint. 1: ICMP error, matched to the flow that it quotes. 2 to 4: what the
    // upper layer is, see `Upper`. 5 and 6: fragment, see `Fragment`. 7: IPv6. 8 to 15: upper-layer protocol.
    Column::new("meta", Kind::U32),
    // Number in the capture, from 1.
    Column::new("number", Kind::U64),
    // Number of the capture, from 0.
    Column::new("capture", Kind::U32),
    // Time, three times: nanoseconds since the Unix epoch, and the same as whole seconds and the rest.
    Column::new("ts_ns", Kind::I64),
    Column::new("second", Kind::F64),
    Column::new("nanosecond", Kind::U32),
    // IP header; octets of the IP packet by its header, and captured.
    Column::new("ip", Kind::U32),
    Column::new("ip_len", Kind::U32),
    Column::new("ip_captured", Kind::U32),
    // Upper layer, likewise.
    Column::new("upper", Kind::U32),
    Column::new("upper_len", Kind::U32),
    Column::new("upper_captured", Kind::U32),
    // IP packets that it came in (1, or its fragments), and the octets of them all.
    Column::new("packets", Kind::U32),
    Column::new("octets", Kind::U32),
    // What lies around it, as in a flow record.
    Column::nullable("vlan", Kind::U16),
    Column::nullable("tunnel", Kind::Word(LayerKind::NAMES)),
    Column::nullable("tunnel_id", Kind::U32),
];

/// The last columns: what lies around a packet.
const OUTER_COLUMNS: usize = 3;

/// Where frames are asked for, these stand behind them.
const FRAME_COLUMNS: &[Column] = &[
    // The frame; octets captured, and on the wire.
    Column::new("frame", Kind::U32),
    Column::new("frame_captured", Kind::U32),
    Column::new("frame_len", Kind::U32),
    // Link-layer header type, and the interface's snapshot length (0 = none).
    Column::new("link", Kind::U16),
    Column::new("snaplen", Kind::U32),
];

/// Rows of a batch. Packets of 64 octets and their record headers fill a block with less.
const MAX_ROWS: usize = 16_384;

/// Octets of a block that packets are read into: a thread is woken for each, so it is larger than a core's own cache
/// (measured in bench/chains.ts: half of this costs a tenth more).
const READ_LEN: usize = 2 * MIN_BLOCK_LEN;

/// Room behind them for reassembled datagrams, which lie nowhere in the capture in one piece.
const TAIL_LEN: usize = 256 * 1024;

/// Most octets that one of them takes: its IP header's packet and its upper layer.
const MOST_IN_TAIL: usize = 2 * 65_536;

/// Octets of the caller's block.
const BLOCK_LEN: usize = READ_LEN + TAIL_LEN;

const NS: i64 = 1_000_000_000;

/// What stands behind the IP header, in bits 2 to 4 of `meta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Upper {
    /// Something else, broken, or cut before what matters.
    Other = 0,
    Tcp = 1,
    Udp = 2,
    /// ICMP in IPv4.
    Icmp4 = 3,
    /// ICMPv6 in IPv6.
    Icmp6 = 4,
}

/// What a packet session is to do.
#[derive(Clone, Debug, Default)]
pub struct PacketSessionOptions {
    /// Packets that it doesn't choose are as if they weren't there.
    pub filter: Option<Filter>,
    /// How packets are decoded.
    pub decode: DecodeOptions,
    /// One flow for all packets, as PATHspider's `aggregate`.
    pub aggregate: bool,
    /// Give the frames too: where they lie, their lengths and link types.
    pub frames: bool,
}

/// Reads captures and hands out packets as columns over the caller's blocks.
pub struct PacketSession {
    options: PacketSessionOptions,
    layout: Layout,
    feed: Feed,
    decoder: Decoder,
    keys: KeyTable,
    stats: Stats,
    /// Number of the batch being filled, from 1.
    batch: u32,
    /// The latest second that the consumer's clock knows of.
    second: i64,
    finished: bool,
    error: Option<FlowError>,
}

impl PacketSession {
    /// A session without a capture yet.
    #[must_use]
    pub fn new(options: PacketSessionOptions) -> Self {
        let decoder = Decoder::new(options.decode);
        let frames = if options.frames { FRAME_COLUMNS } else { &[] };
        Self {
            feed: Feed::of_whole_packets(options.filter.clone()),
            options,
            layout: Layout::new(Stats::NAMES, COLUMNS.iter().chain(frames).copied(), MAX_ROWS),
            decoder,
            keys: KeyTable::default(),
            stats: Stats::default(),
            batch: 0,
            second: i64::MIN,
            finished: false,
            error: None,
        }
    }

    /// Counters so far; those of flows stay 0, for the consumer keeps the flows.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    fn read(&mut self, batch: &mut [u8], block: &mut [u8]) -> Progress {
        let (block, tail) = block.split_at_mut(READ_LEN);
        if self.feed.failed() {
            return Progress { rows: 0, status: Status::SourceFailed };
        }
        let status = match self.feed.fill(block) {
            FeedFilled::Ready => {
                let rows = self.walk(batch, block, tail);
                let status = if self.feed.failed() { Status::SourceFailed } else { Status::More };
                return Progress { rows, status };
            }
            FeedFilled::NeedInput => Status::NeedInput,
            FeedFilled::End if self.feed.failed() => Status::SourceFailed,
            FeedFilled::End => Status::SourceEnd,
        };
        Progress { rows: 0, status }
    }

    /// Walks the block until it is done or the batch or the tail is full; the number of rows.
    fn walk(&mut self, batch: &mut [u8], block: &[u8], tail: &mut [u8]) -> usize {
        let mut decoder = std::mem::take(&mut self.decoder);
        let mut tail = Tail { bytes: tail, used: 0 };
        let mut rows = 0;
        let mut done = false;
        while rows < MAX_ROWS && tail.has_room() && !done {
            match self.feed.next(block) {
                FeedStep::Packet(packet) => {
                    let row = self.packet(&mut decoder, (batch, rows), &packet, block, &mut tail);
                    rows += usize::from(row);
                }
                FeedStep::Tick(ts_ns) => rows += usize::from(self.tick((batch, rows), ts_ns)),
                FeedStep::BlockDone => done = true,
            }
        }
        self.decoder = decoder;
        if !done {
            self.feed.leave(block);
        }
        rows
    }

    /// Writes the packet's row, where it has one.
    #[inline]
    fn packet(
        &mut self,
        decoder: &mut Decoder,
        (batch, row): (&mut [u8], usize),
        packet: &Packet,
        block: &[u8],
        tail: &mut Tail<'_>,
    ) -> bool {
        self.stats.packets += 1;
        self.stats.captured_bytes += u64::from(packet.captured_len);
        let second = second_at_or_after(packet.ts_ns);
        let moves_clock = second > self.second;
        self.second = self.second.max(second);
        let outer = match decoder.decode(packet, packet.bytes(block)) {
            Ok(datagram) => match self.identify(&datagram) {
                Some(identity) => {
                    let places = tail.places(packet, &datagram);
                    self.write((batch, row), packet, &datagram, &identity, places);
                    Some(datagram.outer)
                }
                None => {
                    self.stats.short_key += 1;
                    None
                }
            },
            Err(reason) => {
                self.stats.count_drop(reason);
                None
            }
        };
        if self.options.frames {
            let out = &mut self.layout.row_from(batch, row, COLUMNS.len());
            out.u32(packet.start as u32);
            out.u32(packet.captured_len);
            out.u32(packet.wire_len);
            out.u16(packet.link.0);
            out.u32(self.feed.snaplen(packet));
        }
        match outer {
            Some(outer) => self.write_outer(batch, row, |out| {
                let layers = decoder.encaps().layers(outer);
                let tunnel = layers.and_then(Layers::tunnel);
                out.optional(layers.and_then(Layers::vlan), RowWriter::u16);
                out.optional(tunnel.map(|t| t.kind as u8), RowWriter::u8);
                out.optional(tunnel.and_then(|t| t.id), RowWriter::u32);
            }),
            None if moves_clock => self.write_time(batch, row, (packet.ts_ns, packet.number, packet.capture)),
            None => {}
        }
        outer.is_some() || moves_clock
    }

    #[inline]
    fn identify(&self, datagram: &Datagram<'_>) -> Option<Identity> {
        if self.options.aggregate {
            return Some(Identity { key: FlowKey::AGGREGATE, from_first: true, quoted: false });
        }
        identify(datagram, self.options.decode.key_encap(datagram.outer))
    }

    #[inline]
    fn write(
        &mut self,
        (batch, row): (&mut [u8], usize),
        packet: &Packet,
        datagram: &Datagram<'_>,
        identity: &Identity,
        (ip, upper_at): (u32, u32),
    ) {
        self.stats.quoted += u64::from(identity.quoted);
        let upper = upper_of(datagram);
        if upper == Upper::Other && datagram.proto == proto::TCP {
            self.stats.bad_segments += 1;
        }
        let row = &mut self.layout.row(batch, row);
        row.u32(self.keys.id(&identity.key, self.batch));
        row.u32(meta(datagram, upper, identity));
        row.u64(packet.number);
        row.u32(packet.capture);
        row.i64(packet.ts_ns);
        row.f64(packet.ts_ns.div_euclid(NS) as f64);
        row.u32(packet.ts_ns.rem_euclid(NS) as u32);
        row.u32(ip);
        row.u32(datagram.ip_len);
        row.u32(datagram.packet.len() as u32);
        row.u32(upper_at);
        row.u32(datagram.upper_len);
        row.u32(datagram.upper.len() as u32);
        row.u32(datagram.packets);
        row.u32(datagram.octets);
    }

    #[inline]
    fn write_outer(&self, batch: &mut [u8], row: usize, write: impl FnOnce(&mut RowWriter<'_>)) {
        write(&mut self.layout.row_from(batch, row, COLUMNS.len() - OUTER_COLUMNS));
    }

    #[cold]
    fn write_time(&self, batch: &mut [u8], row: usize, (ts_ns, number, capture): (i64, u64, u32)) {
        let row = &mut self.layout.row(batch, row);
        row.u32(NO_KEY);
        row.u32(0);
        row.u64(number);
        row.u32(capture);
        row.i64(ts_ns);
        row.f64(ts_ns.div_euclid(NS) as f64);
        row.u32(ts_ns.rem_euclid(NS) as u32);
    }

    /// Tells the consumer's clock how late it is. False: it knows.
    #[cold]
    fn tick(&mut self, (batch, row): (&mut [u8], usize), ts_ns: i64) -> bool {
        let second = second_at_or_after(ts_ns);
        let moves_clock = second > self.second;
        if moves_clock {
            self.second = second;
            self.write_time(batch, row, (ts_ns, 0, self.feed.capture()));
        }
        moves_clock
    }
}

/// The part of the caller's block for reassembled datagrams.
struct Tail<'a> {
    bytes: &'a mut [u8],
    used: usize,
}

impl Tail<'_> {
    fn has_room(&self) -> bool {
        self.used + MOST_IN_TAIL <= self.bytes.len()
    }

    /// Where IP header and upper layer lie in the caller's block; a reassembled datagram is copied there.
    #[inline]
    fn places(&mut self, packet: &Packet, datagram: &Datagram<'_>) -> (u32, u32) {
        if datagram.reassembled {
            return (self.copy(datagram.packet), self.copy(datagram.upper));
        }
        let start = packet.start as u32;
        (start + datagram.ip_offset, start + datagram.upper_offset)
    }

    fn copy(&mut self, bytes: &[u8]) -> u32 {
        let at = self.used;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
        (READ_LEN + at) as u32
    }
}

/// What the datagram carries, as far as a view of it can be given.
#[inline]
fn upper_of(datagram: &Datagram<'_>) -> Upper {
    let there = datagram.upper.len();
    match (datagram.proto, datagram.fragment) {
        (_, Fragment::Later) => Upper::Other,
        (proto::TCP, _) if Segment::parse(datagram).is_some() => Upper::Tcp,
        (proto::UDP, _) if there >= 8 => Upper::Udp,
        (proto::ICMP, _) if there > 0 && datagram.version == 4 => Upper::Icmp4,
        (proto::ICMPV6, _) if there > 0 && datagram.version == 6 => Upper::Icmp6,
        _ => Upper::Other,
    }
}

#[inline]
fn meta(datagram: &Datagram<'_>, upper: Upper, identity: &Identity) -> u32 {
    let fragment = match datagram.fragment {
        Fragment::Whole => 0,
        Fragment::First => 1,
        Fragment::Later => 2,
    };
    u32::from(identity.from_first)
        | u32::from(identity.quoted) << 1
        | (upper as u32) << 2
        | fragment << 5
        | u32::from(datagram.version == 6) << 7
        | u32::from(datagram.proto) << 8
}

impl Session for PacketSession {
    fn describe(&self) -> String {
        self.layout.describe()
    }

    fn batch_len(&self) -> usize {
        self.layout.byte_len()
    }

    fn block_len(&self) -> usize {
        BLOCK_LEN
    }

    fn open(&mut self, source: Source, name: &str) {
        self.feed.open(source, name);
    }

    /// `given_back` begins with the number of batches that the caller has walked; keys that it needs no more follow.
    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress {
        let Buffers { batch, block, given_back, .. } = buffers;
        self.batch = self.batch.wrapping_add(1);
        if let Some((&walked, ids)) = given_back.split_first() {
            self.keys.release(ids, walked);
        }
        let progress = if self.finished {
            Progress { rows: 0, status: Status::Done }
        } else if block.len() < BLOCK_LEN {
            self.error = Some(FlowError::Internal { message: "the block is too small or detached".to_owned() });
            Progress { rows: 0, status: Status::SourceFailed }
        } else {
            self.read(batch, &mut block[..BLOCK_LEN])
        };
        self.feed.count(&mut self.stats);
        self.stats.count_decoder(&self.decoder);
        self.layout.write_stats(batch, self.stats.values());
        progress
    }

    fn finish(&mut self) {
        self.finished = true;
    }

    fn take_error(&mut self) -> Option<FlowError> {
        self.error.take().or_else(|| self.feed.take_error())
    }

    fn captures(&self) -> CaptureLog {
        self.feed.captures()
    }
}
