//! From a frame to its IP datagram and TCP segment, borrowed from the block it lies in.
//!
//! ```text
//! frame → link (our own walk) → ip (etherparse) → tcp (etherparse)
//! ```
//!
//! A packet that can't be decoded is a [`Drop`] reason, counted and never fatal. A packet cut by the snapshot length
//! is decoded as far as it goes.

pub mod checksum;
pub mod defrag;
mod encap;
mod ip;
mod link;
pub mod options;
mod tcp;

pub use encap::{EncapId, EncapTable, Layer, LayerKind, Layers};
pub use ip::{Datagram, Fragment};
pub use tcp::{Segment, flags};

use crate::capture::LinkType;

/// Why a packet gave no datagram. Each has a counter of the same name in the statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Drop {
    /// The link layer carries something else than IP (ARP, LLDP, …).
    NonIp,
    /// A link type this crate doesn't know.
    UnknownLink,
    /// Captured octets end inside the link-layer or IP header.
    Cut,
    /// A header contradicts itself.
    Broken,
}

/// Upper-layer protocol numbers this crate looks into.
pub mod proto {
    /// ICMP (RFC 792).
    pub const ICMP: u8 = 1;
    /// TCP (RFC 9293).
    pub const TCP: u8 = 6;
    /// UDP (RFC 768).
    pub const UDP: u8 = 17;
    /// ICMPv6 (RFC 4443).
    pub const ICMPV6: u8 = 58;
    /// SCTP (RFC 9260).
    pub const SCTP: u8 = 132;
    /// UDP-Lite (RFC 3828).
    pub const UDPLITE: u8 = 136;

    /// The protocol's header begins with source and destination port.
    #[inline]
    #[must_use]
    pub fn has_ports(proto: u8) -> bool {
        matches!(proto, TCP | UDP | SCTP | UDPLITE)
    }
}

/// Decodes frames; holds what must be remembered from one to the next.
#[derive(Debug, Default)]
pub struct Decoder {
    layers: Layers,
    encaps: EncapTable,
}

impl Decoder {
    /// The datagram in `frame`.
    ///
    /// # Errors
    /// The reason why there is none.
    #[inline]
    pub fn decode<'a>(&mut self, link: LinkType, frame: &'a [u8]) -> Result<Datagram<'a>, Drop> {
        self.layers.clear();
        let offset = link::network_layer(link, frame, &mut self.layers)?;
        let encap = self.encaps.intern(&self.layers);
        ip::parse(frame, offset, encap)
    }

    /// What stands behind the identities that datagrams carry.
    #[must_use]
    pub fn encaps(&self) -> &EncapTable {
        &self.encaps
    }
}

/// The IP packet that an ICMP error quotes, as far as it is quoted.
#[must_use]
pub fn quoted_datagram(quote: &[u8]) -> Option<Datagram<'_>> {
    ip::parse(quote, 0, EncapId(0)).ok()
}
