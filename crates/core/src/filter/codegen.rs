//! From the tree to a program for one kind of link layer. Operands are taken in written order, since `vlan`, `mpls`
//! and `pppoes` move the offsets of everything that is written behind them.

use super::ast::{Carrier, Dir, Expr, Family, Join, Proto, Test, Transport};
use super::emit::{Emitted, Emitter, Field, Refusal, Ways};
use super::layout::{Layout, LinkKind};
use super::link::MAX_LENGTH;
use super::program::{Program, Source};

pub(super) const IPV4: u32 = 0x0800;
pub(super) const IPV6: u32 = 0x86dd;
const ARP: u32 = 0x0806;
const RARP: u32 = 0x8035;
/// The IPv6 fragment header's number (RFC 8200 §4.5).
const FRAGMENT: u32 = 44;
const TCP: u32 = 6;
const UDP: u32 = 17;
const SCTP: u32 = 132;
/// Geneve's UDP port (RFC 8926 section 3.3).
const GENEVE_PORT: u32 = 6081;

/// Compiles `expr` for packets of `kind`.
pub(super) fn compile(expr: &Expr, kind: LinkKind) -> Result<Program, Refusal> {
    let (mut emitter, entry, ends) = Emitter::new(Layout::new(kind));
    emitter.place(entry);
    emitter.expr(expr, ends)?;
    Ok(emitter.finish(entry))
}

impl Emitter {
    fn expr(&mut self, expr: &Expr, ways: Ways) -> Emitted {
        match expr {
            Expr::Any => self.always(true, ways),
            Expr::Not(inner) => self.expr(inner, ways.swapped()),
            Expr::Chain(first, rest) => self.chain(first, rest, ways),
            Expr::Test(test) => self.test(test, ways),
        }
    }

    /// `a op b op c` is `((a op b) op c)`: the ways of each prefix follow from those of the longer one.
    fn chain(&mut self, first: &Expr, rest: &[(Join, Expr)], ways: Ways) -> Emitted {
        let mut prefix = ways;
        let mut plan = Vec::with_capacity(rest.len());
        for (join, expr) in rest.iter().rev() {
            let start = self.label();
            plan.push((start, expr, prefix));
            prefix = if *join == Join::And { prefix.with_yes(start) } else { prefix.with_no(start) };
        }
        self.expr(first, prefix)?;
        for (start, expr, ways) in plan.into_iter().rev() {
            self.place(start);
            self.expr(expr, ways)?;
        }
        Ok(())
    }

    /// Asks `a`, and where it holds, `b`.
    pub(super) fn and(
        &mut self,
        ways: Ways,
        a: impl FnOnce(&mut Self, Ways) -> Emitted,
        b: impl FnOnce(&mut Self, Ways) -> Emitted,
    ) -> Emitted {
        let second = self.label();
        a(self, ways.with_yes(second))?;
        self.place(second);
        b(self, ways)
    }

    /// Asks `a`, and where it doesn't hold, `b`.
    pub(super) fn or(
        &mut self,
        ways: Ways,
        a: impl FnOnce(&mut Self, Ways) -> Emitted,
        b: impl FnOnce(&mut Self, Ways) -> Emitted,
    ) -> Emitted {
        let second = self.label();
        a(self, ways.with_no(second))?;
        self.place(second);
        b(self, ways)
    }

    fn test(&mut self, test: &Test, ways: Ways) -> Emitted {
        match test {
            Test::Proto(proto) => self.proto(*proto, ways),
            Test::EtherType(number) => self.carries(*number, ways),
            Test::IpProto(family, number) => self.ip_proto(*family, *number, ways),
            Test::ProtoChain(family, number) => self.proto_chain(*family, *number, ways),
            Test::Host4 { carrier, dir, addr, mask } => self.host4(*carrier, *dir, *addr, *mask, ways),
            Test::Host6 { dir, addr, prefix } => self.host6(*dir, *addr, *prefix, ways),
            Test::Mac(dir, mac) => self.mac(*dir, *mac, ways),
            Test::Port { transport, dir, low, high } => self.port(*transport, *dir, (*low, *high), ways),
            Test::Broadcast => self.mac(Dir::Dst, [0xff; 6], ways),
            Test::Multicast => self.multicast(ways),
            Test::IpBroadcast => self.ip_broadcast(ways),
            Test::IpMulticast => {
                let field = Field::octet(self.layout.network() + 16);
                self.and(ways, |e, w| e.carries(IPV4, w), |e, w| e.at_least(field, 224, w))
            }
            Test::Ip6Multicast => {
                let field = Field::octet(self.layout.network() + 24);
                self.and(ways, |e, w| e.carries(IPV6, w), |e, w| e.equal(field, 0xff, w))
            }
            Test::Outbound(out) => self.outbound(*out, ways),
            Test::Vlan(id) => self.vlan(*id, ways),
            Test::Mpls(label) => self.mpls(*label, ways),
            Test::Pppoed => self.carries(0x8863, ways),
            Test::Pppoes(session) => self.pppoes(*session, ways),
            Test::Geneve(vni) => self.geneve(*vni, ways),
            Test::Llc(control) => self.llc(*control, ways),
            Test::Relation(a, op, b) => self.relation(a, *op, b, ways),
        }
    }

