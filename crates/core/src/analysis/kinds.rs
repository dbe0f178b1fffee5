//! The kinds of segments that Wireshark's TCP analysis tells apart, as a set of bits, and their counts.

/// Wireshark's names, without `tcp.analysis.`: by bit number in [`Kinds`].
pub const NAMES: [&str; 14] = [
    "retransmission",
    "fast_retransmission",
    "spurious_retransmission",
    "out_of_order",
    "lost_segment",
    "ack_lost_segment",
    "duplicate_ack",
    "zero_window",
    "window_full",
    "keep_alive",
    "keep_alive_ack",
    "window_update",
    "zero_window_probe",
    "zero_window_probe_ack",
];

/// What a segment is; most are of no kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(pub u16);

impl Kinds {
    /// Octets sent before; [`Kinds::FAST`] and [`Kinds::SPURIOUS`] ones too, as in Wireshark's filters.
    pub const RETRANSMISSION: Self = Self(1);
    /// Answers duplicate acknowledgements at once.
    pub const FAST: Self = Self(1 << 1);
    /// Octets that the receiver had acknowledged.
    pub const SPURIOUS: Self = Self(1 << 2);
    /// Comes late, and not late enough for a retransmission.
    pub const OUT_OF_ORDER: Self = Self(1 << 3);
    /// Begins behind the next octet expected.
    pub const LOST_SEGMENT: Self = Self(1 << 4);
    /// Acknowledges octets that were not seen.
    pub const ACK_LOST_SEGMENT: Self = Self(1 << 5);
    /// Repeats an acknowledgement.
    pub const DUPLICATE_ACK: Self = Self(1 << 6);
    /// Its sender has no room.
    pub const ZERO_WINDOW: Self = Self(1 << 7);
    /// Fills the receiver's window to its end.
    pub const WINDOW_FULL: Self = Self(1 << 8);
    /// At most one octet, just below the next one expected.
    pub const KEEP_ALIVE: Self = Self(1 << 9);
    /// Answers a keep-alive.
    pub const KEEP_ALIVE_ACK: Self = Self(1 << 10);
    /// Says nothing but another window.
    pub const WINDOW_UPDATE: Self = Self(1 << 11);
    /// One octet into a window of zero.
    pub const PROBE: Self = Self(1 << 12);
    /// Answers a probe: the window is still zero.
    pub const PROBE_ACK: Self = Self(1 << 13);

    /// Any kind of `other` is in it.
    #[inline]
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Adds the kinds of `other` if `when`.
    #[inline]
    pub fn add(&mut self, other: Self, when: bool) {
        self.0 |= if when { other.0 } else { 0 };
    }
}

/// Segments of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct KindCounts(pub [u32; NAMES.len()]);

impl KindCounts {
    /// Counts a segment.
    #[cold]
    pub fn count(&mut self, kinds: Kinds) {
        let mut left = kinds.0;
        while let Some(count) = self.0.get_mut(left.trailing_zeros() as usize) {
            *count += 1;
            left &= left - 1;
        }
    }
}
