//! Counters of a run: nothing is left out silently.

use crate::decode::{Decoder, Drop, UnknownLinks};

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident = $js:literal,)*) => {
        /// Counters of a run, all from 0.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
            /// Packets by unknown link type; further types are in `unknown_link` only.
            pub unknown_links: UnknownLinks,
        }

        impl Stats {
            const PLAIN: &'static [&'static str] = &[$($js),*];

            fn plain(&self) -> [u64; Self::PLAIN.len()] { [$(self.$name),*] }
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
    /// Packets that live sources saw and their filters chose, dropped ones included; 0 for files.
    received = "received",
    /// Packets of live sources that the system dropped because they weren't taken in time.
    dropped = "dropped",
    /// Packets of live sources that the interface dropped.
    dropped_by_interface = "droppedByInterface",
    /// Packets that carry no IP.
    non_ip = "nonIp",
    /// Packets of a link type this crate doesn't know.
    unknown_link = "unknownLink",
    /// Packets cut inside the link-layer or IP header.
    cut = "cut",
    /// Packets with a header that contradicts itself.
    broken = "broken",
    /// Packets that are fragments.
    fragments = "fragments",
    /// Datagrams put together from fragments.
    reassembled = "reassembled",
    /// Datagrams of which fragments are missing now.
    incomplete = "incomplete",
    /// Datagrams whose missing fragments didn't come in time.
    fragment_timeouts = "fragmentTimeouts",
    /// Datagrams given up because of a limit on fragments.
    fragment_evictions = "fragmentEvictions",
    /// Fragments that can't be: empty, unaligned, too long, or at odds about the datagram's end.
    invalid_fragments = "invalidFragments",
    /// Fragments that overlap another one.
    fragment_overlaps = "fragmentOverlaps",
    /// Packets with a bad checksum, where checksums are looked at.
    bad_checksums = "badChecksums",
    /// Packets without the ports that their protocol should have: cut ones.
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

const PLAIN: usize = Stats::PLAIN.len();

/// The plain counters, then a type and its packets for each unknown link type that is told apart.
const ALL: [&str; PLAIN + 2 * UnknownLinks::MAX] = {
    let mut names = ["unknownLinkType"; PLAIN + 2 * UnknownLinks::MAX];
    let mut at = 0;
    while at < names.len() {
        if at < PLAIN {
            names[at] = Stats::PLAIN[at];
        } else if (at - PLAIN) % 2 == 1 {
            names[at] = "unknownLinkPackets";
        }
        at += 1;
    }
    names
};

impl Stats {
    /// The counters' names in JavaScript, in order; those of unknown link types repeat.
    pub const NAMES: &'static [&'static str] = &ALL;

    /// The counters, in the order of [`Stats::NAMES`]. A link type of which there are 0 packets is none.
    #[must_use]
    pub fn values(&self) -> [u64; Self::NAMES.len()] {
        let mut values = [0; Self::NAMES.len()];
        values[..PLAIN].copy_from_slice(&self.plain());
        for (pair, (link, packets)) in values[PLAIN..].chunks_exact_mut(2).zip(self.unknown_links.iter()) {
            pair.copy_from_slice(&[u64::from(link.0), packets]);
        }
        values
    }

    /// Counts a packet that gave no datagram.
    #[cold]
    pub fn count_drop(&mut self, reason: Drop) {
        match reason {
            Drop::NonIp => self.non_ip += 1,
            Drop::UnknownLink => self.unknown_link += 1,
            Drop::Cut => self.cut += 1,
            Drop::Broken => self.broken += 1,
            // The decoder counts them, with their reasons.
            Drop::Fragment | Drop::Checksum => {}
        }
    }

    /// Takes over what the decoder counted.
    pub fn count_decoder(&mut self, decoder: &Decoder) {
        let fragments = decoder.fragment_stats();
        self.fragments = fragments.fragments;
        self.reassembled = fragments.datagrams;
        self.incomplete = decoder.pending_datagrams() as u64;
        self.fragment_timeouts = fragments.timeouts;
        self.fragment_evictions = fragments.evictions;
        self.invalid_fragments = fragments.invalid;
        self.fragment_overlaps = fragments.overlaps;
        self.bad_checksums = decoder.bad_checksums();
        self.unknown_links = *decoder.unknown_links();
    }
}
