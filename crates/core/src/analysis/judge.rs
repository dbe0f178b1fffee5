//! Which kinds a segment is of, by the rules of Wireshark's user's guide ("TCP Analysis").
//!
//! In: segments in capture order. Out: [`Kinds`]. What is remembered of each direction is what its segments said
//! last: so an answer depends on what the capture holds and not on what the hosts knew.

use super::kinds::Kinds;
use super::seen::{Seen, after, since};
use crate::decode::flags;
use crate::decode::options::SynOptions;

/// A retransmission that answers duplicate acknowledgements within this time is a fast one.
const FAST_NS: i64 = 20_000_000;
/// A segment that comes late by less than the initial round trip is out of order; by less than this where the
/// handshake was not seen.
const OUT_OF_ORDER_NS: i64 = 3_000_000;

/// What is known of a direction's window scale (RFC 7323 section 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// No SYN of this direction was seen.
    #[default]
    Unknown,
    /// Not in use.
    Off,
    /// Windows are shifted left by so many bits.
    Shift(u8),
}

/// What a direction's segments said so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said {
    /// Next sequence number expected: the highest end seen.
    pub next: Option<u32>,
    /// When that was seen.
    next_ns: i64,
    /// End of what was seen without a hole: more can't be acknowledged unless it was missed.
    ackable: Option<u32>,
    /// That more was acknowledged is told already; a lost segment makes it news again.
    told: bool,
    /// Acknowledgment number of the latest segment.
    pub last_ack: u32,
    last_ack_ns: i64,
    /// Window of the latest segment, unscaled.
    window: Option<u16>,
    /// The latest segment's window is never scaled: it had a SYN.
    syn_window: bool,
    scale: Scale,
    /// Kinds of the latest segment.
    last: Kinds,
    /// Times that the acknowledgement was repeated.
    duplicates: u32,
}

impl Said {
    /// The window in octets; none where the scale is not known.
    #[inline]
    #[must_use]
    pub fn window(&self) -> Option<u32> {
        let window = u32::from(self.window?);
        match self.scale {
            _ if self.syn_window => Some(window),
            Scale::Unknown => None,
            Scale::Off => Some(window),
            Scale::Shift(shift) => Some(window << shift),
        }
    }
}

/// Judges the segments of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judge {
    /// Of each direction.
    pub said: [Said; 2],
    /// From the latest SYN without ACK to the first ACK without SYN behind it, nanoseconds: where the handshake is
    /// complete, the time until its last segment.
    pub initial_rtt_ns: Option<i64>,
    /// Time of that SYN.
    syn_ns: Option<i64>,
}

impl Judge {
    /// The kinds of the next segment.
    #[inline]
    pub fn judge(&mut self, seen: &Seen<'_>) -> Kinds {
        self.handshake(seen);
        if self.is_ordinary(seen) {
            self.said[seen.direction.index()].remember(seen, Kinds::default());
            return Kinds::default();
        }
        self.judge_closely(seen)
    }

    /// Times the handshake, and reads its options.
    #[inline]
    fn handshake(&mut self, seen: &Seen<'_>) {
        if seen.has(flags::SYN) {
            self.syn(seen);
        } else if self.initial_rtt_ns.is_none()
            && seen.has(flags::ACK)
            && let Some(syn) = self.syn_ns
        {
            self.initial_rtt_ns = Some(seen.ts_ns.wrapping_sub(syn)).filter(|&time| time != 0);
        }
    }

    /// The segment is of no kind, as most are: it begins at the next number expected, nothing is missing before it and
    /// it acknowledges octets that were seen.
    #[inline]
    fn is_ordinary(&self, seen: &Seen<'_>) -> bool {
        let way = seen.direction.index();
        let (me, peer) = (&self.said[way], &self.said[1 - way]);
        let expected = me.next == Some(seen.seq) && me.ackable == me.next;
        let acks = !(seen.has(flags::ACK) && peer.ackable.is_some_and(|end| after(seen.ack, end)));
        if !(expected && acks && seen.is_plain() && seen.window != 0 && peer.window != Some(0)) {
            return false;
        }
        if seen.len == 0 { seen.ack != me.last_ack } else { !peer.has_acked(seen) && !peer.is_full_with(seen) }
    }

