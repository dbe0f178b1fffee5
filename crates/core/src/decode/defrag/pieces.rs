//! The octets of one datagram that are there, and which fragment each belongs to.
//!
//! Invariant: `list` is sorted by offset, without overlaps; every octet of `data` belongs to exactly one piece, so
//! `data.len()` is the number of octets covered. An octet that changes its owner is overwritten in place, so however
//! often fragments overlap, a datagram never takes more octets than it has.

use super::FragmentPolicy;

/// A range of octets in a datagram, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
}

/// A range whose octets lie together and have one owner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    start: u32,
    end: u32,
    /// Where its octets begin in the data.
    at: u32,
    /// What the owning fragment spanned on the wire: policies ask for that, not for what is left of it.
    owner: Span,
}

/// How a fragment lies to those that came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    Apart,
    Duplicate,
    Overlap,
}

/// Octets and owners of one datagram.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    data: Vec<u8>,
    list: Vec<Piece>,
    /// Some octets were stored before others that come earlier in the datagram.
    shuffled: bool,
}

impl Pieces {
    /// Octets of the datagram that are there.
    pub fn covered(&self) -> usize {
        self.data.len()
    }

    /// End of the last octet that is there; 0 where none is.
    pub fn end(&self) -> u32 {
        self.list.last().map_or(0, |piece| piece.end)
    }

    /// Octets of memory in use.
    pub fn cost(&self) -> usize {
        self.data.len() + self.list.len() * size_of::<Piece>()
    }

    pub fn clear(&mut self) {
        self.data.clear();
        self.list.clear();
        self.shuffled = false;
    }

    /// Compares a fragment with what is there. A duplicate has the same span and the same octets as a fragment none
    /// of whose octets was lost to another: putting it again would change nothing under any policy.
    pub fn meeting(&self, new: Span, payload: &[u8]) -> Meeting {
        let from = self.first_reaching(new.start);
        match self.list.get(from) {
            Some(piece) if piece.start < new.end => {
                let same_span = piece.owner == new && piece.start == new.start && piece.end == new.end;
                if same_span && self.octets(piece) == payload { Meeting::Duplicate } else { Meeting::Overlap }
            }
            _ => Meeting::Apart,
        }
    }

    /// Puts a fragment in: holes are filled, and where octets are there already, `policy` says whose count.
    pub fn put(&mut self, new: Span, payload: &[u8], policy: FragmentPolicy, scratch: &mut Vec<Piece>) {
        debug_assert_eq!((new.end - new.start) as usize, payload.len());
        let from = self.first_reaching(new.start);
        if from == self.list.len() {
            let piece = self.store(new, new, payload);
            self.list.push(piece);
            return;
        }
        let to = from + self.list[from..].partition_point(|piece| piece.start < new.end);
        scratch.clear();
        let mut at = new.start;
        for index in from..to {
            let old = self.list[index];
            if at < old.start {
                scratch.push(self.store(Span { start: at, end: old.start }, new, payload));
            }
            self.contest(old, new, payload, policy, scratch);
            at = old.end;
        }
        if at < new.end {
            scratch.push(self.store(Span { start: at, end: new.end }, new, payload));
        }
        self.list.splice(from..to, scratch.drain(..));
        debug_assert!(self.list.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }

    /// Writes the datagram, which must have no hole, to `out`. The pieces are void afterwards.
    pub fn assemble(&mut self, out: &mut Vec<u8>) {
        if !self.shuffled {
            std::mem::swap(out, &mut self.data);
            return;
        }
        out.clear();
        for piece in &self.list {
            out.extend_from_slice(self.octets(piece));
        }
    }

    /// Index of the first piece that ends after `start`.
    fn first_reaching(&self, start: u32) -> usize {
        // Most fragments come in order: behind everything.
        if self.end() <= start { self.list.len() } else { self.list.partition_point(|piece| piece.end <= start) }
    }

    fn octets(&self, piece: &Piece) -> &[u8] {
        let at = piece.at as usize;
        &self.data[at..at + (piece.end - piece.start) as usize]
    }

    /// Stores the part `span` of fragment `owner`, where nothing is yet.
    #[allow(clippy::cast_possible_truncation, reason = "at most 65,535 octets are covered")]
    fn store(&mut self, span: Span, owner: Span, payload: &[u8]) -> Piece {
        let at = self.data.len() as u32;
        self.shuffled |= span.start < self.end();
        self.data.extend_from_slice(part(payload, owner, span));
        Piece { start: span.start, end: span.end, at, owner }
    }

    /// Writes `old` to `scratch`, divided where the fragment `new` takes octets from it.
    fn contest(&mut self, old: Piece, new: Span, payload: &[u8], policy: FragmentPolicy, scratch: &mut Vec<Piece>) {
        if !policy.new_wins(old.owner, new) {
            scratch.push(old);
            return;
        }
        let taken = Span { start: old.start.max(new.start), end: old.end.min(new.end) };
        let at = old.at + (taken.start - old.start);
        let len = (taken.end - taken.start) as usize;
        self.data[at as usize..at as usize + len].copy_from_slice(part(payload, new, taken));
        if old.start < taken.start {
            scratch.push(Piece { end: taken.start, ..old });
        }
        scratch.push(Piece { start: taken.start, end: taken.end, at, owner: new });
        if taken.end < old.end {
            scratch.push(Piece { start: taken.end, at: old.at + (taken.end - old.start), ..old });
        }
    }
}

/// The octets of `span` in the payload of a fragment that spans `owner`.
fn part(payload: &[u8], owner: Span, span: Span) -> &[u8] {
    &payload[(span.start - owner.start) as usize..(span.end - owner.start) as usize]
}
