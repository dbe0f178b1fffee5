//! Reassembly against a byte map, for any order of arrival; and memory against its limits.

use proptest::prelude::*;
use std::ops::Range;
use tcpskein_core::seq::SeqNum;
use tcpskein_core::stream::{Arena, Deliver, GapReason, OverlapPolicy, Segment, Sink, Stream, StreamLimits};
use tcpskein_testkit::naive::{NaiveReassembler, Run};

/// Collects runs and checks that they come in stream order.
#[derive(Default)]
struct Collector {
    payload: Vec<u8>,
    runs: Vec<Run>,
    next: u64,
    conflicts: u64,
}

impl Collector {
    fn octets(&mut self, offset: u64, bytes: &[u8]) {
        assert_eq!(offset, self.next);
        self.next += bytes.len() as u64;
        match self.runs.last_mut() {
            Some(Run::Octets(_, run)) => run.extend_from_slice(bytes),
            _ => self.runs.push(Run::Octets(offset, bytes.to_vec())),
        }
    }
}

impl Sink for Collector {
    fn in_order(&mut self, offset: u64, range: Range<u32>) {
        let bytes = self.payload[range.start as usize..range.end as usize].to_vec();
        self.octets(offset, &bytes);
    }
    fn released(&mut self, offset: u64, bytes: &[u8]) {
        self.octets(offset, bytes);
    }
    fn gap(&mut self, offset: u64, len: u64, _: GapReason) {
        assert_eq!(offset, self.next);
        self.next += len;
        match self.runs.last_mut() {
            Some(Run::Gap(_, last)) => *last += len,
            _ => self.runs.push(Run::Gap(offset, len)),
        }
    }
    fn conflict(&mut self, _: u64, kept: &[u8], other: &[u8]) {
        assert_eq!(kept.len(), other.len());
        assert!(kept.first() != other.first() && kept.last() != other.last());
        self.conflicts += kept.iter().zip(other).filter(|(a, b)| a != b).count() as u64;
    }
}

/// A stream that began with a SYN, with its arena.
struct Run1 {
    arena: Arena,
    stream: Stream,
    collector: Collector,
    isn: SeqNum,
}

impl Run1 {
    fn new(isn: u32, limits: StreamLimits) -> Self {
        let (arena, stream) = (Arena::new(limits), Stream::new(0));
        let mut run = Self { arena, stream, collector: Collector::default(), isn: SeqNum(isn) };
        let syn = Segment { seq: run.isn, syn: true, ..Segment::default() };
        run.stream.push(&mut run.arena, &syn, &mut run.collector);
        run
    }

    fn push(&mut self, offset: u64, payload: &[u8]) {
        self.collector.payload = payload.to_vec();
        let seq = self.isn.plus(1).plus(offset as u32);
        let wire_len = payload.len() as u32;
        let segment = Segment { seq, payload, wire_len, ..Segment::default() };
        self.stream.push(&mut self.arena, &segment, &mut self.collector);
    }

    fn finish(&mut self) {
        self.stream.finish(&mut self.arena, &mut self.collector);
    }
}

/// The octet that every segment agrees on at an offset.
fn truth(offset: u64) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// Segments of at least two octets (one octet below `snd_nxt` is a keep-alive by rule), anywhere in 600 octets.
fn segments() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..600, 2_u64..60), 1..60)
}

