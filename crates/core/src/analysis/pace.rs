//! How fast and how steadily a direction sent: first octets, pauses, octets in flight, windows.

use super::judge::Judge;
use super::seen::{Seen, since};
use crate::decode::flags;

/// Of one direction. Times are nanoseconds of packet time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// First segment with payload.
    pub first_payload_ns: Option<i64>,
    /// Latest one.
    pub last_payload_ns: i64,
    /// Latest segment of any kind.
    last_ns: Option<i64>,
    /// Longest time without a segment.
    pub idle_ns: i64,
    /// Most octets sent and not yet acknowledged.
    pub in_flight: Option<u32>,
    /// Greatest and least window advertised, octets.
    pub window: Option<(u32, u32)>,
}

impl Pace {
    /// Takes in a segment of this direction; `judge` has seen it.
    #[inline]
    pub fn segment(&mut self, seen: &Seen<'_>, judge: &Judge) {
        let way = seen.direction.index();
        if let Some(last) = self.last_ns.replace(seen.ts_ns) {
            self.idle_ns = self.idle_ns.max(seen.ts_ns.saturating_sub(last));
        }
        let (me, peer) = (&judge.said[way], &judge.said[1 - way]);
        if seen.len > 0 {
            self.first_payload_ns.get_or_insert(seen.ts_ns);
            self.last_payload_ns = seen.ts_ns;
            // Without an acknowledgement yet, nothing says where the flight began.
            if let Some(next) = me.next
                && peer.last_ack != 0
            {
                let flight = since(next, peer.last_ack).max(0).unsigned_abs();
                self.in_flight = Some(self.in_flight.unwrap_or(0).max(flight));
            }
        }
        // RFC 7323 section 2.2: the window of a SYN isn't scaled; that of a RST means nothing.
        if !seen.has(flags::SYN | flags::RST)
            && let Some(window) = me.window()
        {
            let (greatest, least) = self.window.unwrap_or((window, window));
            self.window = Some((greatest.max(window), least.min(window)));
        }
    }

    /// Nanoseconds from the first segment with payload to the latest; none where there is no time between them.
    #[must_use]
    pub fn sending_ns(&self) -> Option<i64> {
        let time = self.last_payload_ns.saturating_sub(self.first_payload_ns?);
        (time > 0).then_some(time)
    }
}
