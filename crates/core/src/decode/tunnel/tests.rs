//! What is inside tunnels, and which of them are told apart.

use std::net::IpAddr;

use proptest::prelude::*;
use tcpskein_testkit::frame::{TcpFrame, ethernet, ip_packet};
use tcpskein_testkit::link::{self as build, join, udp_packet};
use tcpskein_testkit::tunnels::tunnels;

use crate::capture::{LinkType, Packet};
use crate::decode::{DecodeOptions, Decoder, Drop, LayerKind};
use crate::flow::{FlowKey, identify};

const A: [&str; 2] = ["192.0.2.1", "2001:db8:a::1"];
const B: [&str; 2] = ["192.0.2.2", "2001:db8:a::2"];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn packet(frame: &[u8]) -> Packet {
    let len = frame.len() as u32;
    let (captured_len, wire_len) = (len, len);
    Packet { number: 1, ts_ns: 0, start: 0, captured_len, wire_len, link: LinkType::ETHERNET, interface: 0, capture: 0 }
}

fn inner() -> Vec<u8> {
    TcpFrame { payload: b"hello", ..TcpFrame::new(7, 2) }.packet()
}

fn inner_v6() -> Vec<u8> {
    let mut frame = TcpFrame { payload: b"hello", ..TcpFrame::new(7, 2) };
    (frame.src, frame.dst) = (ip("fd00::1"), ip("fd00::2"));
    frame.packet()
}

/// Names of the layers and the offset of the inner packet's header.
fn decode(frame: &[u8], options: DecodeOptions) -> Result<(Vec<&'static str>, u8, usize), Drop> {
    let mut decoder = Decoder::new(options);
    let (proto, at, outer) = decoder.decode(&packet(frame), frame).map(|d| (d.proto, d.ip_offset, d.outer))?;
    let layers = decoder.encaps().layers(outer).map(|layers| layers.iter().map(|l| l.kind.name()).collect());
    Ok((layers.unwrap_or_default(), proto, at as usize))
}

#[test]
fn tunnel_of_every_kind_is_opened() {
    for version in [0, 1] {
        for inner in [inner(), inner_v6()] {
            for (name, proto, payload) in tunnels(&inner) {
                let frame = ethernet(&ip_packet(ip(A[version]), ip(B[version]), proto, &payload));
                let at = frame.len() - inner.len();
                assert_eq!(decode(&frame, DecodeOptions::default()), Ok((vec![name], 6, at)), "{name} {proto}");
                let closed = DecodeOptions { decap: false, ..DecodeOptions::default() };
                assert_eq!(decode(&frame, closed), Ok((vec![], proto, 14)), "{name} {proto}");
            }
        }
    }
}

#[test]
fn ip_in_ip_is_named_by_both_versions() {
    for (version, inner, proto, name) in
        [(0, inner(), 4, "ipip"), (0, inner_v6(), 41, "6in4"), (1, inner(), 4, "4in6"), (1, inner_v6(), 41, "6in6")]
    {
        let frame = ethernet(&ip_packet(ip(A[version]), ip(B[version]), proto, &inner));
        let at = frame.len() - inner.len();
        assert_eq!(decode(&frame, DecodeOptions::default()), Ok((vec![name], 6, at)));
    }
}

#[test]
fn teredo_is_opened_with_and_without_indications() {
    let auth = [0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0];
    let origin = [0, 0, 1, 2, 3, 4, 5, 6];
    for before in [vec![], auth.to_vec(), origin.to_vec(), join(&[&auth, &origin])] {
        let payload = join(&[&before, &inner_v6()]);
        let frame = ethernet(&udp_packet(ip(A[0]), ip(B[0]), (3544, 40_000), &payload));
        let at = frame.len() - inner_v6().len();
        assert_eq!(decode(&frame, DecodeOptions::default()), Ok((vec!["teredo"], 6, at)));
    }
}

#[test]
fn tunnels_nest_and_keep_their_vlans() {
    let tagged = build::ethernet_with(0x8100, &build::vlan(5, 0x0800, &inner()));
    let vxlan = udp_packet(ip(A[0]), ip(B[0]), (1, 4789), &build::vxlan(7, &tagged));
    let outer = ip_packet(ip(A[1]), ip(B[1]), 4, &vxlan);
    let frame = build::ethernet_with(0x88a8, &build::vlan(9, 0x86dd, &outer));
    let at = frame.len() - inner().len();
    assert_eq!(decode(&frame, DecodeOptions::default()), Ok((vec!["vlan", "4in6", "vxlan", "vlan"], 6, at)));
}