fn limits() -> impl Strategy<Value = StreamLimits> {
    let policy = prop::sample::select(OverlapPolicy::ALL.to_vec());
    let deliver = prop::sample::select(vec![Deliver::Contiguous, Deliver::Acked]);
    (policy, deliver).prop_map(|(policy, deliver)| StreamLimits { policy, deliver, ..StreamLimits::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn segments_that_agree_in_any_order_give_the_byte_map(
        segments in segments(), isn in any::<u32>(), limits in limits(),
    ) {
        let (mut run, mut model) = (Run1::new(isn, limits), NaiveReassembler::default());
        for &(at, len) in &segments {
            let bytes: Vec<u8> = (at..at + len).map(truth).collect();
            model.push(at, &bytes);
            run.push(at, &bytes);
            let waiting = u64::from(run.stream.is_waiting());
            prop_assert!(run.stream.delivered() + waiting <= model.covered());
        }
        run.finish();
        prop_assert_eq!(&run.collector.runs, &model.runs());
        prop_assert_eq!(run.collector.conflicts, 0);
        prop_assert_eq!(run.stream.delivered(), model.covered());
        prop_assert_eq!(run.stream.end_offset(), run.stream.delivered() + run.stream.counters().gap_bytes);
        prop_assert_eq!(run.arena.waiting_octets(), 0);
    }

    #[test]
    fn segments_that_differ_keep_what_came_first_and_say_so(segments in segments(), isn in any::<u32>()) {
        let (mut run, mut model) = (Run1::new(isn, StreamLimits::default()), NaiveReassembler::default());
        for (n, &(at, len)) in segments.iter().enumerate() {
            let bytes: Vec<u8> = (at..at + len).map(|o| truth(o) ^ u8::from((o + n as u64).is_multiple_of(7))).collect();
            model.push(at, &bytes);
            run.push(at, &bytes);
        }
        run.finish();
        prop_assert_eq!(&run.collector.runs, &model.runs());
        prop_assert_eq!(run.collector.conflicts, model.conflict_octets());
        prop_assert_eq!(run.stream.counters().conflict_bytes, model.conflict_octets());
    }

    #[test]
    fn segments_split_in_two_give_the_same(segments in segments(), isn in any::<u32>(), at_octet in 1_u64..30) {
        let mut whole = Run1::new(isn, StreamLimits::default());
        let mut split = Run1::new(isn, StreamLimits::default());
        for &(at, len) in &segments {
            let bytes: Vec<u8> = (at..at + len).map(truth).collect();
            whole.push(at, &bytes);
            let cut = (at_octet.min(len - 1)) as usize;
            split.push(at, &bytes[..cut]);
            split.push(at + cut as u64, &bytes[cut..]);
        }
        whole.finish();
        split.finish();
        prop_assert_eq!(&whole.collector.runs, &split.collector.runs);
    }

    #[test]
    fn memory_stays_under_the_limits_and_nothing_is_lost(
        segments in prop::collection::vec((0_u64..300_000, 1_usize..4000), 1..300),
        direction in 0_u64..200_000, total in 0_u64..100_000, policy in prop::sample::select(OverlapPolicy::ALL.to_vec()),
    ) {
        let limits = StreamLimits {
            direction_octets: direction, total_octets: total, history_octets: 4096, policy, ..StreamLimits::default()
        };
        let mut run = Run1::new(1, limits);
        for &(at, len) in &segments {
            run.push(at, &vec![at as u8; len]);
            prop_assert!(run.arena.waiting_octets() <= direction.min(total + total / 16 + 70_000));
            // Pages for the limit, one begun page of each of the 19 sizes, nodes, and the window.
            prop_assert!(run.arena.memory_octets() as u64 <= 2 * total + 20 * 65_536 + 70_000);
        }
        run.finish();
        prop_assert_eq!(run.stream.delivered() + run.stream.counters().gap_bytes, run.collector.next);
        prop_assert_eq!(run.arena.waiting_octets(), 0);
    }
}

#[test]
fn thousands_of_pieces_in_reverse_are_released_at_once() {
    let mut run = Run1::new(0, StreamLimits::default());
    for n in (1..20_000_u64).rev() {
        run.push(n * 10, &(n * 10..n * 10 + 10).map(truth).collect::<Vec<_>>());
    }
    assert_eq!(run.collector.next, 0);
    run.push(0, &(0..10).map(truth).collect::<Vec<_>>());
    assert_eq!(run.collector.runs, vec![Run::Octets(0, (0..200_000).map(truth).collect())]);
}
