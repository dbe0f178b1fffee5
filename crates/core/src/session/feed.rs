//! Packets from one capture after another: opens inputs, fills blocks, keeps the error of a capture that failed.

use super::{Source, Stats};
use crate::capture::{
    AheadBlock, BlockReader, DecodingInput, FileInput, Filled, Input, MIN_BLOCK_LEN, Next, Packet, QueueInput,
    ReadAhead,
};
use crate::error::FlowError;
use crate::filter::Filter;

/// What a feed has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedStep {
    /// A packet, in the block.
    Packet(Packet),
    /// The block is walked to its end: fill another (or the same) one.
    BlockDone,
}

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

/// Files smaller than this aren't worth a thread.
const READ_AHEAD_FROM: u64 = 2 << 20;

enum Bytes {
    Direct(Box<dyn Input>),
    Ahead(ReadAhead),
}

impl Bytes {
    fn position(&self) -> u64 {
        match self {
            Self::Direct(input) => input.position(),
            Self::Ahead(ahead) => ahead.position(),
        }
    }
}

/// The capture being read.
#[derive(Default)]
pub struct Feed {
    pending: Option<Source>,
    bytes: Option<Bytes>,
    reader: BlockReader,
    name: String,
    error: Option<FlowError>,
    /// Number of the capture, from 0; `None` before the first.
    capture: Option<u32>,
    /// Octets read from captures before this one.
    bytes_before: u64,
    filter: Option<Filter>,
    filtered: u64,
}

impl Feed {
    /// A feed without a capture; it gives the packets that `filter` chooses.
    #[must_use]
    pub fn new(filter: Option<Filter>) -> Self {
        Self { filter, ..Self::default() }
    }

    /// Begins with a capture. What was left of the one before is dropped.
    pub fn open(&mut self, source: Source, name: &str) {
        self.end_capture();
        self.error = None;
        self.pending = Some(source);
        name.clone_into(&mut self.name);
        self.capture = Some(self.capture.map_or(0, |n| n + 1));
    }

    /// Number of the capture being read, from 0.
    #[must_use]
    pub fn capture(&self) -> u32 {
        self.capture.unwrap_or_default()
    }

    /// Why the capture being read failed, once.
    pub fn take_error(&mut self) -> Option<FlowError> {
        self.error.take().map(|e| e.in_capture(&self.name))
    }

    /// The capture failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// The next packet in `block`.
    #[inline]
    pub fn next(&mut self, block: &[u8]) -> FeedStep {
        match self.next_chosen(block) {
            Ok(Next::Packet(packet)) => FeedStep::Packet(packet),
            Ok(Next::BlockDone) => {
                self.reader.release(block);
                FeedStep::BlockDone
            }
            Err(error) => {
                self.fail(error);
                FeedStep::BlockDone
            }
        }
    }

    #[inline]
    fn next_chosen(&mut self, block: &[u8]) -> Result<Next, FlowError> {
        loop {
            let next = self.reader.next(block)?;
            match (&self.filter, &next) {
                (Some(filter), Next::Packet(packet))
                    if !filter.matches(packet.link, packet.bytes(block), packet.wire_len) =>
                {
                    self.filtered += 1;
                }
                _ => return Ok(next),
            }
        }
    }

    /// Fills the caller's `block`, once [`Feed::next`] said that the last one is done.
    pub fn fill(&mut self, block: &mut [u8]) -> FeedFilled {
        let filled = self.start(false).and_then(|()| match &mut self.bytes {
            Some(Bytes::Direct(input)) => self.reader.fill(block, input.as_mut()),
            _ => Ok(Filled::End),
        });
        self.judge(filled)
    }

    /// Fills or replaces `block`, which is the feed's to exchange for one that was read ahead.
    pub fn fill_own(&mut self, block: &mut Vec<u8>) -> FeedFilled {
        let filled = self.start(true).and_then(|()| match &mut self.bytes {
            Some(Bytes::Direct(input)) => {
                block.resize(block.len().max(MIN_BLOCK_LEN), 0);
                self.reader.fill(block, input.as_mut())
            }
            Some(Bytes::Ahead(ahead)) => match ahead.next_block()? {
                Some(mut read) => {
                    self.reader.adopt(&mut read);
                    let AheadBlock { block: next, end, .. } = read;
                    ahead.give_back(std::mem::replace(block, next));
                    Ok(Filled::Bytes(end))
                }
                None => Ok(Filled::End),
            },
            None => Ok(Filled::End),
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

    /// Opens what is waiting to be opened.
    fn start(&mut self, may_read_ahead: bool) -> Result<(), FlowError> {
        let Some(source) = self.pending.take() else { return Ok(()) };
        self.bytes = Some(match source {
            Source::Queue(queue) => Bytes::Direct(Box::new(DecodingInput::open(Box::new(QueueInput::new(queue))))),
            Source::Path(path) => {
                let mut file = FileInput::open(&path)?;
                // A compressed file has a thread of its own already, which decodes it.
                if may_read_ahead && file.len() >= READ_AHEAD_FROM && file.magic().is_none() {
                    Bytes::Ahead(ReadAhead::start(Box::new(file))?)
                } else {
                    Bytes::Direct(Box::new(DecodingInput::open(Box::new(file))))
                }
            }
        });
        Ok(())
    }

    /// Writes how far the input is.
    pub fn count(&self, stats: &mut Stats) {
        stats.filtered = self.filtered;
        stats.input_bytes = self.bytes_before + self.bytes.as_ref().map_or(0, Bytes::position);
    }

    fn fail(&mut self, error: FlowError) {
        self.end_capture();
        self.error = Some(error);
    }

    fn end_capture(&mut self) {
        if let Some(bytes) = self.bytes.take() {
            self.bytes_before += bytes.position();
        }
        self.reader = BlockReader::default();
    }
}
