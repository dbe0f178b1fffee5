//! What a stream tells its owner.

use std::ops::Range;

/// Why a hole was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapReason {
    /// The peer acknowledged the octets, and the patience is over.
    Acked,
    /// The direction held as many waiting octets as it may.
    DirectionLimit,
    /// All streams together held as many waiting octets as they may.
    TotalLimit,
    /// The sequence numbers went on far away.
    Resync,
    /// The connection ended before the hole was filled.
    End,
    /// The connection ended, and octets beyond the last captured one had been acknowledged or stood in a cut packet.
    Tail,
}

/// Receives a stream's octets and findings. `in_order`, `released` and `gap` come in stream order without hole or
/// overlap: each begins where the one before ended. `conflict` comes when it is found, whatever its offset.
pub trait Sink {
    /// `range` of the payload that was just pushed lies at stream offset `offset`.
    fn in_order(&mut self, offset: u64, range: Range<u32>);
    /// Octets that had waited (or a copy of them) lie at stream offset `offset`.
    fn released(&mut self, offset: u64, bytes: &[u8]);
    /// `len` octets at `offset` are missing for good.
    fn gap(&mut self, offset: u64, len: u64, reason: GapReason);
    /// Two versions of the octets at `offset`, equally long: from the first to the last octet that differs.
    /// `kept` is in the stream or stays waiting.
    fn conflict(&mut self, offset: u64, kept: &[u8], other: &[u8]);
}
