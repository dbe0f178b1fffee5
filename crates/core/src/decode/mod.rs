//! From a frame to its IP datagram and TCP segment, borrowed from the block it lies in.
//!
//! ```text
//! frame → link (our own walk) → ip (etherparse) → [defrag] → [tunnel → link → ip → …] → tcp (etherparse)
//! ```
//!
//! Plain datagrams take the short way ([`Decoder::decode`]); what needs memory or a closer look goes through [`walk`].
//!
//! A packet that can't be decoded is a [`Drop`] reason, counted and never fatal. A packet cut by the snapshot length
//! is decoded as far as it goes.

pub mod checksum;
pub mod defrag;
mod encap;
mod ip;
mod link;
pub mod options;
mod settings;
mod tcp;
#[cfg(test)]
mod tests;
mod tunnel;
mod walk;

pub use encap::{EncapId, EncapTable, Layer, LayerKind, Layers, PeerTable};
pub use ip::{Datagram, Fragment, PlainIp};
pub use link::UnknownLinks;
pub use settings::DecodeOptions;
pub use tcp::{Segment, flags};

use crate::capture::Packet;
use checksum::ChecksumMode;
use defrag::{Defragmenter, FragmentStats};

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
    /// A fragment whose datagram is not complete, or one that was refused: see [`FragmentStats`].
    Fragment,
    /// A checksum is bad and [`ChecksumMode::Drop`] was asked for.
    Checksum,
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

/// Does something with the IP packet of a plain one that was captured whole and has no extension headers, and with the
/// place where it begins in the frame. A macro, so that it is compiled for each version: the packet then is in registers,
/// or is written once, where it stays. Copying it took longer than all the rest of decoding (measured).
macro_rules! if_plain {
    ($plain:expr, $packet:expr, $frame:expr, |$ip:ident, $offset:ident| $take:expr) => {
        match $plain.ip($packet, $frame) {
            Some((4, $offset)) => {
                if let Some($ip) = $crate::decode::PlainIp::v4(&$frame[$offset..])
                    && $plain.takes(&$ip)
                {
                    $take
                }
            }
            Some((6, $offset)) => {
                if let Some($ip) = $crate::decode::PlainIp::v6(&$frame[$offset..])
                    && $plain.takes(&$ip)
                {
                    $take
                }
            }
            _ => {}
        }
    };
}
pub(crate) use if_plain;

/// Decodes frames; holds what must be remembered from one to the next.
#[derive(Debug, Default)]
pub struct Decoder {
    options: DecodeOptions,
    layers: Layers,
    encaps: EncapTable,
    peers: PeerTable,
    defragmenter: Defragmenter,
    /// Upper layers of reassembled datagrams: of the outer one, and of one tunnelled in it.
    buffers: [Vec<u8>; 2],
    unknown_links: UnknownLinks,
    bad_checksums: u64,
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    #[must_use]
    pub fn new(options: DecodeOptions) -> Self {
        Self { options, defragmenter: Defragmenter::new(options.fragments), ..Self::default() }
    }

    /// The datagram that `packet`, whose octets are `frame`, carries or completes.
    ///
    /// # Errors
    /// The reason why there is none.
    #[inline(always)]
    pub fn decode<'a>(&'a mut self, packet: &Packet, frame: &'a [u8]) -> Result<Datagram<'a>, Drop> {
        let plain = self.plain();
        if_plain!(plain, packet, frame, |ip, offset| return Ok(ip.datagram(offset, EncapId(0))));
        self.decode_any(packet, frame)
    }

    /// [`Self::decode`] of a packet that [`PlainDecoder::takes`] says no to, or that was not captured whole.
    ///
    /// # Errors
    /// The reason why there is no datagram.
    #[inline(never)]
    pub fn decode_any<'a>(&'a mut self, packet: &Packet, frame: &'a [u8]) -> Result<Datagram<'a>, Drop> {
        self.layers.clear();
        let offset = match link::network_layer(packet.link, frame, &mut self.layers) {
            Ok(offset) => offset,
            Err(reason) => return Err(self.without_network_layer(packet, reason)),
        };
        let outer = self.encaps.intern(&self.layers);
        let parsed = match outer {
            EncapId(0) => ip::parse(frame, offset, outer),
            _ => self.parse_wrapped(frame, offset, outer),
        };
        match parsed {
            Ok(datagram) if self.plain().leaves(&datagram) => self.decode_on(packet, datagram),
            plain => plain,
        }
    }

    /// What decodes plain packets, which takes no memory of earlier ones.
    #[must_use]
    pub fn plain(&self) -> PlainDecoder {
        PlainDecoder { decap: self.options.decap, checks: self.options.checksum.checks() }
    }

