//! The tables of names: numbers that stand for fields and flags, services, IP protocols, Ethernet types.

use super::ast::Proto;

/// A named number of the language: header fields, ICMP types, TCP flags.
pub(super) fn constant(word: &str) -> Option<u32> {
    lookup(CONSTANTS, word)
}

/// The IP protocol number of a name.
pub(super) fn ip_protocol(word: &str) -> Option<u32> {
    lookup(IP_PROTOCOLS, word)
}

/// The Ethernet type, or the LLC service access point, of a name.
pub(super) fn ether_type(word: &str) -> Option<u32> {
    lookup(ETHER_TYPES, word)
}

/// The port of a service, and whether the name is registered for TCP and for UDP.
pub(super) fn service(word: &str) -> Option<(u16, bool, bool)> {
    SERVICES.iter().find(|row| row.0 == word).map(|row| (row.1, row.2.contains('t'), row.2.contains('u')))
}

/// What the control field of an LLC frame type is (IEEE 802.2): a mask and a value.
pub(super) fn llc_type(word: &str) -> Option<(u32, u32)> {
    LLC_TYPES.iter().find(|row| row.0.eq_ignore_ascii_case(word)).map(|row| row.1)
}

/// The name of a type that [`llc_type`] gave.
pub(super) fn llc_name(control: (u32, u32)) -> &'static str {
    LLC_TYPES.iter().find(|row| row.1 == control).map_or("", |row| row.0)
}

/// Whether a word is one of the language, and so no host's name unless a backslash stands before it.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word) || Proto::from_keyword(word).is_some()
}

const RESERVED: &[&str] = &[
    "broadcast",
    "dst",
    "gateway",
    "geneve",
    "greater",
    "host",
    "inbound",
    "len",
    "length",
    "less",
    "llc",
    "mask",
    "mpls",
    "multicast",
    "net",
    "outbound",
    "port",
    "portrange",
    "pppoed",
    "pppoes",
    "proto",
    "protochain",
    "src",
    "vlan",
];

/// Information, supervisory and unnumbered frames, then the supervisory and the unnumbered ones by their function.
const LLC_TYPES: &[(&str, (u32, u32))] = &[
    ("i", (0x01, 0x00)),
    ("s", (0x03, 0x01)),
    ("u", (0x03, 0x03)),
    ("rr", (0x0f, 0x01)),
    ("rnr", (0x0f, 0x05)),
    ("rej", (0x0f, 0x09)),
    ("ui", (0xef, 0x03)),
    ("ua", (0xef, 0x63)),
    ("disc", (0xef, 0x43)),
    ("sabme", (0xef, 0x6f)),
    ("test", (0xef, 0xe3)),
    ("xid", (0xef, 0xaf)),
    ("frmr", (0xef, 0x87)),
];

fn lookup(table: &[(&str, u32)], word: &str) -> Option<u32> {
    table.iter().find(|row| row.0 == word).map(|row| row.1)
}

/// Offsets of fields (RFC 792, RFC 4443, RFC 9293 §3.1) and the values that those fields take.
const CONSTANTS: &[(&str, u32)] = &[
    ("icmptype", 0),
    ("icmpcode", 1),
    ("icmp-echoreply", 0),
    ("icmp-unreach", 3),
    ("icmp-sourcequench", 4),
    ("icmp-redirect", 5),
    ("icmp-echo", 8),
    ("icmp-routeradvert", 9),
    ("icmp-routersolicit", 10),
    ("icmp-timxceed", 11),
    ("icmp-paramprob", 12),
    ("icmp-tstamp", 13),
    ("icmp-tstampreply", 14),
    ("icmp-ireq", 15),
    ("icmp-ireqreply", 16),
    ("icmp-maskreq", 17),
    ("icmp-maskreply", 18),
    ("icmp6type", 0),
    ("icmp6code", 1),
    ("icmp6-destinationunreach", 1),
    ("icmp6-packettoobig", 2),
    ("icmp6-timeexceeded", 3),
    ("icmp6-parameterproblem", 4),
    ("icmp6-echo", 128),
    ("icmp6-echoreply", 129),
    ("icmp6-multicastlistenerquery", 130),
    ("icmp6-multicastlistenerreportv1", 131),
    ("icmp6-multicastlistenerdone", 132),
    ("icmp6-routersolicit", 133),
    ("icmp6-routeradvert", 134),
    ("icmp6-neighborsolicit", 135),
    ("icmp6-neighboradvert", 136),
    ("icmp6-redirect", 137),
    ("icmp6-routerrenum", 138),
    ("icmp6-nodeinformationquery", 139),
    ("icmp6-nodeinformationresponse", 140),
    ("icmp6-ineighbordiscoverysolicit", 141),
    ("icmp6-ineighbordiscoveryadvert", 142),
    ("icmp6-multicastlistenerreportv2", 143),
    ("icmp6-homeagentdiscoveryrequest", 144),
    ("icmp6-homeagentdiscoveryreply", 145),
    ("icmp6-mobileprefixsolicit", 146),
    ("icmp6-mobileprefixadvert", 147),
    ("icmp6-certpathsolicit", 148),
    ("icmp6-certpathadvert", 149),
    ("icmp6-multicastrouteradvert", 151),
    ("icmp6-multicastroutersolicit", 152),
    ("icmp6-multicastrouterterm", 153),
    ("tcpflags", 13),
    ("tcp-fin", 0x01),
    ("tcp-syn", 0x02),
    ("tcp-rst", 0x04),
    ("tcp-push", 0x08),
    ("tcp-ack", 0x10),
    ("tcp-urg", 0x20),
    ("tcp-ece", 0x40),
    ("tcp-cwr", 0x80),
];

