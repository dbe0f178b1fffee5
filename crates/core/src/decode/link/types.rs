//! The link types that are decoded (<https://www.tcpdump.org/linktypes.html>), and a count of those that are not.

use crate::capture::LinkType;

macro_rules! link_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        impl LinkType { $($(#[$doc])* pub const $name: Self = Self($number);)* }
    };
}

link_types! {
    /// Token ring.
    TOKEN_RING = 6,
    /// ARCnet, BSD's header.
    ARCNET = 7,
    /// SLIP (RFC 1055), behind the header of 16 octets that BSD's devices write.
    SLIP = 8,
    /// PPP, perhaps in HDLC framing.
    PPP = 9,
    /// FDDI.
    FDDI = 10,
    /// Raw IP: a number that stands in files of some systems.
    RAW_12 = 12,
    /// Raw IP: likewise (OpenBSD).
    RAW_14 = 14,
    /// PPP in HDLC framing (RFC 1662), or Cisco HDLC.
    PPP_HDLC = 50,
    /// PPPoE session frames without Ethernet.
    PPP_ETHER = 51,
    /// ATM with LLC (RFC 2684).
    ATM_RFC1483 = 100,
    /// Cisco HDLC.
    C_HDLC = 104,
    /// IEEE 802.11.
    IEEE802_11 = 105,
    /// Linux classical IP over ATM.
    LINUX_ATM_CLIP = 106,
    /// Frame relay.
    FRELAY = 107,
    /// OpenBSD's IPsec device.
    ENC = 109,
    /// OpenBSD's packet filter log.
    PFLOG = 117,
    /// IEEE 802.11 behind a Prism header.
    IEEE802_11_PRISM = 119,
    /// IP over Fibre Channel (RFC 2625).
    IP_OVER_FC = 122,
    /// ATM on SunOS.
    SUNATM = 123,
    /// IEEE 802.11 behind a radiotap header.
    IEEE802_11_RADIOTAP = 127,
    /// ARCnet, Linux's header.
    ARCNET_LINUX = 129,
    /// IP over IEEE 1394 on Darwin.
    APPLE_IP_OVER_IEEE1394 = 138,
    /// DOCSIS.
    DOCSIS = 143,
    /// A private number, under which Darwin writes PKTAP.
    USER2 = 149,
    /// IEEE 802.11 behind an AVS header.
    IEEE802_11_AVS = 163,
    /// PPP with a direction octet, as pppd writes it.
    PPP_PPPD = 166,
    /// Ethernet behind Juniper's header.
    JUNIPER_ETHER = 178,
    /// Per-packet information before another link type.
    PPI = 192,
    /// PPP with a direction octet.
    PPP_WITH_DIR = 204,
    /// Cisco HDLC with a direction octet.
    C_HDLC_WITH_DIR = 205,
    /// Frame relay with a direction octet.
    FRELAY_WITH_DIR = 206,
    /// Solaris IP observation.
    IPNET = 226,
    /// Linux netfilter log.
    NFLOG = 239,
    /// IP over InfiniBand.
    IPOIB = 242,
    /// Darwin's per-process header before another link type.
    PKTAP = 258,
    /// Ethernet with preamble (IEEE 802.3br).
    ETHERNET_MPACKET = 274,
}

/// How many packets had which unknown link type: the first [`UnknownLinks::MAX`] types by number, all others in the total
/// only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLinks {
    counts: [(u16, u64); Self::MAX],
    len: usize,
}

impl Default for UnknownLinks {
    fn default() -> Self {
        Self { counts: [(0, 0); Self::MAX], len: 0 }
    }
}

impl UnknownLinks {
    /// Most types told apart: a capture with more of them was made by hand.
    pub const MAX: usize = 64;

    /// Counts a packet.
    #[cold]
    pub fn count(&mut self, link: LinkType) {
        let known = self.counts[..self.len].iter().position(|(number, _)| *number == link.0);
        let place = known.unwrap_or(self.len);
        if let Some(slot) = self.counts.get_mut(place) {
            *slot = (link.0, slot.1 + 1);
            self.len = self.len.max(place + 1);
        }
    }

    /// Link types and packets, in order of appearance.
    pub fn iter(&self) -> impl Iterator<Item = (LinkType, u64)> + '_ {
        self.counts[..self.len].iter().map(|&(number, packets)| (LinkType(number), packets))
    }
}
