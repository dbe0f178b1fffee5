use super::*;
use etherparse::{Icmpv4Header, Icmpv4Type, Icmpv6Type, Ipv4Header, Ipv6Header, TcpHeader, UdpHeader};
use proptest::prelude::*;

/// Word by word, as RFC 1071 section 4.1 tells it.
fn naive(bytes: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn v4(src: [u8; 4], dst: [u8; 4], payload_len: usize, proto: u8) -> Ipv4Header {
    Ipv4Header::new(payload_len as u16, 64, etherparse::IpNumber(proto), src, dst).expect("a short payload")
}

fn v6(src: [u8; 16], dst: [u8; 16]) -> Ipv6Header {
    Ipv6Header { source: src, destination: dst, ..Ipv6Header::default() }
}

/// Damages one octet, so that the sum changes: adding 1 modulo 256 never gives an equal one's complement word.
fn damaged(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = bytes[at].wrapping_add(1);
    bytes
}

#[test]
fn checksum_of_the_rfcs_example_is_as_printed() {
    // RFC 1071 section 3 sums these octets to 0xddf2.
    let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(Sum::default().bytes(&bytes).fold(), 0xddf2);
    assert_eq!(internet_checksum(&bytes), !0xddf2);
}

#[test]
fn short_packets_are_unknown() {
    let (src, dst) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    for (proto, len) in [(6, 19), (17, 7), (1, 3), (132, 40), (58, 8)] {
        assert_eq!(verify(4, &src, &dst, proto, &vec![1; len]), Verdict::Unknown, "{proto}");
    }
    assert_eq!(verify(6, &[0; 16], &[0; 16], 1, &[1; 8]), Verdict::Unknown);
    assert_eq!(verify_ipv4_header(&[]), Verdict::Unknown);
    assert_eq!(verify_ipv4_header(&[0x45; 19]), Verdict::Unknown);
    assert_eq!(verify_ipv4_header(&[0x44; 40]), Verdict::Unknown);
    assert_eq!(verify_captured(4, &src, &dst, 6, &[0; 30], 31), Verdict::Unknown);
}

#[test]
fn udp_without_checksum_is_absent_only_over_ipv4() {
    let datagram = [0, 1, 0, 2, 0, 8, 0, 0];
    assert_eq!(verify(4, &[1; 4], &[2; 4], 17, &datagram), Verdict::Absent);
    assert_eq!(verify(6, &[1; 16], &[2; 16], 17, &datagram), Verdict::Bad);
}

#[test]
fn udp_cut_or_followed_by_a_trailer_is_judged_by_its_own_length() {
    let header = UdpHeader::with_ipv4_checksum(1, 2, &v4([1; 4], [2; 4], 12, 17), b"abcd").expect("short");
    let mut datagram = header.to_bytes().to_vec();
    datagram.extend_from_slice(b"abcd");
    assert_eq!(verify(4, &[1; 4], &[2; 4], 17, &datagram[..11]), Verdict::Unknown);
    // A length shorter than the header is none; 0 is a jumbogram's, which only IPv6 has.
    for len in [1, 7, 0] {
        let wrong = [&datagram[..4], &[0, len], &datagram[6..]].concat();
        assert_eq!(verify(4, &[1; 4], &[2; 4], 17, &wrong), Verdict::Unknown, "{len}");
    }
    datagram.extend_from_slice(b"trailer");
    assert_eq!(verify(4, &[1; 4], &[2; 4], 17, &datagram), Verdict::Good);
}

#[test]
fn udp_jumbogram_is_judged_by_the_whole_payload() {
    let mut datagram = vec![0, 1, 0, 2, 0, 0, 0, 0];
    datagram.extend_from_slice(&[7; 70_000]);
    let pseudo = [&[1; 16][..], &[2; 16], &70_008_u32.to_be_bytes(), &[0, 0, 0, 17]].concat();
    let sum = naive(&[&pseudo[..], &datagram].concat());
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(verify(6, &[1; 16], &[2; 16], 17, &datagram), Verdict::Good);
    assert_eq!(verify(6, &[1; 16], &[2; 16], 17, &damaged(&datagram, 70_000)), Verdict::Bad);
}

#[test]
fn mode_drops_only_what_is_bad() {
    assert_eq!(ChecksumMode::default(), ChecksumMode::Ignore);
    assert!(!ChecksumMode::Ignore.checks() && ChecksumMode::Count.checks());
    for verdict in [Verdict::Good, Verdict::Bad, Verdict::Absent, Verdict::Unknown] {
        assert_eq!(ChecksumMode::Drop.drops(verdict), verdict == Verdict::Bad);
        assert!(!ChecksumMode::Count.drops(verdict));
    }
}

proptest! {
    #[test]
    fn sum_of_any_octets_equals_word_by_word(bytes in proptest::collection::vec(prop_oneof![Just(0), Just(255), any::<u8>()], 0..200)) {
        prop_assert_eq!(internet_checksum(&bytes), naive(&bytes));
    }

    #[test]
    fn sum_in_even_parts_equals_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..100_usize) {
        let cut = (cut * 2).min(bytes.len() & !1);
        let parts = Sum::default().bytes(&bytes[..cut]).bytes(&bytes[cut..]);
        prop_assert_eq!(!parts.fold(), naive(&bytes));
    }

    #[test]
    fn ipv4_header_made_by_etherparse_is_good_until_damaged(src: [u8; 4], dst: [u8; 4], at in 1..20_usize) {
        let mut header = v4(src, dst, 100, 6);
        header.header_checksum = header.calc_header_checksum();
        let bytes = header.to_bytes();
        prop_assert_eq!(verify_ipv4_header(&bytes), Verdict::Good);
        prop_assert_eq!(verify_ipv4_header(&damaged(&bytes, at)), Verdict::Bad);
    }

    #[test]
    fn packets_made_by_etherparse_are_good_until_damaged(
        src4: [u8; 4], dst4: [u8; 4], src6: [u8; 16], dst6: [u8; 16], payload in proptest::collection::vec(any::<u8>(), 0..90), at: proptest::sample::Index,
    ) {
        let mut mapped = ([0; 16], [0; 16]);
        mapped.0[10..12].fill(0xff);
        mapped.1[10..12].fill(0xff);
        mapped.0[12..].copy_from_slice(&src4);
        mapped.1[12..].copy_from_slice(&dst4);
        for (version, proto, packet) in built(src4, dst4, src6, dst6, &payload) {
            let (src, dst): (&[u8], &[u8]) = if version == 4 { (&src4, &dst4) } else { (&src6, &dst6) };
            prop_assert_eq!(verify(version, src, dst, proto, &packet), Verdict::Good, "{} {}", version, proto);
            if version == 4 {
                prop_assert_eq!(verify(4, &mapped.0, &mapped.1, proto, &packet), Verdict::Good);
            }
            // Not UDP's length: with another one the datagram is cut, or shorter.
            let at = at.index(packet.len());
            if proto != 17 || !(4..8).contains(&at) {
                prop_assert_eq!(verify(version, src, dst, proto, &damaged(&packet, at)), Verdict::Bad, "{} {} {}", version, proto, at);
            }
        }
    }
}

