//! Frames that carry fragments: kept until their datagram is whole, and it is known which flow they belong to.

use std::collections::{HashMap, VecDeque};

use crate::capture::Packet;

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

/// Frames that wait, by the number of their datagram. At the limit the frames of the oldest datagram are given up.
#[derive(Debug, Default)]
pub struct HeldFrames {
    frames: HashMap<u64, Vec<HeldFrame>>,
    /// Datagrams in the order of their first frames.
    order: VecDeque<u64>,
    octets: usize,
    /// Frames given up, or left when all is over.
    pub given_up: u64,
}

impl HeldFrames {
    /// Keeps a frame of a datagram; one that was refused, 0, is given up.
    pub fn hold(&mut self, datagram: u64, held: HeldFrame) {
        if datagram == 0 {
            self.given_up += 1;
            return;
        }
        let order = &mut self.order;
        let frames = self.frames.entry(datagram).or_insert_with(|| {
            order.push_back(datagram);
            Vec::new()
        });
        if frames.len() >= MAX_HELD {
            self.given_up += 1;
            return;
        }
        self.octets += held.frame.len();
        frames.push(held);
        while self.octets > MAX_OCTETS
            && let Some(oldest) = self.order.pop_front()
        {
            self.given_up += self.take(oldest).len() as u64;
        }
        self.tidy();
    }

    /// The frames of a datagram, in the order in which they came.
    pub fn take(&mut self, datagram: u64) -> Vec<HeldFrame> {
        let Some(frames) = self.frames.remove(&datagram) else { return Vec::new() };
        self.octets -= frames.iter().map(|held| held.frame.len()).sum::<usize>();
        frames
    }

    /// Nothing more will come: what waits is given up.
    pub fn give_up_all(&mut self) {
        self.given_up += self.frames.drain().map(|(_, frames)| frames.len() as u64).sum::<u64>();
        self.order.clear();
        self.octets = 0;
    }

    /// Datagrams that were taken leave their place in the order; here it goes when such places outweigh the rest.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.frames.len() + 64 {
            let frames = &self.frames;
            self.order.retain(|datagram| frames.contains_key(datagram));
        }
    }
}
