use std::io::Cursor;

use super::*;

const PCAP: Shape =
    Shape::Pcap { big_endian: false, header_len: 16, fractions: 1_000_000_000, first_second: 0x1111_1111 };
const PCAPNG: Shape = Shape::Pcapng { big_endian: false };

/// A capture and where its records begin; the last place is the end.
struct Made {
    octets: Vec<u8>,
    begins: Vec<u64>,
}

fn pcap(payloads: &[Vec<u8>]) -> Made {
    let mut octets = vec![0; 24];
    let mut begins = Vec::new();
    for payload in payloads {
        begins.push(octets.len() as u64);
        octets.extend_from_slice(&record(payload.len() as u32));
        octets.extend_from_slice(payload);
    }
    begins.push(octets.len() as u64);
    Made { octets, begins }
}

/// A record's header.
fn record(len: u32) -> [u8; 16] {
    let mut header = [0x11; 16];
    header[8..12].copy_from_slice(&len.to_le_bytes());
    header[12..].copy_from_slice(&len.to_le_bytes());
    header
}

fn pcapng(payloads: &[Vec<u8>]) -> Made {
    let mut octets = vec![0; 48];
    let mut begins = Vec::new();
    for payload in payloads {
        begins.push(octets.len() as u64);
        octets.extend_from_slice(&block(payload));
    }
    begins.push(octets.len() as u64);
    Made { octets, begins }
}

fn block(payload: &[u8]) -> Vec<u8> {
    let body = payload.len().next_multiple_of(4);
    let len = (body as u32 + 12).to_le_bytes();
    let mut block = [&6_u32.to_le_bytes()[..], &len, payload].concat();
    block.resize(body + 8, 0);
    block.extend_from_slice(&len);
    block
}

fn boundaries(shape: Shape, made: &Made) -> Boundaries<Cursor<&[u8]>> {
    Boundaries::new(Cursor::new(&made.octets), shape, made.begins[0], made.octets.len() as u64)
}

/// Every answer is the beginning of a record (or the end) at or behind the offset, and answers never run backwards.
fn all_answers_are_beginnings(shape: Shape, made: &Made, step: usize) -> Vec<u64> {
    let mut answers = Vec::new();
    for offset in (0..=made.octets.len() as u64 + 5).step_by(step) {
        let found = boundaries(shape, made).after(offset).unwrap();
        assert!(made.begins.contains(&found), "{offset}: {found} is no beginning");
        assert!(found >= offset.min(made.octets.len() as u64), "{offset}: {found} lies before it");
        assert!(answers.last().is_none_or(|&before| before <= found), "{offset}: {found} is before the last answer");
        answers.push(found);
    }
    answers.dedup();
    answers
}

/// Numbers that look random and are always the same.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// Enough records that there is much behind a window of 262 KB.
fn ordinary() -> Vec<Vec<u8>> {
    (0..3500).map(|i| noise(i, 60 + (i as usize * 37) % 1400)).collect()
}

#[test]
fn ordinary_payloads() {
    let answers = all_answers_are_beginnings(PCAP, &pcap(&ordinary()), 200_021);
    assert!(answers.len() > 8, "{answers:?}");
}

/// A block may be 16 MiB long, so that much of a pcapng file's end can't be told from one that is cut.
#[test]
fn ordinary_blocks() {
    let payloads: Vec<_> = (0..8).flat_map(|_| ordinary()).collect();
    let made = pcapng(&payloads);
    assert!(made.octets.len() > 20 << 20);
    let answers = all_answers_are_beginnings(PCAPNG, &made, 500_009);
    assert!(answers.len() > 5, "{answers:?}");
}

/// A header read from its fifth octet on is one with the same length, where packets are captured in full: only what it
/// says of the wire, the first octets of the packet, speaks against it.
#[test]
fn headers_that_begin_four_octets_late() {
    let payloads = ordinary().into_iter().map(|mut payload| {
        payload[..6].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        payload
    });
    let answers = all_answers_are_beginnings(PCAP, &pcap(&payloads.collect::<Vec<_>>()), 200_021);
    assert!(answers.len() > 8, "{answers:?}");
}

