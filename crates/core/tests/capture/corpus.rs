//! Real captures that others made, against two independent readers: tshark's counts and pcap-parser's packets.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, InterfaceDescriptionBlock, parse_block_be, parse_block_le, parse_sectionheaderblock};
use serde_json::Value;

use crate::support::{Random, Reader, Run, Seen, corpus};

fn manifest(path: &Path) -> Vec<Value> {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn has_tag(row: &Value, tag: &str) -> bool {
    row["tags"].as_array().is_some_and(|tags| tags.iter().any(|t| t == tag))
}

#[test]
fn corpus_captures_have_the_oracle_s_packet_counts() {
    let Some(root) = corpus("corpus_captures_have_the_oracle_s_packet_counts") else { return };
    let mut reader = Reader::new();
    let mut wrong = Vec::new();
    for row in manifest(&root.join("dev/MANIFEST.json")) {
        let name = row["file"].as_str().unwrap();
        let run = reader.any(&fs::read(root.join("dev/captures").join(name)).unwrap());
        let expected = row["packets"].as_u64().unwrap();
        if run.packets.len() as u64 != expected && !has_tag(&row, "reader-count-differs") {
            wrong.push(format!("{name}: {} packets, not {expected}; {}", run.packets.len(), run.message()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Nanoseconds of the oracle's "seconds.nanoseconds".
fn nanoseconds(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.')?;
    let (seconds, fraction): (i64, i64) = (seconds.parse().ok()?, fraction.parse().ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction)
}

#[test]
fn corpus_captures_begin_and_end_at_tshark_s_times() {
    let Some(root) = corpus("corpus_captures_begin_and_end_at_tshark_s_times") else { return };
    let mut reader = Reader::new();
    let (mut wrong, mut compared, mut wrapped) = (Vec::new(), 0, 0);
    for row in manifest(&root.join("dev/MANIFEST.json")) {
        let name = row["file"].as_str().unwrap();
        let oracle = fs::read(root.join("dev/oracle").join(format!("{name}.json"))).unwrap();
        let oracle: Value = serde_json::from_slice(&oracle).unwrap();
        let run = reader.any(&fs::read(root.join("dev/captures").join(name)).unwrap());
        let times = run.times();
        for (field, ours) in [("ts_first", times.first()), ("ts_last", times.last())] {
            let (Some(ours), Some(theirs)) = (ours, oracle[field].as_str().and_then(nanoseconds)) else { continue };
            compared += 1;
            // tshark keeps the nanoseconds of a fraction in 32 bits: fractions of 4.3 s and more wrap around in it.
            if theirs < 0 || (ours - theirs) % (1 << 32) == 0 && *ours != theirs {
                wrapped += 1;
                continue;
            }
            if *ours != theirs && !has_tag(&row, "reader-count-differs") {
                wrong.push(format!("{name}: {field} {ours}, not {theirs}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(wrapped < 40, "{wrapped} times differ by multiples of 2^32 ns");
    assert!(compared > 4000, "only {compared} times were compared");
}

#[test]
fn corpus_pcapng_files_have_pcap_parser_s_packets() {
    let Some(root) = corpus("corpus_pcapng_files_have_pcap_parser_s_packets") else { return };
    let mut reader = Reader::new();
    let mut compared = 0;
    for row in manifest(&root.join("dev/MANIFEST.json")) {
        let name = row["file"].as_str().unwrap();
        let bytes = fs::read(root.join("dev/captures").join(name)).unwrap();
        if !bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            continue;
        }
        let run = reader.plain(&bytes);
        let expected = by_pcap_parser(&bytes);
        for (at, (seen, expected)) in run.packets.iter().zip(&expected).enumerate() {
            let ts_ns = if expected.ts_ns == NOT_COMPARED { seen.ts_ns } else { expected.ts_ns };
            let expected = Seen { ts_ns, ..expected.clone() };
            assert_eq!(seen, &expected, "{name}, packet {}", at + 1);
        }
        assert_eq!(run.packets.len(), expected.len(), "{name}: {}", run.message());
        compared += 1;
    }
    assert!(compared > 100, "only {compared} files were compared");
}

/// Stands for a time that the oracle doesn't know.
const NOT_COMPARED: i64 = i64::MIN + 1;

/// The packets of a pcapng file as pcap-parser finds them; times by its resolution, in whole nanoseconds.
fn by_pcap_parser(mut rest: &[u8]) -> Vec<Seen> {
    let mut packets = Vec::new();
    let (mut big_endian, mut first) = (false, 0);
    let mut interfaces: Vec<(InterfaceFacts, u32)> = Vec::new();
    while rest.len() >= 12 {
        let parsed = if rest.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            parse_sectionheaderblock(rest).map(|(rest, header)| (rest, Block::SectionHeader(header)))
        } else if big_endian {
            parse_block_be(rest)
        } else {
            parse_block_le(rest)
        };
        let Ok((after, block)) = parsed else { break };
        rest = after;
        match block {
            Block::SectionHeader(header) => {
                big_endian = header.big_endian();
                first += interfaces.len() as u32;
                interfaces.clear();
            }
            Block::InterfaceDescription(interface) => {
                let id = first + interfaces.len() as u32;
                interfaces.push((InterfaceFacts::of(&interface), id));
            }
            Block::EnhancedPacket(packet) => {
                let Some((facts, id)) = interfaces.get(packet.if_id as usize) else { break };
                let ticks = (u64::from(packet.ts_high) << 32) | u64::from(packet.ts_low);
                packets.push(facts.seen(*id, facts.ns(ticks), packet.origlen, packet.packet_data()));
            }
            Block::SimplePacket(packet) => {
                let Some((facts, id)) = interfaces.first() else { break };
                let len = packet.origlen.min(if facts.snaplen == 0 { u32::MAX } else { facts.snaplen });
                packets.push(facts.seen(*id, 0, packet.origlen, &packet.data[..len as usize]));
            }
            Block::Unknown(other) if other.block_type == 2 => {
                let word = |at: usize| {
                    let octets: [u8; 4] = other.data[at..at + 4].try_into().unwrap();
                    if big_endian { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) }
                };
                let id = if big_endian { word(0) >> 16 } else { word(0) & 0xffff };
                let Some((facts, id)) = interfaces.get(id as usize) else { break };
                let ticks = (u64::from(word(4)) << 32) | u64::from(word(8));
                packets.push(facts.seen(*id, facts.ns(ticks), word(16), &other.data[20..20 + word(12) as usize]));
            }
            _ => {}
        }
    }
    packets
}

struct InterfaceFacts {
    link: u16,
    snaplen: u32,
    /// `None` where pcap-parser doesn't know the resolution: such times are not compared.
    ticks_per_second: Option<u128>,
    offset_s: i128,
}

impl InterfaceFacts {
    fn of(interface: &InterfaceDescriptionBlock<'_>) -> Self {
        Self {
            link: interface.linktype.0 as u16,
            snaplen: interface.snaplen,
            ticks_per_second: interface.ts_resolution().map(u128::from),
            offset_s: i128::from(interface.ts_offset()),
        }
    }

    fn ns(&self, ticks: u64) -> i64 {
        let Some(ticks_per_second) = self.ticks_per_second else { return NOT_COMPARED };
        let ns = u128::from(ticks) * 1_000_000_000 / ticks_per_second;
        (ns as i128 + self.offset_s * 1_000_000_000).clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    fn seen(&self, interface: u32, ts_ns: i64, wire_len: u32, data: &[u8]) -> Seen {
        // Raw IP under the numbers that some systems wrote themselves.
        let link = if matches!(self.link, 12 | 14) { 101 } else { self.link };
        let wire_len = wire_len.max(data.len() as u32);
        Seen { ts_ns, interface, link, wire_len, data: data.to_vec() }
    }
}

/// Damaged captures for which another count than tshark's is right, with the reason.
fn expected_of_damaged(name: &str, row: &Value) -> u64 {
    let count = |field: &str| row[field].as_u64();
    if name.ends_with("two_files_concatenated.pcap") {
        // tshark takes the second file's header for a packet.
        return 38;
    }
    if name.ends_with("three_bytes.pcap") {
        // tshark takes it for a text file.
        return 0;
    }
    if row["category"] == "unsupported" && !row["tsharkError"].as_str().unwrap().contains("SHB version") {
        // tshark stops at link types it doesn't know; whether we know them is decided packet by packet.
        return count("referencePackets").unwrap();
    }
    if name.ends_with("link_type_65535.pcap") {
        return 38;
    }
    count("tsharkPackets").unwrap()
}

#[test]
fn damaged_corpus_captures_give_the_packets_before_the_damage_and_a_clear_line() {
    let name = "damaged_corpus_captures_give_the_packets_before_the_damage_and_a_clear_line";
    let Some(root) = corpus(name) else { return };
    let mut reader = Reader::new();
    let mut wrong = Vec::new();
    for row in manifest(&root.join("dev/MANIFEST-bad.json")) {
        let name = row["file"].as_str().unwrap();
        let start = Instant::now();
        let run = reader.any(&fs::read(root.join("dev/captures-bad").join(name)).unwrap());
        assert!(start.elapsed() < Duration::from_secs(2), "{name} took {:?}", start.elapsed());
        eprintln!("{name}: {} packets; {} {:?}", run.packets.len(), run.message(), run.info.notes);
        let expected = expected_of_damaged(name, &row);
        if run.packets.len() as u64 != expected {
            wrong.push(format!("{name}: {} packets, not {expected}; {}", run.packets.len(), run.message()));
        }
        let tshark_failed = !row["tsharkError"].as_str().unwrap().is_empty() && row["category"] != "unsupported";
        if tshark_failed && run.error.is_none() && !name.ends_with("link_type_65535.pcap") {
            wrong.push(format!("{name}: no error, but tshark says {}", row["tsharkError"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn same(name: &str, whole: &Run, pieces: &Run) {
    assert!(whole.packets == pieces.packets, "{name}: other packets in pieces");
    assert_eq!(whole.message(), pieces.message(), "{name}");
    assert_eq!(whole.info, pieces.info, "{name}");
    if whole.error.is_none() {
        assert_eq!(whole.position, pieces.position, "{name}");
    }
}

#[test]
fn corpus_captures_pushed_in_pieces_give_the_same() {
    let Some(root) = corpus("corpus_captures_pushed_in_pieces_give_the_same") else { return };
    let mut reader = Reader::new();
    let mut random = Random(7);
    let good = manifest(&root.join("dev/MANIFEST.json"));
    // Every tenth, and all that are compressed or pcapng.
    let chosen =
        good.iter().enumerate().filter(|(at, row)| at % 10 == 0 || has_tag(row, "gz") || has_tag(row, "pcapng"));
    let bad = manifest(&root.join("dev/MANIFEST-bad.json"));
    let files = chosen.map(|(_, row)| ("dev/captures", row)).chain(bad.iter().map(|row| ("dev/captures-bad", row)));
    for (folder, row) in files {
        let name = row["file"].as_str().unwrap();
        let bytes = fs::read(root.join(folder).join(name)).unwrap();
        if bytes.len() > 1 << 20 {
            continue;
        }
        let limit = [2, 40, 5000, 100_000][random.below(4)].max(bytes.len() / 2000);
        let pieces = reader.pushed(&bytes, || 1 + random.below(limit));
        same(name, &reader.any(&bytes), &pieces);
    }
}
