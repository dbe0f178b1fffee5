//! How each link layer says what it carries.

use super::codegen::{IPV4, IPV6};
use super::emit::{Emitted, Emitter, Field, Refusal, Ways};
use super::layout::LinkKind;

const AARP: u32 = 0x80f3;
const ATALK: u32 = 0x809b;
const IPX: u32 = 0x8137;
/// The largest length that an 802.3 frame can have in the place of a type.
pub(super) const MAX_LENGTH: u32 = 1500;
/// LLC service access points.
const SAP_IP: u32 = 0x06;
const SAP_IPX: u32 = 0xe0;
const SAP_NETBEUI: u32 = 0xf0;
const SAP_ISO: u32 = 0xfe;

impl Emitter {
    /// Asks whether the payload is `proto`: an Ethernet type, or below 1501 an LLC service access point.
    pub(super) fn carries(&mut self, proto: u32, ways: Ways) -> Emitted {
        if self.layout.labels > 0 {
            return self.labels_carry(proto, ways);
        }
        let field = Field::half(self.layout.link_type);
        match self.layout.kind {
            LinkKind::Ethernet => self.ethernet_carries(proto, ways),
            LinkKind::Sll => self.cooked_carries(proto, ways),
            LinkKind::Chdlc if proto == SAP_ISO => self.equal(field, SAP_ISO << 8 | SAP_ISO, ways),
            // libpcap doesn't look for LLC behind the second version of Linux's cooked header.
            LinkKind::Chdlc | LinkKind::Sll2 => self.equal(field, proto, ways),
            LinkKind::Ppp | LinkKind::Pppd => self.equal(field, ppp_number(proto), ways),
            LinkKind::Null => self.family(proto, true, ways),
            LinkKind::Loop => self.family(proto, false, ways),
            LinkKind::Raw => match proto {
                IPV4 => self.ip_version(4, ways),
                IPV6 => self.ip_version(6, ways),
                _ => self.always(false, ways),
            },
            LinkKind::RawV4 => self.always(proto == IPV4, ways),
            LinkKind::RawV6 => self.always(proto == IPV6, ways),
            // Solaris' own address families.
            LinkKind::Ipnet => match proto {
                IPV4 => self.equal(Field::octet(1), 2, ways),
                IPV6 => self.equal(Field::octet(1), 26, ways),
                _ => self.always(false, ways),
            },
            _ => Err(Refusal::NotOnThisLink),
        }
    }

    fn ip_version(&mut self, version: u32, ways: Ways) -> Emitted {
        self.equal(Field::octet(self.layout.network()).masked(0xf0), version << 4, ways)
    }

    /// Behind MPLS labels nothing names the payload: the last label's bottom-of-stack bit must be set, and the
    /// payload's first four bits are taken for an IP version.
    fn labels_carry(&mut self, proto: u32, ways: Ways) -> Emitted {
        let version = match proto {
            IPV4 => 4,
            IPV6 => 6,
            _ => return Err(Refusal::NotOnThisLink),
        };
        let bottom = Field::octet(self.layout.network().saturating_sub(2)).masked(1);
        self.and(ways, |e, w| e.equal(bottom, 1, w), |e, w| e.ip_version(version, w))
    }

    fn ethernet_carries(&mut self, proto: u32, ways: Ways) -> Emitted {
        let field = Field::half(self.layout.link_type);
        let length = move |e: &mut Self, w| e.range(field, 0, MAX_LENGTH, w);
        match proto {
            SAP_IPX => {
                let framed = |e: &mut Self, w| e.and(w, length, |e, w| e.ipx_frame(w));
                self.or(ways, |e, w| e.equal(field, IPX, w), framed)
            }
            AARP | ATALK => {
                let framed = |e: &mut Self, w| e.and(w, length, |e, w| e.snap(proto, w));
                self.or(ways, |e, w| e.equal(field, proto, w), framed)
            }
            0..=MAX_LENGTH => self.and(ways, length, |e, w| e.access_point(proto, w)),
            _ => self.equal(field, proto, ways),
        }
    }

