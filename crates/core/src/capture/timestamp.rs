//! Packet times: nanoseconds since the Unix epoch in an `i64` (to the year 2262).

/// Nanoseconds of `seconds` and a fraction of `unit_ns` nanoseconds each. Fractions of a second or more carry over,
/// as Wireshark does; what doesn't fit saturates.
#[inline]
#[must_use]
pub fn from_parts(seconds: u32, fraction: u32, unit_ns: u32) -> i64 {
    // u32 seconds × 10^9 < 2^62, u32 × 1000 < 2^42: the sum fits.
    i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * i64::from(unit_ns)
}
