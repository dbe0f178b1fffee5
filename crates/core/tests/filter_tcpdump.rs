//! The filter against tcpdump: for each expression and each capture of the corpus, the packets chosen are the same,
//! octet by octet. Skipped, with a line that says so, where tcpdump or the corpus is missing.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails and is skipped loudly, in its helpers too")]

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tcpskein_core::capture::{
    BlockReader, ChunkQueue, FileInput, Filled, Input, LinkType, MIN_BLOCK_LEN, Next, QueueInput,
};
use tcpskein_core::filter::Filter;
use tcpskein_testkit::filters::{EXPRESSIONS, RARE};
use tcpskein_testkit::frame::{TcpFrame, ethernet, ip_packet, pcap};
use tcpskein_testkit::link;

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
    "ether protochain 6",
    "tcp protochain 6",
    "gateway 10.0.0.1",
    "geneve 16777216",
    "llc foo",
    "llc tcp",
];

/// Packets that few captures hold: Geneve in all its forms, chains of extension headers, LLC of each type.
fn rare_frames() -> Vec<Vec<u8>> {
    let tcp = TcpFrame { payload: b"hello", ..TcpFrame::new(7, 2) };
    let (v4, v6) = (tcp.packet(), TcpFrame { src: end6(3), dst: end6(4), ..tcp }.packet());
    let mut found = Vec::new();
    let outer = [[IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])], [end6(1), end6(2)]];
    for [src, dst] in outer {
        let tagged = link::ethernet_with(0x8100, &link::vlan(9, 0x0800, &v4));
        let labelled = link::ethernet_with(0x8847, &link::mpls(&[16, 17], &v4));
        let session = link::ethernet_with(0x8864, &link::pppoe(5, &v4));
        for frame in [ethernet(&v4), ethernet(&v6), tagged, labelled, session, link::ieee_802_3(&v4)] {
            for (vni, options) in [(7, &[][..]), (0x0a_0b0c, &[1; 12])] {
                let geneve = link::geneve(vni, options, &frame);
                let once = link::udp_packet(src, dst, (50_000, 6081), &geneve);
                let again = link::udp_packet(dst, src, (50_000, 6081), &link::geneve(8, &[2; 4], &ethernet(&once)));
                found.push(ethernet(&link::udp_packet(src, dst, (6081, 50_000), &geneve)));
                let mut version = geneve.clone();
                version[0] |= 0x40;
                found.push(ethernet(&link::udp_packet(src, dst, (50_000, 6081), &version)));
                found.push(link::ethernet_with(0x8100, &link::vlan(3, link::ethertype_of(&once), &once)));
                found.extend([ethernet(&once), ethernet(&again)]);
            }
        }
        // IP right behind Geneve's header, which names its type.
        for (kind, packet) in [([8, 0], &v4), ([0x86, 0xdd], &v6)] {
            let mut geneve = link::geneve(7, &[1; 8], packet);
            geneve[2..4].copy_from_slice(&kind);
            found.push(ethernet(&link::udp_packet(src, dst, (50_000, 6081), &geneve)));
        }
    }
    let segment = tcp.segment();
    let options = |next: u8| [&[next, 0][..], &[1, 4, 0, 0, 0, 0]].concat();
    let authentication = |next: u8| [&[next, 4][..], &[0; 22]].concat();
    for (first, headers) in [
        (0, vec![options(6)]),
        (60, vec![options(6)]),
        (43, vec![options(6)]),
        (44, vec![vec![6, 0, 0, 1, 0, 0, 0, 9]]),
        (0, vec![options(43), options(60), options(6)]),
        (0, vec![options(17)]),
        (0, vec![options(59)]),
        (51, vec![authentication(6)]),
        (0, vec![options(51), authentication(6)]),
        (51, vec![authentication(60), options(6)]),
        (50, vec![vec![6; 8]]),
    ] {
        let behind = [&headers.concat()[..], &segment].concat();
        found.push(ethernet(&ip_packet(end6(1), end6(2), first, &behind)));
        found.push(ethernet(&ip_packet(outer[0][0], outer[0][1], first, &behind)));
    }
    for control in [0x00, 0x02, 0x01, 0x05, 0x09, 0x03, 0x63, 0x73, 0x43, 0x6f, 0xe3, 0xaf, 0x87, 0xff] {
        found.push(link::ethernet_with(46, &[&[0x42, 0x42, control][..], &[0; 43]].concat()));
    }
    found.push(link::ethernet_with(46, &[0xff; 46]));
    found.push(link::ethernet_with(1500, &[0xaa; 46]));
    found.push(link::ethernet_with(1501, &[0xaa; 46]));
    found
}

fn end6(last: u16) -> IpAddr {
    IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last])
}

/// A classic pcap file.
fn capture(link: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let numbered: Vec<_> = (0..).zip(frames.iter().cloned()).collect();
    let mut file = pcap(&numbered);
    file[20..22].copy_from_slice(&link.to_le_bytes());
    file
}

/// A file that goes away again.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, octets: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("tcpskein-{}-{name}", std::process::id()));
        std::fs::write(&path, octets).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn has_tcpdump(test: &str) -> bool {
    let found = Command::new("tcpdump").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED {test}: tcpdump can't be run");
    }
    found
}

#[test]
fn geneve_chains_and_llc_choose_what_tcpdump_chooses() {
    if !has_tcpdump("geneve_chains_and_llc_choose_what_tcpdump_chooses") {
        return;
    }
    let file = Scratch::new("rare.pcap", &capture(1, &rare_frames()));
    let all = load(&file.0).unwrap();
    for expr in RARE {
        let chosen = compare(&file.0, &all, expr);
        assert!(chosen > 0 && chosen < all.len(), "{expr} chooses {chosen} of {}: it shows nothing", all.len());
    }
    eprintln!("{} expressions, {} packets", RARE.len(), all.len());
}

/// Link types whose direction is told here, and not by libpcap.
const TOLD: [u16; 5] = [149, 204, 205, 206, 258];

#[test]
fn direction_is_that_of_tcpdump_or_an_error_on_every_link_type() {
    if !has_tcpdump("direction_is_that_of_tcpdump_or_an_error_on_every_link_type") {
        return;
    }
    let frames: Vec<_> =
        (0..6).map(|octet| vec![octet; 80]).chain([[0_u8, 1].repeat(40), [0_u8, 2].repeat(40)]).collect();
    let mut told = 0;
    for link in 0..300 {
        let file = Scratch::new(&format!("direction-{link}.pcap"), &capture(link, &frames));
        let all = load(&file.0).unwrap();
        for expr in ["inbound", "outbound"] {
            let filter = Filter::compile(expr).unwrap();
            let refusal = filter.chooses(LinkType(link), &all[0].data, 80).err();
            match tcpdump(&file.0, expr) {
                Ok(_) => {
                    assert_eq!(refusal, None, "{link}");
                    compare(&file.0, &all, expr);
                    told += 1;
                }
                // Some link types it doesn't read at all.
                Err(words) => assert!(refusal.is_some() || TOLD.contains(&link), "{link}: tcpdump says {words}"),
            }
        }
    }
    assert!(told >= 20, "{told}");
}
