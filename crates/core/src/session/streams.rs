//! Captures in, stream events and connection records out.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::events::{
    BLOCK_LEN, CloseExtra, Event, EventKind, EventLayout, EventWriter, MARK_OVER, MARK_WAITS, MOST_GAPS, PacketRow,
    Spill,
};
use super::fault_ahead::FaultAhead;
use super::feed::FeedFilled;
use super::{Buffers, Feed, Progress, Session, Source, Stats, Status};
use crate::analysis::series::{Head, HeadPiece, Point, Series};
use crate::analysis::{Analyses, Seen};
use crate::capture::{Block, CaptureLog, Found, Packet};
use crate::connection::{
    CaptureClock, Connection, ConnectionLimits, ConnectionTable, EndReason, Finished, begins_anew,
};
use crate::decode::{Datagram, DecodeOptions, Decoder, Drop, EncapId, PlainIp, Segment, flags, if_plain, proto};
use crate::error::FlowError;
use crate::filter::Filter;
use crate::flow::{Direction, FlowKey, Identity, identify};
use crate::stream::{Arena, GapReason, Lent, Segment as StreamSegment, Sink, StreamLimits};

/// Blocks of the capture that one call walks at most, so that progress and an abort are seen.
const BLOCKS_PER_CALL: usize = 8;

/// What a stream session is to do.
#[derive(Clone, Debug, Default)]
pub struct StreamSessionOptions {
    /// Bounds and choices of reassembly.
    pub streams: StreamLimits,
    /// Bounds and times of connections.
    pub connections: ConnectionLimits,
    /// Give open, data, gap and conflict events; otherwise only closes come.
    pub events: bool,
    /// Give marks too: see [`EventKind::Mark`].
    pub marks: bool,
    /// With events: give packet and fragment events too.
    pub packets: bool,
    /// Packet events have their frames; otherwise these have no octets.
    pub frames: bool,
    /// Data events have no octets, only their length.
    pub bare: bool,
    /// Octets that follow each other in their stream and in capture order are one event, not one for each segment.
    pub join: bool,
    /// Compute SHA-256 of each direction.
    pub sha256: bool,
    /// Most gaps of a direction that its record lists, at most [`MOST_GAPS`]; all are counted in `gap_bytes`.
    pub max_gaps: usize,
    /// Packets that it doesn't choose are as if they weren't there.
    pub filter: Option<Filter>,
    /// How packets are decoded.
    pub decode: DecodeOptions,
    /// Analyse each connection; its record gets the columns of [`crate::analysis::COLUMNS`].
    pub analyse: bool,
    /// Make a point of each segment of the connections with these serial numbers: see [`StreamSession::take_watched`].
    pub series: Vec<u64>,
    /// Octets from the start of each direction of those connections that are kept, too.
    pub head_octets: usize,
}

/// What a connection needs beside its slot where it is asked for or has gaps; most have none.
type MaybeSide = Option<Box<Side>>;

#[derive(Debug, Default)]
struct Side {
    gaps: [Vec<(u64, u64)>; 2],
    sha256: Option<Box<[Sha256; 2]>>,
    watched: Option<Box<WatchedSide>>,
}

impl Side {
    fn data(&mut self, direction: Direction, offset: u64, bytes: &[u8]) {
        if let Some(hashes) = &mut self.sha256 {
            hashes[direction.index()].update(bytes);
        }
        if let Some(watched) = &mut self.watched {
            watched.heads[direction.index()].take(offset, bytes);
        }
    }
}

/// What a connection needs of which each segment is asked for.
#[derive(Debug)]
struct WatchedSide {
    series: Series,
    heads: [Head; 2],
}

/// The connections of which each segment is asked for.
#[derive(Debug)]
struct Watched {
    /// Their serial numbers, in ascending order, none twice.
    ids: Vec<u64>,
    head_octets: usize,
    /// How many have ended.
    ended: usize,
    out: Vec<Told>,
}

