//! 32-bit TCP sequence numbers (RFC 9293 section 3.4) and their unwrapping to 64-bit stream offsets.

/// A sequence number as it stands on the wire. Compared modulo 2^32, so there is no `Ord`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeqNum(pub u32);

impl SeqNum {
    /// The number `n` octets later.
    #[must_use]
    pub fn plus(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }

    /// Signed distance from `earlier` to `self`, in −2^31 ..= 2^31 − 1.
    #[must_use]
    #[allow(clippy::cast_possible_wrap, reason = "the wrap is the definition: RFC 9293 section 3.4")]
    pub fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// `self` lies before `other` on the circle.
    #[must_use]
    pub fn before(self, other: Self) -> bool {
        self.since(other) < 0
    }

    /// The stream offset nearest to `near` that this number can stand for, when offset 0 is sequence number `base`.
    /// Negative where the number lies before the stream's start.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "arithmetic modulo 2^32 is meant")]
    pub fn unwrap_near(self, base: Self, near: u64) -> i64 {
        let expected = base.plus(near as u32);
        near as i64 + i64::from(self.since(expected))
    }
}

#[cfg(test)]
mod tests {
    use super::SeqNum;

    #[test]
    fn seq_crossing_u32_max_stays_ordered() {
        assert!(SeqNum(u32::MAX).before(SeqNum(0)));
        assert_eq!(SeqNum(0).since(SeqNum(u32::MAX)), 1);
    }

    #[test]
    fn unwrap_follows_a_stream_over_four_gib() {
        let base = SeqNum(0xffff_fff0);
        let offset = (5_u64 << 32) + 17;
        let seq = base.plus(offset as u32);
        assert_eq!(seq.unwrap_near(base, offset - 1000), offset as i64);
        assert_eq!(seq.unwrap_near(base, offset + 1000), offset as i64);
        assert_eq!(SeqNum(0xffff_ffe0).unwrap_near(base, 0), -16);
    }
}
