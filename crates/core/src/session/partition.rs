//! Captures in, packets out with the key of the flow that they belong to: what a job sends to where flows are followed.
//!
//! A row has the packet's time, origin and key, and where in the caller's block as much of its frame lies as the job
//! needs. Packets of no flow have no row. Fragments wait until their datagram is whole, and then have its flow's key.
//!
//! Rows with packet number 0 are no packets: they tell the time. One comes behind the last packet. A *survey* reads the
//! same and gives only what other parts of the job have to know: fragments whose datagram isn't whole here, and the clock.

use std::collections::{HashMap, VecDeque};

use super::feed::FeedFilled;
use super::{Buffers, Feed, Progress, Session, Source, Stats, Status};
use crate::batch::{Column, Kind, Layout};
use crate::capture::{
    Block, CaptureInfo, CaptureLog, CaptureRange, FailedInput, Found, LinkType, MAX_PACKET_LEN, Packet, RangeInput,
    SharedInput,
};
use crate::decode::{Datagram, DecodeOptions, Decoder, Drop, Segment, proto};
use crate::error::FlowError;
use crate::filter::Filter;
use crate::flow::identify;
use crate::partition::{ClockTrack, Held, HeldFrame, Keep, flow_key, fragment_key, needed};

const COLUMNS: &[Column] = &[
    // Equal for all packets of a flow.
    Column::new("key", Kind::I64),
    // The latest time in the capture up to this packet: its own where captures are in order of time. Sorting by it
    // merges captures by time and changes no capture's own order.
    Column::new("order_ns", Kind::I64),
    Column::new("time_ns", Kind::I64),
    // Number in the capture, from 1.
    Column::new("packet", Kind::I64),
    // Number of the capture.
    Column::new("capture", Kind::U32),
    Column::new("link", Kind::U32),
    // Octets on the wire; 2^31 - 1 stands for more.
    Column::new("wire_len", Kind::U32),
    // Where the octets begin in the block; behind the last row stands where they end.
    Column::new("offset", Kind::U32),
];

/// Place of the column `offset`.
const OFFSET: usize = 7;

/// Rows of a batch.
const MAX_ROWS: usize = 16_384;

/// Octets of a block.
const BLOCK_LEN: usize = 4 << 20;

/// Blocks that one call reads at most, so that progress and an abort are seen.
const BLOCKS_PER_CALL: usize = 8;

/// The flow that a fragment belongs to, as was found out with fragments of other parts of the job.
#[derive(Clone, Copy, Debug)]
pub struct FlowOfFragment {
    /// Number of the fragment's capture.
    pub capture: u32,
    /// Number of the fragment in its capture.
    pub number: u64,
    /// Its partition key.
    pub key: i64,
}

/// What a partition session is to do.
#[derive(Clone, Debug, Default)]
pub struct PartitionSessionOptions {
    /// Give only what other parts have to know.
    pub survey: bool,
    /// What of frames is given.
    pub keep: Keep,
    /// Only packets of TCP.
    pub tcp_only: bool,
    /// Octets of each capture that are read; none: all.
    pub range: Option<CaptureRange>,
    /// Packets of the first capture before those that are read.
    pub packets_before: u64,
    /// The latest time among those packets, nanoseconds since the Unix epoch.
    pub time_before: Option<i64>,
    /// Number of the first capture.
    pub first_capture: u32,
    /// Flows of fragments that can't be found out here.
    pub fragments: Vec<FlowOfFragment>,
    /// How packets are decoded.
    pub decode: DecodeOptions,
    /// Packets that it doesn't choose are as if they weren't there.
    pub filter: Option<Filter>,
}

/// Reads captures and hands out packets with partition keys.
pub struct PartitionSession {
    options: PartitionSessionOptions,
    layout: Layout,
    feed: Feed,
    block: Block,
    in_block: bool,
    decoder: Decoder,
    held: Held,
    /// Flows of fragments, by capture and number.
    known: HashMap<(u32, u64), i64>,
    clock: ClockTrack,
    /// The latest time in the capture so far.
    latest_ns: i64,
    /// The same in all captures.
    latest_of_all: i64,
    /// Rows without room.
    spill: VecDeque<HeldFrame>,
    part: Option<Part>,
    error: Option<FlowError>,
    stats: Stats,
    finished: bool,
}