/// What is told of connections of which each segment is asked for.
#[derive(Debug)]
pub enum Told {
    /// A segment of the connection with that serial number.
    Segment(u64, Point),
    /// Octets from the start of one of its directions, at its end.
    Head(u64, Direction, HeadPiece),
}

/// Reads captures and hands out stream events.
pub struct StreamSession {
    options: StreamSessionOptions,
    layout: EventLayout,
    feed: Feed,
    block: Block,
    /// The block holds packets that weren't looked at yet.
    in_block: bool,
    /// Where the block begins in what the streams were lent, if it was.
    lent: Option<u64>,
    /// While windows on a file are walked.
    ahead: Option<FaultAhead>,
    decoder: Decoder,
    tracker: Tracker,
    stats: Stats,
    finished: bool,
    /// All connections were told to end.
    flushed: bool,
}

/// Connections and everything that belongs to them.
struct Tracker {
    table: ConnectionTable,
    sides: Vec<MaybeSide>,
    /// The number of each one's analysis in `analyses`.
    analysis_of: Vec<Option<u32>>,
    arena: Arena,
    spill: Spill,
    events: bool,
    marks: bool,
    packets: bool,
    frames: bool,
    bare: bool,
    sha256: bool,
    max_gaps: usize,
    clock: CaptureClock,
    /// The clock's time of the packet at hand.
    now_ns: i64,
    /// As in the table's limits.
    idle_ns: i64,
    analyse: bool,
    analyses: Analyses,
    watched: Option<Watched>,
}

impl StreamSession {
    /// A session without a capture yet.
    #[must_use]
    pub fn new(options: StreamSessionOptions) -> Self {
        let tracker = Tracker {
            table: ConnectionTable::new(options.connections),
            sides: Vec::new(),
            analysis_of: Vec::new(),
            arena: Arena::new(options.streams),
            spill: Spill::default(),
            events: options.events,
            marks: options.events && options.marks,
            packets: options.events && options.packets,
            frames: options.frames,
            bare: options.bare,
            sha256: options.sha256,
            max_gaps: options.max_gaps.min(MOST_GAPS),
            clock: CaptureClock::default(),
            now_ns: 0,
            idle_ns: options.connections.idle_ns,
            analyse: options.analyse,
            analyses: Analyses::default(),
            watched: Watched::new(&options),
        };
        Self {
            feed: Feed::of_whole_packets(options.filter.clone()),
            decoder: Decoder::new(options.decode),
            layout: EventLayout::new(options.analyse, options.packets),
            options,
            block: Block::default(),
            in_block: false,
            lent: None,
            ahead: None,
            tracker,
            stats: Stats::default(),
            finished: false,
            flushed: false,
        }
    }

    /// Counters so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What there is to tell of the connections that are asked for, since the last call; and whether no more will come.
    pub fn take_watched(&mut self) -> (Vec<Told>, bool) {
        let Some(watched) = &mut self.tracker.watched else { return (Vec::new(), true) };
        (std::mem::take(&mut watched.out), watched.ended == watched.ids.len())
    }

    /// Walks the packets of a block until it is done or events had to wait. True: the block is done.
    fn walk(&mut self, writer: &mut EventWriter<'_>) -> bool {
        let block = std::mem::take(&mut self.block);
        // A payload may lie in the decoder's memory, so the decoder is lent for the time of the walk.
        let mut decoder = std::mem::take(&mut self.decoder);
        let mut done = false;
        let mut packet = Packet::NOTHING;
        while !done && self.tracker.spill.is_empty() {
            match self.feed.find(&block, &mut packet) {
                Found::Packet => self.packet(&mut decoder, &packet, packet.bytes(&block), writer),
                Found::Tick(ts_ns) => self.tracker.advance(ts_ns, 0, writer),
                Found::BlockDone => done = true,
            }
        }
        self.block = block;
        self.decoder = decoder;
        done
    }

