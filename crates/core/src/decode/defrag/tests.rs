use super::*;
use proptest::prelude::*;
use std::collections::HashMap;
use tcpskein_testkit::fragments::{Answer, NaiveDatagram, OverlapRule};

const S: i64 = 1_000_000_000;

fn key(id: u32, version: u8) -> FragmentKey {
    FragmentKey { src: [1; 16], dst: [2; 16], id, encap: 0, proto: 6, version }
}

fn fragment(offset: u32, more: bool, payload: &[u8]) -> Fragment<'_> {
    Fragment { offset, more, payload, ip_len: 20 + payload.len() as u32, packet: 1, ts_ns: 0 }
}

fn with_policy(policy: FragmentPolicy) -> Defragmenter {
    Defragmenter::new(FragmentConfig { policy, ..FragmentConfig::default() })
}

/// The payload of a complete datagram.
fn payload(outcome: Outcome<'_>) -> Vec<u8> {
    match outcome {
        Outcome::Complete(datagram) => datagram.payload.to_vec(),
        other => panic!("not complete: {other:?}"),
    }
}

#[test]
fn fragments_in_any_order_make_the_datagram() {
    let parts: [(u32, bool, &[u8]); 3] = [(0, true, b"aaaaaaaa"), (8, true, b"bbbbbbbbcccccccc"), (24, false, b"dd")];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for version in [4, 6] {
            let mut defragmenter = Defragmenter::default();
            for (step, part) in order.into_iter().enumerate() {
                let (offset, more, octets) = parts[part];
                let packet = 10 + step as u64;
                let given = Fragment { packet, ..fragment(offset, more, octets) };
                let outcome = defragmenter.push(&key(1, version), &given);
                if step < 2 {
                    assert_eq!(outcome, Outcome::Pending);
                } else {
                    let payload = b"aaaaaaaabbbbbbbbccccccccdd".as_slice();
                    let expected =
                        Datagram { payload, proto: 6, first_packet: 10, fragments: 3, packets: 3, octets: 86 };
                    assert_eq!(outcome, Outcome::Complete(expected), "{order:?}");
                }
            }
            assert_eq!((defragmenter.pending(), defragmenter.held_octets()), (0, 0));
            let expected = FragmentStats { fragments: 3, datagrams: 1, ..FragmentStats::default() };
            assert_eq!(*defragmenter.stats(), expected);
        }
    }
}

#[test]
fn atomic_fragment_passes_beside_pending_ones() {
    let mut defragmenter = Defragmenter::default();
    defragmenter.push(&key(1, 6), &fragment(0, true, &[1; 8]));
    assert_eq!(payload(defragmenter.push(&key(1, 6), &fragment(0, false, b"whole"))), b"whole");
    assert_eq!(payload(defragmenter.push(&key(1, 6), &fragment(0, false, b""))), b"");
    assert_eq!(payload(defragmenter.push(&key(1, 6), &fragment(8, false, &[2]))), [1, 1, 1, 1, 1, 1, 1, 1, 2]);
    assert_eq!((defragmenter.stats().atomic, defragmenter.stats().datagrams), (2, 1));
}

#[test]
fn atomic_fragment_is_the_datagram_handed_out_last() {
    let mut defragmenter = Defragmenter::default();
    defragmenter.push(&key(1, 6), &fragment(0, true, &[1; 8]));
    defragmenter.push(&key(1, 6), &fragment(8, false, &[2]));
    defragmenter.push(&key(2, 6), &fragment(0, false, b"whole"));
    let mut output = Vec::new();
    defragmenter.swap_output(&mut output);
    assert_eq!(output, b"whole");
}

