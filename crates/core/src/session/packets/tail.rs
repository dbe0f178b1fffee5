//! The caller's block: packets as they were read, and behind them datagrams that lie nowhere in the capture in one piece.

use tcpskein_map::PAGE_LEN;

use crate::capture::{MIN_BLOCK_LEN, Packet};
use crate::decode::Datagram;

/// Octets of a block that packets are read into: what the kernel copies there is still in a core's own cache when it is
/// walked (measured in bench/chains.mjs: twice as much costs a twentieth more, unless fewer blocks go round than five).
const READ_LEN: usize = MIN_BLOCK_LEN;

/// Most octets that a reassembled datagram takes: its IP header's packet and its upper layer.
pub(super) const MOST_IN_TAIL: usize = 2 * 65_536;

/// Room behind them for reassembled datagrams: so many that a few can be looked for at once.
const TAIL_LEN: usize = 4 * MOST_IN_TAIL;

/// Octets of the caller's block, wherever it begins in a page.
pub(super) const BLOCK_LEN: usize = READ_LEN + TAIL_LEN + PAGE_LEN;

/// The parts of the caller's block: where packets are read to, and the tail. The first begins at a page's start, because
/// one processor we measured copies three times slower to other places, and callers' blocks rarely lie well.
pub(super) fn split(block: &mut [u8]) -> (&mut [u8], Tail<'_>) {
    let start = block.as_ptr().align_offset(PAGE_LEN).min(PAGE_LEN);
    let (read, bytes) = block[start..].split_at_mut(READ_LEN);
    (read, Tail { bytes, start, used: 0 })
}

/// The part for reassembled datagrams.
pub(super) struct Tail<'a> {
    bytes: &'a mut [u8],
    /// Octets of the caller's block before the first that is read to.
    start: usize,
    used: usize,
}

impl Tail<'_> {
    /// So many datagrams have room, whatever their lengths.
    pub fn room(&self) -> usize {
        (self.bytes.len() - self.used) / MOST_IN_TAIL
    }

    /// Where octet `at` of what was read lies in the caller's block.
    #[inline]
    pub fn place(&self, at: usize) -> u32 {
        (self.start + at) as u32
    }

    /// Where IP header and upper layer lie in the caller's block; a reassembled datagram is copied to the tail.
    #[inline]
    pub fn places(&mut self, packet: &Packet, datagram: &Datagram<'_>) -> (u32, u32) {
        if datagram.reassembled {
            return (self.copy(datagram.packet), self.copy(datagram.upper));
        }
        let start = self.place(packet.start);
        (start + datagram.ip_offset, start + datagram.upper_offset)
    }

    fn copy(&mut self, bytes: &[u8]) -> u32 {
        let at = self.used;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
        self.place(READ_LEN + at)
    }
}
