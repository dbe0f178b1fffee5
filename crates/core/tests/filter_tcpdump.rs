//! The filter against tcpdump: for each expression and each capture of the corpus, the packets chosen are the same,
//! octet by octet. Skipped, with a line that says so, where tcpdump or the corpus is missing.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails and is skipped loudly, in its helpers too")]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tcpskein_core::capture::{
    BlockReader, ChunkQueue, FileInput, Filled, Input, LinkType, MIN_BLOCK_LEN, Next, QueueInput,
};
use tcpskein_core::filter::Filter;

/// A packet as it stands in a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    ts_us: i64,
    wire_len: u32,
    link: LinkType,
    data: Vec<u8>,
}

fn records(mut input: Box<dyn Input>) -> Option<Vec<Record>> {
    let mut reader = BlockReader::default();
    let mut block = vec![0; MIN_BLOCK_LEN];
    let mut found = Vec::new();
    loop {
        match reader.fill(&mut block, input.as_mut()) {
            Ok(Filled::Bytes(_)) => {}
            Ok(_) => return reader.finish().is_ok().then_some(found),
            Err(_) => return None,
        }
        while let Next::Packet(packet) = reader.next(&block).ok()? {
            let data = packet.bytes(&block).to_vec();
            let ts_us = packet.ts_ns.div_euclid(1000);
            found.push(Record { ts_us, wire_len: packet.wire_len, link: packet.link, data });
        }
        reader.release(&block);
    }
}

/// What tcpdump chooses; `Err` with its words where it refuses the expression.
fn tcpdump(capture: &Path, expr: &str) -> Result<Vec<Record>, String> {
    let output = Command::new("tcpdump")
        .args(["-r", "-", "-w", "-", "--", expr])
        .stdin(Stdio::from(File::open(capture).unwrap()))
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut queue = ChunkQueue::default();
    queue.push(&output.stdout);
    queue.end();
    Ok(records(Box::new(QueueInput::new(Arc::new(Mutex::new(queue))))).unwrap())
}

fn load(capture: &Path) -> Option<Vec<Record>> {
    records(Box::new(FileInput::open(capture).ok()?))
}

/// The corpus' captures, or why there are none.
fn corpus() -> Result<PathBuf, String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var_os("TCPSKEIN_CORPUS").map_or_else(beside, PathBuf::from);
    let captures = corpus.join("dev/captures");
    if !captures.is_dir() {
        return Err(format!("no corpus at {}", captures.display()));
    }
    match Command::new("tcpdump").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(captures),
        _ => Err("tcpdump can't be run".to_owned()),
    }
}

/// The link type of a classic pcap file that isn't too long for this test.
fn link_type(capture: &Path) -> Option<u16> {
    if capture.metadata().ok()?.len() > 100_000 {
        return None;
    }
    let mut header = [0; 24];
    File::open(capture).ok()?.read_exact(&mut header).ok()?;
    let [a, b, c, d] = [header[20], header[21], header[22], header[23]];
    match header[..4] {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => Some(u16::from_le_bytes([a, b])),
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => Some(u16::from_be_bytes([c, d])),
        _ => None,
    }
}

/// Some captures of each link layer, and of Ethernet those whose names promise something.
fn pick(captures: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(captures).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    let mut wanted: Vec<(u16, &str, usize)> = LINKS.iter().map(|link| (*link, "", 2)).collect();
    wanted.extend(NAMES.iter().map(|name| (1, *name, 2)));
    let mut picked = Vec::new();
    for path in all {
        let Some(link) = link_type(&path) else { continue };
        let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
        let Some(row) = wanted.iter_mut().find(|row| row.0 == link && row.2 > 0 && name.contains(row.1)) else {
            continue;
        };
        // tcpdump must be able to read it to its end.
        if load(&path).is_some_and(|records| !records.is_empty()) && tcpdump(&path, "").is_ok() {
            row.2 -= 1;
            picked.push(path);
        }
    }
    picked
}

const LINKS: &[u16] = &[0, 9, 12, 101, 104, 108, 113, 228, 229, 276];
const NAMES: &[&str] = &[
    "-arp.pcap",
    "vlan-collisions",
    "-pppoe.pcap",
    "lldp-app",
    "mpls-basic",
    "arp-too-long",
    "arp-leak",
    "stp-v4-length",
    "icmp-destunreach",
    "arprequest",
    "-pim.pcap",
    "vrrp-v3-ipv4",
    "ah-esp",
    "decnet",
    "ntpmode67",
    "frag",
    "ipv6",
    "sctp",
    "igmp",
    "icmpv6",
    "isis",
    "dns",
    "http",
    "ipx",
];

