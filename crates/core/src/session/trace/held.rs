//! Frames that carry fragments: kept until their datagram is whole, and it is known which flow they belong to.

use std::collections::{HashMap, VecDeque};

use crate::capture::Packet;
use crate::decode::defrag::FragmentKey;

/// Octets of frames that are kept at most.
const MAX_OCTETS: usize = 8 << 20;

/// Frames of one datagram that are kept at most: twice what it may be put together from.
pub const MAX_HELD: usize = 4096;

/// A frame that waits.
#[derive(Debug)]
pub struct HeldFrame {
    /// Where it came from; its place in the block means nothing any more.
    pub packet: Packet,
    /// Its octets.
    pub frame: Box<[u8]>,
}

/// Frames that wait, by datagram. At the limit the frames of the oldest datagram are given up.
#[derive(Debug, Default)]
pub struct HeldFrames {
    frames: HashMap<FragmentKey, (u64, Vec<HeldFrame>)>,
    /// Datagrams in the order of their first frames.
    order: VecDeque<(u64, FragmentKey)>,
    next: u64,
    octets: usize,
    /// Frames given up, or left when all is over.
    pub given_up: u64,
}

impl HeldFrames {
    /// Keeps a frame.
    pub fn hold(&mut self, key: FragmentKey, held: HeldFrame) {
        let (order, next) = (&mut self.order, &mut self.next);
        let entry = self.frames.entry(key).or_insert_with(|| {
            *next += 1;
            order.push_back((*next, key));
            (*next, Vec::new())
        });
        if entry.1.len() >= MAX_HELD {
            self.given_up += 1;
            return;
        }
        self.octets += held.frame.len();
        entry.1.push(held);
        while self.octets > MAX_OCTETS
            && let Some((serial, key)) = self.order.pop_front()
        {
            if self.frames.get(&key).is_some_and(|(known, _)| *known == serial) {
                self.given_up += self.take(&key).len() as u64;
            }
        }
        self.tidy();
    }

    /// The frames of a datagram, in the order in which they came.
    pub fn take(&mut self, key: &FragmentKey) -> Vec<HeldFrame> {
        let Some((_, frames)) = self.frames.remove(key) else { return Vec::new() };
        self.octets -= frames.iter().map(|held| held.frame.len()).sum::<usize>();
        frames
    }

    /// Nothing more will come: what waits is given up.
    pub fn give_up_all(&mut self) {
        self.given_up += self.frames.drain().map(|(_, (_, frames))| frames.len() as u64).sum::<u64>();
        self.order.clear();
        self.octets = 0;
    }

    /// Datagrams that were taken leave their place in the order; here it goes when such places outweigh the rest.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.frames.len() + 64 {
            let frames = &self.frames;
            self.order.retain(|(serial, key)| frames.get(key).is_some_and(|(known, _)| known == serial));
        }
    }
}
