//! IPv4 and IPv6 headers, extension headers included. The one place where etherparse reads them.

use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv4Slice, Ipv6HeaderSlice, Ipv6Slice, LaxIpv4Slice, LaxIpv6Slice};

use super::Drop;
use super::encap::EncapId;

/// Octets of an IPv4 header without options (RFC 791 section 3.1).
const V4_HEADER_LEN: usize = 20;
/// Octets of an IPv6 header (RFC 8200 section 3).
const V6_HEADER_LEN: usize = 40;

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
    /// Octets from the start of the frame to the IP header; see [`Datagram::reassembled`].
    pub ip_offset: u32,
    /// Octets of the IP packet by its header; captured octets where the header says 0 (segmentation offload).
    pub ip_len: u32,
    /// What is captured of the IP header and everything behind it (link-layer padding taken off).
    pub packet: &'a [u8],
    /// What is captured of the upper layer.
    pub upper: &'a [u8],
    /// Octets from the start of the frame to the upper layer; see [`Datagram::reassembled`].
    pub upper_offset: u32,
    /// Octets of the upper layer by the IP header; more than `upper.len()` where the packet is cut.
    pub upper_len: u32,
    /// IP packets that the datagram came in: 1, or its fragments.
    pub packets: u32,
    /// Octets of those IP packets by their headers: `ip_len`, or the sum over all fragments.
    pub octets: u32,
    /// The upper layer lies in a buffer of its own, not in the frame. `upper_offset` then is 0, and the offsets of a
    /// datagram tunnelled in it count from the buffer's start.
    pub reassembled: bool,
    /// Number of the fragmented datagram, from 1; 0 where it came in one packet.
    pub serial: u64,
    /// VLANs and tunnels around the packet.
    pub outer: EncapId,
}

impl Datagram<'_> {
    /// Source and destination port, where the protocol has them and they were captured.
    #[inline]
    #[must_use]
    pub fn ports(&self) -> Option<(u16, u16)> {
        if self.fragment == Fragment::Later { None } else { ports(self.proto, self.upper) }
    }
}

#[inline(always)]
fn ports(proto: u8, upper: &[u8]) -> Option<(u16, u16)> {
    if !super::proto::has_ports(proto) {
        return None;
    }
    let word = upper.first_chunk::<4>()?;
    Some((u16::from_be_bytes([word[0], word[1]]), u16::from_be_bytes([word[2], word[3]])))
}

/// An IP packet that is all there, in one piece and without extension headers: what isn't the same for all of those.
/// Most packets are; made inline of one version, nothing of it goes through memory.
#[derive(Clone, Copy, Debug)]
pub struct PlainIp<'a> {
    /// 4 or 6.
    pub version: u8,
    /// Upper-layer protocol.
    pub proto: u8,
    /// As in [`Datagram`].
    pub traffic_class: u8,
    /// IP header and everything behind it, link-layer padding taken off.
    pub packet: &'a [u8],
    /// The upper layer.
    pub upper: &'a [u8],
}

impl<'a> PlainIp<'a> {
    /// The IPv4 packet at the head of `bytes`; `None` says nothing.
    #[inline(always)]
    #[must_use]
    pub fn v4(bytes: &'a [u8]) -> Option<Self> {
        let header = Ipv4HeaderSlice::from_slice(bytes).ok()?;
        let proto = header.protocol();
        let packet = bytes.get(..usize::from(header.total_len()))?;
        let upper = packet.get(header.slice().len()..)?;
        if header.is_fragmenting_payload() || proto == IpNumber::AUTHENTICATION_HEADER {
            return None;
        }
        Some(Self { version: 4, proto: proto.0, traffic_class: bytes[1], packet, upper })
    }

    /// The IPv6 packet at the head of `bytes`; `None` says nothing.
    #[inline(always)]
    #[must_use]
    pub fn v6(bytes: &'a [u8]) -> Option<Self> {
        let header = Ipv6HeaderSlice::from_slice(bytes).ok()?;
        let proto = header.next_header();
        // RFC 2675 jumbograms and segmentation offload leave the length field 0.
        let len = usize::from(header.payload_length());
        if proto.is_ipv6_ext_header_value() || len == 0 {
            return None;
        }
        let packet = bytes.get(..V6_HEADER_LEN + len)?;
        let upper = &packet[V6_HEADER_LEN..];
        Some(Self { version: 6, proto: proto.0, traffic_class: header.traffic_class(), packet, upper })
    }

    /// Source and destination, as in [`Datagram`]. Read where they are wanted: kept here they would be written in one size
    /// and read in another, for which the processor waits.
    #[inline(always)]
    #[must_use]
    pub fn addresses(&self) -> ([u8; 16], [u8; 16]) {
        let addresses = if self.version == 4 { self.addresses_v4() } else { self.addresses_v6() };
        // The header is all there.
        addresses.unwrap_or_default()
    }