/// Each chooses some packets of the corpus and leaves some.
const EXPRESSIONS: &[&str] = &[
    "tcp",
    "udp",
    "ip",
    "ip6",
    "arp",
    "icmp",
    "icmp6",
    "igmp",
    "sctp",
    "tcp port 80",
    "port 53",
    "src port 80",
    "dst portrange 1-1024",
    "src and dst portrange 1-65535",
    "not tcp and not udp",
    "ip6 and tcp port 80",
    "net 10.0.0.0/8",
    "net 192.168",
    "host 10.0.0.1 or 10.0.0.2",
    "src net 192.168.0.0 mask 255.255.0.0",
    "ip6 net fe80::/10",
    "src net 2001::/16 or ff02::/16",
    "less 100",
    "greater 500",
    "len >= 60 and len <= 200",
    "tcp[tcpflags] & tcp-syn != 0",
    "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
    "tcp[13] = 0x10",
    "icmp[icmptype] = icmp-echo or icmp[icmptype] = icmp-echoreply",
    "icmp6[icmp6type] >= 133",
    "ip[8] < 64",
    "ip[0] & 0xf > 5",
    "(ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2) != 0",
    "ip6[6] = 17",
    "ip6[4:2] % 8 = 0",
    "ip proto 17",
    "ip6 proto 58",
    "proto 6",
    "ether multicast",
    "broadcast",
    "ip multicast",
    "ip6 multicast",
    "ip broadcast",
    "vlan",
    "vlan and ip",
    "vlan and vlan",
    "vlan and vlan and tcp",
    "vlan 10 or vlan 20",
    "tcp or vlan and tcp",
    "mpls",
    "mpls and ip",
    "pppoes",
    "pppoed",
    "ether[0] & 1 = 0",
    "ether proto 0x800",
    "ether proto 0x88cc",
    "ether proto 0x42",
    "stp",
    "iso",
    "isis",
    "ipx",
    "decnet",
    "rarp",
    "ah",
    "pim",
    "vrrp",
    "ether src host 00:00:00:00:00:00",
    "ether dst ff:ff:ff:ff:ff:ff",
    "link[0] = 0",
    "outbound",
    "inbound",
    "tcp[100] != 0 or udp",
    "udp[4:2] > 100",
    "udp[0:2] = 53 or udp[2:2] = 53",
    "ip[ip[0] & 0xf:1] = 6",
    "tcp[(tcp[12] >> 4) * 4:4] = 0x47455420",
    "tcp src port http or https",
    "not (port 80 or 443)",
    "tcp and (src port 80 or dst port 80) and not host 10.0.0.1",
    "ip and not icmp or arp",
    "arp[6:2] = 1",
    "arp net 192.168",
    "arp host 10.0.0.1",
    "port domain or bootps",
    "udp port ntp",
    "portrange 6000-7000",
    "ip[len - 20] = 0",
    "len % 2 = 1",
    "len / 3 * 3 = len",
    "tcp[0:2] > tcp[2:2]",
    "1 << ip[8] = 0",
    "len / (len - 60) > 0",
    "link[len] = 5 or ip",
    "vlan and ether multicast",
    "pppoes and ip6",
    "pppoes and ip or ip6",
    "not vlan",
    "vlan or ip",
    "ether[12:2] = 0x0800",
    "tcp[-1] = 0 or tcp[0:2] = 80",
    "icmp[0] = 3",
    "igmp[0] = 0x11",
    "vlan and arp",
    "ip6 host ::1",
    "net 0.0.0.0/0",
    "net ::/0",
    "tcp[4:4] - tcp[8:4] > 1000",
    "tcp[0 - ip[0] + ip[0]] = 0",
    "ip[-1] = 0",
    "ip[-2:2] = 0x800",
    "ip[2:2] - tcp[12] != 5",
    "tcp[12] - ip[2:2] != 5",
    "icmp[0] + tcp[0] < 200 or igmp",
    "link[len - 1] = 0",
    "not (tcp or not tcp) or udp",
    "tcp[2:2] % 10 = 0",
    "udp[ip[9] - 17 : 2] = 53",
    "ip[tcp[12] >> 4] > 5",
    "vlan and vlan or ip",
    "mpls or ip",
];

