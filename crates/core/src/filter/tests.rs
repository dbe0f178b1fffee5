//! Cases on made-up packets, errors with their places, and trees that are printed and read again.

use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;

use super::ast::{Arith, ArithOp, Carrier, Dir, Expr, Family, Join, Proto, RelOp, Test, Transport};
use super::layout::{Layout, LinkKind};
use super::parser::parse;
use super::{Filter, MAX_DEPTH, MAX_EXPRESSION_LEN, codegen};
use crate::capture::LinkType;

/// An IPv4 packet 10.1.2.3 → 192.168.0.9 with `proto`, `fragment` (flags and offset) and `payload`.
fn ip4(proto: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 0];
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, proto, 0, 0, 10, 1, 2, 3, 192, 168, 0, 9]);
    packet.extend(payload);
    let len = u16::try_from(packet.len()).unwrap();
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet
}

/// An IPv6 packet 2001:db8::1 → ff02::2.
fn ip6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 0, next, 64];
    packet.extend("2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    packet.extend("ff02::2".parse::<std::net::Ipv6Addr>().unwrap().octets());
    packet.extend(payload);
    packet
}

/// A TCP header, ports 40000 → 80, with `flags`.
fn tcp(flags: u8) -> Vec<u8> {
    let mut header = vec![0x9c, 0x40, 0, 80];
    header.extend([0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 0, 9, 0, 0, 0, 0]);
    header
}

/// An Ethernet frame 02:00:00:00:00:0a → 01:00:5e:00:00:01 with the given types and what lies between them.
fn frame(types: &[&[u8]], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![1, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 0x0a];
    frame.extend(types.concat());
    frame.extend(payload);
    frame
}

fn ethernet(packet: &[u8]) -> Vec<u8> {
    let kind: &[u8] = if packet[0] >> 4 == 4 { &[8, 0] } else { &[0x86, 0xdd] };
    frame(&[kind], packet)
}

fn chosen(expr: &str, link: LinkType, data: &[u8]) -> bool {
    let filter = Filter::compile(expr).unwrap_or_else(|error| panic!("{error}\n{}", error.picture()));
    filter.matches(link, data, u32::try_from(data.len()).unwrap())
}

#[track_caller]
fn check(data: &[u8], yes: &[&str], no: &[&str]) {
    for expr in yes {
        assert!(chosen(expr, LinkType::ETHERNET, data), "{expr} should match");
    }
    for expr in no {
        assert!(!chosen(expr, LinkType::ETHERNET, data), "{expr} should not match");
    }
}

#[test]
fn tcp_segment_is_found_by_what_its_headers_say() {
    let data = ethernet(&ip4(6, 0, &tcp(0x02)));
    check(
        &data,
        &[
            "",
            "tcp port 80",
            "port 80",
            "port http",
            "src portrange 39999-40000",
            "dst host 192.168.0.9",
            "net 10",
            "net 10/8",
            "src net 10.1.2.0 mask 255.255.255.0",
            "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
            "ip proto tcp",
            "ip proto \\tcp",
            "ether host 02:00:00:00:00:0a",
            "ether dst 0100.5e00.0001",
            "ether multicast",
            "len = 54",
            "less 54",
            "greater 54",
            "ip[8] = 0x40 and ip[8] = 0100",
            "tcp src port 443 or 40000",
            "not udp and (port 443 or dst port 80)",
            "udp or tcp and port 80",
        ],
        &[
            "udp port 80",
            "udp port 80 or icmp",
            "src port 80",
            "src and dst port 80",
            "ip6",
            "src host 192.168.0.9",
            "tcp[13] & tcp-ack != 0",
            "icmp[0] != 5",
            "ip6[6] = 6",
            "broadcast",
            "less 53",
            "tcp or udp and udp",
            "vlan",
        ],
    );
}

#[test]
fn later_fragment_has_no_ports() {
    let first = ethernet(&ip4(6, 0x2000, &tcp(0)));
    let later = ethernet(&ip4(6, 0x2001, &tcp(0)));
    check(&first, &["tcp", "port 80", "tcp[2:2] = 80"], &[]);
    check(&later, &["tcp", "not port 80"], &["port 80", "tcp[2:2] = 80"]);
}