    #[inline(always)]
    fn addresses_v4(&self) -> Option<([u8; 16], [u8; 16])> {
        let [.., a, b, c, d, e, f, g, h] = *self.packet.first_chunk::<V4_HEADER_LEN>()?;
        Some((widen([a, b, c, d]), widen([e, f, g, h])))
    }

    #[inline(always)]
    fn addresses_v6(&self) -> Option<([u8; 16], [u8; 16])> {
        let addresses = &self.packet.first_chunk::<V6_HEADER_LEN>()?[8..];
        Some((*addresses.first_chunk()?, *addresses.last_chunk()?))
    }

    /// As [`Datagram::ports`].
    #[inline(always)]
    #[must_use]
    pub fn ports(&self) -> Option<(u16, u16)> {
        ports(self.proto, self.upper)
    }

    /// The datagram, whose header stands at `offset` in its frame.
    #[inline(always)]
    pub fn datagram(&self, offset: usize, outer: EncapId) -> Datagram<'a> {
        let &Self { version, proto, traffic_class, packet, upper } = self;
        let (src, dst) = self.addresses();
        let ip_len = packet.len() as u32;
        Datagram {
            version,
            proto,
            traffic_class,
            fragment: Fragment::Whole,
            src,
            dst,
            ip_offset: offset as u32,
            ip_len,
            packet,
            upper,
            upper_offset: (offset + packet.len() - upper.len()) as u32,
            upper_len: upper.len() as u32,
            packets: 1,
            octets: ip_len,
            reassembled: false,
            serial: 0,
            outer,
        }
    }
}

/// Parses the IP packet at `offset` in `frame`, around which lies what `outer` stands for.
///
/// # Errors
/// [`Drop::Cut`] where the header isn't all there, [`Drop::Broken`] where it contradicts itself.
#[inline(always)]
pub fn parse(frame: &[u8], offset: usize, outer: EncapId) -> Result<Datagram<'_>, Drop> {
    let bytes = frame.get(offset..).ok_or(Drop::Cut)?;
    match bytes.first().ok_or(Drop::Cut)? >> 4 {
        4 => v4(bytes, offset, outer),
        6 => v6(bytes, offset, outer),
        _ => Err(Drop::Broken),
    }
}

/// [`parse`] where the layer around says that `frame` is all there was on the wire: an IP header that claims more
/// isn't believed.
pub fn parse_within(frame: &[u8], offset: usize, outer: EncapId) -> Result<Datagram<'_>, Drop> {
    let mut datagram = parse(frame, offset, outer)?;
    datagram.ip_len = datagram.ip_len.min(datagram.packet.len() as u32);
    datagram.octets = datagram.ip_len;
    datagram.upper_len = datagram.upper_len.min(datagram.upper.len() as u32);
    Ok(datagram)
}

#[inline]
fn v4(bytes: &[u8], offset: usize, outer: EncapId) -> Result<Datagram<'_>, Drop> {
    if let Some(plain) = PlainIp::v4(bytes) {
        return Ok(plain.datagram(offset, outer));
    }
    v4_whole(bytes, offset, outer).map_or_else(|| v4_lax(bytes, offset, outer), Ok)
}

/// Also a fragment, or with an authentication header.
fn v4_whole(bytes: &[u8], offset: usize, outer: EncapId) -> Option<Datagram<'_>> {
    let slice = Ipv4Slice::from_slice(bytes).ok()?;
    let header = slice.header();
    let payload = slice.payload();
    let fragment = match (payload.fragmented, header.fragments_offset().value()) {
        (false, _) => Fragment::Whole,
        (true, 0) => Fragment::First,
        (true, _) => Fragment::Later,
    };
    let total = usize::from(header.total_len());
    let upper_at = total - payload.payload.len();
    Some(Datagram {
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
        packets: 1,
        octets: total as u32,
        reassembled: false,
        serial: 0,
        outer,
    })
}

/// The packet is cut, or its length field is 0 (segmentation offload) or too small.
#[cold]
fn v4_lax(bytes: &[u8], offset: usize, outer: EncapId) -> Result<Datagram<'_>, Drop> {
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
        packets: 1,
        octets: total as u32,
        reassembled: false,
        serial: 0,
        outer,
    })
}

/// Options cut away by the snapshot length, or an impossible header length.
fn lax_v4_reason(bytes: &[u8]) -> Drop {
    let header_len = usize::from(bytes[0] & 0x0f) * 4;
    if header_len >= 20 && header_len > bytes.len() { Drop::Cut } else { Drop::Broken }
}

