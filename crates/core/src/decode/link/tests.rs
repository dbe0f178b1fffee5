//! One frame per link type: where its IP header is.

use proptest::prelude::*;
use tcpskein_testkit::frame::TcpFrame;
use tcpskein_testkit::link::{self as build, Wlan, join};

use super::*;
use crate::decode::encap::LayerKind;

fn packet() -> Vec<u8> {
    TcpFrame::new(1, 2).packet()
}

fn packet_v6() -> Vec<u8> {
    let mut frame = TcpFrame::new(1, 2);
    (frame.src, frame.dst) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
    frame.packet()
}

fn find(link: LinkType, frame: &[u8]) -> Result<usize, Drop> {
    network_layer(link, frame, &mut Layers::default())
}

/// Every header in front of an IP packet, by the link type.
fn frames(ip: &[u8]) -> Vec<(&'static str, LinkType, Vec<u8>)> {
    let kind = build::ethertype_of(ip);
    let ether = |payload: &[u8], ethertype| build::ethernet_with(ethertype, payload);
    let plain = ether(ip, kind);
    let family = if kind == 0x0800 { 2 } else { 30 };
    let chdlc = join(&[&[0x0f, 0], &kind.to_be_bytes(), ip]);
    let nlpid = if kind == 0x0800 { 0xcc } else { 0x8e };
    let wlan = |with| build::wlan(with, ip);
    let snapped = build::snap(kind, ip);
    let pw = build::mpls(&[16, 17], &join(&[&[0; 4], &plain]));
    let itag = join(&[&[0, 0, 1, 0], &plain]);
    vec![
        ("Ethernet", LinkType::ETHERNET, plain.clone()),
        ("802.3", LinkType::ETHERNET, build::ieee_802_3(ip)),
        ("LLC with IP", LinkType::ETHERNET, ether(&join(&[&[6, 6, 3], ip]), 60)),
        ("802.1Q", LinkType::ETHERNET, ether(&build::vlan(7, kind, ip), 0x8100)),
        ("802.1Q, 802.3", LinkType::ETHERNET, ether(&build::vlan(7, 100, &snapped), 0x8100)),
        ("802.1ad", LinkType::ETHERNET, ether(&build::vlan(7, 0x8100, &build::vlan(8, kind, ip)), 0x88a8)),
        ("0x9100", LinkType::ETHERNET, ether(&build::vlan(7, 0x9200, &build::vlan(8, kind, ip)), 0x9100)),
        ("MPLS", LinkType::ETHERNET, ether(&build::mpls(&[16, 17, 18], ip), 0x8847)),
        ("MPLS pseudowire", LinkType::ETHERNET, ether(&pw, 0x8847)),
        ("PPPoE", LinkType::ETHERNET, ether(&build::pppoe(5, ip), 0x8864)),
        ("PBB", LinkType::ETHERNET, ether(&itag, 0x88e7)),
        ("FabricPath", LinkType::ETHERNET, ether(&join(&[&[0, 0x42], &plain]), 0x8903)),
        ("TRILL", LinkType::ETHERNET, ether(&join(&[&[0, 0x7f, 0, 1, 0, 2, 1, 1, 1, 1], &plain]), 0x22f3)),
        ("VN-Tag", LinkType::ETHERNET, ether(&join(&[&[0; 4], &kind.to_be_bytes(), ip]), 0x8926)),
        ("E-TAG", LinkType::ETHERNET, ether(&join(&[&[0; 6], &kind.to_be_bytes(), ip]), 0x893f)),
        ("HSR", LinkType::ETHERNET, ether(&join(&[&[0; 4], &kind.to_be_bytes(), ip]), 0x892f)),
        ("CMD", LinkType::ETHERNET, ether(&join(&[&[1, 1, 0, 1, 0, 9], &kind.to_be_bytes(), ip]), 0x8909)),
        ("NSH", LinkType::ETHERNET, ether(&join(&[&[0, 2, 1, 3, 0, 0, 0, 1], &plain]), 0x894f)),
        ("PPPoE alone", LinkType::PPP_ETHER, build::pppoe(5, ip)),
        ("PPP", LinkType::PPP, build::ppp(ip, false)),
        ("PPP compressed", LinkType::PPP, build::ppp(ip, true)),
        ("PPP in HDLC", LinkType::PPP_HDLC, join(&[&[0xff, 3], &build::ppp(ip, false)])),
        ("PPP, pppd", LinkType::PPP_PPPD, join(&[&[1], &build::ppp(ip, false)])),
        ("PPP with direction", LinkType::PPP_WITH_DIR, join(&[&[0], &build::ppp(ip, true)])),
        ("PPP bridging", LinkType::PPP, join(&[&[0, 0x31, 0, 1], &plain])),
        ("PPP, MPLS", LinkType::PPP, join(&[&[2, 0x81], &build::mpls(&[16], ip)])),
        ("Cisco HDLC", LinkType::C_HDLC, chdlc.clone()),
        ("Cisco HDLC as PPP", LinkType::PPP_HDLC, chdlc.clone()),
        ("Cisco HDLC with direction", LinkType::C_HDLC_WITH_DIR, join(&[&[1], &chdlc])),
        ("raw", LinkType::RAW, ip.to_vec()),
        ("raw 12", LinkType::RAW_12, ip.to_vec()),
        ("raw 14", LinkType::RAW_14, ip.to_vec()),
        ("IPv4", LinkType::IPV4, ip.to_vec()),
        ("IPv6", LinkType::IPV6, ip.to_vec()),
        ("null", LinkType::NULL, join(&[&[family, 0, 0, 0], ip])),
        ("null, big endian", LinkType::NULL, join(&[&[0, 0, 0, family], ip])),
        ("loop", LinkType::LOOP, join(&[&[0, 0, 0, family], ip])),
        ("SLL", LinkType::LINUX_SLL, build::sll(kind, ip)),
        ("SLL, VLAN", LinkType::LINUX_SLL, build::sll(0x8100, &build::vlan(9, kind, ip))),
        ("SLL, LLC", LinkType::LINUX_SLL, build::sll(4, &snapped)),
        ("SLL2", LinkType::LINUX_SLL2, build::sll2(kind, ip)),
        ("802.11", LinkType::IEEE802_11, wlan(Wlan::default())),
        ("802.11 QoS", LinkType::IEEE802_11, wlan(Wlan { qos: true, ..Wlan::default() })),
        ("802.11 HT", LinkType::IEEE802_11, wlan(Wlan { qos: true, ht_control: true, ..Wlan::default() })),
        ("802.11 WDS", LinkType::IEEE802_11, wlan(Wlan { four_addresses: true, ..Wlan::default() })),
        ("radiotap", LinkType::IEEE802_11_RADIOTAP, build::radiotap(0, &wlan(Wlan::default()))),
        (
            "radiotap, padded",
            LinkType::IEEE802_11_RADIOTAP,
            build::radiotap(0x20, &wlan(Wlan { qos: true, padded: true, ..Wlan::default() })),
        ),
        (
            "AVS",
            LinkType::IEEE802_11_AVS,
            join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56], &wlan(Wlan::default())]),
        ),
        (
            "Prism",
            LinkType::IEEE802_11_PRISM,
            join(&[&[0x44, 0, 0, 0, 144, 0, 0, 0], &[0; 136], &wlan(Wlan::default())]),
        ),
        ("PPI", LinkType::PPI, join(&[&[0, 0, 12, 0, 105, 0, 0, 0, 9, 9, 9, 9], &wlan(Wlan::default())])),
        ("frame relay", LinkType::FRELAY, join(&[&[0x18, 0x41, 3, nlpid], ip])),
        ("frame relay, Cisco", LinkType::FRELAY, join(&[&[0x18, 0x41], &kind.to_be_bytes(), ip])),
        ("frame relay, SNAP", LinkType::FRELAY, join(&[&[0x18, 0x41, 3, 0, 0x80], &snapped[3..]])),
        ("frame relay, bridged", LinkType::FRELAY, join(&[&[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7], &plain])),
        ("FDDI", LinkType::FDDI, join(&[&[0x50], &[6; 12], &snapped])),
        ("token ring", LinkType::TOKEN_RING, join(&[&[0x10, 0x40], &[6; 12], &snapped])),
        ("token ring, route", LinkType::TOKEN_RING, join(&[&[0x10, 0x40], &[0x86; 12], &[4, 0, 0, 0], &snapped])),
        ("ARCnet", LinkType::ARCNET, join(&[&[1, 2, 212, 0, 0, 1], ip])),
        ("ARCnet, Linux, old", LinkType::ARCNET_LINUX, join(&[&[1, 2, 0, 0, 240], ip])),
        ("ARCnet, Linux", LinkType::ARCNET_LINUX, join(&[&[1, 2, 0, 0, 212, 0, 0, 1], ip])),
        ("ENC", LinkType::ENC, join(&[&[family, 0, 0, 0], &[0; 8], ip])),
        ("PFLOG", LinkType::PFLOG, join(&[&[61, family], &[0; 62], ip])),
        ("NFLOG", LinkType::NFLOG, join(&[&[family.min(10), 0, 0, 0, 5, 0, 1, 0, 9, 0, 0, 0, 99, 0, 9, 0], ip])),
        ("PKTAP", LinkType::PKTAP, join(&[&[16, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0], ip])),
        ("DOCSIS", LinkType::DOCSIS, join(&[&[1, 2, 0, 0, 7, 7, 0, 0], &plain])),
        ("Juniper Ethernet", LinkType::JUNIPER_ETHER, join(&[&[0x4d, 0x47, 0x43, 0x80, 0, 2, 9, 9], &plain])),
        ("mPacket", LinkType::ETHERNET_MPACKET, join(&[&[0x55; 7], &[0xd5], &plain])),
        ("ATM", LinkType::ATM_RFC1483, snapped.clone()),
        ("ATM, bridged", LinkType::ATM_RFC1483, join(&[&[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0], &plain])),
        ("SunATM", LinkType::SUNATM, join(&[&[2, 0, 0, 5], &snapped])),
        ("Fibre Channel", LinkType::IP_OVER_FC, join(&[&[1; 16], &snapped])),
        ("IEEE 1394", LinkType::APPLE_IP_OVER_IEEE1394, join(&[&[1; 16], &kind.to_be_bytes(), ip])),
        ("InfiniBand", LinkType::IPOIB, join(&[&[1; 40], &kind.to_be_bytes(), &[0, 0], ip])),
        ("SLIP", LinkType::SLIP, join(&[&[0; 16], ip])),
        ("ipnet", LinkType::IPNET, join(&[&[1; 24], ip])),
    ]
}

