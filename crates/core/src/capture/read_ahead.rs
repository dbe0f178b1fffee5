//! Reads a file on its own thread, block by block, while the blocks before are walked; one that is compressed is decoded
//! there.
//!
//! Copying from the kernel is most of the time that large packets cost, so it goes to another core. A few blocks go
//! round: one being filled, one being walked, the others waiting for either. Every block has room in front for the record that the
//! block before it cut.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::compress::InlineDecoder;
use super::{Compression, FileInput, Filled, Input, MAX_NEED};
use crate::error::FlowError;
use tcpskein_map::Buffer;

/// Octets of a block that are read at once: few enough that what was read is still in a cache that the cores share.
const READ_LEN: usize = 512 * 1024;

/// Room in front of a block for a cut record and its header: whole pages, so that reading begins at a page's start.
const HEADROOM: usize = MAX_NEED;

/// Blocks that go round: so many that a thread that isn't run at once, or sleeps and must be woken, holds up nobody. Three
/// of 2 MiB took a tenth more time (measured).
const BLOCKS: usize = 8;

/// Blocks that are handed over at once, full or empty, unless this side has no others: where there are fewer processors
/// than threads, each time that one is woken it takes the place of another. The first full one goes alone.
const AT_ONCE: usize = BLOCKS / 2;

type Answer = Result<(Buffer, usize), FlowError>;

/// Where empty blocks go, and where full ones come from.
type Channels = (SyncSender<Buffer>, Receiver<Answer>);

/// A block that was read ahead: its octets are `block[start .. end]`.
#[derive(Debug)]
pub struct AheadBlock {
    /// The block, with room in front of `start`.
    pub block: Buffer,
    /// First octet that was read.
    pub start: usize,
    /// End of what was read.
    pub end: usize,
}

/// The reading thread's other end.
pub struct ReadAhead {
    /// Both are there until this is dropped; without them the thread ends.
    channels: Option<Channels>,
    /// Walked blocks to be given back.
    walked: Vec<Buffer>,
    position: Arc<AtomicU64>,
    compression: Option<Compression>,
    /// `None` where the input may stall: such a thread isn't waited for.
    thread: Option<JoinHandle<()>>,
}

impl ReadAhead {
    /// Starts reading `input`, which must never answer [`Filled::NeedInput`].
    ///
    /// # Errors
    /// [`FlowError::Io`] where no thread can be started.
    pub fn start(mut input: Box<dyn Input>) -> Result<Self, FlowError> {
        let position = Arc::new(AtomicU64::new(input.position()));
        let shared = Arc::clone(&position);
        let (may_stall, compression) = (input.may_stall(), input.compression());
        let at_once = if may_stall { 1 } else { AT_ONCE };
        let (channels, thread) = spawn(at_once, move |blocks| {
            blocks.fill_all(&mut |out| {
                let filled = input.fill(out);
                shared.store(input.position(), Ordering::Relaxed);
                filled
            });
        })?;
        Ok(Self {
            channels: Some(channels),
            walked: Vec::new(),
            position,
            compression,
            thread: (!may_stall).then_some(thread),
        })
    }

    /// Starts reading a compressed file from its start, and decodes it on the same thread, right into the blocks.
    ///
    /// # Errors
    /// [`FlowError::Io`] where no thread can be started.
    pub fn start_decoding(compression: Compression, file: FileInput) -> Result<Self, FlowError> {
        let position = Arc::new(AtomicU64::new(0));
        let shared = Arc::clone(&position);
        // What takes long to decode isn't held up.
        let at_once = if matches!(compression, Compression::Zstd | Compression::Lz4) { AT_ONCE } else { 1 };
        // A decoder belongs to the thread that makes it.
        let (channels, thread) =
            spawn(at_once, move |blocks| match InlineDecoder::new(compression, Box::new(file), shared) {
                Ok(mut decoder) => blocks.fill_all(&mut |out| decoder.fill(out)),
                Err(error) => blocks.fail(error),
            })?;
        Ok(Self {
            channels: Some(channels),
            walked: Vec::new(),
            position,
            compression: Some(compression),
            thread: Some(thread),
        })
    }