#[test]
fn no_more_than_eight_tunnels_are_opened() {
    let nested = |tunnels: usize| {
        let mut packet = inner();
        (0..tunnels).for_each(|_| packet = ip_packet(ip(A[0]), ip(B[0]), 4, &packet));
        decode(&ethernet(&packet), DecodeOptions::default()).map(|(layers, proto, _)| (layers.len(), proto))
    };
    assert_eq!(nested(8), Ok((8, 6)));
    assert_eq!(nested(9), Ok((8, 4)));
}

#[test]
fn tunnel_ports_alone_open_nothing() {
    let good = build::vxlan(7, &ethernet(&inner()));
    let mut wrong_flag = good.clone();
    wrong_flag[0] = 0;
    let mut too_long = good.clone();
    // The inner packet claims more than there is.
    too_long[8 + 14 + 2] = 0x7f;
    let arp = build::vxlan(7, &build::ethernet_with(0x0806, &[0; 28]));
    for payload in [wrong_flag, too_long, arp, vec![8], vec![], good[..20].to_vec()] {
        let frame = ethernet(&udp_packet(ip(A[0]), ip(B[0]), (1, 4789), &payload));
        assert_eq!(decode(&frame, DecodeOptions::default()), Ok((vec![], 17, 14)), "{payload:02x?}");
    }
    for port in [2152, 3544, 4754, 4790, 6081, 6635, 8472] {
        let frame = ethernet(&udp_packet(ip(A[0]), ip(B[0]), (1, port), &[0xff; 60]));
        assert_eq!(decode(&frame, DecodeOptions::default()), Ok((vec![], 17, 14)), "{port}");
    }
}

/// The keys of two frames, seen by one decoder.
fn keys(frames: [Vec<u8>; 2], options: DecodeOptions) -> [FlowKey; 2] {
    let mut decoder = Decoder::new(options);
    frames.map(|frame| {
        let datagram = decoder.decode(&packet(&frame), &frame).unwrap();
        assert_eq!(datagram.proto, 6, "the tunnel is opened");
        identify(&datagram, options.key_encap(datagram.outer)).unwrap().key
    })
}

fn answer() -> Vec<u8> {
    TcpFrame::new(9, 0x12).reversed().packet()
}

type Wrap = fn(&str, &str, u32, &[u8]) -> Vec<u8>;

fn gtp(src: &str, dst: &str, id: u32, inner: &[u8]) -> Vec<u8> {
    ethernet(&udp_packet(ip(src), ip(dst), (2152, 2152), &build::gtp(id, inner)))
}

fn pptp(src: &str, dst: &str, id: u32, inner: &[u8]) -> Vec<u8> {
    ethernet(&ip_packet(ip(src), ip(dst), 47, &build::pptp(id as u16, inner)))
}

fn gre(src: &str, dst: &str, id: u32, inner: &[u8]) -> Vec<u8> {
    ethernet(&ip_packet(ip(src), ip(dst), 47, &build::gre(0x0800, Some(id), None, inner)))
}

fn ipip(src: &str, dst: &str, _id: u32, inner: &[u8]) -> Vec<u8> {
    ethernet(&ip_packet(ip(src), ip(dst), 4, inner))
}

fn vxlan(src: &str, dst: &str, id: u32, inner: &[u8]) -> Vec<u8> {
    let port = 40_000 + inner.len() as u16;
    ethernet(&udp_packet(ip(src), ip(dst), (port, 4789), &build::vxlan(id, &ethernet(inner))))
}

fn geneve(src: &str, dst: &str, id: u32, inner: &[u8]) -> Vec<u8> {
    ethernet(&udp_packet(ip(src), ip(dst), (1, 6081), &build::geneve(id, &[], &ethernet(inner))))
}

fn vlan(_src: &str, _dst: &str, id: u32, inner: &[u8]) -> Vec<u8> {
    build::ethernet_with(0x8100, &build::vlan(id as u16, 0x0800, inner))
}

