//! Packets of a block that are found in one go, then decoded in one go.

use super::decoded::Decoded;
use crate::capture::{Found, Packet};
use crate::decode::PlainDecoder;
use crate::session::Feed;

/// Packets that are found before they are decoded: what they touch is still in the first cache then.
const STRIDE: usize = 32;

/// Some packets, in order.
#[derive(Debug)]
pub(in crate::session) struct Group {
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
        self.take_some(feed, block, plain, (usize::MAX, usize::MAX))
    }

    /// The same, but at most so many packets, and so many octets from the first one's start to the last one's.
    #[inline]
    pub fn take_some(
        &mut self,
        feed: &mut Feed,
        block: &[u8],
        plain: PlainDecoder,
        (most, octets): (usize, usize),
    ) -> bool {
        self.len = 0;
        let most = most.min(self.places.len());
        let mut limit = Limit { octets, end: None };
        for places in self.places[..most].chunks_mut(STRIDE) {
            let (found, is_done) = find(feed, block, places, &mut limit);
            places[..found].iter_mut().for_each(|place| place.decode(block, plain));
            self.len += found;
            if found < places.len() {
                return is_done;
            }
        }
        false
    }

    /// The packets.
    pub fn packets(&self) -> &[Decoded] {
        &self.places[..self.len]
    }
}

/// How far packets are taken.
struct Limit {
    octets: usize,
    /// Where in the block that is, once there is a packet.
    end: Option<usize>,
}

impl Limit {
    /// The packet lies beyond: it is the last one.
    #[inline]
    fn is_reached(&mut self, packet: &Packet) -> bool {
        packet.start > *self.end.get_or_insert(packet.start.saturating_add(self.octets))
    }
}

/// Finds packets for `places`: how many, and whether the block is done.
#[inline]
fn find(feed: &mut Feed, block: &[u8], places: &mut [Decoded], limit: &mut Limit) -> (usize, bool) {
    for (count, place) in places.iter_mut().enumerate() {
        match feed.find(block, &mut place.packet) {
            Found::Packet if limit.is_reached(&place.packet) => return (count + 1, false),
            Found::Packet => {}
            Found::Tick(ts_ns) => place.packet = Packet { ts_ns, ..Packet::NOTHING },
            Found::BlockDone => return (count, true),
        }
    }
    (places.len(), false)
}
