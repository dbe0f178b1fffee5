//! Filters: an expression, a 0 octet, and a packet of the frames that every link layer has one of.

use super::{Seed, frame};
use crate::filters::{EXPRESSIONS, RARE};
use crate::links::frames;

/// One primitive of every kind by itself, as a dictionary would have it.
const PARTS: &[&str] = &[
    "host 10.0.0.1",
    "src host ::1",
    "net 10/8",
    "net 10.1.2.0 mask 255.255.255.0",
    "ether host 02:00:00:00:00:0a",
    "ether dst 0100.5e00.0001",
    "dst port https",
    "sctp portrange 1-2",
    "ip proto \\tcp",
    "ether proto \\arp",
    "vlan 7 and vlan (8)",
    "mpls 16 and mpls",
    "pppoes 5 and ip6",
    "less 60 or greater 1000",
    "ip[0] & 0xf != 5",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "len / 3 * 3 % 7 ^ 1 << 2 >> 1 - 4 + (- 5) | 6 & 7 >= 0x10",
    "not (tcp or (udp and not port (53 or 80)))",
    "geneve 7 and geneve and tcp port 80",
    "geneve and ether host 02:00:00:00:00:01 and tcp[len % 7] > 2",
    "protochain 6 or ip protochain tcp or ip6 protochain 51",
    "llc or llc i or llc rnr and not llc frmr",
    "inbound or outbound",
    "src or dst net 10 && !icmp || arp",
];

pub(super) fn seeds() -> Vec<Seed> {
    let [(_, v4), (_, v6)] = frame::packets();
    let packets: Vec<_> = frames(&v4).into_iter().chain(frames(&v6)).map(|(_, _, frame)| frame).collect();
    let expressions = EXPRESSIONS.iter().chain(RARE).chain(PARTS);
    expressions
        .zip(packets.iter().cycle())
        .enumerate()
        .map(|(nth, (expr, packet))| (format!("expression-{nth:03}"), [expr.as_bytes(), &[0], packet].concat()))
        .collect()
}
