//! Frames that carry fragments: they wait until their datagram is whole and its flow known.

use std::collections::BTreeMap;

use crate::capture::Packet;

/// Octets of frames that wait, at most.
const MAX_OCTETS: usize = 8 << 20;

/// Frames of one datagram that wait, at most: twice what it may be put together from.
const MAX_FRAMES: usize = 4096;

/// A frame that waits.
#[derive(Debug)]
pub struct HeldFrame {
    /// Where it came from; its place in the block means nothing any more.
    pub packet: Packet,
    /// The latest time in its capture up to it.
    pub order_ns: i64,
    /// Its octets.
    pub frame: Box<[u8]>,
    /// The partition key that it has if its flow stays unknown.
    pub key: i64,
}

/// Frames by the number of their datagram. Beyond the limit the oldest datagram's flow stays unknown.
#[derive(Debug, Default)]
pub struct Held {
    datagrams: BTreeMap<u64, Vec<HeldFrame>>,
    octets: usize,
}

impl Held {
    /// Keeps a frame of datagram `serial`; gives back the frames that have to go for it.
    pub fn hold(&mut self, serial: u64, held: HeldFrame) -> Vec<HeldFrame> {
        let frames = self.datagrams.entry(serial).or_default();
        if frames.len() >= MAX_FRAMES {
            return vec![held];
        }
        self.octets += held.frame.len();
        frames.push(held);
        let mut gone = Vec::new();
        while self.octets > MAX_OCTETS
            && let Some((&oldest, _)) = self.datagrams.first_key_value()
        {
            gone.append(&mut self.take(oldest));
        }
        gone
    }

    /// The frames of a datagram, in the order in which they came.
    pub fn take(&mut self, serial: u64) -> Vec<HeldFrame> {
        let frames = self.datagrams.remove(&serial).unwrap_or_default();
        self.octets -= frames.iter().map(|held| held.frame.len()).sum::<usize>();
        frames
    }

    /// The frames of the datagrams that `refused` says it belongs to, and it behind them.
    pub fn take_refused(&mut self, refused: HeldFrame) -> Vec<HeldFrame> {
        let of_key = |frames: &Vec<HeldFrame>| frames.first().is_some_and(|held| held.key == refused.key);
        let serials: Vec<u64> =
            self.datagrams.iter().filter(|(_, frames)| of_key(frames)).map(|(&serial, _)| serial).collect();
        let mut frames: Vec<_> = serials.into_iter().flat_map(|serial| self.take(serial)).collect();
        frames.push(refused);
        frames
    }

    /// All frames.
    pub fn take_all(&mut self) -> Vec<HeldFrame> {
        self.octets = 0;
        std::mem::take(&mut self.datagrams).into_values().flatten().collect()
    }
}
