//! GRE (RFC 2784, RFC 2890), NVGRE (RFC 7637), PPTP's GRE (RFC 2637) and ERSPAN.

use super::{Context, Opened};
use crate::decode::Datagram;
use crate::decode::encap::LayerKind;
use crate::decode::link::Step;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// PPTP: an acknowledgment number is there.
const ACKNOWLEDGMENT: u16 = 0x0080;

const BRIDGED: u16 = 0x6558;
const PPP: u16 = 0x880b;
const WCCP: u16 = 0x883e;
const ERSPAN_2: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

/// Opens the GRE header at `at` in the outer datagram's upper layer.
pub fn open<'a>(outer: &Datagram<'a>, at: usize, context: &mut Context<'_>) -> Option<Opened<'a>> {
    let header = outer.upper.get(at..)?;
    let &[a, b, c, d] = header.first_chunk()?;
    let (flags, protocol) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    match flags & 7 {
        0 => standard(outer, at, flags, protocol, context),
        1 if protocol == PPP => pptp(outer, at, flags, context),
        _ => None,
    }
}

fn standard<'a>(
    outer: &Datagram<'a>,
    start: usize,
    flags: u16,
    protocol: u16,
    context: &mut Context<'_>,
) -> Option<Opened<'a>> {
    let mut at = start + 4;
    if flags & (CHECKSUM | ROUTING) != 0 {
        at += 4;
    }
    let mut key = None;
    if flags & KEY != 0 {
        key = Some(u32::from_be_bytes(*outer.upper.get(at..)?.first_chunk()?));
        at += 4;
    }
    if flags & SEQUENCE != 0 {
        at += 4;
    }
    if flags & ROUTING != 0 {
        at = behind_routes(outer.upper, at)?;
    }
    match protocol {
        ERSPAN_2 | ERSPAN_3 => return erspan(outer, at, flags, protocol, context),
        // RFC 7637 section 3.2: 24 bits of virtual subnet, eight of flow. A key without them is plain GRE's.
        BRIDGED => match key {
            Some(key) if key >> 8 != 0 => context.layers.push(LayerKind::Nvgre, key >> 8),
            key => context.between(outer, LayerKind::Gre, key),
        },
        _ => context.between(outer, LayerKind::Gre, key),
    }
    Opened::rest(outer, at, inside(outer.upper, at, protocol))
}

fn inside(upper: &[u8], at: usize, protocol: u16) -> Step {
    match protocol {
        // WCCP version 2 puts four octets before the packet, version 1 doesn't.
        WCCP if upper.get(at).is_some_and(|octet| octet >> 4 == 4) => Step::Ip(0),
        WCCP => Step::Ip(4),
        protocol => Step::Ethertype(protocol, 0),
    }
}

/// Source route entries (RFC 1701): family, offset, length; one of family and length 0 ends them.
fn behind_routes(upper: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        let &[high, low, _, len] = upper.get(at..)?.first_chunk()?;
        at += 4 + usize::from(len);
        if (high, low, len) == (0, 0, 0) {
            return Some(at);
        }
    }
}

/// PPTP: the key is the payload's length and the receiver's call id, so it names one direction only.
fn pptp<'a>(outer: &Datagram<'a>, start: usize, flags: u16, context: &mut Context<'_>) -> Option<Opened<'a>> {
    // A packet that only acknowledges has no payload and no sequence number.
    if flags & (KEY | SEQUENCE) != KEY | SEQUENCE {
        return None;
    }
    let acknowledgment = if flags & ACKNOWLEDGMENT != 0 { 4 } else { 0 };
    context.between(outer, LayerKind::Pptp, None);
    Opened::rest(outer, start + 12 + acknowledgment, Step::Ppp(0))
}

/// ERSPAN: type I has no header of its own, II has eight octets, III twelve and eight more where the last bit says so.
fn erspan<'a>(
    outer: &Datagram<'a>,
    at: usize,
    flags: u16,
    protocol: u16,
    context: &mut Context<'_>,
) -> Option<Opened<'a>> {
    if protocol == ERSPAN_2 && flags & SEQUENCE == 0 {
        context.layers.push(LayerKind::Erspan, None);
        return Opened::rest(outer, at, Step::Ethernet(0));
    }
    let header = outer.upper.get(at..)?;
    let session = u32::from(u16::from_be_bytes([*header.get(2)?, *header.get(3)?]) & 0x03ff);
    context.layers.push(LayerKind::Erspan, session);
    let len = match header.first()? >> 4 {
        1 => 8,
        2 if header.get(11)? & 1 == 1 => 20,
        2 => 12,
        _ => return None,
    };
    Opened::rest(outer, at + len, Step::Ethernet(0))
}
