//! Counters of a run: nothing is left out silently.

use crate::decode::Drop;

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident = $js:literal,)*) => {
        /// Counters of a run, all from 0.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats { $($(#[$doc])* pub $name: u64,)* }

        impl Stats {
            /// The counters' names in JavaScript, in order.
            pub const NAMES: &'static [&'static str] = &[$($js),*];

            /// The counters, in the order of [`Stats::NAMES`].
            #[must_use]
            pub fn values(&self) -> [u64; Self::NAMES.len()] { [$(self.$name),*] }
        }
    };
}

stats! {
    /// Packets read.
    packets = "packets",
    /// Octets of packets captured.
    captured_bytes = "capturedBytes",
    /// Octets of input read (of compressed input: compressed octets).
    input_bytes = "inputBytes",
    /// Packets that the filter left out; they count nowhere else.
    filtered = "filtered",
    /// Packets that carry no IP.
    non_ip = "nonIp",
    /// Packets of a link type this crate doesn't know.
    unknown_link = "unknownLink",
    /// Packets cut inside the link-layer or IP header.
    cut = "cut",
    /// Packets with a header that contradicts itself.
    broken = "broken",
    /// Packets without the ports that their protocol should have: later fragments, or cut.
    short_key = "shortKey",
    /// Packets of flows that a chain wants to ignore.
    ignored = "ignored",
    /// ICMP errors counted to the flow that they quote.
    quoted = "quoted",
    /// Packets with TCP whose header is broken or cut before its flags.
    bad_segments = "badSegments",
    /// Flows opened.
    flows = "flows",
    /// Flows ended because the table was full.
    evicted = "evicted",
    /// Flows open now.
    open_flows = "openFlows",
    /// Holes given up because a limit on waiting octets was reached.
    limit_gaps = "limitGaps",
    /// Segments with sequence numbers out of every window, left out.
    wild_segments = "wildSegments",
    /// Keep-alives and repeated zero-window probes.
    keep_alives = "keepAlives",
}

impl Stats {
    /// Counts a packet that gave no datagram.
    #[cold]
    pub fn count_drop(&mut self, reason: Drop) {
        match reason {
            Drop::NonIp => self.non_ip += 1,
            Drop::UnknownLink => self.unknown_link += 1,
            Drop::Cut => self.cut += 1,
            Drop::Broken => self.broken += 1,
        }
    }
}
