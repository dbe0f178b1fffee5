//! Counters of a run that traces flows: those of every run, and those of its files.

use crate::session::Stats;
use crate::sink::FileSetStats;

/// How many counters every run has.
const COMMON: usize = Stats::NAMES.len();

/// The further ones: what each means stands in [`TraceStats`], [`FileSetStats`] and the TypeScript interface.
const OWN: [&str; 15] = [
    "notTcp",
    "tracedPackets",
    "badTimes",
    "lostFragments",
    "frameRows",
    "files",
    "writtenBytes",
    "openFiles",
    "mostOpenFiles",
    "closedEarly",
    "reopened",
    "bufferedBytes",
    "mostBufferedBytes",
    "unwrittenBytes",
    "ended",
];

const ALL: [&str; COMMON + OWN.len()] = {
    let mut names = [""; COMMON + OWN.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = if at < COMMON { Stats::NAMES[at] } else { OWN[at - COMMON] };
        at += 1;
    }
    names
};

/// Counters so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceStats {
    /// Those of every run.
    pub common: Stats,
    /// Datagrams that carry no TCP.
    pub not_tcp: u64,
    /// Packets that belong to a flow, each of a datagram's fragments counted.
    pub traced: u64,
    /// Packets whose time the format can't hold.
    pub bad_times: u64,
    /// Frames with fragments that no file got, because others of their datagram were missing.
    pub lost_fragments: u64,
    /// Rows of frames in this batch.
    pub frame_rows: u64,
    /// Flows that ended.
    pub ended: u64,
    /// Those of the files.
    pub files: FileSetStats,
}

impl TraceStats {
    /// The counters' names in JavaScript, in order.
    pub const NAMES: &'static [&'static str] = &ALL;

    /// The counters, in that order.
    pub fn values(&self) -> impl Iterator<Item = u64> {
        let files = &self.files;
        self.common.values().into_iter().chain([
            self.not_tcp,
            self.traced,
            self.bad_times,
            self.lost_fragments,
            self.frame_rows,
            files.created,
            files.octets,
            files.open,
            files.most_open,
            files.closed_early,
            files.reopened,
            files.buffered,
            files.most_buffered,
            files.unwritten,
            self.ended,
        ])
    }
}