    /// A protocol's keyword.
    pub(super) fn proto(&mut self, proto: Proto, ways: Ways) -> Emitted {
        let (family, number) = match proto {
            Proto::Link => return self.always(true, ways),
            Proto::Tcp => (Family::Both, TCP),
            Proto::Udp => (Family::Both, UDP),
            Proto::Sctp => (Family::Both, SCTP),
            Proto::Pim => (Family::Both, 103),
            Proto::Ah => (Family::Both, 51),
            Proto::Esp => (Family::Both, 50),
            Proto::Icmp => (Family::V4, 1),
            Proto::Igmp => (Family::V4, 2),
            Proto::Igrp => (Family::V4, 9),
            Proto::Vrrp | Proto::Carp => (Family::V4, 112),
            Proto::Icmp6 => (Family::V6, 58),
            Proto::Clnp => return self.iso(0x81, ways),
            Proto::Esis => return self.iso(0x82, ways),
            Proto::Isis => return self.iso(0x83, ways),
            other => return self.carries(link_proto(other), ways),
        };
        self.ip_proto(family, number, ways)
    }

    /// A protocol on top of ISO's network layer (ISO/IEC TR 9577): its first octet.
    fn iso(&mut self, number: u32, ways: Ways) -> Emitted {
        let before = match self.layout.kind {
            LinkKind::Ethernet => 3,
            LinkKind::Chdlc => 1,
            _ => 0,
        };
        let field = Field::octet(self.layout.payload + before);
        self.and(ways, |e, w| e.carries(0xfe, w), |e, w| e.equal(field, number, w))
    }

    pub(super) fn ip_proto(&mut self, family: Family, number: u32, ways: Ways) -> Emitted {
        match family {
            Family::V4 => self.ip4_proto(number, ways),
            Family::V6 => self.ip6_proto(number, ways),
            Family::Both => self.or(ways, |e, w| e.ip4_proto(number, w), |e, w| e.ip6_proto(number, w)),
        }
    }

    fn ip4_proto(&mut self, number: u32, ways: Ways) -> Emitted {
        let field = Field::octet(self.layout.network() + 9);
        self.and(ways, |e, w| e.carries(IPV4, w), |e, w| e.equal(field, number, w))
    }

    /// The next header, or the one behind a fragment header that comes first. No other extension is looked through.
    fn ip6_proto(&mut self, number: u32, ways: Ways) -> Emitted {
        let next = Field::octet(self.layout.network() + 6);
        let behind = Field::octet(self.layout.network() + 40);
        let fragment = |e: &mut Self, w| e.and(w, |e, w| e.equal(next, FRAGMENT, w), |e, w| e.equal(behind, number, w));
        self.and(ways, |e, w| e.carries(IPV6, w), |e, w| e.or(w, fragment, |e, w| e.equal(next, number, w)))
    }

    fn proto_chain(&mut self, family: Family, number: u32, ways: Ways) -> Emitted {
        let base = self.layout.network();
        let ask =
            |source| move |e: &mut Self, w| e.equal(Field { source, base, at: number, mask: u32::MAX }, number, w);
        let v4 = |e: &mut Self, w| e.and(w, |e, w| e.carries(IPV4, w), ask(Source::Chain4));
        let v6 = |e: &mut Self, w| e.and(w, |e, w| e.carries(IPV6, w), ask(Source::Chain6));
        match family {
            Family::V4 => v4(self, ways),
            Family::V6 => v6(self, ways),
            Family::Both => self.or(ways, v4, v6),
        }
    }

