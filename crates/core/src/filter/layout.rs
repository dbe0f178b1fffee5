//! Where the headers lie, for each kind of link layer; `vlan`, `mpls` and `pppoes` move them while compiling.

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
    /// All others: only lengths and `link[…]` can be asked for.
    Other,
}

/// All kinds, in the order of their numbers.
pub(super) const KINDS: [LinkKind; 11] = [
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
            _ => Self::Other,
        }
    }
}

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
}

impl Layout {
    pub(super) fn new(kind: LinkKind) -> Self {
        let (link_type, payload) = match kind {
            LinkKind::Ethernet => (12, 14),
            LinkKind::Null | LinkKind::Loop => (0, 4),
            LinkKind::Sll => (14, 16),
            LinkKind::Sll2 => (0, 20),
            LinkKind::Ppp | LinkKind::Chdlc => (2, 4),
            LinkKind::Raw | LinkKind::RawV4 | LinkKind::RawV6 | LinkKind::Other => (0, 0),
        };
        Self { kind, header: 0, link_type, payload, labels: 0 }
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
        *self = Self { kind: LinkKind::Ppp, header, link_type: header, payload: header.saturating_add(2), labels: 0 };
    }
}
