//! The flow key: both endpoints in canonical order, compared in full (never by a hash alone).

use std::hash::{BuildHasher, Hasher};

use crate::decode::{Datagram, EncapId, Fragment, proto};

/// Both endpoints of a flow in canonical order (the lesser address and port first), protocol, IP version and what is
/// wrapped around: the same for both directions.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowKey([u64; 6]);

impl PartialEq for FlowKey {
    /// Without a branch for each word, and without the call that comparing arrays would be.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let ([a, b, c, d, e, f], [u, v, w, x, y, z]) = (self.0, other.0);
        ((a ^ u) | (b ^ v) | (c ^ w) | (d ^ x) | (e ^ y) | (f ^ z)) == 0
    }
}

impl Eq for FlowKey {}

impl FlowKey {
    /// The key of packets from `src` to `dst`, and whether `src` is the key's first endpoint.
    #[inline]
    #[must_use]
    pub fn new(
        src: &[u8; 16],
        dst: &[u8; 16],
        ports: (u16, u16),
        proto: u8,
        version: u8,
        encap: EncapId,
    ) -> (Self, bool) {
        let (src, dst) = (halves(src), halves(dst));
        let from_first = (src, ports.0) <= (dst, ports.1);
        let ((a, pa), (b, pb)) =
            if from_first { ((src, ports.0), (dst, ports.1)) } else { ((dst, ports.1), (src, ports.0)) };
        let tail = u64::from(pa) << 48 | u64::from(pb) << 32 | u64::from(proto) << 8 | u64::from(version);
        (Self([a.0, a.1, b.0, b.1, tail, u64::from(encap.0)]), from_first)
    }

    /// The one key of every packet, for `aggregate`.
    pub const AGGREGATE: Self = Self([0; 6]);

    /// The key's words without the last: what lies around is known by a number there, which is another one elsewhere.
    #[must_use]
    pub fn words(&self) -> [u64; 5] {
        let [a, b, c, d, e, _] = self.0;
        [a, b, c, d, e]
    }

    /// A seeded hash, so that chosen addresses can't be made to collide.
    #[inline]
    #[must_use]
    pub fn hash(&self, state: &foldhash::fast::RandomState) -> u64 {
        let mut hasher = state.build_hasher();
        for word in self.0 {
            hasher.write_u64(word);
        }
        hasher.finish()
    }
}

#[inline]
fn halves(address: &[u8; 16]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *address;
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes([i, j, k, l, m, n, o, p]))
}

/// Whom a packet belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The flow's key.
    pub key: FlowKey,
    /// The packet goes (or, for a quote, is counted as going) from the key's first endpoint.
    pub from_first: bool,
    /// The packet is an ICMP error, matched to the flow that it quotes.
    pub quoted: bool,
}

impl Identity {
    /// Whom every packet belongs to, for `aggregate`.
    pub const AGGREGATE: Self = Self { key: FlowKey::AGGREGATE, from_first: true, quoted: false };
}

/// Whom `datagram` belongs to; `None` where ports are needed but weren't captured. `encap` is what lies around it as
/// far as it counts: see [`DecodeOptions::key_encap`](crate::decode::DecodeOptions::key_encap).
#[inline(always)]
#[must_use]
pub fn identify(datagram: &Datagram<'_>, encap: EncapId) -> Option<Identity> {
    if matches!(datagram.proto, proto::ICMP | proto::ICMPV6)
        && let Some(identity) = quoted(datagram, encap)
    {
        return Some(identity);
    }
    let ports = if proto::has_ports(datagram.proto) { datagram.ports()? } else { (0, 0) };
    let (key, from_first) = FlowKey::new(&datagram.src, &datagram.dst, ports, datagram.proto, datagram.version, encap);
    Some(Identity { key, from_first, quoted: false })
}

/// The flow that an ICMP error quotes (RFC 792, RFC 4443 section 3), with the direction turned round: the error
/// travels against the packet it quotes.
fn quoted(datagram: &Datagram<'_>, encap: EncapId) -> Option<Identity> {
    let quote = quote(datagram)?;
    let inner = crate::decode::quoted_datagram(quote)?;
    let ports = if proto::has_ports(inner.proto) {
        if inner.fragment == Fragment::Later {
            return None;
        }
        inner.ports()?
    } else {
        (0, 0)
    };
    let turned = (ports.1, ports.0);
    let (key, from_first) = FlowKey::new(&inner.dst, &inner.src, turned, inner.proto, inner.version, encap);
    Some(Identity { key, from_first, quoted: true })
}

/// The octets an ICMP error quotes, where `datagram` is one.
#[must_use]
pub fn quote<'a>(datagram: &Datagram<'a>) -> Option<&'a [u8]> {
    let kind = *datagram.upper.first()?;
    let is_error = match datagram.proto {
        // destination unreachable, source quench, redirect, time exceeded, parameter problem
        proto::ICMP => matches!(kind, 3 | 4 | 5 | 11 | 12),
        // destination unreachable, packet too big, time exceeded, parameter problem
        proto::ICMPV6 => matches!(kind, 1..=4),
        _ => false,
    };
    if is_error && datagram.fragment != Fragment::Later { datagram.upper.get(8..) } else { None }
}
