//! Where a segment's octets go: compared with what is known, handed over, or stored; and how holes are given up.

use super::arena::{Arena, piece_bytes};
use super::lent::NOT_LENT;
use super::limits::Deliver;
use super::pieces::{NIL, NOT_ACKED};
use super::reassembler::{Counters, PROBE, Segment, Stream};
use super::sink::{GapReason, Sink};
use super::slab::PAGE;

/// The captured octets of the segment at hand that may be new: `[from, to)`, of a payload that begins at `at`.
#[derive(Clone, Copy)]
struct Fresh<'a> {
    at: u64,
    payload: &'a [u8],
    /// Where the payload is lent.
    lent: Option<u64>,
    from: u64,
    to: u64,
}

impl Fresh<'_> {
    fn bytes(&self, from: u64, to: u64) -> &[u8] {
        &self.payload[(from - self.at) as usize..(to - self.at) as usize]
    }

    /// Where the octets from `from` on are lent.
    fn lent(&self, from: u64) -> Option<u64> {
        self.lent.map(|lent| lent + (from - self.at))
    }
}

impl Stream {
    /// Takes a segment whose place is known.
    pub(super) fn take(
        &mut self,
        arena: &mut Arena,
        at: u64,
        payload: &[u8],
        segment: &Segment<'_>,
        sink: &mut impl Sink,
    ) {
        let end = self.clip_at_fin(arena, at, segment);
        let begin = at.max(self.start);
        if at < self.start && end > at {
            arena.totals.before_start_octets += end.min(self.start) - at;
            self.counters.ignored += 1;
        }
        if end <= begin || self.is_keep_alive(arena, at, end, segment) || self.holds_probe(arena, at, segment) {
            return;
        }
        if self.flags & PROBE != 0 && at == self.rcv_nxt + 1 {
            self.release_probe(arena, sink);
        }
        if at > self.rcv_nxt {
            self.counters.out_of_order += 1;
        }
        self.snd_nxt = self.snd_nxt.max(end);
        let captured_end = end.min(at + payload.len() as u64);
        let old_end = captured_end.min(self.rcv_nxt);
        if begin < old_end {
            self.compare_delivered(arena, begin, &payload[(begin - at) as usize..(old_end - at) as usize], sink);
        }
        let fresh = Fresh { at, payload, lent: segment.lent, from: at.max(self.rcv_nxt), to: captured_end };
        let mut seen = end.min(self.rcv_nxt).saturating_sub(begin);
        if self.queue != NIL && fresh.from < fresh.to {
            seen += self.resolve_overlaps(arena, &fresh, sink);
        }
        if seen >= end - begin {
            self.counters.retransmitted_bytes += seen;
        } else {
            self.counters.overlap_bytes += seen;
        }
        if fresh.from < fresh.to {
            self.place(arena, fresh, segment.ts_ns, sink);
        }
    }

    /// Notes a FIN; returns the segment's end, at most the FIN's place. A FIN below what was seen is not believed.
    fn clip_at_fin(&mut self, arena: &mut Arena, at: u64, segment: &Segment<'_>) -> u64 {
        let end = at + u64::from(segment.wire_len);
        if segment.fin && self.fin == 0 && end >= self.snd_nxt.max(self.rcv_nxt) {
            self.fin = end;
        }
        if self.fin == 0 || end <= self.fin {
            return end;
        }
        arena.totals.after_fin_octets += end - at.max(self.fin);
        self.counters.ignored += 1;
        self.fin.max(at)
    }

    /// RFC 9293 section 3.8.4: one octet just below `snd_nxt`, sent when everything is acknowledged; its value means
    /// nothing. Where the acknowledgements seen say that it is still under way, it is a retransmission like others.
    fn is_keep_alive(&self, arena: &mut Arena, at: u64, end: u64, segment: &Segment<'_>) -> bool {
        let shape = end - at == 1 && end == self.snd_nxt && !segment.fin && !segment.syn;
        let acked = self.snd_una >= end;
        let delivered = at < self.rcv_nxt && (acked || self.snd_una == 0);
        if !shape || !(delivered || acked && self.is_stored(arena, at)) {
            return false;
        }
        arena.totals.keep_alives += 1;
        true
    }

