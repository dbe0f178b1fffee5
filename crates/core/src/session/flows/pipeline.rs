//! Two threads for one capture: the one reads, finds packets and decodes them, the other keeps flows.
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
    NoThread(Block),
}

/// Memory that is used again.
#[derive(Default)]
pub(super) struct Pool {
    groups: Vec<Group>,
    /// Whoever looks into one holds a count of it.
    blocks: Vec<Arc<Block>>,
}

impl Pool {
    /// Walks `first` and the blocks behind it until there are enough rows.
    pub fn walk(&mut self, feed: &mut Feed, first: Block, tracker: &mut FlowTracker, decoder: &mut Decoder) -> Walked {
        let first = Arc::new(first);
        let stop = AtomicBool::new(false);
        let (groups_out, groups) = sync_channel(QUEUE);
        let (spares_out, spares) = channel();
        let (plain, stop) = (decoder.plain(), &stop);
        let mut decoding = Decoding { feed: &mut *feed, plain, pool: self, groups: groups_out, spares, stop };
        let mut is_cut = false;
        let walked = thread::scope(|scope| {
            let block = Arc::clone(&first);
            let thread = thread::Builder::new().name("tcpskein-decode".to_owned());
            let Ok(handle) = thread.spawn_scoped(scope, move || decoding.run(block)) else { return None };
            is_cut = track(tracker, decoder, &groups, &spares_out, stop);
            match handle.join() {
                Ok(stopped) => Some(stopped),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        if is_cut && !feed.failed() {
            feed.fail_cut();
        }
        self.groups.extend(groups.try_iter().map(|handed: Handed| handed.group));
        match walked {
            Some(stopped) => {
                self.blocks.push(first);
                stopped.map_or(Walked::Some, Walked::Stopped)
            }
            None => Walked::NoThread(Arc::into_inner(first).unwrap_or_default()),
        }
    }

    /// A block that nobody looks into.
    fn block(&mut self) -> Arc<Block> {
        let free = self.blocks.iter_mut().position(|block| Arc::get_mut(block).is_some());
        free.map_or_else(Arc::default, |at| self.blocks.swap_remove(at))
    }
}

/// Takes in what is decoded. True: a file became shorter meanwhile.
fn track(
    tracker: &mut FlowTracker,
    decoder: &mut Decoder,
    groups: &Receiver<Handed>,
    spares: &Sender<Group>,
    stop: &AtomicBool,
) -> bool {
    let mut is_cut = false;
    for Handed { group, block } in groups {
        tracker.walk(group.packets(), &block, decoder);
        is_cut |= block.is_cut();
        drop(block);
        // Nobody wants it where the other side is at its end.
        let _ = spares.send(group);
        if tracker.table.finished() >= MAX_ROWS {
            stop.store(true, Ordering::Relaxed);
        }
    }
    is_cut
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
