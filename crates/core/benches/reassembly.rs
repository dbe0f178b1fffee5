//! What one segment costs. `cargo bench -p tcpskein-core --bench reassembly`
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures")]

use std::ops::Range;
use std::time::Instant;
use tcpskein_core::seq::SeqNum;
use tcpskein_core::stream::{Arena, GapReason, Segment, Sink, Stream, StreamLimits};

const LEN: usize = 1448;
/// As long as a block that a reader fills: the payload lies in the cache, as it does behind a read.
const BLOCK: usize = 512 * 1024;
const SEGMENTS: u32 = 1_000_000;

#[derive(Default)]
struct Count {
    octets: u64,
    calls: u64,
}

impl Sink for Count {
    fn in_order(&mut self, _: u64, range: Range<u32>) {
        self.octets += u64::from(range.end - range.start);
        self.calls += 1;
    }
    fn released(&mut self, _: u64, bytes: &[u8]) {
        self.octets += bytes.len() as u64;
        self.calls += 1;
    }
    fn gap(&mut self, _: u64, _: u64, _: GapReason) {}
    fn conflict(&mut self, _: u64, _: &[u8], _: &[u8]) {}
}

/// Arrival orders of 64 segments.
fn order(kind: &str) -> Vec<u32> {
    let mut order: Vec<u32> = (0..64).collect();
    let mut seed = 1_u32;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    match kind {
        "in order" => {}
        // Every second one is late by up to 8 places.
        "half shuffled" => (0..56).step_by(2).for_each(|n| order.swap(n, n + random(8) as usize)),
        "all shuffled" => (1..64).rev().for_each(|n| order.swap(n, random(n as u32 + 1) as usize)),
        // The first of 64 comes last: 63 wait.
        _ => order.rotate_left(1),
    }
    order
}

fn run(kind: &str, history_octets: u64, len: usize, streams: usize) {
    let block = vec![5_u8; BLOCK];
    let order = order(kind);
    let mut arena = Arena::new(StreamLimits { history_octets, ..StreamLimits::default() });
    let mut all: Vec<Stream> = (0..streams as u32).map(Stream::new).collect();
    let mut sink = Count::default();
    for stream in &mut all {
        let syn = Segment { seq: SeqNum(0), syn: true, ..Segment::default() };
        stream.push(&mut arena, &syn, &mut sink);
    }
    let mut place = 0;
    let start = Instant::now();
    for n in 0..SEGMENTS {
        let (round, which) = (n as usize / streams, n as usize % streams);
        let at = (round / 64 * 64) as u32 + order[round % 64];
        place = if place + 2 * len > BLOCK { 0 } else { place + len };
        let seq = SeqNum(1).plus(at.wrapping_mul(len as u32));
        let (payload, wire_len) = (&block[place..place + len], len as u32);
        let segment = Segment { seq, payload, wire_len, ..Segment::default() };
        all[which].push(&mut arena, &segment, &mut sink);
    }
    let ns = start.elapsed().as_nanos() as f64 / f64::from(SEGMENTS);
    all.iter_mut().for_each(|stream| stream.finish(&mut arena, &mut sink));
    assert_eq!(sink.octets, u64::from(SEGMENTS) * len as u64, "every octet came out");
    println!(
        "{kind:>14}, {len:>5} octets, {streams:>6} streams, window {:>3} MiB: {ns:6.1} ns a segment, {} calls",
        history_octets >> 20,
        sink.calls
    );
}

fn main() {
    for history in [0, 1 << 20, 4 << 20, 16 << 20] {
        run("in order", history, LEN, 1);
        run("in order", history, 300, 1);
        run("in order", history, 300, 1000);
        run("half shuffled", history, LEN, 1);
        run("all shuffled", history, LEN, 1);
        run("63 wait", history, LEN, 1);
    }
    run("in order", 0, LEN, 64);
    run("in order", 4 << 20, LEN, 64);
}
