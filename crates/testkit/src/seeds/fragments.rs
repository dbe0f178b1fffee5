//! Fragments: one octet that chooses policy (modulo 7) and judge (above 127: the bounds), then five octets each: key and
//! flags, offset in units of eight octets, length in octets, contents, seconds since the last.

use super::{Seed, name};

/// More fragments follow.
const MORE: u8 = 1;
const V6: u8 = 2;
/// The offset is counted from near the end of the longest datagram, in octets.
const NEAR_END: u8 = 0x0c;

/// Offset in units, length in octets, whether more follow.
type Part = (u8, u8, bool);

/// How a datagram's fragments lie, and how they overlap.
const LAYOUTS: &[(&str, &[Part])] = &[
    ("alone", &[(0, 20, false)]),
    ("two", &[(0, 64, true), (8, 30, false)]),
    ("in order", &[(0, 16, true), (2, 16, true), (4, 16, true), (6, 5, false)]),
    ("reversed", &[(6, 5, false), (4, 16, true), (2, 16, true), (0, 16, true)]),
    ("shuffled", &[(4, 16, true), (0, 16, true), (6, 5, false), (2, 16, true)]),
    ("again", &[(0, 16, true), (0, 16, true), (2, 8, false), (2, 8, false)]),
    ("other length again", &[(0, 16, true), (0, 24, true), (3, 8, false)]),
    ("head overlapped", &[(2, 24, true), (0, 24, true), (5, 8, false)]),
    ("tail overlapped", &[(0, 24, true), (2, 24, true), (5, 8, false)]),
    ("enclosed", &[(0, 48, true), (2, 16, true), (6, 8, false)]),
    ("enclosing", &[(2, 16, true), (0, 48, true), (6, 8, false)]),
    ("enclosing three", &[(1, 8, true), (3, 8, true), (5, 8, true), (0, 56, true), (7, 1, false)]),
    ("same end", &[(2, 16, true), (0, 32, true), (4, 8, false)]),
    ("same start", &[(0, 16, true), (0, 40, true), (5, 8, false)]),
    ("bridge", &[(0, 16, true), (4, 16, true), (1, 32, true), (6, 9, false)]),
    ("two ends", &[(0, 16, true), (4, 8, false), (5, 8, false), (2, 16, true)]),
    ("beyond the end", &[(4, 8, false), (6, 8, true), (0, 32, true)]),
    ("end inside", &[(0, 48, true), (3, 4, false)]),
    ("odd length", &[(0, 13, true), (1, 8, false), (0, 8, true)]),
    ("empty", &[(0, 0, true), (1, 0, false), (0, 8, true), (1, 1, false)]),
    ("hole", &[(0, 8, true), (3, 8, true), (5, 8, false)]),
    ("many", &[(0, 8, true), (1, 8, true), (2, 8, true), (3, 8, true), (4, 8, true), (5, 8, true), (6, 8, false)]),
];

pub(super) fn seeds() -> Vec<Seed> {
    let mut found = Vec::new();
    for (what, layout) in LAYOUTS {
        for policy in 0..7 {
            let mut octets = vec![policy];
            octets.extend(steps(layout, 0));
            found.push((name(&format!("{what} policy {policy}")), octets));
        }
        let mut octets = vec![0];
        octets.extend(steps(layout, V6));
        found.push((name(&format!("{what} v6")), octets));
        // Four datagrams at once and time that passes, under the tight limits.
        let of = |id: u8| steps(layout, id << 4).into_iter().collect::<Vec<_>>();
        let all: Vec<Vec<u8>> = (0..4).map(of).collect();
        let mut octets = vec![0x80];
        for at in 0..layout.len() {
            all.iter().for_each(|one| octets.extend_from_slice(&one[5 * at..5 * at + 5]));
        }
        found.push((name(&format!("{what} bounds")), octets));
    }
    let near_end = [NEAR_END | MORE, 0, 64, 1, 0, NEAR_END, 128, 7, 2, 0, NEAR_END, 128, 8, 3, 0];
    found.push(("near-the-longest".to_owned(), [&[0][..], &near_end].concat()));
    let late = [MORE, 0, 8, 1, 0, 0, 1, 8, 2, 100, MORE, 0, 8, 1, 0, 0, 1, 8, 2, 0x9c];
    found.push(("too-late".to_owned(), [&[0x80][..], &late].concat()));
    found
}

fn steps(layout: &[Part], flags: u8) -> Vec<u8> {
    let one = |(nth, (offset, len, more)): (u8, &Part)| [flags | u8::from(*more), *offset, *len, 0x30 + nth, nth];
    (0..).zip(layout).flat_map(one).collect()
}