    #[inline]
    fn packet(&mut self, decoder: &mut Decoder, packet: &Packet, frame: &[u8], writer: &mut EventWriter<'_>) {
        self.stats.packets += 1;
        self.stats.captured_bytes += u64::from(packet.captured_len);
        self.tracker.advance(packet.ts_ns, packet.number, writer);
        let plain = decoder.plain();
        if_plain!(plain, packet, frame, |ip, offset| return self.plain(packet, frame, (&ip, offset), writer));
        let reason = match &decoder.decode_any(packet, frame) {
            Ok(datagram) if datagram.proto == proto::TCP => return self.datagram(packet, frame, datagram, writer),
            Ok(_) => return,
            Err(reason) => *reason,
        };
        if reason == Drop::Fragment && self.tracker.packets {
            self.tracker.fragment(packet, frame, decoder.last_datagram(), writer);
        }
        self.stats.count_drop(reason);
    }

    /// A plain packet. What is handed on stays where it was put together: a value that is copied in larger pieces than it
    /// was written in makes the processor wait.
    #[inline(never)]
    fn plain(
        &mut self,
        packet: &Packet,
        frame: &[u8],
        (ip, offset): (&PlainIp<'_>, usize),
        writer: &mut EventWriter<'_>,
    ) {
        if ip.proto == proto::TCP {
            self.datagram(packet, frame, &ip.datagram(offset, EncapId(0)), writer);
        }
    }

    #[inline(always)]
    fn datagram(&mut self, packet: &Packet, frame: &[u8], datagram: &Datagram<'_>, writer: &mut EventWriter<'_>) {
        let encap = self.options.decode.key_encap(datagram.outer);
        let mut segment = Segment::parse(datagram);
        let Some(segment) = &mut segment else {
            self.stats.bad_segments += 1;
            return;
        };
        let Some(Identity { key, from_first, .. }) = identify(datagram, encap) else {
            self.stats.bad_segments += 1;
            return;
        };
        if !datagram.reassembled {
            let offset = datagram.upper_offset + segment.header_len;
            clip_to_wire(segment, packet.wire_len.saturating_sub(offset));
        }
        let hash = self.tracker.table.hash(&key);
        let lent = self.lent.and_then(|block| Some(block + (packet.start + place_in(frame, segment.payload)?) as u64));
        self.tracker.segment(&Arrived { packet, frame, datagram, key, hash, from_first, segment, lent }, writer);
    }

    /// Reads and walks what one call may.
    fn read(&mut self, writer: &mut EventWriter<'_>) -> Status {
        let blocks = if self.tracker.watched.is_some() { 1 } else { BLOCKS_PER_CALL };
        for _ in 0..blocks {
            if self.in_block {
                self.in_block = !self.walk(writer);
            }
            if self.in_block || !self.tracker.spill.is_empty() {
                return Status::More;
            }
            if self.feed.failed() {
                self.leave_capture();
                return Status::SourceFailed;
            }
            match self.feed.fill_own(&mut self.block) {
                FeedFilled::Ready => self.enter_block(),
                FeedFilled::NeedInput => return Status::NeedInput,
                FeedFilled::End => {
                    self.leave_capture();
                    return if self.feed.failed() { Status::SourceFailed } else { Status::SourceEnd };
                }
            }
        }
        Status::More
    }

    /// Begins with a block. A window on a file is lent to the streams, so they copy nothing of it.
    fn enter_block(&mut self) {
        self.in_block = true;
        self.lent = match &self.block {
            Block::Mapped(window) => {
                let at = self.tracker.arena.lend(Arc::clone(window) as Lent);
                // The first window has nobody ahead: most captures are smaller.
                if at > 0 && self.ahead.is_none() {
                    self.ahead = FaultAhead::start();
                }
                if let Some(ahead) = &self.ahead {
                    ahead.enter(window);
                }
                Some(at)
            }
            Block::Own(_) => None,
        };
    }

    /// The capture is at its end: from here on its file is the user's to change.
    fn leave_capture(&mut self) {
        self.ahead = None;
        self.block = Block::default();
        self.tracker.arena.return_lent();
    }

    fn count(&mut self) {
        self.feed.count(&mut self.stats);
        self.stats.count_decoder(&self.decoder);
        let totals = self.tracker.arena.totals();
        self.stats.flows = self.tracker.table.opened;
        self.stats.evicted = self.tracker.table.evicted;
        self.stats.open_flows = self.tracker.table.known() as u64;
        self.stats.limit_gaps = totals.direction_limit_hits + totals.total_limit_hits;
        self.stats.wild_segments = totals.wild_segments;
        self.stats.keep_alives = totals.keep_alives;
    }
}

impl Session for StreamSession {
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
        self.in_block = false;
    }

    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress {
        let layout = std::mem::take(&mut self.layout);
        let mut writer = EventWriter::new(&layout, buffers.batch, buffers.block, self.options.join);
        self.tracker.drain(&mut writer);
        let status = if !self.tracker.spill.is_empty() {
            Status::More
        } else if self.finished {
            if !std::mem::replace(&mut self.flushed, true) {
                self.tracker.table.flush();
            }
            self.tracker.flush(&mut writer)
        } else {
            self.read(&mut writer)
        };
        let rows = writer.rows();
        self.count();
        layout.write_stats(buffers.batch, &self.stats);
        self.layout = layout;
        Progress { rows, status }
    }

