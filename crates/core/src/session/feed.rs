//! Packets from one capture after another: opens inputs, fills blocks, keeps the error of a capture that failed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{MergedSource, Source, Stats};
use crate::capture::{
    AheadBlock, Block, BlockReader, CaptureInfo, CaptureLog, CaptureReport, Compression, DecodingInput, FailedInput,
    FileInput, Filled, Found, Input, LARGE_FROM, Losses, MIN_BLOCK_LEN, MappedInput, MergeInput, MergeMember, Origin,
    Packet, QueueInput, ReadAhead,
};
use crate::error::FlowError;
use crate::filter::Filter;
use tcpskein_map::Buffer;

/// What filling a block came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedFilled {
    /// There are octets to walk.
    Ready,
    /// More must be pushed first.
    NeedInput,
    /// The capture is at its end, or failed: see [`Feed::failed`].
    End,
}

enum Bytes {
    Direct(Box<dyn Input>),
    /// By a thread of its own, where files aren't mapped.
    Ahead(ReadAhead),
    Mapped(MappedInput),
}

impl Bytes {
    fn position(&self) -> u64 {
        match self {
            Self::Direct(input) => input.position(),
            Self::Ahead(ahead) => ahead.position(),
            Self::Mapped(file) => file.position(),
        }
    }

    fn losses(&self) -> Losses {
        match self {
            Self::Direct(input) => input.losses(),
            // Only files are read ahead or mapped.
            Self::Ahead(_) | Self::Mapped(_) => Losses::default(),
        }
    }

    fn compression(&self) -> Option<Compression> {
        match self {
            Self::Direct(input) => input.compression(),
            Self::Ahead(ahead) => ahead.compression(),
            // Only what isn't compressed is mapped.
            Self::Mapped(_) => None,
        }
    }
}

/// Captures that are read as one.
#[derive(Clone)]
struct Merge {
    /// Number of the first.
    first: u32,
    /// Why some of them ended early.
    errors: Arc<Mutex<Vec<FlowError>>>,
}

/// The capture being read.
#[derive(Default)]
pub struct Feed {
    pending: Option<Source>,
    bytes: Option<Bytes>,
    reader: BlockReader,
    name: String,
    /// Why the capture failed; of merged ones several may.
    errors: Vec<FlowError>,
    /// Number of the capture that the latest packet is from, counted from 0.
    capture: u32,
    /// Number of the next capture.
    next_capture: u32,
    merge: Option<Merge>,
    log: CaptureLog,
    /// Octets read from captures before this one.
    bytes_before: u64,
    /// What live sources before this one lost.
    losses_before: Losses,
    filter: Option<Filter>,
    filtered: u64,
    /// Payload is read too, and not heads alone.
    whole: bool,
    /// Large files are read by a thread of its own.
    ahead: bool,
}

impl Feed {
    /// A feed without a capture; it gives the packets that `filter` chooses.
    #[must_use]
    pub fn new(filter: Option<Filter>) -> Self {
        Self { filter, ..Self::default() }
    }

    /// The same, for whoever reads payload too, and not heads alone.
    #[must_use]
    pub fn of_whole_packets(filter: Option<Filter>) -> Self {
        Self { filter, whole: true, ..Self::default() }
    }

    /// Large files are read by a thread of its own, where they aren't mapped.
    #[must_use]
    pub fn reading_ahead(self, ahead: bool) -> Self {
        Self { ahead, ..self }
    }

    /// Begins with a capture. What was left of the one before is dropped.
    pub fn open(&mut self, source: Source, name: &str) {
        self.end_capture();
        self.errors.clear();
        name.clone_into(&mut self.name);
        self.capture = self.next_capture;
        self.next_capture += match &source {
            Source::Merged(merged) => u32::try_from(merged.members.len()).unwrap_or(u32::MAX),
            Source::Path(_) | Source::Queue(_) | Source::Live(_) | Source::Given(_) => 1,
        };
        self.pending = Some(source);
    }

