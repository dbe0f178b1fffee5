//! Tables of small cases: one line per step, what the sink hears as text.

use super::*;
use crate::seq::SeqNum;
use std::ops::Range;

const SECOND: i64 = 1_000_000_000;

#[derive(Default)]
struct Tape {
    payload: Vec<u8>,
    events: Vec<String>,
    next: u64,
}

impl Tape {
    fn data(&mut self, offset: u64, bytes: &[u8]) {
        assert_eq!(offset, self.next, "stream order");
        self.next += bytes.len() as u64;
        let text: String = bytes.iter().map(|&b| char::from(b)).collect();
        match self.events.last_mut() {
            Some(last) if last.starts_with("data") => last.push_str(&text),
            _ => self.events.push(format!("data {offset} {text}")),
        }
    }
}

impl Sink for Tape {
    fn in_order(&mut self, offset: u64, range: Range<u32>) {
        let bytes = self.payload[range.start as usize..range.end as usize].to_vec();
        self.data(offset, &bytes);
    }
    fn released(&mut self, offset: u64, bytes: &[u8]) {
        self.data(offset, bytes);
    }
    fn gap(&mut self, offset: u64, len: u64, reason: GapReason) {
        assert_eq!(offset, self.next, "stream order");
        self.next += len;
        self.events.push(format!("gap {offset} {len} {reason:?}"));
    }
    fn conflict(&mut self, offset: u64, kept: &[u8], other: &[u8]) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.events.push(format!("conflict {offset} {}/{}", text(kept), text(other)));
    }
}

struct Deaf;

impl Sink for Deaf {
    fn in_order(&mut self, _: u64, _: Range<u32>) {}
    fn released(&mut self, _: u64, _: &[u8]) {}
    fn gap(&mut self, _: u64, _: u64, _: GapReason) {}
    fn conflict(&mut self, _: u64, _: &[u8], _: &[u8]) {}
}

/// A stream with its arena. Offsets count from `isn + 1`.
struct Lab {
    arena: Arena,
    stream: Stream,
    tape: Tape,
    isn: u32,
    now: i64,
    zero_window: bool,
}

impl Lab {
    fn with(limits: StreamLimits) -> Self {
        let (arena, stream) = (Arena::new(limits), Stream::new(7));
        Self { arena, stream, tape: Tape::default(), isn: 4_294_967_290, now: 0, zero_window: false }
    }
    fn new() -> Self {
        Self::with(StreamLimits::default())
    }
    fn syn() -> Self {
        let mut lab = Self::new();
        lab.push(-1, "", true, false, 0);
        lab
    }
    fn push(&mut self, at: i64, text: &str, syn: bool, fin: bool, missing: u32) -> &mut Self {
        let seq = SeqNum(self.isn.wrapping_add(1).wrapping_add(at as u32));
        let payload: Vec<u8> = text.chars().map(|c| c as u8).collect();
        self.tape.payload = payload.clone();
        let (wire_len, zero_window, ts_ns) = (payload.len() as u32 + missing, self.zero_window, self.now);
        let segment = Segment { seq, syn, fin, payload: &payload, wire_len, zero_window, ts_ns, lent: None };
        self.stream.push(&mut self.arena, &segment, &mut self.tape);
        self
    }
    fn seg(&mut self, at: i64, text: &str) -> &mut Self {
        self.push(at, text, false, false, 0)
    }
    fn fin(&mut self, at: i64, text: &str) -> &mut Self {
        self.push(at, text, false, true, 0)
    }
    fn ack(&mut self, at: i64) -> &mut Self {
        let ack = SeqNum(self.isn.wrapping_add(1).wrapping_add(at as u32));
        self.stream.on_ack(&mut self.arena, ack, self.now, &mut self.tape);
        self
    }
    fn wait(&mut self, ns: i64) -> &mut Self {
        self.now += ns;
        self
    }
    fn end(&mut self) -> &mut Self {
        self.stream.finish(&mut self.arena, &mut self.tape);
        assert_eq!((self.arena.waiting_octets(), self.stream.is_waiting()), (0, false), "the arena is free again");
        self
    }
    #[track_caller]
    fn hears(&mut self, expected: &[&str]) -> &mut Self {
        assert_eq!(self.tape.events, expected);
        self.tape.events.clear();
        self
    }
}

