//! Stream events as rows: what happened, to which connection, and where its octets lie.
//!
//! Tables share a batch: `events` in capture order, `opens` and `closes` with the connection records that some events
//! belong to, and, where packets are asked for, `packets` with what their headers say. Rows go straight into the
//! caller's batch and octets, side by side, into the caller's block; what doesn't fit waits here and goes first into the
//! next ones.
//!
//! Octets that follow those of the row before, in their stream and so in the block, lengthen that row: one event then
//! holds what several segments brought.

use std::collections::VecDeque;

use crate::analysis::{self, Analysis};
use crate::batch::{Column, Kind, Layout, RowWriter};
use crate::capture::Packet;
use crate::connection::{self, Connection, EndReason, State};
use crate::decode::Segment;
use crate::flow::Direction;
use crate::session::Stats;

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// A connection began: its record so far is the next row of `opens`.
    Open = 0,
    /// Octets in stream order.
    Data = 1,
    /// Octets that are missing for good.
    Gap = 2,
    /// Octets that came twice with different values.
    Conflict = 3,
    /// A connection ended: its record is the next row of `closes`.
    Close = 4,
    /// A segment with flags that say more than its octets do; only where asked for. `offset` is where its payload ends
    /// in the stream, `length` holds the flags, [`MARK_OVER`] and [`MARK_WAITS`].
    Mark = 5,
    /// A segment came: its frame, as captured; what it says is the next row of `packets`. It stands before what it brings.
    Packet = 6,
    /// A fragment came whose datagram isn't whole: its frame; the next row of `packets` says which datagram. It belongs to
    /// no connection yet.
    Fragment = 7,
}

/// In a mark: with this segment the connection is over.
pub const MARK_OVER: u64 = 1 << 16;
/// In a mark: octets of one of the streams are missing before others that came, or before a FIN.
pub const MARK_WAITS: u64 = 1 << 17;

impl EventKind {
    /// The words, by number.
    pub const NAMES: [&'static str; 8] = ["open", "data", "gap", "conflict", "close", "mark", "packet", "fragment"];
}

const EVENTS: &[Column] = &[
    Column::new("kind", Kind::Word(&EventKind::NAMES)),
    Column::new("slot", Kind::U32),
    Column::new("direction", Kind::U8),
    // Where in the block its octets begin.
    Column::new("at", Kind::U32),
    Column::new("offset", Kind::U64),
    Column::new("length", Kind::U64),
    // Of the packet that brought the first octet.
    Column::new("ts_ns", Kind::I64),
    Column::new("packet", Kind::U64),
];

/// The place of `length` among them.
const LENGTH: usize = 5;

/// What a close row adds to the record's columns: where in the block the gaps (pairs of doubles) and the
/// SHA-256 digests (32 octets each, forward first) lie.
const CLOSE_EXTRA: &[Column] = &[
    Column::new("gaps_at", Kind::U32),
    Column::new("gap_count_fwd", Kind::U32),
    Column::new("gap_count_rev", Kind::U32),
    Column::nullable("sha256_at", Kind::U32),
];

/// What a packet's row says. Of a fragment, only times, lengths, `link_type` and `datagram` count.
const PACKETS: &[Column] = &[
    // Time: whole seconds since the Unix epoch, rounded down, and nanoseconds after them.
    Column::new("second", Kind::F64),
    Column::new("nanosecond", Kind::U32),
    Column::new("wire_len", Kind::U32),
    Column::new("link_type", Kind::U16),
    Column::new("seq", Kind::U32),
    Column::new("ack", Kind::U32),
    Column::new("flags", Kind::U16),
    // Octets on the wire.
    Column::new("payload_len", Kind::U32),
    // The connection's, after this segment.
    Column::new("state", Kind::Word(&State::NAMES)),
    // Number of the fragmented datagram that the packet is part of, or completes; 0: of none.
    Column::new("datagram", Kind::U64),
];

/// Slot of events that belong to no connection.
const NO_SLOT: u32 = u32::MAX;

const NS: i64 = 1_000_000_000;

/// Octets of the caller's block: as many as a core's own cache may hold. Ten go round, so that a thread that is slow for
/// a while holds up nobody (measured with bench/streams.mjs on web traffic: three of 4 MiB took a sixth longer, twenty of
/// 512 KiB a twelfth).
pub const BLOCK_LEN: usize = 1 << 20;

/// Most gaps of a direction that a record lists: a close has room in an empty block.
pub const MOST_GAPS: usize = 1 << 14;
const _: () = assert!(2 * MOST_GAPS * 16 + 64 + 8 <= BLOCK_LEN, "a close has room in an empty block");

/// Most events of one batch.
const MAX_EVENTS: usize = 4096;
/// Most connections that one batch opens or closes.
const MAX_RECORDS: usize = 1024;

/// The tables of a batch.
#[derive(Debug)]
pub struct EventLayout {
    events: Layout,
    opens: Layout,
    closes: Layout,
    packets: Layout,
}

impl Default for EventLayout {
    fn default() -> Self {
        Self::new(false, false)
    }
}

impl EventLayout {
    /// The tables; closes have the columns of the analysis where it is asked for, and that of packets has rows where they
    /// are.
    #[must_use]
    pub fn new(analyse: bool, packets: bool) -> Self {
        let events = Layout::new(Stats::NAMES, EVENTS.iter().copied(), MAX_EVENTS);
        let opens = Layout::behind(events.byte_len(), &[], connection::IDENTITY.iter().copied(), MAX_RECORDS);
        let analysis = if analyse { analysis::COLUMNS } else { &[] };
        let columns = connection::COLUMNS.iter().chain(CLOSE_EXTRA).chain(analysis).copied();
        let closes = Layout::behind(opens.byte_len(), &[], columns, MAX_RECORDS);
        let rows = if packets { MAX_EVENTS } else { 0 };
        let packets = Layout::behind(closes.byte_len(), &[], PACKETS.iter().copied(), rows);
        Self { events, opens, closes, packets }
    }