    /// Octets that were kept at most of each packet of `packet`'s interface; 0 where there is no limit, or none is known
    /// (captures that are merged).
    #[must_use]
    pub fn snaplen(&self, packet: &Packet) -> u32 {
        self.reader.info().interfaces.get(packet.interface as usize).map_or(0, |interface| interface.snaplen)
    }

    /// What the capture being read has said about itself so far.
    #[must_use]
    pub fn info(&self) -> &CaptureInfo {
        self.reader.info()
    }

    /// Number of the capture that the latest packet is from, counted from 0.
    #[must_use]
    pub fn capture(&self) -> u32 {
        self.capture
    }

    /// Where reports of captures that are at their end come to lie.
    #[must_use]
    pub fn captures(&self) -> CaptureLog {
        self.log.clone()
    }

    /// Why the capture being read failed, once. Of merged captures several may have: ask until there is nothing more.
    pub fn take_error(&mut self) -> Option<FlowError> {
        if self.errors.is_empty() { None } else { Some(self.errors.remove(0).in_capture(&self.name)) }
    }

    /// The capture failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The next packet in `block`, which is written to `packet`; see [`BlockReader::find`].
    #[inline(always)]
    pub fn find(&mut self, block: &[u8], packet: &mut Packet) -> Found {
        match self.find_chosen(block, packet) {
            Ok(Found::Packet) if packet.captured_len == 0 && self.is_cut() => self.fail_cut(),
            Ok(Found::BlockDone) if self.is_cut() => self.fail_cut(),
            Ok(Found::BlockDone) => {
                self.reader.release(block);
                Found::BlockDone
            }
            Ok(found) => found,
            Err(error) => self.fail_in_block(error),
        }
    }

    #[cold]
    fn fail_in_block(&mut self, error: FlowError) -> Found {
        if self.is_cut() {
            return self.fail_cut();
        }
        self.fail(error);
        Found::BlockDone
    }

    /// The file became shorter while it was read, so what is found from there on isn't in it.
    fn is_cut(&self) -> bool {
        matches!(&self.bytes, Some(Bytes::Mapped(file)) if file.is_cut())
    }

    #[cold]
    fn fail_cut(&mut self) -> Found {
        let source = std::io::Error::other("the file became shorter meanwhile");
        self.fail(FlowError::Io { op: "read", source });
        Found::BlockDone
    }

    #[inline(always)]
    fn find_chosen(&mut self, block: &[u8], packet: &mut Packet) -> Result<Found, FlowError> {
        loop {
            let found = self.reader.find(block, packet)?;
            if found == Found::Packet {
                packet.capture = self.capture;
                if let Some(merge) = &self.merge {
                    let origin = Origin::of(block, packet.start);
                    packet.capture = merge.first + origin.capture;
                    packet.number = origin.number;
                } else if self.reader.has_origins() {
                    let origin = Origin::of(block, packet.start);
                    (packet.capture, packet.number) = (origin.capture, origin.number);
                }
            }
            match &self.filter {
                Some(filter) if found == Found::Packet => {
                    let chosen = filter.chooses(packet.link, packet.bytes(block), packet.wire_len);
                    if chosen.map_err(|reason| FlowError::InvalidOption { name: "filter", reason })? {
                        return Ok(found);
                    }
                    self.filtered += 1;
                }
                _ => return Ok(found),
            }
        }
    }