/// Zeros are empty records, one behind the other, up to the end of the payload.
#[test]
fn payloads_of_zeros() {
    let zeros: Vec<_> = (0..900).map(|i| vec![0; 16 * (1 + i % 90)]).collect();
    all_answers_are_beginnings(PCAP, &pcap(&zeros), 30_011);
    all_answers_are_beginnings(PCAPNG, &pcapng(&zeros), 30_011);
}

/// A capture in the payloads of a capture: each payload is full of records, and the last one ends where it ends.
#[test]
fn payloads_that_are_records() {
    let inner: Vec<_> = (0..40).map(|i| noise(i, 7 + (i as usize * 13) % 200)).collect();
    let made = pcap(&inner);
    let nested: Vec<_> = (0..120).map(|_| made.octets[24..].to_vec()).collect();
    all_answers_are_beginnings(PCAP, &pcap(&nested), 10_007);
    let made = pcapng(&inner);
    let nested: Vec<_> = (0..120).map(|_| made.octets[48..].to_vec()).collect();
    all_answers_are_beginnings(PCAPNG, &pcapng(&nested), 10_007);
}

/// The worst: each payload ends with a header whose record covers the next true header and the next payload up to the
/// header at that one's end. So a second chain of records goes through the whole file and never meets the first.
fn second_chain(packets: usize) -> Made {
    let payloads = (0..packets).map(|i| {
        let len = 200 + (i * 31) % 300;
        let next = 200 + ((i + 1) * 31) % 300;
        let mut payload = noise(i as u64, len - 16);
        // Over the true header of the next packet and its payload, up to the header at the end.
        payload.extend_from_slice(&record((16 + next - 16) as u32));
        payload
    });
    pcap(&payloads.collect::<Vec<_>>())
}

#[test]
fn second_chain_through_the_whole_file_is_found_out_by_walking() {
    let made = second_chain(3000);
    let mut search = boundaries(PCAP, &made);
    let offset = made.octets.len() as u64 / 3;
    // Both chains come to the file's end, which is the only place where they meet.
    assert!(search.search(offset).unwrap().is_some_and(|end| end == *made.begins.last().unwrap()));
    search.most_searched = 10_000;
    assert_eq!(search.search(offset).unwrap(), None);
    let found = search.after(offset).unwrap();
    assert_eq!(Some(&found), made.begins.iter().find(|&&begin| begin >= offset));
}

#[test]
fn second_chain_that_ends_is_left_behind() {
    let mut payloads: Vec<_> = ordinary();
    let made = second_chain(200);
    let chained = made.begins.windows(2).map(|pair| made.octets[pair[0] as usize + 16..pair[1] as usize].to_vec());
    payloads.splice(100..100, chained);
    all_answers_are_beginnings(PCAP, &pcap(&payloads), 150_013);
}

/// A block longer than any packet covers the whole window; inside lies a capture.
#[test]
fn block_longer_than_the_window() {
    let inner = pcapng(&ordinary());
    let mut payloads = vec![noise(1, 100)];
    payloads.push([&[1, 2, 3, 4][..], &inner.octets[48..]].concat());
    payloads.extend(ordinary());
    let made = pcapng(&payloads);
    let mut search = boundaries(PCAPNG, &made);
    let offset = made.begins[1] + 1000;
    let found = search.after(offset).unwrap();
    // What lies in the block can't be told from blocks: whoever reads up to there meets the contradiction.
    assert!(found >= offset);
}

#[test]
fn file_that_is_cut_or_damaged() {
    let mut made = pcap(&ordinary());
    made.octets.truncate(made.octets.len() - 5);
    let end = made.octets.len() as u64;
    *made.begins.last_mut().unwrap() = end;
    all_answers_are_beginnings(PCAP, &made, 200_009);
    // A length that can't be: nothing behind it can be trusted, and nothing is found there by walking.
    let broken = made.begins[450] as usize;
    made.octets[broken + 8..broken + 12].fill(0xff);
    let found = boundaries(PCAP, &made).walk(made.begins[600]).unwrap();
    assert_eq!(found, end);
}
