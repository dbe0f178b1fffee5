//! The time by which connections end: packet time without its accidents.
//!
//! In: the time of each packet, as the capture has it. Out: a time that never runs backwards. Captures are put together
//! from several, pause for the night, or hold a packet with a wrong timestamp; a step of more than [`LONGEST_STEP_NS`]
//! in either direction is such an accident, and for connections no time goes by in it.

/// Longest step between two packets that counts as time: one hour.
pub const LONGEST_STEP_NS: i64 = 3_600_000_000_000;

/// A clock that packets move on.
#[derive(Clone, Copy, Debug, Default)]
pub struct CaptureClock {
    now: Option<i64>,
    /// What is added to packet times, modulo 2^64: the accidents so far.
    shift: i64,
}

impl CaptureClock {
    /// Takes in a packet's time, nanoseconds since the Unix epoch; gives the clock's. Both have the same distances
    /// except over accidents.
    #[inline]
    pub fn tick(&mut self, ts_ns: i64) -> i64 {
        let shifted = ts_ns.wrapping_add(self.shift);
        let now = match self.now {
            None => shifted,
            Some(now) if shifted.abs_diff(now) > LONGEST_STEP_NS.unsigned_abs() => {
                self.shift = now.wrapping_sub(ts_ns);
                now
            }
            Some(now) => now.max(shifted),
        };
        self.now = Some(now);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = LONGEST_STEP_NS;

    fn ticks(times: &[i64]) -> Vec<i64> {
        let mut clock = CaptureClock::default();
        times.iter().map(|&ts| clock.tick(ts)).collect()
    }

    #[test]
    fn clock_of_plain_times_is_their_maximum() {
        assert_eq!(ticks(&[5, 9, 7, 12, 11, HOUR]), [5, 9, 9, 12, 12, HOUR]);
    }

    #[test]
    fn clock_stands_still_over_a_long_step() {
        assert_eq!(ticks(&[0, HOUR, HOUR * 2 + 1, HOUR * 2 + 8]), [0, HOUR, HOUR, HOUR + 7]);
    }

    #[test]
    fn one_wrong_time_moves_nothing() {
        assert_eq!(ticks(&[100, 90 * HOUR, 101, 102, -50 * HOUR, 103, 110]), [100, 100, 100, 101, 101, 101, 108]);
    }

    #[test]
    fn clock_of_extreme_times_stays_a_clock() {
        let times = ticks(&[i64::MIN, i64::MAX, i64::MIN, 0, i64::MAX, i64::MAX - 1]);
        assert!(times.is_sorted());
    }
}