/// One packet of each protocol with the checksum that etherparse computes: version, protocol, octets.
fn built(src4: [u8; 4], dst4: [u8; 4], src6: [u8; 16], dst6: [u8; 16], payload: &[u8]) -> Vec<(u8, u8, Vec<u8>)> {
    let (ip4, ip6) = (v4(src4, dst4, payload.len(), 6), v6(src6, dst6));
    let with = |header: &[u8]| [header, payload].concat();
    let mut tcp = TcpHeader::new(1000, 80, 7, 512);
    tcp.checksum = tcp.calc_checksum_ipv4(&ip4, payload).expect("short");
    let tcp4 = with(&tcp.to_bytes());
    tcp.checksum = tcp.calc_checksum_ipv6(&ip6, payload).expect("short");
    let tcp6 = with(&tcp.to_bytes());
    let udp4 = with(&UdpHeader::with_ipv4_checksum(1, 2, &ip4, payload).expect("short").to_bytes());
    let udp6 = with(&UdpHeader::with_ipv6_checksum(1, 2, &ip6, payload).expect("short").to_bytes());
    let echo = etherparse::IcmpEchoHeader { id: 3, seq: 4 };
    let icmp4 = with(&Icmpv4Header::with_checksum(Icmpv4Type::EchoRequest(echo), payload).to_bytes());
    let icmp6 = Icmpv6Type::EchoRequest(echo).to_header(src6, dst6, payload).expect("short");
    let icmp6 = with(&icmp6.to_bytes());
    vec![(4, 6, tcp4), (6, 6, tcp6), (4, 17, udp4), (6, 17, udp6), (4, 1, icmp4), (6, 58, icmp6)]
}