    /// Ending all connections is the work of the next call, which has a thread of its own.
    fn finish(&mut self) {
        self.finished = true;
    }

    fn take_error(&mut self) -> Option<FlowError> {
        self.feed.take_error()
    }

    fn captures(&self) -> CaptureLog {
        self.feed.captures()
    }

    fn unwant(&mut self, slot: u32, id: u64) {
        self.tracker.unwant(slot, id);
    }
}

/// Octets that an IP header claims beyond the end of its packet were never on the wire, whatever was captured: a
/// receiver drops such a packet, and nothing but the claim speaks for them.
#[inline]
fn clip_to_wire(segment: &mut Segment<'_>, room: u32) {
    if room < segment.payload_len {
        segment.payload_len = room.max(segment.payload.len() as u32);
    }
}

/// Where `part` lies in `whole`; `None` where it doesn't.
#[inline]
fn place_in(whole: &[u8], part: &[u8]) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (at + part.len() <= whole.len()).then_some(at)
}

/// A segment and where it comes from.
struct Arrived<'a> {
    packet: &'a Packet,
    /// Its octets.
    frame: &'a [u8],
    datagram: &'a Datagram<'a>,
    segment: &'a Segment<'a>,
    /// Its connection's key, and the key's hash.
    key: FlowKey,
    hash: u64,
    /// The key's first endpoint sent it.
    from_first: bool,
    /// Where its payload is lent.
    lent: Option<u64>,
}

impl Tracker {
    /// Moves packet time on: ends connections and gives up holes whose time has come. `packet` is 0 where no packet
    /// brings the time.
    #[inline(always)]
    fn advance(&mut self, ts_ns: i64, packet: u64, writer: &mut EventWriter<'_>) {
        self.now_ns = self.clock.tick(ts_ns);
        self.table.advance(self.now_ns);
        if self.table.coming_finished().is_some() || self.arena.due(ts_ns).is_some() {
            self.catch_up(ts_ns, packet, writer);
        }
    }

    #[inline(never)]
    fn catch_up(&mut self, ts_ns: i64, packet: u64, writer: &mut EventWriter<'_>) {
        self.end_finished(ts_ns, packet, writer);
        while let Some(token) = self.arena.due(ts_ns) {
            self.with_stream(token, ts_ns, packet, writer, |stream, arena, sink| {
                stream.on_time(arena, ts_ns, sink);
            });
        }
    }

