//! Tunnels: from an IP datagram to the one inside it.
//!
//! In: a datagram. Out: the datagram in it, and a layer for the flow key ([`super::encap`] says which identity). Where
//! the inside isn't valid nothing is taken off: the outer datagram is what was sent. Port numbers alone prove nothing,
//! so what is found by its UDP port must also have a plausible header, and an IP packet inside that fits.

mod gre;
#[cfg(test)]
mod tests;
mod udp;

use super::encap::{EncapId, LayerKind, Layers, PeerTable};
use super::link::{self, Step};
use super::{Datagram, Fragment, ip, proto};

/// Most tunnels that are opened, one in another.
pub const MAX_TUNNELS: usize = 8;

/// IP protocol numbers of tunnels.
mod number {
    pub const IPV4: u8 = 4;
    pub const IPV6: u8 = 41;
    pub const GRE: u8 = 47;
    pub const ETHERIP: u8 = 97;
    pub const MPLS: u8 = 137;
    pub const ETHERNET: u8 = 143;
}

/// What is remembered while tunnels are opened.
#[derive(Debug)]
pub(super) struct Context<'c> {
    pub layers: &'c mut Layers,
    pub peers: &'c mut PeerTable,
}

impl Context<'_> {
    /// Adds a tunnel known by its end points.
    fn between(&mut self, outer: &Datagram<'_>, kind: LayerKind, id: Option<u32>) {
        let peers = self.peers.intern(outer.version, &outer.src, &outer.dst);
        self.layers.push_between(kind, id, peers);
    }
}

/// A tunnel header that was read.
#[derive(Clone, Copy, Debug)]
struct Opened<'a> {
    /// What is inside, without anything behind it.
    inside: &'a [u8],
    /// Octets of it on the wire.
    wire_len: usize,
    /// Octets before it in the outer datagram's upper layer.
    skipped: usize,
    /// What it begins with.
    step: Step,
    /// The inner packet must fit in the outer one: for what only a port number promised.
    strict: bool,
}

impl<'a> Opened<'a> {
    /// The rest of the outer datagram from `skipped` on.
    fn rest(outer: &Datagram<'a>, skipped: usize, step: Step) -> Option<Self> {
        let inside = outer.upper.get(skipped..)?;
        let wire_len = (outer.upper_len as usize).checked_sub(skipped)?;
        Some(Self { inside, wire_len, skipped, step, strict: false })
    }
}

/// Looking into a datagram of this protocol, with these ports, may be worth while.
#[inline(always)]
pub(super) fn is_candidate(proto: u8, ports: impl FnOnce() -> Option<(u16, u16)>) -> bool {
    // Asked of every packet; most have this answer.
    if proto == proto::TCP {
        return false;
    }
    match proto {
        proto::UDP => ports().is_some_and(|(src, dst)| udp::is_tunnel_port(src) || udp::is_tunnel_port(dst)),
        number::IPV4 | number::IPV6 | number::GRE | number::ETHERIP | number::MPLS | number::ETHERNET => true,
        _ => false,
    }
}

/// The datagram inside `outer`, if `outer` is a tunnel's.
pub(super) fn open<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Datagram<'a>> {
    if outer.fragment == Fragment::Later {
        return None;
    }
    let before = context.layers.len();
    let inner = header(outer, context).and_then(|opened| follow(outer, &opened, context.layers));
    if inner.is_none() {
        context.layers.truncate(before);
    }
    inner
}

/// Reads the tunnel's header and adds its layer.
fn header<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Opened<'a>> {
    match outer.proto {
        number::IPV4 | number::IPV6 => ip_in_ip(outer, context),
        number::GRE => gre::open(outer, 0, context),
        number::ETHERIP => {
            // RFC 3378: version 3 in the upper four bits, the rest reserved.
            let version = outer.upper.first()? >> 4;
            context.between(outer, LayerKind::Etherip, None);
            (version == 3).then(|| Opened::rest(outer, 2, Step::Ethernet(0)))?
        }
        number::ETHERNET => {
            context.between(outer, LayerKind::Etherip, None);
            Opened::rest(outer, 0, Step::Ethernet(0))
        }
        number::MPLS => {
            context.between(outer, LayerKind::Mpls, None);
            Opened::rest(outer, 0, Step::Mpls(0))
        }
        proto::UDP => udp::open(outer, context),
        _ => None,
    }
}

fn ip_in_ip<'a>(outer: &Datagram<'a>, context: &mut Context<'_>) -> Option<Opened<'a>> {
    let inner_version = outer.upper.first()? >> 4;
    let kind = match (outer.version, outer.proto, inner_version) {
        (4, number::IPV4, 4) => LayerKind::Ipip,
        (4, number::IPV6, 6) => LayerKind::SixInFour,
        (6, number::IPV4, 4) => LayerKind::FourInSix,
        (6, number::IPV6, 6) => LayerKind::SixInSix,
        _ => return None,
    };
    // RFC 3068: a 6to4 relay's answer may come from any relay; the inner address is unique.
    if kind == LayerKind::SixInFour && is_6to4(outer.upper) {
        context.layers.push(kind, None);
    } else {
        context.between(outer, kind, None);
    }
    Opened::rest(outer, 0, Step::Ip(0))
}

/// One of an IPv6 header's addresses lies in 2002::/16.
fn is_6to4(packet: &[u8]) -> bool {
    [8, 24].iter().any(|&at| packet.get(at..at + 2) == Some(&[0x20, 0x02]))
}

/// Walks from the tunnel's payload to the inner IP packet.
fn follow<'a>(outer: &Datagram<'a>, opened: &Opened<'a>, layers: &mut Layers) -> Option<Datagram<'a>> {
    let at = link::walk(opened.inside, opened.step, layers).ok()?;
    let mut inner = ip::parse(opened.inside, at, EncapId(0)).ok()?;
    if opened.strict && at + inner.ip_len as usize > opened.wire_len {
        return None;
    }
    let base = outer.upper_offset + opened.skipped as u32;
    inner.ip_offset += base;
    inner.upper_offset += base;
    (inner.reassembled, inner.serial) = (outer.reassembled, outer.serial);
    Some(inner)
}
