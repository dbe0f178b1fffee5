//! IPv4 and IPv6 headers, extension headers included. The one place where etherparse reads them.

use etherparse::{Ipv4Slice, Ipv6Slice, LaxIpv4Slice, LaxIpv6Slice};

use super::Drop;
use super::encap::EncapId;

/// What part of a datagram a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// All of it.
    Whole,
    /// The first fragment: the upper-layer header is there.
    First,
    /// A later fragment: no upper-layer header.
    Later,
}

/// One IP packet, borrowed from its frame.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// 4 or 6.
    pub version: u8,
    /// Upper-layer protocol, after extension headers.
    pub proto: u8,
    /// IPv4 TOS or IPv6 traffic class (RFC 2474: DSCP in the upper six bits, RFC 3168: ECN in the lower two).
    pub traffic_class: u8,
    /// Whole or fragment.
    pub fragment: Fragment,
    /// Source address; IPv4 in the first four octets, the rest zero.
    pub src: [u8; 16],
    /// Destination address, likewise.
    pub dst: [u8; 16],
    /// Octets from the start of the frame to the IP header.
    pub ip_offset: u32,
    /// Octets of the IP packet by its header; captured octets where the header says 0 (segmentation offload).
    pub ip_len: u32,
    /// What is captured of the IP header and everything behind it (link-layer padding taken off).
    pub packet: &'a [u8],
    /// What is captured of the upper layer.
    pub upper: &'a [u8],
    /// Octets from the start of the frame to the upper layer.
    pub upper_offset: u32,
    /// Octets of the upper layer by the IP header; more than `upper.len()` where the packet is cut.
    pub upper_len: u32,
    /// VLANs and tunnels around the packet.
    pub encap: EncapId,
}

impl Datagram<'_> {
    /// Source and destination port, where the protocol has them and they were captured.
    #[inline]
    #[must_use]
    pub fn ports(&self) -> Option<(u16, u16)> {
        if !super::proto::has_ports(self.proto) || self.fragment == Fragment::Later {
            return None;
        }
        let word = self.upper.first_chunk::<4>()?;
        Some((u16::from_be_bytes([word[0], word[1]]), u16::from_be_bytes([word[2], word[3]])))
    }
}

/// Parses the IP packet at `offset` in `frame`.
///
/// # Errors
/// [`Drop::Cut`] where the header isn't all there, [`Drop::Broken`] where it contradicts itself.
#[inline]
pub fn parse(frame: &[u8], offset: usize, encap: EncapId) -> Result<Datagram<'_>, Drop> {
    let bytes = frame.get(offset..).ok_or(Drop::Cut)?;
    match bytes.first().ok_or(Drop::Cut)? >> 4 {
        4 => v4(bytes, offset, encap),
        6 => v6(bytes, offset, encap),
        _ => Err(Drop::Broken),
    }
}

#[inline]
fn v4(bytes: &[u8], offset: usize, encap: EncapId) -> Result<Datagram<'_>, Drop> {
    let Ok(slice) = Ipv4Slice::from_slice(bytes) else { return v4_lax(bytes, offset, encap) };
    let header = slice.header();
    let payload = slice.payload();
    let fragment = match (payload.fragmented, header.fragments_offset().value()) {
        (false, _) => Fragment::Whole,
        (true, 0) => Fragment::First,
        (true, _) => Fragment::Later,
    };
    let total = usize::from(header.total_len());
    let upper_at = total - payload.payload.len();
    Ok(Datagram {
        version: 4,
        proto: payload.ip_number.0,
        traffic_class: bytes[1],
        fragment,
        src: widen(header.source()),
        dst: widen(header.destination()),
        ip_offset: offset as u32,
        ip_len: total as u32,
        packet: &bytes[..total],
        upper: payload.payload,
        upper_offset: (offset + upper_at) as u32,
        upper_len: payload.payload.len() as u32,
        encap,
    })
}