    fn host4(&mut self, carrier: Carrier, dir: Dir, addr: u32, mask: u32, ways: Ways) -> Emitted {
        // RFC 791 §3.1 and RFC 826: where the source stands, and how far behind it the destination.
        let places: &[(u32, u32, u32)] = match carrier {
            Carrier::Ip => &[(IPV4, 12, 16)],
            Carrier::Arp => &[(ARP, 14, 24)],
            Carrier::Rarp => &[(RARP, 14, 24)],
            // Inside MPLS nothing says that a packet is ARP.
            Carrier::Any if self.layout.labels > 0 => &[(IPV4, 12, 16)],
            Carrier::Any => &[(IPV4, 12, 16), (ARP, 14, 24), (RARP, 14, 24)],
        };
        for (i, (proto, src, dst)) in places.iter().enumerate() {
            let network = self.layout.network();
            let ends = [network + src, network + dst];
            let next = self.label();
            let last = i + 1 == places.len();
            let here = if last { ways } else { ways.with_no(next) };
            let hit = |e: &mut Self, at, w| e.equal(Field::word(at).masked(mask), addr, w);
            self.and(here, |e, w| e.carries(*proto, w), |e, w| e.ends(dir, ends, hit, w))?;
            self.place(next);
        }
        Ok(())
    }

    fn host6(&mut self, dir: Dir, addr: u128, prefix: u8, ways: Ways) -> Emitted {
        let network = self.layout.network();
        let hit = |e: &mut Self, at, w| e.address6(at, addr, prefix, w);
        self.and(ways, |e, w| e.carries(IPV6, w), |e, w| e.ends(dir, [network + 8, network + 24], hit, w))
    }

    /// Compares the words of an IPv6 address that the prefix touches.
    fn address6(&mut self, at: u32, addr: u128, prefix: u8, ways: Ways) -> Emitted {
        let words = u32::from(prefix).div_ceil(32);
        if words == 0 {
            return self.always(true, ways);
        }
        for i in 0..words {
            let bits = (u32::from(prefix) - 32 * i).min(32);
            let mask = u32::MAX << (32 - bits);
            let value = (addr >> (96 - 32 * i)) & u128::from(u32::MAX);
            // The mask to 32 bits makes this exact.
            let value = u32::try_from(value).unwrap_or_default();
            let next = self.label();
            let here = if i + 1 == words { ways } else { ways.with_yes(next) };
            self.equal(Field::word(at + 4 * i).masked(mask), value, here)?;
            self.place(next);
        }
        Ok(())
    }

    fn mac(&mut self, dir: Dir, mac: [u8; 6], ways: Ways) -> Emitted {
        if self.layout.kind != LinkKind::Ethernet {
            return Err(Refusal::NotOnThisLink);
        }
        let high = u32::from(u16::from_be_bytes([mac[0], mac[1]]));
        let low = u32::from_be_bytes([mac[2], mac[3], mac[4], mac[5]]);
        let header = self.layout.header;
        let hit = |e: &mut Self, at, w| {
            e.and(w, |e, w| e.equal(Field::word(at + 2), low, w), |e, w| e.equal(Field::half(at), high, w))
        };
        self.link_header(ways, |e, w| e.ends(dir, [header + 6, header], hit, w))
    }

    /// Asks `rest` of a packet with a link-layer header; only in a Geneve packet there may be none.
    fn link_header(&mut self, ways: Ways, rest: impl FnOnce(&mut Self, Ways) -> Emitted) -> Emitted {
        if !self.layout.in_geneve {
            return rest(self, ways);
        }
        let field = Field { source: Source::LinkHeader, base: 0, at: 0, mask: u32::MAX };
        self.and(ways, |e, w| e.equal(field, 1, w), rest)
    }

    fn multicast(&mut self, ways: Ways) -> Emitted {
        if self.layout.kind != LinkKind::Ethernet {
            return Err(Refusal::NotOnThisLink);
        }
        let field = Field::octet(self.layout.header).masked(1);
        self.link_header(ways, |e, w| e.equal(field, 1, w))
    }

    fn ip_broadcast(&mut self, ways: Ways) -> Emitted {
        let field = Field::word(self.layout.network() + 16);
        let either = |e: &mut Self, w| e.or(w, |e, w| e.equal(field, 0, w), |e, w| e.equal(field, u32::MAX, w));
        self.and(ways, |e, w| e.carries(IPV4, w), either)
    }

    /// Asks `hit` of the source, the destination, either or both. `places` are the source's and the destination's.
    fn ends(
        &mut self,
        dir: Dir,
        places: [u32; 2],
        hit: impl Fn(&mut Self, u32, Ways) -> Emitted,
        ways: Ways,
    ) -> Emitted {
        let [src, dst] = places;
        match dir {
            Dir::Src => hit(self, src, ways),
            Dir::Dst => hit(self, dst, ways),
            Dir::Either => self.or(ways, |e, w| hit(e, src, w), |e, w| hit(e, dst, w)),
            Dir::Both => self.and(ways, |e, w| hit(e, src, w), |e, w| hit(e, dst, w)),
        }
    }