    fn is_stored(&self, arena: &Arena, at: u64) -> bool {
        if self.queue == NIL {
            return false;
        }
        let id = arena.pieces.floor(arena.queues.get(self.queue).root, at);
        id != NIL && arena.pieces.get(id).end() > at
    }

    /// RFC 9293 section 3.8.6.1: one new octet sent into a zero window. The peer may refuse it, so it is held back
    /// until it is acknowledged or the next octet follows; a segment that brings its place again replaces it.
    fn holds_probe(&mut self, arena: &mut Arena, at: u64, segment: &Segment<'_>) -> bool {
        let held = self.flags & PROBE != 0;
        let end = at + u64::from(segment.wire_len);
        let new_octet = segment.wire_len == 1 && at == self.rcv_nxt && self.rcv_nxt == self.snd_nxt;
        let is_probe = segment.zero_window && new_octet && self.queue == NIL && !segment.fin && !segment.syn;
        if let Some(&octet) = segment.payload.first().filter(|_| is_probe) {
            arena.totals.keep_alives += u64::from(held);
            self.probe = octet;
            self.flags |= PROBE;
            return true;
        }
        if held && at <= self.rcv_nxt && end > self.rcv_nxt {
            self.flags &= !PROBE;
        }
        false
    }

    fn release_probe(&mut self, arena: &mut Arena, sink: &mut impl Sink) {
        self.flags &= !PROBE;
        let octet = [self.probe];
        sink.released(self.end_offset(), &octet);
        arena.history.record(&mut self.recent, self.rcv_nxt, &octet, None);
        self.rcv_nxt += 1;
        self.snd_nxt = self.snd_nxt.max(self.rcv_nxt);
        self.advance(arena, None, self.deliver_limit(arena), sink);
    }

    fn compare_delivered(&mut self, arena: &Arena, begin: u64, other: &[u8], sink: &mut impl Sink) {
        let (start, counters) = (self.start, &mut self.counters);
        arena.history.compare(&arena.lent, self.recent, begin, other, |at, kept, other| {
            report_conflict(counters, at - start, kept, other, sink);
        });
    }

    /// Takes out of the waiting pieces what the new segment wins, and reports what differs. Returns how many of its
    /// octets were waiting.
    fn resolve_overlaps(&mut self, arena: &mut Arena, fresh: &Fresh<'_>, sink: &mut impl Sink) -> u64 {
        let queue = arena.queues.get(self.queue);
        let mut id = arena.pieces.floor(queue.root, fresh.from);
        if id == NIL {
            id = queue.head;
        }
        let mut covered = 0;
        while id != NIL && arena.pieces.get(id).start < fresh.to {
            let piece = arena.pieces.get(id);
            let (start, end, next) = (piece.start, piece.end(), piece.next);
            let (from, to) = (start.max(fresh.from), end.min(fresh.to));
            if from < to {
                covered += to - from;
                let wins = arena.limits.policy.new_wins((start, end), (fresh.at, fresh.to));
                let old = &arena.bytes(id)[(from - start) as usize..(to - start) as usize];
                let (kept, other) = if wins { (fresh.bytes(from, to), old) } else { (old, fresh.bytes(from, to)) };
                report_conflict(&mut self.counters, from - self.start, kept, other, sink);
                if wins {
                    arena.cut(self.queue, id, from, to);
                }
            }
            id = next;
        }
        covered
    }

