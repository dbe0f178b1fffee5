//! The window of recently delivered octets, shared by all streams: what a later copy is compared with.
//!
//! A ring of octets and a ring of entries that say whose they are. A stream keeps the number of its newest entry,
//! each entry that of the one before it in the same stream. Overwritten entries and octets are known by their numbers,
//! so nothing has to be cleaned up when a stream ends.

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

/// The ring.
pub(crate) struct History {
    bytes: Box<[u8]>,
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
        Self { bytes: Box::default(), size, head: 0, entries: Box::default(), next: 1 }
    }

    /// Octets of memory.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    /// Remembers octets that were delivered at `start`. `last` is the stream's newest entry.
    pub(crate) fn record(&mut self, last: &mut EntryId, start: u64, mut bytes: &[u8]) {
        if self.size == 0 || bytes.is_empty() {
            return;
        }
        if self.bytes.is_empty() {
            self.bytes = vec![0; self.size].into_boxed_slice();
            self.entries = vec![Entry::default(); (self.size / OCTETS_PER_ENTRY).max(16)].into_boxed_slice();
        }
        let mut start = start;
        if bytes.len() > self.size {
            start += (bytes.len() - self.size) as u64;
            bytes = &bytes[bytes.len() - self.size..];
        }
        let room = self.size - self.place(self.head);
        if bytes.len() <= room {
            self.append(last, start, bytes);
        } else {
            self.append(last, start, &bytes[..room]);
            self.append(last, start + room as u64, &bytes[room..]);
        }
    }

    /// Calls `found(position, kept, other)` for each remembered run that shares octets with `other` at `start`.
    pub(crate) fn compare(&self, last: EntryId, start: u64, other: &[u8], mut found: impl FnMut(u64, &[u8], &[u8])) {
        let end = start + other.len() as u64;
        let mut id = last;
        for _ in 0..MAX_STEPS {
            let Some((entry, from)) = self.entry(id) else { return };
            let (a, b) = (start.max(from), end.min(entry.start + u64::from(entry.len)));
            if a < b {
                let place = self.place(entry.at + (a - entry.start));
                let len = (b - a) as usize;
                let skip = (a - start) as usize;
                found(a, &self.bytes[place..place + len], &other[skip..skip + len]);
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
        let oldest = self.head.saturating_sub(self.size as u64);
        let lost = oldest.saturating_sub(entry.at);
        (lost < u64::from(entry.len)).then_some((entry, entry.start + lost))
    }

    /// Appends octets that fit without wrapping.
    fn append(&mut self, last: &mut EntryId, start: u64, bytes: &[u8]) {
        let (place, len) = (self.place(self.head), bytes.len() as u32);
        self.bytes[place..place + bytes.len()].copy_from_slice(bytes);
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
        history.compare(last, start, &vec![0; len], |at, kept, other| {
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
        history.record(&mut a, 5, b"hello");
        history.record(&mut a, 10, b" you");
        history.record(&mut b, 5, b"other");
        history.record(&mut a, 14, b"!");
        assert_eq!(found(&history, a, 0, 100), vec![(5, b"hello you".to_vec()), (14, b"!".to_vec())]);
        assert_eq!(found(&history, b, 6, 2), vec![(6, b"th".to_vec())]);
        history.record(&mut b, 10, &[9; 1014]);
        assert_eq!(found(&history, a, 0, 100), vec![(10, b" you".to_vec()), (14, b"!".to_vec())]);
        history.record(&mut b, 1024, &[8; 2500]);
        assert_eq!(found(&history, a, 0, 100), vec![]);
        assert_eq!(found(&history, b, 2498, 4), vec![(2500, vec![8; 2])]);
    }

    #[test]
    fn history_of_size_zero_takes_no_memory() {
        let mut history = History::new(0);
        let mut last = 0;
        history.record(&mut last, 0, b"abc");
        assert_eq!((last, history.memory()), (0, 0));
        assert_eq!(found(&history, last, 0, 3), vec![]);
    }
}
