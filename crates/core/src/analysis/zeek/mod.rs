//! What Zeek's `conn.log` says of a TCP connection: state, history, octets.
//!
//! In: segments in capture order. Out: `conn_state`, `history` and counts, by the rules of Zeek's documentation of
//! `Conn::Info` and of its TCP analyzer. Zeek's originator is not always the client of a record: it is the sender of
//! the first segment, unless that has a well-known port and no plain SYN (see `ports`).
//!
//! Zeek ends a connection by timers of its own (5 s after its close, 5 s without an answer to a SYN, 5 min of
//! silence); here it lasts as long as its record.

mod endpoint;
mod history;
mod holes;
mod ports;

use endpoint::{Endpoint, EndpointState};
pub use history::{History, MOST as HISTORY_LEN};
use holes::Holes;

use super::seen::{Seen, since};
use crate::decode::flags;
use crate::flow::Direction;

/// Zeek's `conn_state`, in the order of [`ConnState::NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "Zeek's documentation of Conn::Info says what each means")]
pub enum ConnState {
    S0,
    S1,
    Sf,
    Rej,
    S2,
    S3,
    Rsto,
    Rstr,
    Rstos0,
    Rstrh,
    Sh,
    Shr,
    Oth,
}

impl ConnState {
    /// The words, by number.
    pub const NAMES: [&'static str; 13] =
        ["S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"];
}

/// A connection as Zeek sees it. Index 0 is the originator.
#[derive(Clone, Debug, Default)]
pub struct Zeek {
    ends: [Endpoint; 2],
    /// The record's client is Zeek's originator; none before the first segment.
    client_first: Option<bool>,
    /// The state history so far.
    pub history: History,
    /// Neither SYN of a handshake that began in order was seen.
    partial: bool,
    /// A first segment of originator, responder was seen.
    began: [bool; 2],
    /// Octets in content gaps.
    pub missed_bytes: u64,
    first_ns: i64,
    last_ns: i64,
    /// Both sides have begun and neither wants to close: what moves states is behind or before.
    under_way: bool,
}

impl Zeek {
    /// Takes in a segment; `ports` are those of client and server.
    #[inline]
    pub fn segment(&mut self, seen: &Seen<'_>, ports: [u16; 2]) {
        if self.under_way && seen.is_plain() {
            self.transfer(seen);
        } else {
            self.control(seen, ports);
        }
    }

    /// As [`Self::control`], for a segment that moves no state.
    #[inline]
    fn transfer(&mut self, seen: &Seen<'_>) {
        let way = self.way(seen);
        self.last_ns = seen.ts_ns;
        let place = self.ends[way].place(seen.seq);
        self.history.plain(seen, way);
        if seen.window == 0 {
            self.history.scaled(way, b'w');
        }
        let acked = if seen.has(flags::ACK) { self.take_ack(seen, way) } else { 0 };
        if self.ends[way].advance(seen) {
            self.history.scaled(way, b't');
        }
        self.trim(1 - way, acked);
        if seen.len > 0 && place >= 0 {
            self.ends[way].data(place.unsigned_abs(), seen);
        }
    }

    #[inline(never)]
    fn control(&mut self, seen: &Seen<'_>, ports: [u16; 2]) {
        if self.client_first.is_none() {
            self.begin(seen, ports);
        }
        let way = self.way(seen);
        if !self.ends[0].did_close || !self.ends[1].did_close {
            self.last_ns = seen.ts_ns;
        }
        self.set_partial(seen, way);
        self.ends[way].init(seen);
        let place = self.ends[way].place(seen.seq);
        self.note_history(seen, way, place);
        self.ends[way].note_fin(seen, place);
        let acked = if seen.has(flags::ACK) { self.take_ack(seen, way) } else { 0 };
        if self.ends[way].advance(seen) {
            self.history.scaled(way, b't');
        }
        self.step(seen, way);
        // The roles may have changed.
        let way = self.way(seen);
        if seen.has(flags::ACK) {
            self.trim(1 - way, acked);
        }
        self.began[way] = true;
        if seen.len > 0 && !seen.has(flags::RST) && place >= 0 {
            let at = place.unsigned_abs() + u64::from(seen.has(flags::SYN));
            self.ends[way].data(at, seen);
        }
        self.check_close(seen, way);
        self.under_way = self.began == [true; 2] && self.ends.iter().all(Endpoint::is_under_way);
    }

    /// Nothing more will come: gives memory back.
    pub fn let_go(&mut self) {
        self.ends.iter_mut().for_each(|end| end.holes = Holes::default());
    }

    /// 0 where the segment is the originator's, 1 where the responder's.
    #[inline]
    fn way(&self, seen: &Seen<'_>) -> usize {
        if self.client_is_originator() { seen.direction.index() } else { 1 - seen.direction.index() }
    }