    /// Hands over what is in order and stores the rest.
    fn place(&mut self, arena: &mut Arena, mut fresh: Fresh<'_>, now: i64, sink: &mut impl Sink) {
        let mut limit = self.deliver_limit(arena);
        loop {
            if fresh.from == self.rcv_nxt {
                self.advance(arena, Some(&fresh), limit, sink);
                fresh.from = self.rcv_nxt;
            }
            if fresh.from >= fresh.to {
                break;
            }
            let Some(full_at) = self.store(arena, &fresh, now) else { break };
            // No memory: what waits before this octet is given up, and it can go out at once.
            arena.totals.total_limit_hits += 1;
            self.give_up_before(arena, full_at, sink);
            fresh.from = full_at;
            limit = u64::MAX;
        }
        self.close_if_empty(arena);
        while self.queue != NIL && arena.queues.get(self.queue).octets > arena.limits.direction_octets {
            arena.totals.direction_limit_hits += 1;
            self.give_up_oldest(arena, GapReason::DirectionLimit, sink);
        }
    }

    /// Stores the octets of which none waits yet. Returns where memory ended, `None` when all is stored.
    fn store(&mut self, arena: &mut Arena, fresh: &Fresh<'_>, now: i64) -> Option<u64> {
        if self.queue == NIL {
            self.queue = arena.queues.open(self.token);
        }
        let mut at = fresh.from;
        while at < fresh.to {
            let queue = arena.queues.get(self.queue);
            let id = arena.pieces.floor(queue.root, at);
            let next = if id == NIL { queue.head } else { arena.pieces.get(id).next };
            if id != NIL && arena.pieces.get(id).end() > at {
                at = arena.pieces.get(id).end();
                continue;
            }
            let mut to = fresh.to.min(at + PAGE as u64);
            if next != NIL {
                to = to.min(arena.pieces.get(next).start);
            }
            if !arena.store(self.queue, at, (fresh.bytes(at, to), fresh.lent(at)), (self.snd_una, now)) {
                return Some(at);
            }
            at = to;
        }
        None
    }

    /// How far octets may be handed over.
    fn deliver_limit(&self, arena: &Arena) -> u64 {
        match arena.limits.deliver {
            Deliver::Contiguous => u64::MAX,
            Deliver::Acked => self.snd_una,
        }
    }

    /// Hands over what is in order, from the segment at hand and from what waits, up to `limit`.
    fn advance(&mut self, arena: &mut Arena, fresh: Option<&Fresh<'_>>, limit: u64, sink: &mut impl Sink) {
        let before = self.rcv_nxt;
        while self.rcv_nxt < limit {
            let head = arena.head(self.queue);
            let next = if head == NIL { u64::MAX } else { arena.pieces.get(head).start };
            if next <= self.rcv_nxt {
                self.release_head(arena, limit, sink);
                continue;
            }
            let Some(fresh) = fresh.filter(|fresh| self.rcv_nxt < fresh.to) else { break };
            let to = fresh.to.min(next).min(limit);
            let range = (self.rcv_nxt - fresh.at) as u32..(to - fresh.at) as u32;
            sink.in_order(self.end_offset(), range);
            let (bytes, lent) = (fresh.bytes(self.rcv_nxt, to), fresh.lent(self.rcv_nxt));
            arena.history.record(&mut self.recent, self.rcv_nxt, bytes, lent);
            self.rcv_nxt = to;
        }
        self.close_if_empty(arena);
        if self.queue != NIL && self.rcv_nxt > before {
            arena.queues.progressed(self.queue);
        }
    }

    fn release_head(&mut self, arena: &mut Arena, limit: u64, sink: &mut impl Sink) {
        let head = arena.head(self.queue);
        let piece = arena.pieces.get(head);
        let len = u64::from(piece.len).min(limit - self.rcv_nxt) as u32;
        let whole = len == piece.len;
        let lent = (piece.lent != NOT_LENT).then(|| piece.lent + u64::from(piece.skip));
        let bytes = piece_bytes(&arena.slab, &arena.lent, piece, len);
        sink.released(self.rcv_nxt - self.start, bytes);
        arena.history.record(&mut self.recent, self.rcv_nxt, bytes, lent);
        self.rcv_nxt += u64::from(len);
        if whole {
            arena.remove(self.queue, head);
        } else {
            arena.trim_front(head, len);
        }
    }

