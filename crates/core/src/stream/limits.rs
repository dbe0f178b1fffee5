//! Every bound of reassembly in one place, each with unit and default.

use super::policy::OverlapPolicy;

/// When in-order octets are handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deliver {
    /// At once.
    #[default]
    Contiguous,
    /// When the peer has acknowledged them (what the receiver certainly got); the rest at the connection's end.
    Acked,
}

/// Bounds and choices of all streams of one [`super::Arena`]. Octet limits count the memory that holds the octets:
/// a short piece costs at least 112.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Memory for waiting octets of one direction. Default 16 MiB.
    pub direction_octets: u64,
    /// Memory for waiting octets of all streams. Default 64 MiB, at most 3 GiB.
    pub total_octets: u64,
    /// Window of recently delivered octets, shared by all streams, that later copies are compared with, rounded up to a
    /// power of two. 0 = none; at most 1 GiB. Default 4 MiB: measured in `benches/reassembly.rs`, remembering costs 15 to 25 ns
    /// for 300 octets and 45 to 85 ns for 1,448.
    pub history_octets: u64,
    /// Nanoseconds of packet time that a hole is kept after the peer acknowledged what lies in it. Default 2 s.
    pub gap_patience_ns: u64,
    /// Whose octets stay in an overlap. Default [`OverlapPolicy::First`].
    pub policy: OverlapPolicy,
    /// When octets are handed over. Default [`Deliver::Contiguous`].
    pub deliver: Deliver,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            direction_octets: 16 << 20,
            total_octets: 64 << 20,
            history_octets: 4 << 20,
            gap_patience_ns: 2_000_000_000,
            policy: OverlapPolicy::First,
            deliver: Deliver::Contiguous,
        }
    }
}
