//! Packet times: nanoseconds since the Unix epoch in an `i64` (to the year 2262). What doesn't fit saturates.

use std::fmt;

const NS_PER_SECOND: i64 = 1_000_000_000;

/// Nanoseconds of `seconds` and a fraction of `unit_ns` nanoseconds each. Fractions of a second or more carry over.
#[inline]
#[must_use]
pub fn from_parts(seconds: u32, fraction: u32, unit_ns: u32) -> i64 {
    // u32 seconds × 10^9 < 2^62, u32 × 1000 < 2^42: the sum fits.
    i64::from(seconds) * NS_PER_SECOND + i64::from(fraction) * i64::from(unit_ns)
}

/// The length of one tick of an interface's clock: pcapng's `if_tsresol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Ticks of 10^-n seconds, n of 0 to 127.
    Decimal(u8),
    /// Ticks of 2^-n seconds, n of 0 to 127.
    Binary(u8),
}

impl Resolution {
    /// What a file means that doesn't say: microseconds.
    pub const MICROSECONDS: Self = Self::Decimal(6);

    /// The resolution of the option's octet: its highest bit chooses the base.
    #[must_use]
    pub fn from_octet(octet: u8) -> Self {
        if octet & 0x80 == 0 { Self::Decimal(octet) } else { Self::Binary(octet & 0x7f) }
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal(n) => write!(f, "10^-{n} s"),
            Self::Binary(n) => write!(f, "2^-{n} s"),
        }
    }
}

/// Turns one interface's ticks into nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    scale: Scale,
    offset_ns: i64,
}

#[derive(Clone, Copy, Debug)]
enum Scale {
    /// A tick is this many nanoseconds.
    Times(u64),
    /// This many ticks are a nanosecond.
    Per(u64),
    /// 2^n ticks are a second.
    Shift(u8),
    /// A tick is so short that 2^64 of them are less than a nanosecond.
    Never,
}

impl Clock {
    /// A clock of `resolution` that stands `offset_s` seconds before the epoch's (`if_tsoffset`).
    #[must_use]
    pub fn new(resolution: Resolution, offset_s: i64) -> Self {
        let scale = match resolution {
            Resolution::Decimal(n @ 0..=9) => Scale::Times(10_u64.pow(9 - u32::from(n))),
            Resolution::Decimal(n) => 10_u64.checked_pow(u32::from(n) - 9).map_or(Scale::Never, Scale::Per),
            Resolution::Binary(n) => Scale::Shift(n),
        };
        Self { scale, offset_ns: offset_s.saturating_mul(NS_PER_SECOND) }
    }

    /// [`Clock::nanoseconds`] where that takes no more than a multiplication; `None` says nothing.
    #[inline(always)]
    #[must_use]
    pub fn usual_nanoseconds(&self, ticks: u64) -> Option<i64> {
        match self.scale {
            Scale::Times(factor) => i64::try_from(ticks.checked_mul(factor)?).ok()?.checked_add(self.offset_ns),
            _ => None,
        }
    }

    /// Nanoseconds since the epoch at `ticks`, rounded down; what doesn't fit saturates.
    #[inline]
    #[must_use]
    pub fn nanoseconds(&self, ticks: u64) -> i64 {
        let since = match self.scale {
            // The product fits nearly always; where it doesn't, the offset may still bring it back into range.
            Scale::Times(factor) => match ticks.checked_mul(factor).map(i64::try_from) {
                Some(Ok(ns)) => return ns.saturating_add(self.offset_ns),
                _ => i128::from(ticks) * i128::from(factor),
            },
            Scale::Per(divisor) => i128::from(ticks / divisor),
            // 2^64 × 10^9 < 2^94.
            Scale::Shift(bits) => (i128::from(ticks) * i128::from(NS_PER_SECOND)) >> bits,
            Scale::Never => 0,
        };
        let ns = since + i128::from(self.offset_ns);
        i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_of_each_resolution_gives_nanoseconds() {
        let cases = [
            (Resolution::Decimal(0), 5, 5_000_000_000),
            (Resolution::Decimal(6), 1_234_567, 1_234_567_000),
            (Resolution::Decimal(9), 1_234_567, 1_234_567),
            (Resolution::Decimal(12), 1_999, 1),
            (Resolution::Decimal(28), u64::MAX, 1),
            (Resolution::Decimal(29), u64::MAX, 0),
            (Resolution::Decimal(127), u64::MAX, 0),
            (Resolution::Binary(0), 5, 5_000_000_000),
            (Resolution::Binary(10), 1536, 1_500_000_000),
            (Resolution::Binary(32), (7 << 32) + (1 << 31), 7_500_000_000),
            (Resolution::Binary(127), u64::MAX, 0),
        ];
        for (resolution, ticks, expected) in cases {
            assert_eq!(Clock::new(resolution, 0).nanoseconds(ticks), expected, "{resolution} × {ticks}");
        }
    }

    #[test]
    fn clock_with_offset_shifts_by_seconds() {
        assert_eq!(Clock::new(Resolution::Decimal(6), 3).nanoseconds(1), 3_000_001_000);
        assert_eq!(Clock::new(Resolution::Decimal(6), -3).nanoseconds(1), -2_999_999_000);
        assert_eq!(Clock::new(Resolution::Binary(1), -1).nanoseconds(1), -500_000_000);
    }

    #[test]
    fn clock_out_of_range_saturates() {
        assert_eq!(Clock::new(Resolution::Decimal(0), 0).nanoseconds(u64::MAX), i64::MAX);
        assert_eq!(Clock::new(Resolution::Decimal(6), i64::MAX).nanoseconds(u64::MAX), i64::MAX);
        assert_eq!(Clock::new(Resolution::Decimal(9), i64::MIN).nanoseconds(0), i64::MIN);
        assert_eq!(Clock::new(Resolution::Binary(0), 0).nanoseconds(u64::MAX), i64::MAX);
    }

    #[test]
    fn resolution_from_octet_chooses_the_base() {
        assert_eq!(Resolution::from_octet(9), Resolution::Decimal(9));
        assert_eq!(Resolution::from_octet(0x80 | 32), Resolution::Binary(32));
    }
}
