//! Builds link layers and tunnels around packets, octet by octet, as their specifications draw them.

use std::net::IpAddr;

use crate::frame::ip_packet;

/// Puts octets one after another.
#[must_use]
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// The ethertype of an IP packet.
#[must_use]
pub fn ethertype_of(packet: &[u8]) -> u16 {
    if packet.first().is_some_and(|first| first >> 4 == 6) { 0x86dd } else { 0x0800 }
}

/// An Ethernet II frame with any ethertype.
#[must_use]
pub fn ethernet_with(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], &ethertype.to_be_bytes(), payload])
}

/// What follows the ethertype 0x8100 (or its like): the tag's four octets with `ethertype`, and the payload.
#[must_use]
pub fn vlan(id: u16, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&(id | 0xa000).to_be_bytes(), &ethertype.to_be_bytes(), payload])
}

/// An LLC/SNAP header with `ethertype`.
#[must_use]
pub fn snap(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[0xaa, 0xaa, 0x03, 0, 0, 0], &ethertype.to_be_bytes(), payload])
}

/// An IEEE 802.3 frame: a length in the ethertype's place, then LLC/SNAP.
#[must_use]
pub fn ieee_802_3(packet: &[u8]) -> Vec<u8> {
    let body = snap(ethertype_of(packet), packet);
    ethernet_with(body.len() as u16, &body)
}

/// An MPLS label stack, outermost label first.
#[must_use]
pub fn mpls(labels: &[u32], payload: &[u8]) -> Vec<u8> {
    let last = labels.len() - 1;
    let mut out = Vec::new();
    for (i, label) in labels.iter().enumerate() {
        out.extend_from_slice(&(label << 12 | u32::from(i == last) << 8 | 64).to_be_bytes());
    }
    join(&[&out, payload])
}

/// PPP's protocol number and an IP packet; `compressed` leaves out the number's zero octet.
#[must_use]
pub fn ppp(packet: &[u8], compressed: bool) -> Vec<u8> {
    let protocol = if ethertype_of(packet) == 0x86dd { 0x57 } else { 0x21 };
    join(&[if compressed { &[] } else { &[0] }, &[protocol], packet])
}

/// What follows the ethertype 0x8864: a PPPoE session header and PPP.
#[must_use]
pub fn pppoe(session: u16, packet: &[u8]) -> Vec<u8> {
    let inside = ppp(packet, false);
    join(&[&[0x11, 0], &session.to_be_bytes(), &(inside.len() as u16).to_be_bytes(), &inside])
}

/// What an IEEE 802.11 data frame carries beside its addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wlan {
    /// Both to and from the distribution system: four addresses.
    pub four_addresses: bool,
    /// A QoS control field.
    pub qos: bool,
    /// An HT control field; only with QoS.
    pub ht_control: bool,
    /// Encrypted.
    pub protected: bool,
    /// Padded to a multiple of four.
    pub padded: bool,
}

/// An IEEE 802.11 data frame around an IP packet.
#[must_use]
pub fn wlan(with: Wlan, packet: &[u8]) -> Vec<u8> {
    let kind = if with.qos { 0x88 } else { 0x08 };
    let mut flags = if with.four_addresses { 3 } else { 1 };
    flags |= if with.ht_control { 0x80 } else { 0 } | if with.protected { 0x40 } else { 0 };
    let mut out = vec![kind, flags, 0, 0];
    out.extend_from_slice(&[6; 18]);
    out.extend_from_slice(&[0x10, 0]);
    out.extend_from_slice(if with.four_addresses { &[7; 6] } else { &[] });
    out.extend_from_slice(if with.qos { &[0, 0] } else { &[] });
    out.extend_from_slice(if with.ht_control { &[9; 4] } else { &[] });
    while with.padded && out.len() % 4 != 0 {
        out.push(0);
    }
    join(&[&out, &snap(ethertype_of(packet), packet)])
}

/// A radiotap header with a time and the flags field.
#[must_use]
pub fn radiotap(flags: u8, frame: &[u8]) -> Vec<u8> {
    // Two words of presence bits (time and flags), the time at a multiple of eight, flags, rate.
    join(&[&[0, 0, 26, 0], &[7, 0, 0, 0x80], &[0; 4], &[0; 4], &[1; 8], &[flags, 2], frame])
}

/// A Linux cooked header with `protocol`.
#[must_use]
pub fn sll(protocol: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &protocol.to_be_bytes(), payload])
}