#[test]
fn ipv6_fragment_header_is_looked_through_for_protocols_only() {
    let plain = ethernet(&ip6(6, &tcp(0)));
    let mut fragment = vec![6, 0, 0, 0, 0, 0, 0, 7];
    fragment.extend(tcp(0));
    let fragment = ethernet(&ip6(44, &fragment));
    check(&plain, &["tcp", "tcp port 80", "ip6 proto 6", "src net 2001:db8::/32", "ip6 multicast"], &["tcp[2:2] = 80"]);
    check(&fragment, &["tcp", "ip6 proto 44", "host ff02::2"], &["tcp port 80", "udp"]);
}

#[test]
fn truncated_packet_is_not_chosen_even_under_not() {
    let data = ethernet(&ip4(6, 0, &tcp(0)));
    let cut = &data[..34];
    check(cut, &["tcp", "ip host 10.1.2.3"], &["port 81", "not port 81", "tcp[0] = 0", "not tcp[0] = 0 or tcp"]);
}

#[test]
fn vlan_and_mpls_and_pppoe_shift_what_follows() {
    let packet = ip4(6, 0, &tcp(0));
    let tagged = frame(&[&[0x81, 0, 0x20, 7], &[0x81, 0, 0, 9], &[8, 0]], &packet);
    check(
        &tagged,
        &["vlan 7", "vlan and vlan 9", "vlan and vlan and tcp port 80", "vlan 7 and vlan or port 80"],
        &["tcp", "vlan 9", "vlan and tcp", "tcp or vlan and tcp"],
    );
    let labels = frame(&[&[0x88, 0x47], &[0, 1, 0x40, 64], &[0, 1, 0x51, 64]], &packet);
    check(&labels, &["mpls 20", "mpls and mpls 21 and tcp port 80"], &["mpls 21", "mpls and ip"]);
    let session = frame(&[&[0x88, 0x64], &[0x11, 0, 0, 5, 0, 42], &[0, 0x21]], &packet);
    check(&session, &["pppoes 5", "pppoes and tcp port 80"], &["pppoes 6", "tcp", "pppoes and ip6"]);
}

#[test]
fn link_layers_say_ip_in_their_own_way() {
    let packet = ip4(17, 0, &[0, 53, 0x13, 0x88, 0, 8, 0, 0]);
    let head: [(u16, &[u8]); 10] = [
        (101, &[]),
        (228, &[]),
        (0, &[2, 0, 0, 0]),
        (0, &[0, 0, 0, 2]),
        (108, &[0, 0, 0, 2]),
        (113, &[0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]),
        (276, &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 4, 6, 0, 0, 0, 0, 0, 0, 0, 0]),
        (9, &[0xff, 3, 0, 0x21]),
        (104, &[0x0f, 0, 8, 0]),
        (1, &[1, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 0x0a, 8, 0]),
    ];
    for (link, head) in head {
        let data = [head, &packet].concat();
        assert!(chosen("udp port domain and src net 10.1", LinkType(link), &data), "link type {link}");
        assert!(!chosen("tcp or ip6 or arp", LinkType(link), &data), "link type {link}");
    }
}

#[test]
fn unknown_link_layer_knows_lengths_only() {
    let other = LinkType(9999);
    assert!(chosen("less 10 and link[0] = 7", other, &[7, 8]));
    assert!(!chosen("tcp", other, &[7, 8]));
    assert!(!chosen("not tcp", other, &[7, 8]));
    assert!(!Filter::compile("not tcp").unwrap().supports(other));
    assert!(!Filter::compile("vlan").unwrap().supports(LinkType::RAW));
}

