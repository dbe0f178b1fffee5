//! Reads a file on its own thread, block by block, while the blocks before are walked.
//!
//! Copying from the kernel is most of the time that large packets cost, so it goes to another core. A few blocks go
//! round: one being filled, one being walked, the others waiting for either. Every block has room in front for the record that the
//! block before it cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::{Filled, Input, MAX_NEED};
use crate::error::FlowError;
use tcpskein_map::Buffer;

/// Octets of a block that are read at once: few enough that what was read is still in a cache that the cores share.
const READ_LEN: usize = 512 * 1024;

/// Room in front of a block for a cut record and its header: whole pages, so that reading begins at a page's start.
const HEADROOM: usize = MAX_NEED;

/// Blocks that go round: so many that a thread that isn't run at once, or sleeps and must be woken, holds up nobody. Three
/// of 2 MiB took a tenth more time (measured).
const BLOCKS: usize = 8;

type Answer = Result<(Buffer, usize), FlowError>;

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
    channels: Option<(SyncSender<Buffer>, Receiver<Answer>)>,
    position: Arc<AtomicU64>,
    /// `None` where the input may stall: such a thread isn't waited for.
    thread: Option<JoinHandle<()>>,
}

impl ReadAhead {
    /// Starts reading `input`, which must never answer [`Filled::NeedInput`].
    ///
    /// # Errors
    /// [`FlowError::Io`] where no thread can be started.
    pub fn start(mut input: Box<dyn Input>) -> Result<Self, FlowError> {
        let (empty, to_fill) = sync_channel::<Buffer>(BLOCKS);
        let (filled, full) = sync_channel::<Answer>(BLOCKS);
        let position = Arc::new(AtomicU64::new(input.position()));
        let shared = Arc::clone(&position);
        let may_stall = input.may_stall();
        let thread = std::thread::Builder::new()
            .name("tcpskein-read".to_owned())
            .spawn(move || read_all(input.as_mut(), &to_fill, &filled, &shared))
            .map_err(|source| FlowError::Io { op: "start a thread", source })?;
        for _ in 0..BLOCKS {
            let _ = empty.send(Buffer::new(HEADROOM + READ_LEN));
        }
        Ok(Self { channels: Some((empty, full)), position, thread: (!may_stall).then_some(thread) })
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
        let Some((_, full)) = &self.channels else { return Ok(None) };
        match full.recv() {
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
        if let Some((empty, _)) = &self.channels {
            // The thread may have ended, or have enough: then nobody needs the block.
            let _ = empty.try_send(block);
        }
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

/// Fills every block that comes until the input ends or fails, or nobody wants blocks any more.
fn read_all(input: &mut dyn Input, to_fill: &Receiver<Buffer>, filled: &SyncSender<Answer>, position: &AtomicU64) {
    for mut block in to_fill {
        let (end, more) = fill(input, &mut block);
        position.store(input.position(), Ordering::Relaxed);
        // What came before an error counts.
        if end > HEADROOM && filled.send(Ok((block, end))).is_err() {
            return;
        }
        match more {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // Nobody may listen any more.
                let _ = filled.send(Err(error));
                return;
            }
        }
    }
}

/// Fills `block` behind the headroom; the end of what was read, and whether there may be more.
fn fill(input: &mut dyn Input, block: &mut [u8]) -> (usize, Result<bool, FlowError>) {
    let mut end = HEADROOM;
    while end < block.len() {
        match input.fill(&mut block[end..]) {
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