    fn segment(&mut self, arrived: &Arrived<'_>, writer: &mut EventWriter<'_>) {
        let Arrived { packet, segment, .. } = *arrived;
        let known = self
            .table
            .find(&arrived.key, arrived.hash)
            .map(|slot| (slot, self.table.direction(slot, arrived.from_first)));
        let (slot, direction) = match known {
            Some((slot, direction)) if !self.begins_anew(slot, arrived, direction) => (slot, direction),
            known => {
                if let Some((slot, _)) = known {
                    let idle = self.is_idle(slot, packet.ts_ns);
                    self.table.finish(slot as u32, if idle { EndReason::Idle } else { EndReason::Reuse });
                    self.end_finished(packet.ts_ns, packet.number, writer);
                }
                self.open(arrived, writer)
            }
        };
        // Where there are none, they aren't asked for: that would be one more line to fetch for each packet.
        let analysis = if self.analyse || self.watched.is_some() { self.analysis_of[slot] } else { None };
        if let Some(number) = analysis {
            self.analyses.fetch_ahead(number);
        }
        self.table.touch(slot, self.now_ns);
        let Some(connection) = self.table.get_mut(slot) else { return };
        connection.last_ns = packet.ts_ns;
        let zero_window = connection.meets_zero_window(direction);
        let over = connection.header(segment, direction);
        if self.packets && connection.wanted {
            let row = PacketRow::segment(packet, segment, connection.state, arrived.datagram.serial);
            let frame = if self.frames { arrived.frame } else { &[] };
            writer.packet(&mut self.spill, packet, (Some(slot as u32), direction), row, frame);
        }
        if let Some(analysis) = analysis {
            self.analyse(slot, analysis, direction, arrived);
        }
        self.feed_streams(slot, direction, zero_window, arrived, writer);
        if self.marks {
            self.mark(slot, direction, over, arrived, writer);
        }
        if over {
            self.table.set_over(slot, self.now_ns);
        }
        while let Some(token) = self.arena.over_limit() {
            self.with_stream(token, packet.ts_ns, packet.number, writer, |stream, arena, sink| {
                stream.relieve(arena, sink);
            });
        }
    }

    /// Tells of a fragment whose datagram isn't whole.
    #[cold]
    fn fragment(&mut self, packet: &Packet, frame: &[u8], datagram: u64, writer: &mut EventWriter<'_>) {
        let row = PacketRow::fragment(packet, datagram);
        let frame = if self.frames { frame } else { &[] };
        writer.packet(&mut self.spill, packet, (None, Direction::Fwd), row, frame);
    }

    #[inline(never)]
    fn analyse(&mut self, slot: usize, analysis: u32, direction: Direction, arrived: &Arrived<'_>) {
        let Arrived { packet, datagram, segment, .. } = *arrived;
        let Some(connection) = self.table.get_mut(slot) else { return };
        let seen = Seen::new(segment, datagram, direction, (packet.ts_ns, packet.number));
        let kinds = self.analyses.segment(analysis, &seen, connection.port);
        if let (Some(watched), Some(side)) =
            (&mut self.watched, self.sides[slot].as_mut().and_then(|side| side.watched.as_mut()))
        {
            let point = side.series.point(&seen, kinds, self.analyses.window(analysis, direction));
            watched.out.push(Told::Segment(connection.id, point));
        }
    }

    fn begins_anew(&mut self, slot: usize, arrived: &Arrived<'_>, direction: Direction) -> bool {
        if !arrived.segment.has(flags::SYN) {
            return false;
        }
        let idle = self.is_idle(slot, arrived.packet.ts_ns);
        self.table.get_mut(slot).is_some_and(|known| begins_anew(known, arrived.segment, direction, idle))
    }

    /// By packet time, no segment came for the idle time.
    fn is_idle(&mut self, slot: usize, ts_ns: i64) -> bool {
        self.table.get_mut(slot).is_some_and(|known| ts_ns.saturating_sub(known.last_ns) >= self.idle_ns)
    }

