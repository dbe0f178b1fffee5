//! One side of a connection as Zeek follows it: its state, and its sequence numbers as places in the stream.
//!
//! Place 0 is the SYN, seen or not; numbers wrap every 2^32, and `*_wraps` count how often they did.

use super::holes::Holes;
use crate::analysis::seen::{Seen, since};
use crate::decode::flags;

/// A step in sequence numbers that neither a SYN nor a RST is believed.
const FAR: i32 = 1 << 20;

/// States of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointState {
    /// Nothing seen from it.
    #[default]
    Inactive,
    /// It sent a SYN.
    SynSent,
    /// It sent a SYN with ACK, unasked.
    SynAckSent,
    /// It sent something, and no SYN was seen.
    Partial,
    /// The handshake was seen, or enough of it.
    Established,
    /// It sent a FIN.
    Closed,
    /// It sent a RST.
    Reset,
}

/// One side.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    pub state: EndpointState,
    pub previous: EndpointState,
    /// Number of the SYN, or one less than the first number seen.
    pub start: u32,
    last: u32,
    last_wraps: u32,
    acked: u32,
    acked_wraps: u32,
    /// Place behind the FIN; 0 = none was seen.
    fin: u64,
    /// A FIN or RST was seen.
    pub wants_close: bool,
    /// And all that it sent.
    pub did_close: bool,
    pub holes: Holes,
}

impl Endpoint {
    pub fn set(&mut self, state: EndpointState) {
        if state != self.state {
            self.previous = self.state;
            self.state = state;
        }
    }

    /// Sets the numbers from a first segment, or from a SYN that begins anew.
    #[inline]
    pub fn init(&mut self, seen: &Seen<'_>) {
        let syn = seen.has(flags::SYN);
        match self.state {
            EndpointState::Inactive if syn => self.start_at(seen.seq, end_of(seen)),
            // As if a SYN had stood before it; the first segment is no retransmission.
            EndpointState::Inactive => self.start_at(seen.seq.wrapping_sub(1), seen.seq),
            EndpointState::SynSent | EndpointState::SynAckSent if syn && seen.seq != self.start => {
                self.start_at(seen.seq, end_of(seen));
            }
            EndpointState::Established | EndpointState::Partial if syn => self.start_at(seen.seq, end_of(seen)),
            EndpointState::Reset if syn && self.previous == EndpointState::Inactive => {
                self.start_at(seen.seq, end_of(seen));
            }
            _ => {}
        }
    }

    fn start_at(&mut self, start: u32, last: u32) {
        (self.start, self.acked, self.last) = (start, start, last);
        (self.acked_wraps, self.last_wraps) = (0, u32::from(last < start));
    }

    /// The peer acknowledged something of which nothing was seen.
    pub fn init_by_ack(&mut self, ack: u32) {
        let start = ack.wrapping_sub(1);
        self.start_at(start, start);
        self.last_wraps = 0;
    }

    /// Place of a sequence number; negative below the start.
    #[inline]
    pub fn place(&self, seq: u32) -> i64 {
        self.relative(seq, self.last, self.last_wraps)
    }

    /// Place of the peer's acknowledgement.
    #[inline]
    pub fn place_of_ack(&self, ack: u32) -> i64 {
        self.relative(ack, self.acked, self.acked_wraps)
    }

    #[inline]
    fn relative(&self, number: u32, near: u32, wraps: u32) -> i64 {
        let ahead = since(number, near);
        let wraps = match ahead {
            1.. if number < near => wraps + 1,
            i32::MIN..=-1 if wraps > 0 && number > near => wraps - 1,
            _ => wraps,
        };
        if wraps == 0 {
            return i64::from(since(number, self.start));
        }
        (i64::from(wraps) << 32) + i64::from(number) - i64::from(self.start)
    }