/// The range that is being read.
struct Part {
    /// What the head says; later interfaces would be unknown to later ranges.
    head: CaptureInfo,
    /// From octets of the input to octets of the file: the head's length, and where the range begins.
    head_len: u64,
    from: u64,
    /// The file has more behind the range.
    goes_on: bool,
}

impl PartitionSession {
    /// A session without a capture yet.
    #[must_use]
    pub fn new(mut options: PartitionSessionOptions) -> Self {
        let fragments = std::mem::take(&mut options.fragments);
        if options.decode.checksum.checks() {
            // A checksum can't be computed of a part.
            options.keep = Keep::Frames;
        }
        Self {
            layout: Layout::new(Stats::NAMES, COLUMNS.iter().copied(), MAX_ROWS + 1),
            feed: Feed::new(options.filter.clone()),
            decoder: Decoder::new(options.decode),
            known: fragments.into_iter().map(|flow| ((flow.capture, flow.number), flow.key)).collect(),
            options,
            block: Block::default(),
            in_block: false,
            held: Held::default(),
            clock: ClockTrack::default(),
            latest_ns: i64::MIN,
            latest_of_all: i64::MIN,
            spill: VecDeque::new(),
            part: None,
            error: None,
            stats: Stats::default(),
            finished: false,
        }
    }

    /// Walks packets until the rows are full or the block is done. True: the block is done.
    fn walk(&mut self, rows: &mut Rows<'_>) -> bool {
        let block = std::mem::take(&mut self.block);
        let mut decoder = std::mem::take(&mut self.decoder);
        let mut done = false;
        let mut packet = Packet::NOTHING;
        while !done && rows.has_room() && self.spill.is_empty() {
            match self.feed.find(&block, &mut packet) {
                Found::Packet => {
                    packet.number += self.options.packets_before;
                    packet.capture += self.options.first_capture;
                    self.packet(&mut decoder, &packet, packet.bytes(&block), rows);
                }
                Found::Tick(_) => {}
                Found::BlockDone => done = true,
            }
        }
        self.block = block;
        self.decoder = decoder;
        done
    }

    #[inline]
    fn packet(&mut self, decoder: &mut Decoder, packet: &Packet, frame: &[u8], rows: &mut Rows<'_>) {
        self.stats.packets += 1;
        self.stats.captured_bytes += u64::from(packet.captured_len);
        self.latest_ns = self.latest_ns.max(packet.ts_ns);
        self.latest_of_all = self.latest_of_all.max(self.latest_ns);
        if self.options.survey {
            self.clock.see(packet.ts_ns);
        }
        match decoder.decode(packet, frame) {
            Ok(datagram) => {
                let encap = self.options.decode.key_encap(datagram.outer);
                let identity = identify(&datagram, encap);
                self.stats.short_key += u64::from(identity.is_none());
                let identity = identity.filter(|_| self.is_wanted(&datagram));
                let len = needed(self.options.keep, frame, &datagram);
                let serial = datagram.serial;
                let key = identity.map(|identity| flow_key(&identity.key, encap, decoder));
                if serial != 0 {
                    self.release(serial, key);
                }
                if let Some(key) = key
                    && !self.options.survey
                {
                    self.give(key, packet, &frame[..len], rows);
                }
            }
            Err(Drop::Fragment) => self.fragment(decoder, packet, frame),
            Err(reason) => self.stats.count_drop(reason),
        }
    }

    /// Writes a row, behind those that wait for room.
    #[inline]
    fn give(&mut self, key: i64, packet: &Packet, octets: &[u8], rows: &mut Rows<'_>) {
        if self.spill.is_empty() {
            rows.push(key, self.latest_ns, packet, octets);
        } else {
            self.spill.push_back(HeldFrame { packet: *packet, order_ns: self.latest_ns, frame: octets.into(), key });
        }
    }

    fn is_wanted(&self, datagram: &Datagram<'_>) -> bool {
        !self.options.tcp_only || datagram.proto == proto::TCP && Segment::parse(datagram).is_some()
    }