    fn open(&mut self, arrived: &Arrived<'_>, writer: &mut EventWriter<'_>) -> (usize, Direction) {
        let Arrived { packet, datagram, segment, key, hash, from_first, .. } = *arrived;
        let mut direction = Direction::Fwd;
        let slot = self.table.open((key, from_first), hash, |id, slot| {
            let (mut connection, way) = Connection::open(id, slot, datagram, segment);
            (connection.capture, connection.first_packet) = (packet.capture, packet.number);
            (connection.first_ns, connection.last_ns) = (packet.ts_ns, packet.ts_ns);
            direction = way;
            (connection, way)
        });
        // Opening may have evicted another one.
        self.end_finished(packet.ts_ns, packet.number, writer);
        if self.sides.len() <= slot {
            self.sides.resize_with(slot + 1, || None);
            self.analysis_of.resize(slot + 1, None);
        }
        // Serial numbers count up, and this connection has the latest one.
        let watched = self.watched.as_ref().and_then(|watched| watched.side(self.table.opened.saturating_sub(1)));
        let has_analysis = self.analyse || watched.is_some();
        self.analysis_of[slot] = has_analysis.then(|| self.analyses.open());
        self.sides[slot] = (self.sha256 || watched.is_some()).then(|| {
            let sha256 = self.sha256.then(Box::default);
            Box::new(Side { sha256, watched, ..Side::default() })
        });
        if self.events
            && let Some(connection) = self.table.get_mut(slot)
        {
            let event = plain(EventKind::Open, slot as u32, packet.ts_ns, packet.number);
            writer.open(&mut self.spill, event, connection);
        }
        (slot, direction)
    }

    /// Gives the payload to its stream and the acknowledgement to the other one.
    #[inline]
    fn feed_streams(
        &mut self,
        slot: usize,
        direction: Direction,
        zero_window: bool,
        arrived: &Arrived<'_>,
        writer: &mut EventWriter<'_>,
    ) {
        let Arrived { packet, segment, .. } = *arrived;
        let Some(connection) = self.table.get_mut(slot) else { return };
        let mut sink = EventSink {
            writer,
            spill: &mut self.spill,
            side: &mut self.sides[slot],
            side_takes: self.sha256 || self.watched.is_some(),
            events: self.events && connection.wanted,
            bare: self.bare,
            max_gaps: self.max_gaps,
            event: plain(EventKind::Data, slot as u32, packet.ts_ns, packet.number),
            payload: segment.payload,
        };
        if segment.has(flags::ACK) {
            let turned = direction.turned();
            sink.event.direction = turned;
            connection.streams[turned.index()].on_ack(&mut self.arena, segment.ack, packet.ts_ns, &mut sink);
        }
        // RFC 9293 section 3.5.3: what a RST carries explains it and is no stream data.
        if !segment.has(flags::RST) {
            sink.event.direction = direction;
            let fed = StreamSegment {
                seq: segment.seq,
                syn: segment.has(flags::SYN),
                fin: segment.has(flags::FIN),
                payload: segment.payload,
                wire_len: segment.payload_len,
                zero_window,
                ts_ns: packet.ts_ns,
                lent: arrived.lent,
            };
            connection.streams[direction.index()].push(&mut self.arena, &fed, &mut sink);
        }
        if !connection.wanted {
            connection.streams.iter_mut().for_each(|stream| stream.discard(&mut self.arena));
        }
    }

    /// Tells of a segment whose flags say more than its octets do: PSH, URG, FIN, RST, or neither SYN nor ACK.
    #[inline(never)]
    fn mark(
        &mut self,
        slot: usize,
        direction: Direction,
        over: bool,
        arrived: &Arrived<'_>,
        writer: &mut EventWriter<'_>,
    ) {
        let Arrived { packet, segment, .. } = *arrived;
        let says_more = segment.has(flags::PSH | flags::URG | flags::FIN | flags::RST);
        let Some(connection) = self.table.get_mut(slot).filter(|connection| connection.wanted) else { return };
        if !says_more && segment.has(flags::SYN | flags::ACK) {
            return;
        }
        let stream = &connection.streams[direction.index()];
        let end = segment.seq.plus(segment.payload_len).plus(u32::from(segment.has(flags::SYN)));
        let known = if segment.has(flags::RST) { None } else { stream.offset_of(end) };
        let offset = known.unwrap_or_else(|| stream.end_offset());
        let waits = connection.streams.iter().any(|s| s.is_waiting() || (s.has_fin() && !s.is_complete()));
        let length = u64::from(segment.flags) | if over { MARK_OVER } else { 0 } | if waits { MARK_WAITS } else { 0 };
        let event = plain(EventKind::Mark, slot as u32, packet.ts_ns, packet.number);
        writer.push(&mut self.spill, &Event { direction, offset, length, ..event }, [&[], &[]]);
    }

