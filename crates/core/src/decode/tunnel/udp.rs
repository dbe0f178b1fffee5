//! Tunnels over UDP, found by their ports and believed only with a plausible header: VXLAN (RFC 7348), Geneve
//! (RFC 8926), GTP-U (3GPP TS 29.281), Teredo (RFC 4380), MPLS (RFC 7510) and GRE (RFC 8086).

use super::{Context, Opened, gre};
use crate::decode::Datagram;
use crate::decode::encap::LayerKind;
use crate::decode::link::Step;

mod port {
    pub const GTP_U: u16 = 2152;
    pub const TEREDO: u16 = 3544;
    pub const GRE: u16 = 4754;
    pub const VXLAN: u16 = 4789;
    /// VXLAN with a next protocol (draft-ietf-nvo3-vxlan-gpe).
    pub const VXLAN_GPE: u16 = 4790;
    pub const GENEVE: u16 = 6081;
    pub const MPLS: u16 = 6635;
    /// Linux' VXLAN port before there was an official one.
    pub const VXLAN_LINUX: u16 = 8472;
}

/// A tunnel may go to or come from this port.
#[inline]
pub fn is_tunnel_port(port: u16) -> bool {
    matches!(
        port,
        port::GTP_U
            | port::TEREDO
            | port::GRE
            | port::VXLAN
            | port::VXLAN_GPE
            | port::GENEVE
            | port::MPLS
            | port::VXLAN_LINUX
    )
}

/// Opens the tunnel in a UDP datagram.
pub fn open<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Opened<'a>> {
    let (src, dst) = outer.ports()?;
    let outer = within_udp(outer)?;
    let opened = match (src, dst) {
        (_, port::VXLAN | port::VXLAN_LINUX) => vxlan(&outer, context),
        (_, port::VXLAN_GPE) => vxlan_gpe(&outer, context),
        (_, port::GENEVE) => geneve(&outer, context),
        (_, port::GRE) => gre::open(&outer, 8, context),
        (_, port::MPLS) => {
            context.between(&outer, LayerKind::Mpls, None);
            Opened::rest(&outer, 8, Step::Mpls(0))
        }
        (_, port::GTP_U) | (port::GTP_U, _) => gtp(&outer, context),
        (_, port::TEREDO) | (port::TEREDO, _) => teredo(&outer, context),
        _ => None,
    };
    opened.map(|opened| Opened { strict: true, ..opened })
}

/// The datagram with its upper layer ending where UDP's length says (RFC 768).
fn within_udp<'a>(outer: &Datagram<'a>) -> Option<Datagram<'a>> {
    let &[high, low] = outer.upper.get(4..)?.first_chunk()?;
    let len = u32::from(u16::from_be_bytes([high, low]));
    // RFC 768: at least the header; 0 stands in segments that the network card was to cut.
    let len = if len == 0 { outer.upper_len } else { len };
    if len < 8 || len > outer.upper_len {
        return None;
    }
    let upper = outer.upper.get(..len as usize).unwrap_or(outer.upper);
    Some(Datagram { upper, upper_len: len, ..*outer })
}

/// Eight octets behind the UDP header: flags, group policy, VNI, a reserved octet that is 0.
fn vxlan<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Opened<'a>> {
    let &[flags, _, _, _, a, b, c, reserved] = outer.upper.get(8..)?.first_chunk()?;
    if flags & 0x08 == 0 || reserved != 0 {
        return None;
    }
    context.layers.push(LayerKind::Vxlan, u32::from_be_bytes([0, a, b, c]));
    Opened::rest(outer, 16, Step::Ethernet(0))
}

fn vxlan_gpe<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Opened<'a>> {
    let &[flags, _, _, next, a, b, c, _] = outer.upper.get(8..)?.first_chunk()?;
    if flags & 0x08 == 0 {
        return None;
    }
    let step = match (flags & 0x04, next) {
        (0, _) | (_, 3) => Step::Ethernet(0),
        (_, 1 | 2) => Step::Ip(0),
        (_, 4) => Step::Ethertype(0x894f, 0),
        (_, 5) => Step::Mpls(0),
        _ => return None,
    };
    context.layers.push(LayerKind::Vxlan, u32::from_be_bytes([0, a, b, c]));
    Opened::rest(outer, 16, step)
}

/// Version 0, options in units of four octets, an ethertype, VNI.
fn geneve<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Opened<'a>> {
    let &[first, _, high, low, a, b, c, reserved] = outer.upper.get(8..)?.first_chunk()?;
    if first >> 6 != 0 || reserved != 0 {
        return None;
    }
    let options = usize::from(first & 0x3f) * 4;
    let protocol = u16::from_be_bytes([high, low]);
    context.layers.push(LayerKind::Geneve, u32::from_be_bytes([0, a, b, c]));
    Opened::rest(outer, 16 + options, Step::Ethertype(protocol, 0))
}

/// Version 1, message 255 (a user's packet). Behind the fixed header, four more octets where a flag says so, then
/// extension headers that each tell their length and what comes next.
fn gtp<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Opened<'a>> {
    let &[flags, message, high, low] = outer.upper.get(8..)?.first_chunk()?;
    let len = usize::from(u16::from_be_bytes([high, low]));
    if flags & 0xf0 != 0x30 || message != 255 || len + 16 > outer.upper_len as usize {
        return None;
    }
    let mut at = 16;
    if flags & 0x07 != 0 {
        let mut next = *outer.upper.get(at + 3)?;
        at += 4;
        while flags & 0x04 != 0 && next != 0 {
            // TS 29.281 section 5.2.1: the length counts units of four octets, the last octet is the next type.
            let len = usize::from(*outer.upper.get(at)?) * 4;
            next = *outer.upper.get(at + len.checked_sub(1)?)?;
            at += len;
        }
    }
    context.between(outer, LayerKind::Gtp, None);
    matches!(outer.upper.get(at)? >> 4, 4 | 6).then(|| Opened::rest(outer, at, Step::Ip(0)))?
}

/// Authentication and origin indications may come before the IPv6 packet (RFC 4380 section 5.1.1).
fn teredo<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Opened<'a>> {
    let mut at = 8;
    if let Some([0, 1, id_len, auth_len]) = outer.upper.get(at..).and_then(|rest| rest.first_chunk()) {
        // A nonce of eight octets and a confirmation follow.
        at += 4 + usize::from(*id_len) + usize::from(*auth_len) + 9;
    }
    if outer.upper.get(at..at + 2) == Some(&[0, 0]) {
        at += 8;
    }
    let &[first, _, _, _, high, low] = outer.upper.get(at..)?.first_chunk()?;
    let inner_len = 40 + usize::from(u16::from_be_bytes([high, low]));
    if first >> 4 != 6 || at + inner_len != outer.upper_len as usize {
        return None;
    }
    context.layers.push(LayerKind::Teredo, None);
    Opened::rest(outer, at, Step::Ip(0))
}
