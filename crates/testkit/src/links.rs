//! One frame for every link layer that can carry IP, and every header that may stand before the packet on it.

use crate::link::{
    Wlan, ethernet_with, ethertype_of, ieee_802_3, join, mpls, ppp, pppoe, radiotap, sll, sll2, snap, vlan, wlan,
};

/// A frame around the IP packet `ip` for each way in which a link layer carries one: what it is, its link type
/// (<https://www.tcpdump.org/linktypes.html>), and the frame, which ends with the packet.
#[must_use]
pub fn frames(ip: &[u8]) -> Vec<(&'static str, u16, Vec<u8>)> {
    let kind = ethertype_of(ip);
    let ether = |payload: &[u8], ethertype| ethernet_with(ethertype, payload);
    let plain = ether(ip, kind);
    let family = if kind == 0x0800 { 2 } else { 30 };
    let chdlc = join(&[&[0x0f, 0], &kind.to_be_bytes(), ip]);
    let nlpid = if kind == 0x0800 { 0xcc } else { 0x8e };
    let radio = |with| wlan(with, ip);
    let snapped = snap(kind, ip);
    let pw = mpls(&[16, 17], &join(&[&[0; 4], &plain]));
    let itag = join(&[&[0, 0, 1, 0], &plain]);
    vec![
        ("Ethernet", 1, plain.clone()),
        ("802.3", 1, ieee_802_3(ip)),
        ("LLC with IP", 1, ether(&join(&[&[6, 6, 3], ip]), 60)),
        ("802.1Q", 1, ether(&vlan(7, kind, ip), 0x8100)),
        ("802.1Q, 802.3", 1, ether(&vlan(7, 100, &snapped), 0x8100)),
        ("802.1ad", 1, ether(&vlan(7, 0x8100, &vlan(8, kind, ip)), 0x88a8)),
        ("0x9100", 1, ether(&vlan(7, 0x9200, &vlan(8, kind, ip)), 0x9100)),
        ("MPLS", 1, ether(&mpls(&[16, 17, 18], ip), 0x8847)),
        ("MPLS pseudowire", 1, ether(&pw, 0x8847)),
        ("PPPoE", 1, ether(&pppoe(5, ip), 0x8864)),
        ("PBB", 1, ether(&itag, 0x88e7)),
        ("FabricPath", 1, ether(&join(&[&[0, 0x42], &plain]), 0x8903)),
        ("TRILL", 1, ether(&join(&[&[0, 0x7f, 0, 1, 0, 2, 1, 1, 1, 1], &plain]), 0x22f3)),
        ("VN-Tag", 1, ether(&join(&[&[0; 4], &kind.to_be_bytes(), ip]), 0x8926)),
        ("E-TAG", 1, ether(&join(&[&[0; 6], &kind.to_be_bytes(), ip]), 0x893f)),
        ("HSR", 1, ether(&join(&[&[0; 4], &kind.to_be_bytes(), ip]), 0x892f)),
        ("CMD", 1, ether(&join(&[&[1, 1, 0, 1, 0, 9], &kind.to_be_bytes(), ip]), 0x8909)),
        ("NSH", 1, ether(&join(&[&[0, 2, 1, 3, 0, 0, 0, 1], &plain]), 0x894f)),
        ("PPPoE alone", 51, pppoe(5, ip)),
        ("PPP", 9, ppp(ip, false)),
        ("PPP compressed", 9, ppp(ip, true)),
        ("PPP in HDLC", 50, join(&[&[0xff, 3], &ppp(ip, false)])),
        ("PPP, pppd", 166, join(&[&[1], &ppp(ip, false)])),
        ("PPP with direction", 204, join(&[&[0], &ppp(ip, true)])),
        ("PPP bridging", 9, join(&[&[0, 0x31, 0, 1], &plain])),
        ("PPP, MPLS", 9, join(&[&[2, 0x81], &mpls(&[16], ip)])),
        ("Cisco HDLC", 104, chdlc.clone()),
        ("Cisco HDLC as PPP", 50, chdlc.clone()),
        ("Cisco HDLC with direction", 205, join(&[&[1], &chdlc])),
        ("raw", 101, ip.to_vec()),
        ("raw 12", 12, ip.to_vec()),
        ("raw 14", 14, ip.to_vec()),
        ("IPv4", 228, ip.to_vec()),
        ("IPv6", 229, ip.to_vec()),
        ("null", 0, join(&[&[family, 0, 0, 0], ip])),
        ("null, big endian", 0, join(&[&[0, 0, 0, family], ip])),
        ("loop", 108, join(&[&[0, 0, 0, family], ip])),
        ("SLL", 113, sll(kind, ip)),
        ("SLL, VLAN", 113, sll(0x8100, &vlan(9, kind, ip))),
        ("SLL, LLC", 113, sll(4, &snapped)),
        ("SLL2", 276, sll2(kind, ip)),
        ("802.11", 105, radio(Wlan::default())),
        ("802.11 QoS", 105, radio(Wlan { qos: true, ..Wlan::default() })),
        ("802.11 HT", 105, radio(Wlan { qos: true, ht_control: true, ..Wlan::default() })),
        ("802.11 WDS", 105, radio(Wlan { four_addresses: true, ..Wlan::default() })),
        ("radiotap", 127, radiotap(0, &radio(Wlan::default()))),
        ("radiotap, padded", 127, radiotap(0x20, &radio(Wlan { qos: true, padded: true, ..Wlan::default() }))),
        ("AVS", 163, join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56], &radio(Wlan::default())])),
        ("Prism", 119, join(&[&[0x44, 0, 0, 0, 144, 0, 0, 0], &[0; 136], &radio(Wlan::default())])),
        ("PPI", 192, join(&[&[0, 0, 12, 0, 105, 0, 0, 0, 9, 9, 9, 9], &radio(Wlan::default())])),
        ("frame relay", 107, join(&[&[0x18, 0x41, 3, nlpid], ip])),
        ("frame relay, Cisco", 107, join(&[&[0x18, 0x41], &kind.to_be_bytes(), ip])),
        ("frame relay with direction", 206, join(&[&[1, 0x18, 0x41, 3, nlpid], ip])),
        ("frame relay, SNAP", 107, join(&[&[0x18, 0x41, 3, 0, 0x80], &snapped[3..]])),
        ("frame relay, bridged", 107, join(&[&[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7], &plain])),
        ("FDDI", 10, join(&[&[0x50], &[6; 12], &snapped])),
        ("token ring", 6, join(&[&[0x10, 0x40], &[6; 12], &snapped])),
        ("token ring, route", 6, join(&[&[0x10, 0x40], &[0x86; 12], &[4, 0, 0, 0], &snapped])),
        ("ARCnet", 7, join(&[&[1, 2, 212, 0, 0, 1], ip])),
        ("ARCnet, Linux, old", 129, join(&[&[1, 2, 0, 0, 240], ip])),
        ("ARCnet, Linux", 129, join(&[&[1, 2, 0, 0, 212, 0, 0, 1], ip])),
        ("ENC", 109, join(&[&[family, 0, 0, 0], &[0; 8], ip])),
        ("PFLOG", 117, join(&[&[61, family], &[0; 62], ip])),
        ("NFLOG", 239, join(&[&[family.min(10), 0, 0, 0, 5, 0, 1, 0, 9, 0, 0, 0, 99, 0, 9, 0], ip])),
        ("PKTAP", 258, join(&[&[16, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0], ip])),
        ("PKTAP, private number", 149, join(&[&[16, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0], ip])),
        ("DOCSIS", 143, join(&[&[1, 2, 0, 0, 7, 7, 0, 0], &plain])),
        ("Juniper Ethernet", 178, join(&[&[0x4d, 0x47, 0x43, 0x80, 0, 2, 9, 9], &plain])),
        ("mPacket", 274, join(&[&[0x55; 7], &[0xd5], &plain])),
        ("ATM", 100, snapped.clone()),
        ("classical IP over ATM", 106, snapped.clone()),
        ("ATM, bridged", 100, join(&[&[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0], &plain])),
        ("SunATM", 123, join(&[&[2, 0, 0, 5], &snapped])),
        ("Fibre Channel", 122, join(&[&[1; 16], &snapped])),
        ("IEEE 1394", 138, join(&[&[1; 16], &kind.to_be_bytes(), ip])),
        ("InfiniBand", 242, join(&[&[1; 40], &kind.to_be_bytes(), &[0, 0], ip])),
        ("SLIP", 8, join(&[&[0; 16], ip])),
        ("ipnet", 226, join(&[&[1; 24], ip])),
    ]
}