    /// Blocks come from a file or from what is decompressed, without waiting for anybody but a disk, and there are many.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        match &self.bytes {
            Some(Bytes::Direct(input)) => input.is_steady(),
            Some(Bytes::Ahead(_) | Bytes::Mapped(_)) => true,
            None => false,
        }
    }

    /// Leaves `block` before its end: what wasn't walked comes first in the block that is filled next.
    pub fn leave(&mut self, block: &[u8]) {
        self.reader.leave(block);
    }

    /// Fills the caller's `block`, once [`Feed::find`] said that the last one is done.
    pub fn fill(&mut self, block: &mut [u8]) -> FeedFilled {
        let filled = self.start(false).and_then(|()| match &mut self.bytes {
            Some(Bytes::Direct(input)) => self.reader.fill(block, input.as_mut()),
            _ => Ok(Filled::End),
        });
        self.judge(filled)
    }

    /// Replaces `block` by the next one, in whose memory it may come.
    pub fn fill_own(&mut self, block: &mut Block) -> FeedFilled {
        let filled = self.start(true).and_then(|()| {
            let reader = &mut self.reader;
            match &mut self.bytes {
                Some(Bytes::Direct(input)) => fill_direct(reader, input.as_mut(), block),
                Some(Bytes::Ahead(ahead)) => fill_ahead(reader, ahead, block),
                Some(Bytes::Mapped(file)) => fill_mapped(reader, file, block),
                None => Ok(Filled::End),
            }
        });
        self.judge(filled)
    }

    fn judge(&mut self, filled: Result<Filled, FlowError>) -> FeedFilled {
        match filled {
            Ok(Filled::Bytes(_)) => FeedFilled::Ready,
            Ok(Filled::NeedInput) => FeedFilled::NeedInput,
            Ok(Filled::End) => {
                if self.bytes.is_some()
                    && let Err(error) = self.reader.finish()
                {
                    self.fail(error);
                }
                self.end_capture();
                FeedFilled::End
            }
            Err(error) => {
                self.fail(error);
                FeedFilled::End
            }
        }
    }

    /// Opens what is waiting to be opened. `own_blocks`: blocks come from here, so they may be mapped or read ahead.
    fn start(&mut self, own_blocks: bool) -> Result<(), FlowError> {
        let Some(source) = self.pending.take() else { return Ok(()) };
        let opened = self.open_pending(source, own_blocks);
        if self.whole {
            self.reader.read_whole();
        }
        opened
    }

    fn open_pending(&mut self, source: Source, own_blocks: bool) -> Result<(), FlowError> {
        self.bytes = Some(match source {
            Source::Merged(merged) => self.start_merge(merged, own_blocks)?,
            Source::Path(path) => {
                let file = FileInput::open(&path)?;
                let large = own_blocks && (self.whole || self.ahead) && file.len() >= LARGE_FROM;
                let ahead = if large { start_large(file, self.whole) } else { Ok(direct(file)) };
                // Where the system gives no thread, the file is read here.
                ahead.or_else(|_| FileInput::open(&path).map(direct))?
            }
            Source::Queue(_) => Bytes::Direct(open(source)?),
            Source::Given(input) => Bytes::Direct(input.take().ok_or(FlowError::Closed)?),
            Source::Live(input) => {
                self.reader = BlockReader::of_live();
                Bytes::Direct(input.take().ok_or(FlowError::Closed)?)
            }
        });
        Ok(())
    }

    /// Opens captures to be merged. One that can't be opened is as one that failed later.
    fn start_merge(&mut self, source: MergedSource, own_blocks: bool) -> Result<Bytes, FlowError> {
        let MergedSource { members, wanted } = source;
        // A queue says that it needs input, which a thread that reads ahead couldn't pass on.
        let only_files = members.iter().all(|(member, _)| matches!(member, Source::Path(_)));
        let merge = Merge { first: self.capture, errors: Arc::default() };
        self.merge = Some(merge.clone());
        let members = members.into_iter().map(|(member, name)| {
            let input = open(member).unwrap_or_else(|error| Box::new(FailedInput::new(error)));
            MergeMember::new(input, &name)
        });
        let input = MergeInput::new(members.collect(), merge.first, wanted, self.log.clone(), merge.errors)?;
        self.reader = BlockReader::of_merged();
        Ok(if own_blocks && only_files {
            Bytes::Ahead(ReadAhead::start(Box::new(input))?)
        } else {
            Bytes::Direct(Box::new(input))
        })
    }

    /// Writes how far the input is.
    pub fn count(&self, stats: &mut Stats) {
        stats.filtered = self.filtered;
        stats.input_bytes = self.bytes_before + self.bytes.as_ref().map_or(0, Bytes::position);
        let losses = self.losses_before + self.bytes.as_ref().map_or_else(Losses::default, Bytes::losses);
        stats.received = losses.received;
        stats.dropped = losses.by_system;
        stats.dropped_by_interface = losses.by_interface;
    }

    fn fail(&mut self, error: FlowError) {
        self.end_capture();
        self.errors.push(error);
    }

    /// Lets go of the capture and reports it; merged ones report themselves.
    fn end_capture(&mut self) {
        let reader = std::mem::take(&mut self.reader);
        let merge = self.merge.take();
        let Some(bytes) = self.bytes.take() else { return };
        let input_bytes = bytes.position();
        self.bytes_before += input_bytes;
        self.losses_before = self.losses_before + bytes.losses();
        let compression = bytes.compression();
        drop(bytes);
        match merge {
            Some(merge) => self.errors.append(&mut merge.errors.lock().unwrap_or_else(PoisonError::into_inner)),
            None => self.log.add(CaptureReport {
                capture: self.capture,
                name: self.name.clone(),
                compression,
                input_bytes,
                totals: *reader.totals(),
                info: reader.info().clone(),
            }),
        }
    }
}

