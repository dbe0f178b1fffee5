//! Fragments and checksums through the whole decoder.

use std::net::IpAddr;

use proptest::prelude::*;
use tcpskein_testkit::frame::{TcpFrame, ethernet, ip_packet};
use tcpskein_testkit::link::{self as build, join};

use super::*;
use crate::capture::LinkType;

fn packet(number: u64, frame: &[u8]) -> Packet {
    let len = frame.len() as u32;
    let ts_ns = number as i64 * 1_000_000_000;
    Packet {
        number,
        ts_ns,
        start: 0,
        captured_len: len,
        wire_len: len,
        link: LinkType::ETHERNET,
        interface: 0,
        capture: 0,
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A TCP packet with 200 octets of payload.
fn segment(version: u8) -> Vec<u8> {
    let payload: Vec<u8> = (0..200).collect();
    let mut frame = TcpFrame { payload: &payload, ..TcpFrame::new(7, 0x18) };
    if version == 6 {
        (frame.src, frame.dst) = (ip("2001:db8::1"), ip("2001:db8::2"));
    }
    frame.packet()
}

fn fragments(version: u8, size: usize) -> Vec<Vec<u8>> {
    match version {
        4 => build::fragments_v4(&segment(4), 99, size),
        _ => build::fragments_v6(&segment(6), 99, size),
    }
}

/// What a frame came to: payload of its segment, packets, octets, reassembled.
type Came = Result<(Vec<u8>, u32, u32, bool), Drop>;

fn feed(decoder: &mut Decoder, frames: &[Vec<u8>]) -> Vec<Came> {
    let numbered = frames.iter().zip(1..);
    numbered
        .map(|(frame, number)| {
            let datagram = decoder.decode(&packet(number, frame), frame)?;
            let segment = Segment::parse(&datagram).map(|segment| segment.payload.to_vec());
            Ok((segment.unwrap_or_default(), datagram.packets, datagram.octets, datagram.reassembled))
        })
        .collect()
}

#[test]
fn fragments_come_out_with_the_frame_that_completes_them() {
    for version in [4, 6] {
        let header = if version == 4 { 20 } else { 48 };
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let parts = fragments(version, 80);
            let frames: Vec<_> = order.iter().map(|&i| ethernet(&parts[i])).collect();
            let came = feed(&mut Decoder::default(), &frames);
            let payload: Vec<u8> = (0..200).collect();
            let whole = Ok((payload, 3, 3 * header + 220, true));
            assert_eq!(came, [Err(Drop::Fragment), Err(Drop::Fragment), whole], "{version} {order:?}");
        }
    }
}

#[test]
fn fragments_of_two_vlans_are_not_mixed() {
    let parts = fragments(4, 120);
    let tagged = |id, packet: &[u8]| build::ethernet_with(0x8100, &build::vlan(id, 0x0800, packet));
    let mut decoder = Decoder::default();
    let came = feed(&mut decoder, &[tagged(1, &parts[0]), tagged(2, &parts[1]), tagged(1, &parts[1])]);
    assert_eq!(came.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!((decoder.fragment_stats().datagrams, decoder.pending_datagrams()), (1, 1));
}

#[test]
fn tunnel_in_fragments_and_fragments_in_tunnel_are_put_together() {
    let (a, b) = (ip("192.0.2.1"), ip("192.0.2.2"));
    // Each inner fragment goes in a GRE packet, and each of these in fragments again.
    let frames: Vec<_> = fragments(4, 120)
        .iter()
        .map(|part| ip_packet(a, b, 47, &build::gre(0x0800, Some(5), None, part)))
        .zip(1..)
        .flat_map(|(outer, id)| build::fragments_v4(&outer, id, 64))
        .map(|part| ethernet(&part))
        .collect();
    let mut decoder = Decoder::default();
    let came = feed(&mut decoder, &frames);
    let (last, before) = came.split_last().unwrap();
    assert!(before.iter().all(|came| *came == Err(Drop::Fragment)));
    // Packets and octets are those of the inner packets.
    assert_eq!(*last, Ok(((0..200).collect(), 2, 260, true)));
    assert_eq!(decoder.fragment_stats().datagrams, 3);
}

#[test]
fn fragment_cut_by_the_capture_is_decoded_as_it_is() {
    let parts = fragments(4, 120);
    let cut: Vec<_> = parts.iter().map(|part| ethernet(&part[..60])).collect();
    let mut decoder = Decoder::default();
    let first = decoder.decode(&packet(1, &cut[0]), &cut[0]).unwrap();
    assert_eq!((first.fragment, first.ports()), (Fragment::First, Some((1000, 80))));
    let later = decoder.decode(&packet(2, &cut[1]), &cut[1]).unwrap();
    assert_eq!((later.fragment, later.ports()), (Fragment::Later, None));
    assert_eq!(decoder.fragment_stats().fragments, 0);
}

#[test]
fn extension_headers_in_the_fragmented_part_are_walked() {
    let tcp = TcpFrame { payload: &[7; 40], ..TcpFrame::new(1, 2) }.segment();
    let behind_options = join(&[&[6, 0, 1, 4, 0, 0, 0, 0], &tcp]);
    let packet = ip_packet(ip("2001:db8::1"), ip("2001:db8::2"), 60, &behind_options);
    let frames: Vec<_> = build::fragments_v6(&packet, 3, 40).iter().map(|part| ethernet(part)).collect();
    let came = feed(&mut Decoder::default(), &frames);
    assert_eq!(came.last().unwrap().as_ref().unwrap().0, [7; 40]);
}

#[test]
fn ip_packet_ends_where_pppoe_says() {
    let tcp = TcpFrame { payload: b"hello", ..TcpFrame::new(1, 0x18) }.packet();
    let mut claims_more = tcp.clone();
    claims_more[3] += 6;
    for packet in [tcp, claims_more] {
        // Six octets of padding behind the PPPoE payload.
        let frame = join(&[&build::ethernet_with(0x8864, &build::pppoe(5, &packet)), &[9; 6]]);
        let came = feed(&mut Decoder::default(), &[frame]);
        assert_eq!(came, [Ok((b"hello".to_vec(), 1, 45, false))]);
    }
}

#[test]
fn fragments_too_late_are_counted() {
    let parts = fragments(4, 120);
    let mut options = DecodeOptions::default();
    options.fragments.timeout_v4_ns = 500_000_000;
    let mut decoder = Decoder::new(options);
    let came = feed(&mut decoder, &[ethernet(&parts[0]), ethernet(&parts[1])]);
    assert!(came.iter().all(Result::is_err));
    assert_eq!((decoder.fragment_stats().timeouts, decoder.pending_datagrams()), (1, 1));
}

/// The sum of RFC 1071, word by word.
fn naive_sum(octets: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in octets.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// An IPv4 TCP packet with good checksums.
fn good() -> Vec<u8> {
    let mut packet = segment(4);
    let pseudo = join(&[&packet[12..20], &[0, 6], &((packet.len() - 20) as u16).to_be_bytes(), &packet[20..]]);
    packet[36..38].copy_from_slice(&naive_sum(&pseudo).to_be_bytes());
    let header = naive_sum(&packet[..20]).to_be_bytes();
    packet[10..12].copy_from_slice(&header);
    packet
}

#[test]
fn bad_checksums_are_ignored_counted_or_dropped() {
    let mut bad_header = good();
    bad_header[8] ^= 1;
    let mut bad_segment = good();
    bad_segment[60] ^= 1;
    let tunnelled = ip_packet(ip("2001:db8::1"), ip("2001:db8::2"), 4, &bad_header);
    let parts = build::fragments_v4(&bad_segment, 1, 120);
    let frames: Vec<_> = [&good(), &bad_header, &bad_segment, &tunnelled].map(|packet| ethernet(packet)).into();
    for (mode, counted, dropped) in
        [(ChecksumMode::Ignore, 0, 0), (ChecksumMode::Count, 3, 0), (ChecksumMode::Drop, 3, 3)]
    {
        let mut decoder = Decoder::new(DecodeOptions { checksum: mode, ..DecodeOptions::default() });
        let came = feed(&mut decoder, &frames);
        assert!(came[0].is_ok());
        assert_eq!(came.iter().filter(|came| **came == Err(Drop::Checksum)).count(), dropped);
        assert_eq!(decoder.bad_checksums(), counted, "{mode:?}");
    }
    // The fragments' own header checksums are made good, so only the whole segment's is bad.
    let frames: Vec<_> = parts.iter().map(|part| ethernet(&with_header_checksum(part))).collect();
    let mut decoder = Decoder::new(DecodeOptions { checksum: ChecksumMode::Count, ..DecodeOptions::default() });
    feed(&mut decoder, &frames);
    assert_eq!(decoder.bad_checksums(), 1);
}

fn with_header_checksum(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[10..12].fill(0);
    let sum = naive_sum(&packet[..20]).to_be_bytes();
    packet[10..12].copy_from_slice(&sum);
    packet
}

#[test]
fn checksum_with_a_source_route_is_not_judged() {
    let mut packet = segment(4);
    packet.splice(20..20, [131, 7, 8, 1, 1, 1, 1, 0]);
    packet[0] = 0x47;
    let len = packet.len() as u16;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    let sum = naive_sum(&packet[..28]).to_be_bytes();
    packet[10..12].copy_from_slice(&sum);
    let mut decoder = Decoder::new(DecodeOptions { checksum: ChecksumMode::Count, ..DecodeOptions::default() });
    feed(&mut decoder, &[ethernet(&packet)]);
    assert_eq!(decoder.bad_checksums(), 0);
}

proptest! {
    #[test]
    fn fragments_of_any_size_and_order_give_the_segment(
        units in 1_usize..30,
        version in prop_oneof![Just(4_u8), Just(6)],
        seed: u64,
    ) {
        let mut frames: Vec<_> = fragments(version, units * 8).iter().map(|part| ethernet(part)).collect();
        let mut state = seed;
        for i in (1..frames.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            frames.swap(i, (state >> 33) as usize % (i + 1));
        }
        let came = feed(&mut Decoder::default(), &frames);
        let count = frames.len() as u32;
        let whole: Vec<_> = came.iter().flatten().collect();
        prop_assert_eq!(whole.len(), 1);
        prop_assert_eq!(&whole[0].0, &(0..200).collect::<Vec<u8>>());
        prop_assert_eq!(whole[0].1, count);
    }

    #[test]
    fn octets_changed_in_fragments_never_panic(changes: Vec<(prop::sample::Index, u8)>, version in 0_u8..2) {
        let mut frames: Vec<_> = fragments(4 + 2 * version, 64).iter().map(|part| ethernet(part)).collect();
        for (at, to) in changes {
            let frame = at.index(frames.len());
            let at = at.index(frames[frame].len());
            frames[frame][at] = to;
        }
        let mut decoder = Decoder::new(DecodeOptions { checksum: ChecksumMode::Drop, ..DecodeOptions::default() });
        feed(&mut decoder, &frames);
    }
}
