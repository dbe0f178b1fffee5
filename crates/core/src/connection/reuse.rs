//! Whether a segment begins a new connection on ports that are known.

use super::{Connection, State};
use crate::decode::{Segment, flags};
use crate::flow::Direction;
use crate::seq::SeqNum;

/// Octets by which a SYN may come late: data with higher numbers was seen first.
const LATE: i32 = 1 << 20;

/// A SYN that can't belong to `known` begins another connection. One that repeats a known number never does. `idle`:
/// no segment came for the idle time, so that any other SYN is of another connection.
#[must_use]
pub fn begins_anew(known: &Connection, segment: &Segment<'_>, direction: Direction, idle: bool) -> bool {
    if segment.flags & (flags::SYN | flags::RST) != flags::SYN {
        return false;
    }
    let way = direction.index();
    let same_number = known.syn[way].is_some_and(|syn| syn.isn == segment.seq);
    if same_number {
        return false;
    }
    if segment.has(flags::ACK) {
        // A server that answers a second time may choose another number; after the end it's another connection.
        return known.is_over() && known.syn[way].is_some();
    }
    if known.is_over() || idle {
        return true;
    }
    match known.syn[way] {
        Some(_) => !in_window(known, segment.seq, direction),
        None => !is_late(known, segment.seq, direction),
    }
}

/// RFC 5961 section 4.2: a SYN inside the window of a connection that stands is answered and changes nothing.
fn in_window(known: &Connection, seq: SeqNum, direction: Direction) -> bool {
    if !matches!(known.state, State::Established | State::Closing) {
        return false;
    }
    let window = known.window(direction.turned());
    known.streams[direction.index()]
        .rcv_nxt()
        .is_some_and(|next| (0..i64::from(window)).contains(&i64::from(seq.since(next))))
}

/// The SYN of a direction whose later segments (or whose peer's answer) came first.
fn is_late(known: &Connection, seq: SeqNum, direction: Direction) -> bool {
    match known.streams[direction.index()].rcv_nxt() {
        Some(next) => (0..=LATE).contains(&next.since(seq.plus(1))),
        // Nothing of this direction was seen: the other side's SYN (simultaneous open, or the answer came first), or
        // a few segments that overtook the SYN.
        None => known.syn[direction.turned().index()].is_some() || known.tracked.packets.iter().sum::<u64>() <= 3,
    }
}
