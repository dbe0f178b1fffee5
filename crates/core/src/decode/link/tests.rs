//! One frame per link type: where its IP header is.

use proptest::prelude::*;
use tcpskein_testkit::frame::TcpFrame;
use tcpskein_testkit::link::{self as build, Wlan, join};
use tcpskein_testkit::links;

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

fn frames(ip: &[u8]) -> Vec<(&'static str, LinkType, Vec<u8>)> {
    links::frames(ip).into_iter().map(|(name, link, frame)| (name, LinkType(link), frame)).collect()
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
    let numbers = (1000..1000 + UnknownLinks::MAX as u16).chain([1000, 1063, 1064, 1065, 1000]);
    numbers.map(LinkType).for_each(|link| unknown.count(link));
    let counts: Vec<_> = unknown.iter().map(|(link, packets)| (link.0, packets)).collect();
    let expected = |nth: u16| (1000 + nth, if nth == 0 { 3 } else { 1 + u64::from(nth == 63) });
    assert_eq!(counts, (0..64).map(expected).collect::<Vec<_>>());
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
