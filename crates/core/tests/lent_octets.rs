//! Octets that are lent give what copied ones give: events, their octets, counters and totals.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::ops::Range;
use std::sync::Arc;

use tcpskein_core::seq::SeqNum;
use tcpskein_core::stream::{Arena, Deliver, GapReason, OverlapPolicy, Segment, Sink, Stream, StreamLimits};

#[derive(Debug, PartialEq)]
enum Heard {
    Data(u64, Vec<u8>),
    Gap(u64, u64, GapReason),
    Conflict(u64, Vec<u8>, Vec<u8>),
}

#[derive(Default)]
struct Ear {
    payload: Vec<u8>,
    heard: Vec<Heard>,
}

impl Sink for Ear {
    fn in_order(&mut self, offset: u64, range: Range<u32>) {
        self.heard.push(Heard::Data(offset, self.payload[range.start as usize..range.end as usize].to_vec()));
    }
    fn released(&mut self, offset: u64, bytes: &[u8]) {
        self.heard.push(Heard::Data(offset, bytes.to_vec()));
    }
    fn gap(&mut self, offset: u64, len: u64, reason: GapReason) {
        self.heard.push(Heard::Gap(offset, len, reason));
    }
    fn conflict(&mut self, offset: u64, kept: &[u8], other: &[u8]) {
        self.heard.push(Heard::Conflict(offset, kept.to_vec(), other.to_vec()));
    }
}

/// Knuth's MMIX generator.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A segment of one of two streams.
struct Sent {
    stream: usize,
    at: u32,
    payload: Vec<u8>,
}

/// Segments out of order, lost, repeated and overlapping; some repetitions say something else.
fn sent(random: &mut Random) -> Vec<Sent> {
    let (mut at, mut all) = ([0_u32; 2], Vec::new());
    for _ in 0..1500 {
        let stream = random.below(2) as usize;
        let len = 1 + random.below(900) as u32;
        let back = if random.below(5) == 0 { random.below(4000) as u32 } else { 0 };
        let from = at[stream].saturating_sub(back);
        let mut payload: Vec<u8> = (from..from + len).map(|n| (n * 7 + n / 256) as u8).collect();
        if back > 0 && random.below(3) == 0 {
            let wrong = random.below(u64::from(len)) as usize;
            payload[wrong] ^= 0x55;
        }
        at[stream] = at[stream].max(from + len);
        if random.below(60) > 0 {
            all.push(Sent { stream, at: from, payload });
        }
    }
    for n in 0..all.len() {
        if random.below(4) == 0 {
            let other = (n + random.below(12) as usize).min(all.len() - 1);
            all.swap(n, other);
        }
    }
    all
}

/// Runs the segments; `lend`: in stretches of about so many octets.
fn run(sent: &[Sent], limits: StreamLimits, lend: Option<usize>) -> (Vec<Heard>, String) {
    let mut arena = Arena::new(limits);
    let mut streams = [Stream::new(0), Stream::new(1)];
    let mut ear = Ear::default();
    let mut rest = sent;
    let mut ts_ns = 0;
    while !rest.is_empty() {
        let mut octets = Vec::new();
        let mut count = 0;
        while count < rest.len() && octets.len() < lend.unwrap_or(usize::MAX) {
            // As a capture has it: something else stands between two payloads.
            octets.extend_from_slice(&[0xee; 54]);
            octets.extend_from_slice(&rest[count].payload);
            count += 1;
        }
        let stretch = Arc::new(octets);
        let base = lend.map(|_| arena.lend(Arc::clone(&stretch) as _));
        let mut place = 0;
        for Sent { stream, at, payload } in &rest[..count] {
            place += 54;
            ts_ns += 1_000_000;
            ear.payload.clone_from(payload);
            let segment = Segment {
                seq: SeqNum(u32::MAX - 9000).plus(*at),
                syn: false,
                fin: false,
                payload,
                wire_len: payload.len() as u32,
                zero_window: false,
                ts_ns,
                lent: base.map(|base| base + place as u64),
            };
            streams[*stream].push(&mut arena, &segment, &mut ear);
            if at % 8 == 0 {
                let ack = SeqNum(u32::MAX - 9000).plus(at.saturating_sub(3000));
                streams[*stream].on_ack(&mut arena, ack, ts_ns, &mut ear);
            }
            while let Some(token) = arena.due(ts_ns) {
                streams[token as usize].on_time(&mut arena, ts_ns, &mut ear);
            }
            while let Some(token) = arena.over_limit() {
                streams[token as usize].relieve(&mut arena, &mut ear);
            }
            place += payload.len();
        }
        rest = &rest[count..];
        if rest.len().is_multiple_of(7) {
            arena.return_lent();
        }
    }
    streams.iter_mut().for_each(|stream| stream.finish(&mut arena, &mut ear));
    let counters = format!("{:?} {:?} {:?}", streams[0].counters(), streams[1].counters(), arena.totals());
    (ear.heard, counters)
}

#[test]
fn lent_octets_give_what_copied_ones_give() {
    let mut random = Random(5);
    for round in 0..60 {
        let sent = sent(&mut random);
        let limits = StreamLimits {
            direction_octets: [16 << 20, 9000][round % 2],
            total_octets: [64 << 20, 14_000][round / 2 % 2],
            history_octets: [1 << 16, 4096, 0][round % 3],
            gap_patience_ns: 50_000_000,
            policy: OverlapPolicy::ALL[round % 6],
            deliver: [Deliver::Contiguous, Deliver::Acked][usize::from(round % 5 == 4)],
        };
        let copied = run(&sent, limits, None);
        let conflicts = copied.0.iter().filter(|heard| matches!(heard, Heard::Conflict(..))).count();
        assert!(conflicts > 0, "round {round} has conflicts");
        for stretch in [1, 5000, 40_000, usize::MAX] {
            assert!(run(&sent, limits, Some(stretch)) == copied, "round {round}, stretches of {stretch}");
        }
    }
}
