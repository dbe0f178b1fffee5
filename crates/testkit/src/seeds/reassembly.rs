//! Segments of one stream: an octet that chooses the judge and the limits, the initial sequence number in four, then
//! steps. Even choices: offset in two octets, length less two, contents. Odd ones: place in two octets, length, contents,
//! time, and what it is.

use super::{Seed, name};

/// Where segments of a stream lie: offset and length in octets.
type Layout = &'static [(u16, u8)];

const LAYOUTS: &[(&str, Layout)] = &[
    ("in order", &[(0, 20), (20, 20), (40, 20), (60, 5)]),
    ("reversed", &[(60, 5), (40, 20), (20, 20), (0, 20)]),
    ("hole filled", &[(0, 20), (40, 20), (20, 20)]),
    ("two holes", &[(0, 10), (20, 10), (40, 10), (30, 10), (10, 10)]),
    ("retransmission", &[(0, 20), (20, 20), (0, 20), (20, 20)]),
    ("longer retransmission", &[(0, 20), (0, 40), (20, 40)]),
    ("overlap head", &[(20, 20), (10, 20), (0, 20)]),
    ("overlap tail", &[(0, 10), (20, 20), (30, 20), (10, 10)]),
    ("enclosed", &[(10, 60), (20, 10), (0, 10)]),
    ("enclosing", &[(20, 10), (40, 10), (10, 60), (0, 10)]),
    ("left open", &[(0, 10), (100, 30), (300, 30), (2000, 60)]),
];

pub(super) fn seeds() -> Vec<Seed> {
    let mut found = Vec::new();
    for (what, layout) in LAYOUTS {
        for (at, isn) in [("start", 1000_u32), ("wrap", u32::MAX - 30)] {
            found.push((name(&format!("model {what} {at}")), model(layout, isn)));
            // Every policy, with and without a history, delivered at once or when acknowledged.
            for choice in [0x1f, 0x0f, 0x8d, 0x4b, 0xc9, 0x07, 0x85] {
                found.push((name(&format!("invariants {what} {at} {choice}")), invariants(layout, choice, isn)));
            }
        }
    }
    found
}

fn model(layout: Layout, isn: u32) -> Vec<u8> {
    let mut out = vec![0];
    out.extend_from_slice(&isn.to_le_bytes());
    for (nth, (offset, len)) in (0..).zip(layout) {
        let [low, high] = offset.to_le_bytes();
        out.extend_from_slice(&[low, high, len - 2, nth]);
    }
    out
}

/// A SYN, the segments with acknowledgements behind each, a probe and time that passes, then the FIN.
fn invariants(layout: Layout, choice: u8, isn: u32) -> Vec<u8> {
    let mut out = vec![choice];
    out.extend_from_slice(&isn.to_le_bytes());
    let mut step = |at: u16, len: u8, kind: u8| {
        let [low, high] = at.to_le_bytes();
        out.extend_from_slice(&[low, high, len, 0x41, 20, kind]);
    };
    step(0, 0, 3);
    let mut end = 1;
    for (offset, len) in layout {
        step(offset + 1, *len, 7);
        end = end.max(offset + 1 + u16::from(*len));
        step(end, 0, 0);
    }
    step(end - 1, 1, 6);
    step(0, 0, 2);
    step(end, 9, 5);
    step(end, 0, 4);
    out
}