#[test]
fn key_parts_each_separate_datagrams() {
    let base = key(1, 4);
    let others = [
        FragmentKey { src: [9; 16], ..base },
        FragmentKey { dst: [9; 16], ..base },
        FragmentKey { id: 2, ..base },
        FragmentKey { encap: 1, ..base },
        FragmentKey { proto: 17, ..base },
        FragmentKey { version: 6, ..base },
    ];
    for other in others {
        let mut defragmenter = Defragmenter::default();
        defragmenter.push(&base, &fragment(0, true, &[0; 8]));
        assert_eq!(defragmenter.push(&other, &fragment(8, false, &[0; 8])), Outcome::Pending, "{other:?}");
        assert_eq!(defragmenter.pending(), 2);
    }
}

#[test]
fn ipv6_protocol_is_that_of_the_first_fragment() {
    let mut defragmenter = Defragmenter::default();
    let other = FragmentKey { proto: 60, ..key(1, 6) };
    defragmenter.push(&other, &fragment(8, false, &[0; 8]));
    let Outcome::Complete(datagram) = defragmenter.push(&key(1, 6), &fragment(0, true, &[0; 8])) else {
        panic!("two fragments of one datagram");
    };
    assert_eq!(datagram.proto, 6);
}

#[test]
fn impossible_fragments_are_dropped_and_counted() {
    let big = vec![0; 65_536];
    let cases: [(u32, bool, &[u8], DropReason); 7] = [
        (8, true, &[], DropReason::Empty),
        (8, false, &[], DropReason::Empty),
        (4, false, &[0; 8], DropReason::Unaligned),
        (8, true, &[0; 7], DropReason::Unaligned),
        (65_528, false, &[0; 8], DropReason::TooLong),
        (8, true, &big, DropReason::TooLong),
        (u32::MAX - 7, true, &[0; 8], DropReason::TooLong),
    ];
    for (offset, more, octets, reason) in cases {
        let mut defragmenter = Defragmenter::default();
        assert_eq!(defragmenter.push(&key(1, 4), &fragment(offset, more, octets)), Outcome::Dropped(reason));
        assert_eq!((defragmenter.stats().invalid, defragmenter.pending()), (1, 0));
    }
    let mut defragmenter = Defragmenter::default();
    assert_eq!(defragmenter.push(&key(1, 4), &fragment(65_528, false, &[0; 7])), Outcome::Pending);
    assert_eq!(payload(defragmenter.push(&key(1, 4), &fragment(0, true, &big[..65_528]))).len(), 65_535);
}

#[test]
fn last_fragments_at_odds_leave_the_datagram_whole() {
    let mut defragmenter = Defragmenter::default();
    let conflict = Outcome::Dropped(DropReason::EndConflict);
    assert_eq!(defragmenter.push(&key(1, 4), &fragment(16, false, &[3; 8])), Outcome::Pending);
    assert_eq!(defragmenter.push(&key(1, 4), &fragment(24, true, &[9; 8])), conflict);
    assert_eq!(defragmenter.push(&key(1, 4), &fragment(8, false, &[9; 8])), conflict);
    assert_eq!(defragmenter.push(&key(1, 4), &fragment(24, false, &[9; 8])), conflict);
    assert_eq!(defragmenter.push(&key(1, 4), &fragment(8, true, &[2; 8])), Outcome::Pending);
    assert_eq!(payload(defragmenter.push(&key(1, 4), &fragment(0, true, &[1; 8]))), [[1; 8], [2; 8], [3; 8]].concat());
    assert_eq!(defragmenter.stats().invalid, 3);
    // An end before what is there already.
    defragmenter.push(&key(2, 4), &fragment(16, true, &[0; 8]));
    assert_eq!(defragmenter.push(&key(2, 4), &fragment(8, false, &[0; 8])), conflict);
}

