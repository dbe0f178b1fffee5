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
            let (found, end) = find(feed, block, places, &mut limit);
            places[..found].iter_mut().for_each(|place| place.decode(block, plain));
            self.len += found;
            match end {
                End::Full => {}
                End::Limit => return false,
                End::Block => return true,
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

/// Why no further packet was found.
enum End {
    /// There is no place for it.
    Full,
    /// The latest one is the last one that may be taken.
    Limit,
    /// The block is done.
    Block,
}

/// Finds packets for `places`: how many, and why not more.
#[inline]
fn find(feed: &mut Feed, block: &[u8], places: &mut [Decoded], limit: &mut Limit) -> (usize, End) {
    for (count, place) in places.iter_mut().enumerate() {
        match feed.find(block, &mut place.packet) {
            Found::Packet if limit.is_reached(&place.packet) => return (count + 1, End::Limit),
            Found::Packet => {}
            Found::Tick(ts_ns) => place.packet = Packet { ts_ns, ..Packet::NOTHING },
            Found::BlockDone => return (count, End::Block),
        }
    }
    (places.len(), End::Full)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::capture::ChunkQueue;
    use crate::decode::{DecodeOptions, Decoder};
    use crate::session::Source;
    use crate::session::feed::FeedFilled;
    use tcpskein_testkit::frame::pcap;

    #[test]
    fn octets_of_a_group_are_bounded_wherever_the_bound_falls() {
        let plain = Decoder::new(DecodeOptions::default()).plain();
        // The bound falls on each packet of two strides in turn: what lies beyond it is one packet, and no more.
        for last in 1..2 * STRIDE {
            let queue = Arc::new(Mutex::new(ChunkQueue::default()));
            let frames = vec![(0, vec![0; 84]); 3 * STRIDE];
            queue.lock().unwrap().push(&pcap(&frames));
            let mut feed = Feed::new(None);
            feed.open(Source::Queue(queue), "capture");
            let mut block = vec![0; 1 << 20];
            assert_eq!(feed.fill(&mut block), FeedFilled::Ready);
            let mut group = Group::new(3 * STRIDE);
            assert!(!group.take_some(&mut feed, &block, plain, (usize::MAX, last * 100 - 1)));
            assert_eq!(group.packets().len(), last + 1);
        }
    }
}
