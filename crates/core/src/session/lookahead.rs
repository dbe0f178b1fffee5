//! Packets found ahead of the one being looked at, so that what each will touch is on its way from memory meanwhile.
//!
//! Records are chained: where one begins is known only when the one before was read. So one packet is found for each
//! that is looked at, a group ahead, and the reader fetches the head of the next. A group is decoded in one go, then the
//! flows it belongs to are fetched in one go, then it is walked.

use super::{Feed, FeedStep};
use crate::capture::{LinkType, Packet};
use crate::decode::{Datagram, Decoder};
use crate::flow::Identity;

/// Packets of a group: more than memory answers in the time that one packet takes, and few enough for the first cache.
const GROUP: usize = 16;

/// A packet with what can be told before its turn comes.
#[derive(Debug)]
pub(super) struct Looked<'a> {
    /// Number 0: a live source says how late it is.
    pub packet: Packet,
    /// Its datagram, where it is a plain one.
    pub plain: Option<Datagram<'a>>,
    /// Whom that belongs to, and the hash of the key.
    pub owner: Option<(Identity, u64)>,
}

/// Packets that were found in the block and not looked at yet.
#[derive(Debug, Default)]
pub(super) struct Lookahead {
    found: Vec<Packet>,
    /// The memory of the group before.
    spare: Vec<Packet>,
    block_done: bool,
}

impl Lookahead {
    /// Another block was filled, or another capture begins.
    pub fn enter_block(&mut self) {
        self.found.clear();
        self.block_done = false;
    }

    /// The next packets of the block, none at its end. While they are walked, [`Lookahead::find`] is to be called for
    /// each.
    pub fn group(&mut self, feed: &mut Feed, block: &[u8]) -> Vec<Packet> {
        while self.found.len() < GROUP && !self.block_done {
            self.find(feed, block);
        }
        std::mem::replace(&mut self.found, std::mem::take(&mut self.spare))
    }

    /// Finds one packet more.
    #[inline(never)]
    pub fn find(&mut self, feed: &mut Feed, block: &[u8]) {
        if self.block_done {
            return;
        }
        match feed.next(block) {
            FeedStep::Packet(packet) => self.found.push(packet),
            FeedStep::Tick(ts_ns) => self.found.push(tick(ts_ns)),
            FeedStep::BlockDone => self.block_done = true,
        }
    }

    /// A group was walked.
    pub fn give_back(&mut self, mut group: Vec<Packet>) {
        group.clear();
        self.spare = group;
    }

    /// All packets of the block were taken.
    pub fn is_done(&self) -> bool {
        self.block_done && self.found.is_empty()
    }
}

/// A tick of a live source among the packets: packet number 0, and only the time counts.
#[cold]
fn tick(ts_ns: i64) -> Packet {
    let (start, captured_len, wire_len, interface, capture) = (0, 0, 0, 0, 0);
    Packet { number: 0, ts_ns, start, captured_len, wire_len, link: LinkType::NULL, interface, capture }
}

/// Decodes the plain packets of a group; `owner` tells whom a datagram belongs to.
#[inline]
pub(super) fn look<'a>(
    group: &[Packet],
    block: &'a [u8],
    decoder: &Decoder,
    looked: &mut Vec<Looked<'a>>,
    owner: impl Fn(&Datagram<'a>) -> Option<(Identity, u64)>,
) {
    looked.clear();
    looked.extend(group.iter().map(|&packet| {
        let plain = decoder.decode_plain(&packet, packet.bytes(block));
        let owner = plain.as_ref().and_then(&owner);
        Looked { packet, plain, owner }
    }));
}
