//! What of a stream was seen, as far as Zeek's count of missed octets needs it: no octets, only places.
//!
//! Place 0 is the SYN, so data begins at 1. Everything below `delivered` was seen or given up. What was seen above a
//! hole is a sorted list of at most [`MOST`] ranges; beyond that the two nearest ones become one, so that the
//! octets between them are taken for seen.

/// Ranges above a hole that are kept apart.
const MOST: usize = 64;

/// Octets above a hole, with nothing acknowledged ever, at which Zeek stops following a stream.
const UNACKED_MOST: u64 = 16_384;

/// One direction.
#[derive(Clone, Debug)]
pub struct Holes {
    delivered: u64,
    above: Vec<(u64, u64)>,
    /// Not followed any more.
    skipped: bool,
}

impl Default for Holes {
    fn default() -> Self {
        Self { delivered: 1, above: Vec::new(), skipped: false }
    }
}

impl Holes {
    /// Everything below was seen or given up.
    #[inline]
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Something was seen above a hole.
    #[inline]
    pub fn is_waiting(&self) -> bool {
        !self.above.is_empty()
    }

    /// Not followed any more.
    #[inline]
    pub fn is_skipped(&self) -> bool {
        self.skipped
    }

    /// Octets `[from, to)` were seen.
    #[inline]
    pub fn add(&mut self, from: u64, to: u64, nothing_acked: bool) {
        if self.skipped || to <= self.delivered {
            return;
        }
        if from <= self.delivered {
            self.delivered = to;
            if !self.above.is_empty() {
                self.join();
            }
        } else {
            self.add_above(from, to, nothing_acked);
        }
    }

    #[cold]
    fn add_above(&mut self, from: u64, to: u64, nothing_acked: bool) {
        let at = self.above.partition_point(|range| range.1 < from);
        let touching = self.above[at..].iter().take_while(|range| range.0 <= to).count();
        let joined = self.above[at..at + touching].iter().fold((from, to), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        self.above.splice(at..at + touching, [joined]);
        if self.above.len() > MOST {
            self.join_nearest();
        }
        if nothing_acked && self.above.last().is_some_and(|last| last.1 - self.delivered > UNACKED_MOST) {
            self.above.clear();
            self.skipped = true;
        }
    }

    fn join_nearest(&mut self) {
        let nearest = (1..self.above.len()).min_by_key(|&at| self.above[at].0 - self.above[at - 1].1);
        if let Some(at) = nearest {
            self.above[at - 1].1 = self.above[at].1;
            self.above.remove(at);
        }
    }

    #[cold]
    fn join(&mut self) {
        let reached = self.above.partition_point(|range| range.0 <= self.delivered);
        let end = self.above.drain(..reached).fold(self.delivered, |end, range| end.max(range.1));
        self.delivered = end;
    }

    /// Everything below `to` was acknowledged: gives the octets that were never seen, and in how many gaps.
    #[cold]
    pub fn trim(&mut self, to: u64) -> (u64, usize) {
        let (mut missed, mut gaps) = (0, 0);
        while self.delivered < to {
            let end = self.above.first().map_or(to, |range| range.0.min(to));
            missed += end - self.delivered;
            gaps += 1;
            self.delivered = end;
            self.join();
        }
        if self.skipped { (0, 0) } else { (missed, gaps) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_fill_in_any_order() {
        let mut holes = Holes::default();
        holes.add(1, 10, false);
        holes.add(20, 30, false);
        holes.add(40, 50, false);
        assert!(holes.is_waiting());
        holes.add(30, 40, false);
        holes.add(10, 20, false);
        assert_eq!((holes.delivered(), holes.is_waiting()), (50, false));
    }

    #[test]
    fn acknowledged_holes_are_missed() {
        let mut holes = Holes::default();
        holes.add(1, 10, false);
        holes.add(15, 20, false);
        holes.add(25, 30, false);
        assert_eq!(holes.trim(28), (10, 2));
        assert_eq!((holes.delivered(), holes.is_waiting()), (30, false));
        assert_eq!(holes.trim(33), (3, 1));
    }

    #[test]
    fn ranges_stay_few() {
        let mut holes = Holes::default();
        (1..1000).for_each(|i| holes.add(i * 100, i * 100 + 10, false));
        assert!(holes.above.len() <= MOST);
        (1..1000).for_each(|i| holes.add(1 << 20, (1 << 20) + i, true));
        assert!(holes.is_skipped());
    }
}
