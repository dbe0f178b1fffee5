//! What JavaScript drives: a session takes captures one after another and hands out batches.
//!
//! ```text
//! open(capture) → next … next → SourceEnd → open(next capture) … → finish → next … → Done
//! ```
//!
//! A session never waits for JavaScript and never calls it: where it needs more, its answer says so.

mod feed;
mod flows;
mod keys;
mod packets;
mod stats;

pub use feed::{Feed, FeedStep};
pub use flows::{FlowSession, FlowSessionOptions};
pub use keys::{KeyTable, NO_KEY};
pub use packets::{PacketSession, PacketSessionOptions};
pub use stats::Stats;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::batch::Layout;
use crate::capture::ChunkQueue;
use crate::error::FlowError;

/// What a session needs or has, after it filled a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Call again: there is more, or some time was spent.
    More = 0,
    /// The pushed chunks are used up: push, then call again.
    NeedInput = 1,
    /// The capture is read to its end: open the next one, or finish.
    SourceEnd = 2,
    /// The capture can't be read further; [`Session::take_error`] says why. Otherwise as [`Status::SourceEnd`].
    SourceFailed = 3,
    /// All is handed out.
    Done = 4,
}

/// Rows in the batch, and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows written to the batch.
    pub rows: usize,
    /// What comes next.
    pub status: Status,
}

/// Where a capture's octets come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, opened when the session comes to it.
    Path(PathBuf),
    /// Chunks pushed into a queue.
    Queue(Arc<Mutex<ChunkQueue>>),
}

/// One job over captures.
pub trait Session: Send {
    /// How a batch is laid out.
    fn layout(&self) -> &Layout;

    /// Begins with a capture; `name` stands in records and errors.
    fn open(&mut self, source: Source, name: &str);

    /// Reads on and fills `batch`, of [`Layout::byte_len`] octets.
    fn next(&mut self, batch: &mut [u8]) -> Progress;

    /// Octets of the block that must be lent with each batch; 0 where the session needs none.
    fn block_len(&self) -> usize {
        0
    }

    /// As [`Session::next`], for a session that reads into the caller's `block` of [`Session::block_len`] octets. The
    /// session says what `given_back` is.
    fn next_in_block(&mut self, batch: &mut [u8], _block: &mut [u8], _given_back: &[u32]) -> Progress {
        self.next(batch)
    }

    /// Ends every flow that is open now; reading goes on.
    fn flush(&mut self) {}

    /// No more captures will come: everything still open ends.
    fn finish(&mut self);

    /// Why the last capture failed.
    fn take_error(&mut self) -> Option<FlowError>;
}