    /// Lets a stream that the arena named give up a hole.
    fn with_stream(
        &mut self,
        token: u32,
        ts_ns: i64,
        packet: u64,
        writer: &mut EventWriter<'_>,
        act: impl FnOnce(&mut crate::stream::Stream, &mut Arena, &mut EventSink<'_, '_>),
    ) {
        let (slot, way) = ((token / 2) as usize, (token % 2) as usize);
        let Some(connection) = self.table.get_mut(slot) else { return };
        let mut sink = EventSink {
            writer,
            spill: &mut self.spill,
            side: &mut self.sides[slot],
            side_takes: self.sha256 || self.watched.is_some(),
            events: self.events && connection.wanted,
            bare: self.bare,
            max_gaps: self.max_gaps,
            event: Event { direction: DIRECTIONS[way], ..plain(EventKind::Data, token / 2, ts_ns, packet) },
            payload: &[],
        };
        act(&mut connection.streams[way], &mut self.arena, &mut sink);
    }

    /// Ends the connections that left the table: what waits in their streams comes out, then their record.
    #[inline]
    fn end_finished(&mut self, ts_ns: i64, packet: u64, writer: &mut EventWriter<'_>) {
        while let Some(finished) = self.table.next_finished() {
            self.end(finished, ts_ns, packet, writer);
        }
    }

    fn end(&mut self, finished: Finished, ts_ns: i64, packet: u64, writer: &mut EventWriter<'_>) {
        let slot = finished.slot as u32;
        // Many may end at once, long after their last segment.
        if let Some(number) = self.table.coming_finished().and_then(|coming| self.analysis_of[coming]) {
            self.analyses.fetch_ahead(number);
        }
        for token in [slot * 2, slot * 2 + 1] {
            self.with_stream(token, ts_ns, packet, writer, |stream, arena, sink| stream.finish(arena, sink));
        }
        let Some(connection) = self.table.get_mut(finished.slot) else { return };
        let side = self.sides[finished.slot].take().map_or_else(Side::default, |side| *side);
        let sha256 = side.sha256.map(|hashes| hashes.map(|hash| hash.finalize().into()));
        let extra = CloseExtra::new(side.gaps, sha256);
        let reason = connection.end_reason(finished.cause);
        if let (Some(watched), Some(side)) = (&mut self.watched, side.watched) {
            watched.end(connection.id, *side);
        }
        let event = plain(EventKind::Close, slot, ts_ns, packet);
        let number = self.analysis_of[finished.slot].take();
        let analysis = number.filter(|_| self.analyse).and_then(|number| self.analyses.get_mut(number));
        if writer.close(&mut self.spill, event, (reason, extra), connection, analysis) {
            self.table.release(finished.slot);
        }
        if let Some(number) = number {
            self.analyses.release(number);
        }
    }

    /// Writes what waited for room.
    fn drain(&mut self, writer: &mut EventWriter<'_>) {
        writer.drain(
            &mut self.spill,
            &mut self.table,
            |table, slot| table.get_mut(slot as usize).map(|c| &*c),
            |table, slot| table.release(slot as usize),
        );
    }

    /// The input ended: ends connections until all are out or the batch is full.
    fn flush(&mut self, writer: &mut EventWriter<'_>) -> Status {
        while let Some(finished) = self.table.next_finished() {
            let last_ns = self.table.get_mut(finished.slot).map_or(0, |c| c.last_ns);
            self.end(finished, last_ns, 0, writer);
            if !self.spill.is_empty() {
                return Status::More;
            }
        }
        Status::Done
    }

