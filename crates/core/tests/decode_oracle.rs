//! TCP packets found in real captures, compared with what an independent tool found.
//!
//! The corpus is not part of the repository: it is found through `TCPSKEIN_CORPUS` or at `../shared/corpus`, and
//! without it this test says so and passes.

#![allow(clippy::expect_used, clippy::print_stderr, reason = "a test may fail loudly, and a skipped one says so")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tcpskein_core::capture::{BlockReader, DecodingInput, FileInput, Filled, MIN_BLOCK_LEN, Next};
use tcpskein_core::decode::{DecodeOptions, Decoder, Segment};

/// Mismatches that are printed one by one.
const SHOWN: usize = 60;

/// What a capture came to.
#[derive(Debug, Default)]
struct Found {
    packets: u64,
    tcp: u64,
    drops: BTreeMap<String, u64>,
}

/// Decodes a capture; `None` where it can't be read.
fn decode(path: &Path, options: DecodeOptions) -> Option<Found> {
    let file = FileInput::open(path).expect("the corpus lists it");
    let mut input = DecodingInput::open(Box::new(file));
    let mut reader = BlockReader::default();
    let mut decoder = Decoder::new(options);
    let mut block = vec![0; 2 * MIN_BLOCK_LEN];
    let mut found = Found::default();
    while let Filled::Bytes(_) = reader.fill(&mut block, &mut input).ok()? {
        while let Next::Packet(packet) = reader.next(&block).ok()? {
            found.packets += 1;
            match decoder.decode(&packet, packet.bytes(&block)) {
                // The oracle leaves out impossible TCP headers.
                Ok(datagram) if Segment::parse(&datagram).is_some() => found.tcp += 1,
                Ok(_) => {}
                Err(reason) => *found.drops.entry(format!("{reason:?}")).or_default() += 1,
            }
        }
        reader.release(&block);
    }
    Some(found)
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

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the corpus is complete")).expect("the oracle is JSON")
}

/// Name, capture and oracle of every capture.
fn captures(dev: &Path) -> impl Iterator<Item = (String, PathBuf, Value)> {
    let manifest = json(&dev.join("MANIFEST.json"));
    let entries = manifest.as_array().expect("a list").clone();
    let dev = dev.to_path_buf();
    entries.into_iter().map(move |entry| {
        let name = entry["file"].as_str().expect("a name").to_owned();
        let oracle = json(&dev.join("oracle").join(format!("{name}.json")));
        let path = dev.join("captures").join(&name);
        (name, path, oracle)
    })
}

fn has_tag(oracle: &Value, tag: &str) -> bool {
    oracle["tags"].as_array().is_some_and(|tags| tags.iter().any(|t| t == tag))
}

#[test]
fn tcp_packets_of_real_captures_are_as_many_as_the_oracles() {
    let Some(dev) = corpus() else { return };
    let (mut compared, mut unequal, mut unread) = (0_u32, 0_u32, 0_u32);
    let mut unknown = BTreeMap::<String, u32>::new();
    for (name, path, oracle) in captures(&dev) {
        let Some(found) = decode(&path, DecodeOptions { decap: false, ..DecodeOptions::default() }) else {
            unread += 1;
            continue;
        };
        if found.drops.contains_key("UnknownLink") {
            *unknown.entry(oracle["links"].to_string()).or_default() += 1;
        }
        let expected = oracle["n_tcp"].as_u64().expect("a count");
        compared += 1;
        if found.tcp != expected {
            unequal += 1;
            if unequal as usize <= SHOWN {
                eprintln!("{name}: ours {found:?}, oracle {expected}, tags {}", oracle["tags"]);
            }
        }
    }
    eprintln!("{compared} captures compared, {unequal} unequal, {unread} not read; unknown link types {unknown:?}");
    assert!(compared > 1500, "too little was compared: {compared}");
    assert!(f64::from(unequal) <= 0.005 * f64::from(compared), "{unequal} of {compared} unequal");
}

#[test]
fn tunnelled_tcp_packets_of_real_captures_are_as_many_as_the_oracles() {
    let Some(dev) = corpus() else { return };
    let (mut compared, mut unequal) = (0_u32, 0_u32);
    for (name, path, oracle) in captures(&dev) {
        let nested = oracle["n_tcp_nested"].as_u64().expect("a count");
        // ICMP errors quote TCP without carrying it.
        if nested == 0 || has_tag(&oracle, "icmp-quoted-tcp") {
            continue;
        }
        let Some(found) = decode(&path, DecodeOptions::default()) else { continue };
        let expected = oracle["n_tcp"].as_u64().expect("a count") + nested;
        compared += 1;
        assert!(found.tcp <= expected, "{name}: nothing may be taken for a tunnel that is none");
        if found.tcp != expected {
            unequal += 1;
            eprintln!("{name}: ours {found:?}, oracle {expected} ({nested} nested)");
        }
    }
    eprintln!("{compared} captures with tunnelled TCP compared, {unequal} unequal");
    assert!(compared > 20, "too little was compared: {compared}");
    // Quotes in ICMP errors and samples in sFlow are no tunnels.
    assert!(f64::from(unequal) <= 0.2 * f64::from(compared), "{unequal} of {compared} unequal");
}
