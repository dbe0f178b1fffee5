//! Any sequence of fragments under tight limits: no panic, the bounds hold, and what comes out agrees with a byte map.
//!
//! Five octets make a fragment: key and flags, offset in units, length in octets, contents, seconds since the last.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;
use tcpskein_core::decode::defrag::{Defragmenter, Fragment, FragmentConfig, FragmentKey, FragmentPolicy, Outcome};
use tcpskein_testkit::fragments::{Answer, NaiveDatagram, OverlapRule};

const POLICIES: [(FragmentPolicy, OverlapRule); 7] = [
    (FragmentPolicy::First, OverlapRule::First),
    (FragmentPolicy::Last, OverlapRule::Last),
    (FragmentPolicy::Bsd, OverlapRule::Bsd),
    (FragmentPolicy::BsdRight, OverlapRule::BsdRight),
    (FragmentPolicy::Linux, OverlapRule::Linux),
    (FragmentPolicy::Windows, OverlapRule::Windows),
    (FragmentPolicy::Solaris, OverlapRule::Solaris),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((&head, steps)) = bytes.split_first() else { return };
    let (policy, rule) = POLICIES[usize::from(head) % POLICIES.len()];
    if head & 0x80 == 0 { compare(policy, rule, steps) } else { bounds(policy, steps) }
});

/// Without limits that matter and without time, the answers are the model's.
fn compare(policy: FragmentPolicy, rule: OverlapRule, steps: &[u8]) {
    let mut ours = Defragmenter::new(FragmentConfig { policy, ..FragmentConfig::default() });
    let mut models: HashMap<FragmentKey, NaiveDatagram> = HashMap::new();
    for step in steps.chunks_exact(5).take(500) {
        let (key, offset, more, payload) = read(step);
        let rule = if key.version == 6 { OverlapRule::Forbidden } else { rule };
        let model = models.entry(key).or_insert_with(|| NaiveDatagram::new(rule));
        let answer = model.push(offset as usize, more, &payload);
        let fragment = Fragment { offset, more, payload: &payload, ip_len: 0, packet: 1, ts_ns: 0 };
        match (&answer, ours.push(&key, &fragment)) {
            (Answer::Complete(whole), Outcome::Complete(datagram)) => assert_eq!(whole, datagram.payload),
            (Answer::Pending, Outcome::Pending) | (Answer::Refused | Answer::Spoilt, Outcome::Dropped(_)) => {}
            (answer, outcome) => panic!("model {answer:?}, ours {outcome:?}"),
        }
        if matches!(answer, Answer::Complete(_)) && (more || offset != 0) {
            models.remove(&key);
        }
    }
}

/// Under tight limits and a wild clock, memory stays bounded.
fn bounds(policy: FragmentPolicy, steps: &[u8]) {
    let limits =
        FragmentConfig { policy, max_octets: 600, max_datagrams: 3, max_fragments: 5, ..FragmentConfig::default() };
    let mut ours = Defragmenter::new(limits);
    let mut ts_ns = 0_i64;
    for (packet, step) in (1..).zip(steps.chunks_exact(5)) {
        let (key, offset, more, payload) = read(step);
        ts_ns += i64::from(step[4].cast_signed()) * 1_000_000_000;
        let _ = ours.push(&key, &Fragment { offset, more, payload: &payload, ip_len: 0, packet, ts_ns });
        assert!(ours.held_octets() <= 600 && ours.pending() <= 3);
    }
    ours.expire(i64::MAX);
    assert_eq!((ours.held_octets(), ours.pending()), (0, 0));
}

fn read(step: &[u8]) -> (FragmentKey, u32, bool, Vec<u8>) {
    let version = if step[0] & 2 == 0 { 4 } else { 6 };
    let key = FragmentKey { src: [1; 16], dst: [2; 16], id: u32::from(step[0] >> 4), encap: 0, proto: 6, version };
    // Now and then an offset near the end of what a datagram can have, or one that no header can say.
    let offset = match step[0] & 0x0c {
        0x0c => 65_400 + u32::from(step[1]),
        _ => u32::from(step[1] & 31) * 8,
    };
    (key, offset, step[0] & 1 == 1, vec![step[3]; usize::from(step[2])])
}