/// The packet is cut, or its length field is 0 (segmentation offload) or too small.
#[cold]
fn v4_lax(bytes: &[u8], offset: usize, encap: EncapId) -> Result<Datagram<'_>, Drop> {
    if bytes.len() < 20 {
        return Err(Drop::Cut);
    }
    let (slice, _) = LaxIpv4Slice::from_slice(bytes).map_err(|_| lax_v4_reason(bytes))?;
    let header = slice.header();
    let payload = slice.payload();
    let header_len = header.slice().len();
    let claimed = usize::from(header.total_len());
    if claimed != 0 && claimed < header_len {
        return Err(Drop::Broken);
    }
    let total = if claimed == 0 { bytes.len() } else { claimed };
    let upper = payload.payload;
    let upper_at = distance(bytes, upper);
    Ok(Datagram {
        version: 4,
        proto: payload.ip_number.0,
        traffic_class: bytes[1],
        fragment: match (payload.fragmented, header.fragments_offset().value()) {
            (false, _) => Fragment::Whole,
            (true, 0) => Fragment::First,
            (true, _) => Fragment::Later,
        },
        src: widen(header.source()),
        dst: widen(header.destination()),
        ip_offset: offset as u32,
        ip_len: total as u32,
        packet: &bytes[..total.min(bytes.len())],
        upper,
        upper_offset: (offset + upper_at) as u32,
        upper_len: total.saturating_sub(upper_at) as u32,
        encap,
    })
}

/// Options cut away by the snapshot length, or an impossible header length.
fn lax_v4_reason(bytes: &[u8]) -> Drop {
    let header_len = usize::from(bytes[0] & 0x0f) * 4;
    if header_len >= 20 && header_len > bytes.len() { Drop::Cut } else { Drop::Broken }
}

#[inline]
fn v6(bytes: &[u8], offset: usize, encap: EncapId) -> Result<Datagram<'_>, Drop> {
    let Ok(slice) = Ipv6Slice::from_slice(bytes) else { return v6_lax(bytes, offset, encap) };
    let header = slice.header();
    let payload = slice.payload();
    let total = match header.payload_length() {
        // RFC 2675 jumbograms and segmentation offload leave the length field 0.
        0 => bytes.len(),
        n => 40 + usize::from(n),
    };
    let upper_at = distance(bytes, payload.payload);
    Ok(Datagram {
        version: 6,
        proto: payload.ip_number.0,
        traffic_class: header.traffic_class(),
        fragment: v6_fragment(bytes, payload.fragmented),
        src: header.source(),
        dst: header.destination(),
        ip_offset: offset as u32,
        ip_len: total as u32,
        packet: &bytes[..total.min(bytes.len())],
        upper: payload.payload,
        upper_offset: (offset + upper_at) as u32,
        upper_len: payload.payload.len() as u32,
        encap,
    })
}

#[cold]
fn v6_lax(bytes: &[u8], offset: usize, encap: EncapId) -> Result<Datagram<'_>, Drop> {
    if bytes.len() < 40 {
        return Err(Drop::Cut);
    }
    let (slice, _) = LaxIpv6Slice::from_slice(bytes).map_err(|_| Drop::Broken)?;
    let header = slice.header();
    let payload = slice.payload();
    let total = match usize::from(header.payload_length()) {
        0 => bytes.len(),
        n => 40 + n,
    };
    let upper = payload.payload;
    let upper_at = distance(bytes, upper);
    Ok(Datagram {
        version: 6,
        proto: payload.ip_number.0,
        traffic_class: header.traffic_class(),
        fragment: v6_fragment(bytes, payload.fragmented),
        src: header.source(),
        dst: header.destination(),
        ip_offset: offset as u32,
        ip_len: total as u32,
        packet: &bytes[..total.min(bytes.len())],
        upper,
        upper_offset: (offset + upper_at) as u32,
        upper_len: total.saturating_sub(upper_at) as u32,
        encap,
    })
}

/// First or later fragment: etherparse only says whether the payload is a fragment.
fn v6_fragment(bytes: &[u8], fragmented: bool) -> Fragment {
    if !fragmented {
        return Fragment::Whole;
    }
    match fragment_header(bytes) {
        Some(at) if u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]) >> 3 == 0 => Fragment::First,
        _ => Fragment::Later,
    }
}

/// Where the IPv6 fragment header lies (RFC 8200 section 4.5), behind headers that may precede it.
fn fragment_header(bytes: &[u8]) -> Option<usize> {
    let (mut next, mut at) = (*bytes.get(6)?, 40);
    loop {
        match next {
            44 => return (bytes.len() >= at + 8).then_some(at),
            0 | 43 | 60 => {
                let len = (usize::from(*bytes.get(at + 1)?) + 1) * 8;
                next = *bytes.get(at)?;
                at += len;
            }
            _ => return None,
        }
    }
}

/// Octets from the start of `whole` to `part`, which is a part of it.
#[inline]
fn distance(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize)
}

#[inline]
fn widen(address: [u8; 4]) -> [u8; 16] {
    let [a, b, c, d] = address;
    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}