#[test]
fn name_of_a_host_stands_for_all_of_its_addresses() {
    let asked = std::cell::RefCell::new(Vec::new());
    let lookup = |name: &str| {
        asked.borrow_mut().push(name.to_owned());
        let addresses: &[&str] = match name {
            "both.example" | "tcp" => &["10.1.2.3", "2001:db8::1", "10.9.9.9"],
            "six.example" => &["2001:db8::1"],
            _ => &[],
        };
        addresses.iter().map(|text| text.parse().unwrap()).collect()
    };
    let v4 = ethernet(&ip4(6, 0, &tcp(0)));
    let v6 = ethernet(&ip6(6, &tcp(0)));
    for (expr, in_v4, in_v6) in [
        ("host both.example", true, true),
        ("not host both.example", false, false),
        ("src both.example", true, true),
        ("dst host both.example", false, false),
        ("ip host both.example", true, false),
        ("ip6 src host both.example and tcp", false, true),
        ("host six.example", false, true),
        ("host (192.0.2.1 or six.example)", false, true),
        ("host 192.0.2.1 or both.example", true, true),
        ("host \\tcp", true, true),
        ("port 80 and (dst host 192.168.0.9 or six.example)", true, false),
        // Addresses aren't asked for.
        ("host 10.1.2.3", true, false),
    ] {
        let filter = Filter::compile_with(expr, &lookup).unwrap();
        for (data, expected) in [(&v4, in_v4), (&v6, in_v6)] {
            let chosen = filter.matches(LinkType::ETHERNET, data, u32::try_from(data.len()).unwrap());
            assert_eq!(chosen, expected, "{expr}");
        }
    }
    assert!(!asked.borrow().iter().any(|name| name.starts_with(|c: char| c.is_ascii_digit())));
    for (expr, offset, expected) in [
        ("host no.example", 5, "looked up"),
        ("ip host six.example", 8, "looked up"),
        ("host tcp", 5, "an address"),
        ("net both.example", 4, "networks"),
        ("ether host both.example", 11, "MAC"),
        ("tcp host both.example", 9, "addresses of its own"),
    ] {
        let error = Filter::compile_with(expr, &lookup).unwrap_err();
        assert_eq!(error.offset(), offset, "{expr}: {error}");
        assert!(error.expected().contains(expected), "{expr}: {error}");
    }
}

#[test]
fn direction_is_an_error_where_the_link_layer_does_not_tell() {
    let filter = Filter::compile("inbound and len > 2").unwrap();
    let error = filter.chooses(LinkType::ETHERNET, &[0; 60], 60).unwrap_err();
    assert!(error.contains("link type 1 "), "{error}");
    assert_eq!(filter.chooses(LinkType::LINUX_SLL, &[0; 60], 60), Ok(true));
    // Anything else that can't be said is a no.
    assert_eq!(Filter::compile("vlan").unwrap().chooses(LinkType::RAW, &[0; 60], 60), Ok(false));
    // What follows Geneve is about what is inside, where it is Ethernet.
    assert!(Filter::compile("geneve and outbound").unwrap().chooses(LinkType::LINUX_SLL, &[0; 60], 60).is_err());
}

#[test]
fn chain_of_headers_that_leads_in_a_circle_ends() {
    // An authentication header whose length leads back to itself.
    let mut chain = vec![51, 8];
    chain.extend([0; 6]);
    chain.extend([51, 8, 0, 0, 0, 0, 0, 0]);
    let data = ethernet(&ip6(51, &chain));
    check(&data, &["ip6 protochain 51"], &["ip6 protochain 6", "not ip6 protochain 6"]);
}

#[test]
fn arithmetic_follows_the_ranks_of_tcpdump() {
    // Each line was put to tcpdump 4.99.3, which finds it true.
    for expr in [
        "8 % 5 * 2 = 8",
        "2 * 8 % 5 = 6",
        "9 % 5 % 3 = 1",
        "6 ^ 3 & 1 = 7",
        "6 & 3 ^ 1 = 2",
        "8 - 7 % 4 = 5",
        "8 % 5 - 3 = 0",
        "3 ^ 1 + 1 = 1",
        "3 | 4 & 1 = 3",
        "1 & 4 | 2 = 2",
        "1 << 2 + 1 = 8",
        "8 - 4 - 2 = 2",
        "(- 1) = 0xffffffff",
    ] {
        assert!(chosen(expr, LinkType::ETHERNET, &[]), "{expr}");
    }
    assert!(!chosen("len / (len - 5) > 0 or len = 5", LinkType::ETHERNET, &[0; 5]), "a division by zero refuses");
}