#[test]
fn stream_struct_stays_small() {
    assert!(size_of::<Stream>() <= 120, "{}", size_of::<Stream>());
}

#[test]
fn order_any_arrival_gives_the_stream() {
    Lab::syn().seg(0, "abc").seg(3, "def").hears(&["data 0 abcdef"]).end().hears(&[]);
    Lab::syn().seg(3, "def").hears(&[]).seg(0, "abc").hears(&["data 0 abcdef"]);
    Lab::syn().seg(6, "g").seg(3, "def").seg(0, "abc").hears(&["data 0 abcdefg"]);
    Lab::syn().seg(2, "cd").seg(6, "gh").seg(0, "abcdefghij").hears(&["data 0 abcdefghij"]);
}

#[test]
fn start_syn_with_data_begins_at_offset_zero() {
    // TCP Fast Open, RFC 7413.
    let mut lab = Lab::new();
    lab.push(-1, "hello", true, false, 0).seg(5, "!").hears(&["data 0 hello!"]);
    assert_eq!(lab.stream.isn(), Some(SeqNum(4_294_967_290)));
    lab.push(-1, "hello", true, false, 0).hears(&[]);
    assert_eq!(lab.stream.counters().retransmitted_bytes, 5);
}

#[test]
fn start_syn_after_its_data_changes_nothing() {
    let mut lab = Lab::new();
    lab.seg(0, "abc").push(-1, "", true, false, 0).seg(3, "d").hears(&["data 0 abcd"]);
    assert_eq!(lab.stream.isn(), Some(SeqNum(4_294_967_290)));
}

#[test]
fn start_stray_ack_before_the_syn_is_not_the_start() {
    let mut lab = Lab::new();
    lab.seg(342_679_577, "").push(-1, "", true, false, 0).seg(0, "abc").hears(&["data 0 abc"]).end().hears(&[]);
}

#[test]
fn start_stray_ack_far_from_the_first_payload_is_not_the_start() {
    Lab::new().seg(-1_342_679_577, "").seg(0, "abc").hears(&["data 0 abc"]).end().hears(&[]);
}

#[test]
fn start_midstream_is_the_first_segment() {
    Lab::new().seg(100, "abc").seg(103, "d").hears(&["data 0 abcd"]);
    Lab::new().seg(100, "").seg(105, "f").seg(100, "abcde").hears(&["data 0 abcdef"]);
}

#[test]
fn start_midstream_earlier_segment_moves_it_until_something_was_delivered() {
    Lab::new().seg(110, "").seg(100, "0123456789").seg(110, "a").hears(&["data 0 0123456789a"]);
    Lab::new().seg(110, "").seg(100, "0123").seg(104, "456789").seg(110, "a").hears(&["data 0 0123456789a"]);
    let mut lab = Lab::new();
    lab.seg(110, "a").seg(100, "0123456789").seg(111, "b").hears(&["data 0 ab"]);
    assert_eq!(lab.arena.totals().before_start_octets, 10);
}

#[test]
fn start_keep_alive_is_never_the_start() {
    // The peer's acknowledgement tells that the octet is an old one; without it, what follows does.
    Lab::new().ack(100).seg(99, "\0").seg(100, "abc").hears(&["data 0 abc"]).end().hears(&[]);
    Lab::new().ack(100).seg(99, "").seg(100, "abc").hears(&["data 0 abc"]).end().hears(&[]);
    Lab::new().seg(99, "").seg(100, "abc").hears(&["data 0 abc"]).end().hears(&[]);
    Lab::new().seg(100, "").seg(99, "\0").seg(100, "abc").hears(&["data 0 abc"]).end().hears(&[]);
}