    /// Octets of a batch.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.packets.byte_len()
    }

    /// As JSON for JavaScript: one layout for each table.
    #[must_use]
    pub fn describe(&self) -> String {
        let (events, opens, closes) = (self.events.describe(), self.opens.describe(), self.closes.describe());
        let (length, packets) = (self.byte_len(), self.packets.describe());
        format!(
            "{{\"byteLength\":{length},\"events\":{events},\"opens\":{opens},\"closes\":{closes},\"packets\":{packets}}}"
        )
    }

    /// Writes the statistics.
    pub fn write_stats(&self, batch: &mut [u8], stats: &Stats) {
        self.events.write_stats(batch, stats.values());
    }
}

/// What a connection's record has besides its columns.
#[derive(Debug, Default)]
pub struct CloseExtra {
    /// Gaps of each direction: offset and length.
    pub gaps: [Vec<(u64, u64)>; 2],
    /// SHA-256 of the delivered octets of each direction.
    pub sha256: Option<[[u8; 32]; 2]>,
    /// What its segments told; only while the record waits for room.
    analysis: Option<Box<Analysis>>,
}

impl CloseExtra {
    /// Without an analysis.
    #[must_use]
    pub fn new(gaps: [Vec<(u64, u64)>; 2], sha256: Option<[[u8; 32]; 2]>) -> Self {
        Self { gaps, sha256, analysis: None }
    }

    /// Octets that it takes in the block.
    fn block_len(&self) -> usize {
        self.gaps.iter().map(|gaps| gaps.len() * 16).sum::<usize>() + 64
    }
}

/// An event on its way.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What it tells.
    pub kind: EventKind,
    /// The connection's slot.
    pub slot: u32,
    /// The direction that it is about.
    pub direction: Direction,
    /// Offset in the stream.
    pub offset: u64,
    /// Octets that it is about; of a mark, its flags.
    pub length: u64,
    /// Packet time.
    pub ts_ns: i64,
    /// Number of the packet that brought it.
    pub packet: u64,
}

/// What the packets table says of a packet.
#[derive(Clone, Copy, Debug)]
pub struct PacketRow {
    wire_len: u32,
    link_type: u16,
    seq: u32,
    ack: u32,
    flags: u16,
    payload_len: u32,
    state: State,
    datagram: u64,
}

impl PacketRow {
    /// A segment, and its connection's state after it.
    #[must_use]
    pub fn segment(packet: &Packet, segment: &Segment<'_>, state: State, datagram: u64) -> Self {
        Self {
            seq: segment.seq.0,
            ack: segment.ack.0,
            flags: segment.flags,
            payload_len: segment.payload_len,
            state,
            ..Self::fragment(packet, datagram)
        }
    }

    /// A fragment of a datagram that isn't whole.
    #[must_use]
    pub fn fragment(packet: &Packet, datagram: u64) -> Self {
        Self {
            wire_len: packet.wire_len,
            link_type: packet.link.0,
            seq: 0,
            ack: 0,
            flags: 0,
            payload_len: 0,
            state: State::default(),
            datagram,
        }
    }
}

/// What a row of data may be lengthened by.
#[derive(Clone, Copy, Debug)]
struct Tail {
    slot: u32,
    direction: Direction,
    /// Where the next octet would be in the stream.
    offset: u64,
    length: u64,
}