    /// A fragment whose datagram isn't whole.
    #[cold]
    fn fragment(&mut self, decoder: &Decoder, packet: &Packet, frame: &[u8]) {
        self.stats.count_drop(Drop::Fragment);
        let Some(datagram) = decoder.fragment_key() else { return };
        let key = fragment_key(&datagram, decoder);
        let held = HeldFrame { packet: *packet, order_ns: self.latest_ns, frame: frame.into(), key };
        let gone = match decoder.last_datagram() {
            // Refused, so that perhaps the others of its datagram are in vain: they must come before it.
            0 => self.held.take_refused(held),
            serial => self.held.hold(serial, held),
        };
        self.give_up(gone);
    }

    /// The datagram is whole, and its flow known; without a key nobody wants it. Its fragments come now, directly before
    /// the packet that completes it, and a sort leaves them there.
    #[cold]
    fn release(&mut self, serial: u64, key: Option<i64>) {
        let (frames, order_ns) = (self.held.take(serial), self.latest_ns);
        if let Some(key) = key
            && !self.options.survey
        {
            self.spill.extend(frames.into_iter().map(|held| HeldFrame { key, order_ns, ..held }));
        }
    }

    /// Fragments whose flow isn't found out here. Where others have, they go to their own place in the order of all
    /// packets; else they complete nothing, and come when they come.
    fn give_up(&mut self, frames: Vec<HeldFrame>) {
        let (known, latest_ns) = (&self.known, self.latest_ns);
        self.spill.extend(frames.into_iter().map(|held| match known.get(&(held.packet.capture, held.packet.number)) {
            Some(&key) => HeldFrame { key, ..held },
            None => HeldFrame { order_ns: held.order_ns.max(latest_ns), ..held },
        }));
    }

