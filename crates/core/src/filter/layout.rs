//! Where the headers lie, for each kind of link layer; `vlan`, `mpls` and `pppoes` move them while compiling.

use super::program::{INNER_HEADER, INNER_LINK_TYPE, INNER_PAYLOAD};
use crate::capture::LinkType;

/// A kind of link layer that programs are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkKind {
    Ethernet,
    /// IPv4 or IPv6, told apart by the first octet.
    Raw,
    RawV4,
    RawV6,
    /// BSD loopback; the address family may stand in either byte order.
    Null,
    /// OpenBSD loopback.
    Loop,
    Sll,
    Sll2,
    Ppp,
    Chdlc,
    /// PPP as pppd writes it: which way, in the address' place.
    Pppd,
    Ipnet,
    /// OpenBSD's packet filter log. Of this one and those below, only lengths, `link[…]` and the direction can be asked for.
    Pflog,
    Slip,
    /// Juniper's headers.
    Juniper,
    Pktap,
    /// PPP, Cisco HDLC and frame relay behind an octet with the direction.
    Directed,
    /// All others: only lengths and `link[…]` can be asked for.
    Other,
}

/// All kinds, in the order of their numbers.
pub(super) const KINDS: [LinkKind; 18] = [
    LinkKind::Ethernet,
    LinkKind::Raw,
    LinkKind::RawV4,
    LinkKind::RawV6,
    LinkKind::Null,
    LinkKind::Loop,
    LinkKind::Sll,
    LinkKind::Sll2,
    LinkKind::Ppp,
    LinkKind::Chdlc,
    LinkKind::Pppd,
    LinkKind::Ipnet,
    LinkKind::Pflog,
    LinkKind::Slip,
    LinkKind::Juniper,
    LinkKind::Pktap,
    LinkKind::Directed,
    LinkKind::Other,
];

impl LinkKind {
    /// The kind of a capture file's link type.
    #[inline]
    pub(super) fn of(link: LinkType) -> Self {
        match link.0 {
            1 => Self::Ethernet,
            101 => Self::Raw,
            228 => Self::RawV4,
            229 => Self::RawV6,
            0 => Self::Null,
            108 => Self::Loop,
            113 => Self::Sll,
            276 => Self::Sll2,
            9 | 50 => Self::Ppp,
            104 => Self::Chdlc,
            166 => Self::Pppd,
            226 => Self::Ipnet,
            117 => Self::Pflog,
            8 => Self::Slip,
            149 | 258 => Self::Pktap,
            204..=206 => Self::Directed,
            link if JUNIPER.contains(&link) => Self::Juniper,
            _ => Self::Other,
        }
    }

    /// Nothing is known of what the link layer carries.
    pub(super) fn is_opaque(self) -> bool {
        use LinkKind::{Directed, Juniper, Other, Pflog, Pktap, Slip};
        matches!(self, Pflog | Slip | Juniper | Pktap | Directed | Other)
    }
}

/// Link types with one of Juniper's headers, whose fourth octet tells the direction.
const JUNIPER: &[u16] =
    &[130, 131, 132, 133, 134, 135, 136, 137, 164, 167, 168, 178, 179, 180, 181, 183, 194, 200, 232, 233, 234, 238];

/// Where things lie in a packet, in octets from its start, at one point of the expression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub kind: LinkKind,
    /// The link-layer header that `ether[…]` reads.
    pub header: u32,
    /// The field that says what the payload is.
    pub link_type: u32,
    /// What stands behind the link-layer header; LLC, where there is one.
    pub payload: u32,
    /// Octets of MPLS labels between the payload's start and the network layer.
    pub labels: u32,
    /// In a Geneve packet, where there may be no link-layer header.
    pub in_geneve: bool,
}

impl Layout {
    pub(super) fn new(kind: LinkKind) -> Self {
        let (link_type, payload) = match kind {
            LinkKind::Ethernet => (12, 14),
            LinkKind::Null | LinkKind::Loop => (0, 4),
            LinkKind::Sll => (14, 16),
            LinkKind::Sll2 => (0, 20),
            LinkKind::Ppp | LinkKind::Pppd | LinkKind::Chdlc => (2, 4),
            LinkKind::Ipnet => (1, 24),
            _ => (0, 0),
        };
        Self { kind, header: 0, link_type, payload, labels: 0, in_geneve: false }
    }

    /// Where the network layer begins.
    pub(super) fn network(&self) -> u32 {
        self.payload.saturating_add(self.labels)
    }

    /// Behind one more VLAN tag.
    pub(super) fn push_vlan(&mut self) {
        self.link_type = self.link_type.saturating_add(4);
        self.payload = self.payload.saturating_add(4);
    }

    /// Behind one more MPLS label.
    pub(super) fn push_label(&mut self) {
        self.labels = self.labels.saturating_add(4);
    }

    /// Inside a PPPoE session (RFC 2516 §4): six octets of header, then PPP without address and control.
    pub(super) fn push_pppoe(&mut self) {
        let header = self.network().saturating_add(6);
        *self = Self {
            kind: LinkKind::Ppp,
            header,
            link_type: header,
            payload: header.saturating_add(2),
            labels: 0,
            in_geneve: false,
        };
    }

    /// Inside a Geneve packet, which has Ethernet's types with or without its header.
    pub(super) fn push_geneve(&mut self) {
        *self = Self {
            kind: LinkKind::Ethernet,
            header: INNER_HEADER,
            link_type: INNER_LINK_TYPE,
            payload: INNER_PAYLOAD,
            labels: 0,
            in_geneve: true,
        };
    }
}
