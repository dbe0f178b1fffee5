//! SYN options and TCP checksums of real captures, compared with what independent tools said about them.
//!
//! The corpus is not part of the repository: it is found through `TCPSKEIN_CORPUS` or at `../shared/corpus`, and
//! without it these tests say so and pass.

#![allow(clippy::expect_used, clippy::print_stderr, reason = "a test may fail loudly, and a skipped one says so")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use tcpskein_core::capture::{BlockReader, FileInput, Filled, LinkType, MIN_BLOCK_LEN, Next};
use tcpskein_core::decode::checksum::{self, Verdict};
use tcpskein_core::decode::options::SynOptions;

const SYN: u8 = 2;
/// Mismatches that are printed one by one.
const SHOWN: usize = 20;

/// A TCP segment found by the walk below.
struct Segment<'a> {
    version: u8,
    src: IpAddr,
    dst: IpAddr,
    /// TCP header and payload as captured.
    octets: &'a [u8],
    /// The same on the wire, in octets.
    wire_len: usize,
}

impl Segment<'_> {
    fn ports(&self) -> (u16, u16) {
        (u16::from_be_bytes([self.octets[0], self.octets[1]]), u16::from_be_bytes([self.octets[2], self.octets[3]]))
    }

    fn options(&self) -> Option<SynOptions> {
        let header = usize::from(self.octets[12] >> 4) * 4;
        if header < 20 || header > self.wire_len {
            return None;
        }
        Some(match self.octets.get(20..header) {
            Some(whole) => SynOptions::parse(whole),
            None => SynOptions::parse_cut(&self.octets[20..]),
        })
    }

    fn checksum(&self) -> Verdict {
        let octets = |address: IpAddr| match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let (src, dst) = (octets(self.src), octets(self.dst));
        checksum::verify_captured(self.version, &src, &dst, 6, self.octets, self.wire_len)
    }
}

/// Ethernet (with VLAN tags) → IPv4 or IPv6 without extension headers → TCP. Fragments are left out.
fn segment(frame: &[u8]) -> Option<Segment<'_>> {
    let mut at = 12;
    let mut kind = u16::from_be_bytes(*frame.get(at..)?.first_chunk()?);
    while matches!(kind, 0x8100 | 0x88a8 | 0x9100) {
        at += 4;
        kind = u16::from_be_bytes(*frame.get(at..)?.first_chunk()?);
    }
    let packet = frame.get(at + 2..)?;
    let found = match kind {
        0x0800 => ipv4(packet)?,
        0x86dd => ipv6(packet)?,
        _ => return None,
    };
    (found.octets.len() >= 20).then_some(found)
}

fn ipv4(packet: &[u8]) -> Option<Segment<'_>> {
    let header: [u8; 20] = *packet.first_chunk()?;
    let len = usize::from(header[0] & 15) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
    if header[0] >> 4 != 4 || len < 20 || header[9] != 6 || fragment || total < len {
        return None;
    }
    Some(Segment {
        version: 4,
        src: IpAddr::from([header[12], header[13], header[14], header[15]]),
        dst: IpAddr::from([header[16], header[17], header[18], header[19]]),
        octets: packet.get(len..total.min(packet.len()))?,
        wire_len: total - len,
    })
}

fn ipv6(packet: &[u8]) -> Option<Segment<'_>> {
    let header: [u8; 40] = *packet.first_chunk()?;
    if header[0] >> 4 != 6 || header[6] != 6 {
        return None;
    }
    let wire_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    Some(Segment {
        version: 6,
        src: IpAddr::from(<[u8; 16]>::try_from(&header[8..24]).ok()?),
        dst: IpAddr::from(<[u8; 16]>::try_from(&header[24..40]).ok()?),
        octets: packet.get(40..packet.len().min(40 + wire_len))?,
        wire_len,
    })
}

/// Calls `each` with number and segment of every TCP packet of a classic Ethernet capture; false where it is none.
fn walk(path: &Path, mut each: impl FnMut(u64, &Segment<'_>)) -> bool {
    let mut input = FileInput::open(path).expect("the corpus lists it");
    let mut reader = BlockReader::default();
    let mut block = vec![0; 2 * MIN_BLOCK_LEN];
    while let Ok(Filled::Bytes(_)) = reader.fill(&mut block, &mut input) {
        while let Ok(Next::Packet(packet)) = reader.next(&block) {
            if packet.link != LinkType::ETHERNET {
                return false;
            }
            if let Some(segment) = segment(packet.bytes(&block)) {
                each(packet.number, &segment);
            }
        }
        reader.release(&block);
    }
    reader.packets() > 0
}

fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = std::env::var_os("TCPSKEIN_CORPUS").map_or_else(|| root.join("../shared/corpus"), PathBuf::from);
    if path.join("dev/oracle").is_dir() {
        return Some(path.join("dev"));
    }
    eprintln!("SKIPPED: no corpus at {} (set TCPSKEIN_CORPUS)", path.display());
    None
}