    fn read(&mut self, rows: &mut Rows<'_>) -> Status {
        if self.error.is_some() {
            return Status::SourceFailed;
        }
        for _ in 0..BLOCKS_PER_CALL {
            if self.in_block {
                self.in_block = !self.walk(rows);
                self.check_part();
            }
            if self.error.is_some() || self.feed.failed() {
                return Status::SourceFailed;
            }
            if self.in_block || !self.spill.is_empty() {
                return Status::More;
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

    /// Interfaces and sections that a range describes are unknown to the ranges behind it.
    fn check_part(&mut self) {
        let Some(Part { head, .. }) = &self.part else { return };
        let info = self.feed.info();
        if info.sections > head.sections || info.interface_count > head.interface_count {
            let reason =
                "the capture describes an interface or section behind its first packet: take it whole".to_owned();
            self.error = Some(FlowError::InvalidOption { name: "range", reason });
        }
    }

    /// What is left when there are no more captures. Where packets are given, the latest time of all is told behind them:
    /// the last ones may be of no flow.
    fn end(&mut self) {
        let frames = self.held.take_all();
        self.give_up(frames);
        self.clock.end();
        let latest = (!self.options.survey).then_some(self.latest_of_all).filter(|&ns| ns > i64::MIN);
        let rows = self.clock.take().into_iter().chain(latest).map(|ts_ns| {
            let (number, start, captured_len, wire_len, interface) = (0, 0, 0, 0, 0);
            let capture = self.options.first_capture;
            let link = LinkType::NULL;
            let packet = Packet { number, ts_ns, start, captured_len, wire_len, link, interface, capture };
            HeldFrame { packet, order_ns: ts_ns, frame: Box::default(), key: 0 }
        });
        self.spill.extend(rows);
    }

    fn open_range(&mut self, source: Source, range: CaptureRange) -> Source {
        let Source::Path(path) = source else {
            let reason = "only a file can be read in parts".to_owned();
            return failed(FlowError::InvalidOption { name: "range", reason });
        };
        let opened = RangeInput::open(&path, range).and_then(|input| {
            let head = input.head_info()?;
            Ok((head, input))
        });
        match opened {
            Ok((head, input)) => {
                let (head_len, from, goes_on) = input.place();
                self.part = Some(Part { head, head_len, from, goes_on });
                Source::Given(SharedInput::new(Box::new(input)))
            }
            Err(error) => failed(error),
        }
    }
}

fn failed(error: FlowError) -> Source {
    Source::Given(SharedInput::new(Box::new(FailedInput::new(error))))
}

impl Session for PartitionSession {
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
        self.part = None;
        self.error = None;
        self.latest_ns = self.options.time_before.take().unwrap_or(i64::MIN);
        let source = match self.options.range {
            Some(range) => self.open_range(source, range),
            None => source,
        };
        self.feed.open(source, name);
        self.in_block = false;
    }

    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress {
        let layout = std::mem::take(&mut self.layout);
        let mut rows = Rows { layout: &layout, batch: buffers.batch, block: buffers.block, rows: 0, used: 0 };
        self.drain(&mut rows);
        let status = if !self.spill.is_empty() {
            Status::More
        } else if self.finished {
            Status::Done
        } else {
            let status = self.read(&mut rows);
            self.drain(&mut rows);
            status
        };
        let count = rows.end();
        self.feed.count(&mut self.stats);
        self.stats.count_decoder(&self.decoder);
        layout.write_stats(buffers.batch, self.stats.values());
        self.layout = layout;
        Progress { rows: count, status }
    }

    fn finish(&mut self) {
        if !std::mem::replace(&mut self.finished, true) {
            self.end();
        }
    }

    fn take_error(&mut self) -> Option<FlowError> {
        let error = self.error.take().or_else(|| self.feed.take_error())?;
        Some(match &self.part {
            Some(part) if part.goes_on && error.code() == "ERR_CAPTURE_TRUNCATED" => {
                // The range ends in the middle of a record, so one of its limits is none.
                let reason = "the capture's records are odd and can't be told from payloads: take it whole".to_owned();
                FlowError::InvalidOption { name: "range", reason }
            }
            Some(part) => moved(error, part.head_len, part.from),
            None => error,
        })
    }

    fn captures(&self) -> CaptureLog {
        self.feed.captures()
    }
}

impl PartitionSession {
    fn drain(&mut self, rows: &mut Rows<'_>) {
        while rows.has_room()
            && let Some(held) = self.spill.pop_front()
        {
            rows.push(held.key, held.order_ns, &held.packet, &held.frame);
        }
    }
}

/// The error with its offset in the file, where it is one in the head and a range.
fn moved(mut error: FlowError, head_len: u64, from: u64) -> FlowError {
    match &mut error {
        FlowError::Format { offset, .. } | FlowError::Truncated { offset, .. } | FlowError::Damaged { offset, .. } => {
            if *offset >= head_len {
                *offset = *offset - head_len + from;
            }
            error
        }
        FlowError::InCapture { .. } => match error {
            FlowError::InCapture { capture, source } => {
                FlowError::InCapture { capture, source: Box::new(moved(*source, head_len, from)) }
            }
            other => other,
        },
        _ => error,
    }
}

/// The caller's batch and block, as far as they are filled.
struct Rows<'a> {
    layout: &'a Layout,
    batch: &'a mut [u8],
    block: &'a mut [u8],
    rows: usize,
    used: usize,
}

impl Rows<'_> {
    #[inline]
    fn has_room(&self) -> bool {
        self.rows < MAX_ROWS && self.used + MAX_PACKET_LEN as usize <= self.block.len()
    }

    /// Writes a row; there must be room.
    #[inline]
    fn push(&mut self, key: i64, order_ns: i64, packet: &Packet, octets: &[u8]) {
        let end = self.used + octets.len();
        let Some(room) = self.block.get_mut(self.used..end) else { return };
        room.copy_from_slice(octets);
        let row = &mut self.layout.row(self.batch, self.rows);
        row.i64(key);
        row.i64(order_ns);
        row.i64(packet.ts_ns);
        row.i64(packet.number.cast_signed());
        row.u32(packet.capture);
        row.u32(u32::from(packet.link.0));
        row.u32(packet.wire_len.min(i32::MAX as u32));
        row.u32(self.used as u32);
        self.rows += 1;
        self.used = end;
    }

    /// Says where the last row's octets end; the number of rows.
    fn end(self) -> usize {
        self.layout.row_from(self.batch, self.rows, OFFSET).u32(self.used as u32);
        self.rows
    }
}
