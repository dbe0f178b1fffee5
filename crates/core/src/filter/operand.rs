//! What stands behind the qualifiers: addresses, networks, ports, protocol numbers and their names.

use std::net::IpAddr;

use super::ast::{Carrier, Expr, Family, Join, Proto, Test, Transport};
use super::error::FilterError;
use super::lexer::{self, Tok};
use super::parser::{Kind, Parser, Quals};
use super::words;

impl Parser<'_> {
    /// The operand of qualifiers that were just read: one, `not` one, or several in parentheses.
    pub(super) fn operands(&mut self, quals: Quals) -> Result<Expr, FilterError> {
        match self.peek() {
            Tok::Not => {
                self.bump();
                Ok(Expr::Not(Box::new(self.nested(|p| p.operands(quals))?)))
            }
            Tok::Open => {
                self.bump();
                let first = self.nested(|p| p.operands(quals))?;
                let mut rest = Vec::new();
                while let Tok::And | Tok::Or = self.peek() {
                    let join = if self.peek() == Tok::And { Join::And } else { Join::Or };
                    self.bump();
                    rest.push((join, self.nested(|p| p.operands(quals))?));
                }
                if !self.accept(Tok::Close) {
                    return Err(self.expected("\"and\", \"or\" or \")\""));
                }
                Ok(if rest.is_empty() { first } else { Expr::Chain(Box::new(first), rest) })
            }
            _ => self.operand(quals),
        }
    }

    /// One operand, read as the qualifiers want it.
    pub(super) fn operand(&mut self, quals: Quals) -> Result<Expr, FilterError> {
        let test = match quals.kind {
            Kind::Port | Kind::PortRange => self.port(quals),
            Kind::Proto | Kind::ProtoChain => self.protocol(quals),
            Kind::Unsaid | Kind::Host | Kind::Net => match self.peek() {
                Tok::Word(word) if !words::is_reserved(word) => return self.named_host(quals, word),
                Tok::Escaped(word) => return self.named_host(quals, word),
                _ => self.address(quals),
            },
        };
        test.map(Expr::Test)
    }

    /// A host by its name: any of its addresses.
    fn named_host(&mut self, quals: Quals, word: &str) -> Result<Expr, FilterError> {
        let Quals { proto, dir, kind } = quals;
        match (self.lookup, proto, kind) {
            (_, Some(Proto::Link), _) => return Err(self.expected("a MAC address")),
            (_, _, Kind::Net) => return Err(self.expected("a network's address (names of networks are not looked up)")),
            (None, ..) => return Err(self.expected("an address (names are not looked up)")),
            (_, None | Some(Proto::Ip | Proto::Ip6 | Proto::Arp | Proto::Rarp), _) => {}
            (_, Some(other), _) => {
                return Err(self.expected(format!("no host: \"{other}\" has no addresses of its own")));
            }
        }
        let found = self.lookup.map(|lookup| lookup(word)).unwrap_or_default();
        let test = |addr| match addr {
            IpAddr::V4(addr) => {
                Some(Test::Host4 { carrier: carrier(proto)?, dir, addr: addr.to_bits(), mask: u32::MAX })
            }
            IpAddr::V6(addr) if matches!(proto, None | Some(Proto::Ip6)) => {
                Some(Test::Host6 { dir, addr: addr.to_bits(), prefix: 128 })
            }
            IpAddr::V6(_) => None,
        };
        let mut tests = found.into_iter().filter_map(test).map(Expr::Test);
        let Some(first) = tests.next() else {
            return Err(self.expected("an address, or a host's name that can be looked up"));
        };
        let rest: Vec<_> = tests.map(|test| (Join::Or, test)).collect();
        self.bump();
        Ok(if rest.is_empty() { first } else { Expr::Chain(Box::new(first), rest) })
    }

    fn address(&mut self, quals: Quals) -> Result<Test, FilterError> {
        let mark = self.mark();
        match self.peek() {
            Tok::Mac(mac) => {
                self.bump();
                if quals.proto != Some(Proto::Link) || quals.kind == Kind::Net {
                    return Err(self.expected_from(mark, "\"ether host\" before a MAC address"));
                }
                Ok(Test::Mac(quals.dir, mac))
            }
            Tok::V6(addr) => {
                self.bump();
                self.address6(quals, addr, mark)
            }
            Tok::V4(addr, parts) => {
                self.bump();
                self.address4(quals, addr, parts, mark)
            }
            Tok::Num(n) => {
                self.bump();
                let (addr, parts) = if quals.kind == Kind::Net { short_net(n) } else { (n, 4) };
                self.address4(quals, addr, parts, mark)
            }
            _ if quals.proto == Some(Proto::Link) => Err(self.expected("a MAC address")),
            _ => Err(self.expected("an address")),
        }
    }

    fn address4(&mut self, quals: Quals, addr: u32, parts: u8, mark: usize) -> Result<Test, FilterError> {
        let carrier = match (carrier(quals.proto), quals.proto) {
            (Some(carrier), _) => carrier,
            (None, Some(other)) if other != Proto::Link => {
                return Err(self.expected_from(mark, format!("no IPv4 address: \"{other}\" has none of its own")));
            }
            (None, _) => return Err(self.expected_from(mark, "a MAC address")),
        };
        let given = 32 - 8 * u32::from(parts);
        let mask = self.mask4(quals.kind, mark)?.unwrap_or_else(|| prefix_mask(32 - given));
        if addr & !mask != 0 {
            return Err(self.expected_from(mark, "a network address without bits beyond its mask"));
        }
        Ok(Test::Host4 { carrier, dir: quals.dir, addr, mask })
    }

    /// `/len` or `mask a.b.c.d`.
    fn mask4(&mut self, kind: Kind, mark: usize) -> Result<Option<u32>, FilterError> {
        let mask = if self.accept(Tok::Slash) {
            match self.peek() {
                Tok::Num(len @ 0..=32) => prefix_mask(len),
                _ => return Err(self.expected("a prefix length of at most 32")),
            }
        } else if self.accept(Tok::Word("mask")) {
            match self.peek() {
                Tok::V4(mask, _) => mask,
                _ => return Err(self.expected("a mask such as 255.255.255.0")),
            }
        } else {
            return Ok(None);
        };
        self.bump();
        if kind != Kind::Net {
            return Err(self.expected_from(mark, "an address without a mask (write \"net\" for networks)"));
        }
        Ok(Some(mask))
    }

    fn address6(&mut self, quals: Quals, addr: u128, mark: usize) -> Result<Test, FilterError> {
        if !matches!(quals.proto, None | Some(Proto::Ip6)) {
            let proto = quals.proto.unwrap_or(Proto::Ip);
            return Err(self.expected_from(mark, format!("no IPv6 address after \"{proto}\"")));
        }
        let mut prefix = 128;
        if self.accept(Tok::Slash) {
            let length = match self.peek() {
                Tok::Num(n) => u8::try_from(n).ok().filter(|n| *n <= 128),
                _ => None,
            };
            prefix = length.ok_or_else(|| self.expected("a prefix length of at most 128"))?;
            self.bump();
        }
        if prefix < 128 && quals.kind != Kind::Net {
            return Err(self.expected_from(mark, "an address without a prefix length (write \"net\" for networks)"));
        }
        if addr.checked_shl(u32::from(prefix)).unwrap_or(0) != 0 {
            return Err(self.expected_from(mark, "a network address without bits beyond its prefix"));
        }
        Ok(Test::Host6 { dir: quals.dir, addr, prefix })
    }

    fn port(&mut self, quals: Quals) -> Result<Test, FilterError> {
        let mark = self.mark();
        let asked = match quals.proto {
            None => Transport::Any,
            Some(Proto::Tcp) => Transport::Tcp,
            Some(Proto::Udp) => Transport::Udp,
            Some(Proto::Sctp) => Transport::Sctp,
            Some(_) => return Err(self.expected("no port: only tcp, udp and sctp have ports")),
        };
        let range = quals.kind == Kind::PortRange;
        let found = match self.peek() {
            Tok::Num(n) => u16::try_from(n).ok().map(|port| (port, port, Transport::Any)),
            Tok::Word(word) | Tok::Escaped(word) if range => named_range(word),
            Tok::Word(word) | Tok::Escaped(word) => named_port(word).map(|(port, transport)| (port, port, transport)),
            _ => None,
        };
        let Some((low, high, named)) = found else {
            return Err(self.expected(if range {
                "a port range such as 1-1024"
            } else {
                "a port number of at most 65535 or a service's name"
            }));
        };
        self.bump();
        let transport = match (asked, named) {
            (Transport::Any, named) => named,
            (asked, Transport::Any) => asked,
            (asked, named) if asked == named => asked,
            _ => return Err(self.expected_from(mark, "a service of the transport before it")),
        };
        Ok(Test::Port { transport, dir: quals.dir, low: low.min(high), high: high.max(low) })
    }

    fn protocol(&mut self, quals: Quals) -> Result<Test, FilterError> {
        let family = match quals.proto {
            None => Some(Family::Both),
            Some(Proto::Ip) => Some(Family::V4),
            Some(Proto::Ip6) => Some(Family::V6),
            Some(Proto::Link) if quals.kind == Kind::Proto => None,
            Some(Proto::Link) => return Err(self.expected("no protocol: only ip and ip6 have \"protochain\"")),
            Some(_) => return Err(self.expected("no protocol: only ether, ip and ip6 have \"proto\"")),
        };
        let number = match (self.peek(), family) {
            (Tok::Num(n), _) => Some(n),
            (Tok::Word(word) | Tok::Escaped(word), Some(_)) => words::ip_protocol(word),
            (Tok::Word(word) | Tok::Escaped(word), None) => words::ether_type(word),
            _ => None,
        };
        let Some(number) = number else {
            let kind = if family.is_some() { "an IP protocol's" } else { "an Ethernet type's" };
            return Err(self.expected(format!("{kind} number or name")));
        };
        self.bump();
        Ok(match family {
            None => Test::EtherType(number),
            Some(family) if quals.kind == Kind::ProtoChain => Test::ProtoChain(family, number),
            Some(family) => Test::IpProto(family, number),
        })
    }
}