/// A file that is read by whoever walks it.
fn direct(file: FileInput) -> Bytes {
    Bytes::Direct(Box::new(DecodingInput::open(Box::new(file))))
}

/// A large file: decoded ahead where it is compressed; mapped where payload is read, which needn't be copied then;
/// otherwise, or where that can't be done, read ahead. Heads alone are cheaper to read than to map: a page fault costs as
/// much as copying several pages, and what was just copied lies in the cache.
fn start_large(mut file: FileInput, whole: bool) -> Result<Bytes, FlowError> {
    if let Some(compression) = file.magic() {
        return Ok(Bytes::Ahead(ReadAhead::start_decoding(compression, file)?));
    }
    let file = if whole {
        match MappedInput::open(file) {
            Ok(mapped) => return Ok(Bytes::Mapped(mapped)),
            Err(file) => file,
        }
    } else {
        file
    };
    Ok(Bytes::Ahead(ReadAhead::start(Box::new(file))?))
}

fn fill_direct(reader: &mut BlockReader, input: &mut dyn Input, block: &mut Block) -> Result<Filled, FlowError> {
    let mut octets = std::mem::take(block).into_own();
    if octets.len() < MIN_BLOCK_LEN {
        octets = Buffer::new(MIN_BLOCK_LEN);
    }
    let filled = reader.fill(&mut octets, input);
    *block = Block::Own(octets);
    filled
}

fn fill_ahead(reader: &mut BlockReader, ahead: &mut ReadAhead, block: &mut Block) -> Result<Filled, FlowError> {
    let Some(mut read) = ahead.next_block()? else { return Ok(Filled::End) };
    reader.adopt(&mut read);
    let AheadBlock { block: next, end, .. } = read;
    ahead.give_back(std::mem::replace(block, Block::Own(next)).into_own());
    Ok(Filled::Bytes(end))
}

/// The next window begins with the record that the one before cut.
fn fill_mapped(reader: &mut BlockReader, file: &mut MappedInput, block: &mut Block) -> Result<Filled, FlowError> {
    let Some(window) = file.window(reader.input_offset(), reader.carried())? else { return Ok(Filled::End) };
    reader.adopt_window(window.len());
    let filled = Filled::Bytes(window.len());
    *block = Block::Mapped(Arc::new(window));
    Ok(filled)
}

/// Opens one capture.
fn open(source: Source) -> Result<Box<dyn Input>, FlowError> {
    let inner: Box<dyn Input> = match source {
        Source::Path(path) => Box::new(FileInput::open(Path::new(&path))?),
        Source::Queue(queue) => Box::new(QueueInput::new(queue)),
        Source::Given(input) => input.take().ok_or(FlowError::Closed)?,
        Source::Live(_) => {
            let reason = "a live source can't be merged with others".to_owned();
            return Err(FlowError::InvalidOption { name: "merge", reason });
        }
        Source::Merged(_) => {
            let reason = "captures that are merged can't be merged again".to_owned();
            return Err(FlowError::InvalidOption { name: "merge", reason });
        }
    };
    Ok(Box::new(DecodingInput::open(inner)))
}
