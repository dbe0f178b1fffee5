//! One direction's state: where the stream stands, what waits, what was met.
//!
//! Positions inside are 64-bit numbers in which the first sequence number seen stands at `ORIGIN`, so that the
//! stream's start can still move down; offsets outside count from that start.

use super::arena::Arena;
use super::history::EntryId;
use super::limits::Deliver;
use super::pieces::NIL;
use super::queue::QueueId;
use super::sink::{GapReason, Sink};
use crate::seq::SeqNum;

/// Where the first sequence number stands.
const ORIGIN: u64 = 1 << 40;
/// Farthest that a segment may lie from `rcv_nxt`: RFC 7323 section 2.3's largest window.
const REACH: i32 = 1 << 30;
/// Farthest that an acknowledgement is believed to run ahead of the octets that were seen.
const ACK_REACH: u64 = 16 << 20;
/// Farthest that a stream without a SYN moves its start down for an earlier segment.
const LOWER: u64 = 1 << 20;
/// Wild segments in a row that continue each other before the stream follows them.
const RESYNC_AFTER: u8 = 3;
/// Farthest that the next of them may lie from the end of the one before.
const RESYNC_STEP: u32 = 1 << 20;

/// What a stream needs to know of a segment. RST payload is not stream data (RFC 9293 section 3.5.3): don't push it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Segment<'a> {
    /// The header's sequence number.
    pub seq: SeqNum,
    /// SYN: the payload begins one later.
    pub syn: bool,
    /// FIN: stands after the payload.
    pub fin: bool,
    /// The payload as far as it was captured. More than `wire_len` is padding and ignored.
    pub payload: &'a [u8],
    /// Octets of payload on the wire. What was not captured is a hole that a retransmission may fill.
    pub wire_len: u32,
    /// The peer's last advertised window is zero: one new octet is a probe (RFC 9293 section 3.8.6.1).
    pub zero_window: bool,
    /// Packet time, nanoseconds.
    pub ts_ns: i64,
    /// Where the payload lies in what was lent: a position that [`Arena::lend`] gave, and the octets from there on.
    pub lent: Option<u64>,
}

/// What one stream met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Payload octets of segments that brought nothing new.
    pub retransmitted_bytes: u64,
    /// Octets seen before, in segments that also brought new ones.
    pub overlap_bytes: u64,
    /// Octets that came again with another value.
    pub conflict_bytes: u64,
    /// Octets given up.
    pub gap_bytes: u64,
    /// Segments that arrived above `rcv_nxt`.
    pub out_of_order: u32,
    /// Segments of which octets were left out: wild, before the start, after the FIN.
    pub ignored: u32,
}

/// One direction. 112 octets; a connection holds two. `token` is the owner's name for it, returned by
/// [`Arena::over_limit`] and [`Arena::due`].
/// What the next plain segment touches comes first, in the octets of one cache line.
#[derive(Debug)]
#[repr(C)]
pub struct Stream {
    /// Position of offset 0.
    pub(super) start: u64,
    /// Next position to hand over. Everything below was handed over or given up.
    pub(super) rcv_nxt: u64,
    /// Highest end seen.
    pub(super) snd_nxt: u64,
    /// Highest acknowledgement seen; 0 = none.
    pub(super) snd_una: u64,
    /// Position of the FIN; 0 = none.
    pub(super) fin: u64,
    pub(super) recent: EntryId,
    /// Sequence number that stands at `ORIGIN`; before `STARTED` meaningless.
    pub(super) origin: SeqNum,
    pub(super) queue: QueueId,
    /// End of the last wild segment; before the start, the peer's acknowledgement.
    wild_next: SeqNum,
    wild: u8,
    pub(super) flags: u8,
    /// A zero-window probe's octet at `rcv_nxt`, while `PROBE` is set.
    pub(super) probe: u8,
    pub(super) token: u32,
    pub(super) counters: Counters,
}

/// A first sequence number is known.
const STARTED: u8 = 1;
/// It comes from a SYN.
const SYN: u8 = 2;
/// An acknowledgement came before the start.
const EARLY_ACK: u8 = 4;
/// The start is that of a segment without payload, so it may have been a keep-alive.
const EMPTY_START: u8 = 8;
/// A zero-window probe's octet is held back.
pub(super) const PROBE: u8 = 16;

