//! A frame in the ring (`struct tpacket3_hdr` and `struct sockaddr_ll`, linux/if_packet.h), and the octets of its packet
//! as they were on the wire.

use tcpskein_core::capture::LinkType;

use crate::source::LivePacket;

/// Octets of the frame's header.
const HEADER_LEN: usize = 48;
/// The header and the sender's address behind it.
const MIN_LEN: usize = HEADER_LEN + 20;

const STATUS_VLAN_VALID: u32 = 1 << 4;
const STATUS_VLAN_TPID_VALID: u32 = 1 << 6;

/// Packet types (linux/if_packet.h).
const OUTGOING: u8 = 4;

const ARPHRD_ETHER: u16 = 1;
const ARPHRD_RAWIP: u16 = 519;
const ARPHRD_TUNNEL: u16 = 768;
const ARPHRD_TUNNEL6: u16 = 769;
pub(super) const ARPHRD_LOOPBACK: u16 = 772;
const ARPHRD_SIT: u16 = 776;
const ARPHRD_IEEE80211: u16 = 801;
const ARPHRD_IEEE80211_PRISM: u16 = 802;
const ARPHRD_IEEE80211_RADIOTAP: u16 = 803;
const ARPHRD_NONE: u16 = 0xfffe;

/// Where a VLAN tag stands in an Ethernet frame.
const TAG_AT: usize = 12;
/// Octets of the cooked header (LINKTYPE_LINUX_SLL2).
const COOKED_LEN: usize = 20;

/// What stands for a packet where there is none.
pub(super) const NOTHING: LivePacket<'static> =
    LivePacket { ts_ns: 0, interface: 0, link: LinkType::RAW, wire_len: 0, front: &[], rest: &[], unfiltered: false };

/// The link type of packets of an interface of this hardware type; cooked where its headers aren't known.
pub(super) fn link_type(hardware: u16) -> LinkType {
    match hardware {
        ARPHRD_ETHER | ARPHRD_LOOPBACK => LinkType::ETHERNET,
        ARPHRD_NONE | ARPHRD_RAWIP | ARPHRD_TUNNEL | ARPHRD_TUNNEL6 | ARPHRD_SIT => LinkType::RAW,
        ARPHRD_IEEE80211 => LinkType(105),
        ARPHRD_IEEE80211_PRISM => LinkType(119),
        ARPHRD_IEEE80211_RADIOTAP => LinkType(127),
        _ => LinkType::LINUX_SLL2,
    }
}

/// A frame's octets, from its header on.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a>(&'a [u8]);

/// A header that the kernel doesn't give as it was on the wire.
#[derive(Default)]
pub(super) struct Rebuilt {
    octets: [u8; COOKED_LEN + 4],
    len: usize,
    /// Octets of the frame that it stands for.
    instead_of: usize,
    cooked: bool,
}

impl<'a> Frame<'a> {
    /// `None` where there are too few octets for a frame.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() >= MIN_LEN).then_some(Self(bytes))
    }

    /// Octets to the next frame; 0 from the last one.
    #[inline]
    pub fn next(self) -> usize {
        self.u32(0) as usize
    }

    #[inline]
    pub fn is_outgoing(self) -> bool {
        self.0[HEADER_LEN + 10] == OUTGOING
    }

    #[inline]
    pub fn is_loopback(self) -> bool {
        self.hardware() == ARPHRD_LOOPBACK
    }

    /// The kernel keeps its VLAN tag apart.
    #[inline]
    pub fn is_tagged(self) -> bool {
        self.u32(20) & STATUS_VLAN_VALID != 0
    }

    #[inline]
    pub fn interface(self) -> u32 {
        self.u32(HEADER_LEN + 4)
    }

    /// The packet, with the header that was rebuilt for it.
    #[inline]
    pub fn packet<'b>(self, rebuilt: &'b Rebuilt) -> LivePacket<'b>
    where
        'a: 'b,
    {
        let octets = self.octets();
        let rest = octets.get(rebuilt.instead_of..).unwrap_or(&[]);
        let more = rebuilt.len as u32;
        LivePacket {
            ts_ns: i64::from(self.u32(4)) * 1_000_000_000 + i64::from(self.u32(8)),
            interface: self.interface(),
            link: if rebuilt.cooked { LinkType::LINUX_SLL2 } else { link_type(self.hardware()) },
            wire_len: (self.u32(16) + more).saturating_sub(rebuilt.instead_of as u32),
            front: &rebuilt.octets[..rebuilt.len],
            rest,
            unfiltered: false,
        }
    }

    /// The packet's octets, from its link-layer header on.
    #[inline]
    fn octets(self) -> &'a [u8] {
        let start = usize::from(self.u16(24));
        let len = self.u32(12) as usize;
        self.0.get(start..).map_or(&[], |octets| octets.get(..len).unwrap_or(octets))
    }

    /// Octets of the link-layer header.
    fn header_len(self) -> usize {
        usize::from(self.u16(26).saturating_sub(self.u16(24)))
    }

    #[inline]
    fn hardware(self) -> u16 {
        self.u16(HEADER_LEN + 8)
    }

    #[inline]
    fn u16(self, at: usize) -> u16 {
        u16::from_ne_bytes([self.0[at], self.0[at + 1]])
    }

    #[inline]
    fn u32(self, at: usize) -> u32 {
        u32::from_ne_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }
}