#[test]
fn error_points_at_the_token() {
    for (expr, offset, token, expected) in [
        ("tcp port httpd", 9, "httpd", "service"),
        ("host example.org", 5, "example.org", "names are not looked up"),
        ("tcp and", 7, "", "a primitive"),
        ("tcp and (udp", 12, "", "\")\""),
        ("tcp foo", 4, "foo", "\"and\""),
        ("port 80 or port", 15, "", "port number"),
        ("net 10.0.0.1/8", 4, "10.0.0.1/8", "bits beyond its mask"),
        ("net 10.0.0.0/40", 13, "40", "at most 32"),
        ("tcp[0:3] = 1", 6, "3", "1, 2 or 4"),
        ("ether protochain 6", 17, "6", "protochain"),
        ("tcp protochain 6", 15, "6", "only ether, ip and ip6"),
        ("gateway host", 0, "gateway", "not supported"),
        ("geneve 16777216", 7, "16777216", "16777215"),
        ("llc foo", 4, "foo", "frame type"),
        ("llc tcp", 4, "tcp", "frame type"),
        ("vlan 5000", 5, "5000", "4095"),
        ("tcp[1] 5", 7, "5", "comparison"),
        ("len / 0 = 1", 6, "0", "divisor"),
        ("tcp é", 4, "é", "operator"),
        ("80", 0, "80", "keyword"),
        ("host 1.2.3.400", 5, "1.2.3.400", "0 to 255"),
        ("udp broadcast", 0, "udp broadcast", "before \"broadcast\""),
    ] {
        let error = Filter::compile(expr).unwrap_err();
        assert_eq!((error.offset(), error.token()), (offset, token), "{expr}: {error}");
        assert!(error.expected().contains(expected), "{expr}: {error}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn error_picture_puts_carets_under_the_token() {
    let error = Filter::compile("tcp\tport é or 80").unwrap_err();
    assert_eq!(error.picture(), "tcp port é or 80\n         ^");
    assert_eq!(
        error.to_string(),
        "filter, column 10: expected a keyword, a number, an address or an operator, found \"é\""
    );
    let long = format!("{} foo", "port 80 or ".repeat(40));
    let picture = Filter::compile(&long).unwrap_err().picture();
    let (line, carets) = picture.split_once('\n').unwrap();
    assert!(line.chars().count() <= 76);
    assert_eq!(&line[carets.find('^').unwrap()..], "foo");
}

#[test]
fn limits_are_errors() {
    let deep = format!("{}tcp{}", "(".repeat(MAX_DEPTH + 1), ")".repeat(MAX_DEPTH + 1));
    assert!(Filter::compile(&deep).unwrap_err().expected().contains("nested"));
    assert!(Filter::compile(&"not ".repeat(9000)).is_err());
    assert!(Filter::compile(&format!("len = 1{}", "+1".repeat(300))).unwrap_err().expected().contains("operators"));
    assert!(Filter::compile(&" ".repeat(MAX_EXPRESSION_LEN + 1)).unwrap_err().expected().contains("octets"));
    let many = format!("port 1{}", " or 1".repeat(12_000));
    assert!(Filter::compile(&many).unwrap_err().expected().contains("steps"));
    assert!(Filter::compile(&format!("vlan{}", " and vlan".repeat(1000))).is_ok());
}

#[test]
fn worst_expressions_compile_in_linear_time() {
    let start = Instant::now();
    for piece in ["1:", "a:", "(", "-", "::", "ip6 or ", "not ip or ", "tcp[1]&", "host 1 or "] {
        let _ = Filter::compile(&piece.repeat(MAX_EXPRESSION_LEN / piece.len()));
        let _ = Filter::compile(&format!("{}ip", piece.repeat(MAX_EXPRESSION_LEN / piece.len() - 1)));
    }
    // A quadratic step would take minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

const PROTOS: [Proto; 30] = [
    Proto::Ip,
    Proto::Ip6,
    Proto::Arp,
    Proto::Rarp,
    Proto::Tcp,
    Proto::Udp,
    Proto::Sctp,
    Proto::Icmp,
    Proto::Icmp6,
    Proto::Igmp,
    Proto::Igrp,
    Proto::Pim,
    Proto::Vrrp,
    Proto::Carp,
    Proto::Ah,
    Proto::Esp,
    Proto::Atalk,
    Proto::Aarp,
    Proto::Decnet,
    Proto::Lat,
    Proto::Sca,
    Proto::Moprc,
    Proto::Mopdl,
    Proto::Stp,
    Proto::Ipx,
    Proto::Netbeui,
    Proto::Iso,
    Proto::Clnp,
    Proto::Esis,
    Proto::Isis,
];

fn any_dir() -> impl Strategy<Value = Dir> {
    prop::sample::select(vec![Dir::Src, Dir::Dst, Dir::Either, Dir::Both])
}

fn any_arith() -> impl Strategy<Value = Arith> {
    let ops = [
        ArithOp::Add,
        ArithOp::Sub,
        ArithOp::Mul,
        ArithOp::And,
        ArithOp::Or,
        ArithOp::Xor,
        ArithOp::Mod,
        ArithOp::Div,
        ArithOp::Shl,
        ArithOp::Shr,
    ];
    // A written 0 or a number over 31 on the right of some operators is an error: 1 to 31 never is.
    let leaf = prop_oneof![(1_u32..32).prop_map(Arith::Num), Just(Arith::Len)];
    leaf.prop_recursive(4, 12, 2, move |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| Arith::Neg(Box::new(a))),
            (prop::sample::select(PROTOS[..14].to_vec()), inner.clone(), prop::sample::select(vec![1_u8, 2, 4]))
                .prop_map(|(proto, offset, size)| Arith::Load { proto, offset: Box::new(offset), size }),
            (prop::sample::select(ops.to_vec()), inner.clone(), inner).prop_map(|(op, a, b)| Arith::Binary(
                op,
                Box::new(a),
                Box::new(b)
            )),
        ]
    })
}

