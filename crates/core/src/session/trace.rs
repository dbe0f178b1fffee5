//! Captures in, a capture file per TCP flow out: PyPCAPKit's flow tracing.
//!
//! Frames go from the block straight to their flow's buffer in a [`FileSet`], and from there to the disk, all on the
//! reader's thread. JavaScript hears of flows that ended. The first file that can't be written ends the run: what was
//! written before stays.

mod flows;
mod held;
mod label;
mod rows;
mod stats;

pub use flows::{FlowRules, TraceEnd};
pub use stats::TraceStats;

use std::collections::VecDeque;

use self::flows::{FirstPacket, Signals, TraceKey, TraceTable};
use self::held::{HeldFrame, HeldFrames, MAX_HELD};
use self::label::LabelParts;
use self::rows::{EndedFlow, MAX_FLOWS, MAX_FRAMES, TraceLayout};
use super::feed::FeedFilled;
use super::{Buffers, Feed, Progress, Session, Source, Status};
use crate::capture::{self, Block, CaptureLog, LinkType, Packet};
use crate::decode::{Datagram, DecodeOptions, Decoder, Drop, Segment, proto};
use crate::error::FlowError;
use crate::filter::Filter;
use crate::flow::FlowKey;
use crate::sink::{CaptureFormat, Container, FileSet, FileSetOptions, Interface};

/// Blocks that one call reads at most, so that progress and an abort are seen.
const BLOCKS_PER_CALL: usize = 2;

/// Rows of frames that one packet may add: those that were held for its datagram, and its own.
const FRAMES_SPARE: usize = MAX_HELD + 1;

/// What a trace session is to do.
#[derive(Clone, Debug)]
pub struct TraceSessionOptions {
    /// How flows are told apart.
    pub flows: FlowRules,
    /// Where files go.
    pub files: FileSetOptions,
    /// How packets stand in them.
    pub format: CaptureFormat,
    /// Tell of every frame which flow it went to.
    pub frames: bool,
    /// How packets are decoded.
    pub decode: DecodeOptions,
    /// Packets that it doesn't choose are as if they weren't there.
    pub filter: Option<Filter>,
}

/// Reads captures and writes a file per flow.
pub struct TraceSession {
    options: TraceSessionOptions,
    layout: TraceLayout,
    feed: Feed,
    block: Block,
    /// The block holds packets that weren't looked at yet.
    in_block: bool,
    decoder: Decoder,
    table: TraceTable,
    held: HeldFrames,
    files: FileSet,
    /// Flows that ended and whose rows are still to be written.
    ended: VecDeque<EndedFlow>,
    stats: TraceStats,
    /// A file could not be written: nothing more is done.
    broken: bool,
    error: Option<FlowError>,
    finished: bool,
}

/// A packet, and where it belongs.
struct Arrived<'a> {
    packet: &'a Packet,
    frame: &'a [u8],
}

impl TraceSession {
    /// A session without a capture yet.
    #[must_use]
    pub fn new(options: TraceSessionOptions) -> Self {
        Self {
            layout: TraceLayout::new(options.frames),
            feed: Feed::of_whole_packets(options.filter.clone()),
            block: Block::default(),
            in_block: false,
            decoder: Decoder::new(options.decode),
            table: TraceTable::new(options.flows),
            held: HeldFrames::default(),
            files: FileSet::new(options.files.clone()),
            ended: VecDeque::new(),
            stats: TraceStats::default(),
            broken: false,
            error: None,
            finished: false,
            options,
        }
    }

    /// Counters so far.
    #[must_use]
    pub fn stats(&self) -> &TraceStats {
        &self.stats
    }

    /// Reads until a batch is full, the input stops, or enough blocks are read.
    fn read(&mut self, batch: &mut [u8]) -> Result<Status, FlowError> {
        for _ in 0..BLOCKS_PER_CALL {
            if self.in_block {
                self.in_block = !self.walk_block(batch)?;
            }
            if self.is_batch_full() {
                return Ok(Status::More);
            }
            if self.feed.failed() {
                return Ok(Status::SourceFailed);
            }
            match self.feed.fill_own(&mut self.block) {
                FeedFilled::Ready => self.in_block = true,
                FeedFilled::NeedInput => return Ok(Status::NeedInput),
                FeedFilled::End if self.feed.failed() => return Ok(Status::SourceFailed),
                FeedFilled::End => return Ok(Status::SourceEnd),
            }
        }
        Ok(Status::More)
    }

    fn is_batch_full(&self) -> bool {
        self.ended.len() >= MAX_FLOWS || self.stats.frame_rows as usize + FRAMES_SPARE > MAX_FRAMES
    }

