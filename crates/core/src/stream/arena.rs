//! The one bounded store that all streams of an engine share: waiting octets and the window of recent ones.
//!
//! Waiting octets lie in slots ([`super::slab`]), found through a tree per stream ([`super::pieces`]). After warm-up
//! nothing here allocates.

use super::history::History;
use super::lent::{Lent, NOT_LENT, Stretch, Stretches};
use super::limits::StreamLimits;
use super::pieces::{NIL, NODE_OCTETS, NOT_ACKED, Piece, PieceId, Pieces};
use super::queue::{QueueId, Queues};
use super::slab::{PAGE, Slab, slot_size};

/// What all streams of an arena met, ended ones included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Holes given up because the peer acknowledged them and the patience was over.
    pub acked_gaps: u64,
    /// Times a direction had to give up a hole because it held as many octets as it may.
    pub direction_limit_hits: u64,
    /// Times a stream had to give up a hole because all streams held as many octets as they may.
    pub total_limit_hits: u64,
    /// Holes that were open when the connection ended.
    pub end_gaps: u64,
    /// Jumps of the sequence numbers that a stream followed.
    pub resyncs: u64,
    /// Segments with sequence numbers out of every plausible window, left out.
    pub wild_segments: u64,
    /// Keep-alives and repeated zero-window probes.
    pub keep_alives: u64,
    /// Octets that lie before the stream's start, left out.
    pub before_start_octets: u64,
    /// Octets after the FIN, left out.
    pub after_fin_octets: u64,
}

/// The shared store. One per engine; every method of [`super::Stream`] that may store or release takes it.
pub struct Arena {
    pub(crate) limits: StreamLimits,
    pub(crate) slab: Slab,
    pub(crate) pieces: Pieces,
    pub(crate) queues: Queues,
    pub(crate) history: History,
    pub(crate) lent: Stretches,
    /// Pieces that were lent, and perhaps still are.
    lent_pieces: Vec<PieceId>,
    pub(crate) totals: Totals,
    /// Memory of all waiting octets: slots and nodes.
    octets: u64,
    patience: i64,
}

impl Arena {
    /// An empty arena; memory is taken as needed, up to the limits.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        let total = limits.total_octets.min(3 << 30);
        Self {
            limits: StreamLimits { total_octets: total, ..limits },
            slab: Slab::new(total + total / 16),
            pieces: Pieces::new(),
            queues: Queues::new(),
            history: History::new(limits.history_octets),
            lent: Stretches::default(),
            lent_pieces: Vec::new(),
            totals: Totals::default(),
            octets: 0,
            patience: i64::try_from(limits.gap_patience_ns).unwrap_or(i64::MAX),
        }
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &StreamLimits {
        &self.limits
    }

    /// Counters over all streams.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Octets of memory that waiting octets use, as the limits count them.
    #[must_use]
    pub fn waiting_octets(&self) -> u64 {
        self.octets
    }

    /// Octets of memory that the arena holds, used or not.
    #[must_use]
    pub fn memory_octets(&self) -> usize {
        self.slab.memory() + self.pieces.memory() + self.queues.memory() + self.history.memory()
    }

    /// Lends the octets that the next segments lie in, so that these aren't copied where they wait or are remembered: the
    /// position that [`super::Segment::lent`] counts from. They are held until two others were lent after them or
    /// [`Arena::return_lent`] is called; what is still needed of them then is copied.
    pub fn lend(&mut self, octets: Lent) -> u64 {
        let (at, gone) = self.lent.push(octets);
        if let Some(gone) = gone {
            self.copy_from(&gone);
        }
        at
    }

    /// Lets go of all that was lent.
    pub fn return_lent(&mut self) {
        for stretch in self.lent.take().into_iter().flatten() {
            self.copy_from(&stretch);
        }
    }

