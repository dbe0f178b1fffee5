//! The whole reassembler on arbitrary steps. Two kinds of run, by the first octet:
//! even: segments of one stream, compared with the byte map (first octet wins, nothing given up before the end);
//! odd: anything (SYN, FIN, cut packets, probes, acknowledgements, time, small limits), judged by the invariants.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ops::Range;
use tcpskein_core::seq::SeqNum;
use tcpskein_core::stream::{Arena, Deliver, GapReason, OverlapPolicy, Segment, Sink, Stream, StreamLimits};
use tcpskein_testkit::naive::{NaiveReassembler, Run};

#[derive(Default)]
struct Collector {
    payload: Vec<u8>,
    runs: Vec<Run>,
    next: u64,
    delivered: u64,
}

impl Collector {
    fn octets(&mut self, offset: u64, bytes: &[u8]) {
        assert_eq!(offset, self.next, "stream order");
        assert!(!bytes.is_empty());
        self.next += bytes.len() as u64;
        self.delivered += bytes.len() as u64;
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
        assert_eq!(offset, self.next, "stream order");
        assert!(len > 0);
        self.next += len;
        match self.runs.last_mut() {
            Some(Run::Gap(_, last)) => *last += len,
            _ => self.runs.push(Run::Gap(offset, len)),
        }
    }
    fn conflict(&mut self, _: u64, kept: &[u8], other: &[u8]) {
        assert!(!kept.is_empty() && kept.len() == other.len() && kept[0] != other[0]);
    }
}

fn segment(seq: SeqNum, payload: &[u8]) -> Segment<'_> {
    let wire_len = payload.len() as u32;
    Segment { seq, payload, wire_len, ..Segment::default() }
}

fn against_the_model(isn: u32, steps: &[u8]) {
    let (mut arena, mut stream) = (Arena::new(StreamLimits::default()), Stream::new(0));
    let (mut collector, mut model) = (Collector::default(), NaiveReassembler::default());
    let syn = Segment { syn: true, ..segment(SeqNum(isn), b"") };
    stream.push(&mut arena, &syn, &mut collector);
    for step in steps.chunks_exact(4) {
        let offset = u64::from(u16::from_le_bytes([step[0], step[1]]) % 2048);
        // Two octets at least: one below `snd_nxt` is a keep-alive by rule.
        let len = u64::from(step[2] % 64) + 2;
        let payload: Vec<u8> = (offset..offset + len).map(|at| (at as u8).wrapping_add(step[3] % 3)).collect();
        model.push(offset, &payload);
        collector.payload.clone_from(&payload);
        stream.push(&mut arena, &segment(SeqNum(isn).plus(1 + offset as u32), &payload), &mut collector);
    }
    stream.finish(&mut arena, &mut collector);
    assert_eq!(collector.runs, model.runs());
    assert_eq!(stream.counters().conflict_bytes, model.conflict_octets());
    assert_eq!(arena.waiting_octets(), 0);
}

fn by_the_invariants(choice: u8, isn: u32, steps: &[u8]) {
    let limits = StreamLimits {
        direction_octets: 112 * u64::from(choice & 15),
        total_octets: 4096,
        history_octets: 256 * u64::from(choice >> 7),
        gap_patience_ns: 50,
        policy: OverlapPolicy::ALL[usize::from(choice >> 1) % 6],
        deliver: if choice & 64 == 0 { Deliver::Contiguous } else { Deliver::Acked },
    };
    let (mut arena, mut stream, mut collector) = (Arena::new(limits), Stream::new(0), Collector::default());
    let mut ts_ns = 0_i64;
    for step in steps.chunks_exact(6) {
        let at = u32::from(u16::from_le_bytes([step[0], step[1]]));
        // Now and then far away.
        let at = if step[5] & 0xf0 == 0xf0 { at << 16 } else { at % 512 };
        let payload = vec![step[3]; usize::from(step[2] % 80)];
        ts_ns += i64::from(step[4] >> 2);
        collector.payload.clone_from(&payload);
        let seq = SeqNum(isn).plus(at);
        match step[5] & 7 {
            0 | 1 => stream.on_ack(&mut arena, seq, ts_ns, &mut collector),
            2 => stream.on_time(&mut arena, ts_ns, &mut collector),
            kind => {
                let segment = Segment {
                    syn: kind == 3,
                    fin: kind == 4,
                    wire_len: payload.len() as u32 + if kind == 5 { 9 } else { 0 },
                    zero_window: kind == 6,
                    ts_ns,
                    ..segment(seq, &payload)
                };
                stream.push(&mut arena, &segment, &mut collector);
            }
        }
        while arena.over_limit().is_some() {
            stream.relieve(&mut arena, &mut collector);
        }
        while arena.due(ts_ns).is_some() {
            stream.on_time(&mut arena, ts_ns, &mut collector);
        }
        assert!(arena.waiting_octets() <= limits.direction_octets.min(limits.total_octets));
        assert_eq!((stream.delivered(), stream.end_offset()), (collector.delivered, collector.next));
        assert_eq!(stream.is_waiting(), arena.waiting_octets() > 0);
    }
    stream.finish(&mut arena, &mut collector);
    assert_eq!((stream.delivered(), stream.end_offset()), (collector.delivered, collector.next));
    assert_eq!(arena.waiting_octets(), 0);
}

fuzz_target!(|data: &[u8]| {
    let [choice, a, b, c, d, steps @ ..] = data else { return };
    let isn = u32::from_le_bytes([*a, *b, *c, *d]);
    if choice & 1 == 0 {
        against_the_model(isn, steps);
    } else {
        by_the_invariants(*choice, isn, steps);
    }
});