#[test]
fn header_of_every_link_type_is_where_the_packet_begins() {
    for ip in [packet(), packet_v6()] {
        for (name, link, frame) in frames(&ip) {
            assert_eq!(find(link, &frame), Ok(frame.len() - ip.len()), "{name}");
        }
    }
}

#[test]
fn frame_cut_anywhere_in_its_headers_gives_no_offset() {
    let ip = packet();
    for (name, link, frame) in frames(&ip) {
        let whole = frame.len() - ip.len();
        for len in 0..frame.len() {
            match find(link, &frame[..len]) {
                // An offset is only found where it lies behind what was read, and then it is the right one.
                Ok(at) => assert_eq!(at, whole, "{name} cut to {len}"),
                Err(Drop::Cut | Drop::NonIp) => assert!(len <= whole + 1, "{name} cut to {len}"),
                Err(reason) => panic!("{name} cut to {len}: {reason:?}"),
            }
        }
    }
}

#[test]
fn frames_without_ip_are_told_so() {
    let ip = packet();
    let ether = |ethertype, payload: &[u8]| build::ethernet_with(ethertype, payload);
    let protected = build::wlan(Wlan { protected: true, ..Wlan::default() }, &ip);
    for (name, link, frame) in [
        ("ARP", LinkType::ETHERNET, ether(0x0806, &ip)),
        ("spanning tree", LinkType::ETHERNET, ether(38, &[0x42, 0x42, 3, 0, 0])),
        ("PPPoE discovery", LinkType::ETHERNET, ether(0x8864, &[0x11, 9, 0, 0, 0, 0, 0, 0x21])),
        ("MPLS channel", LinkType::ETHERNET, ether(0x8847, &build::mpls(&[16], &[0x10, 0, 0, 0]))),
        ("LCP", LinkType::PPP, vec![0xff, 3, 0xc0, 0x21, 1]),
        ("encrypted", LinkType::IEEE802_11, protected),
        ("beacon", LinkType::IEEE802_11, vec![0x80, 0, 0, 0]),
        ("QoS null", LinkType::IEEE802_11, vec![0xc8, 1, 0, 0]),
        ("SLARP", LinkType::C_HDLC, vec![0x8f, 0, 0x80, 0x35, 0, 0]),
        ("other family", LinkType::NULL, vec![7, 0, 0, 0, 0x45]),
    ] {
        assert_eq!(find(link, &frame), Err(Drop::NonIp), "{name}");
    }
    assert_eq!(find(LinkType(9999), &ip), Err(Drop::UnknownLink));
}