/// IANA protocol numbers.
const IP_PROTOCOLS: &[(&str, u32)] = &[
    ("ip", 0),
    ("hopopt", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ggp", 3),
    ("ipencap", 4),
    ("st", 5),
    ("tcp", 6),
    ("egp", 8),
    ("igp", 9),
    ("pup", 12),
    ("udp", 17),
    ("hmp", 20),
    ("xns-idp", 22),
    ("rdp", 27),
    ("dccp", 33),
    ("xtp", 36),
    ("ddp", 37),
    ("ipv6", 41),
    ("ip6", 41),
    ("ipv6-route", 43),
    ("ipv6-frag", 44),
    ("idrp", 45),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("skip", 57),
    ("ipv6-icmp", 58),
    ("icmp6", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("eigrp", 88),
    ("ospf", 89),
    ("ipip", 94),
    ("etherip", 97),
    ("encap", 98),
    ("pim", 103),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("carp", 112),
    ("l2tp", 115),
    ("isis", 124),
    ("sctp", 132),
    ("fc", 133),
    ("mobility-header", 135),
    ("udplite", 136),
    ("mpls-in-ip", 137),
    ("hip", 139),
    ("shim6", 140),
];

/// IEEE 802 numbers; those below 1501 are LLC service access points.
const ETHER_TYPES: &[(&str, u32)] = &[
    ("ip", 0x0800),
    ("ip6", 0x86dd),
    ("arp", 0x0806),
    ("rarp", 0x8035),
    ("aarp", 0x80f3),
    ("atalk", 0x809b),
    ("decnet", 0x6003),
    ("lat", 0x6004),
    ("sca", 0x6007),
    ("mopdl", 0x6001),
    ("moprc", 0x6002),
    ("loopback", 0x9000),
    ("iso", 0xfe),
    ("stp", 0x42),
    ("ipx", 0xe0),
    ("netbeui", 0xf0),
];

/// The services that filters name, with `t` and `u` for the transports the name is registered for.
/// As in libpcap, a name registered for TCP alone doesn't match UDP.
const SERVICES: &[(&str, u16, &str)] = &[
    ("echo", 7, "tu"),
    ("discard", 9, "tu"),
    ("daytime", 13, "tu"),
    ("chargen", 19, "tu"),
    ("ftp-data", 20, "t"),
    ("ftp", 21, "t"),
    ("ssh", 22, "t"),
    ("telnet", 23, "t"),
    ("smtp", 25, "t"),
    ("time", 37, "tu"),
    ("whois", 43, "t"),
    ("tacacs", 49, "tu"),
    ("domain", 53, "tu"),
    ("bootps", 67, "u"),
    ("bootpc", 68, "u"),
    ("tftp", 69, "u"),
    ("gopher", 70, "t"),
    ("finger", 79, "t"),
    ("http", 80, "t"),
    ("www", 80, "t"),
    ("kerberos", 88, "tu"),
    ("pop3", 110, "t"),
    ("sunrpc", 111, "tu"),
    ("auth", 113, "t"),
    ("nntp", 119, "t"),
    ("ntp", 123, "u"),
    ("netbios-ns", 137, "u"),
    ("netbios-dgm", 138, "u"),
    ("netbios-ssn", 139, "t"),
    ("imap2", 143, "t"),
    ("imap", 143, "t"),
    ("snmp", 161, "tu"),
    ("snmp-trap", 162, "tu"),
    ("snmptrap", 162, "tu"),
    ("bgp", 179, "t"),
    ("irc", 194, "tu"),
    ("ldap", 389, "tu"),
    ("https", 443, "tu"),
    ("microsoft-ds", 445, "t"),
    ("submissions", 465, "t"),
    ("isakmp", 500, "u"),
    ("syslog", 514, "tu"),
    ("shell", 514, "t"),
    ("printer", 515, "t"),
    ("route", 520, "u"),
    ("submission", 587, "t"),
    ("ldaps", 636, "tu"),
    ("domain-s", 853, "tu"),
    ("rsync", 873, "t"),
    ("imaps", 993, "t"),
    ("pop3s", 995, "t"),
    ("socks", 1080, "t"),
    ("openvpn", 1194, "tu"),
    ("ms-sql-s", 1433, "t"),
    ("radius", 1812, "tu"),
    ("radius-acct", 1813, "tu"),
    ("nfs", 2049, "tu"),
    ("mysql", 3306, "t"),
    ("svn", 3690, "t"),
    ("ipsec-nat-t", 4500, "u"),
    ("sip", 5060, "tu"),
    ("sip-tls", 5061, "tu"),
    ("xmpp-client", 5222, "t"),
    ("mdns", 5353, "u"),
    ("postgresql", 5432, "t"),
    ("amqp", 5672, "t"),
    ("x11", 6000, "t"),
    ("http-alt", 8080, "t"),
];