    /// The payload is neither kept nor handed out from now on. The slot may be another connection's by now.
    fn unwant(&mut self, slot: u32, id: u64) {
        if let Some(connection) = self.table.get_mut(slot as usize).filter(|c| c.id == id) {
            connection.wanted = false;
            connection.streams.iter_mut().for_each(|stream| stream.discard(&mut self.arena));
        }
    }
}

impl Watched {
    fn new(options: &StreamSessionOptions) -> Option<Self> {
        let mut ids = options.series.clone();
        ids.sort_unstable();
        ids.dedup();
        let watched = Self { ids, head_octets: options.head_octets, ended: 0, out: Vec::new() };
        (!watched.ids.is_empty()).then_some(watched)
    }

    /// What the connection with serial number `id` needs, if it is asked for.
    fn side(&self, id: u64) -> Option<Box<WatchedSide>> {
        self.ids.binary_search(&id).ok()?;
        let heads = [Head::new(self.head_octets), Head::new(self.head_octets)];
        Some(Box::new(WatchedSide { series: Series::default(), heads }))
    }

    /// The connection ended: tells of its heads.
    fn end(&mut self, id: u64, side: WatchedSide) {
        self.ended += 1;
        for (direction, head) in DIRECTIONS.into_iter().zip(side.heads) {
            self.out.extend(head.into_pieces().map(|piece| Told::Head(id, direction, piece)));
        }
    }
}

const DIRECTIONS: [Direction; 2] = [Direction::Fwd, Direction::Rev];

fn plain(kind: EventKind, slot: u32, ts_ns: i64, packet: u64) -> Event {
    Event { kind, slot, direction: Direction::Fwd, offset: 0, length: 0, ts_ns, packet }
}

/// Turns what a stream tells into events, hashes and lists of gaps.
struct EventSink<'a, 'w> {
    writer: &'a mut EventWriter<'w>,
    spill: &'a mut Spill,
    side: &'a mut MaybeSide,
    /// There may be a side that takes octets: another line to fetch for each of them.
    side_takes: bool,
    events: bool,
    bare: bool,
    max_gaps: usize,
    event: Event,
    payload: &'a [u8],
}

impl EventSink<'_, '_> {
    #[inline]
    fn data(&mut self, offset: u64, bytes: &[u8]) {
        if self.side_takes
            && let Some(side) = self.side
        {
            side.data(self.event.direction, offset, bytes);
        }
        if self.events {
            let event = Event { kind: EventKind::Data, offset, length: bytes.len() as u64, ..self.event };
            if self.bare {
                self.writer.push(self.spill, &event, [&[], &[]]);
            } else {
                self.writer.data(self.spill, &event, bytes);
            }
        }
    }
}

impl Sink for EventSink<'_, '_> {
    #[inline]
    fn in_order(&mut self, offset: u64, range: std::ops::Range<u32>) {
        let payload = self.payload;
        self.data(offset, &payload[range.start as usize..range.end as usize]);
    }

    fn released(&mut self, offset: u64, bytes: &[u8]) {
        self.data(offset, bytes);
    }

    fn gap(&mut self, offset: u64, len: u64, _reason: GapReason) {
        let gaps = &mut self.side.get_or_insert_default().gaps[self.event.direction.index()];
        let listed = gaps.len();
        match gaps.last_mut() {
            Some(last) if last.0 + last.1 == offset => last.1 += len,
            _ if listed < self.max_gaps => gaps.push((offset, len)),
            _ => {}
        }
        if self.events {
            let event = Event { kind: EventKind::Gap, offset, length: len, ..self.event };
            self.writer.push(self.spill, &event, [&[], &[]]);
        }
    }

    fn conflict(&mut self, offset: u64, kept: &[u8], other: &[u8]) {
        if self.events {
            let event = Event { kind: EventKind::Conflict, offset, length: kept.len() as u64, ..self.event };
            self.writer.push(self.spill, &event, [kept, other]);
        }
    }
}
