//! The window of recently delivered octets, shared by all streams: what a later copy is compared with.
//!
//! A ring of octets and a ring of entries that say whose they are. A stream keeps the number of its newest entry,
//! each entry that of the one before it in the same stream. Overwritten entries and octets are known by their numbers,
//! so nothing has to be cleaned up when a stream ends.
//!
//! Octets that are lent stay where they are: their place in the ring is left empty, and a list says where they lie. They
//! are copied when the stretch that they lie in goes.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::lent::{NOT_LENT, Stretch, Stretches};

/// Number of an entry; 0 = none.
pub(crate) type EntryId = u64;

/// Entries that one comparison looks at before it stops: a bound on the time that an old copy can cost.
const MAX_STEPS: u32 = 1024;
/// The entries' ring is as long as if each held this many octets.
const OCTETS_PER_ENTRY: usize = 256;

#[derive(Clone, Copy, Default)]
struct Entry {
    /// Position in the stream.
    start: u64,
    /// Number of its first octet, counted over everything ever written.
    at: u64,
    /// The stream's entry before this one.
    prev: EntryId,
    len: u32,
}

/// Octets of the ring that lie elsewhere.
struct Elsewhere {
    /// Number of the first.
    at: u64,
    /// Where they are lent; [`NOT_LENT`]: no longer, they were copied.
    lent: u64,
    len: u32,
}

/// Fewest octets that are left where they lie: finding them again costs more than copying fewer.
const LENT_FROM: usize = 256;

/// The ring.
pub(crate) struct History {
    bytes: Box<[u8]>,
    /// By number; what the ring no longer reaches goes.
    elsewhere: VecDeque<Elsewhere>,
    size: usize,
    /// Number of the next octet.
    head: u64,
    entries: Box<[Entry]>,
    /// Number of the next entry.
    next: EntryId,
}

impl History {
    /// A window of `octets`, rounded up to a power of two; 0 switches it off. Memory is taken when the first octet comes.
    pub(crate) fn new(octets: u64) -> Self {
        let octets = usize::try_from(octets.min(1 << 30)).unwrap_or(0);
        let size = if octets == 0 { 0 } else { octets.next_power_of_two() };
        Self { bytes: Box::default(), elsewhere: VecDeque::new(), size, head: 0, entries: Box::default(), next: 1 }
    }

