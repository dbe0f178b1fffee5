//! What JavaScript drives: a session takes captures one after another and hands out batches.
//!
//! ```text
//! open(capture) → next … next → SourceEnd → open(next capture) … → finish → next … → Done
//! ```
//!
//! A session never waits for JavaScript and never calls it: where it needs more, its answer says so.

mod events;
mod fault_ahead;
mod feed;
mod flows;
mod keys;
mod packets;
mod partition;
mod series;
mod stats;
mod streams;
mod trace;

pub use feed::Feed;
pub use flows::{FlowSession, FlowSessionOptions};
pub use keys::{KeyTable, NO_KEY};
pub use packets::{PacketSession, PacketSessionOptions};
pub use partition::{FlowOfFragment, PartitionSession, PartitionSessionOptions};
pub use series::{MAX_HEAD, SeriesSession};
pub use stats::Stats;
pub use streams::{StreamSession, StreamSessionOptions, Told};
pub use trace::{FlowRules, TraceEnd, TraceSession, TraceSessionOptions, TraceStats};

use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use crate::capture::{CaptureLog, ChunkQueue, SharedInput};
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
    /// A live source, which answers [`Status::NeedInput`] while no packet is there.
    Live(SharedInput),
    /// An input that is open already, of octets that aren't compressed.
    Given(SharedInput),
    /// Several captures, merged by packet time.
    Merged(MergedSource),
}

/// Captures to be merged: at most [`crate::capture::MAX_MERGED`].
#[derive(Clone, Debug)]
pub struct MergedSource {
    /// The captures, each a path or a queue, and their names.
    pub members: Vec<(Source, String)>,
    /// With [`Status::NeedInput`], tells which of them needs input, from 0.
    pub wanted: Arc<AtomicU32>,
}

/// What the caller lends for one call. A session that doesn't need one of them doesn't look at it.
#[derive(Debug, Default)]
pub struct Buffers<'a> {
    /// Takes columns, of [`Session::batch_len`] octets.
    pub batch: &'a mut [u8],
    /// Takes octets that rows point to, [`Session::block_len`] of them.
    pub block: &'a mut [u8],
    /// What the caller gives back; the session says what that is.
    pub given_back: &'a [u32],
}

/// One job over captures.
pub trait Session: Send {
    /// How a batch is laid out, as JSON for JavaScript.
    fn describe(&self) -> String;

    /// Octets of a batch.
    fn batch_len(&self) -> usize;

    /// Begins with a capture; `name` stands in records and errors.
    fn open(&mut self, source: Source, name: &str);

    /// Reads on and fills the buffers.
    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress;

    /// Octets of the block that must be lent with each batch; 0 where the session needs none.
    fn block_len(&self) -> usize {
        0
    }

    /// Ends every flow that is open now; reading goes on.
    fn flush(&mut self) {}

    /// No more captures will come: everything still open ends.
    fn finish(&mut self);

    /// Why the last capture failed; of merged captures several may have, so ask until there is nothing more.
    fn take_error(&mut self) -> Option<FlowError>;

    /// Where reports of captures come to lie when they were read.
    fn captures(&self) -> CaptureLog;

    /// The payload of connection `id` in `slot` isn't wanted. Only stream sessions know what that means.
    fn unwant(&mut self, _slot: u32, _id: u64) {}
}