/// Capture file and oracle of every classic Ethernet capture.
fn captures(dev: &Path) -> Vec<(String, PathBuf, Value)> {
    let read = |path: PathBuf| -> Value {
        serde_json::from_slice(&std::fs::read(path).expect("the corpus is complete")).expect("the oracle is JSON")
    };
    let manifest = read(dev.join("MANIFEST.json"));
    let plain = |entry: &&Value| {
        let tags = entry["tags"].as_array().expect("tags");
        entry["links"] == serde_json::json!([1])
            && !tags.iter().any(|t| matches!(t.as_str(), Some("pcapng" | "gz" | "zst")))
    };
    let entries = manifest.as_array().expect("a list").iter().filter(plain);
    let name = |entry: &Value| entry["file"].as_str().expect("a name").to_owned();
    entries
        .map(name)
        .map(|name| {
            (name.clone(), dev.join("captures").join(&name), read(dev.join("oracle").join(format!("{name}.json"))))
        })
        .collect()
}

/// The oracle's words for a summary.
fn told(options: &SynOptions) -> Value {
    serde_json::json!({
        "mss": options.mss,
        "windowScale": options.window_scale,
        "sackPermitted": options.sack_permitted,
        "timestamps": options.timestamps.is_some(),
        "mptcp": options.mptcp.is_some(),
        "fastopen": options.fast_open.is_some(),
    })
}

type Endpoint = (IpAddr, u16);

fn endpoint(value: &Value) -> Option<Endpoint> {
    Some((value[0].as_str()?.parse().ok()?, u16::try_from(value[1].as_u64()?).ok()?))
}

/// All SYNs of a capture: source and destination → (packet number, summary) in order.
fn syns(path: &Path) -> BTreeMap<(Endpoint, Endpoint), Vec<(u64, SynOptions)>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    walk(path, |number, segment| {
        let (src_port, dst_port) = segment.ports();
        if segment.octets[13] & SYN != 0
            && let Some(options) = segment.options()
        {
            found.entry(((segment.src, src_port), (segment.dst, dst_port))).or_default().push((number, options));
        }
    });
    found
}

#[test]
fn syn_options_of_real_captures_equal_the_oracles() {
    let Some(dev) = corpus() else { return };
    let (mut compared, mut unequal, mut unseen) = (0_u32, 0_u32, 0_u32);
    let mut opened = 0;
    for (name, path, oracle) in captures(&dev) {
        let syns = syns(&path);
        opened += u32::from(!syns.is_empty());
        for stream in oracle["streams"].as_array().expect("streams") {
            let (Some(client), Some(server)) = (endpoint(&stream["client"]), endpoint(&stream["server"])) else {
                continue;
            };
            let frames = stream["first_frame"].as_u64()..=stream["last_frame"].as_u64();
            for (direction, ends) in [(client, server), (server, client)].into_iter().enumerate() {
                let expected = &stream["opts"][direction];
                if expected.is_null() {
                    continue;
                }
                let ours = syns.get(&ends).and_then(|list| list.iter().find(|(n, _)| frames.contains(&Some(*n))));
                let Some((number, ours)) = ours else {
                    unseen += 1;
                    continue;
                };
                compared += 1;
                if told(ours) != *expected {
                    unequal += 1;
                    if unequal as usize <= SHOWN {
                        eprintln!("{name} packet {number}: ours {ours:?}, oracle {expected}");
                    }
                }
            }
        }
    }
    eprintln!(
        "{opened} captures with SYNs: {compared} SYNs compared, {unequal} unequal; {unseen} behind headers this walk lacks"
    );
    assert!(compared > 5000, "too few SYNs were found: {compared}");
    assert!(f64::from(unseen) <= 0.02 * f64::from(compared), "the walk misses too much: {unseen}");
    assert!(f64::from(unequal) <= 0.005 * f64::from(compared), "{unequal} of {compared} unequal");
}

#[test]
fn bad_tcp_checksums_of_real_captures_are_as_many_as_the_oracles() {
    let Some(dev) = corpus() else { return };
    let (mut compared, mut unequal, mut bad_ones) = (0_u32, 0_u32, 0_u64);
    for (name, path, oracle) in captures(&dev) {
        // Fragments and tunnels are not this walk's matter.
        if oracle["fragments"] == true || oracle["nested"] == true {
            continue;
        }
        let (mut bad, mut tcp) = (0_u64, 0_u64);
        walk(&path, |_, segment| {
            tcp += 1;
            bad += u64::from(segment.checksum() == Verdict::Bad);
        });
        let Some(expected) = oracle["ref"]["bad_tcp_checksum"].as_u64().filter(|_| tcp > 0) else { continue };
        compared += 1;
        bad_ones += bad;
        if bad != expected {
            unequal += 1;
            if unequal as usize <= SHOWN {
                eprintln!("{name}: ours {bad} bad of {tcp}, oracle {expected}");
            }
        }
    }
    eprintln!("{compared} captures compared, {unequal} unequal, {bad_ones} bad checksums in all");
    assert!(compared > 100 && bad_ones > 100, "too little was compared: {compared} captures, {bad_ones} bad");
    assert!(f64::from(unequal) <= 0.005 * f64::from(compared), "{unequal} of {compared} unequal");
}
