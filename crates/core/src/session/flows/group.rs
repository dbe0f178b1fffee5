//! Packets of a block that are found in one go, then decoded in one go.

use super::decoded::Decoded;
use crate::capture::{Found, Packet};
use crate::decode::PlainDecoder;
use crate::session::Feed;

/// Packets that are found before they are decoded: what they touch is still in the first cache then.
const STRIDE: usize = 32;

/// Some packets, in order.
#[derive(Debug)]
pub(super) struct Group {
    places: Box<[Decoded]>,
    len: usize,
}

impl Group {
    /// Room for `most` packets.
    pub fn new(most: usize) -> Self {
        Self { places: vec![Decoded::NOTHING; most].into_boxed_slice(), len: 0 }
    }

    /// Takes the next packets of `block`, as many as there is room for. True: the block is done.
    pub fn take(&mut self, feed: &mut Feed, block: &[u8], plain: PlainDecoder) -> bool {
        self.len = 0;
        let mut is_done = false;
        for places in self.places.chunks_mut(STRIDE) {
            let found;
            (found, is_done) = find(feed, block, places);
            places[..found].iter_mut().for_each(|place| place.decode(block, plain));
            self.len += found;
            if is_done {
                break;
            }
        }
        is_done
    }

    /// The packets.
    pub fn packets(&self) -> &[Decoded] {
        &self.places[..self.len]
    }
}

/// Finds packets for `places`: how many, and whether the block is done.
#[inline]
fn find(feed: &mut Feed, block: &[u8], places: &mut [Decoded]) -> (usize, bool) {
    for (count, place) in places.iter_mut().enumerate() {
        match feed.find(block, &mut place.packet) {
            Found::Packet => {}
            Found::Tick(ts_ns) => place.packet = Packet { ts_ns, ..Packet::NOTHING },
            Found::BlockDone => return (count, true),
        }
    }
    (places.len(), false)
}