#[test]
fn policies_keep_what_novaks_paper_says() {
    // The paper's scenario; start and length in units of eight octets. The outcomes are also those of Suricata's own
    // tests (BsdRight, which it lacks, follows the paper's sentence).
    let sent = [
        (b'A', 0, 3),
        (b'B', 4, 2),
        (b'C', 6, 3),
        (b'D', 10, 1),
        (b'E', 13, 2),
        (b'F', 15, 3),
        (b'G', 18, 2),
        (b'H', 20, 2),
        (b'I', 22, 1),
        (b'J', 1, 4),
        (b'K', 6, 3),
        (b'L', 9, 3),
        (b'M', 12, 3),
        (b'N', 16, 1),
        (b'O', 19, 1),
        (b'P', 20, 1),
        (b'Q', 22, 2),
    ];
    let cases = [
        (FragmentPolicy::Bsd, "AAAJJBCCCLLLMMMFFFGGHHIQ"),
        (FragmentPolicy::BsdRight, "AJJJBBKKKLDLMEEFNFGOPHQQ"),
        (FragmentPolicy::Linux, "AAAJJBKKKLLLMMMFFFGGPHQQ"),
        (FragmentPolicy::Windows, "AAAJBBCCCLLLMEEFFFGGHHIQ"),
        (FragmentPolicy::Solaris, "AAAJBBCCCLLLMMMFFFGGHHIQ"),
        (FragmentPolicy::First, "AAAJBBCCCLDLMEEFFFGGHHIQ"),
        (FragmentPolicy::Last, "AJJJJBKKKLLLMMMFNFGOPHQQ"),
    ];
    for (policy, expected) in cases {
        let mut defragmenter = with_policy(policy);
        for (letter, start, len) in &sent[..16] {
            defragmenter.push(&key(1, 4), &fragment(start * 8, true, &vec![*letter; len * 8]));
        }
        let whole = payload(defragmenter.push(&key(1, 4), &fragment(22 * 8, false, &[b'Q'; 16])));
        let units: Vec<u8> = whole.chunks(8).map(|unit| unit[0]).collect();
        assert_eq!(String::from_utf8_lossy(&units), expected, "{policy:?}");
        assert!(whole.chunks(8).all(|unit| unit.iter().all(|octet| *octet == unit[0])), "{policy:?}");
        assert_eq!(defragmenter.stats().overlaps, 8);
    }
}

#[test]
fn ipv6_overlap_discards_the_datagram_with_what_follows() {
    let mut defragmenter = Defragmenter::default();
    defragmenter.push(&key(1, 6), &fragment(0, true, &[1; 16]));
    assert_eq!(defragmenter.push(&key(1, 6), &fragment(0, true, &[1; 16])), Outcome::Pending);
    assert_eq!(defragmenter.stats().duplicates, 1);
    let overlapping = fragment(8, true, &[1; 16]);
    assert_eq!(defragmenter.push(&key(1, 6), &overlapping), Outcome::Dropped(DropReason::Overlap));
    assert_eq!(defragmenter.push(&key(1, 6), &fragment(16, false, &[1; 8])), Outcome::Dropped(DropReason::Discarded));
    assert_eq!((defragmenter.held_octets(), defragmenter.stats().overlaps), (0, 1));
    // The same span with other octets is no duplicate.
    defragmenter.push(&key(2, 6), &fragment(0, true, &[1; 8]));
    assert_eq!(defragmenter.push(&key(2, 6), &fragment(0, true, &[2; 8])), Outcome::Dropped(DropReason::Overlap));
}

#[test]
fn timeout_counts_from_the_first_fragment_in_packet_time() {
    for (version, seconds) in [(4, 30), (6, 60)] {
        let mut defragmenter = Defragmenter::default();
        let at = |ts_ns, offset, more| Fragment { ts_ns, ..fragment(offset, more, &[0; 8]) };
        defragmenter.push(&key(1, version), &at(0, 0, true));
        defragmenter.push(&key(1, version), &at(seconds * S, 8, true));
        assert_eq!(defragmenter.stats().timeouts, 0);
        // Time that goes back expires nothing.
        defragmenter.push(&key(2, version), &at(-S, 8, true));
        assert_eq!(defragmenter.push(&key(1, version), &at(seconds * S + 1, 16, false)), Outcome::Pending);
        assert_eq!((defragmenter.stats().timeouts, defragmenter.pending()), (2, 1));
    }
}