/// What carries an IPv4 address that `proto` stands before; `None` where it has none.
fn carrier(proto: Option<Proto>) -> Option<Carrier> {
    match proto {
        None => Some(Carrier::Any),
        Some(Proto::Ip) => Some(Carrier::Ip),
        Some(Proto::Arp) => Some(Carrier::Arp),
        Some(Proto::Rarp) => Some(Carrier::Rarp),
        Some(_) => None,
    }
}

/// `net 10` is 10.0.0.0/8, `net 0xc0a8` is 192.168.0.0/16: the number moves up until its first octet isn't 0.
fn short_net(number: u32) -> (u32, u8) {
    match number.leading_zeros() / 8 {
        empty @ 1..=3 => (number << (8 * empty), [4, 3, 2, 1][empty as usize]),
        _ => (number, 4),
    }
}

fn prefix_mask(len: u32) -> u32 {
    u32::MAX.checked_shl(32 - len).unwrap_or(0)
}

fn named_port(word: &str) -> Option<(u16, Transport)> {
    let (port, tcp, udp) = words::service(word)?;
    Some((
        port,
        if tcp && udp {
            Transport::Any
        } else if tcp {
            Transport::Tcp
        } else {
            Transport::Udp
        },
    ))
}

/// `a-b`, each a number or a name; names may hold hyphens themselves.
fn named_range(word: &str) -> Option<(u16, u16, Transport)> {
    let end = |text: &str| match lexer::number(text) {
        Ok(number) => Some((u16::try_from(number).ok()?, Transport::Any)),
        Err(_) => named_port(text),
    };
    for (at, _) in word.match_indices('-') {
        if let (Some((low, a)), Some((high, b))) = (end(&word[..at]), end(&word[at + 1..])) {
            return Some((low, high, if a == b { a } else { Transport::Any }));
        }
    }
    end(word).map(|(port, transport)| (port, port, transport))
}
