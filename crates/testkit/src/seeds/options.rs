//! TCP option lists: those that stacks send, every kind, repeats, and lists that are wrong in one place.

use super::{Seed, name};

const MSS: &[u8] = &[2, 4, 5, 0xb4];
const SCALE: &[u8] = &[3, 3, 7];
const SACK_OK: &[u8] = &[4, 2];
const TIMES: &[u8] = &[8, 10, 0, 0, 1, 2, 0, 0, 0, 3];
const NOP: &[u8] = &[1];
const END: &[u8] = &[0];

/// One option of each kind that is read, and of some that are only walked over.
const KINDS: &[(&str, &[u8])] = &[
    ("mss", MSS),
    ("window scale", SCALE),
    ("window scale beyond 14", &[3, 3, 15]),
    ("sack permitted", SACK_OK),
    ("sack", &[5, 10, 0, 0, 0, 1, 0, 0, 0, 9]),
    ("sack 3", &[5, 26, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 20, 0, 0, 0, 30, 255, 255, 255, 240, 0, 0, 0, 4]),
    ("timestamps", TIMES),
    ("echo", &[6, 6, 1, 2, 3, 4]),
    ("alternate checksum", &[14, 3, 1]),
    ("md5", &[19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    ("user timeout", &[28, 4, 0x80, 5]),
    ("ao", &[29, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
    ("mptcp capable", &[30, 12, 1, 0x81, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("mptcp join", &[30, 12, 0x10, 2, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("mptcp dss", &[30, 20, 0x20, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 9, 0, 0]),
    ("mptcp add address", &[30, 8, 0x30, 1, 192, 0, 2, 1]),
    ("mptcp remove address", &[30, 4, 0x40, 1]),
    ("mptcp priority", &[30, 3, 0x51]),
    ("mptcp fail", &[30, 12, 0x60, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("mptcp fast close", &[30, 12, 0x70, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("mptcp reset", &[30, 4, 0x80, 1]),
    ("fast open request", &[34, 2]),
    ("fast open cookie", &[34, 10, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("eno", &[69, 3, 1]),
    ("accurate ecn 0", &[172, 11, 0, 0, 1, 0, 0, 2, 0, 0, 3]),
    ("accurate ecn 1", &[174, 11, 0, 0, 1, 0, 0, 2, 0, 0, 3]),
    ("experiment fast open", &[254, 8, 0xf9, 0x89, 1, 2, 3, 4]),
    ("experiment 253", &[253, 6, 0xe2, 0xd4, 1, 2]),
    ("experiment shared", &[255, 4, 0xac, 0xce]),
    ("unknown", &[77, 5, 1, 2, 3]),
];

/// Whole lists of SYNs, by the stack that sends them.
const LISTS: &[(&str, &[&[u8]])] = &[
    ("linux", &[MSS, SACK_OK, TIMES, NOP, SCALE]),
    ("linux fast open", &[MSS, SACK_OK, TIMES, NOP, SCALE, &[34, 2], NOP, NOP]),
    ("darwin", &[MSS, NOP, SCALE, NOP, NOP, TIMES, SACK_OK, END, END]),
    ("windows", &[MSS, NOP, SCALE, NOP, NOP, SACK_OK]),
    ("data", &[NOP, NOP, TIMES]),
    ("data sack", &[NOP, NOP, TIMES, NOP, NOP, &[5, 10, 0, 0, 0, 1, 0, 0, 0, 9]]),
    ("md5", &[&[19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], NOP, NOP, MSS]),
    ("mptcp", &[MSS, SACK_OK, TIMES, NOP, SCALE, &[30, 12, 1, 0x81, 1, 2, 3, 4, 5, 6, 7, 8]]),
    ("repeated", &[MSS, MSS, SCALE, SCALE, SACK_OK, SACK_OK, TIMES, TIMES]),
    ("end in the middle", &[MSS, END, SCALE]),
    ("padding only", &[&[1; 40]]),
];

pub(super) fn seeds() -> Vec<Seed> {
    let mut found = vec![("empty".to_owned(), Vec::new())];
    for (what, option) in KINDS {
        found.push((name(&format!("kind {what}")), option.to_vec()));
        let padded = [*option, &[1, 1, 0][..(4 - option.len() % 4) % 4]].concat();
        found.push((name(&format!("kind {what} padded twice")), [padded.clone(), padded].concat()));
        // A length that is one less, one more, or one that no option has.
        for (wrong, len) in [("short", option[1] - 1), ("long", option[1] + 1), ("one", 1)] {
            let mut octets = [MSS, option, SCALE].concat();
            octets[5] = len;
            found.push((name(&format!("kind {what} {wrong}")), octets));
        }
    }
    for (what, parts) in LISTS {
        let whole = parts.concat();
        found.push((name(&format!("list {what} cut")), whole[..whole.len() - 1].to_vec()));
        found.push((name(&format!("list {what}")), whole));
    }
    found
}
