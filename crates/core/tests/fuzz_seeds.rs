//! What fuzzing begins with is what it should be: well-formed, and of every kind.

use std::collections::BTreeSet;

use tcpskein_core::capture::{BlockReader, Filled, Input, LinkType, MIN_BLOCK_LEN, Next, Packet};
use tcpskein_core::decode::options::TcpOptions;
use tcpskein_core::decode::{Decoder, Drop, proto};
use tcpskein_core::error::FlowError;
use tcpskein_core::filter::Filter;
use tcpskein_testkit::seeds;

fn packet(link: u16, number: u64, len: usize) -> Packet {
    let (len, link) = (len as u32, LinkType(link));
    Packet { number, ts_ns: 0, start: 0, captured_len: len, wire_len: len, link, interface: 0, capture: 0 }
}

/// Link type and frames of a seed, as its target reads them.
fn frames(seed: &[u8]) -> (u16, Vec<&[u8]>) {
    let (head, mut rest) = seed.split_at(3);
    let mut found = Vec::new();
    while let Some((&[high, low, _], behind)) = rest.split_first_chunk() {
        let (frame, next) = behind.split_at(usize::from(u16::from_be_bytes([high, low])));
        found.push(frame);
        rest = next;
    }
    (u16::from_be_bytes([head[0], head[1]]), found)
}

#[test]
fn every_frame_seed_holds_a_datagram_and_every_link_type_has_one() {
    let mut links = BTreeSet::new();
    for (name, seed) in seeds::of("frame").unwrap() {
        let (link, frames) = frames(&seed);
        let mut decoder = Decoder::default();
        let decode = |(frame, number): (&&[u8], u64)| {
            decoder.decode(&packet(link, number, frame.len()), frame).map(|datagram| datagram.proto)
        };
        let came: Vec<_> = frames.iter().zip(1..).map(decode).collect();
        let expected = match &name[..] {
            "tunnel-nested-9" => Ok(4),
            name if name.ends_with("first-missing") => Err(Drop::Fragment),
            _ => Ok(proto::TCP),
        };
        assert!(came.contains(&expected) || came.is_empty(), "{name}: {came:?}");
        links.insert(link);
    }
    let is_known = |link: &u16| Decoder::default().decode(&packet(*link, 1, 0), &[]).err() != Some(Drop::UnknownLink);
    let known: BTreeSet<u16> = (0..1000).filter(is_known).collect();
    assert_eq!(known.difference(&links).collect::<Vec<_>>(), [&0; 0]);
}

#[test]
fn option_seeds_are_sound_and_of_every_kind() {
    let mut kinds = BTreeSet::new();
    for (name, seed) in seeds::of("options").unwrap() {
        let mut options = TcpOptions::new(&seed);
        options.by_ref().for_each(|option| _ = kinds.insert(option.kind));
        let is_wrong = ["-short", "-long", "-one", "-cut"].iter().any(|end| name.ends_with(end));
        assert!(is_wrong || name.ends_with("padded-twice") || !options.malformed(), "{name}");
    }
    for kind in [0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 172, 174, 253, 254, 255] {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

#[test]
fn filter_seeds_compile() {
    for (name, seed) in seeds::of("filter").unwrap() {
        let end = seed.iter().position(|octet| *octet == 0).unwrap();
        let text = std::str::from_utf8(&seed[..end]).unwrap();
        assert!(Filter::compile(text).is_ok(), "{name}: {text}");
    }
}

/// A file in memory.
struct Octets(Vec<u8>, usize);

impl Input for Octets {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let rest = &self.0[self.1..];
        let n = rest.len().min(out.len());
        out[..n].copy_from_slice(&rest[..n]);
        self.1 += n;
        Ok(if n == 0 { Filled::End } else { Filled::Bytes(n) })
    }

    fn position(&self) -> u64 {
        self.1 as u64
    }
}

#[test]
fn captures_are_read_to_their_end() {
    for (name, file) in seeds::captures() {
        let (mut reader, mut input, mut block) = (BlockReader::default(), Octets(file, 0), vec![0; MIN_BLOCK_LEN]);
        let mut packets = 0;
        while let Filled::Bytes(_) = reader.fill(&mut block, &mut input).unwrap() {
            while let Next::Packet(_) = reader.next(&block).unwrap() {
                packets += 1;
            }
            reader.release(&block);
        }
        assert!(reader.finish().is_ok() && packets >= 2, "{name}: {packets}");
    }
}
