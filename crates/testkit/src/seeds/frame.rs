//! Frames: two octets of link type, one of options, then for each frame its length in two octets, one that chooses
//! Ethernet (even) or the link type (odd), and the frame.

use std::net::IpAddr;

use super::{Seed, name};
use crate::frame::{TcpFrame, ethernet, ip_packet};
use crate::link::{ethernet_with, ethertype_of, fragments_v4, fragments_v6, gre, join, udp_packet, vlan, vxlan};
use crate::links::frames;
use crate::tunnels::tunnels;

/// Tunnels opened, told apart, checksums ignored: the choice under which most is decoded.
const OPEN: u8 = 4;

pub(super) fn seeds() -> Vec<Seed> {
    let mut found = links();
    found.extend(tunnelled());
    found.extend(fragmented());
    found
}

/// An IP packet with a TCP segment, in each version.
pub(super) fn packets() -> [(&'static str, Vec<u8>); 2] {
    let options = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 1, 2, 0, 0, 0, 3, 1, 3, 3, 7];
    let frame = TcpFrame { payload: b"GET / HTTP/1.1\r\n\r\n", options: &options, ..TcpFrame::new(7, 0x12) };
    let (src, dst) = (IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 2]));
    [("v4", frame.packet()), ("v6", TcpFrame { src, dst, ..frame }.packet())]
}

fn seed(link: u16, choices: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = link.to_be_bytes().to_vec();
    out.push(choices);
    for frame in frames {
        out.extend_from_slice(&(frame.len() as u16).to_be_bytes());
        out.push(u8::from(link != 1));
        out.extend_from_slice(frame);
    }
    out
}

fn links() -> Vec<Seed> {
    let of = |(version, packet): (&str, Vec<u8>)| {
        let named =
            move |(what, link, frame)| (name(&format!("link {link} {what} {version}")), seed(link, OPEN, &[frame]));
        frames(&packet).into_iter().map(named).collect::<Vec<_>>()
    };
    packets().into_iter().flat_map(of).collect()
}

/// Each tunnel over each version around each version, opened or not, and tunnels in tunnels up to the limit.
fn tunnelled() -> Vec<Seed> {
    let [(_, v4), (_, v6)] = packets();
    let ends = [[IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])], [end6(1), end6(2)]];
    let mut found = Vec::new();
    for (outer, [src, dst]) in ["over-v4", "over-v6"].iter().zip(ends) {
        for (version, inner) in [("v4", &v4), ("v6", &v6)] {
            let proto = if version == "v4" { 4 } else { 41 };
            let all = tunnels(inner).into_iter().chain([("ip", proto, inner.clone())]);
            for (nth, (kind, proto, payload)) in (0..).zip(all) {
                let frame = ethernet(&ip_packet(src, dst, proto, &payload));
                found
                    .push((name(&format!("tunnel {nth} {kind} {version} {outer}")), seed(1, OPEN | nth & 3, &[frame])));
            }
        }
    }
    let [src, dst] = ends[0];
    let teredo = [&[0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0][..], &[0, 0, 1, 2, 3, 4, 5, 6], &v6];
    let teredo = udp_packet(src, dst, (3544, 40_000), &join(&teredo));
    found.push(("tunnel-teredo".to_owned(), seed(1, OPEN, &[ethernet(&teredo)])));
    let mut nested = v4.clone();
    for depth in 1..=9 {
        nested = ip_packet(src, dst, 4, &nested);
        found.push((format!("tunnel-nested-{depth}"), seed(1, OPEN, &[ethernet(&nested)])));
    }
    let tagged = ethernet_with(0x8100, &vlan(5, 0x0800, &v4));
    let deep = udp_packet(src, dst, (1, 4789), &vxlan(7, &tagged));
    let deep = ip_packet(end6(1), end6(2), 47, &gre(0x0800, Some(9), None, &deep));
    found.push(("tunnel-vlan-vxlan-gre".to_owned(), seed(1, OPEN, &[ethernet_with(0x88a8, &vlan(9, 0x86dd, &deep))])));
    found
}

fn end6(last: u16) -> IpAddr {
    IpAddr::from([0x2001, 0xdb8, 10, 0, 0, 0, 0, last])
}

/// One packet's fragments in several sizes and orders, plain, in a VLAN, and inside a tunnel that is fragmented itself.
fn fragmented() -> Vec<Seed> {
    let payload: Vec<u8> = (0..=255).collect();
    let mut segment = TcpFrame { payload: &payload, ..TcpFrame::new(7, 0x18) };
    let v4 = segment.packet();
    (segment.src, segment.dst) = (end6(1), end6(2));
    let v6 = segment.packet();
    let mut found = Vec::new();
    for size in [8, 64, 136, 272] {
        for (version, packet, parts) in
            [("v4", &v4, fragments_v4(&v4, 99, size)), ("v6", &v6, fragments_v6(&v6, 99, size))]
        {
            let plain: Vec<_> = parts.iter().map(|part| ethernet(part)).collect();
            let tagged = parts
                .iter()
                .map(|part| ethernet_with(0x8100, &vlan(3, ethertype_of(packet), part)))
                .collect::<Vec<_>>();
            let reversed: Vec<_> = plain.iter().rev().cloned().collect();
            let twice: Vec<_> = plain.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
            let first_missing = plain[1..].to_vec();
            let orders = [
                ("in order", plain),
                ("reversed", reversed),
                ("twice", twice),
                ("vlan", tagged),
                ("first missing", first_missing),
            ];
            let named = |(order, frames): (&str, Vec<_>)| {
                (name(&format!("fragments {version} {size} {order}")), seed(1, OPEN, &frames))
            };
            found.extend(orders.into_iter().map(named));
        }
    }
    let outer = |part: Vec<u8>| {
        ip_packet(IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]), 47, &gre(0x0800, Some(5), None, &part))
    };
    let inside = fragments_v4(&v4, 99, 136).into_iter().map(outer).zip(1..);
    let both: Vec<_> =
        inside.flat_map(|(packet, id)| fragments_v4(&packet, id, 64)).map(|part| ethernet(&part)).collect();
    found.push(("fragments-in-tunnel-in-fragments".to_owned(), seed(1, OPEN, &both)));
    found
}