    /// Octets of memory.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>() + self.elsewhere.capacity() * size_of::<Elsewhere>()
    }

    /// Remembers octets that were delivered at `start`, or only where they are lent. `last` is the stream's newest entry.
    #[inline]
    pub(crate) fn record(&mut self, last: &mut EntryId, start: u64, bytes: &[u8], lent: Option<u64>) {
        if self.size == 0 || bytes.is_empty() {
            return;
        }
        if self.bytes.is_empty() {
            self.take_memory();
        }
        let lent = lent.filter(|_| bytes.len() >= LENT_FROM).unwrap_or(NOT_LENT);
        let room = self.size - self.place(self.head);
        if bytes.len() <= room {
            self.append(last, start, bytes, lent);
        } else {
            self.wrap(last, start, bytes, lent);
        }
    }

    #[cold]
    fn take_memory(&mut self) {
        self.bytes = vec![0; self.size].into_boxed_slice();
        self.entries = vec![Entry::default(); (self.size / OCTETS_PER_ENTRY).max(16)].into_boxed_slice();
    }

    /// Appends octets that don't fit before the ring's end; of more than the ring holds, the last ones.
    #[cold]
    fn wrap(&mut self, last: &mut EntryId, start: u64, bytes: &[u8], lent: u64) {
        let mut skip = bytes.len().saturating_sub(self.size);
        while skip < bytes.len() {
            let to = bytes.len().min(skip + self.size - self.place(self.head));
            let lent = if lent == NOT_LENT { NOT_LENT } else { lent + skip as u64 };
            self.append(last, start + skip as u64, &bytes[skip..to], lent);
            skip = to;
        }
    }

    /// Copies what is remembered in a stretch that goes.
    pub(crate) fn copy_from(&mut self, stretch: &Stretch) {
        let (oldest, mask) = (self.oldest(), (self.size as u64).wrapping_sub(1));
        for run in &mut self.elsewhere {
            let lost = oldest.saturating_sub(run.at).min(u64::from(run.len));
            let len = run.len as usize - lost as usize;
            if let Some(octets) = stretch.get(run.lent, run.len as usize) {
                let place = ((run.at + lost) & mask) as usize;
                self.bytes[place..place + len].copy_from_slice(&octets[lost as usize..]);
                run.lent = NOT_LENT;
            }
        }
    }

    /// Octets of the ring from number `at` on, which don't wrap.
    fn octets<'a>(&'a self, stretches: &'a Stretches, at: u64, len: usize) -> Cow<'a, [u8]> {
        let place = self.place(at);
        let copied = &self.bytes[place..place + len];
        let end = at + len as u64;
        let from = self.elsewhere.partition_point(|run| run.at + u64::from(run.len) <= at);
        let mut runs = self.elsewhere.range(from..).take_while(|run| run.at < end).filter(|run| run.lent != NOT_LENT);
        let Some(first) = runs.next() else { return Cow::Borrowed(copied) };
        if first.at <= at && end <= first.at + u64::from(first.len) {
            return Cow::Borrowed(stretches.get(first.lent + (at - first.at), len));
        }
        let mut octets = copied.to_vec();
        for run in std::iter::once(first).chain(runs) {
            let (a, b) = (run.at.max(at), end.min(run.at + u64::from(run.len)));
            let lent = stretches.get(run.lent + (a - run.at), (b - a) as usize);
            octets[(a - at) as usize..(b - at) as usize].copy_from_slice(lent);
        }
        Cow::Owned(octets)
    }

    /// Calls `found(position, kept, other)` for each remembered run that shares octets with `other` at `start`.
    pub(crate) fn compare(
        &self,
        stretches: &Stretches,
        last: EntryId,
        start: u64,
        other: &[u8],
        mut found: impl FnMut(u64, &[u8], &[u8]),
    ) {
        let end = start + other.len() as u64;
        let mut id = last;
        for _ in 0..MAX_STEPS {
            let Some((entry, from)) = self.entry(id) else { return };
            let (a, b) = (start.max(from), end.min(entry.start + u64::from(entry.len)));
            if a < b {
                let len = (b - a) as usize;
                let skip = (a - start) as usize;
                let kept = self.octets(stretches, entry.at + (a - entry.start), len);
                found(a, &kept, &other[skip..skip + len]);
            }
            if entry.start <= start {
                return;
            }
            id = entry.prev;
        }
    }

    /// An entry that is still there, and the position from which its octets are.
    fn entry(&self, id: EntryId) -> Option<(Entry, u64)> {
        let count = self.entries.len() as u64;
        if id == 0 || id + count < self.next {
            return None;
        }
        let entry = self.entries[self.slot(id)];
        let lost = self.oldest().saturating_sub(entry.at);
        (lost < u64::from(entry.len)).then_some((entry, entry.start + lost))
    }

    /// Number of the oldest octet that is still there.
    fn oldest(&self) -> u64 {
        self.head.saturating_sub(self.size as u64)
    }

    /// Notes where octets lie that are appended.
    #[inline]
    fn leave(&mut self, lent: u64, len: u32) {
        let oldest = self.oldest();
        while self.elsewhere.front().is_some_and(|run| run.at + u64::from(run.len) <= oldest) {
            self.elsewhere.pop_front();
        }
        self.elsewhere.push_back(Elsewhere { at: self.head, lent, len });
    }

    /// Appends octets that fit without wrapping.
    #[inline]
    fn append(&mut self, last: &mut EntryId, start: u64, bytes: &[u8], lent: u64) {
        let (place, len) = (self.place(self.head), bytes.len() as u32);
        if lent == NOT_LENT {
            self.bytes[place..place + bytes.len()].copy_from_slice(bytes);
        } else {
            self.leave(lent, len);
        }
        let slot = self.slot(self.next - 1);
        let newest = &mut self.entries[slot];
        let joins = *last + 1 == self.next && *last != 0 && newest.start + u64::from(newest.len) == start && place != 0;
        if joins {
            newest.len += len;
        } else {
            let slot = self.slot(self.next);
            self.entries[slot] = Entry { start, at: self.head, prev: *last, len };
            *last = self.next;
            self.next += 1;
        }
        self.head += u64::from(len);
    }

    fn slot(&self, id: EntryId) -> usize {
        (id & (self.entries.len() as u64 - 1)) as usize
    }

    fn place(&self, number: u64) -> usize {
        (number & (self.size as u64 - 1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(history: &History, last: EntryId, start: u64, len: usize) -> Vec<(u64, Vec<u8>)> {
        let mut runs = Vec::new();
        history.compare(&Stretches::default(), last, start, &vec![0; len], |at, kept, other| {
            assert_eq!(kept.len(), other.len());
            runs.push((at, kept.to_vec()));
        });
        runs.sort();
        runs
    }

    #[test]
    fn history_two_streams_keep_their_own_octets_until_overwritten() {
        let mut history = History::new(1024);
        let (mut a, mut b) = (0, 0);
        history.record(&mut a, 5, b"hello", None);
        history.record(&mut a, 10, b" you", None);
        history.record(&mut b, 5, b"other", None);
        history.record(&mut a, 14, b"!", None);
        assert_eq!(found(&history, a, 0, 100), vec![(5, b"hello you".to_vec()), (14, b"!".to_vec())]);
        assert_eq!(found(&history, b, 6, 2), vec![(6, b"th".to_vec())]);
        history.record(&mut b, 10, &[9; 1014], None);
        assert_eq!(found(&history, a, 0, 100), vec![(10, b" you".to_vec()), (14, b"!".to_vec())]);
        history.record(&mut b, 1024, &[8; 2500], None);
        assert_eq!(found(&history, a, 0, 100), vec![]);
        assert_eq!(found(&history, b, 2498, 4), vec![(2500, vec![8; 2])]);
    }

    #[test]
    fn history_of_size_zero_takes_no_memory() {
        let mut history = History::new(0);
        let mut last = 0;
        history.record(&mut last, 0, b"abc", None);
        assert_eq!((last, history.memory()), (0, 0));
        assert_eq!(found(&history, last, 0, 3), vec![]);
    }
}
