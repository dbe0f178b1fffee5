//! Two threads for one capture, beside one that reads ahead: the one finds packets and decodes them, the other keeps flows.
//!
//! ```text
//! blocks of the capture → find, decode → groups of decoded packets → flow table, chains
//!        └─────────── one thread ───────────┘   └──────── the caller's ────────┘
//! ```
//!
//! There is one flow table and packets come to it in the order of the capture, so the result is that of one thread by
//! construction, evictions and the order of records included. Groups and blocks go round: nothing is allocated once
//! they are there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::group::Group;
use super::tracker::FlowTracker;
use super::{MAX_ROWS, OCTETS_PER_CALL};
use crate::capture::Block;
use crate::decode::{Decoder, PlainDecoder};
use crate::session::Feed;
use crate::session::feed::FeedFilled;

/// Flows that have ended before decoding stops: some batches, since a thread is begun for each call that reads.
const MOST_FINISHED: usize = 4 * MAX_ROWS;

/// Packets of a group: so many that handing them over costs nothing beside them, and few enough that they are still
/// in a cache when they are taken.
const GROUP: usize = 512;

/// Groups that may wait: a bound on memory (64 KiB each, and their blocks), and enough that neither side waits for a
/// short hold-up.
const QUEUE: usize = 4;

/// A group and the block it lies in.
struct Handed {
    group: Group,
    block: Arc<Block>,
}

/// What a walk came to.
pub(super) enum Walked {
    /// Up to the end of a block; there may be more.
    Some,
    /// What filling the next block said.
    Stopped(FeedFilled),
    /// There is no thread to be had: nothing was walked.
    NoThread,
}

/// Memory that is used again.
#[derive(Default)]
pub(super) struct Pool {
    groups: Vec<Group>,
    /// Whoever looks into one holds a count of it.
    blocks: Vec<Arc<Block>>,
}