    /// Copies what waits or is remembered in a stretch that goes.
    fn copy_from(&mut self, stretch: &Stretch) {
        self.history.copy_from(stretch);
        let Self { lent_pieces, pieces, slab, .. } = self;
        lent_pieces.retain(|&id| {
            let piece = pieces.get_mut(id);
            if let Some(octets) = stretch.get(piece.lent, (piece.skip + piece.len) as usize) {
                slab.write(piece.slot, octets);
                piece.lent = NOT_LENT;
            }
            piece.lent != NOT_LENT
        });
    }

    /// The token of the stream that must give up a hole now because all streams together hold too much: the one that
    /// went longest without progress. Ask after each push, call [`super::Stream::relieve`] on it, and ask again. An
    /// owner that never asks stays bounded too: then the stream that pushes gives up its own holes.
    #[must_use]
    pub fn over_limit(&self) -> Option<u32> {
        if self.octets <= self.limits.total_octets {
            return None;
        }
        self.queues.oldest().map(|queue| queue.token)
    }

    /// The token of a stream whose oldest hole was acknowledged [`StreamLimits::gap_patience_ns`] ago, at packet time
    /// `now_ns`. Call [`super::Stream::on_time`] on it, and ask again. One comparison where nothing is due, so it can
    /// be asked at each packet; streams that get packets judge themselves.
    #[inline]
    #[must_use]
    pub fn due(&self, now_ns: i64) -> Option<u32> {
        self.queues.first_due().filter(|queue| self.is_over(queue.due_from, now_ns)).map(|queue| queue.token)
    }

    /// The patience that began at `since` is over.
    pub(crate) fn is_over(&self, since: i64, now: i64) -> bool {
        now.saturating_sub(since) >= self.patience
    }

    /// First waiting piece of a stream.
    pub(crate) fn head(&self, queue: QueueId) -> PieceId {
        if queue == NIL { NIL } else { self.queues.get(queue).head }
    }

    /// Stores octets of which none waits yet, at most one page, or only where they are lent. `false`: there is no memory
    /// left.
    pub(crate) fn store(
        &mut self,
        queue: QueueId,
        start: u64,
        (bytes, lent): (&[u8], Option<u64>),
        acked: (u64, i64),
    ) -> bool {
        debug_assert!(!bytes.is_empty() && bytes.len() <= PAGE);
        let len = bytes.len() as u32;
        if self.octets > self.limits.total_octets + self.limits.total_octets / 16 {
            return false;
        }
        let Some(slot) = self.slab.alloc(len) else { return false };
        let id = self.pieces.create(start, len, slot, slot_size(len));
        match lent {
            None => self.slab.write(slot, bytes),
            Some(at) => self.lend_piece(id, at),
        }
        if start <= acked.0 {
            self.pieces.get_mut(id).acked_at = acked.1;
        }
        self.attach(queue, id);
        true
    }

    /// Takes `[from, to)` out of a piece that contains it. `false`: there was no memory for a second remainder.
    pub(crate) fn cut(&mut self, queue: QueueId, id: PieceId, from: u64, to: u64) -> bool {
        let piece = self.pieces.get(id);
        let (start, end) = (piece.start, piece.end());
        match (start < from, to < end) {
            (false, false) => self.remove(queue, id),
            (true, false) => self.pieces.get_mut(id).len = (from - start) as u32,
            (false, true) => self.trim_front(id, (to - start) as u32),
            (true, true) => return self.cut_middle(queue, id, from, to),
        }
        true
    }

    fn cut_middle(&mut self, queue: QueueId, id: PieceId, from: u64, to: u64) -> bool {
        let piece = self.pieces.get(id);
        let (start, len, old, acked_at, lent) =
            (piece.start, (piece.end() - to) as u32, piece.slot, piece.acked_at, piece.lent);
        let skip = piece.skip + (to - start) as u32;
        let Some(slot) = self.slab.alloc(len) else { return false };
        self.pieces.get_mut(id).len = (from - start) as u32;
        let right = self.pieces.create(to, len, slot, slot_size(len));
        if lent == NOT_LENT {
            self.slab.copy(old, skip, len, slot);
        } else {
            self.lend_piece(right, lent + u64::from(skip));
        }
        self.pieces.get_mut(right).acked_at = acked_at;
        self.attach(queue, right);
        true
    }

