//! What a defragmenter may hold, whom it believes, and what it counts.

use super::pieces::Span;

/// Which fragment's octets count where two overlap: how target systems behave, after Novak's target-based
/// fragmentation reassembly. "Old" came first in capture order; spans are those the fragments had on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FragmentPolicy {
    /// The old octets always count.
    #[default]
    First,
    /// The new octets always count.
    Last,
    /// The old ones count unless the new fragment begins before the old.
    Bsd,
    /// The new ones count unless the new fragment begins before the old.
    BsdRight,
    /// The old ones count only if the old fragment begins before the new.
    Linux,
    /// The new ones count only if the new fragment begins before and ends after the old.
    Windows,
    /// The new ones count only if the new fragment begins before the old and doesn't end before it.
    Solaris,
}

impl FragmentPolicy {
    /// Every policy with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("first", Self::First),
        ("last", Self::Last),
        ("bsd", Self::Bsd),
        ("bsd-right", Self::BsdRight),
        ("linux", Self::Linux),
        ("windows", Self::Windows),
        ("solaris", Self::Solaris),
    ];

    /// The policy of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, policy)| policy)
    }

    /// The octets of `new` count where it overlaps `old`.
    #[inline]
    pub(super) fn new_wins(self, old: Span, new: Span) -> bool {
        match self {
            Self::First => false,
            Self::Last => true,
            Self::Bsd => new.start < old.start,
            Self::BsdRight => new.start >= old.start,
            Self::Linux => new.start <= old.start,
            Self::Windows => new.start < old.start && new.end > old.end,
            Self::Solaris => new.start < old.start && new.end >= old.end,
        }
    }
}

/// What overlapping IPv6 fragments lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ipv6Overlap {
    /// The datagram is discarded, with its fragments still to come; exact duplicates are ignored (RFC 5722,
    /// RFC 8200 section 4.5).
    #[default]
    Discard,
    /// The policy decides, as for IPv4.
    ByPolicy,
}

/// Limits and choices of a [`Defragmenter`](super::Defragmenter).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentConfig {
    /// Who wins where IPv4 fragments overlap. Default [`FragmentPolicy::First`].
    pub policy: FragmentPolicy,
    /// What overlapping IPv6 fragments lead to. Default [`Ipv6Overlap::Discard`].
    pub v6_overlap: Ipv6Overlap,
    /// Time an IPv4 datagram may take from its first fragment seen, in nanoseconds of packet time. Default 30 s, as
    /// Linux has it: RFC 791 asks for at least 15 s, and a 16-bit identification comes round quickly.
    pub timeout_v4_ns: i64,
    /// The same for IPv6. Default 60 s: RFC 8200 section 4.5.
    pub timeout_v6_ns: i64,
    /// Octets of all pending datagrams, bookkeeping included (20 octets a piece). Default 8 MiB. The allocator may
    /// hold twice as much, and up to 32 emptied buffers wait for reuse.
    pub max_octets: usize,
    /// Datagrams pending at one time. Default 4096. The oldest one is evicted.
    pub max_datagrams: usize,
    /// Fragments of one datagram. Default 2048: 64 KiB over the least IPv4 link (68 octets) are 1366.
    pub max_fragments: u32,
}

impl Default for FragmentConfig {
    fn default() -> Self {
        Self {
            policy: FragmentPolicy::First,
            v6_overlap: Ipv6Overlap::Discard,
            timeout_v4_ns: 30_000_000_000,
            timeout_v6_ns: 60_000_000_000,
            max_octets: 8 << 20,
            max_datagrams: 4096,
            max_fragments: 2048,
        }
    }
}

/// Counters of a [`Defragmenter`](super::Defragmenter), since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentStats {
    /// Fragments taken, the dropped ones too.
    pub fragments: u64,
    /// Datagrams put together, without the atomic ones.
    pub datagrams: u64,
    /// Atomic fragments: a fragment header around a whole datagram (RFC 6946).
    pub atomic: u64,
    /// Datagrams given up because their time was over.
    pub timeouts: u64,
    /// Datagrams given up because of a limit.
    pub evictions: u64,
    /// Fragments that overlap another one, without exact duplicates.
    pub overlaps: u64,
    /// Fragments that repeat another one octet for octet.
    pub duplicates: u64,
    /// Fragments that can't be: empty, unaligned, too long, or at odds about the datagram's end.
    pub invalid: u64,
}