    /// Chooses the originator.
    #[cold]
    fn begin(&mut self, seen: &Seen<'_>, [client, server]: [u16; 2]) {
        self.first_ns = seen.ts_ns;
        let from_client = seen.direction == Direction::Fwd;
        let (source, destination) = if from_client { (client, server) } else { (server, client) };
        let plain_syn = seen.flags & (flags::SYN | flags::ACK) == flags::SYN;
        let flip = !plain_syn && ports::source_is_server(source, destination, seen.has(flags::SYN));
        if flip {
            self.history.flip();
        }
        self.client_first = Some(from_client != flip);
    }

    /// A connection is partial when its beginning was not seen.
    fn set_partial(&mut self, seen: &Seen<'_>, way: usize) {
        if self.began[way] {
            return;
        }
        if way == 0 {
            self.partial = !seen.has(flags::SYN) || seen.has(flags::ACK);
        } else if !self.partial {
            self.partial = !seen.has(flags::SYN);
        }
    }

    #[inline]
    fn note_history(&mut self, seen: &Seen<'_>, way: usize, place: i64) {
        let peer_closed = self.ends[1 - way].state == EndpointState::Closed;
        self.history.segment(seen, way, place);
        // A window of zero says little with a RST, after one, and once the peer won't send anyway.
        let matters = !seen.has(flags::RST) && !peer_closed && self.ends[way].state != EndpointState::Reset;
        if seen.window == 0 && matters {
            self.history.scaled(way, b'w');
        }
    }

    /// Notes an acknowledgement; gives its place in the peer's stream, 0 where it has none.
    #[inline]
    fn take_ack(&mut self, seen: &Seen<'_>, way: usize) -> u64 {
        let peer = &mut self.ends[1 - way];
        if peer.state == EndpointState::Inactive {
            peer.init_by_ack(seen.ack);
            return 1;
        }
        let place = peer.place_of_ack(seen.ack);
        if place < 0 {
            return 0;
        }
        // The acknowledgement of a RST is not to be trusted.
        if !seen.has(flags::RST) {
            peer.take_ack(seen.ack);
        }
        place.unsigned_abs()
    }

    /// Everything below `acked` was received: what of it wasn't seen is missed.
    #[inline]
    fn trim(&mut self, way: usize, acked: u64) {
        let acked = self.ends[way].below_fin(acked);
        if acked <= self.ends[way].holes.delivered() {
            return;
        }
        // The beginning of a partial connection is made up.
        if acked <= 2 && self.partial {
            return;
        }
        let (missed, gaps) = self.ends[way].holes.trim(acked);
        if self.ends.iter().all(Endpoint::is_clean) {
            self.missed_bytes += missed;
            (0..gaps).for_each(|_| self.history.scaled(way, b'g'));
        }
    }

    /// Moves the endpoints' states.
    fn step(&mut self, seen: &Seen<'_>, way: usize) {
        match self.ends[way].state {
            EndpointState::Inactive => self.leave_inactive(seen, way),
            EndpointState::SynSent | EndpointState::SynAckSent => self.leave_syn_sent(seen, way),
            EndpointState::Established | EndpointState::Partial => self.leave_established(seen, way),
            EndpointState::Closed => {
                if seen.has(flags::RST) && self.ends[1 - way].state != EndpointState::Closed {
                    self.ends[way].set(EndpointState::Reset);
                }
            }
            EndpointState::Reset => {}
        }
    }

    fn leave_inactive(&mut self, seen: &Seen<'_>, way: usize) {
        let peer = self.ends[1 - way].state;
        if seen.has(flags::SYN) {
            self.open(seen, way);
        }
        if seen.has(flags::FIN) {
            self.ends[way].set(EndpointState::Closed);
        }
        if seen.has(flags::RST) {
            self.ends[way].set(EndpointState::Reset);
        }
        if self.ends[way].state != EndpointState::Inactive {
            return;
        }
        // Some hosts acknowledge a SYN before they answer it.
        if way == 1 && seen.len == 0 && peer == EndpointState::SynSent {
            return;
        }
        if seen.has(flags::ACK) && peer == EndpointState::Established {
            // Only the first SYN was missed.
            self.ends[way].set(EndpointState::Established);
            self.partial = false;
        } else {
            self.ends[way].set(EndpointState::Partial);
        }
    }

    fn open(&mut self, seen: &Seen<'_>, way: usize) {
        if way == 0 {
            let answers = seen.has(flags::ACK);
            self.ends[0].set(if answers { EndpointState::SynAckSent } else { EndpointState::SynSent });
            return;
        }
        let reversed = !seen.has(flags::ACK) && self.ends[0].state == EndpointState::SynAckSent;
        if reversed && since(seen.seq, self.ends[1].start) == 0 {
            // The SYN's answer came before the SYN: the roles are the other way round.
            self.partial = false;
            self.ends[0].set(EndpointState::Established);
            self.ends[1].set(EndpointState::Established);
            self.flip();
            return;
        }
        if self.ends[0].state == EndpointState::SynSent {
            self.ends[0].set(EndpointState::Established);
        }
        self.ends[1].set(EndpointState::Established);
    }