    /// Notes a FIN.
    #[inline]
    pub fn note_fin(&mut self, seen: &Seen<'_>, place: i64) {
        if seen.has(flags::FIN) {
            let end = place + i64::from(stream_len(seen));
            self.fin = u64::try_from(end).unwrap_or(0);
        }
    }

    /// The peer acknowledged up to `ack`.
    #[inline]
    pub fn take_ack(&mut self, ack: u32) {
        let ahead = since(ack, self.acked);
        // 0 is more likely no acknowledgement than one of so much.
        if ahead > 0 && !(ack == 0 && ahead > FAR) {
            self.acked_wraps += u32::from(ack < self.acked);
            self.acked = ack;
        }
    }

    /// Moves the highest number seen. True: the segment's payload came before.
    #[inline]
    pub fn advance(&mut self, seen: &Seen<'_>) -> bool {
        let end = end_of(seen);
        let ahead = since(end, self.last);
        if seen.has(flags::SYN | flags::RST) && !(-FAR..=FAR).contains(&ahead) {
            return false;
        }
        let only_fin = seen.has(flags::FIN) && self.last == self.start.wrapping_add(1);
        if self.state == EndpointState::Reset && !only_fin {
            return false;
        }
        if ahead > 0 || only_fin {
            self.last_wraps += u32::from(end < self.last);
            self.last = end;
            return false;
        }
        seen.len > 0
    }

    /// An acknowledgement of the FIN acknowledges no octet.
    #[inline]
    pub fn below_fin(&self, acked: u64) -> u64 {
        if self.fin != 0 && acked >= self.fin { self.fin - 1 } else { acked }
    }

    /// The segment's payload stands at `at`. What was cut by the snapshot length is as good as missed.
    #[inline]
    pub fn data(&mut self, at: u64, seen: &Seen<'_>) {
        if seen.whole {
            let nothing_acked = self.acked == self.start || self.acked == self.start.wrapping_add(1);
            self.holes.add(at, at + u64::from(seen.len), nothing_acked);
        }
    }

    /// Established, or closed from there.
    pub fn is_clean(&self) -> bool {
        match self.state {
            EndpointState::Established => true,
            EndpointState::Closed => self.previous == EndpointState::Established,
            _ => false,
        }
    }

    /// It has begun, and doesn't want to close.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, EndpointState::Established | EndpointState::Partial) && !self.wants_close
    }

    /// Something was sent that was neither seen nor given up yet.
    pub fn is_pending(&self) -> bool {
        let sent = self.full(self.last, self.last_wraps);
        let delivered = u64::from(self.start) + self.holes.delivered();
        !self.holes.is_skipped() && sent >= delivered && sent > delivered + 1
    }

    /// A sequence number in a space that doesn't wrap.
    fn full(&self, number: u32, wraps: u32) -> u64 {
        (u64::from(wraps) << 32) + u64::from(number)
    }

    /// Octets sent, by sequence numbers: the greater of what was seen and what was acknowledged.
    pub fn size(&self, peer: &Self) -> u64 {
        let nothing_acked = self.acked == self.start || self.acked == self.start.wrapping_add(1);
        let aborted = self.previous == EndpointState::SynSent && self.state == EndpointState::Reset;
        if aborted && peer.state == EndpointState::Inactive && !nothing_acked {
            return 0;
        }
        let highest = self.full(self.last, self.last_wraps).max(self.full(self.acked, self.acked_wraps));
        let size = highest.saturating_sub(u64::from(self.start));
        // Neither SYN nor FIN is an octet.
        size.saturating_sub(1).saturating_sub(u64::from(self.fin != 0))
    }
}

/// Numbers that a segment takes: a RST's payload is none of the stream.
fn stream_len(seen: &Seen<'_>) -> u32 {
    seen.seq_len() - if seen.has(flags::RST) { seen.len } else { 0 }
}

fn end_of(seen: &Seen<'_>) -> u32 {
    seen.seq.wrapping_add(stream_len(seen))
}