fn mpls(_src: &str, _dst: &str, id: u32, inner: &[u8]) -> Vec<u8> {
    build::ethernet_with(0x8847, &build::mpls(&[id], inner))
}

#[test]
fn directions_of_one_tunnel_are_one_flow() {
    // Per kind: the id that the answer carries.
    let cases: [(&str, Wrap, u32); 8] = [
        ("gtp", gtp, 222),
        ("pptp", pptp, 222),
        ("gre", gre, 111),
        ("ipip", ipip, 111),
        ("vxlan", vxlan, 111),
        ("geneve", geneve, 111),
        ("vlan", vlan, 111),
        ("mpls", mpls, 222),
    ];
    for (name, wrap, answered) in cases {
        let frames = [wrap(A[0], B[0], 111, &inner()), wrap(B[0], A[0], answered, &answer())];
        let [there, back] = keys(frames, DecodeOptions::default());
        assert!(there == back, "{name}");
    }
}

#[test]
fn equal_inner_addresses_in_two_tunnels_are_two_flows_unless_asked_otherwise() {
    let other = "192.0.2.77";
    let cases: [(&str, Wrap, (&str, u32)); 9] = [
        ("gtp to another node", gtp, (other, 1)),
        ("pptp to another server", pptp, (other, 1)),
        ("gre to another node", gre, (other, 1)),
        ("gre with another key", gre, (B[0], 2)),
        ("ipip to another node", ipip, (other, 1)),
        ("vxlan with another VNI", vxlan, (B[0], 2)),
        ("geneve with another VNI", geneve, (B[0], 2)),
        ("another VLAN", vlan, (B[0], 2)),
        ("another VLAN", vlan, (other, 3)),
    ];
    for (name, wrap, (dst, id)) in cases {
        let frames = [wrap(A[0], B[0], 1, &inner()), wrap(A[0], dst, id, &inner())];
        let [one, two] = keys(frames.clone(), DecodeOptions::default());
        assert!(one != two, "{name}");
        let [one, two] = keys(frames, DecodeOptions { ignore_encap: true, ..DecodeOptions::default() });
        assert!(one == two, "{name}");
    }
    // A virtual network is one, whoever its end points are.
    let frames = [vxlan(A[0], B[0], 1, &inner()), vxlan(A[0], other, 1, &inner())];
    let [one, two] = keys(frames, DecodeOptions::default());
    assert!(one == two);
}

#[test]
fn kinds_have_the_names_of_their_numbers() {
    for kind in [LayerKind::Vlan, LayerKind::SixInFour, LayerKind::Erspan, LayerKind::Mpls] {
        assert_eq!(kind.name(), format!("{kind:?}").to_lowercase().replace("sixinfour", "6in4"));
    }
}

#[test]
fn frames_cut_anywhere_never_panic() {
    for inner in [inner(), inner_v6()] {
        for (name, proto, payload) in tunnels(&inner) {
            let frame = ethernet(&ip_packet(ip(A[0]), ip(B[0]), proto, &payload));
            for len in 0..frame.len() {
                let found = decode(&frame[..len], DecodeOptions::default());
                assert_eq!(found.is_err(), len < 34, "{name} cut to {len}: {found:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn octets_changed_never_panic(choice: prop::sample::Index, changes: Vec<(prop::sample::Index, u8)>) {
        let tunnels = tunnels(&inner());
        let (_, proto, payload) = &tunnels[choice.index(tunnels.len())];
        let mut frame = ethernet(&ip_packet(ip(A[0]), ip(B[0]), *proto, payload));
        for (at, to) in changes {
            let at = at.index(frame.len());
            frame[at] = to;
        }
        let _ = decode(&frame, DecodeOptions::default());
    }

    #[test]
    fn random_payloads_never_panic(port: u16, proto in 0_u8..150, payload in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = decode(&ethernet(&ip_packet(ip(A[0]), ip(B[0]), proto, &payload)), DecodeOptions::default());
        let ports = [2152, 3544, 4754, 4789, 4790, 6081, 6635, 8472];
        let port = ports[usize::from(port) % ports.len()];
        let _ = decode(&ethernet(&udp_packet(ip(A[0]), ip(B[0]), (1, port), &payload)), DecodeOptions::default());
    }
}
