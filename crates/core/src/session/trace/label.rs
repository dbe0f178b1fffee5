//! A flow's label: PyPCAPKit's `src_srcport-dst_dstport-timestamp`, which also names its file.
//!
//! Made of digits, letters, `.`, `_`, `-` (and `+`, never) alone, so no label leads out of a folder. The TypeScript side
//! makes the same text from the same values.

use std::fmt::Write as _;

/// Who sent a flow's first packet to whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct LabelParts {
    /// 4 or 6.
    pub version: u8,
    /// Source address; IPv4 in the first four octets.
    pub src: [u8; 16],
    /// Destination address, likewise.
    pub dst: [u8; 16],
    /// Source and destination port.
    pub ports: (u16, u16),
    /// Time of the first packet, nanoseconds since the Unix epoch.
    pub first_ns: i64,
}

impl LabelParts {
    /// The label.
    #[must_use]
    pub fn label(&self) -> String {
        let mut out = String::with_capacity(64);
        push_address(&mut out, &self.src, self.version);
        let _ = write!(out, "_{}-", self.ports.0);
        push_address(&mut out, &self.dst, self.version);
        let _ = write!(out, "_{}-", self.ports.1);
        push_time(&mut out, self.first_ns);
        out
    }
}

/// An address; of IPv6 by RFC 5952, with `.` for `:`.
fn push_address(out: &mut String, address: &[u8; 16], version: u8) {
    if version == 4 {
        let [a, b, c, d, ..] = address;
        let _ = write!(out, "{a}.{b}.{c}.{d}");
        return;
    }
    let mut groups = [0_u16; 8];
    for (group, octets) in groups.iter_mut().zip(address.chunks_exact(2)) {
        *group = u16::from_be_bytes([octets[0], octets[1]]);
    }
    let (start, length) = longest_zeros(&groups);
    if length < 2 {
        push_groups(out, &groups);
        return;
    }
    push_groups(out, &groups[..start]);
    out.push_str("..");
    push_groups(out, &groups[start + length..]);
}

fn push_groups(out: &mut String, groups: &[u16]) {
    for (i, group) in groups.iter().enumerate() {
        let _ = write!(out, "{}{group:x}", if i > 0 { "." } else { "" });
    }
}

/// RFC 5952 section 4.2.3: the longest run of zero groups, the first of equals.
fn longest_zeros(groups: &[u16; 8]) -> (usize, usize) {
    let mut best = (0, 0);
    for start in 0..8 {
        let length = groups[start..].iter().take_while(|&&group| group == 0).count();
        if length > best.1 {
            best = (start, length);
        }
    }
    best
}

/// Seconds as JavaScript writes the double nearest to them.
fn push_time(out: &mut String, ns: i64) {
    let micros = ns / 1000;
    let seconds = if micros * 1000 == ns {
        micros as f64 / 1e6
    } else {
        (ns / 1_000_000_000) as f64 + (ns % 1_000_000_000) as f64 / 1e9
    };
    // ECMA-262 section 6.1.6.1.20: numbers below 1e-6 have an exponent.
    let _ = if seconds != 0.0 && seconds.abs() < 1e-6 { write!(out, "{seconds:e}") } else { write!(out, "{seconds}") };
}

#[cfg(test)]
mod tests {
    use super::LabelParts;

    fn label(version: u8, src: &[u8], first_ns: i64) -> String {
        let mut address = [0; 16];
        address[..src.len()].copy_from_slice(src);
        LabelParts { version, src: address, dst: address, ports: (1, 65_535), first_ns }.label()
    }

    #[test]
    fn label_of_ipv4() {
        assert_eq!(label(4, &[192, 0, 2, 1], 1_500_000_000_012_500_000), "192.0.2.1_1-192.0.2.1_65535-1500000000.0125");
        assert_eq!(label(4, &[0, 0, 0, 0], 0), "0.0.0.0_1-0.0.0.0_65535-0");
        assert_eq!(label(4, &[0, 0, 0, 0], 7_000_000_000), "0.0.0.0_1-0.0.0.0_65535-7");
        assert_eq!(label(4, &[0, 0, 0, 0], -1_500_000_000), "0.0.0.0_1-0.0.0.0_65535--1.5");
        assert_eq!(label(4, &[0, 0, 0, 0], 100), "0.0.0.0_1-0.0.0.0_65535-1e-7");
    }

    #[test]
    fn label_of_ipv6_has_no_colon() {
        assert_eq!(label(6, &[0x20, 1, 0xd, 0xb8], 1), "2001.db8.._1-2001.db8.._65535-1e-9");
        assert_eq!(label(6, &[], 0), ".._1-.._65535-0");
        let spread = [0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0];
        assert_eq!(label(6, &spread, 0), "1.0.1.0.1.0.1.0_1-1.0.1.0.1.0.1.0_65535-0");
    }
}