    /// Drops the first `count` octets of a longer piece.
    pub(crate) fn trim_front(&mut self, id: PieceId, count: u32) {
        let piece = self.pieces.get_mut(id);
        debug_assert!(count < piece.len);
        piece.start += u64::from(count);
        piece.skip += count;
        piece.len -= count;
    }

    /// The piece's octets.
    pub(crate) fn bytes(&self, id: PieceId) -> &[u8] {
        let piece = self.pieces.get(id);
        piece_bytes(&self.slab, &self.lent, piece, piece.len)
    }

    /// The piece's octets are lent.
    fn lend_piece(&mut self, id: PieceId, at: u64) {
        self.pieces.get_mut(id).lent = at;
        self.lent_pieces.push(id);
    }

    /// Frees a piece.
    pub(crate) fn remove(&mut self, queue: QueueId, id: PieceId) {
        let root = self.pieces.remove(self.queues.get(queue).root, id);
        let piece = self.pieces.get(id);
        let (prev, next, slot) = (piece.prev, piece.next, piece.slot);
        let octets = u64::from(piece.slot_len + NODE_OCTETS);
        self.slab.free(slot);
        self.pieces.get_mut(id).lent = NOT_LENT;
        self.pieces.discard(id);
        let owner = self.queues.get_mut(queue);
        owner.root = root;
        owner.octets -= octets;
        self.octets -= octets;
        if owner.unacked == id {
            owner.unacked = next;
        }
        if prev == NIL {
            owner.head = next;
        } else {
            self.pieces.get_mut(prev).next = next;
        }
        if next == NIL {
            owner.tail = prev;
        } else {
            self.pieces.get_mut(next).prev = prev;
        }
    }

    /// The peer's acknowledgement was seen to reach `una` at `now`: stamps the pieces whose hole it passed.
    pub(crate) fn acknowledge(&mut self, queue: QueueId, una: u64, now: i64) {
        let mut id = self.queues.get(queue).unacked;
        while id != NIL && self.pieces.get(id).start <= una {
            let piece = self.pieces.get_mut(id);
            piece.acked_at = now;
            id = piece.next;
        }
        self.queues.get_mut(queue).unacked = id;
    }

    /// Puts a new piece into its stream's tree and list.
    fn attach(&mut self, queue: QueueId, id: PieceId) {
        let owner = self.queues.get_mut(queue);
        let piece = self.pieces.get(id);
        let (start, acked) = (piece.start, piece.acked_at != NOT_ACKED);
        let octets = u64::from(piece.slot_len + NODE_OCTETS);
        let prev = self.pieces.floor(owner.root, start);
        let next = if prev == NIL { owner.head } else { self.pieces.get(prev).next };
        owner.root = self.pieces.insert(owner.root, id);
        owner.octets += octets;
        self.octets += octets;
        if !acked && (owner.unacked == NIL || owner.unacked == next) {
            owner.unacked = id;
        }
        if prev == NIL {
            owner.head = id;
        } else {
            self.pieces.get_mut(prev).next = id;
        }
        if next == NIL {
            owner.tail = id;
        } else {
            self.pieces.get_mut(next).prev = id;
        }
        let piece = self.pieces.get_mut(id);
        piece.prev = prev;
        piece.next = next;
    }
}

/// The first `len` octets of a piece.
pub(crate) fn piece_bytes<'a>(slab: &'a Slab, lent: &'a Stretches, piece: &Piece, len: u32) -> &'a [u8] {
    match piece.lent {
        NOT_LENT => slab.bytes(piece.slot, piece.skip, len),
        at => lent.get(at + u64::from(piece.skip), len as usize),
    }
}