    /// Walks packets until the batch is full or the block is done. True: the block is done.
    fn walk_block(&mut self, batch: &mut [u8]) -> Result<bool, FlowError> {
        let block = std::mem::take(&mut self.block);
        // A datagram may lie in the decoder's memory, so the decoder is lent for the time of the walk.
        let mut decoder = std::mem::take(&mut self.decoder);
        let mut walked = Ok(false);
        let mut packet = Packet::NOTHING;
        while !self.is_batch_full() {
            match self.feed.find(&block, &mut packet) {
                capture::Found::Packet => {
                    if let Err(error) = self.packet(&mut decoder, &packet, packet.bytes(&block), batch) {
                        walked = Err(error);
                        break;
                    }
                }
                capture::Found::Tick(ts_ns) => {
                    if let Err(error) = self.end_over(ts_ns) {
                        walked = Err(error);
                        break;
                    }
                }
                capture::Found::BlockDone => {
                    walked = Ok(true);
                    break;
                }
            }
        }
        self.block = block;
        self.decoder = decoder;
        walked
    }

    #[inline]
    fn packet(
        &mut self,
        decoder: &mut Decoder,
        packet: &Packet,
        frame: &[u8],
        batch: &mut [u8],
    ) -> Result<(), FlowError> {
        self.stats.common.packets += 1;
        self.stats.common.captured_bytes += u64::from(packet.captured_len);
        self.end_over(packet.ts_ns)?;
        let arrived = Arrived { packet, frame };
        match decoder.decode(packet, frame) {
            Ok(datagram) if datagram.proto != proto::TCP => {
                self.stats.not_tcp += 1;
                if datagram.reassembled {
                    self.release_fragments(decoder);
                }
                Ok(())
            }
            Ok(datagram) => {
                let Some(ports) = datagram.ports() else {
                    self.stats.common.short_key += 1;
                    return Ok(());
                };
                let (reassembled, slot) = (datagram.reassembled, self.segment(&arrived, &datagram, ports)?);
                if reassembled {
                    self.write_fragments(slot.slot, decoder, batch)?;
                }
                self.write(slot.slot, &arrived, batch)?;
                if slot.ends { self.end(slot.slot, TraceEnd::Fin) } else { Ok(()) }
            }
            Err(Drop::Fragment) => {
                self.held.hold(decoder.last_datagram(), HeldFrame { packet: *packet, frame: frame.into() });
                Ok(())
            }
            Err(reason) => {
                self.stats.common.count_drop(reason);
                Ok(())
            }
        }
    }

    /// Ends the flows that are over and have waited long enough.
    #[inline]
    fn end_over(&mut self, now_ns: i64) -> Result<(), FlowError> {
        while let Some(slot) = self.table.due(now_ns) {
            self.end(slot, TraceEnd::Fin)?;
        }
        Ok(())
    }

    /// Finds or opens the segment's flow, and counts the segment.
    #[inline]
    fn segment(
        &mut self,
        arrived: &Arrived<'_>,
        datagram: &Datagram<'_>,
        ports: (u16, u16),
    ) -> Result<Found, FlowError> {
        let signals = match Segment::parse(datagram) {
            Some(segment) => Signals::of(&segment),
            None => {
                self.stats.common.bad_segments += 1;
                Signals::default()
            }
        };
        let Datagram { src, dst, version, outer, .. } = datagram;
        let encap = self.options.decode.key_encap(*outer);
        let (key, from_first) = FlowKey::new(src, dst, ports, datagram.proto, *version, encap);
        let key = self.key(key, from_first, arrived.packet.link);
        let known = match self.table.find(&key) {
            Some(slot) if self.table.begins_anew(slot, signals, from_first) => {
                self.end(slot, TraceEnd::Reuse)?;
                None
            }
            known => known,
        };
        let slot = match known {
            Some(slot) => slot,
            None => {
                let parts =
                    LabelParts { version: *version, src: *src, dst: *dst, ports, first_ns: arrived.packet.ts_ns };
                let Packet { number, capture, .. } = *arrived.packet;
                self.open(key, FirstPacket { parts, outer: *outer, number, capture, from_first })?
            }
        };
        let Packet { captured_len, ts_ns, .. } = *arrived.packet;
        let ends = self.table.count(slot, signals, from_first, captured_len, ts_ns);
        Ok(Found { slot, ends })
    }

    fn key(&self, key: FlowKey, from_first: bool, link: LinkType) -> TraceKey {
        let one_link = self.options.format.container == Container::Pcap;
        TraceKey {
            key,
            from_first: !self.options.flows.bidirectional && from_first,
            link: if one_link { link } else { LinkType::NULL },
        }
    }

    fn open(&mut self, key: TraceKey, first: FirstPacket) -> Result<u32, FlowError> {
        while let Some(oldest) = self.table.full() {
            self.stats.common.evicted += 1;
            self.end(oldest, TraceEnd::Evicted)?;
        }
        let file = self.files.begin(first.parts.label());
        Ok(self.table.open(key, first, file))
    }