#[test]
fn keep_alive_octet_never_reaches_the_stream_nor_conflicts() {
    let mut lab = Lab::syn();
    lab.seg(0, "abc").seg(2, "\0").seg(2, "").seg(-1, "\0").seg(3, "d").hears(&["data 0 abcd"]);
    assert_eq!(lab.arena.totals().keep_alives, 1);
    assert_eq!(lab.stream.counters().conflict_bytes + lab.stream.counters().retransmitted_bytes, 0);
    // Above a hole the octet waits already.
    Lab::syn().seg(3, "def").ack(6).seg(5, "\0").seg(0, "abc").hears(&["data 0 abcdef"]);
    // One that the peer has not acknowledged is no keep-alive.
    Lab::syn().seg(0, "abc").ack(2).seg(2, "X").hears(&["data 0 abc", "conflict 2 c/X"]);
    // Before any data: one below isn + 1.
    Lab::syn().seg(-1, "\0").seg(0, "a").hears(&["data 0 a"]);
}

#[test]
fn probe_octet_that_was_refused_is_replaced() {
    let mut lab = Lab::syn();
    lab.seg(0, "abc").ack(3).zero_window = true;
    lab.seg(3, "X").seg(3, "X").hears(&["data 0 abc"]).zero_window = false;
    lab.seg(3, "def").hears(&["data 3 def"]).end().hears(&[]);
}

#[test]
fn probe_octet_that_was_taken_is_delivered() {
    let mut lab = Lab::syn();
    lab.seg(0, "abc").ack(3).zero_window = true;
    lab.seg(3, "d").hears(&["data 0 abc"]).ack(4).hears(&["data 3 d"]).zero_window = false;
    lab.seg(4, "e").hears(&["data 4 e"]);
    let mut lab = Lab::syn();
    lab.zero_window = true;
    lab.seg(0, "a").hears(&[]).zero_window = false;
    lab.seg(1, "bc").hears(&["data 0 abc"]);
}

#[test]
fn fin_with_data_stands_after_the_payload() {
    // retina's slip: FIN advanced by one and lost the payload's length.
    let mut lab = Lab::syn();
    lab.fin(3, "def").hears(&[]).seg(0, "abc").hears(&["data 0 abcdef"]);
    assert!(lab.stream.is_complete());
    lab.fin(3, "def").seg(6, "XY").seg(4, "efZ").ack(7).end().hears(&[]);
    assert_eq!(lab.arena.totals().after_fin_octets, 3);
}

#[test]
fn fin_below_what_was_seen_is_not_believed() {
    let mut lab = Lab::syn();
    lab.seg(0, "abcdef").fin(2, "").seg(6, "g").hears(&["data 0 abcdefg"]);
    assert!(!lab.stream.has_fin());
}

#[test]
fn seq_distance_across_the_wrap_is_one() {
    // gopacket's slip: (0xffffffff, 0) counted as equal.
    let mut lab = Lab::new();
    lab.isn = u32::MAX - 1;
    lab.push(-1, "", true, false, 0).seg(0, "a").seg(1, "b").seg(3, "d").seg(2, "c").hears(&["data 0 abcd"]);
}

#[test]
fn release_takes_every_piece_that_is_in_order() {
    // retina's slip: an element was skipped after a removal.
    Lab::syn().seg(1, "b").seg(2, "c").seg(3, "d").seg(4, "e").seg(6, "g").seg(0, "a").hears(&["data 0 abcde"]);
}

#[test]
fn syn_second_one_does_not_move_the_start() {
    // PATHspider's slip: the last SYN won.
    let mut lab = Lab::syn();
    lab.seg(0, "ab").push(-1, "", true, false, 0).push(5000, "x", true, false, 0).seg(2, "c").hears(&["data 0 abc"]);
    assert_eq!(lab.stream.isn(), Some(SeqNum(4_294_967_290)));
}

#[test]
fn syn_with_another_isn_counts_until_one_is_acknowledged() {
    let mut lab = Lab::syn();
    lab.push(2_000_000_000, "", true, false, 0).ack(2_000_000_001).push(77, "", true, false, 0);
    lab.seg(2_000_000_001, "abc").hears(&["data 0 abc"]).end().hears(&[]);
}