impl Stream {
    /// A stream that has seen nothing.
    #[must_use]
    pub fn new(token: u32) -> Self {
        Self {
            origin: SeqNum(0),
            token,
            start: ORIGIN,
            rcv_nxt: ORIGIN,
            snd_nxt: ORIGIN,
            snd_una: 0,
            fin: 0,
            recent: 0,
            counters: Counters::default(),
            queue: NIL,
            wild_next: SeqNum(0),
            wild: 0,
            flags: 0,
            probe: 0,
        }
    }

    /// A segment of this direction, in capture order.
    #[inline]
    pub fn push(&mut self, arena: &mut Arena, segment: &Segment<'_>, sink: &mut impl Sink) {
        let len = segment.payload.len();
        let plain = self.flags & (STARTED | PROBE) == STARTED
            && !segment.syn
            && !segment.fin
            && !segment.zero_window
            && len == segment.wire_len as usize
            && self.wild == 0;
        let settled = self.queue == NIL && self.fin == 0 && self.rcv_nxt == self.snd_nxt;
        if !plain || !settled || segment.seq != self.seq_at(self.rcv_nxt) || arena.limits.deliver == Deliver::Acked {
            return self.push_slow(arena, segment, sink);
        }
        if len > 0 {
            self.flags &= !EMPTY_START;
            sink.in_order(self.rcv_nxt - self.start, 0..segment.wire_len);
            arena.history.record(&mut self.recent, self.rcv_nxt, segment.payload, segment.lent);
            self.rcv_nxt += len as u64;
            self.snd_nxt = self.rcv_nxt;
        }
    }

    /// The peer's cumulative acknowledgement, from any of its segments with ACK set, in capture order.
    #[inline]
    pub fn on_ack(&mut self, arena: &mut Arena, ack: SeqNum, ts_ns: i64, sink: &mut impl Sink) {
        if self.flags & STARTED == 0 {
            self.wild_next = ack;
            self.flags |= EARLY_ACK;
            return;
        }
        let ahead = ack.since(self.seq_at(self.rcv_nxt));
        let una = self.rcv_nxt.saturating_add_signed(i64::from(ahead));
        if una > self.snd_una && una >= self.start && una <= self.snd_nxt + ACK_REACH {
            self.snd_una = una;
        }
        if self.queue != NIL || self.flags & PROBE != 0 {
            self.acknowledged(arena, ts_ns, sink);
        }
    }

    /// Gives up holes whose patience is over at packet time `now_ns`. For streams that [`Arena::due`] names.
    pub fn on_time(&mut self, arena: &mut Arena, now_ns: i64, sink: &mut impl Sink) {
        if self.queue != NIL {
            arena.queues.clear_due(self.queue);
            self.check_patience(arena, now_ns, sink);
        }
    }

    /// Gives up the oldest hole. For streams that [`Arena::over_limit`] names.
    pub fn relieve(&mut self, arena: &mut Arena, sink: &mut impl Sink) {
        if self.queue != NIL {
            arena.totals.total_limit_hits += 1;
            self.give_up_oldest(arena, GapReason::TotalLimit, sink);
        }
    }

    /// The connection ended: hands over all that waits, with the gaps between, and frees the arena. Octets at the
    /// end that the peer acknowledged, that a cut packet had on the wire, or that a FIN stands behind, are a last gap.
    pub fn finish(&mut self, arena: &mut Arena, sink: &mut impl Sink) {
        while self.queue != NIL {
            self.give_up_oldest(arena, GapReason::End, sink);
        }
        self.flags &= !PROBE;
        // An acknowledged octet beyond all that was seen may be a FIN that the capture missed: not counted.
        let acked = if self.fin == 0 { self.snd_una.saturating_sub(1) } else { self.snd_una.min(self.fin) };
        let end = self.snd_nxt.max(acked).max(self.fin);
        if end > self.rcv_nxt {
            self.give_up_to(arena, end, GapReason::Tail, sink);
        }
    }

    /// Forgets all that waits, unreported: for payload that nobody wants.
    pub fn discard(&mut self, arena: &mut Arena) {
        while self.queue != NIL {
            let head = arena.head(self.queue);
            arena.remove(self.queue, head);
            self.close_if_empty(arena);
        }
    }