#[inline]
fn v6(bytes: &[u8], offset: usize, outer: EncapId) -> Result<Datagram<'_>, Drop> {
    if let Some(plain) = PlainIp::v6(bytes) {
        return Ok(plain.datagram(offset, outer));
    }
    v6_whole(bytes, offset, outer).map_or_else(|| v6_lax(bytes, offset, outer), Ok)
}

/// Also with extension headers, or with a length field of 0.
fn v6_whole(bytes: &[u8], offset: usize, outer: EncapId) -> Option<Datagram<'_>> {
    let slice = Ipv6Slice::from_slice(bytes).ok()?;
    let header = slice.header();
    let payload = slice.payload();
    let total = match header.payload_length() {
        // RFC 2675 jumbograms and segmentation offload leave the length field 0.
        0 => bytes.len(),
        n => V6_HEADER_LEN + usize::from(n),
    };
    let upper_at = distance(bytes, payload.payload);
    Some(Datagram {
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
        packets: 1,
        octets: total as u32,
        reassembled: false,
        serial: 0,
        outer,
    })
}

#[cold]
fn v6_lax(bytes: &[u8], offset: usize, outer: EncapId) -> Result<Datagram<'_>, Drop> {
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
        packets: 1,
        octets: total as u32,
        reassembled: false,
        serial: 0,
        outer,
    })
}

/// Where a fragment belongs in its datagram.
#[derive(Clone, Copy, Debug)]
pub struct FragmentPart<'a> {
    /// Identification: 16 bits of IPv4, 32 of IPv6.
    pub id: u32,
    /// Offset in octets.
    pub offset: u32,
    /// More fragments follow.
    pub more: bool,
    /// The first header of the fragmented part: an upper layer or an extension header.
    pub proto: u8,
    /// What was captured of the fragmented part.
    pub payload: &'a [u8],
}

/// The fragment that `datagram` is.
pub fn fragment_part<'a>(datagram: &Datagram<'a>) -> Option<FragmentPart<'a>> {
    let packet = datagram.packet;
    if datagram.version == 4 {
        let header = packet.first_chunk::<20>()?;
        let word = u16::from_be_bytes([header[6], header[7]]);
        return Some(FragmentPart {
            id: u32::from(u16::from_be_bytes([header[4], header[5]])),
            offset: u32::from(word & 0x1fff) * 8,
            more: word & 0x2000 != 0,
            proto: header[9],
            payload: packet.get(usize::from(header[0] & 0x0f) * 4..)?,
        });
    }
    let (header, payload) = packet.get(fragment_header(packet)?..)?.split_first_chunk::<8>()?;
    let [proto, _, high, low, id @ ..] = *header;
    let word = u16::from_be_bytes([high, low]);
    Some(FragmentPart { id: u32::from_be_bytes(id), offset: u32::from(word & !7), more: word & 1 != 0, proto, payload })
}

/// The upper layer behind extension headers that begin with `proto`: its protocol and what is there of it. Headers
/// that are cut end the walk.
pub fn skip_extensions(proto: u8, payload: &[u8]) -> (u8, &[u8]) {
    let (mut proto, mut rest) = (proto, payload);
    loop {
        let Some(&[next, len]) = rest.first_chunk() else { return (proto, rest) };
        let len = match proto {
            // RFC 8200 sections 4.3, 4.4, 4.6, 4.5; RFC 4302 section 2.2
            0 | 43 | 60 => (usize::from(len) + 1) * 8,
            44 => 8,
            51 => (usize::from(len) + 2) * 4,
            _ => return (proto, rest),
        };
        let Some(behind) = rest.get(len..) else { return (proto, rest) };
        (proto, rest) = (next, behind);
    }
}

/// The header holds a source route (IPv4) or a routing header (IPv6), so `dst` may not be where the packet goes.
pub fn has_source_route(datagram: &Datagram<'_>) -> bool {
    let packet = datagram.packet;
    if datagram.version == 4 {
        let header_len = packet.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
        // RFC 791 section 3.1: loose (131) and strict (137) source route.
        return packet.get(20..header_len).is_some_and(|options| options.iter().any(|o| matches!(o, 131 | 137)));
    }
    let (Some(mut next), mut at) = (packet.get(6).copied(), 40) else { return false };
    while matches!(next, 0 | 44 | 60) {
        let Some(&[following, len]) = packet.get(at..).and_then(|rest| rest.first_chunk()) else { return false };
        at += if next == 44 { 8 } else { (usize::from(len) + 1) * 8 };
        next = following;
    }
    next == 43
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
    // In registers: an array would be written in one size and read in another, for which the processor waits.
    u128::from(u32::from_le_bytes(address)).to_le_bytes()
}