    /// The IP packet at `offset`, around which lies something that may know better where it ends.
    fn parse_wrapped<'a>(&self, frame: &'a [u8], offset: usize, outer: EncapId) -> Result<Datagram<'a>, Drop> {
        match link::pppoe_end(frame, offset, &self.layers) {
            Some(end) => ip::parse_within(&frame[..end], offset, outer),
            None => ip::parse(frame, offset, outer),
        }
    }

    #[cold]
    fn without_network_layer(&mut self, packet: &Packet, reason: Drop) -> Drop {
        if reason == Drop::UnknownLink {
            self.unknown_links.count(packet.link);
        }
        reason
    }

    /// What is left to do for a datagram that isn't plain: tunnels, fragments, checksums.
    #[inline(never)]
    fn decode_on<'a>(&'a mut self, packet: &Packet, datagram: Datagram<'a>) -> Result<Datagram<'a>, Drop> {
        let Self { options, layers, encaps, peers, defragmenter, buffers: [first, second], .. } = self;
        let context = tunnel::Context { layers, peers };
        let mut walk = walk::Walk::new(options, packet, context, encaps, defragmenter);
        let outermost = walk.innermost(datagram);
        let datagram = walk.whole(outermost, first).and_then(|datagram| walk.whole(datagram, second));
        let bad = walk.is_bad(datagram.as_ref().ok());
        let encap = walk.encap();
        self.bad_checksums += u64::from(bad);
        if bad && options.checksum == ChecksumMode::Drop {
            return Err(Drop::Checksum);
        }
        datagram.map(|datagram| Datagram { outer: encap, ..datagram })
    }

    /// What stands behind the identities that datagrams carry.
    #[must_use]
    pub fn encaps(&self) -> &EncapTable {
        &self.encaps
    }

    /// What lies around a datagram as words that mean the same in every run; none for [`EncapTable::OVERFLOW`].
    pub(crate) fn encap_words(&self, encap: EncapId) -> impl Iterator<Item = u64> + '_ {
        self.encaps.layers(encap).copied().into_iter().flat_map(|layers| layers.words(&self.peers))
    }

    /// Counters of fragments.
    #[must_use]
    pub fn fragment_stats(&self) -> &FragmentStats {
        self.defragmenter.stats()
    }

    /// Which datagram the latest fragment belongs to, refused or not. Ask it where the latest packet gave
    /// [`Drop::Fragment`].
    #[must_use]
    pub fn fragment_key(&self) -> Option<defrag::FragmentKey> {
        self.defragmenter.last_key()
    }

    /// Number of the datagram that the latest fragment belongs to, from 1; 0 where it was refused. Ask it where the latest
    /// packet gave [`Drop::Fragment`] or was reassembled.
    #[must_use]
    pub fn last_datagram(&self) -> u64 {
        self.defragmenter.last_serial()
    }

    /// Datagrams of which fragments are missing now.
    #[must_use]
    pub fn pending_datagrams(&self) -> usize {
        self.defragmenter.pending()
    }

    /// Packets with a bad checksum; 0 where checksums are ignored.
    #[must_use]
    pub fn bad_checksums(&self) -> u64 {
        self.bad_checksums
    }

    /// Packets by unknown link type.
    #[must_use]
    pub fn unknown_links(&self) -> &UnknownLinks {
        &self.unknown_links
    }
}

/// Decodes packets that need no memory of earlier ones, on any thread.
#[derive(Clone, Copy, Debug)]
pub struct PlainDecoder {
    decap: bool,
    checks: bool,
}

impl PlainDecoder {
    /// The datagram of a plain packet: Ethernet with nothing between it and IP, and nothing to be remembered or checked.
    /// `None` says nothing: [`Decoder::decode`] knows.
    #[must_use]
    pub fn decode<'a>(self, packet: &Packet, frame: &'a [u8]) -> Option<Datagram<'a>> {
        let offset = link::plain_ethernet(packet.link, frame)?;
        ip::parse(frame, offset, EncapId(0)).ok().filter(|datagram| !self.leaves(datagram))
    }

    /// Where the IP header begins in a plain packet's frame, and its version.
    #[inline(always)]
    #[must_use]
    pub fn ip(self, packet: &Packet, frame: &[u8]) -> Option<(u8, usize)> {
        let offset = link::plain_ethernet(packet.link, frame)?;
        Some((frame.get(offset)? >> 4, offset))
    }

    /// [`PlainDecoder::decode`] takes the packet.
    #[inline(always)]
    #[must_use]
    pub fn takes(self, ip: &PlainIp<'_>) -> bool {
        !(self.checks || self.decap && tunnel::is_candidate(ip.proto, || ip.ports()))
    }

    /// A fragment, perhaps a tunnel's, or checksums are asked for.
    #[inline]
    fn leaves(self, datagram: &Datagram<'_>) -> bool {
        let may_hold_tunnel = self.decap && tunnel::is_candidate(datagram.proto, || datagram.ports());
        datagram.fragment != Fragment::Whole || may_hold_tunnel || self.checks
    }
}

/// The IP packet that an ICMP error quotes, as far as it is quoted.
#[must_use]
pub fn quoted_datagram(quote: &[u8]) -> Option<Datagram<'_>> {
    ip::parse(quote, 0, EncapId(0)).ok()
}
