//! The instructions against the program that they are made from, on a machine written from the paper.

use proptest::collection::vec;
use proptest::prelude::*;

use super::ClassicInstruction;
use crate::capture::LinkType;
use crate::filter::Filter;

/// What the machine answers: octets of the packet that are wanted.
fn run(code: &[ClassicInstruction], packet: &[u8], wire_len: u32) -> u32 {
    let (mut a, mut x, mut memory, mut at) = (0_u32, 0_u32, [0_u32; 16], 0);
    let read = |from: u64, size: usize| -> Option<u32> {
        let octets = packet.get(usize::try_from(from).ok()?..)?.get(..size)?;
        Some(octets.iter().fold(0, |n, octet| n << 8 | u32::from(*octet)))
    };
    let ran = (|| loop {
        let ClassicInstruction { code, jt, jf, k } = *code.get(at)?;
        at += 1;
        let operand = if code & 0x08 == 0 { k } else { x };
        let size = match code & 0x18 {
            0x00 => 4,
            0x08 => 2,
            _ => 1,
        };
        match code & 0x07 {
            0 => {
                a = match code & 0xe0 {
                    0x00 => k,
                    0x20 => read(u64::from(k), size)?,
                    0x40 => read(u64::from(x) + u64::from(k), size)?,
                    0x60 => memory[k as usize],
                    _ => wire_len,
                }
            }
            1 if code & 0xe0 == 0x60 => x = memory[k as usize],
            1 => x = 4 * (read(u64::from(k), 1)? & 15),
            2 => memory[k as usize] = a,
            4 => {
                a = match code & 0xf0 {
                    0x00 => a.wrapping_add(operand),
                    0x10 => a.wrapping_sub(operand),
                    0x20 => a.wrapping_mul(operand),
                    0x30 => a.checked_div(operand)?,
                    0x40 => a | operand,
                    0x50 => a & operand,
                    0x60 => a << operand,
                    0x70 => a >> operand,
                    0x80 => a.wrapping_neg(),
                    0x90 => a.checked_rem(operand)?,
                    _ => a ^ operand,
                }
            }
            5 => {
                let holds = match code & 0xf0 {
                    0x00 => {
                        at += k as usize;
                        continue;
                    }
                    0x10 => a == operand,
                    0x20 => a > operand,
                    _ => a >= operand,
                };
                at += usize::from(if holds { jt } else { jf });
            }
            _ => return Some(k),
        }
    })();
    ran.unwrap_or(0)
}

const EXPRESSIONS: &[&str] = &[
    "tcp",
    "not tcp",
    "tcp port 80 or udp port 53",
    "portrange 100-200 and host 10.1.2.3",
    "ip6 and tcp dst port 443",
    "net 10.0.0.0/8 and not (icmp or arp)",
    "tcp[13] & 2 != 0",
    "ip[6:2] & 0x1fff = 0 and ip[2:2] > 100",
    "ip[2:2] - ((ip[0] & 15) << 2) - ((tcp[12] & 240) >> 2) != 0",
    "len > 100 and less 1500",
    "ether host 02:00:00:00:00:0a or ether multicast",
    "vlan 7 and ip",
    "ether[12:2] / (len - 20) > 2 or ether[0] % 3 = 1",
    "5 - len > ether[3] * 3",
    "ip proto 50 or ip6 host 2001:db8::1",
    "tcp[2:2] >= 1000 and tcp[2:2] < 2000",
    "",
];

/// Something like a packet: mostly IP, with all that may vary.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![Just([8_u8, 0]), Just([0x86, 0xdd]), Just([0x81, 0]), Just([8, 6]), any::<[u8; 2]>()];
    let first = prop_oneof![4 => Just(0x45_u8), 1 => Just(0x60), 1 => any::<u8>()];
    let proto = prop_oneof![3 => Just(6_u8), 1 => Just(17), 1 => any::<u8>()];
    (kinds, first, proto, vec(any::<u8>(), 0..90)).prop_map(|(kind, first, proto, rest)| {
        let mut packet = vec![2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, kind[0], kind[1], first, 0, 0, 60];
        packet.extend([0, 0, rest.first().map_or(0, |n| n & 0x40), 0, 64, proto, 0, 0, 10, 1, 2, 3, 10, 9, 9, 9]);
        packet.extend([0, 80, 0, 150]);
        packet.extend(rest);
        packet
    })
}

proptest! {
    #[test]
    fn instructions_choose_what_the_program_chooses(packet in any_packet(), cut in 0_usize..120, more in 0_u32..2000) {
        let seen = &packet[..packet.len().min(cut + 10)];
        let wire_len = packet.len() as u32 + more;
        for expr in EXPRESSIONS {
            let filter = Filter::compile(expr).unwrap();
            for link in [LinkType::ETHERNET, LinkType::RAW, LinkType::LINUX_SLL2] {
                let Some(code) = filter.classic(link, 77) else { continue };
                let chosen = filter.matches(link, seen, wire_len);
                prop_assert_eq!(run(&code, seen, wire_len), if chosen { 77 } else { 0 }, "{} {:?}", expr, link);
            }
        }
    }
}

#[test]
fn usual_expressions_have_instructions() {
    for expr in EXPRESSIONS {
        let filter = Filter::compile(expr).unwrap();
        assert!(filter.classic(LinkType::ETHERNET, 1).is_some(), "{expr}");
    }
}

#[test]
fn long_programs_jump_far() {
    let hosts: Vec<String> = (0..100).map(|n| format!("host 10.0.{n}.1")).collect();
    let filter = Filter::compile(&hosts.join(" or ")).unwrap();
    let code = filter.classic(LinkType::ETHERNET, 9).unwrap();
    assert!(code.len() > 1000 && code.len() <= super::MAX_CLASSIC_LEN);
    for (net, wanted) in [(0, 9), (50, 9), (99, 9), (100, 0)] {
        let mut packet = vec![0; 12];
        packet.extend([8, 0, 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, net, 1, 1, 1, 1, 1]);
        assert_eq!(run(&code, &packet, 34), wanted, "10.0.{net}.1");
    }
}

#[test]
fn what_the_machine_would_do_otherwise_has_none() {
    let hosts: Vec<String> = (0..2000).map(|n| format!("host 10.{}.{}.1", n / 250, n % 250)).collect();
    let too_long = hosts.join(" or ");
    for expr in ["tcp[tcp[12] >> 2] = 71", "ip[-20000:2] = 5", "len << ether[0] > 4", &too_long] {
        assert!(Filter::compile(expr).unwrap().classic(LinkType::ETHERNET, 1).is_none(), "{expr:.40}");
    }
    // Nothing on this link layer can match.
    assert!(Filter::compile("ether host 02:00:00:00:00:0a").unwrap().classic(LinkType::RAW, 1).is_none());
}
