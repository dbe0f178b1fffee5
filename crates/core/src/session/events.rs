//! Stream events as rows: what happened, to which connection, and where its octets lie.
//!
//! Tables share a batch: `events` in capture order, `opens` and `closes` with the connection records that some events
//! belong to, and, where packets are asked for, `packets` with what their headers say. Rows go straight into the
//! caller's batch; what doesn't fit waits here, copied, and goes first into the next one.

use std::collections::VecDeque;

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
    /// A segment came: its frame, as captured; what it says is the next row of `packets`. It stands before what it brings.
    Packet = 5,
    /// A fragment came whose datagram isn't whole: its frame; the next row of `packets` says which datagram. It belongs to
    /// no connection yet.
    Fragment = 6,
}

impl EventKind {
    /// The words, by number.
    pub const NAMES: [&'static str; 7] = ["open", "data", "gap", "conflict", "close", "packet", "fragment"];
}

/// Where an event's octets lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Place {
    None = 0,
    Block = 1,
    Side = 2,
}

const EVENTS: &[Column] = &[
    Column::new("kind", Kind::Word(&EventKind::NAMES)),
    Column::new("slot", Kind::U32),
    Column::new("direction", Kind::U8),
    Column::new("place", Kind::U8),
    Column::new("at", Kind::U32),
    Column::new("offset", Kind::U64),
    Column::new("length", Kind::U64),
    Column::new("ts_ns", Kind::I64),
    Column::new("packet", Kind::U64),
];

/// What a close row adds to the record's columns: where in the side buffer the gaps (pairs of doubles) and the
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

/// Most events of one batch: a block of the smallest packets with one octet each has fewer.
const MAX_EVENTS: usize = 32_768;
/// Most connections that one batch opens or closes.
const MAX_RECORDS: usize = 4096;

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
        Self::new(false)
    }
}

impl EventLayout {
    /// The tables; that of packets has rows where they are asked for.
    #[must_use]
    pub fn new(packets: bool) -> Self {
        let events = Layout::new(Stats::NAMES, EVENTS.iter().copied(), MAX_EVENTS);
        let opens = Layout::behind(events.byte_len(), &[], connection::COLUMNS.iter().copied(), MAX_RECORDS);
        let columns = connection::COLUMNS.iter().chain(CLOSE_EXTRA).copied();
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
#[derive(Clone, Debug, Default)]
pub struct CloseExtra {
    /// Gaps of each direction: offset and length.
    pub gaps: [Vec<(u64, u64)>; 2],
    /// SHA-256 of the delivered octets of each direction.
    pub sha256: Option<[[u8; 32]; 2]>,
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
    /// Octets that it is about.
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

/// An event's octets.
#[derive(Clone, Copy, Debug)]
pub enum Octets<'a> {
    /// None.
    None,
    /// In the block, at this place.
    Block(u32, &'a [u8]),
    /// To be copied; a second version may follow the first.
    Copy(&'a [u8], &'a [u8]),
}

impl Octets<'_> {
    fn to_vec(self) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Block(_, bytes) => bytes.to_vec(),
            Self::Copy(first, second) => [first, second].concat(),
        }
    }

    fn side_len(&self) -> usize {
        match self {
            Self::None | Self::Block(..) => 0,
            Self::Copy(first, second) => first.len() + second.len(),
        }
    }
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
    side: &'a mut [u8],
    rows: usize,
    opens: usize,
    closes: usize,
    packets: usize,
    side_used: usize,
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
    /// A writer into empty buffers.
    pub fn new(layout: &'a EventLayout, batch: &'a mut [u8], side: &'a mut [u8]) -> Self {
        Self { layout, batch, side, rows: 0, opens: 0, closes: 0, packets: 0, side_used: 0 }
    }

    /// Rows of the events table so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Octets that are free behind the next multiple of 8.
    fn side_room(&self) -> usize {
        self.side.len().saturating_sub(self.side_used + 8)
    }

    fn has_room(&self, kind: EventKind, side_len: usize) -> bool {
        self.rows < MAX_EVENTS
            && side_len <= self.side_room()
            && (kind != EventKind::Open || self.opens < MAX_RECORDS)
            && (kind != EventKind::Close || self.closes < MAX_RECORDS)
    }

    /// Writes an event other than open and close, or lets it wait.
    #[inline]
    pub fn push(&mut self, spill: &mut Spill, event: Event, octets: Octets<'_>) {
        if spill.is_empty() && self.has_room(event.kind, octets.side_len()) {
            self.write(&event, octets);
            return;
        }
        spill.0.push_back(Spilled { event, octets: octets.to_vec(), extra: None, packet: None });
    }

