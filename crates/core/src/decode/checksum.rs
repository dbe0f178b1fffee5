//! Internet checksums (RFC 1071) of IPv4 headers, TCP, UDP, ICMP and ICMPv6.
//!
//! In: a header or an upper-layer packet with its addresses. Out: a [`Verdict`]; what follows from it is the
//! caller's, by [`ChecksumMode`]. Captures made on the sending host carry checksums that the network card was still
//! to fill in, so a bad one is no proof of damage.

#[cfg(test)]
mod tests;

/// TCP's protocol number.
const TCP: u8 = 6;
/// UDP's protocol number.
const UDP: u8 = 17;
/// ICMP's protocol number.
const ICMP: u8 = 1;
/// ICMPv6's protocol number.
const ICMPV6: u8 = 58;

/// What a run does about checksums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChecksumMode {
    /// They are not computed.
    #[default]
    Ignore,
    /// Bad ones are counted, and the packet is taken all the same.
    Count,
    /// Bad ones are counted, and the packet is left out.
    Drop,
}

impl ChecksumMode {
    /// Every mode with its name.
    pub const ALL: [(&'static str, Self); 3] = [("ignore", Self::Ignore), ("count", Self::Count), ("drop", Self::Drop)];

    /// The mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, mode)| mode)
    }

    /// Checksums have to be computed.
    #[inline]
    #[must_use]
    pub fn checks(self) -> bool {
        self != Self::Ignore
    }

    /// A packet with this verdict is left out.
    #[inline]
    #[must_use]
    pub fn drops(self, verdict: Verdict) -> bool {
        self == Self::Drop && verdict == Verdict::Bad
    }
}

/// What a checksum says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It fits.
    Good,
    /// It doesn't fit.
    Bad,
    /// The sender made none (UDP over IPv4 with checksum 0).
    Absent,
    /// It can't be told: octets are missing, or the protocol is none of those known here.
    Unknown,
}

impl Verdict {
    fn of(sum: Sum) -> Self {
        // RFC 1071 section 1: over everything, the checksum included, the sum is all ones.
        if sum.fold() == 0xffff { Self::Good } else { Self::Bad }
    }
}

/// A one's complement sum of 16-bit words in network byte order, in the making.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// Adds one word.
    #[inline]
    #[must_use]
    pub fn word(self, word: u16) -> Self {
        Self(add(self.0, u64::from(word)))
    }

    /// Adds octets. Those of an odd number are padded with a zero octet, so only the last slice may be odd.
    #[inline]
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        // RFC 1071 section 2(C): words of any width may be added, if each carry comes back in at the low end.
        let mut sum = self.0;
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            sum = add(sum, u64::from_be_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        Self(add(sum, u64::from_be_bytes(last)))
    }

    /// The sum in 16 bits, not yet complemented.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "two foldings leave 16 bits")]
    pub fn fold(self) -> u16 {
        let sum = (self.0 >> 32) + (self.0 & 0xffff_ffff);
        let sum = (sum >> 32) + (sum & 0xffff_ffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        sum as u16
    }
}

/// One's complement addition.
#[inline]
fn add(a: u64, b: u64) -> u64 {
    let (sum, carry) = a.overflowing_add(b);
    // With a carry, `sum` is below the maximum: this can't overflow.
    sum + u64::from(carry)
}

/// The checksum over `bytes` as it stands on the wire, when its own field counts as zero (RFC 1071 section 1).
#[inline]
#[must_use]
pub fn internet_checksum(bytes: &[u8]) -> u16 {
    !Sum::default().bytes(bytes).fold()
}

/// Judges an IPv4 header (RFC 791 section 3.1). `header` may go on behind it; its own length counts.
#[inline]
#[must_use]
pub fn verify_ipv4_header(header: &[u8]) -> Verdict {
    let Some(&first) = header.first() else { return Verdict::Unknown };
    let len = usize::from(first & 0x0f) * 4;
    match header.get(..len) {
        Some(header) if len >= 20 => Verdict::of(Sum::default().bytes(header)),
        _ => Verdict::Unknown,
    }
}

/// Judges a whole upper-layer packet.
///
/// * `version` is 4 or 6.
/// * `src` and `dst` are the addresses of the pseudo header: 4 octets or 16, and of IPv4 also the 16-octet forms
///   `::ffff:a.b.c.d` and `::a.b.c.d`, which have the same sum. Behind a routing header, `dst` is the last address.
/// * `l4` is exactly what the IP header calls its payload, without the link layer's padding. A cut packet or a
///   fragment must not be given here: its verdict is [`Verdict::Unknown`] (see [`verify_captured`]).
///
/// UDP over IPv6 without a checksum is [`Verdict::Bad`]: RFC 8200 section 8.1; only tunnels may do that (RFC 6935).
#[inline]
#[must_use]
pub fn verify(version: u8, src: &[u8], dst: &[u8], proto: u8, l4: &[u8]) -> Verdict {
    match (version, proto) {
        (_, TCP) if l4.len() >= 20 => Verdict::of(pseudo(src, dst, TCP, l4.len()).bytes(l4)),
        (_, UDP) => verify_udp(version, src, dst, l4),
        // RFC 792: no pseudo header.
        (4, ICMP) if l4.len() >= 4 => Verdict::of(Sum::default().bytes(l4)),
        // RFC 4443 section 2.3.
        (6, ICMPV6) if l4.len() >= 4 => Verdict::of(pseudo(src, dst, ICMPV6, l4.len()).bytes(l4)),
        _ => Verdict::Unknown,
    }
}

/// [`verify`] for what was captured of a packet: `wire_len` is the length of the IP payload on the wire, in octets.
#[inline]
#[must_use]
pub fn verify_captured(version: u8, src: &[u8], dst: &[u8], proto: u8, l4: &[u8], wire_len: usize) -> Verdict {
    match l4.get(..wire_len) {
        Some(l4) => verify(version, src, dst, proto, l4),
        None => Verdict::Unknown,
    }
}

/// RFC 768: UDP has a length of its own, and what lies behind it isn't covered.
fn verify_udp(version: u8, src: &[u8], dst: &[u8], l4: &[u8]) -> Verdict {
    let &[_, _, _, _, len_high, len_low, sum_high, sum_low, ..] = l4 else { return Verdict::Unknown };
    if (sum_high, sum_low) == (0, 0) {
        return if version == 4 { Verdict::Absent } else { Verdict::Bad };
    }
    let len = match usize::from(u16::from_be_bytes([len_high, len_low])) {
        // RFC 2675 section 4: an IPv6 jumbogram's length doesn't fit.
        0 if version == 6 => l4.len(),
        len => len,
    };
    match l4.get(..len) {
        Some(datagram) if len >= 8 => Verdict::of(pseudo(src, dst, UDP, len).bytes(datagram)),
        _ => Verdict::Unknown,
    }
}

/// The pseudo header's sum: RFC 9293 section 3.1, RFC 8200 section 8.1. Both have the same sum, since IPv6 only adds
/// zero octets.
#[inline]
fn pseudo(src: &[u8], dst: &[u8], proto: u8, len: usize) -> Sum {
    Sum(add(len as u64, u64::from(proto))).bytes(src).bytes(dst)
}