    fn port(&mut self, transport: Transport, dir: Dir, range: (u16, u16), ways: Ways) -> Emitted {
        let network = self.layout.network();
        let hit = move |source, base| {
            move |e: &mut Self, at, w| {
                let field = Field { source, base, at, mask: u32::MAX };
                e.range(field, u32::from(range.0), u32::from(range.1 - range.0), w)
            }
        };
        let ports4 = |e: &mut Self, w| e.ends(dir, [network, network + 2], hit(Source::HalfBeyond, network), w);
        let ports6 = |e: &mut Self, w| e.ends(dir, [network + 40, network + 42], hit(Source::Half, 0), w);
        let v4 = |e: &mut Self, w: Ways| {
            let upper = |e: &mut Self, w| e.transport(transport, network + 9, w);
            let first = |e: &mut Self, w| e.and(w, |e, w| e.first_fragment(w), ports4);
            e.and(w, |e, w| e.carries(IPV4, w), |e, w| e.and(w, upper, first))
        };
        let v6 = |e: &mut Self, w: Ways| {
            let upper = |e: &mut Self, w| e.transport(transport, network + 6, w);
            e.and(w, |e, w| e.carries(IPV6, w), |e, w| e.and(w, upper, ports6))
        };
        self.or(ways, v4, v6)
    }

    /// Whether the octet at `at` is the number of the transport that was asked for.
    fn transport(&mut self, transport: Transport, at: u32, ways: Ways) -> Emitted {
        let field = Field::octet(at);
        match transport {
            Transport::Tcp => self.equal(field, TCP, ways),
            Transport::Udp => self.equal(field, UDP, ways),
            Transport::Sctp => self.equal(field, SCTP, ways),
            Transport::Any => {
                let others = |e: &mut Self, w| e.or(w, |e, w| e.equal(field, UDP, w), |e, w| e.equal(field, SCTP, w));
                self.or(ways, |e, w| e.equal(field, TCP, w), others)
            }
        }
    }

    /// Whether an IPv4 packet holds the start of its payload: fragment offset 0.
    pub(super) fn first_fragment(&mut self, ways: Ways) -> Emitted {
        self.equal(Field::half(self.layout.network() + 6).masked(0x1fff), 0, ways)
    }

    /// Which way a packet went, as far as the link layer tells: some have a number for each way, others for one only.
    fn outbound(&mut self, out: bool, ways: Ways) -> Emitted {
        let (inward, outward) = if out { (ways.swapped(), ways) } else { (ways, ways.swapped()) };
        let one_of = |inbound, outbound| if out { outbound } else { inbound };
        match self.layout.kind {
            // The packet type 4 is "sent by us" in both versions of Linux's cooked header.
            LinkKind::Sll => self.equal(Field::half(0), 4, outward),
            LinkKind::Sll2 => self.equal(Field::octet(10), 4, outward),
            LinkKind::Pppd => self.equal(Field::octet(0), one_of(0, 1), ways),
            LinkKind::Ipnet => self.equal(Field::half(2), one_of(2, 1), ways),
            LinkKind::Pflog => self.equal(Field::octet(60), one_of(1, 2), ways),
            LinkKind::Slip | LinkKind::Directed => self.equal(Field::octet(0), 0, inward),
            LinkKind::Juniper => self.equal(Field::octet(3).masked(1), one_of(1, 0), ways),
            // Darwin's flags, least octet first.
            LinkKind::Pktap => self.equal(Field::octet(36).masked(3), one_of(1, 2), ways),
            _ => Err(Refusal::NoDirection),
        }
    }

    fn vlan(&mut self, id: Option<u32>, ways: Ways) -> Emitted {
        if self.layout.kind != LinkKind::Ethernet || self.layout.labels > 0 {
            return Err(Refusal::NotOnThisLink);
        }
        let link_type = Field::half(self.layout.link_type);
        let tag = Field::half(self.layout.payload).masked(0xfff);
        let others =
            |e: &mut Self, w| e.or(w, |e, w| e.equal(link_type, 0x88a8, w), |e, w| e.equal(link_type, 0x9100, w));
        let tagged = |e: &mut Self, w| e.or(w, |e, w| e.equal(link_type, 0x8100, w), others);
        match id {
            None => tagged(self, ways)?,
            Some(id) => self.and(ways, tagged, |e, w| e.equal(tag, id, w))?,
        }
        self.layout.push_vlan();
        Ok(())
    }