impl Pool {
    /// Walks `block` and those behind it until there are enough rows; another one's memory is in its place then.
    pub fn walk(
        &mut self,
        feed: &mut Feed,
        block: &mut Block,
        tracker: &mut FlowTracker,
        decoder: &mut Decoder,
    ) -> Walked {
        let first = Arc::new(std::mem::take(block));
        let stop = AtomicBool::new(false);
        let (groups_out, groups) = sync_channel(QUEUE);
        let (spares_out, spares) = channel();
        let (plain, stop) = (decoder.plain(), &stop);
        let mut decoding = Decoding { feed, plain, pool: self, groups: groups_out, spares, stop };
        let walked = thread::scope(|scope| {
            let first = Arc::clone(&first);
            let thread = thread::Builder::new().name("tcpskein-decode".to_owned());
            let run = move || (decoding.run(first), decoding.spares);
            let Ok(handle) = thread.spawn_scoped(scope, run) else { return None };
            track(tracker, decoder, &groups, &spares_out, stop);
            match handle.join() {
                Ok(stopped) => Some(stopped),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        let Some((stopped, spares)) = walked else {
            *block = Arc::into_inner(first).unwrap_or_default();
            return Walked::NoThread;
        };
        drop(first);
        self.groups.extend(spares.try_iter());
        *block = Arc::into_inner(self.block()).unwrap_or_default();
        stopped.map_or(Walked::Some, Walked::Stopped)
    }

    /// A block that nobody looks into.
    fn block(&mut self) -> Arc<Block> {
        let free = self.blocks.iter_mut().position(|block| Arc::get_mut(block).is_some());
        free.map_or_else(Arc::default, |at| self.blocks.swap_remove(at))
    }
}

/// Takes in what is decoded.
fn track(
    tracker: &mut FlowTracker,
    decoder: &mut Decoder,
    groups: &Receiver<Handed>,
    spares: &Sender<Group>,
    stop: &AtomicBool,
) {
    for Handed { group, block } in groups {
        tracker.walk(group.packets(), &block, decoder);
        drop(block);
        // Nobody wants it where the other side is at its end.
        let _ = spares.send(group);
        if tracker.table.finished() >= MOST_FINISHED {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

/// The side that decodes.
struct Decoding<'s> {
    feed: &'s mut Feed,
    plain: PlainDecoder,
    pool: &'s mut Pool,
    groups: SyncSender<Handed>,
    spares: Receiver<Group>,
    stop: &'s AtomicBool,
}

impl Decoding<'_> {
    /// Decodes block after block. What filling the next one said, where it gave none.
    fn run(&mut self, first: Arc<Block>) -> Option<FeedFilled> {
        let mut block = first;
        let mut octets = 0;
        loop {
            let all_taken = self.block(&block);
            octets += block.len();
            self.pool.blocks.push(block);
            if self.feed.failed() {
                return Some(FeedFilled::End);
            }
            if !all_taken || octets >= OCTETS_PER_CALL || self.stop.load(Ordering::Relaxed) {
                return None;
            }
            block = self.pool.block();
            // Nobody else has it.
            let next = Arc::get_mut(&mut block)?;
            match self.feed.fill_own(next) {
                FeedFilled::Ready => {}
                stopped => return Some(stopped),
            }
        }
    }

    /// Decodes a block. False: nobody takes it any more.
    fn block(&mut self, block: &Arc<Block>) -> bool {
        loop {
            self.pool.groups.extend(self.spares.try_iter());
            let mut group = self.pool.groups.pop().unwrap_or_else(|| Group::new(GROUP));
            let is_done = group.take(self.feed, block, self.plain);
            if self.groups.send(Handed { group, block: Arc::clone(block) }).is_err() {
                return false;
            }
            if is_done {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::FileInput;
    use crate::chain::Chain;
    use crate::decode::DecodeOptions;
    use crate::flow::FlowTableOptions;
    use crate::session::{Buffers, FlowSession, FlowSessionOptions, Session, Source, Status};

    use super::*;

    /// A pcap file of so many packets, each of another flow and some seconds after the one before.
    fn capture(packets: u32) -> Vec<u8> {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
        for n in 0..packets {
            let mut frame = [0; 74];
            frame[12..14].copy_from_slice(&[8, 0]);
            frame[14..18].copy_from_slice(&[0x45, 0, 0, 60]);
            (frame[22], frame[23]) = (64, 6);
            frame[26..30].copy_from_slice(&n.to_be_bytes());
            frame[46] = 0x50;
            for field in [3 * n, 0, frame.len() as u32, frame.len() as u32] {
                file.extend_from_slice(&field.to_le_bytes());
            }
            file.extend_from_slice(&frame);
        }
        file
    }

    #[test]
    fn memory_of_three_threads_goes_round_however_many_calls() {
        let path = std::env::temp_dir().join(format!("tcpskein-pipeline-{}", std::process::id()));
        std::fs::write(&path, capture(200_000)).unwrap();
        assert!(FileInput::open(&path).unwrap().len() > 30 << 19, "so many blocks that a lost one shows");
        let table = FlowTableOptions { idle_timeout_ns: 1, expiry_timeout_ns: 0, ..FlowTableOptions::default() };
        let decode = DecodeOptions { threads: 3, ..DecodeOptions::default() };
        let options = FlowSessionOptions { chains: vec![Chain::Tcp], table, decode, ..FlowSessionOptions::default() };
        let mut session = FlowSession::new(options);
        session.open(Source::Path(path.clone()), "capture");
        let mut batch = vec![0; session.batch_len()];
        let (mut calls, mut rows) = (0, 0);
        loop {
            let progress = session.next(&mut Buffers { batch: &mut batch, ..Buffers::default() });
            (calls, rows) = (calls + 1, rows + progress.rows);
            // One is being filled, one walked, and the queue's.
            assert!(session.pool.blocks.len() <= QUEUE + 3, "{} blocks", session.pool.blocks.len());
            assert!(session.pool.groups.len() <= QUEUE + 3, "{} groups", session.pool.groups.len());
            match progress.status {
                Status::SourceEnd => session.finish(),
                Status::Done => break,
                status => assert_eq!(status, Status::More),
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert!(calls > 20, "{calls} calls");
        assert_eq!((rows, session.stats().packets), (200_000, 200_000));
    }
}
