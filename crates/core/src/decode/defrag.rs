//! IPv4 (RFC 791, RFC 815) and IPv6 (RFC 8200 section 4.5) fragments put together before the transport layer.
//!
//! In: one fragment after another with its key, offset and packet time. Out: the whole datagram's payload as soon as
//! its last octet is there. Memory is bounded ([`FragmentConfig`]), time is packet time, and what is thrown away is
//! counted ([`FragmentStats`]). Nothing here reads a header: the caller does.
//!
//! A fragment that the snap length cut must not be pushed: its missing octets would be taken for a hole's edge.

mod config;
mod fragment;
mod pieces;
mod table;
#[cfg(test)]
mod tests;

pub use config::{FragmentConfig, FragmentPolicy, FragmentStats, Ipv6Overlap};
pub use fragment::{Datagram, DropReason, Fragment, FragmentKey, MAX_DATAGRAM_LEN, Outcome};

use pieces::{Meeting, Pieces, Span};
use table::{Slot, Table};

/// Emptied buffers that are kept for the next datagrams.
const MAX_SPARE: usize = 32;

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
    /// Number of the datagram that the latest fragment belongs to.
    last_serial: u64,
    /// What the latest fragment said it belongs to.
    last_key: Option<FragmentKey>,
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
            last_serial: 0,
            last_key: None,
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

    /// Number of the datagram that the latest fragment belongs to, from 1; 0 where it was refused, or is a datagram by
    /// itself.
    #[must_use]
    pub fn last_serial(&self) -> u64 {
        self.last_serial
    }

    /// Which datagram the latest fragment belongs to, refused or not.
    #[must_use]
    pub fn last_key(&self) -> Option<FragmentKey> {
        self.last_key
    }

    /// Takes one fragment. Expires what is overdue at its packet time first.
    pub fn push<'a>(&'a mut self, key: &FragmentKey, fragment: &Fragment<'a>) -> Outcome<'a> {
        self.stats.fragments += 1;
        self.last_serial = 0;
        self.last_key = Some(*key);
        self.expire(fragment.ts_ns);
        if fragment.offset == 0 && !fragment.more {
            // RFC 6946: an atomic fragment has nothing to do with others of the same key.
            return self.atomic(key, fragment);
        }
        let span = match Span::of(fragment) {
            Ok(span) => span,
            Err(reason) => return self.invalid(reason),
        };
        let Some(slot) = self.slot(key, fragment) else { return Outcome::Dropped(DropReason::Limit) };
        match self.admit(slot, span, fragment) {
            Err(reason) => Outcome::Dropped(reason),
            Ok(()) => {
                self.last_serial = self.table.slot(slot).serial;
                self.table.slot_mut(slot).count(fragment.ip_len);
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

    /// Exchanges the buffer of the datagram handed out last for another one, so that it outlives the next call.
    pub fn swap_output(&mut self, buffer: &mut Vec<u8>) {
        std::mem::swap(&mut self.output, buffer);
    }

    fn atomic<'a>(&mut self, key: &FragmentKey, fragment: &Fragment<'a>) -> Outcome<'a> {
        self.stats.atomic += 1;
        self.output.clear();
        self.output.extend_from_slice(fragment.payload);
        Outcome::Complete(Datagram {
            payload: fragment.payload,
            proto: key.proto,
            first_packet: fragment.packet,
            fragments: 1,
            packets: 1,
            octets: fragment.ip_len,
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
        if !fragment.more {
            datagram.total = Some(span.end);
        }
        let strict = datagram.key.version == 6 && self.config.v6_overlap == Ipv6Overlap::Discard;
        match datagram.pieces.meeting(span, fragment.payload) {
            Meeting::Duplicate => {
                self.stats.duplicates += 1;
                return Ok(());
            }
            Meeting::Overlap => {
                self.stats.overlaps += 1;
                if strict {
                    self.discard(slot);
                    return Err(DropReason::Overlap);
                }
            }
            Meeting::Apart => {}
        }
        self.store(slot, span, fragment.payload)
    }

    /// Stores a fragment that was found fit.
    fn store(&mut self, slot: u32, span: Span, payload: &[u8]) -> Result<(), DropReason> {
        let datagram = self.table.slot_mut(slot);
        if datagram.fragments >= self.config.max_fragments {
            return Err(self.give_up(slot));
        }
        datagram.fragments += 1;
        let before = datagram.pieces.cost();
        datagram.pieces.put(span, payload, self.config.policy, &mut self.scratch);
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
        let (packets, octets) = (datagram.packets, datagram.octets);
        let mut pieces = self.table.remove(slot);
        self.held -= pieces.cost();
        pieces.assemble(&mut self.output);
        self.recycle(pieces);
        self.stats.datagrams += 1;
        Outcome::Complete(Datagram { payload: &self.output, proto, first_packet, fragments, packets, octets })
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
