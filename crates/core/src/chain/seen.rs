//! What a chain gets to see of one packet: the datagram, its segment, and which way it goes.

use crate::decode::{Datagram, Fragment, Segment, flags, proto};
use crate::flow::Direction;

/// One packet of a flow, as chains see it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The IP packet.
    pub datagram: &'a Datagram<'a>,
    /// Its TCP segment, where there is a sound one.
    pub segment: Option<&'a Segment<'a>>,
    /// Its direction in the flow.
    pub direction: Direction,
}

/// What part a packet has in its flow, as the chains that look at IP headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A TCP segment with SYN.
    Syn,
    /// A TCP segment with payload, or no TCP segment at all.
    Data,
    /// A TCP segment without SYN and payload.
    Bare,
}

/// A UDP datagram (RFC 768), as far as it was captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Udp<'a> {
    pub checksum: u16,
    pub payload: &'a [u8],
}

impl<'a> Seen<'a> {
    pub(super) fn role(&self) -> Role {
        match self.segment {
            Some(segment) if segment.has(flags::SYN) => Role::Syn,
            Some(segment) if segment.payload_len == 0 => Role::Bare,
            _ => Role::Data,
        }
    }

    /// The UDP datagram, where there is one whose header was captured.
    pub(super) fn udp(&self) -> Option<Udp<'a>> {
        let datagram = self.datagram;
        if datagram.proto != proto::UDP || datagram.fragment == Fragment::Later {
            return None;
        }
        let (header, rest) = datagram.upper.split_first_chunk::<8>()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        // RFC 768: the length counts the header. RFC 2675 section 4: 0 in a jumbogram.
        let payload = if length >= 8 { &rest[..rest.len().min(length - 8)] } else { rest };
        Some(Udp { checksum: u16::from_be_bytes([header[6], header[7]]), payload })
    }

    /// Type of the ICMP (for IPv4) or ICMPv6 (for IPv6) message, where there is one.
    pub(super) fn icmp_type(&self) -> Option<u8> {
        let datagram = self.datagram;
        let own = if datagram.version == 4 { proto::ICMP } else { proto::ICMPV6 };
        if datagram.proto != own || datagram.fragment == Fragment::Later {
            return None;
        }
        datagram.upper.first().copied()
    }
}