#[test]
fn versions_expire_beside_each_other() {
    let mut defragmenter = Defragmenter::default();
    defragmenter.push(&key(1, 6), &fragment(8, true, &[0; 8]));
    defragmenter.push(&key(1, 4), &fragment(8, true, &[0; 8]));
    defragmenter.expire(31 * S);
    assert_eq!((defragmenter.pending(), defragmenter.stats().timeouts), (1, 1));
    defragmenter.expire(61 * S);
    assert_eq!((defragmenter.pending(), defragmenter.held_octets(), defragmenter.stats().timeouts), (0, 0, 2));
}

#[test]
fn limits_evict_the_oldest_and_count() {
    let config = FragmentConfig { max_datagrams: 2, ..FragmentConfig::default() };
    let mut defragmenter = Defragmenter::new(config);
    for (id, version) in [(1, 6), (2, 4), (3, 6)] {
        defragmenter.push(&key(id, version), &fragment(0, true, &[0; 8]));
    }
    assert_eq!((defragmenter.pending(), defragmenter.stats().evictions), (2, 1));
    assert_eq!(payload(defragmenter.push(&key(2, 4), &fragment(8, false, &[0; 8]))).len(), 16);
    assert_eq!(defragmenter.push(&key(1, 6), &fragment(8, false, &[0; 8])), Outcome::Pending);

    let config = FragmentConfig { max_octets: 3000, ..FragmentConfig::default() };
    let mut defragmenter = Defragmenter::new(config);
    for id in 1..=3 {
        assert_eq!(defragmenter.push(&key(id, 4), &fragment(0, true, &[0; 1400])), Outcome::Pending);
        assert!(defragmenter.held_octets() <= 3000);
    }
    assert_eq!((defragmenter.pending(), defragmenter.stats().evictions), (2, 1));
    // One datagram that is too much by itself: the others go first, then it is given up.
    assert_eq!(defragmenter.push(&key(9, 4), &fragment(0, true, &[0; 3200])), Outcome::Dropped(DropReason::Limit));
    assert_eq!(defragmenter.push(&key(9, 4), &fragment(3200, false, &[0])), Outcome::Dropped(DropReason::Discarded));
    assert_eq!((defragmenter.held_octets(), defragmenter.stats().evictions), (0, 4));

    // The datagram that grows is itself the oldest: the next one goes.
    let mut defragmenter = Defragmenter::new(FragmentConfig { max_octets: 3000, ..FragmentConfig::default() });
    for (id, offset) in [(1, 0), (2, 0), (1, 1400)] {
        assert_eq!(defragmenter.push(&key(id, 4), &fragment(offset, true, &[0; 1400])), Outcome::Pending);
    }
    assert_eq!((defragmenter.pending(), defragmenter.stats().evictions), (1, 1));
    assert_eq!(payload(defragmenter.push(&key(1, 4), &fragment(2800, false, &[0; 8]))).len(), 2808);

    let config = FragmentConfig { max_fragments: 2, ..FragmentConfig::default() };
    let mut defragmenter = Defragmenter::new(config);
    for offset in [0, 8, 8, 0] {
        assert_eq!(defragmenter.push(&key(1, 4), &fragment(offset, true, &[0; 8])), Outcome::Pending);
    }
    assert_eq!(defragmenter.push(&key(1, 4), &fragment(16, true, &[0; 8])), Outcome::Dropped(DropReason::Limit));
    assert_eq!(defragmenter.push(&key(1, 4), &fragment(24, false, &[0; 8])), Outcome::Dropped(DropReason::Discarded));

    let config = FragmentConfig { max_datagrams: 0, ..FragmentConfig::default() };
    let outcome =
        Defragmenter::new(config).push(&key(1, 4), &fragment(8, true, &[0; 8])) == Outcome::Dropped(DropReason::Limit);
    assert!(outcome);
}

/// A fragment of a small datagram: which datagram, offset in units, more, units, trailing octets, contents.
fn sent() -> impl Strategy<Value = (u32, u32, bool, usize, usize, u8)> {
    (
        0..3_u32,
        0..12_u32,
        prop::bool::weighted(0.85),
        0..6_usize,
        prop_oneof![9 => Just(0_usize), 1 => 1..8_usize],
        0..3_u8,
    )
}

