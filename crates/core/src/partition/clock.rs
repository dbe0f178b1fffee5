//! The time of packets, thinned out: so few times that every part of a job can be told all of them, and enough that its
//! timers run as if it had seen every packet.
//!
//! Kept are the first, the last and the latest time, both sides of every pause longer than [`STEP_NS`], and at least one time in
//! every two steps. So no pause of [`crate::connection::LONGEST_STEP_NS`] appears or disappears by leaving times out.

/// Longest time without a kept one, where there are packets.
const STEP_NS: i64 = 600_000_000_000;

/// Keeps some of the times that it sees.
#[derive(Clone, Debug, Default)]
pub struct ClockTrack {
    /// Kept and not yet taken.
    kept: Vec<i64>,
    last_kept: Option<i64>,
    /// The last time, where it isn't kept.
    pending: Option<i64>,
    latest: Option<i64>,
}

impl ClockTrack {
    /// Takes in a packet's time, nanoseconds since the Unix epoch.
    #[inline]
    pub fn see(&mut self, ts_ns: i64) {
        self.latest = self.latest.max(Some(ts_ns));
        let last = self.pending.or(self.last_kept);
        if last.is_none_or(|last| ts_ns.abs_diff(last) > STEP_NS.unsigned_abs()) {
            self.keep_pending();
            self.keep(ts_ns);
        } else if self.last_kept.is_none_or(|kept| ts_ns.abs_diff(kept) > STEP_NS.unsigned_abs()) {
            self.keep(ts_ns);
        } else {
            self.pending = Some(ts_ns);
        }
    }

    /// No more times will come: the last one is kept, and the latest.
    pub fn end(&mut self) {
        self.keep_pending();
        if let Some(latest) = self.latest.filter(|latest| !self.kept.contains(latest)) {
            self.kept.push(latest);
        }
    }

    fn keep_pending(&mut self) {
        if let Some(ts_ns) = self.pending.take() {
            self.keep(ts_ns);
        }
    }

    fn keep(&mut self, ts_ns: i64) {
        self.kept.push(ts_ns);
        self.last_kept = Some(ts_ns);
        self.pending = None;
    }

    /// Takes the times that were kept so far.
    pub fn take(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000_000;

    fn thin(times: &[i64]) -> Vec<i64> {
        let mut track = ClockTrack::default();
        times.iter().for_each(|&ts| track.see(ts));
        track.end();
        track.take()
    }

    #[test]
    fn ends_and_sides_of_pauses_are_kept() {
        let times = [0, 1, 2, 3, 40 * MINUTE, 40 * MINUTE + 1, 40 * MINUTE + 9];
        assert_eq!(thin(&times), [0, 3, 40 * MINUTE, 40 * MINUTE + 9]);
        assert_eq!(thin(&[7, 9, 8]), [7, 8, 9]);
        assert_eq!(thin(&[7]), [7]);
        assert_eq!(thin(&[]), [0; 0]);
    }

    /// A pause of an hour is an accident to connections' clock: none may appear or go.
    #[test]
    fn long_pauses_stay_what_they_are() {
        let mut times = Vec::new();
        let mut now = 0;
        for i in 0_i64..5000 {
            now += (i * i * 7919) % (9 * MINUTE) + if i % 97 == 0 { 3700 * 1_000_000_000 } else { 0 };
            times.push(now);
        }
        let pauses = |times: &[i64]| {
            let pairs = times.windows(2).filter(|w| w[1] - w[0] > crate::connection::LONGEST_STEP_NS);
            pairs.map(|w| (w[0], w[1])).collect::<Vec<_>>()
        };
        let kept = thin(&times);
        assert!(pauses(&times).len() > 40 && kept.len() < times.len());
        assert_eq!(pauses(&kept), pauses(&times));
    }
}