/// An event that had no room.
#[derive(Debug)]
struct Spilled {
    event: Event,
    octets: Vec<u8>,
    extra: Option<(EndReason, Box<CloseExtra>)>,
    packet: Option<PacketRow>,
}

/// Writes events into the buffers of one call.
#[derive(Debug)]
pub struct EventWriter<'a> {
    layout: &'a EventLayout,
    batch: &'a mut [u8],
    block: &'a mut [u8],
    rows: usize,
    opens: usize,
    closes: usize,
    packets: usize,
    /// Octets of the block that are taken.
    used: usize,
    /// The last row, where it is data and may grow.
    tail: Option<Tail>,
    join: bool,
}

/// Events that wait for room.
#[derive(Debug, Default)]
pub struct Spill(VecDeque<Spilled>);

impl Spill {
    /// Nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> EventWriter<'a> {
    /// A writer into empty buffers. `join`: octets that follow those of the row before lengthen it.
    pub fn new(layout: &'a EventLayout, batch: &'a mut [u8], block: &'a mut [u8], join: bool) -> Self {
        Self { layout, batch, block, rows: 0, opens: 0, closes: 0, packets: 0, used: 0, tail: None, join }
    }

    /// Rows of the events table so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Octets that are free behind the next multiple of 8.
    #[inline]
    fn room(&self) -> usize {
        self.block.len().saturating_sub(self.used + 8)
    }

    #[inline]
    fn has_room(&self, kind: EventKind, octets: usize) -> bool {
        self.rows < MAX_EVENTS
            && octets <= self.room()
            && (kind != EventKind::Open || self.opens < MAX_RECORDS)
            && (kind != EventKind::Close || self.closes < MAX_RECORDS)
    }

    /// Writes data, or lets it wait.
    #[inline]
    pub fn data(&mut self, spill: &mut Spill, event: &Event, octets: &[u8]) {
        if let Some(tail) = &mut self.tail
            && (tail.slot, tail.direction, tail.offset) == (event.slot, event.direction, event.offset)
            && octets.len() + self.used + 8 <= self.block.len()
            // What waits comes before them.
            && spill.is_empty()
        {
            tail.offset += octets.len() as u64;
            tail.length += octets.len() as u64;
            self.layout.events.set_u64(self.batch, self.rows - 1, LENGTH, tail.length);
            self.copy(octets);
            return;
        }
        self.push(spill, event, [octets, &[]]);
        let Event { slot, direction, offset, length, .. } = *event;
        self.tail =
            (self.join && spill.is_empty()).then_some(Tail { slot, direction, offset: offset + length, length });
    }

    /// Writes an event other than open and close, or lets it wait; its octets may come in two versions.
    #[inline]
    pub fn push(&mut self, spill: &mut Spill, event: &Event, octets: [&[u8]; 2]) {
        if spill.is_empty() && self.has_room(event.kind, octets[0].len() + octets[1].len()) {
            self.write(event, octets);
        } else {
            spill.0.push_back(Spilled { event: *event, octets: octets.concat(), extra: None, packet: None });
        }
    }

    /// Writes a packet event with what is wanted of its frame, or lets it wait; `slot` is its connection's, none for a
    /// fragment.
    #[inline]
    pub fn packet(
        &mut self,
        spill: &mut Spill,
        packet: &Packet,
        (slot, direction): (Option<u32>, Direction),
        row: PacketRow,
        frame: &[u8],
    ) {
        let kind = if slot.is_some() { EventKind::Packet } else { EventKind::Fragment };
        let event = Event {
            kind,
            slot: slot.unwrap_or(NO_SLOT),
            direction,
            offset: 0,
            length: frame.len() as u64,
            ts_ns: packet.ts_ns,
            packet: packet.number,
        };
        if spill.is_empty() && self.has_room(kind, frame.len()) {
            self.write_packet(&event, &row, frame);
        } else {
            spill.0.push_back(Spilled { event, octets: frame.to_vec(), extra: None, packet: Some(row) });
        }
    }

    /// Writes an open event with its connection's record, or lets it wait.
    pub fn open(&mut self, spill: &mut Spill, event: Event, connection: &Connection) {
        if spill.is_empty() && self.has_room(EventKind::Open, 0) {
            self.write_open(&event, connection);
        } else {
            spill.0.push_back(Spilled { event, octets: Vec::new(), extra: None, packet: None });
        }
    }