#[test]
fn offsets_pass_four_gib() {
    let mut lab = Lab::syn();
    let block = vec![b'x'; 1 << 20];
    lab.arena = Arena::new(StreamLimits { history_octets: 0, ..StreamLimits::default() });
    let mut at = 0_i64;
    while at < (4 << 30) + (3 << 20) {
        let seq = SeqNum(lab.isn.wrapping_add(1).wrapping_add(at as u32));
        let (payload, wire_len) = (&block[..], block.len() as u32);
        let segment = Segment { seq, payload, wire_len, ..Segment::default() };
        lab.stream.push(&mut lab.arena, &segment, &mut Deaf);
        at += 1 << 20;
    }
    assert_eq!(lab.stream.end_offset(), at as u64);
    lab.tape.next = at as u64;
    lab.tape.events.clear();
    lab.seg(at + 1, "b").seg(at, "a").hears(&[&format!("data {at} ab")]);
}

#[test]
fn gap_waits_for_acknowledgement_and_patience() {
    let mut lab = Lab::syn();
    lab.seg(3, "def").wait(100 * SECOND).seg(6, "g").hears(&[]);
    lab.ack(2).wait(5 * SECOND).ack(2).hears(&[]);
    lab.ack(7).wait(SECOND).ack(7).hears(&[]).wait(SECOND).ack(7).hears(&["gap 0 3 Acked", "data 3 defg"]);
    lab.seg(0, "abc").hears(&[]).end().hears(&[]);
    assert_eq!(lab.arena.totals().acked_gaps, 1);
}

#[test]
fn gap_of_each_hole_has_its_own_patience() {
    let mut lab = Lab::syn();
    lab.seg(1, "b")
        .ack(2)
        .wait(SECOND)
        .seg(3, "d")
        .ack(4)
        .wait(SECOND)
        .seg(5, "f")
        .hears(&["gap 0 1 Acked", "data 1 b"]);
    lab.wait(SECOND).seg(7, "h").hears(&["gap 2 1 Acked", "data 3 d"]);
}

#[test]
fn gap_of_a_quiet_stream_is_named_by_the_arena() {
    let mut lab = Lab::syn();
    lab.seg(1, "b").ack(2).wait(SECOND);
    assert_eq!(lab.arena.due(lab.now), None);
    lab.wait(SECOND);
    assert_eq!(lab.arena.due(lab.now), Some(7));
    lab.stream.on_time(&mut lab.arena, lab.now, &mut lab.tape);
    assert_eq!(lab.arena.due(lab.now), None);
    lab.hears(&["gap 0 1 Acked", "data 1 b"]);
}

#[test]
fn gap_hole_filled_in_time_is_none() {
    Lab::syn().seg(3, "def").ack(6).wait(SECOND).seg(0, "abc").wait(9 * SECOND).ack(6).end().hears(&["data 0 abcdef"]);
}

#[test]
fn gap_at_the_end_gives_all_that_waits() {
    let mut lab = Lab::syn();
    lab.seg(2, "c").seg(5, "f").end().hears(&["gap 0 2 End", "data 2 c", "gap 3 2 End", "data 5 f"]);
    assert_eq!((lab.stream.delivered(), lab.stream.counters().gap_bytes, lab.stream.end_offset()), (2, 4, 6));
}

#[test]
fn gap_acknowledged_octets_beyond_the_last_are_missing() {
    Lab::syn().seg(0, "abc").ack(10).end().hears(&["data 0 abc", "gap 3 6 Tail"]);
    // One more may be a FIN that was not captured.
    Lab::syn().seg(0, "abc").ack(4).end().hears(&["data 0 abc"]);
    // An absurd one is not believed.
    Lab::syn().seg(0, "abc").ack(900_000_000).end().hears(&["data 0 abc"]);
}

#[test]
fn snapped_octets_are_a_hole_that_can_be_filled() {
    let mut lab = Lab::syn();
    lab.push(0, "abc", false, false, 3).seg(6, "gh").hears(&["data 0 abc"]).seg(0, "abcdef").hears(&["data 3 defgh"]);
    Lab::syn().push(0, "abc", false, true, 3).end().hears(&["data 0 abc", "gap 3 3 Tail"]);
    Lab::syn().push(0, "abc", false, false, 3).push(6, "ghi", false, false, 0).end().hears(&[
        "data 0 abc",
        "gap 3 3 End",
        "data 6 ghi",
    ]);
}

