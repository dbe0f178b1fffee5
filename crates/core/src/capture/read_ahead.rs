//! Reads a file on its own thread, block by block, while the blocks before are walked.
//!
//! Copying from the kernel is most of the time that large packets cost, so it goes to another core. Three blocks go
//! round: one being filled, one waiting, one being walked. Every block has room in front for the record that the
//! block before it cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::{Filled, Input, MAX_NEED};
use crate::error::FlowError;

/// Octets of a block that are read at once: with its flow table it should stay in a core's cache.
const READ_LEN: usize = 512 * 1024;

/// Room in front of a block for a cut record and its header.
const HEADROOM: usize = MAX_NEED;

const BLOCKS: usize = 3;

type Answer = Result<(Vec<u8>, usize), FlowError>;

/// A block that was read ahead: its octets are `block[start .. end]`.
#[derive(Debug)]
pub struct AheadBlock {
    /// The block, with room in front of `start`.
    pub block: Vec<u8>,
    /// First octet that was read.
    pub start: usize,
    /// End of what was read.
    pub end: usize,
}

/// The reading thread's other end.
pub struct ReadAhead {
    empty: SyncSender<Vec<u8>>,
    full: Receiver<Answer>,
    position: Arc<AtomicU64>,
    // Dropping `empty` ends the thread; it is not waited for, since a read from a pipe may take for ever.
    _thread: JoinHandle<()>,
}

impl ReadAhead {
    /// Starts reading `input`, which must never answer [`Filled::NeedInput`].
    ///
    /// # Errors
    /// [`FlowError::Io`] where no thread can be started.
    pub fn start(mut input: Box<dyn Input>) -> Result<Self, FlowError> {
        let (empty, to_fill) = sync_channel::<Vec<u8>>(BLOCKS);
        let (filled, full) = sync_channel::<Answer>(BLOCKS);
        let position = Arc::new(AtomicU64::new(0));
        let shared = Arc::clone(&position);
        let thread = std::thread::Builder::new()
            .name("tcpskein-read".to_owned())
            .spawn(move || read_all(input.as_mut(), &to_fill, &filled, &shared))
            .map_err(|source| FlowError::Io { op: "start a thread", source })?;
        for _ in 0..BLOCKS {
            let _ = empty.send(vec![0; HEADROOM + READ_LEN]);
        }
        Ok(Self { empty, full, position, _thread: thread })
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
        match self.full.recv() {
            Ok(Ok((block, end))) if end > HEADROOM => Ok(Some(AheadBlock { block, start: HEADROOM, end })),
            Ok(Ok(_)) => Ok(None),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Gives a walked block back; one that isn't from here is dropped.
    pub fn give_back(&mut self, block: Vec<u8>) {
        if block.len() == HEADROOM + READ_LEN {
            // The thread may have ended: then nobody needs the block.
            let _ = self.empty.send(block);
        }
    }
}

/// Fills every block that comes until the input ends or fails, or nobody wants blocks any more.
fn read_all(input: &mut dyn Input, to_fill: &Receiver<Vec<u8>>, filled: &SyncSender<Answer>, position: &AtomicU64) {
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