    fn flip(&mut self) {
        self.ends.swap(0, 1);
        self.began.swap(0, 1);
        self.client_first = self.client_first.map(|known| !known);
        self.history.flip();
    }

    fn leave_syn_sent(&mut self, seen: &Seen<'_>, way: usize) {
        if seen.has(flags::FIN) {
            self.ends[way].set(EndpointState::Closed);
        }
        if seen.has(flags::RST) {
            self.ends[way].set(EndpointState::Reset);
        }
    }

    fn leave_established(&mut self, seen: &Seen<'_>, way: usize) {
        let [mine, peers] = [self.ends[way].state, self.ends[1 - way].state];
        let alone = mine == EndpointState::Partial && peers == EndpointState::Inactive;
        if seen.has(flags::SYN) && alone && !seen.has(flags::ACK) {
            self.ends[way].set(EndpointState::SynSent);
        }
        if seen.has(flags::FIN) && !seen.has(flags::RST) {
            self.ends[way].set(EndpointState::Closed);
            let peer = &mut self.ends[1 - way];
            // A FIN, then a RST, was a normal end after all.
            if peer.state == EndpointState::Reset && peer.previous == EndpointState::Closed {
                peer.set(EndpointState::Closed);
            }
        }
        if seen.has(flags::RST) {
            self.ends[way].set(EndpointState::Reset);
        }
    }

    /// A side has closed once all that it sent was seen or given up.
    #[inline]
    fn check_close(&mut self, seen: &Seen<'_>, way: usize) {
        if self.ends[way].did_close && self.ends[1 - way].did_close {
            return;
        }
        self.ends[way].wants_close |= seen.has(flags::FIN | flags::RST);
        for end in [way, 1 - way] {
            if !self.ends[end].wants_close {
                continue;
            }
            let pending = self.ends[end].is_pending() || {
                self.ends[end].state != EndpointState::Reset && self.ends[1 - end].holes.is_waiting()
            };
            self.ends[end].did_close |= !pending;
        }
    }

    /// The record's client is Zeek's originator.
    #[must_use]
    pub fn client_is_originator(&self) -> bool {
        self.client_first.unwrap_or(true)
    }

    /// Octets that originator and responder sent, by sequence numbers.
    #[must_use]
    pub fn sizes(&self) -> [u64; 2] {
        [self.ends[0].size(&self.ends[1]), self.ends[1].size(&self.ends[0])]
    }

    /// Nanoseconds from the first segment to the last one that Zeek counts.
    #[must_use]
    pub fn duration_ns(&self) -> i64 {
        self.last_ns.saturating_sub(self.first_ns)
    }

    /// Zeek's summary of both states.
    #[must_use]
    pub fn conn_state(&self) -> ConnState {
        use EndpointState::{Closed, Established, Inactive, Partial, Reset, SynAckSent, SynSent};
        let inactive = |state| matches!(state, Inactive | Partial);
        let nothing_sent = self.sizes() == [0, 0];
        match (self.ends[0].state, self.ends[1].state) {
            (SynSent | SynAckSent, Reset) => ConnState::Rej,
            (Reset, Reset) if nothing_sent => ConnState::Rej,
            (originator, Reset) if inactive(originator) => ConnState::Rstrh,
            (_, Reset) => ConnState::Rstr,
            (Reset, responder) if !inactive(responder) => ConnState::Rsto,
            (Reset, _) if self.history.is_syn_then_reset() => ConnState::Rstos0,
            (Reset, _) => ConnState::Oth,
            (Closed, Closed) => ConnState::Sf,
            (Closed, responder) if inactive(responder) => ConnState::Sh,
            (Closed, _) => ConnState::S2,
            (originator, Closed) if inactive(originator) => ConnState::Shr,
            (_, Closed) => ConnState::S3,
            (SynSent, Inactive) => ConnState::S0,
            (Established, Established) => ConnState::S1,
            _ => ConnState::Oth,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::tests::segments;

    proptest! {
        /// A segment that moves no state goes a shorter way, to the same place.
        #[test]
        fn transfer_and_control_agree(segments in segments()) {
            let (mut zeek, mut twin) = (Zeek::default(), Zeek::default());
            for seen in &segments {
                zeek.segment(seen, [40_000, 4_000]);
                twin.control(seen, [40_000, 4_000]);
                prop_assert_eq!(format!("{zeek:?}"), format!("{twin:?}"));
            }
        }
    }
}
