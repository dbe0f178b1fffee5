//! Captures in, packets out: where each lies in the caller's block, and which flow key it has.
//!
//! For consumers that look at every packet themselves. The caller lends a block with each batch; the capture is read
//! straight into it, and the columns say where headers begin. The block and its batch belong together until the
//! caller lends them again.

mod columns;
mod plain;
mod rows;
mod tail;

use super::feed::FeedFilled;
use super::flows::group::Group;
use super::{Buffers, Feed, Progress, Session, Source, Stats, Status};
use crate::capture::{CaptureLog, Found, Packet};
use crate::decode::{DecodeOptions, Decoder};
use crate::error::FlowError;
use crate::filter::Filter;
use plain::GROUP;
use rows::{MAX_ROWS, Rows};
use tail::{BLOCK_LEN, Tail};

/// Octets from the first packet of a group to its last one's start, at most; and so many datagrams as long as can be is
/// what can be put together of fragments in them.
const GROUP_OCTETS: usize = 64 * 1024;
const MOST_OF_GROUP: usize = 2;

/// What a packet session is to do.
#[derive(Clone, Debug, Default)]
pub struct PacketSessionOptions {
    /// Packets that it doesn't choose are as if they weren't there.
    pub filter: Option<Filter>,
    /// How packets are decoded.
    pub decode: DecodeOptions,
    /// One flow for all packets, as PATHspider's `aggregate`.
    pub aggregate: bool,
    /// Give the frames too: where they lie, their lengths and link types.
    pub frames: bool,
}

/// Reads captures and hands out packets as columns over the caller's blocks.
pub struct PacketSession {
    feed: Feed,
    decoder: Decoder,
    group: Group,
    rows: Rows,
    finished: bool,
    error: Option<FlowError>,
}

impl PacketSession {
    /// A session without a capture yet.
    #[must_use]
    pub fn new(options: PacketSessionOptions) -> Self {
        Self {
            feed: Feed::new(options.filter.clone()),
            decoder: Decoder::new(options.decode),
            group: Group::new(GROUP),
            rows: Rows::new(options),
            finished: false,
            error: None,
        }
    }

    /// Counters so far; those of flows stay 0, for the consumer keeps the flows.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.rows.stats
    }

    fn read(&mut self, batch: &mut [u8], block: &mut [u8]) -> Progress {
        let (block, mut tail) = tail::split(block);
        if self.feed.failed() {
            return Progress { rows: 0, status: Status::SourceFailed };
        }
        let status = match self.feed.fill(block) {
            FeedFilled::Ready => {
                let rows = self.walk(batch, block, &mut tail);
                let status = if self.feed.failed() { Status::SourceFailed } else { Status::More };
                return Progress { rows, status };
            }
            FeedFilled::NeedInput => Status::NeedInput,
            FeedFilled::End if self.feed.failed() => Status::SourceFailed,
            FeedFilled::End => Status::SourceEnd,
        };
        Progress { rows: 0, status }
    }

    /// Walks the block until it is done or the batch or the tail is full; the number of rows.
    fn walk(&mut self, batch: &mut [u8], block: &[u8], tail: &mut Tail<'_>) -> usize {
        let (rows, done) = if self.rows.options.frames {
            self.walk_frames(batch, block, tail)
        } else {
            self.walk_groups(batch, block, tail)
        };
        if !done {
            self.feed.leave(block);
        }
        rows
    }

    /// Rows, and whether the block is done.
    fn walk_groups(&mut self, batch: &mut [u8], block: &[u8], tail: &mut Tail<'_>) -> (usize, bool) {
        let Self { feed, decoder, group, rows, .. } = self;
        let mut row = 0;
        loop {
            let most = group_len(decoder, tail).min(MAX_ROWS - row);
            if most == 0 {
                return (row, false);
            }
            let done = group.take_some(feed, block, decoder.plain(), (most, GROUP_OCTETS));
            row = rows.group((batch, row), group.packets(), (block, tail), (decoder, feed));
            if done {
                return (row, true);
            }
        }
    }

    /// The same one by one: the capture says how long an interface's packets may be only while it is at that packet.
    fn walk_frames(&mut self, batch: &mut [u8], block: &[u8], tail: &mut Tail<'_>) -> (usize, bool) {
        let Self { feed, decoder, rows, .. } = self;
        let mut row = 0;
        let mut packet = Packet::NOTHING;
        while row < MAX_ROWS && tail.room() > 0 {
            row += usize::from(match feed.find(block, &mut packet) {
                Found::Packet => rows.packet((batch, row), &packet, (block, tail), (decoder, feed)),
                Found::Tick(ts_ns) => rows.tick((batch, row), ts_ns, feed.capture()),
                Found::BlockDone => return (row, true),
            });
        }
        (row, false)
    }
}

/// Packets that may be looked at in one go, so that what is put together of them has room; 0 where there is none.
fn group_len(decoder: &Decoder, tail: &Tail<'_>) -> usize {
    // What is put together of a group's fragments alone isn't longer than the group.
    if decoder.pending_datagrams() == 0 && tail.room() >= MOST_OF_GROUP {
        return GROUP;
    }
    tail.room().min(GROUP)
}

impl Session for PacketSession {
    fn describe(&self) -> String {
        self.rows.layout.describe()
    }

    fn batch_len(&self) -> usize {
        self.rows.layout.byte_len()
    }

    fn block_len(&self) -> usize {
        BLOCK_LEN
    }

    fn open(&mut self, source: Source, name: &str) {
        self.feed.open(source, name);
    }

    /// `given_back` begins with the number of batches that the caller has walked; keys that it needs no more follow.
    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress {
        let Buffers { batch, block, given_back, .. } = buffers;
        self.rows.batch = self.rows.batch.wrapping_add(1);
        if let Some((&walked, ids)) = given_back.split_first() {
            self.rows.keys.release(ids, walked);
        }
        let progress = if self.finished {
            Progress { rows: 0, status: Status::Done }
        } else if block.len() < BLOCK_LEN {
            self.error = Some(FlowError::Internal { message: "the block is too small or detached".to_owned() });
            Progress { rows: 0, status: Status::SourceFailed }
        } else {
            self.read(batch, &mut block[..BLOCK_LEN])
        };
        let Rows { stats, layout, .. } = &mut self.rows;
        self.feed.count(stats);
        stats.count_decoder(&self.decoder);
        layout.write_stats(batch, stats.values());
        progress
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
