//! Zeek's `history`: one letter for what happened first, upper case for the originator.

use crate::analysis::seen::Seen;
use crate::decode::flags;

/// Letters kept; a connection would have to repeat its SYN, FIN or RST with ever new numbers to have more.
pub const MOST: usize = 48;

/// Which letters were noted already.
const SYN: u8 = 1;
const FIN: u8 = 1 << 1;
const RST: u8 = 1 << 2;
const DATA: u8 = 1 << 3;
const ACK: u8 = 1 << 4;
const FIN_RST: u8 = 1 << 5;
const SEVERAL: u8 = 1 << 6;

/// Letters that stand for the 1st, 10th, 100th … time.
const SCALED: [u8; 3] = *b"tgw";

/// Of originator and responder.
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    letters: u8,
    /// Places of the latest SYN, FIN and RST.
    latest: [i64; 3],
    /// How often each of `SCALED` came.
    counts: [u32; SCALED.len()],
}

/// A connection's state history.
#[derive(Clone, Debug)]
pub struct History {
    noted: [Noted; 2],
    text: [u8; MOST],
    len: u8,
}

impl Default for History {
    fn default() -> Self {
        Self { noted: Default::default(), text: [0; MOST], len: 0 }
    }
}

impl History {
    /// A segment from the originator (`way` 0) or the responder, whose sequence number stands at `place`.
    #[inline]
    pub fn segment(&mut self, seen: &Seen<'_>, way: usize, place: i64) {
        if seen.is_plain() {
            self.plain(seen, way);
        } else {
            self.control(seen, way, place);
        }
    }

    /// One without SYN, FIN and RST.
    #[inline]
    pub fn plain(&mut self, seen: &Seen<'_>, way: usize) {
        let (mask, letter) = match seen.len {
            0 if seen.has(flags::ACK) => (ACK, b'a'),
            0 => return,
            _ => (DATA, b'd'),
        };
        if self.noted[way].letters & mask == 0 {
            self.first(way, mask, letter);
        }
    }

    #[cold]
    fn control(&mut self, seen: &Seen<'_>, way: usize, place: i64) {
        match seen.flags & (flags::SYN | flags::FIN | flags::RST) {
            flags::SYN => {
                let letter = if seen.has(flags::ACK) { b'h' } else { b's' };
                self.again(way, SYN, letter, place);
            }
            // A FIN's number stands behind the payload.
            flags::FIN => self.again(way, FIN, b'f', place + i64::from(seen.len)),
            flags::RST => self.again(way, RST, b'r', place),
            several if several & (flags::FIN | flags::RST) == flags::FIN | flags::RST => {
                self.first(way, FIN_RST, b'i');
            }
            _ => self.first(way, SEVERAL, b'q'),
        }
    }

    /// Noted the first time only.
    #[cold]
    fn first(&mut self, way: usize, mask: u8, letter: u8) {
        if self.noted[way].letters & mask == 0 {
            self.noted[way].letters |= mask;
            self.push(way, letter);
        }
    }

    /// Noted again where the place is another one than the latest.
    fn again(&mut self, way: usize, mask: u8, letter: u8, place: i64) {
        let latest = &mut self.noted[way].latest[mask.trailing_zeros() as usize];
        let another = std::mem::replace(latest, place) != place;
        if self.noted[way].letters & mask == 0 {
            self.first(way, mask, letter);
        } else if another {
            self.push(way, letter);
        }
    }

    /// Noted the 1st, 10th, 100th … time.
    #[cold]
    pub fn scaled(&mut self, way: usize, letter: u8) {
        let Some(at) = SCALED.iter().position(|&each| each == letter) else { return };
        let count = &mut self.noted[way].counts[at];
        *count = count.saturating_add(1);
        if 10_u32.checked_pow(count.ilog10()) == Some(*count) {
            self.push(way, letter);
        }
    }

    /// Originator and responder change places: their letters so far keep their case, as in Zeek.
    pub fn flip(&mut self) {
        self.noted.swap(0, 1);
        if usize::from(self.len) < MOST {
            self.text[usize::from(self.len)] = b'^';
            self.len += 1;
        }
    }

    fn push(&mut self, way: usize, letter: u8) {
        if let Some(place) = self.text.get_mut(usize::from(self.len)) {
            *place = if way == 0 { letter.to_ascii_uppercase() } else { letter };
            self.len += 1;
        }
    }

    /// The letters.
    #[must_use]
    pub fn letters(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    /// A SYN, perhaps with more of its kind, and then the originator's RST.
    #[must_use]
    pub fn is_syn_then_reset(&self) -> bool {
        let letters = self.letters();
        let letters = letters.strip_prefix(b"^").unwrap_or(letters);
        let Some((b'S', rest)) = letters.split_first() else { return false };
        let other = rest.iter().position(|letter| b"HAFGIQR".contains(letter));
        other.is_some_and(|at| rest[at] == b'R')
    }
}
