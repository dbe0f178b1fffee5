//! Writes an expression's tree in the language it was read from, with every parenthesis that might be needed.

use std::fmt::{Display, Formatter, Result};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::ast::{Arith, ArithOp, Carrier, Dir, Expr, Family, Join, Proto, RelOp, Test, Transport};
use super::words;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Any => Ok(()),
            Self::Test(test) => test.fmt(f),
            Self::Not(inner) => {
                f.write_str("not ")?;
                operand(inner, f)
            }
            Self::Chain(first, rest) => {
                operand(first, f)?;
                for (join, expr) in rest {
                    f.write_str(if *join == Join::And { " and " } else { " or " })?;
                    operand(expr, f)?;
                }
                Ok(())
            }
        }
    }
}

fn operand(expr: &Expr, f: &mut Formatter<'_>) -> Result {
    if matches!(expr, Expr::Chain(..)) { write!(f, "({expr})") } else { expr.fmt(f) }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Proto(proto) => proto.fmt(f),
            Self::EtherType(number) => write!(f, "ether proto {number}"),
            Self::IpProto(Family::V4, number) => write!(f, "ip proto {number}"),
            Self::IpProto(Family::V6, number) => write!(f, "ip6 proto {number}"),
            Self::IpProto(Family::Both, number) => write!(f, "proto {number}"),
            Self::ProtoChain(Family::V4, number) => write!(f, "ip protochain {number}"),
            Self::ProtoChain(Family::V6, number) => write!(f, "ip6 protochain {number}"),
            Self::ProtoChain(Family::Both, number) => write!(f, "protochain {number}"),
            Self::Host4 { carrier, dir, addr, mask } => host4(*carrier, *dir, *addr, *mask, f),
            Self::Host6 { dir, addr, prefix } => write!(f, "{dir}net {}/{prefix}", Ipv6Addr::from_bits(*addr)),
            Self::Mac(dir, a) => {
                write!(f, "ether {dir}host {:x}:{:x}:{:x}:{:x}:{:x}:{:x}", a[0], a[1], a[2], a[3], a[4], a[5])
            }
            Self::Port { transport, dir, low, high } => port(*transport, *dir, *low, *high, f),
            Self::Broadcast => f.write_str("ether broadcast"),
            Self::IpBroadcast => f.write_str("ip broadcast"),
            Self::Multicast => f.write_str("ether multicast"),
            Self::IpMulticast => f.write_str("ip multicast"),
            Self::Ip6Multicast => f.write_str("ip6 multicast"),
            Self::Outbound(true) => f.write_str("outbound"),
            Self::Outbound(false) => f.write_str("inbound"),
            Self::Vlan(id) => tagged("vlan", *id, f),
            Self::Mpls(label) => tagged("mpls", *label, f),
            Self::Pppoed => f.write_str("pppoed"),
            Self::Pppoes(session) => tagged("pppoes", *session, f),
            Self::Geneve(vni) => tagged("geneve", *vni, f),
            Self::Llc(None) => f.write_str("llc"),
            Self::Llc(Some(control)) => write!(f, "llc {}", words::llc_name(*control)),
            Self::Relation(a, op, b) => write!(f, "{a} {op} {b}"),
        }
    }
}

fn host4(carrier: Carrier, dir: Dir, addr: u32, mask: u32, f: &mut Formatter<'_>) -> Result {
    f.write_str(match carrier {
        Carrier::Any => "",
        Carrier::Ip => "ip ",
        Carrier::Arp => "arp ",
        Carrier::Rarp => "rarp ",
    })?;
    let addr = Ipv4Addr::from_bits(addr);
    match mask {
        u32::MAX => write!(f, "{dir}host {addr}"),
        _ => write!(f, "{dir}net {addr} mask {}", Ipv4Addr::from_bits(mask)),
    }
}

fn port(transport: Transport, dir: Dir, low: u16, high: u16, f: &mut Formatter<'_>) -> Result {
    f.write_str(match transport {
        Transport::Any => "",
        Transport::Tcp => "tcp ",
        Transport::Udp => "udp ",
        Transport::Sctp => "sctp ",
    })?;
    if low == high { write!(f, "{dir}port {low}") } else { write!(f, "{dir}portrange {low}-{high}") }
}

fn tagged(word: &str, number: Option<u32>, f: &mut Formatter<'_>) -> Result {
    match number {
        Some(number) => write!(f, "{word} {number}"),
        None => f.write_str(word),
    }
}

impl Display for Dir {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Src => "src ",
            Self::Dst => "dst ",
            Self::Either => "",
            Self::Both => "src and dst ",
        })
    }
}

impl Display for Proto {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.keyword())
    }
}

impl Display for Arith {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Num(n) => n.fmt(f),
            Self::Len => f.write_str("len"),
            Self::Load { proto, offset, size } => write!(f, "{proto}[{offset}:{size}]"),
            // The parenthesis also keeps `%` and `^`, which reach as far right as they can, from reaching in.
            Self::Neg(inner) => write!(f, "(- {inner})"),
            Self::Binary(op, a, b) => write!(f, "({a} {op} {b})"),
        }
    }
}

impl Display for ArithOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
            Self::Shl => "<<",
            Self::Shr => ">>",
        })
    }
}

impl Display for RelOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Lt => "<",
            Self::Le => "<=",
        })
    }
}