fn any_host() -> impl Strategy<Value = Test> {
    let carriers = prop::sample::select(vec![Carrier::Any, Carrier::Ip, Carrier::Arp, Carrier::Rarp]);
    prop_oneof![
        (carriers, any_dir(), any::<u32>(), any::<u32>()).prop_map(|(carrier, dir, addr, mask)| Test::Host4 {
            carrier,
            dir,
            addr: addr & mask,
            mask
        }),
        (any_dir(), any::<u128>(), 0_u8..=128).prop_map(|(dir, addr, prefix)| {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            Test::Host6 { dir, addr: addr & mask, prefix }
        }),
        (any_dir(), any::<[u8; 6]>()).prop_map(|(dir, mac)| Test::Mac(dir, mac)),
    ]
}

fn any_test() -> impl Strategy<Value = Test> {
    let transports = prop::sample::select(vec![Transport::Any, Transport::Tcp, Transport::Udp, Transport::Sctp]);
    let families = prop::sample::select(vec![Family::Both, Family::V4, Family::V6]);
    let relops = prop::sample::select(vec![RelOp::Eq, RelOp::Ne, RelOp::Gt, RelOp::Ge, RelOp::Lt, RelOp::Le]);
    let plain = vec![
        Test::Broadcast,
        Test::IpBroadcast,
        Test::Multicast,
        Test::IpMulticast,
        Test::Ip6Multicast,
        Test::Outbound(true),
        Test::Outbound(false),
        Test::Pppoed,
        Test::Llc(None),
        Test::Llc(Some((0x01, 0x00))),
        Test::Llc(Some((0x0f, 0x05))),
        Test::Llc(Some((0xef, 0xaf))),
    ];
    prop_oneof![
        prop::sample::select(PROTOS.to_vec()).prop_map(Test::Proto),
        any::<u32>().prop_map(Test::EtherType),
        (families.clone(), any::<u32>()).prop_map(|(family, number)| Test::IpProto(family, number)),
        (families, any::<u32>()).prop_map(|(family, number)| Test::ProtoChain(family, number)),
        prop::option::of(0_u32..1 << 24).prop_map(Test::Geneve),
        any_host(),
        (transports, any_dir(), any::<u16>(), any::<u16>()).prop_map(|(transport, dir, a, b)| Test::Port {
            transport,
            dir,
            low: a.min(b),
            high: a.max(b)
        }),
        prop::sample::select(plain),
        prop::option::of(0_u32..4096).prop_map(Test::Vlan),
        prop::option::of(0_u32..1 << 20).prop_map(Test::Mpls),
        prop::option::of(0_u32..65_536).prop_map(Test::Pppoes),
        (any_arith(), relops, any_arith()).prop_map(|(a, op, b)| Test::Relation(a, op, b)),
    ]
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let join = prop::sample::select(vec![Join::And, Join::Or]);
    any_test().prop_map(Expr::Test).prop_recursive(4, 16, 4, move |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
            (inner.clone(), vec((join.clone(), inner), 1..4)).prop_map(|(e, rest)| Expr::Chain(Box::new(e), rest)),
        ]
    })
}

