//! TCP analysis of one connection: what its segments tell beyond what reassembly needs.
//!
//! In: the segments of a connection in capture order, as [`Seen`]. Out: the columns of [`COLUMNS`], and for each
//! segment its [`Kinds`]. Every concern is a file that knows nothing of the others, except that pace and series ask
//! the judge what was said so far. All memory is one entry of a table per connection ([`Analyses`]), made only where
//! analysis is asked for; what grows beside it is bounded (see [`round_trip`], [`quantile`] and [`zeek`]).
//!
//! Everything is told from where the capture was taken, and by packet time.

pub mod ecn;
pub mod judge;
pub mod kinds;
pub mod pace;
pub mod quantile;
mod record;
pub mod round_trip;
mod seen;
pub mod series;
mod table;
pub mod zeek;

#[cfg(test)]
mod tests;

pub use kinds::Kinds;
pub use record::COLUMNS;
pub use seen::Seen;
pub use table::Analyses;

use ecn::Ecn;
use judge::Judge;
use kinds::KindCounts;
use pace::Pace;
use round_trip::{BothRoundTrips, Spare};
use zeek::Zeek;

use crate::flow::Direction;

/// What is known of one connection. `[fwd, rev]` where there are two of a thing.
///
/// What each segment touches comes first, what few do last: a segment waits for memory longer than it computes.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Analysis {
    pub(crate) judge: Judge,
    pub(crate) pace: [Pace; 2],
    pub(crate) ip_octets: [u64; 2],
    pub(crate) round_trips: BothRoundTrips,
    /// A segment was of some kind.
    kinds_noted: bool,
    pub(crate) zeek: Zeek,
    pub(crate) ecn: Ecn,
    pub(crate) kinds: [KindCounts; 2],
}

impl Analysis {
    /// Takes in a segment and says of which kinds it is; `ports` are those of client and server, `spare` is all
    /// connections'.
    #[inline]
    pub fn segment(&mut self, seen: &Seen<'_>, ports: [u16; 2], spare: &mut Spare) -> Kinds {
        let way = seen.direction.index();
        let kinds = self.judge.judge(seen);
        if kinds != Kinds::default() {
            self.kinds_noted = true;
            self.kinds[way].count(kinds);
        }
        self.pace[way].segment(seen, &self.judge);
        self.ecn.segment(seen, kinds);
        self.round_trips.segment(seen, spare);
        self.zeek.segment(seen, ports);
        self.ip_octets[way] += u64::from(seen.ip_octets);
        kinds
    }

    /// The connection has ended: gives memory back.
    fn let_go(&mut self, spare: &mut Spare) {
        self.round_trips.let_go(spare);
        self.zeek.let_go();
    }

    /// The window in octets that the latest segment of `direction` advertised; none where its scale is not known.
    #[must_use]
    pub fn window(&self, direction: Direction) -> Option<u32> {
        self.judge.said[direction.index()].window()
    }
}
