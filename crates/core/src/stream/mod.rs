//! Reassembly of ONE direction of a TCP connection: segments in any order in, octets in stream order out.
//!
//! In come a segment's sequence number, flags and payload ([`Segment`]) and the peer's cumulative acknowledgements;
//! out go in-order octets, gaps and conflicts through a [`Sink`]. A [`Stream`] is small and holds no octets; what
//! waits for a hole to fill lies in the [`Arena`] that all streams of an engine share. Nothing here knows files,
//! flow keys or the other direction's octets. Octets that their owner keeps in place for a while ([`Arena::lend`]) are
//! not copied there: the arena counts them all the same, and copies them when their place goes.
//!
//! `rcv_nxt`, `snd_nxt` and `snd_una` are what the *capture point* saw, not what the hosts held: a capture may lose
//! packets that the hosts got.
//!
//! # Offsets
//! Octet 0 is the one after the SYN (`isn + 1`; with TCP Fast Open it may lie on the SYN itself, RFC 7413). Where no
//! SYN was seen, the first segment decides: its first octet is offset 0. As long as nothing was handed over, an
//! earlier segment or the SYN itself still moves that start; afterwards octets before it are counted, not delivered.
//! A keep-alive (RFC 9293 section 3.8.4: one octet below `snd_nxt`, with or without a garbage octet) never is a start
//! and never reaches the stream.
//!
//! # When a hole is given up
//! One rule, for live and offline runs alike, by packet time. A hole becomes a gap when
//! 1. the peer's acknowledgement has passed the hole's end (the receiver got what the capture missed) and
//!    [`StreamLimits::gap_patience_ns`] has gone by since that was seen; or
//! 2. a limit is hit: the direction's own ([`StreamLimits::direction_octets`]), or that of all streams
//!    ([`StreamLimits::total_octets`]), where the stream that has waited longest gives up first; or
//! 3. the connection ends ([`Stream::finish`]).
//!
//! Gaps are events with offset and length. They are never filled with zeros, whatever their size.
//!
//! # Conflicts
//! Octets that arrive again with another content are reported with both versions: against octets that wait always,
//! against octets already delivered as far as the shared window of recent octets reaches
//! ([`StreamLimits::history_octets`]). [`OverlapPolicy`] decides among octets that wait; what was delivered stays.
//!
//! # Wild sequence numbers
//! A segment more than 1 GiB (RFC 7323's largest window) away from `rcv_nxt` can't have been acceptable to its
//! receiver (RFC 9293 section 3.10.7.4). It is counted and left out. Three such segments in a row that continue each
//! other are the capture's own jump, though: the stream goes on there after one gap.

mod arena;
mod history;
mod lent;
mod limits;
mod pieces;
mod policy;
mod queue;
mod reassembler;
mod sink;
mod slab;
mod transfer;

#[cfg(test)]
mod tests;

pub use arena::{Arena, Totals};
pub use lent::Lent;
pub use limits::{Deliver, StreamLimits};
pub use policy::OverlapPolicy;
pub use reassembler::{Counters, Segment, Stream};
pub use sink::{GapReason, Sink};