    /// How what is read is compressed.
    #[must_use]
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// Octets taken from the input so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// Those of the input.
    pub fn next_block(&mut self) -> Result<Option<AheadBlock>, FlowError> {
        let Some((empty, full)) = &self.channels else { return Ok(None) };
        // Nobody waits for a thread that waits for blocks.
        let next = full.try_recv().or_else(|_| {
            give(&mut self.walked, empty);
            full.recv()
        });
        match next {
            Ok(Ok((block, end))) if end > HEADROOM => Ok(Some(AheadBlock { block, start: HEADROOM, end })),
            Ok(Ok(_)) => Ok(None),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Gives a walked block back. For one that isn't from here another is made, so that whoever keeps some blocks for
    /// later doesn't wait for a thread that waits for them.
    pub fn give_back(&mut self, block: Buffer) {
        let is_ours = block.len() == HEADROOM + READ_LEN;
        let block = if is_ours { block } else { Buffer::new(HEADROOM + READ_LEN) };
        self.walked.push(block);
        if let Some((empty, _)) = &self.channels
            && self.walked.len() >= AT_ONCE
        {
            give(&mut self.walked, empty);
        }
    }
}

fn give(walked: &mut Vec<Buffer>, empty: &SyncSender<Buffer>) {
    for block in walked.drain(..) {
        // The thread may have ended, or have enough: then nobody needs the block.
        let _ = empty.try_send(block);
    }
}

impl Drop for ReadAhead {
    /// Ends the thread and waits for it, so that its file is closed afterwards.
    fn drop(&mut self) {
        self.channels = None;
        if let Some(thread) = self.thread.take() {
            // What it panicked about is nobody's business any more.
            let _ = thread.join();
        }
    }
}

/// Starts a thread for `work`, and gives it blocks. It hands over so many at once.
fn spawn(at_once: usize, work: impl FnOnce(&Blocks) + Send + 'static) -> Result<(Channels, JoinHandle<()>), FlowError> {
    let (empty, to_fill) = sync_channel::<Buffer>(BLOCKS);
    let (filled, full) = sync_channel::<Answer>(BLOCKS);
    let thread = std::thread::Builder::new()
        .name("tcpskein-read".to_owned())
        .spawn(move || {
            let blocks = Blocks { to_fill, filled, at_once };
            if catch_unwind(AssertUnwindSafe(|| work(&blocks))).is_err() {
                blocks.fail(FlowError::Internal { message: "the thread that reads ahead panicked".to_owned() });
            }
        })
        .map_err(|source| FlowError::Io { op: "start a thread", source })?;
    for _ in 0..BLOCKS {
        let _ = empty.send(Buffer::new(HEADROOM + READ_LEN));
    }
    Ok(((empty, full), thread))
}

/// What the thread has of the blocks that go round.
struct Blocks {
    to_fill: Receiver<Buffer>,
    filled: SyncSender<Answer>,
    at_once: usize,
}

/// What fills a part of a block, as [`Input::fill`].
type Fill<'f> = &'f mut dyn FnMut(&mut [u8]) -> Result<Filled, FlowError>;

impl Blocks {
    /// Fills every block that comes until the input ends or fails, or nobody wants blocks any more.
    fn fill_all(&self, fill: Fill<'_>) {
        let mut full = Vec::new();
        let mut at_once = 1;
        while let Some(mut block) = self.next_empty(&mut full) {
            let (end, more) = fill_block(fill, &mut block);
            // What came before an error counts.
            if end > HEADROOM {
                full.push((block, end));
            }
            if full.len() >= at_once || !matches!(more, Ok(true)) {
                at_once = self.at_once;
                if !self.hand_over(&mut full) {
                    return;
                }
            }
            match more {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.fail(error),
            }
        }
    }

    /// An empty block; whoever has them may wait for full ones.
    fn next_empty(&self, full: &mut Vec<(Buffer, usize)>) -> Option<Buffer> {
        let at_hand = self.to_fill.try_recv().ok();
        at_hand.or_else(|| if self.hand_over(full) { self.to_fill.recv().ok() } else { None })
    }

    /// False: nobody listens any more.
    fn hand_over(&self, full: &mut Vec<(Buffer, usize)>) -> bool {
        full.drain(..).all(|block| self.filled.send(Ok(block)).is_ok())
    }

    fn fail(&self, error: FlowError) {
        // Nobody may listen any more.
        let _ = self.filled.send(Err(error));
    }
}

/// Fills `block` behind the headroom; the end of what was read, and whether there may be more.
fn fill_block(fill: Fill<'_>, block: &mut [u8]) -> (usize, Result<bool, FlowError>) {
    let mut end = HEADROOM;
    while end < block.len() {
        match fill(&mut block[end..]) {
            Ok(Filled::Bytes(n)) => end += n,
            Ok(Filled::End | Filled::NeedInput) => return (end, Ok(false)),
            Err(error) => return (end, Err(error)),
        }
    }
    (end, Ok(true))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::capture::FileInput;
    use crate::capture::input::tests::{TempFile, is_open};

    #[test]
    fn read_ahead_dropped_early_leaves_no_file_open() {
        let file = TempFile::new("read-ahead", &vec![7; 8 << 20]);
        for blocks in 0..3 {
            let mut ahead = ReadAhead::start(Box::new(FileInput::open(file.path()).unwrap())).unwrap();
            for _ in 0..blocks {
                let block = ahead.next_block().unwrap().unwrap();
                assert_eq!(block.end - block.start, READ_LEN);
            }
            assert!(is_open(file.path()), "the thread still reads");
            drop(ahead);
            assert!(!is_open(file.path()), "open after {blocks} blocks");
        }
    }
}