#[test]
fn padding_beyond_the_wire_length_is_ignored() {
    let mut lab = Lab::syn();
    lab.tape.payload = b"abc\0\0\0".to_vec();
    let payload = lab.tape.payload.clone();
    let seq = SeqNum(lab.isn).plus(1);
    let segment = Segment { seq, payload: &payload, wire_len: 3, ..Segment::default() };
    lab.stream.push(&mut lab.arena, &segment, &mut lab.tape);
    lab.hears(&["data 0 abc"]);
}

#[test]
fn wild_segment_is_counted_and_left_out() {
    let mut lab = Lab::syn();
    lab.seg(0, "abc").seg(1_500_000_000, "garbage").seg(-1_500_000_000, "garbage").seg(3, "def");
    lab.hears(&["data 0 abcdef"]).end().hears(&[]);
    assert_eq!(lab.arena.totals().wild_segments, 2);
}

#[test]
fn wild_segments_that_continue_each_other_are_followed() {
    let mut lab = Lab::syn();
    lab.seg(0, "abc").seg(1_500_000_000, "d").seg(1_500_000_001, "e").hears(&["data 0 abc"]);
    lab.seg(1_500_000_002, "f").seg(1_500_000_003, "g");
    lab.hears(&["gap 3 1499999999 Resync", "data 1500000002 fg"]).end().hears(&[]);
    assert_eq!(lab.arena.totals().resyncs, 1);
}

#[test]
fn counters_tell_retransmission_overlap_and_order_apart() {
    let mut lab = Lab::syn();
    lab.seg(0, "abcd").seg(1, "bcd").seg(2, "cdef").seg(8, "ij").seg(8, "ij").seg(7, "hij").seg(6, "g").end();
    lab.hears(&["data 0 abcdefghij"]);
    let counters = lab.stream.counters();
    assert_eq!((counters.retransmitted_bytes, counters.overlap_bytes, counters.out_of_order), (5, 4, 3));
    assert_eq!((counters.gap_bytes, counters.conflict_bytes, counters.ignored), (0, 0, 0));
}

#[test]
fn conflict_with_delivered_octets_has_both_versions() {
    let mut lab = Lab::syn();
    lab.seg(0, "abc").seg(3, "defgh").hears(&["data 0 abcdefgh"]);
    lab.seg(1, "bXdeYg").hears(&["conflict 2 cdef/XdeY"]);
    assert_eq!(lab.stream.counters().conflict_bytes, 2);
    // Partly delivered, partly new.
    lab.seg(6, "gZij").hears(&["conflict 7 h/Z", "data 8 ij"]);
}

#[test]
fn conflict_with_waiting_octets_keeps_by_policy() {
    Lab::syn().seg(3, "def").seg(2, "cXeY").hears(&["conflict 3 def/XeY"]).seg(0, "ab").hears(&["data 0 abcdef"]);
    let mut lab = Lab::with(StreamLimits { policy: OverlapPolicy::Last, ..StreamLimits::default() });
    lab.push(-1, "", true, false, 0).seg(1, "bcdef").seg(3, "X").hears(&["conflict 3 X/d"]);
    lab.seg(0, "a").hears(&["data 0 abcXef"]);
    assert_eq!(lab.stream.counters().conflict_bytes, 1);
}

#[test]
fn deliver_acked_waits_for_the_acknowledgement() {
    let mut lab = Lab::with(StreamLimits { deliver: Deliver::Acked, ..StreamLimits::default() });
    lab.push(-1, "", true, false, 0).seg(0, "abc").seg(5, "f").hears(&[]).ack(2).hears(&["data 0 ab"]);
    lab.ack(3).seg(3, "de").hears(&["data 2 c"]).ack(6).hears(&["data 3 def"]);
    lab.ack(8).seg(6, "ghi").hears(&["data 6 gh"]).end().hears(&["data 8 i"]);
}