    /// Writes a close event with its connection's record, or lets it wait; `analysis` is left empty then. True: written,
    /// so the connection may go; false: it waits.
    pub fn close(
        &mut self,
        spill: &mut Spill,
        event: Event,
        (reason, mut extra): (EndReason, CloseExtra),
        connection: &Connection,
        analysis: Option<&mut Analysis>,
    ) -> bool {
        if spill.is_empty() && self.has_room(EventKind::Close, extra.block_len()) {
            self.write_close(&event, reason, &extra, (connection, analysis.as_deref()));
            return true;
        }
        extra.analysis = analysis.map(|analysis| Box::new(std::mem::take(analysis)));
        let extra = Some((reason, Box::new(extra)));
        spill.0.push_back(Spilled { event, octets: Vec::new(), extra, packet: None });
        false
    }

    /// Writes what waits, as far as there is room. `connection` finds a slot's connection; `closed` may free it.
    pub fn drain<C>(
        &mut self,
        spill: &mut Spill,
        context: &mut C,
        connection: impl Fn(&mut C, u32) -> Option<&Connection>,
        mut closed: impl FnMut(&mut C, u32),
    ) {
        while let Some(next) = spill.0.front() {
            let octets = next.extra.as_ref().map_or(next.octets.len(), |(_, extra)| extra.block_len());
            if !self.has_room(next.event.kind, octets) {
                return;
            }
            let Some(Spilled { event, octets, extra, packet }) = spill.0.pop_front() else { return };
            if let Some(row) = packet {
                self.write_packet(&event, &row, &octets);
                continue;
            }
            match (event.kind, extra) {
                (EventKind::Open, _) => {
                    if let Some(connection) = connection(context, event.slot) {
                        self.write_open(&event, connection);
                    }
                }
                (_, Some((reason, extra))) => {
                    if let Some(connection) = connection(context, event.slot) {
                        self.write_close(&event, reason, &extra, (connection, extra.analysis.as_deref()));
                    }
                    closed(context, event.slot);
                }
                _ => self.write(&event, [&octets, &[]]),
            }
        }
    }

    #[inline]
    fn write_packet(&mut self, event: &Event, packet: &PacketRow, frame: &[u8]) {
        let row = &mut self.layout.packets.row(self.batch, self.packets);
        row.f64(event.ts_ns.div_euclid(NS) as f64);
        row.u32(event.ts_ns.rem_euclid(NS) as u32);
        row.u32(packet.wire_len);
        row.u16(packet.link_type);
        row.u32(packet.seq);
        row.u32(packet.ack);
        row.u16(packet.flags);
        row.u32(packet.payload_len);
        row.u8(packet.state as u8);
        row.u64(packet.datagram);
        self.packets += 1;
        self.write(event, [frame, &[]]);
    }

    fn write_open(&mut self, event: &Event, connection: &Connection) {
        connection.write_identity(&mut self.layout.opens.row(self.batch, self.opens));
        self.opens += 1;
        self.write(event, [&[], &[]]);
    }

    fn write_close(
        &mut self,
        event: &Event,
        reason: EndReason,
        extra: &CloseExtra,
        (connection, analysis): (&Connection, Option<&Analysis>),
    ) {
        self.used = self.used.next_multiple_of(8);
        let gaps_at = self.used;
        for (offset, length) in extra.gaps.iter().flatten() {
            self.copy(&(*offset as f64).to_ne_bytes());
            self.copy(&(*length as f64).to_ne_bytes());
        }
        let sha256_at = extra.sha256.map(|digests| {
            let at = self.used;
            digests.iter().for_each(|digest| self.copy(digest));
            at as u32
        });
        let row = &mut self.layout.closes.row(self.batch, self.closes);
        connection.write(reason, row);
        row.u32(gaps_at as u32);
        row.u32(extra.gaps[0].len() as u32);
        row.u32(extra.gaps[1].len() as u32);
        row.optional(sha256_at, RowWriter::u32);
        if let Some(analysis) = analysis {
            analysis.write(connection, row);
        }
        self.closes += 1;
        self.write(event, [&[], &[]]);
    }

    #[inline]
    fn write(&mut self, event: &Event, octets: [&[u8]; 2]) {
        let row = &mut self.layout.events.row(self.batch, self.rows);
        row.u8(event.kind as u8);
        row.u32(event.slot);
        row.u8(event.direction as u8);
        row.u32(self.used as u32);
        row.u64(event.offset);
        row.u64(event.length);
        row.i64(event.ts_ns);
        row.u64(event.packet);
        self.rows += 1;
        self.tail = None;
        octets.into_iter().for_each(|octets| self.copy(octets));
    }

    #[inline]
    fn copy(&mut self, octets: &[u8]) {
        self.block[self.used..self.used + octets.len()].copy_from_slice(octets);
        self.used += octets.len();
    }
}