/// The same, version 2.
#[must_use]
pub fn sll2(protocol: u16, payload: &[u8]) -> Vec<u8> {
    let rest = [0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    join(&[&protocol.to_be_bytes(), &rest, payload])
}

/// A UDP datagram without checksum.
#[must_use]
pub fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() + 8) as u16;
    join(&[&ports.0.to_be_bytes(), &ports.1.to_be_bytes(), &len.to_be_bytes(), &[0, 0], payload])
}

/// A GRE header (RFC 2890) with `protocol`, a key and a sequence number where given.
#[must_use]
pub fn gre(protocol: u16, key: Option<u32>, sequence: Option<u32>, payload: &[u8]) -> Vec<u8> {
    let flags = if key.is_some() { 0x20 } else { 0 } | if sequence.is_some() { 0x10 } else { 0 };
    let words: Vec<u8> = [key, sequence].into_iter().flatten().flat_map(u32::to_be_bytes).collect();
    join(&[&[flags, 0], &protocol.to_be_bytes(), &words, payload])
}

/// PPTP's GRE (RFC 2637) around PPP, with sequence and acknowledgment.
#[must_use]
pub fn pptp(call_id: u16, packet: &[u8]) -> Vec<u8> {
    let inside = join(&[&[0xff, 0x03], &ppp(packet, false)]);
    let len = (inside.len() as u16).to_be_bytes();
    join(&[&[0x30, 0x81, 0x88, 0x0b], &len, &call_id.to_be_bytes(), &[0, 0, 0, 1, 0, 0, 0, 2], &inside])
}

/// VXLAN's header and an Ethernet frame.
#[must_use]
pub fn vxlan(vni: u32, frame: &[u8]) -> Vec<u8> {
    join(&[&[8, 0, 0, 0], &(vni << 8).to_be_bytes(), frame])
}

/// Geneve's header with `options` (a multiple of four octets) and an Ethernet frame.
#[must_use]
pub fn geneve(vni: u32, options: &[u8], frame: &[u8]) -> Vec<u8> {
    let first = (options.len() / 4) as u8;
    join(&[&[first, 0, 0x65, 0x58], &(vni << 8).to_be_bytes(), options, frame])
}

/// A GTP-U header with a sequence number and a PDU session extension header, and an IP packet.
#[must_use]
pub fn gtp(teid: u32, packet: &[u8]) -> Vec<u8> {
    let len = (packet.len() + 8) as u16;
    let optional = [0, 1, 0, 0x85, 1, 0, 9, 0];
    join(&[&[0x36, 255], &len.to_be_bytes(), &teid.to_be_bytes(), &optional, packet])
}

/// A UDP tunnel's packet from `src` to `dst`.
#[must_use]
pub fn udp_packet(src: IpAddr, dst: IpAddr, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    ip_packet(src, dst, 17, &udp(ports, payload))
}

/// The fragments of an IPv4 packet without options, `size` octets of payload each (a multiple of eight).
#[must_use]
pub fn fragments_v4(packet: &[u8], id: u16, size: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(20);
    let count = payload.len().div_ceil(size);
    let one = |(i, part): (usize, &[u8])| {
        let more = if i + 1 < count { 0x2000 } else { 0 };
        let word = (i * size / 8) as u16 | more;
        let len = (20 + part.len()) as u16;
        let mut out = header.to_vec();
        out[2..4].copy_from_slice(&len.to_be_bytes());
        out[4..6].copy_from_slice(&id.to_be_bytes());
        out[6..8].copy_from_slice(&word.to_be_bytes());
        join(&[&out, part])
    };
    payload.chunks(size).enumerate().map(one).collect()
}

/// The fragments of an IPv6 packet without extension headers, likewise.
#[must_use]
pub fn fragments_v6(packet: &[u8], id: u32, size: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(40);
    let count = payload.len().div_ceil(size);
    let one = |(i, part): (usize, &[u8])| {
        let word = (i * size) as u16 | u16::from(i + 1 < count);
        let mut out = header.to_vec();
        out[4..6].copy_from_slice(&((8 + part.len()) as u16).to_be_bytes());
        let next = std::mem::replace(&mut out[6], 44);
        join(&[&out, &[next, 0], &word.to_be_bytes(), &id.to_be_bytes(), part])
    };
    payload.chunks(size).enumerate().map(one).collect()
}