#[test]
fn limit_of_a_direction_gives_up_the_oldest_hole() {
    let mut lab = Lab::with(StreamLimits { direction_octets: 2 * 112, ..StreamLimits::default() });
    lab.push(-1, "", true, false, 0).seg(1, "b").seg(3, "d").hears(&[]);
    lab.seg(5, "f").hears(&["gap 0 1 DirectionLimit", "data 1 b"]);
    assert_eq!(lab.arena.totals().direction_limit_hits, 1);
}

#[test]
fn limit_of_all_streams_is_paid_by_the_one_that_waited_longest() {
    let mut lab = Lab::with(StreamLimits { total_octets: 112, ..StreamLimits::default() });
    lab.push(-1, "", true, false, 0).seg(1, "b");
    assert_eq!(lab.arena.over_limit(), None);
    let (mut other, mut tape) = (Stream::new(8), Tape { payload: b"x".to_vec(), ..Tape::default() });
    for (seq, payload) in [(10, &b""[..]), (12, b"x")] {
        let wire_len = payload.len() as u32;
        let segment = Segment { seq: SeqNum(seq), payload, wire_len, ..Segment::default() };
        other.push(&mut lab.arena, &segment, &mut tape);
    }
    assert_eq!(lab.arena.over_limit(), Some(7));
    lab.stream.relieve(&mut lab.arena, &mut lab.tape);
    lab.hears(&["gap 0 1 TotalLimit", "data 1 b"]);
    assert_eq!(lab.arena.over_limit(), None);
    // An owner that never asks: the stream that pushes gives up.
    let mut lab = Lab::with(StreamLimits { total_octets: 0, ..StreamLimits::default() });
    lab.push(-1, "", true, false, 0).seg(1, "b").seg(3, "d");
    lab.hears(&["gap 0 1 TotalLimit", "data 1 b", "gap 2 1 TotalLimit", "data 3 d"]);
}

#[test]
fn discard_frees_the_arena_unreported() {
    let mut lab = Lab::syn();
    lab.seg(3, "def").seg(9, "x");
    lab.stream.discard(&mut lab.arena);
    assert_eq!(lab.arena.waiting_octets(), 0);
    lab.hears(&[]);
}

/// What each policy leaves of an earlier segment (first) and a later one (second), both waiting.
#[test]
fn policy_table_of_small_cases() {
    // Columns: first, last, bsd, linux, old-linux, solaris.
    let cases = [
        ((1, "aaa"), (1, "bbb"), [" aaa", " bbb", " aaa", " aaa", " bbb", " bbb"]),
        ((1, "aaa"), (1, "bbbb"), [" aaab", " bbbb", " aaab", " bbbb", " bbbb", " bbbb"]),
        ((1, "aaa"), (1, "bb"), [" aaa", " bba", " aaa", " aaa", " aaa", " aaa"]),
        ((2, "aa"), (1, "bb"), [" baa", " bba", " bba", " bba", " bba", " baa"]),
        ((2, "aa"), (1, "bbb"), [" baa", " bbb", " bbb", " bbb", " bbb", " bbb"]),
        ((2, "aa"), (1, "bbbb"), [" baab", " bbbb", " bbbb", " bbbb", " bbbb", " bbbb"]),
        ((1, "aaa"), (2, "bb"), [" aaa", " abb", " aaa", " aaa", " aaa", " aaa"]),
        ((1, "aaa"), (2, "bbb"), [" aaab", " abbb", " aaab", " aaab", " aaab", " abbb"]),
        ((1, "aaaa"), (2, "b"), [" aaaa", " abaa", " aaaa", " aaaa", " aaaa", " aaaa"]),
    ];
    for (first, second, expected) in cases {
        for (policy, expected) in OverlapPolicy::ALL.into_iter().zip(expected) {
            let mut lab = Lab::with(StreamLimits { policy, ..StreamLimits::default() });
            lab.push(-1, "", true, false, 0).seg(first.0, first.1).seg(second.0, second.1);
            lab.tape.events.clear();
            lab.seg(0, " ").end().hears(&[&format!("data 0 {expected}")]);
            assert_eq!(OverlapPolicy::parse(policy.name()).ok(), Some(policy));
        }
    }
    assert!(OverlapPolicy::parse("First").is_err());
}