#[test]
fn layers_are_those_that_name_a_network() {
    let ip = packet();
    let layers = |ethertype, payload: &[u8]| {
        let mut layers = Layers::default();
        let frame = build::ethernet_with(ethertype, payload);
        network_layer(LinkType::ETHERNET, &frame, &mut layers)
            .map(|_| layers.iter().map(|layer| (layer.kind, layer.id)).collect::<Vec<_>>())
    };
    let double = build::vlan(7, 0x8100, &build::vlan(8, 0x0800, &ip));
    assert_eq!(layers(0x88a8, &double), Ok(vec![(LayerKind::Vlan, Some(7)), (LayerKind::Vlan, Some(8))]));
    // A priority tag names no VLAN, and MPLS labels belong to one direction.
    assert_eq!(layers(0x8100, &build::vlan(0, 0x0800, &ip)), Ok(vec![]));
    assert_eq!(layers(0x8847, &build::mpls(&[99], &ip)), Ok(vec![]));
    assert_eq!(layers(0x8864, &build::pppoe(0x1234, &ip)), Ok(vec![(LayerKind::Pppoe, Some(0x1234))]));
    let tagged = join(&[&[0, 1, 2, 3], &build::ethernet_with(0x0800, &ip)]);
    assert_eq!(layers(0x88e7, &tagged), Ok(vec![(LayerKind::Pbb, Some(0x010203))]));
}