    #[inline(never)]
    fn judge_closely(&mut self, seen: &Seen<'_>) -> Kinds {
        let way = seen.direction.index();
        let mut kinds = self.of_header(seen);
        let peer = &self.said[1 - way];
        if seen.has(flags::ACK) && peer.ackable.is_some_and(|end| after(seen.ack, end)) {
            kinds.add(Kinds::ACK_LOST_SEGMENT, self.said[1 - way].is_news());
        }
        let (me, peer) = (&self.said[way], &self.said[1 - way]);
        let occupies = seen.len > 0 || seen.has(flags::SYN | flags::FIN);
        let is_old = me.next.is_some_and(|next| after(next, seen.seq));
        if occupies && (is_old || peer.has_acked(seen)) && !kinds.has(Kinds::KEEP_ALIVE) {
            self.of_old_octets(seen, is_old, &mut kinds);
        }
        self.said[way].remember(seen, kinds);
        kinds
    }

    /// What the header alone tells, beside what was said before.
    #[inline]
    fn of_header(&mut self, seen: &Seen<'_>) -> Kinds {
        let way = seen.direction.index();
        let mut kinds = Kinds::default();
        let [fwd, rev] = &mut self.said;
        let (me, peer) = if way == 0 { (fwd, rev) } else { (rev, fwd) };
        let Some(next) = me.next else {
            kinds.add(Kinds::ZERO_WINDOW, seen.window == 0 && seen.is_plain());
            return kinds;
        };
        let ahead = since(seen.seq, next);
        if seen.len == 1 && ahead == 0 && peer.window == Some(0) {
            return Kinds::PROBE;
        }
        kinds.add(Kinds::LOST_SEGMENT, ahead > 0 && !seen.has(flags::RST));
        if !seen.is_plain() {
            return kinds;
        }
        kinds.add(Kinds::ZERO_WINDOW, seen.window == 0);
        kinds.add(Kinds::KEEP_ALIVE, ahead == -1 && seen.len <= 1);
        if seen.len > 0 {
            kinds.add(Kinds::WINDOW_FULL, peer.is_full_with(seen));
        } else if ahead == 0 && seen.ack == me.last_ack {
            me.repeats(seen, peer.last, &mut kinds);
        }
        kinds
    }

    /// Octets below the next one expected: sent again, or late.
    #[cold]
    fn of_old_octets(&self, seen: &Seen<'_>, is_old: bool, kinds: &mut Kinds) {
        let way = seen.direction.index();
        let (me, peer) = (&self.said[way], &self.said[1 - way]);
        let end = seen.seq.wrapping_add(seen.seq_len());
        if peer.has_acked(seen) {
            kinds.add(Kinds::SPURIOUS, true);
            kinds.add(Kinds::RETRANSMISSION, true);
            return;
        }
        // A zero-window probe's octet may go on in a longer segment, which is no retransmission.
        let next = me.next.unwrap_or(end);
        if !is_old || seen.len > 1 && since(next, seen.seq) == 1 {
            return;
        }
        let answers = peer.duplicates >= 2 && peer.last_ack == seen.seq;
        let late = self.initial_rtt_ns.unwrap_or(OUT_OF_ORDER_NS);
        if answers && seen.ts_ns.wrapping_sub(peer.last_ack_ns) < FAST_NS {
            kinds.add(Kinds::FAST, true);
            kinds.add(Kinds::RETRANSMISSION, true);
        } else if end != next && seen.ts_ns.wrapping_sub(me.next_ns) < late {
            kinds.add(Kinds::OUT_OF_ORDER, true);
        } else {
            kinds.add(Kinds::RETRANSMISSION, true);
        }
    }

