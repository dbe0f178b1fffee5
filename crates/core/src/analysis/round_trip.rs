//! Round-trip times between the capture point and a direction's receiver, sampled two ways.
//!
//! By sequence number: from a segment to the first acknowledgement of all its octets. Segments sent twice give no
//! sample (Karn's algorithm, RFC 6298 section 3). By timestamps (RFC 7323 section 4): from the first segment with a
//! timestamp value, if it takes sequence numbers, to the first segment that echoes it.
//!
//! What is under way is kept in two queues per direction of at most [`UNDER_WAY`] entries; what finds no room gives no
//! sample. A direction has queues only while something is under way, and takes those that another one gave back last,
//! which the processor's cache still holds. The part of a round trip on the other side of the capture point is the other direction's.

use std::collections::VecDeque;

use super::quantile::Quantiles;
use super::seen::{Seen, after, since};
use crate::decode::flags;

/// Segments under way that are timed at once.
pub const UNDER_WAY: usize = 256;

/// Something under way: the number that an answer will have, and when it was sent.
#[derive(Clone, Copy, Debug)]
struct Timed {
    number: u32,
    ts_ns: i64,
}

/// Sent twice: its acknowledgement may be for either.
const AMBIGUOUS: i64 = i64::MIN;

/// What is under way in one direction.
#[derive(Debug, Default)]
struct UnderWay {
    by_seq: VecDeque<Timed>,
    by_timestamp: VecDeque<Timed>,
}

/// Queues that no direction needs at the moment, for all connections together.
#[derive(Debug, Default)]
pub struct Spare(#[allow(clippy::vec_box, reason = "boxes go round, not what is in them")] Vec<Box<UnderWay>>);

/// One direction's segments under way, and the samples so far.
#[derive(Debug, Default)]
pub struct RoundTrips {
    /// None: nothing is.
    under_way: Option<Box<UnderWay>>,
    /// Highest sequence number sent.
    sent: Option<u32>,
    /// Latest timestamp value that was timed.
    stamped: Option<u32>,
    /// Samples by sequence number, nanoseconds.
    pub seq_samples: Quantiles,
    /// Samples by timestamps, nanoseconds.
    pub timestamp_samples: Quantiles,
}

impl RoundTrips {
    /// A segment of this direction that takes sequence numbers.
    #[inline]
    fn sent(&mut self, seen: &Seen<'_>, timestamps: Option<(u32, u32)>, spare: &mut Spare) {
        let end = seen.seq.wrapping_add(seen.seq_len());
        if self.sent.is_some_and(|sent| after(sent, seen.seq)) {
            self.sent_again(seen.seq, end);
        }
        let is_new = self.sent.is_none_or(|sent| after(end, sent));
        let stamp = timestamps.map(|(value, _)| value).filter(|&v| self.stamped.is_none_or(|s| after(v, s)));
        if !is_new && stamp.is_none() {
            return;
        }
        let under_way = self.under_way.get_or_insert_with(|| spare.0.pop().unwrap_or_default());
        if is_new {
            self.sent = Some(end);
            push(&mut under_way.by_seq, Timed { number: end, ts_ns: seen.ts_ns });
        }
        if let Some(value) = stamp {
            self.stamped = Some(value);
            push(&mut under_way.by_timestamp, Timed { number: value, ts_ns: seen.ts_ns });
        }
    }

    /// Numbers `[begin, end)` were sent before. Queues are in order of numbers, and each entry begins where the one before
    /// ended.
    #[cold]
    fn sent_again(&mut self, begin: u32, end: u32) {
        let Some(under_way) = &mut self.under_way else { return };
        let queue = &mut under_way.by_seq;
        let first = queue.partition_point(|timed| !after(timed.number, begin));
        let mut begins_before_end = true;
        for timed in queue.range_mut(first..) {
            if !begins_before_end {
                break;
            }
            timed.ts_ns = AMBIGUOUS;
            begins_before_end = after(end, timed.number);
        }
    }

    /// An acknowledgement from the receiver.
    #[inline]
    fn answered(&mut self, seen: &Seen<'_>, timestamps: Option<(u32, u32)>, spare: &mut Spare) {
        let Some(under_way) = &mut self.under_way else { return };
        sample(&mut self.seq_samples, under_way.acknowledged(seen.ack), seen.ts_ns);
        if let Some((_, echo)) = timestamps {
            sample(&mut self.timestamp_samples, under_way.echoed(echo), seen.ts_ns);
        }
        if under_way.by_seq.is_empty() && under_way.by_timestamp.is_empty() {
            self.give_back(spare);
        }
    }

    /// Nothing is timed any more.
    #[inline]
    fn give_back(&mut self, spare: &mut Spare) {
        if let Some(mut under_way) = self.under_way.take() {
            under_way.by_seq.clear();
            under_way.by_timestamp.clear();
            spare.0.push(under_way);
        }
    }
}

impl UnderWay {
    /// Takes out what `ack` is for; the newest of it.
    #[inline]
    fn acknowledged(&mut self, ack: u32) -> Option<Timed> {
        let mut newest = None;
        while let Some(&timed) = self.by_seq.front()
            && since(ack, timed.number) >= 0
        {
            newest = Some(timed);
            self.by_seq.pop_front();
        }
        newest
    }

    /// Takes out what `echo` says has arrived; what has that very value.
    #[inline]
    fn echoed(&mut self, echo: u32) -> Option<Timed> {
        let mut newest = None;
        while let Some(&timed) = self.by_timestamp.front()
            && since(echo, timed.number) >= 0
        {
            newest = (timed.number == echo).then_some(timed);
            self.by_timestamp.pop_front();
        }
        newest
    }
}

#[inline]
fn push(queue: &mut VecDeque<Timed>, timed: Timed) {
    if queue.len() < UNDER_WAY {
        queue.push_back(timed);
    }
}

/// Times that run backwards give no sample.
#[inline]
fn sample(samples: &mut Quantiles, timed: Option<Timed>, now_ns: i64) {
    if let Some(Timed { ts_ns, .. }) = timed
        && ts_ns != AMBIGUOUS
        && let Ok(time) = u64::try_from(now_ns.saturating_sub(ts_ns))
    {
        samples.add(time);
    }
}

/// Both directions.
#[derive(Debug, Default)]
pub struct BothRoundTrips(pub [RoundTrips; 2]);

impl BothRoundTrips {
    /// Takes in a segment.
    #[inline]
    pub fn segment(&mut self, seen: &Seen<'_>, spare: &mut Spare) {
        let way = seen.direction.index();
        // A RST acknowledges nothing that can be timed, and is acknowledged by nothing.
        if seen.has(flags::RST) {
            return;
        }
        let timestamps = seen.timestamps();
        if seen.has(flags::ACK) {
            self.0[1 - way].answered(seen, timestamps, spare);
        }
        if seen.seq_len() > 0 {
            self.0[way].sent(seen, timestamps, spare);
        }
    }

    /// Nothing more will come: gives memory back.
    pub fn let_go(&mut self, spare: &mut Spare) {
        for trips in &mut self.0 {
            trips.give_back(spare);
            *trips = RoundTrips::default();
        }
    }
}