#[test]
fn tags_without_end_are_broken() {
    let frame = build::ethernet_with(0x8100, &[0x81, 0x00].repeat(400));
    assert_eq!(find(LinkType::ETHERNET, &frame), Err(Drop::Broken));
}

#[test]
fn unknown_link_types_are_counted_up_to_the_limit() {
    let mut unknown = UnknownLinks::default();
    [189, 195, 189, 1, 2, 3, 4, 189].map(LinkType).into_iter().for_each(|link| unknown.count(link));
    let counts: Vec<_> = unknown.iter().map(|(link, packets)| (link.0, packets)).collect();
    assert_eq!(counts, [(189, 3), (195, 1), (1, 1), (2, 1)]);
}

/// Every link type that the first step knows, and some that it doesn't.
fn any_link() -> impl Strategy<Value = LinkType> {
    (0_u16..300).prop_map(LinkType)
}

proptest! {
    #[test]
    fn random_octets_never_panic(link in any_link(), frame in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(at) = find(link, &frame) {
            prop_assert!(at <= frame.len() + 65_536 + 4096);
        }
    }

    #[test]
    fn octets_changed_never_panic(choice: prop::sample::Index, at: prop::sample::Index, to: u8) {
        let mut frames = frames(&packet());
        let choice = choice.index(frames.len());
        let (_, link, frame) = &mut frames[choice];
        let at = at.index(frame.len());
        frame[at] = to;
        let _ = find(*link, frame);
    }
}
