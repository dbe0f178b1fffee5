//! Round-trip times between the capture point and a direction's receiver, sampled two ways.
//!
//! By sequence number: from a segment to the first acknowledgement of all its octets. Segments sent twice give no
//! sample (Karn's algorithm, RFC 6298 section 3). By timestamps (RFC 7323 section 4): from the first segment with a
//! timestamp value, if it takes sequence numbers, to the first segment that echoes it.
//!
//! What is under way is kept in two queues per direction of at most [`UNDER_WAY`] entries; what finds no room gives no
//! sample. The part of a round trip on the other side of the capture point is the other direction's.

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

/// One direction's segments under way, and the samples so far.
#[derive(Clone, Debug, Default)]
pub struct RoundTrips {
    by_seq: VecDeque<Timed>,
    by_timestamp: VecDeque<Timed>,
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
    pub fn sent(&mut self, seen: &Seen<'_>, timestamps: Option<(u32, u32)>) {
        let end = seen.seq.wrapping_add(seen.seq_len());
        if self.sent.is_some_and(|sent| after(sent, seen.seq)) {
            self.sent_again(seen.seq, end);
        }
        if self.sent.is_none_or(|sent| after(end, sent)) {
            self.sent = Some(end);
            push(&mut self.by_seq, Timed { number: end, ts_ns: seen.ts_ns });
        }
        if let Some((value, _)) = timestamps
            && self.stamped.is_none_or(|stamped| after(value, stamped))
        {
            self.stamped = Some(value);
            push(&mut self.by_timestamp, Timed { number: value, ts_ns: seen.ts_ns });
        }
    }

    #[cold]
    fn sent_again(&mut self, begin: u32, end: u32) {
        let mut previous = None;
        for timed in &mut self.by_seq {
            // It begins where the one before ended, or before that.
            let begins_before_end = previous.is_none_or(|number| after(end, number));
            previous = Some(timed.number);
            if begins_before_end && after(timed.number, begin) {
                timed.ts_ns = AMBIGUOUS;
            }
        }
    }

    /// An acknowledgement from the receiver.
    #[inline]
    pub fn answered(&mut self, seen: &Seen<'_>, timestamps: Option<(u32, u32)>) {
        let mut newest = None;
        while let Some(&timed) = self.by_seq.front()
            && since(seen.ack, timed.number) >= 0
        {
            newest = Some(timed);
            self.by_seq.pop_front();
        }
        sample(&mut self.seq_samples, newest, seen.ts_ns);
        if let Some((_, echo)) = timestamps
            && let Some(front) = self.by_timestamp.front()
            && since(echo, front.number) >= 0
        {
            self.echoed(echo, seen.ts_ns);
        }
    }

    fn echoed(&mut self, echo: u32, ts_ns: i64) {
        let mut newest = None;
        while let Some(&timed) = self.by_timestamp.front()
            && since(echo, timed.number) >= 0
        {
            newest = (timed.number == echo).then_some(timed);
            self.by_timestamp.pop_front();
        }
        sample(&mut self.timestamp_samples, newest, ts_ns);
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
#[derive(Clone, Debug, Default)]
pub struct BothRoundTrips(pub [RoundTrips; 2]);

impl BothRoundTrips {
    /// Takes in a segment.
    #[inline]
    pub fn segment(&mut self, seen: &Seen<'_>) {
        let way = seen.direction.index();
        // A RST acknowledges nothing that can be timed, and is acknowledged by nothing.
        if seen.has(flags::RST) {
            return;
        }
        let timestamps = seen.timestamps();
        if seen.has(flags::ACK) {
            self.0[1 - way].answered(seen, timestamps);
        }
        if seen.seq_len() > 0 {
            self.0[way].sent(seen, timestamps);
        }
    }
}