/// How many packets of one capture an expression chose.
fn compare(capture: &Path, all: &[Record], expr: &str) -> usize {
    let filter = Filter::compile(expr).unwrap();
    let ours: Vec<&Record> =
        all.iter().filter(|record| filter.matches(record.link, &record.data, record.wire_len)).collect();
    match tcpdump(capture, expr) {
        Ok(theirs) => {
            let same = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| a.same(b));
            assert!(same, "{}: {expr}: {} packets, tcpdump has {}", capture.display(), ours.len(), theirs.len());
        }
        // Refused for this link layer, or as an expression that no packet can match.
        Err(words) => assert!(ours.is_empty(), "{}: {expr}: tcpdump refuses: {words}", capture.display()),
    }
    ours.len()
}

impl Record {
    /// Link types are left out: tcpdump writes some of them with another number than it reads.
    fn same(&self, other: &Self) -> bool {
        (self.ts_us, self.wire_len, &self.data) == (other.ts_us, other.wire_len, &other.data)
    }
}

#[test]
fn filter_over_the_corpus_chooses_what_tcpdump_chooses() {
    let folder = match corpus() {
        Ok(folder) => folder,
        Err(why) => {
            eprintln!("SKIPPED filter_over_the_corpus_chooses_what_tcpdump_chooses: {why}");
            return;
        }
    };
    let captures: Vec<(PathBuf, Vec<Record>)> =
        pick(&folder).into_iter().filter_map(|path| load(&path).map(|all| (path, all))).collect();
    assert!(captures.len() >= 20 && EXPRESSIONS.len() >= 40, "only {} captures", captures.len());
    let total: usize = captures.iter().map(|(_, all)| all.len()).sum();
    // Each run of tcpdump is a process of its own: two at a time.
    let (left, right) = EXPRESSIONS.split_at(EXPRESSIONS.len() / 2);
    let run = |part: &[&str]| {
        for expr in part {
            let chosen: usize = captures.iter().map(|(path, all)| compare(path, all, expr)).sum();
            assert!(chosen > 0 && chosen < total, "{expr} chooses {chosen} of {total}: it shows nothing");
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(left));
        run(right);
    });
    eprintln!("{} expressions, {} captures, {total} packets", EXPRESSIONS.len(), captures.len());
}

#[test]
fn filter_that_tcpdump_refuses_is_refused() {
    let Ok(folder) = corpus().inspect_err(|why| eprintln!("SKIPPED filter_that_tcpdump_refuses_is_refused: {why}"))
    else {
        return;
    };
    let picked = pick(&folder);
    let ethernet = picked.iter().find(|path| link_type(path) == Some(1)).unwrap();
    for expr in REFUSED {
        assert!(tcpdump(ethernet, expr).is_err(), "tcpdump takes {expr}");
        assert!(Filter::compile(expr).is_err(), "{expr} is taken");
    }
}

const REFUSED: &[&str] = &[
    "(",
    ")",
    "tcp)",
    "(tcp",
    "tcp and",
    "tcp udp",
    "and tcp",
    "1.2.3.4",
    "tcp and 80",
    "(port 80) and 443",
    "tcp port 80 or udp 53",
    "port 5 > 3",
    "len = 1 = 2",
    "len-4 > 3",
    "host",
    "port",
    "src",
    "ip[1:",
    "tcp[0:3] = 1",
    "ah[0] = 1",
    "port 08",
    "port 70000",
    "port no-such-service",
    "proto no-such-protocol",
    "udp port ftp",
    "arp port 80",
    "tcp proto 6",
    "tcp host 1.2.3.4",
    "ip6 host 1.2.3.4",
    "ip host ::1",
    "host 1.2.3.4/32",
    "net 1.2.3.4/24",
    "net 10.1.2.0/33",
    "net ::1/64",
    "net 300.1",
    "ether host 1.2.3.4",
    "host 1:2:3:4:5:6",
    "ether 1:2:3:4:5:6",
    "udp broadcast",
    "tcp multicast",
    "vlan 4096",
    "less 4294967296",
    "len / 0 = 1",
    "1 << 32 = 0",
    "$1f",
    "@",
    "ether",
];
