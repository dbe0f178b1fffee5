//! Packets as octets of capture files: pcapng (draft-ietf-opsawg-pcapng) and classic pcap (draft-ietf-opsawg-pcap), both
//! little-endian.

use tcpskein_core::capture::{LinkType, Losses};

use crate::source::LivePacket;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;

/// Octets of an enhanced packet block before the packet.
const PACKET_HEAD_LEN: usize = 28;
/// Octets of the same besides the packet and its padding.
const PACKET_FRAME_LEN: usize = PACKET_HEAD_LEN + 4;

/// Octets of a classic record before the packet.
pub(crate) const RECORD_HEAD_LEN: usize = 16;

/// A section's head: who wrote it, and on what.
pub(crate) fn section(out: &mut Vec<u8>) {
    let mut body = Vec::new();
    body.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
    body.extend_from_slice(&[1, 0, 0, 0]);
    body.extend_from_slice(&(-1_i64).to_le_bytes());
    option(&mut body, 3, std::env::consts::OS.as_bytes());
    option(&mut body, 4, concat!("tcpskein ", env!("CARGO_PKG_VERSION")).as_bytes());
    end_of_options(&mut body);
    block(out, SECTION, &body);
}

/// What a capture says of an interface.
pub(crate) struct Described<'a> {
    pub name: &'a str,
    pub link: LinkType,
    pub snaplen: u32,
    pub filter: Option<&'a str>,
}

/// An interface whose times are nanoseconds.
pub(crate) fn interface(out: &mut Vec<u8>, described: &Described<'_>) {
    let mut body = Vec::new();
    body.extend_from_slice(&described.link.0.to_le_bytes());
    body.extend_from_slice(&[0, 0]);
    body.extend_from_slice(&described.snaplen.to_le_bytes());
    option(&mut body, 2, described.name.as_bytes());
    option(&mut body, 9, &[9]);
    if let Some(filter) = described.filter {
        // An option has at most 65,535 octets; 0 says that it is an expression.
        let text = filter.as_bytes();
        let text = [&[0], &text[..text.len().min(60_000)]].concat();
        option(&mut body, 11, &text);
    }
    end_of_options(&mut body);
    block(out, INTERFACE, &body);
}

/// What an interface counted; `delivered` packets were captured.
pub(crate) fn statistics(out: &mut Vec<u8>, id: u32, ts_ns: i64, losses: Losses, delivered: u64) {
    let mut body = Vec::new();
    body.extend_from_slice(&id.to_le_bytes());
    body.extend_from_slice(&time(ts_ns));
    for (code, count) in [(4, losses.received), (5, losses.by_interface), (7, losses.by_system), (8, delivered)] {
        option(&mut body, code, &count.to_le_bytes());
    }
    end_of_options(&mut body);
    block(out, STATISTICS, &body);
}

/// Octets of a packet's block.
#[inline]
pub(crate) fn packet_len(packet: &LivePacket<'_>) -> usize {
    PACKET_FRAME_LEN + packet.captured_len().next_multiple_of(4)
}

/// Writes a packet's block to `out`, which is [`packet_len`] octets long.
#[inline]
pub(crate) fn packet(out: &mut [u8], id: u32, packet: &LivePacket<'_>) {
    let len = (out.len() as u32).to_le_bytes();
    let captured = packet.captured_len();
    let (head, rest) = out.split_at_mut(PACKET_HEAD_LEN);
    head[..4].copy_from_slice(&PACKET.to_le_bytes());
    head[4..8].copy_from_slice(&len);
    head[8..12].copy_from_slice(&id.to_le_bytes());
    head[12..20].copy_from_slice(&time(packet.ts_ns));
    head[20..24].copy_from_slice(&(captured as u32).to_le_bytes());
    head[24..28].copy_from_slice(&packet.wire_len.to_le_bytes());
    octets(rest, packet);
    let trailer_at = rest.len() - 4;
    let (padding, trailer) = rest[captured..].split_at_mut(trailer_at - captured);
    padding.fill(0);
    trailer.copy_from_slice(&len);
}

/// A classic file's head.
pub(crate) fn file_head(link: LinkType, snaplen: u32, nanoseconds: bool) -> [u8; 24] {
    let mut head = [0; 24];
    let magic: u32 = if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    head[..4].copy_from_slice(&magic.to_le_bytes());
    head[4..8].copy_from_slice(&[2, 0, 4, 0]);
    head[16..20].copy_from_slice(&snaplen.to_le_bytes());
    head[20..].copy_from_slice(&u32::from(link.0).to_le_bytes());
    head
}

/// Writes a classic record to `out`, which is [`RECORD_HEAD_LEN`] and the captured octets long. Seconds are the lower 32
/// bits, as the format has it.
pub(crate) fn record(out: &mut [u8], nanoseconds: bool, packet: &LivePacket<'_>) {
    let (head, rest) = out.split_at_mut(RECORD_HEAD_LEN);
    let fraction = packet.ts_ns.rem_euclid(1_000_000_000) as u32;
    head[..4].copy_from_slice(&(packet.ts_ns.div_euclid(1_000_000_000) as u32).to_le_bytes());
    head[4..8].copy_from_slice(&(if nanoseconds { fraction } else { fraction / 1000 }).to_le_bytes());
    head[8..12].copy_from_slice(&(packet.captured_len() as u32).to_le_bytes());
    head[12..].copy_from_slice(&packet.wire_len.to_le_bytes());
    octets(rest, packet);
}

#[inline]
fn octets(out: &mut [u8], packet: &LivePacket<'_>) {
    let (front, rest) = out.split_at_mut(packet.front.len());
    front.copy_from_slice(packet.front);
    rest[..packet.rest.len()].copy_from_slice(packet.rest);
}

/// A time in nanoseconds as the two halves of 64 bits, the upper one first.
#[inline]
fn time(ts_ns: i64) -> [u8; 8] {
    let ticks = ts_ns.cast_unsigned();
    ticks.rotate_left(32).to_le_bytes()
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&(value.len() as u16).to_le_bytes());
    body.extend_from_slice(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend_from_slice(&[0; 4]);
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let len = (body.len() as u32 + 12).to_le_bytes();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&len);
    out.extend_from_slice(body);
    out.extend_from_slice(&len);
}