/// Fragments that, strung together, get far into the parser.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = [
        "tcp",
        "port",
        "80",
        "host",
        "1.2.3.4",
        "net",
        "10/8",
        "::1",
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        ":",
        "ip",
        "ip6",
        "vlan",
        "mpls",
        "pppoes",
        "geneve",
        "llc",
        "protochain",
        "inbound",
        "len",
        "=",
        "&",
        "-",
        "%",
        "src",
        "dst",
        "proto",
        "ether",
        "multicast",
        "less",
        "portrange",
        "1-2",
        "mask",
        "/",
        "0x10",
        "\\tcp",
        "1:2:3:4:5:6",
        "é",
        "icmp6",
        "<<",
    ];
    vec(prop::sample::select(pieces.to_vec()), 0..12).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn tree_printed_and_parsed_is_the_same_tree(expr in any_expr()) {
        let text = expr.to_string();
        let parsed = parse(&text, None).unwrap_or_else(|error| panic!("{error}\n{}", error.picture()));
        prop_assert_eq!(parsed, expr, "{}", text);
    }

    #[test]
    fn programs_answer_the_same_from_where_they_may_begin(
        expr in any_expr(),
        (kind, link_type) in prop::sample::select(vec![(LinkKind::Ethernet, 12), (LinkKind::Sll, 14), (LinkKind::Sll2, 0)]),
        ethertype in prop::sample::select(vec![0x0800_u16, 0x86dd, 0x0806, 0x8100]),
        protocol in prop::sample::select(vec![1_u8, 6, 17, 44, 58, 132, 200]),
        mut data in vec(any::<u8>(), 16..100),
    ) {
        data[link_type..link_type + 2].copy_from_slice(&ethertype.to_be_bytes());
        let network = Layout::new(kind).network() as usize;
        for at in [network + 6, network + 9] {
            if let Some(octet) = data.get_mut(at) {
                *octet = protocol;
            }
        }
        if let Ok(program) = codegen::compile(&expr, kind) {
            let program = program.with_starts(kind);
            let whole = program.run_from(program.first, &data, 100);
            prop_assert_eq!(program.run(&data, 100), whole, "{}", expr);
        }
    }

    #[test]
    fn random_text_and_packets_never_panic(
        text in prop_oneof![any_text(), ".*", any_expr().prop_map(|e| e.to_string())],
        data in vec(any::<u8>(), 0..100),
        wire_len in any::<u32>(),
    ) {
        match Filter::compile(&text) {
            Ok(filter) => for link in [0, 1, 8, 9, 77, 101, 104, 108, 113, 117, 166, 178, 204, 226, 228, 229, 258, 276] {
                let _ = filter.matches(LinkType(link), &data, wire_len);
            },
            Err(error) => {
                prop_assert!(error.offset() <= text.len());
                prop_assert_eq!(error.picture().lines().count(), 2, "{}", error);
            }
        }
    }
}
