//! Idle and expiry timers on packet time, in bins of one second.
//!
//! A deadline belongs to the first whole second at or after it and fires when packet time passes into that second or
//! beyond. Idle deadlines move with every packet; here they move only when their old bin fires, so a packet costs no
//! timer work.

use std::collections::{BTreeMap, VecDeque};

/// A flow's slot, and which of the slot's successive flows is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub slot: u32,
    pub generation: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Bin {
    /// Flows that were to be idle by now when they were put here.
    pub idle: Vec<Entry>,
    /// The same, sorted for eviction: least recently seen last.
    pub idle_sorted: Vec<Entry>,
    /// Time of the latest packet of any of those when they were sorted.
    pub sorted_ns: i64,
    /// Completed flows to be emitted, in the order in which they completed.
    pub expiry: VecDeque<Entry>,
}

/// The bins, by second.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    pub bins: BTreeMap<i64, Bin>,
    /// Idle entries in all bins, stale ones included.
    pub idle_entries: usize,
}

impl Timers {
    pub fn set_idle(&mut self, second: i64, entry: Entry) {
        self.bins.entry(second).or_default().idle.push(entry);
        self.idle_entries += 1;
    }

    pub fn set_expiry(&mut self, second: i64, entry: Entry) {
        self.bins.entry(second).or_default().expiry.push_back(entry);
    }

    /// The earliest bin, if its time has come.
    pub fn pop_until(&mut self, second: i64) -> Option<(i64, Bin)> {
        let (&first, _) = self.bins.first_key_value()?;
        if first > second {
            return None;
        }
        let bin = self.bins.remove(&first)?;
        self.idle_entries -= bin.idle.len() + bin.idle_sorted.len();
        Some((first, bin))
    }

    /// Drops the idle entries for which `keep` says no.
    pub fn retain_idle(&mut self, mut keep: impl FnMut(Entry) -> bool) {
        let mut left = 0;
        for bin in self.bins.values_mut() {
            bin.idle.retain(|e| keep(*e));
            bin.idle_sorted.retain(|e| keep(*e));
            left += bin.idle.len() + bin.idle_sorted.len();
        }
        self.idle_entries = left;
    }
}

/// The latest whole second that packet time has come to, rounded up; none before the first packet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LatestSecond {
    /// Its end, so that most packets need no division.
    until_ns: Option<i64>,
}

impl LatestSecond {
    /// The second of a packet's time, if none so late was before.
    #[inline]
    pub fn reach(&mut self, ts_ns: i64) -> Option<i64> {
        if self.until_ns.is_some_and(|until_ns| ts_ns <= until_ns) {
            return None;
        }
        let second = second_at_or_after(ts_ns);
        self.until_ns = Some(second.saturating_mul(NS));
        Some(second)
    }

    /// That second.
    pub fn get(self) -> Option<i64> {
        self.until_ns.map(second_at_or_after)
    }
}

/// The first whole second at or after `ns`.
pub(crate) fn second_at_or_after(ns: i64) -> i64 {
    ns.div_euclid(NS) + i64::from(ns.rem_euclid(NS) != 0)
}

/// Nanoseconds of a second.
pub(crate) const NS: i64 = 1_000_000_000;

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Times near each other, near the ends of what there is, and anywhere.
    pub(crate) fn times() -> impl Strategy<Value = Vec<i64>> {
        let near = (0_i64..3 * NS).prop_map(|ns| 1_700_000_000 * NS + ns);
        let first = (0_i64..2 * NS).prop_map(|ns| i64::MIN + ns);
        let last = (0_i64..2 * NS).prop_map(|ns| i64::MAX - ns);
        prop::collection::vec(prop_oneof![4 => near, 1 => first, 1 => last, 1 => any::<i64>()], 0..200)
    }

    proptest! {
        #[test]
        fn latest_second_is_that_of_all_times_so_far(times in times()) {
            let (mut latest, mut greatest) = (LatestSecond::default(), None);
            for ts_ns in times {
                let second = second_at_or_after(ts_ns);
                let is_later = greatest.is_none_or(|greatest| second > greatest);
                prop_assert_eq!(latest.reach(ts_ns), is_later.then_some(second));
                greatest = greatest.max(Some(second));
                prop_assert_eq!(latest.get(), greatest);
            }
        }
    }
}