    /// Ends a flow; its file is complete then.
    fn end(&mut self, slot: u32, reason: TraceEnd) -> Result<(), FlowError> {
        let Some(flow) = self.table.close(slot) else { return Ok(()) };
        let finished = self.files.finish(flow.file)?;
        self.stats.ended += 1;
        self.ended.push_back(EndedFlow { flow, suffix: finished.suffix, reason });
        Ok(())
    }

    /// Writes a frame to its flow's file.
    #[inline]
    fn write(&mut self, slot: u32, arrived: &Arrived<'_>, batch: &mut [u8]) -> Result<(), FlowError> {
        let Some(flow) = self.table.get(slot) else { return Ok(()) };
        let Arrived { packet, frame } = *arrived;
        let format = self.options.format;
        let interface = Interface { link: packet.link, snaplen: self.feed.snaplen(packet) };
        let is_new = flow.interfaces.is_empty();
        let known = match format.container {
            // Its one interface stands in the header, and the snapshot length is that of the first packet.
            Container::Pcap if !is_new => Some(0),
            _ => flow.interfaces.iter().position(|known| *known == interface),
        };
        let number = known.unwrap_or(flow.interfaces.len()) as u32;
        if known.is_none() {
            flow.interfaces.push(interface);
        }
        let mut fits = true;
        self.files.append(flow.file, |out| {
            if is_new {
                format.header(interface, out);
            }
            if known.is_none() {
                format.interface(interface, out);
            }
            fits = format.packet(packet, frame, number, out);
        })?;
        self.stats.traced += 1;
        self.stats.bad_times += u64::from(!fits);
        let row = self.stats.frame_rows as usize;
        if row < MAX_FRAMES && self.layout.write_frame(batch, row, flow.id, packet.number) {
            self.stats.frame_rows += 1;
        }
        Ok(())
    }

    /// Writes the frames of the fragments that came before the one that made a datagram whole.
    #[cold]
    fn write_fragments(&mut self, slot: u32, decoder: &Decoder, batch: &mut [u8]) -> Result<(), FlowError> {
        for HeldFrame { packet, frame } in self.held.take(decoder.last_datagram()) {
            let one_link = self.options.format.container == Container::Pcap;
            let is_other = one_link
                && self.table.get(slot).and_then(|f| f.interfaces.first()).is_some_and(|i| i.link != packet.link);
            if is_other {
                self.held.given_up += 1;
                continue;
            }
            if let Some(flow) = self.table.get(slot) {
                flow.packets += 1;
                flow.octets += u64::from(packet.captured_len);
            }
            self.write(slot, &Arrived { packet: &packet, frame: &frame }, batch)?;
        }
        Ok(())
    }

    /// The datagram was whole and is of no flow.
    #[cold]
    fn release_fragments(&mut self, decoder: &Decoder) {
        self.stats.not_tcp += self.held.take(decoder.last_datagram()).len() as u64;
    }

    /// Ends every flow, the one seen least recently first, as far as there is room in the batch.
    fn end_all(&mut self) -> Result<(), FlowError> {
        while !self.is_batch_full()
            && let Some(slot) = self.table.any()
        {
            self.end(slot, TraceEnd::Flush)?;
        }
        Ok(())
    }

    fn advance(&mut self, batch: &mut [u8]) -> Result<Status, FlowError> {
        if !self.finished {
            return self.read(batch);
        }
        self.held.give_up_all();
        self.end_all()?;
        let all_out = self.table.len() == 0 && self.ended.len() <= MAX_FLOWS;
        Ok(if all_out { Status::Done } else { Status::More })
    }

    /// A file could not be written: the run is over, and what waits for other files is given up.
    fn fail(&mut self, error: FlowError) -> Status {
        self.broken = true;
        self.files.discard();
        self.error = Some(error);
        Status::SourceFailed
    }

    fn count(&mut self) {
        let common = &mut self.stats.common;
        self.feed.count(common);
        common.count_decoder(&self.decoder);
        common.flows = self.table.opened;
        common.open_flows = self.table.len() as u64;
        self.stats.files = self.files.stats();
        self.stats.lost_fragments = self.held.given_up;
    }
}

/// A segment's flow, and whether it ends with it.
struct Found {
    slot: u32,
    ends: bool,
}

impl Session for TraceSession {
    fn describe(&self) -> String {
        self.layout.describe()
    }

    fn batch_len(&self) -> usize {
        self.layout.byte_len()
    }

    fn open(&mut self, source: Source, name: &str) {
        if !self.broken {
            self.feed.open(source, name);
            self.in_block = false;
        }
    }

    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress {
        let batch = &mut *buffers.batch;
        self.stats.frame_rows = 0;
        let status =
            if self.broken { Status::Done } else { self.advance(batch).unwrap_or_else(|error| self.fail(error)) };
        let rows = self.layout.write_flows(batch, &mut self.ended, self.decoder.encaps());
        self.count();
        self.layout.write_stats(batch, &self.stats);
        Progress { rows, status }
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
