//! What a capture's packets come to: how many, how long, from when to when, and whether their times only go forward.

/// Sums over the packets of one capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketTotals {
    /// Packets.
    pub packets: u64,
    /// Octets captured.
    pub captured_bytes: u64,
    /// Octets on the wire.
    pub wire_bytes: u64,
    /// No packet is earlier than the one before it. Packets without a time don't matter.
    pub in_order: bool,
    first_ns: i64,
    last_ns: i64,
    previous_ns: i64,
}

impl Default for PacketTotals {
    fn default() -> Self {
        Self {
            packets: 0,
            captured_bytes: 0,
            wire_bytes: 0,
            in_order: true,
            first_ns: i64::MAX,
            last_ns: i64::MIN,
            previous_ns: i64::MIN,
        }
    }
}

impl PacketTotals {
    /// Counts a packet, but not its time.
    #[inline]
    pub(super) fn count(&mut self, captured_len: u32, wire_len: u32) {
        self.packets += 1;
        self.captured_bytes += u64::from(captured_len);
        self.wire_bytes += u64::from(wire_len);
    }

    /// Takes in a packet's time.
    #[inline]
    pub(super) fn time(&mut self, ts_ns: i64) {
        self.first_ns = self.first_ns.min(ts_ns);
        self.last_ns = self.last_ns.max(ts_ns);
        self.in_order &= ts_ns >= self.previous_ns;
        self.previous_ns = ts_ns;
    }

    /// The earliest and the latest time, nanoseconds since the Unix epoch; `None` where no packet has a time.
    #[must_use]
    pub fn span_ns(&self) -> Option<(i64, i64)> {
        (self.first_ns <= self.last_ns).then_some((self.first_ns, self.last_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_of_times_out_of_order_span_all_of_them() {
        let mut totals = PacketTotals::default();
        assert_eq!((totals.span_ns(), totals.in_order), (None, true));
        for (ts_ns, in_order) in [(5, true), (5, true), (9, true), (2, false), (7, false)] {
            totals.count(60, 100);
            totals.time(ts_ns);
            assert_eq!(totals.in_order, in_order, "after {ts_ns}");
        }
        assert_eq!(totals.span_ns(), Some((2, 9)));
        assert_eq!((totals.packets, totals.captured_bytes, totals.wire_bytes), (5, 300, 500));
    }
}