    #[cold]
    fn syn(&mut self, seen: &Seen<'_>) {
        let way = seen.direction.index();
        let answers = seen.has(flags::ACK);
        if !answers {
            self.syn_ns = Some(seen.ts_ns);
        }
        match SynOptions::parse(seen.options).window_scale {
            Some(_) if answers && self.said[1 - way].scale == Scale::Off => self.said[way].scale = Scale::Off,
            Some(shift) => self.said[way].scale = Scale::Shift(shift.min(14)),
            None => {
                self.said[0].scale = Scale::Off;
                self.said[1].scale = Scale::Off;
            }
        }
    }
}

impl Said {
    /// The peer's segment ends where this direction's window does.
    #[inline]
    fn is_full_with(&self, seen: &Seen<'_>) -> bool {
        let edge = self.window().filter(|_| self.scale != Scale::Unknown).map(|w| self.last_ack.wrapping_add(w));
        edge == Some(seen.seq.wrapping_add(seen.len))
    }

    #[inline]
    fn remember(&mut self, seen: &Seen<'_>, kinds: Kinds) {
        if seen.ack != self.last_ack {
            self.duplicates = 0;
        }
        let end = seen.seq.wrapping_add(seen.seq_len());
        // A probe's octet may never be taken, so it moves nothing.
        if !kinds.has(Kinds::PROBE) {
            if self.next.is_none_or(|next| after(end, next)) {
                // A RST that answers a SYN has number 0, which says nothing of those to come.
                self.next = Some(end).filter(|&end| end != 0);
                self.next_ns = seen.ts_ns;
            }
            if self.ackable.is_none_or(|ackable| ackable == seen.seq) {
                self.ackable = self.next;
            }
        }
        self.told &= !kinds.has(Kinds::LOST_SEGMENT);
        self.window = Some(seen.window);
        self.syn_window = seen.has(flags::SYN);
        self.last_ack = seen.ack;
        self.last_ack_ns = seen.ts_ns;
        self.last = kinds;
    }

    /// More than this direction's octets without a hole was acknowledged: told once, then for all that was seen, then
    /// not until a lost segment shows more.
    #[cold]
    fn is_news(&mut self) -> bool {
        if self.ackable == self.next {
            return !std::mem::replace(&mut self.told, true);
        }
        self.ackable = self.next;
        true
    }

    /// The receiver's latest acknowledgement is for all of the segment's octets.
    #[inline]
    fn has_acked(&self, seen: &Seen<'_>) -> bool {
        seen.len > 0 && self.last_ack != 0 && !after(seen.seq.wrapping_add(seen.len), self.last_ack)
    }

    /// An acknowledgement that repeats the one before.
    #[inline]
    fn repeats(&mut self, seen: &Seen<'_>, peers_last: Kinds, kinds: &mut Kinds) {
        let same_window = self.window == Some(seen.window);
        if seen.window == 0 {
            kinds.add(Kinds::PROBE_ACK, same_window && peers_last.has(Kinds::PROBE));
        } else if !same_window {
            kinds.add(Kinds::WINDOW_UPDATE, true);
        } else if peers_last.has(Kinds::KEEP_ALIVE) {
            kinds.add(Kinds::KEEP_ALIVE_ACK, true);
        } else {
            kinds.add(Kinds::DUPLICATE_ACK, true);
            self.duplicates += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::tests::segments;

    proptest! {
        /// What is told at a glance is what a closer look tells.
        #[test]
        fn ordinary_segments_are_judged_as_others(segments in segments()) {
            let mut judge = Judge::default();
            for seen in &segments {
                let mut twin = judge;
                twin.handshake(seen);
                prop_assert_eq!(judge.judge(seen), twin.judge_closely(seen));
                prop_assert_eq!(format!("{judge:?}"), format!("{twin:?}"));
            }
        }
    }
}