    /// Linux says 4 where an LLC header follows, and 1 for Novell's raw 802.3.
    fn cooked_carries(&mut self, proto: u32, ways: Ways) -> Emitted {
        let field = Field::half(self.layout.link_type);
        let llc = move |e: &mut Self, w| e.equal(field, 4, w);
        match proto {
            SAP_IPX => {
                let sap = |e: &mut Self, w| e.access_point(SAP_IPX, w);
                let framed = |e: &mut Self, w| e.and(w, llc, |e, w| e.or(w, sap, |e, w| e.snap(IPX, w)));
                let raw = |e: &mut Self, w| e.or(w, |e, w| e.equal(field, 1, w), framed);
                self.or(ways, |e, w| e.equal(field, IPX, w), raw)
            }
            AARP | ATALK => {
                let framed = |e: &mut Self, w| e.and(w, llc, |e, w| e.snap(proto, w));
                self.or(ways, |e, w| e.equal(field, proto, w), framed)
            }
            0..=MAX_LENGTH => self.and(ways, llc, |e, w| e.access_point(proto, w)),
            _ => self.equal(field, proto, ways),
        }
    }

    /// LLC (IEEE 802.2): some protocols use one access point at both ends, of others only the destination counts.
    fn access_point(&mut self, sap: u32, ways: Ways) -> Emitted {
        let payload = self.layout.payload;
        match sap {
            SAP_IP | SAP_NETBEUI | SAP_ISO => self.equal(Field::half(payload), sap << 8 | sap, ways),
            _ => self.equal(Field::octet(payload), sap, ways),
        }
    }

    /// A SNAP header (RFC 1042): AppleTalk's own organisation code for AppleTalk, else 0.
    fn snap(&mut self, proto: u32, ways: Ways) -> Emitted {
        let payload = self.layout.payload;
        let organisation = if proto == ATALK { 0x08_0007 } else { 0 };
        let tail = (organisation & 0xffff) << 16 | proto;
        let head = 0xaaaa_0300 | organisation >> 16;
        self.and(ways, |e, w| e.equal(Field::word(payload + 4), tail, w), |e, w| e.equal(Field::word(payload), head, w))
    }

    /// IPX in an 802.3 frame: behind SNAP, behind LLC, or raw.
    fn ipx_frame(&mut self, ways: Ways) -> Emitted {
        let payload = self.layout.payload;
        let raw = |e: &mut Self, w| e.equal(Field::half(payload), 0xffff, w);
        let rest = |e: &mut Self, w| e.or(w, |e, w| e.access_point(SAP_IPX, w), raw);
        self.or(ways, |e, w| e.snap(IPX, w), rest)
    }

    /// The loopback header's address family. IPv6's number differs from system to system.
    fn family(&mut self, proto: u32, either_order: bool, ways: Ways) -> Emitted {
        let families: &[u32] = match proto {
            IPV4 => &[2],
            IPV6 => &[24, 28, 30],
            _ => return self.always(false, ways),
        };
        let field = Field::word(0);
        let orders = if either_order { 2 } else { 1 };
        let last = families.len() * orders - 1;
        for i in 0..=last {
            let family = families[i / orders];
            let value = if i % orders == 0 { family } else { family.swap_bytes() };
            let next = self.label();
            self.equal(field, value, if i == last { ways } else { ways.with_no(next) })?;
            self.place(next);
        }
        Ok(())
    }
}

/// The PPP protocol number of an Ethernet type or access point, where they differ.
fn ppp_number(proto: u32) -> u32 {
    match proto {
        IPV4 => 0x0021,
        IPV6 => 0x0057,
        0x6003 => 0x0027,
        ATALK => 0x0029,
        0x0600 => 0x0025,
        SAP_ISO => 0x0023,
        0x42 => 0x0031,
        SAP_IPX => 0x002b,
        other => other,
    }
}