    /// What was met so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Octets handed over.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.end_offset() - self.counters.gap_bytes
    }

    /// Offset of the next octet to hand over: delivered octets and gaps together.
    #[must_use]
    pub fn end_offset(&self) -> u64 {
        self.rcv_nxt - self.start
    }

    /// Offset of a sequence number in the stream, handed over already or still to come; `None` where there is no stream
    /// yet, before its start, and out of every window.
    #[must_use]
    pub fn offset_of(&self, seq: SeqNum) -> Option<u64> {
        let ahead = seq.since(self.rcv_nxt()?);
        if !(-REACH..=REACH).contains(&ahead) {
            return None;
        }
        self.rcv_nxt.checked_add_signed(i64::from(ahead))?.checked_sub(self.start)
    }

    /// Something waits for a hole to fill (or for an acknowledgement, with [`Deliver::Acked`]).
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.queue != NIL
    }

    /// The initial sequence number, where the SYN was seen.
    #[must_use]
    pub fn isn(&self) -> Option<SeqNum> {
        (self.flags & SYN != 0).then(|| SeqNum(self.seq_at(self.start).0.wrapping_sub(1)))
    }

    /// A FIN was seen and everything before it was handed over or given up.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.fin != 0 && self.rcv_nxt == self.fin
    }

    /// A FIN was seen.
    #[must_use]
    pub fn has_fin(&self) -> bool {
        self.fin != 0
    }

    /// `rcv_nxt` as a sequence number, once the stream has begun: what RST and SYN are judged against (RFC 5961).
    #[must_use]
    pub fn rcv_nxt(&self) -> Option<SeqNum> {
        (self.flags & STARTED != 0).then(|| self.seq_at(self.rcv_nxt))
    }

    /// The highest end seen as a sequence number, once the stream has begun.
    #[must_use]
    pub fn snd_nxt(&self) -> Option<SeqNum> {
        (self.flags & STARTED != 0).then(|| self.seq_at(self.snd_nxt))
    }

    /// Sequence number at a position.
    #[allow(clippy::cast_possible_truncation, reason = "arithmetic modulo 2^32 is meant")]
    fn seq_at(&self, at: u64) -> SeqNum {
        self.origin.plus(at.wrapping_sub(ORIGIN) as u32)
    }

    /// Everything but the next plain in-order segment.
    #[inline(never)]
    fn push_slow(&mut self, arena: &mut Arena, segment: &Segment<'_>, sink: &mut impl Sink) {
        let captured = segment.payload.len().min(segment.wire_len as usize);
        let payload = &segment.payload[..captured];
        let mut seq = segment.seq;
        if segment.syn {
            if !self.open(arena, seq) {
                self.counters.ignored += 1;
                return;
            }
            seq = seq.plus(1);
        } else if self.flags & STARTED == 0 && !self.begin(arena, seq, segment.wire_len) {
            return;
        }
        let Some(at) = self.locate(arena, seq, segment.wire_len, sink) else { return };
        let Some(at) = self.settle_start(arena, at, segment) else { return };
        self.take(arena, at, payload, segment, sink);
        if self.queue != NIL {
            self.check_patience(arena, segment.ts_ns, sink);
        }
    }

    /// A SYN: `isn + 1` is offset 0. `false` where the stream stands elsewhere already: then it belongs to another
    /// connection, which the owner tells apart.
    fn open(&mut self, arena: &mut Arena, isn: SeqNum) -> bool {
        let first = isn.plus(1);
        if self.flags & STARTED == 0 {
            self.set_origin(first);
            self.flags |= SYN;
            return true;
        }
        if self.seq_at(self.start) == first {
            self.flags |= SYN;
            self.flags &= !EMPTY_START;
            return true;
        }
        // RFC 9293 section 3.10.7.3: until the peer acknowledged a SYN, a later one with another ISN may be the one it
        // takes (a server that lost its state answers anew).
        let settled = self.flags & SYN != 0 && (self.snd_una != 0 || self.queue != NIL);
        if settled || self.rcv_nxt != self.start {
            return false;
        }
        // Nothing was handed over: what waits stays if it can belong to this start.
        let distance = first.since(self.seq_at(self.start));
        let below = u64::from(distance.unsigned_abs());
        if self.queue == NIL || !(-REACH..=0).contains(&distance) || below >= self.start {
            self.discard(arena);
            self.set_origin(first);
            self.snd_una = 0;
            self.fin = 0;
        } else {
            self.move_start(self.start - below);
        }
        self.flags |= SYN;
        self.flags &= !EMPTY_START;
        true
    }

    /// The first segment of a stream without SYN. `false`: it was a keep-alive, and nothing is left to do.
    fn begin(&mut self, arena: &mut Arena, seq: SeqNum, len: u32) -> bool {
        let early = (self.flags & EARLY_ACK != 0).then_some(self.wild_next);
        let keep_alive = len <= 1 && early == Some(seq.plus(1));
        self.set_origin(if keep_alive { seq.plus(1) } else { seq });
        if let Some(ahead) = early.map(|ack| ack.since(self.origin)).filter(|&ahead| ahead > 0) {
            let una = ORIGIN + u64::from(ahead.unsigned_abs());
            self.snd_una = if una <= ORIGIN + ACK_REACH { una } else { 0 };
        }
        if keep_alive {
            arena.totals.keep_alives += 1;
        } else if len == 0 {
            self.flags |= EMPTY_START;
        }
        !keep_alive
    }

    fn set_origin(&mut self, first: SeqNum) {
        self.origin = first;
        self.move_start(ORIGIN);
        self.snd_nxt = ORIGIN;
        self.flags |= STARTED;
    }

    fn move_start(&mut self, to: u64) {
        self.start = to;
        self.rcv_nxt = to;
        self.snd_nxt = self.snd_nxt.max(to);
    }

    /// The position of a sequence number, or `None` if it is wild.
    fn locate(&mut self, arena: &mut Arena, seq: SeqNum, len: u32, sink: &mut impl Sink) -> Option<u64> {
        let distance = seq.since(self.seq_at(self.rcv_nxt));
        if (-REACH..=REACH).contains(&distance) {
            if len > 0 {
                self.wild = 0;
            }
            return self.rcv_nxt.checked_add_signed(i64::from(distance));
        }
        if len == 0 {
            return None;
        }
        if self.flags & (SYN | EMPTY_START) == EMPTY_START && self.rcv_nxt == self.start && self.queue == NIL {
            // A stray segment without payload proves nothing: the first payload does.
            self.set_origin(seq);
            return Some(self.rcv_nxt);
        }
        let continues = self.wild > 0 && seq.since(self.wild_next).unsigned_abs() <= RESYNC_STEP;
        self.wild = if continues { self.wild + 1 } else { 1 };
        self.wild_next = seq.plus(len);
        if self.wild < RESYNC_AFTER {
            arena.totals.wild_segments += 1;
            self.counters.ignored += 1;
            return None;
        }
        self.resync(arena, seq, sink);
        Some(self.rcv_nxt)
    }

    /// Goes on at `seq`, at the next place ahead that has this number.
    fn resync(&mut self, arena: &mut Arena, seq: SeqNum, sink: &mut impl Sink) {
        while self.queue != NIL {
            self.give_up_oldest(arena, GapReason::Resync, sink);
        }
        arena.totals.resyncs += 1;
        self.wild = 0;
        self.flags &= !PROBE;
        self.snd_una = 0;
        self.fin = 0;
        if self.rcv_nxt == self.start && self.flags & SYN == 0 {
            return self.set_origin(seq);
        }
        let ahead = seq.0.wrapping_sub(self.seq_at(self.rcv_nxt).0);
        self.give_up_to(arena, self.rcv_nxt + u64::from(ahead), GapReason::Resync, sink);
        self.snd_nxt = self.rcv_nxt;
    }

    /// Moves the start of a stream without SYN where this segment shows that it lies elsewhere. Returns the segment's
    /// position, `None` if it was a keep-alive.
    fn settle_start(&mut self, arena: &mut Arena, at: u64, segment: &Segment<'_>) -> Option<u64> {
        let len = segment.wire_len;
        let untouched = self.rcv_nxt == self.start && self.flags & SYN == 0;
        if untouched && at < self.start {
            if at + 1 == self.start && len <= 1 && self.flags & EMPTY_START != 0 {
                arena.totals.keep_alives += 1;
                return None;
            }
            if len > 0 && self.start - at <= LOWER {
                self.move_start(at);
            }
        }
        if len > 0 && self.flags & EMPTY_START != 0 {
            // RFC 9293 section 3.8.4: the first segment was a keep-alive if what follows begins one above it.
            if untouched && self.queue == NIL && at == self.start + 1 {
                self.move_start(at);
            }
            self.flags &= !EMPTY_START;
        }
        Some(at)
    }
}
