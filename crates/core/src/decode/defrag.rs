//! IPv4 (RFC 791, RFC 815) and IPv6 (RFC 8200 section 4.5) fragments put together before the transport layer.
//!
//! In: one fragment after another with its key, offset and packet time. Out: the whole datagram's payload as soon as
//! its last octet is there. Memory is bounded ([`FragmentConfig`]), time is packet time, and what is thrown away is
//! counted ([`FragmentStats`]). Nothing here reads a header: the caller does.
//!
//! A fragment that the snap length cut must not be pushed: its missing octets would be taken for a hole's edge.

mod config;
mod pieces;
mod table;
#[cfg(test)]
mod tests;

pub use config::{FragmentConfig, FragmentPolicy, FragmentStats, Ipv6Overlap};

use pieces::{Meeting, Pieces, Span};
use table::{Slot, Table};

/// Longest payload a datagram can have, in octets: the length fields of IPv4 and IPv6 have 16 bits.
pub const MAX_DATAGRAM_LEN: u32 = 65_535;

/// Emptied buffers that are kept for the next datagrams.
const MAX_SPARE: usize = 32;

/// What the fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FragmentKey {
    /// Source address; an IPv4 address in any fixed 16-octet form.
    pub src: [u8; 16],
    /// Destination address, in the same form.
    pub dst: [u8; 16],
    /// Identification: 16 bits of IPv4, 32 of IPv6.
    pub id: u32,
    /// Outer identity (VLANs, tunnel): equal addresses in two tunnels are two hosts.
    pub encap: u32,
    /// Upper-layer protocol. IPv6 fragments of one datagram may differ in it (RFC 8200 section 4.5): there it is no
    /// part of the identity, and the fragment at offset 0 says which it is.
    pub proto: u8,
    /// 4 or 6.
    pub version: u8,
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    /// Offset of the payload in the datagram, in octets, a multiple of 8.
    pub offset: u32,
    /// More fragments follow.
    pub more: bool,
    /// The fragment's octets after the IP header (IPv6: after the fragment header).
    pub payload: &'a [u8],
    /// Packet number.
    pub packet: u64,
    /// Packet time, nanoseconds since the Unix epoch.
    pub ts_ns: i64,
}

/// A datagram put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Its payload, valid until the next call.
    pub payload: &'a [u8],
    /// Upper-layer protocol of the fragment at offset 0.
    pub proto: u8,
    /// Number of the packet whose fragment came first.
    pub first_packet: u64,
    /// Fragments it was made of, without exact duplicates.
    pub fragments: u32,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Kept; the datagram has holes.
    Pending,
    /// It was the last one missing.
    Complete(Datagram<'a>),
    /// Not kept.
    Dropped(DropReason),
}

/// Why a fragment was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// It carries no octet and is not a whole datagram.
    Empty,
    /// The offset, or the length of a fragment with more to follow, is no multiple of 8 (RFC 8200 section 4.5).
    Unaligned,
    /// It ends beyond [`MAX_DATAGRAM_LEN`] (the "ping of death").
    TooLong,
    /// It contradicts another fragment about where the datagram ends.
    EndConflict,
    /// IPv6: it overlaps another one, so the datagram is discarded (RFC 5722 section 4).
    Overlap,
    /// Its datagram was discarded before.
    Discarded,
    /// A limit of [`FragmentConfig`] is reached.
    Limit,
}

/// Puts fragments together.
#[derive(Debug)]
pub struct Defragmenter {
    config: FragmentConfig,
    stats: FragmentStats,
    table: Table,
    /// Octets and bookkeeping of all pending datagrams.
    held: usize,
    spare: Vec<Pieces>,
    scratch: Vec<pieces::Piece>,
    /// The datagram handed out last.
    output: Vec<u8>,
}

impl Default for Defragmenter {
    fn default() -> Self {
        Self::new(FragmentConfig::default())
    }
}