    /// Writes a packet event, or lets it wait; `slot` is its connection's, none for a fragment. Its frame is the first
    /// version of `octets`.
    #[inline]
    pub fn packet(
        &mut self,
        spill: &mut Spill,
        packet: &Packet,
        (slot, direction): (Option<u32>, Direction),
        row: PacketRow,
        octets: Octets<'_>,
    ) {
        let kind = if slot.is_some() { EventKind::Packet } else { EventKind::Fragment };
        let event = Event {
            kind,
            slot: slot.unwrap_or(NO_SLOT),
            direction,
            offset: 0,
            length: u64::from(packet.captured_len),
            ts_ns: packet.ts_ns,
            packet: packet.number,
        };
        if spill.is_empty() && self.has_room(kind, octets.side_len()) {
            self.write_packet(&event, &row, octets);
        } else {
            spill.0.push_back(Spilled { event, octets: octets.to_vec(), extra: None, packet: Some(row) });
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

    /// Writes a close event with its connection's record. True: written, so the connection may go; false: it waits.
    pub fn close(
        &mut self,
        spill: &mut Spill,
        event: Event,
        (reason, extra): (EndReason, CloseExtra),
        connection: &Connection,
    ) -> bool {
        if spill.is_empty() && self.has_room(EventKind::Close, side_len(&extra)) {
            self.write_close(&event, reason, &extra, connection);
            return true;
        }
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
            let side_len = next.extra.as_ref().map_or(next.octets.len(), |(_, extra)| side_len(extra));
            if !self.has_room(next.event.kind, side_len) {
                return;
            }
            let Some(Spilled { event, octets, extra, packet }) = spill.0.pop_front() else { return };
            if let Some(row) = packet {
                self.write_packet(&event, &row, Octets::Copy(&octets, &[]));
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
                        self.write_close(&event, reason, &extra, connection);
                    }
                    closed(context, event.slot);
                }
                _ => self.write(&event, Octets::Copy(&octets, &[])),
            }
        }
    }

    #[inline]
    fn write_packet(&mut self, event: &Event, packet: &PacketRow, octets: Octets<'_>) {
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
        self.write(event, octets);
    }

    fn write_open(&mut self, event: &Event, connection: &Connection) {
        connection.write(EndReason::Eof, &mut self.layout.opens.row(self.batch, self.opens));
        self.opens += 1;
        self.write(event, Octets::None);
    }

    fn write_close(&mut self, event: &Event, reason: EndReason, extra: &CloseExtra, connection: &Connection) {
        let gaps_at = self.align_side();
        for (offset, length) in extra.gaps.iter().flatten() {
            self.copy_to_side(&(*offset as f64).to_ne_bytes());
            self.copy_to_side(&(*length as f64).to_ne_bytes());
        }
        let sha256_at = extra.sha256.map(|digests| {
            let at = self.side_used;
            digests.iter().for_each(|digest| self.copy_to_side(digest));
            at as u32
        });
        let row = &mut self.layout.closes.row(self.batch, self.closes);
        connection.write(reason, row);
        row.u32(gaps_at as u32);
        row.u32(extra.gaps[0].len() as u32);
        row.u32(extra.gaps[1].len() as u32);
        row.optional(sha256_at, RowWriter::u32);
        self.closes += 1;
        self.write(event, Octets::None);
    }

    #[inline]
    fn write(&mut self, event: &Event, octets: Octets<'_>) {
        let (place, at) = match octets {
            Octets::None => (Place::None, 0),
            Octets::Block(at, _) => (Place::Block, at),
            Octets::Copy(first, second) => {
                let at = self.side_used;
                self.copy_to_side(first);
                self.copy_to_side(second);
                (Place::Side, at as u32)
            }
        };
        let row = &mut self.layout.events.row(self.batch, self.rows);
        row.u8(event.kind as u8);
        row.u32(event.slot);
        row.u8(event.direction as u8);
        row.u8(place as u8);
        row.u32(at);
        row.u64(event.offset);
        row.u64(event.length);
        row.i64(event.ts_ns);
        row.u64(event.packet);
        self.rows += 1;
    }

    fn align_side(&mut self) -> usize {
        self.side_used = self.side_used.next_multiple_of(8);
        self.side_used
    }

    fn copy_to_side(&mut self, bytes: &[u8]) {
        self.side[self.side_used..self.side_used + bytes.len()].copy_from_slice(bytes);
        self.side_used += bytes.len();
    }
}

/// Octets that a close event takes in the side buffer.
fn side_len(extra: &CloseExtra) -> usize {
    extra.gaps.iter().map(|gaps| gaps.len() * 16).sum::<usize>() + 64
}