    pub(super) fn close_if_empty(&mut self, arena: &mut Arena) {
        if self.queue != NIL && arena.head(self.queue) == NIL {
            arena.queues.close(self.queue);
            self.queue = NIL;
        }
    }

    /// The peer's acknowledgement was looked at while something waits.
    pub(super) fn acknowledged(&mut self, arena: &mut Arena, now: i64, sink: &mut impl Sink) {
        if self.flags & PROBE != 0 && self.snd_una > self.rcv_nxt {
            self.release_probe(arena, sink);
        }
        if self.queue != NIL {
            arena.acknowledge(self.queue, self.snd_una, now);
            if arena.limits.deliver == Deliver::Acked {
                self.advance(arena, None, self.snd_una, sink);
            }
            self.check_patience(arena, now, sink);
        }
    }

    /// Gives up the holes that were acknowledged long enough ago.
    pub(super) fn check_patience(&mut self, arena: &mut Arena, now: i64, sink: &mut impl Sink) {
        while self.queue != NIL {
            let piece = arena.pieces.get(arena.head(self.queue));
            if piece.start <= self.rcv_nxt || piece.acked_at == NOT_ACKED {
                return;
            }
            if !arena.is_over(piece.acked_at, now) {
                let since = piece.acked_at;
                return arena.queues.set_due(self.queue, since);
            }
            arena.totals.acked_gaps += 1;
            self.give_up_oldest(arena, GapReason::Acked, sink);
        }
    }

    /// Gives up the hole before the first waiting piece and hands over what follows it.
    pub(super) fn give_up_oldest(&mut self, arena: &mut Arena, reason: GapReason, sink: &mut impl Sink) {
        let piece = arena.pieces.get(arena.head(self.queue));
        let (start, end) = (piece.start, piece.end());
        if start > self.rcv_nxt {
            self.give_up_to(arena, start, reason, sink);
        }
        let limit = if reason == GapReason::End { u64::MAX } else { self.deliver_limit(arena).max(end) };
        self.advance(arena, None, limit, sink);
    }

    /// Gives up all holes before `at`, where nothing waits.
    fn give_up_before(&mut self, arena: &mut Arena, at: u64, sink: &mut impl Sink) {
        while arena.head(self.queue) != NIL && arena.pieces.get(arena.head(self.queue)).start < at {
            self.give_up_oldest(arena, GapReason::TotalLimit, sink);
        }
        if self.rcv_nxt < at {
            self.give_up_to(arena, at, GapReason::TotalLimit, sink);
        }
    }

    /// Everything from `rcv_nxt` to `to` is missing for good.
    pub(super) fn give_up_to(&mut self, arena: &mut Arena, to: u64, reason: GapReason, sink: &mut impl Sink) {
        let len = to - self.rcv_nxt;
        arena.totals.end_gaps += u64::from(matches!(reason, GapReason::End | GapReason::Tail));
        self.flags &= !PROBE;
        self.counters.gap_bytes += len;
        sink.gap(self.end_offset(), len, reason);
        self.rcv_nxt = to;
        self.snd_nxt = self.snd_nxt.max(to);
    }
}

/// Reports two versions of the same octets if they differ, from the first to the last octet that does.
fn report_conflict(counters: &mut Counters, offset: u64, kept: &[u8], other: &[u8], sink: &mut impl Sink) {
    if kept == other {
        return;
    }
    let differs = || kept.iter().zip(other).map(|(a, b)| a != b);
    let first = differs().position(|d| d).unwrap_or(0);
    let last = kept.len() - 1 - differs().rev().position(|d| d).unwrap_or(0);
    counters.conflict_bytes += differs().filter(|&d| d).count() as u64;
    sink.conflict(offset + first as u64, &kept[first..=last], &other[first..=last]);
}