impl Defragmenter {
    /// A defragmenter without a pending datagram; allocates nothing yet.
    #[must_use]
    pub fn new(config: FragmentConfig) -> Self {
        Self {
            config,
            stats: FragmentStats::default(),
            table: Table::default(),
            held: 0,
            spare: Vec::new(),
            scratch: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Counters since the start.
    #[must_use]
    pub fn stats(&self) -> &FragmentStats {
        &self.stats
    }

    /// Datagrams that are not complete, with the discarded ones that are remembered until their time is over.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.table.len()
    }

    /// Octets held for pending datagrams with their bookkeeping; at most [`FragmentConfig::max_octets`] between calls.
    #[must_use]
    pub fn held_octets(&self) -> usize {
        self.held
    }

    /// Takes one fragment. Expires what is overdue at its packet time first.
    pub fn push<'a>(&'a mut self, key: &FragmentKey, fragment: &Fragment<'a>) -> Outcome<'a> {
        self.stats.fragments += 1;
        self.expire(fragment.ts_ns);
        if fragment.offset == 0 && !fragment.more {
            // RFC 6946: an atomic fragment has nothing to do with others of the same key.
            return self.atomic(key, fragment);
        }
        let span = match span_of(fragment) {
            Ok(span) => span,
            Err(reason) => return self.invalid(reason),
        };
        let Some(slot) = self.slot(key, fragment) else { return Outcome::Dropped(DropReason::Limit) };
        match self.admit(slot, span, fragment) {
            Err(reason) => Outcome::Dropped(reason),
            Ok(()) => {
                if span.start == 0 {
                    self.table.slot_mut(slot).proto = key.proto;
                }
                self.settle(slot)
            }
        }
    }

    /// Forgets the datagrams whose first fragment is older than their timeout at packet time `now_ns`.
    pub fn expire(&mut self, now_ns: i64) {
        for (version, timeout_ns) in [(4, self.config.timeout_v4_ns), (6, self.config.timeout_v6_ns)] {
            while let Some(slot) = self.table.oldest_of(version) {
                let held = self.table.slot(slot);
                if now_ns.saturating_sub(held.first_ts_ns) <= timeout_ns {
                    break;
                }
                // A discarded datagram was counted when that happened.
                self.stats.timeouts += u64::from(!held.discarded);
                self.remove(slot);
            }
        }
    }

    fn atomic<'a>(&mut self, key: &FragmentKey, fragment: &Fragment<'a>) -> Outcome<'a> {
        self.stats.atomic += 1;
        Outcome::Complete(Datagram {
            payload: fragment.payload,
            proto: key.proto,
            first_packet: fragment.packet,
            fragments: 1,
        })
    }

    fn invalid(&mut self, reason: DropReason) -> Outcome<'static> {
        self.stats.invalid += 1;
        Outcome::Dropped(reason)
    }

    /// The datagram's place, made where there is none; none where the table may hold nothing.
    fn slot(&mut self, key: &FragmentKey, fragment: &Fragment<'_>) -> Option<u32> {
        let mut identity = *key;
        if key.version == 6 {
            identity.proto = 0;
        }
        if let Some(slot) = self.table.find(&identity) {
            return Some(slot);
        }
        if self.config.max_datagrams == 0 {
            return None;
        }
        while self.table.len() >= self.config.max_datagrams {
            self.evict_oldest_but(None);
        }
        let pieces = self.spare.pop().unwrap_or_default();
        Some(self.table.insert(Slot::new(identity, fragment, pieces)))
    }

    /// Puts a fragment into its datagram.
    fn admit(&mut self, slot: u32, span: Span, fragment: &Fragment<'_>) -> Result<(), DropReason> {
        let datagram = self.table.slot_mut(slot);
        if datagram.discarded {
            return Err(DropReason::Discarded);
        }
        if datagram.end_conflict(span, fragment.more) {
            self.stats.invalid += 1;
            return Err(DropReason::EndConflict);
        }
        let meeting = datagram.pieces.meeting(span, fragment.payload);
        match meeting {
            Meeting::Apart => {}
            Meeting::Duplicate => self.stats.duplicates += 1,
            Meeting::Overlap => self.stats.overlaps += 1,
        }
        if !fragment.more {
            datagram.total = Some(span.end);
        }
        if meeting == Meeting::Duplicate {
            return Ok(());
        }
        let strict = datagram.key.version == 6 && self.config.v6_overlap == Ipv6Overlap::Discard;
        if strict && meeting == Meeting::Overlap {
            self.discard(slot);
            return Err(DropReason::Overlap);
        }
        if datagram.fragments >= self.config.max_fragments {
            return Err(self.give_up(slot));
        }
        datagram.fragments += 1;
        let before = datagram.pieces.cost();
        datagram.pieces.put(span, fragment.payload, self.config.policy, &mut self.scratch);
        self.held += datagram.pieces.cost() - before;
        Ok(())
    }

    /// After a fragment was kept: hands the datagram out where it is whole, else keeps the memory bound.
    fn settle(&mut self, slot: u32) -> Outcome<'_> {
        if self.table.slot(slot).is_whole() {
            return self.complete(slot);
        }
        while self.held > self.config.max_octets {
            if !self.evict_oldest_but(Some(slot)) {
                return Outcome::Dropped(self.give_up(slot));
            }
        }
        Outcome::Pending
    }

    fn complete(&mut self, slot: u32) -> Outcome<'_> {
        let datagram = self.table.slot(slot);
        let (proto, first_packet, fragments) = (datagram.proto, datagram.first_packet, datagram.fragments);
        let mut pieces = self.table.remove(slot);
        self.held -= pieces.cost();
        pieces.assemble(&mut self.output);
        self.recycle(pieces);
        self.stats.datagrams += 1;
        Outcome::Complete(Datagram { payload: &self.output, proto, first_packet, fragments })
    }

    /// Gives a datagram up because of a limit; the rest of its fragments will be dropped.
    fn give_up(&mut self, slot: u32) -> DropReason {
        self.stats.evictions += 1;
        self.discard(slot);
        DropReason::Limit
    }

    /// Frees the octets of a datagram and remembers its key, so that its further fragments are dropped too.
    fn discard(&mut self, slot: u32) {
        let datagram = self.table.slot_mut(slot);
        datagram.discarded = true;
        let pieces = std::mem::take(&mut datagram.pieces);
        self.held -= pieces.cost();
        self.recycle(pieces);
    }

    /// Evicts the oldest datagram other than `but`; false where there is none.
    fn evict_oldest_but(&mut self, but: Option<u32>) -> bool {
        let Some(slot) = self.table.oldest_but(but) else { return false };
        self.stats.evictions += u64::from(!self.table.slot(slot).discarded);
        self.remove(slot);
        true
    }

    fn remove(&mut self, slot: u32) {
        let pieces = self.table.remove(slot);
        self.held -= pieces.cost();
        self.recycle(pieces);
    }

    fn recycle(&mut self, mut pieces: Pieces) {
        if self.spare.len() < MAX_SPARE {
            pieces.clear();
            self.spare.push(pieces);
        }
    }
}

/// Where a fragment lies, if it can lie there.
fn span_of(fragment: &Fragment<'_>) -> Result<Span, DropReason> {
    let len = u32::try_from(fragment.payload.len()).map_err(|_| DropReason::TooLong)?;
    if len == 0 {
        return Err(DropReason::Empty);
    }
    // RFC 8200 section 4.5 asks for this of IPv6; IPv4 hosts either do the same or cut the odd octets off.
    if !fragment.offset.is_multiple_of(8) || (fragment.more && !len.is_multiple_of(8)) {
        return Err(DropReason::Unaligned);
    }
    match fragment.offset.checked_add(len) {
        Some(end) if end <= MAX_DATAGRAM_LEN => Ok(Span { start: fragment.offset, end }),
        _ => Err(DropReason::TooLong),
    }
}