    fn mpls(&mut self, label: Option<u32>, ways: Ways) -> Emitted {
        let network = self.layout.network();
        let proto = match self.layout.kind {
            LinkKind::Ethernet | LinkKind::Chdlc => 0x8847,
            LinkKind::Ppp => 0x0281,
            _ => return Err(Refusal::NotOnThisLink),
        };
        let inside = self.layout.labels > 0;
        let link_type = Field::half(self.layout.link_type);
        // RFC 3032 §2.1: the label before this one must not be the last of its stack.
        let more = Field::octet(network.saturating_sub(2)).masked(1);
        let labelled = |e: &mut Self, w| if inside { e.equal(more, 0, w) } else { e.equal(link_type, proto, w) };
        match label {
            None => labelled(self, ways)?,
            Some(label) => {
                let field = Field::word(network).masked(0xffff_f000);
                self.and(ways, labelled, |e, w| e.equal(field, label << 12, w))?;
            }
        }
        self.layout.push_label();
        Ok(())
    }

    /// Geneve (RFC 8926) by its UDP port and version; from here on, all is about the packet inside.
    fn geneve(&mut self, vni: Option<u32>, ways: Ways) -> Emitted {
        let network = self.layout.network();
        let field = |source, at: u32| Field { source, base: network, at: network + at, mask: u32::MAX };
        let header = move |e: &mut Self, w, [port, version, id]: [Field; 3], enter: Source| {
            let enter = Field { source: enter, base: network, at: 0, mask: u32::MAX };
            let known = move |e: &mut Self, w| match vni {
                None => e.equal(enter, 1, w),
                Some(vni) => {
                    let id = id.masked(0xffff_ff00);
                    e.and(w, |e, w| e.equal(id, vni << 8, w), |e, w| e.equal(enter, 1, w))
                }
            };
            let version = move |e: &mut Self, w| e.and(w, |e, w| e.equal(version.masked(0xc0), 0, w), known);
            e.and(w, |e, w| e.equal(port, GENEVE_PORT, w), version)
        };
        let fields4 = [field(Source::HalfBeyond, 2), field(Source::OctetBeyond, 8), field(Source::WordBeyond, 12)];
        let fields6 = [field(Source::Half, 42), field(Source::Octet, 48), field(Source::Word, 52)];
        let v4 = |e: &mut Self, w| {
            let first =
                |e: &mut Self, w| e.and(w, |e, w| e.first_fragment(w), |e, w| header(e, w, fields4, Source::Geneve4));
            let udp = |e: &mut Self, w| e.and(w, |e, w| e.transport(Transport::Udp, network + 9, w), first);
            e.and(w, |e, w| e.carries(IPV4, w), udp)
        };
        let v6 = |e: &mut Self, w| {
            let in_udp = |e: &mut Self, w| header(e, w, fields6, Source::Geneve6);
            let udp = |e: &mut Self, w| e.and(w, |e, w| e.transport(Transport::Udp, network + 6, w), in_udp);
            e.and(w, |e, w| e.carries(IPV6, w), udp)
        };
        self.or(ways, v4, v6)?;
        self.moves = true;
        self.layout.push_geneve();
        Ok(())
    }

    /// An LLC header (IEEE 802.2) and not Novell's raw frames; `control` is a mask and a value of its control field.
    fn llc(&mut self, control: Option<(u32, u32)>, ways: Ways) -> Emitted {
        if self.layout.kind != LinkKind::Ethernet || self.layout.labels > 0 {
            return Err(Refusal::NotOnThisLink);
        }
        let Layout { link_type, payload, .. } = self.layout;
        let framed = move |e: &mut Self, w| e.range(Field::half(link_type), 0, MAX_LENGTH, w);
        let points = move |e: &mut Self, w: Ways| e.equal(Field::half(payload), 0xffff, w.swapped());
        let header = move |e: &mut Self, w| e.and(w, framed, points);
        match control {
            None => header(self, ways),
            Some((mask, value)) => {
                let field = Field::octet(payload + 2).masked(mask);
                self.and(ways, header, |e, w| e.equal(field, value, w))
            }
        }
    }

    fn pppoes(&mut self, session: Option<u32>, ways: Ways) -> Emitted {
        let field = Field::word(self.layout.network()).masked(0xffff);
        match session {
            None => self.carries(0x8864, ways)?,
            Some(session) => self.and(ways, |e, w| e.carries(0x8864, w), |e, w| e.equal(field, session, w))?,
        }
        self.layout.push_pppoe();
        Ok(())
    }
}

/// The Ethernet type or LLC service access point of a protocol that stands right on the link layer.
fn link_proto(proto: Proto) -> u32 {
    super::words::ether_type(proto.keyword()).unwrap_or(u32::MAX)
}