fn rules() -> impl Strategy<Value = (FragmentPolicy, OverlapRule)> {
    prop_oneof![
        Just((FragmentPolicy::First, OverlapRule::First)),
        Just((FragmentPolicy::Last, OverlapRule::Last)),
        Just((FragmentPolicy::Bsd, OverlapRule::Bsd)),
        Just((FragmentPolicy::BsdRight, OverlapRule::BsdRight)),
        Just((FragmentPolicy::Linux, OverlapRule::Linux)),
        Just((FragmentPolicy::Windows, OverlapRule::Windows)),
        Just((FragmentPolicy::Solaris, OverlapRule::Solaris)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn outcomes_of_any_fragments_equal_the_models((policy, rule) in rules(), fragments in prop::collection::vec(sent(), 1..60)) {
        let mut defragmenter = with_policy(policy);
        let mut models: HashMap<(u32, u8), NaiveDatagram> = HashMap::new();
        for (step, (id, units, more, len, odd, seed)) in fragments.into_iter().enumerate() {
            let version = if id == 2 { 6 } else { 4 };
            let octets: Vec<u8> = (0..len * 8 + odd).map(|i| seed.wrapping_mul(step as u8).wrapping_add(i as u8)).collect();
            let rule = if version == 6 { OverlapRule::Forbidden } else { rule };
            let offset = units * 8;
            let model = models.entry((id, version)).or_insert_with(|| NaiveDatagram::new(rule));
            let expected = model.push(offset as usize, more, &octets);
            let outcome = defragmenter.push(&key(id, version), &fragment(offset, more, &octets));
            match (&expected, outcome) {
                (Answer::Complete(whole), Outcome::Complete(datagram)) => prop_assert_eq!(&whole[..], datagram.payload),
                (Answer::Pending, Outcome::Pending) => {}
                (Answer::Refused, Outcome::Dropped(DropReason::Empty | DropReason::Unaligned | DropReason::TooLong | DropReason::EndConflict)) => {}
                (Answer::Spoilt, Outcome::Dropped(DropReason::Overlap | DropReason::Discarded)) => {}
                (expected, outcome) => prop_assert!(false, "model {:?}, ours {:?}", expected, outcome),
            }
            // An atomic fragment leaves the pending datagram alone.
            if matches!(expected, Answer::Complete(_)) && (more || offset != 0) {
                models.remove(&(id, version));
            }
        }
    }

    #[test]
    fn memory_stays_bounded_whatever_comes(
        max_octets in 0..2000_usize, max_datagrams in 0..5_usize, max_fragments in 0..6_u32,
        fragments in prop::collection::vec((0..9_u32, 0..40_u32, any::<bool>(), 1..30_usize, -100..100_i64), 1..120),
    ) {
        let config = FragmentConfig { max_octets, max_datagrams, max_fragments, ..FragmentConfig::default() };
        let mut defragmenter = Defragmenter::new(config);
        let mut given_up = 0;
        for (id, units, more, len, seconds) in fragments {
            let octets = vec![id as u8; len * 8];
            let given = Fragment { ts_ns: seconds * S, ..fragment(units * 8, more, &octets) };
            let outcome = defragmenter.push(&key(id, 4), &given);
            given_up += u64::from(outcome == Outcome::Dropped(DropReason::Limit));
            if let Outcome::Complete(datagram) = outcome {
                prop_assert!(datagram.payload.iter().all(|octet| *octet == id as u8));
            }
            prop_assert!(defragmenter.held_octets() <= max_octets);
            prop_assert!(defragmenter.pending() <= max_datagrams);
        }
        prop_assert!(max_datagrams == 0 || defragmenter.stats().evictions >= given_up);
        defragmenter.expire(i64::MAX);
        prop_assert_eq!((defragmenter.pending(), defragmenter.held_octets()), (0, 0));
    }
}