impl Rebuilt {
    /// Makes the header that `frame` needs; mostly none.
    #[inline]
    pub fn of(&mut self, frame: &Frame<'_>, cooked: bool) {
        let link = link_type(frame.hardware());
        self.cooked = cooked || link == LinkType::LINUX_SLL2;
        if self.cooked {
            self.cooked_header(frame);
        } else if frame.is_tagged() && link == LinkType::ETHERNET {
            self.tagged_header(frame);
        } else {
            (self.len, self.instead_of) = (0, 0);
        }
    }

    /// Linux's cooked header, version 2: protocol, 2 octets of nothing, interface, hardware type, packet type, address
    /// length, address. What was in front of the network layer goes; a VLAN tag stands behind it, as on the wire.
    #[cold]
    fn cooked_header(&mut self, frame: &Frame<'_>) {
        let address = &frame.0[HEADER_LEN..MIN_LEN];
        let protocol = [address[2], address[3]];
        let out = &mut self.octets;
        out[..2].copy_from_slice(&protocol);
        out[2..4].fill(0);
        out[4..8].copy_from_slice(&frame.interface().to_be_bytes());
        out[8..10].copy_from_slice(&frame.hardware().to_be_bytes());
        // Packet type and address length stand in this order on both sides.
        out[10..20].copy_from_slice(&address[10..20]);
        self.len = COOKED_LEN;
        self.instead_of = frame.header_len();
        if frame.is_tagged() {
            let (tpid, tci) = tag(frame);
            out[..2].copy_from_slice(&tpid);
            out[20..22].copy_from_slice(&tci);
            out[22..24].copy_from_slice(&protocol);
            self.len = COOKED_LEN + 4;
        }
    }

    /// Both addresses, and the tag that the kernel took out behind them (IEEE 802.1Q).
    #[cold]
    fn tagged_header(&mut self, frame: &Frame<'_>) {
        let Some(addresses) = frame.octets().get(..TAG_AT) else {
            (self.len, self.instead_of) = (0, 0);
            return;
        };
        let (tpid, tci) = tag(frame);
        self.octets[..TAG_AT].copy_from_slice(addresses);
        self.octets[TAG_AT..TAG_AT + 2].copy_from_slice(&tpid);
        self.octets[TAG_AT + 2..TAG_AT + 4].copy_from_slice(&tci);
        (self.len, self.instead_of) = (TAG_AT + 4, TAG_AT);
    }
}

/// A VLAN tag's two halves, in network byte order.
fn tag(frame: &Frame<'_>) -> ([u8; 2], [u8; 2]) {
    let tci = frame.u32(32) as u16;
    let tpid = if frame.u32(20) & STATUS_VLAN_TPID_VALID != 0 { frame.u16(36) } else { 0x8100 };
    (tpid.to_be_bytes(), tci.to_be_bytes())
}

/// Leaves out what is longer than `snaplen`.
#[inline]
pub(super) fn cut(packet: &mut LivePacket<'_>, snaplen: usize) {
    if packet.captured_len() > snaplen {
        packet.front = &packet.front[..packet.front.len().min(snaplen)];
        packet.rest = &packet.rest[..snaplen - packet.front.len()];
    }
}
