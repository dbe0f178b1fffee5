//! What an expression says, before any link type is known. [`std::fmt::Display`] writes it in the language again.

/// A whole expression or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expr {
    /// The empty expression: every packet.
    Any,
    /// One primitive.
    Test(Test),
    /// `not …`.
    Not(Box<Expr>),
    /// `a and b or c …`: one precedence, from left to right.
    Chain(Box<Expr>, Vec<(Join, Expr)>),
}

/// How an operand of a chain is joined with all that stands left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
}

/// A keyword that names a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proto {
    Link,
    Ip,
    Ip6,
    Arp,
    Rarp,
    Tcp,
    Udp,
    Sctp,
    Icmp,
    Icmp6,
    Igmp,
    Igrp,
    Pim,
    Vrrp,
    Carp,
    Ah,
    Esp,
    Atalk,
    Aarp,
    Decnet,
    Lat,
    Sca,
    Moprc,
    Mopdl,
    Stp,
    Ipx,
    Netbeui,
    Iso,
    Clnp,
    Esis,
    Isis,
}

/// Every protocol keyword, and the protocol.
const KEYWORDS: &[(&str, Proto)] = &[
    ("ether", Proto::Link),
    ("link", Proto::Link),
    ("ppp", Proto::Link),
    ("slip", Proto::Link),
    ("fddi", Proto::Link),
    ("tr", Proto::Link),
    ("ip", Proto::Ip),
    ("ip6", Proto::Ip6),
    ("arp", Proto::Arp),
    ("rarp", Proto::Rarp),
    ("tcp", Proto::Tcp),
    ("udp", Proto::Udp),
    ("sctp", Proto::Sctp),
    ("icmp", Proto::Icmp),
    ("icmp6", Proto::Icmp6),
    ("igmp", Proto::Igmp),
    ("igrp", Proto::Igrp),
    ("pim", Proto::Pim),
    ("vrrp", Proto::Vrrp),
    ("carp", Proto::Carp),
    ("ah", Proto::Ah),
    ("esp", Proto::Esp),
    ("atalk", Proto::Atalk),
    ("aarp", Proto::Aarp),
    ("decnet", Proto::Decnet),
    ("lat", Proto::Lat),
    ("sca", Proto::Sca),
    ("moprc", Proto::Moprc),
    ("mopdl", Proto::Mopdl),
    ("stp", Proto::Stp),
    ("ipx", Proto::Ipx),
    ("netbeui", Proto::Netbeui),
    ("iso", Proto::Iso),
    ("clnp", Proto::Clnp),
    ("esis", Proto::Esis),
    ("es-is", Proto::Esis),
    ("isis", Proto::Isis),
    ("is-is", Proto::Isis),
];

impl Proto {
    /// The protocol that a keyword names.
    pub(super) fn from_keyword(word: &str) -> Option<Self> {
        KEYWORDS.iter().find(|row| row.0 == word).map(|row| row.1)
    }

    /// The first keyword that names the protocol.
    pub(super) fn keyword(self) -> &'static str {
        KEYWORDS.iter().find(|row| row.1 == self).map_or("ether", |row| row.0)
    }
}

/// Which address or port of a packet is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dir {
    Src,
    Dst,
    Either,
    Both,
}

/// Which IP versions a protocol number is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
    Both,
}

/// Which protocols carry the IPv4 address that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// IPv4, ARP and RARP.
    Any,
    Ip,
    Arp,
    Rarp,
}

/// Which transports carry the port that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// TCP, UDP and SCTP.
    Any,
    Tcp,
    Udp,
    Sctp,
}

/// A primitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// A protocol's keyword alone.
    Proto(Proto),
    /// `ether proto N`: an Ethernet type, or below 1501 an LLC service access point.
    EtherType(u32),
    /// `proto N`, `ip proto N`, `ip6 proto N`.
    IpProto(Family, u32),
    /// `protochain N`, `ip protochain N`, `ip6 protochain N`: any header of the packet, not the first alone.
    ProtoChain(Family, u32),
    /// `host`, `net` with an IPv4 address, in host byte order.
    Host4 { carrier: Carrier, dir: Dir, addr: u32, mask: u32 },
    /// `host`, `net` with an IPv6 address, and the length of its prefix.
    Host6 { dir: Dir, addr: u128, prefix: u8 },
    /// `ether host`.
    Mac(Dir, [u8; 6]),
    /// `port`, `portrange`; both ends belong to it.
    Port { transport: Transport, dir: Dir, low: u16, high: u16 },
    /// `broadcast` on the link layer.
    Broadcast,
    /// `ip broadcast`: all zeros and all ones, since no netmask is known.
    IpBroadcast,
    /// `multicast` on the link layer.
    Multicast,
    /// `ip multicast`.
    IpMulticast,
    /// `ip6 multicast`.
    Ip6Multicast,
    /// `outbound` (true) and `inbound`.
    Outbound(bool),
    /// `vlan [id]`: shifts the offsets of all that follows.
    Vlan(Option<u32>),
    /// `mpls [label]`: shifts too.
    Mpls(Option<u32>),
    /// `pppoed`.
    Pppoed,
    /// `pppoes [session]`: shifts too.
    Pppoes(Option<u32>),
    /// `geneve [vni]`: what follows is about the packet inside.
    Geneve(Option<u32>),
    /// `llc`, and what its control field must be, if anything: a mask and a value.
    Llc(Option<(u32, u32)>),
    /// `a relop b`.
    Relation(Arith, RelOp, Arith),
}

/// A comparison of unsigned 32-bit numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RelOp {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

/// An arithmetic operator on unsigned 32-bit numbers; they wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArithOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

/// A number, computed for each packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arith {
    Num(u32),
    /// Octets on the wire.
    Len,
    /// `proto[offset:size]`, in network byte order.
    Load {
        proto: Proto,
        offset: Box<Arith>,
        size: u8,
    },
    Neg(Box<Arith>),
    Binary(ArithOp, Box<Arith>, Box<Arith>),
}

impl ArithOp {
    /// The operator's result; `None` for a division by zero, which no packet survives.
    pub(super) fn apply(self, a: u32, b: u32) -> Option<u32> {
        match self {
            Self::Add => Some(a.wrapping_add(b)),
            Self::Sub => Some(a.wrapping_sub(b)),
            Self::Mul => Some(a.wrapping_mul(b)),
            Self::Div => a.checked_div(b),
            Self::Mod => a.checked_rem(b),
            Self::And => Some(a & b),
            Self::Or => Some(a | b),
            Self::Xor => Some(a ^ b),
            Self::Shl => Some(a.checked_shl(b).unwrap_or(0)),
            Self::Shr => Some(a.checked_shr(b).unwrap_or(0)),
        }
    }
}

impl Arith {
    /// The number, where it's the same for every packet.
    pub(super) fn constant(&self) -> Option<u32> {
        match self {
            Self::Num(n) => Some(*n),
            Self::Neg(a) => Some(a.constant()?.wrapping_neg()),
            Self::Binary(op, a, b) => op.apply(a.constant()?, b.constant()?),
            Self::Len | Self::Load { .. } => None,
        }
    }
}
