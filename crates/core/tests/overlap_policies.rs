//! The corpus's table of overlapping segments: what each policy keeps, with four initial sequence numbers.

#![allow(clippy::unwrap_used, reason = "a broken table must fail loudly")]

use std::ops::Range;
use std::path::PathBuf;
use tcpskein_core::seq::SeqNum;
use tcpskein_core::stream::{Arena, GapReason, OverlapPolicy, Segment, Sink, Stream, StreamLimits};

/// The stream as text, '.' for what is missing.
#[derive(Default)]
struct Text {
    payload: Vec<u8>,
    text: String,
}

impl Sink for Text {
    fn in_order(&mut self, _: u64, range: Range<u32>) {
        self.text.extend(self.payload[range.start as usize..range.end as usize].iter().map(|&b| char::from(b)));
    }
    fn released(&mut self, _: u64, bytes: &[u8]) {
        self.text.extend(bytes.iter().map(|&b| char::from(b)));
    }
    fn gap(&mut self, _: u64, len: u64, _: GapReason) {
        self.text.push_str(&".".repeat(len as usize));
    }
    fn conflict(&mut self, _: u64, _: &[u8], _: &[u8]) {}
}

struct Step {
    offset: u32,
    data: String,
    expect: String,
}

struct Case {
    policy: String,
    name: String,
    steps: Vec<Step>,
}

/// Reads the table: an array of flat objects, one key a line.
fn parse(json: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in json.lines() {
        let Some((key, value)) = line.trim().split_once(':') else { continue };
        let value = value.trim().trim_end_matches(',').trim_matches('"').to_owned();
        match key.trim_matches('"') {
            "policy" => cases.push(Case { policy: value, name: String::new(), steps: Vec::new() }),
            "case" => cases.last_mut().unwrap().name = value,
            "offset" => {
                let offset = value.parse().unwrap();
                let step = Step { offset, data: String::new(), expect: String::new() };
                cases.last_mut().unwrap().steps.push(step);
            }
            "data" => cases.last_mut().unwrap().steps.last_mut().unwrap().data = value,
            "expect" => cases.last_mut().unwrap().steps.last_mut().unwrap().expect = value,
            _ => {}
        }
    }
    cases
}

/// The stream after the first `count` steps. Everything is raised by one and octet 1 comes last, as the table asks, so
/// that nothing is delivered before the policy has decided everything.
fn stream_after(case: &Case, count: usize, isn: u32) -> String {
    let policy = OverlapPolicy::parse(&case.policy).unwrap();
    let mut arena = Arena::new(StreamLimits { policy, ..StreamLimits::default() });
    let (mut stream, mut text) = (Stream::new(0), Text::default());
    let mut push = |offset: u32, data: &str, syn: bool, text: &mut Text, arena: &mut Arena| {
        text.payload = data.as_bytes().to_vec();
        let (seq, payload, wire_len) = (SeqNum(isn).plus(offset), data.as_bytes(), data.len() as u32);
        let segment = Segment { seq, syn, payload, wire_len, ..Segment::default() };
        stream.push(arena, &segment, text);
    };
    push(0, "", true, &mut text, &mut arena);
    for step in &case.steps[..count] {
        push(step.offset + 1, &step.data, false, &mut text, &mut arena);
    }
    assert_eq!(text.text, "", "nothing is delivered before the policy decided");
    push(1, "^", false, &mut text, &mut arena);
    stream.finish(&mut arena, &mut text);
    text.text.strip_prefix('^').unwrap_or("no first octet").to_owned()
}

#[test]
fn overlap_policies_match_the_corpus_table() {
    let root = std::env::var_os("TCPSKEIN_CORPUS")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"));
    let path = root.join("overlap-policies.json");
    let Ok(json) = std::fs::read_to_string(&path) else {
        #[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
        {
            eprintln!("SKIPPED: no {}: set TCPSKEIN_CORPUS", path.display());
        }
        return;
    };
    let cases = parse(&json);
    assert_eq!(cases.len(), 24);
    for case in &cases {
        assert!(case.steps.len() >= 6, "the table was read");
        for isn in [0, 1, u32::MAX, 4_294_967_285] {
            for count in 1..=case.steps.len() {
                let found = stream_after(case, count, isn);
                let step = &case.steps[count - 1];
                assert_eq!(found, step.expect, "{} {} step {count} isn {isn}", case.policy, case.name);
            }
        }
    }
}
