//! Groups of packets, most of them plain: whom they belong to is looked up some packets ahead, and rows that follow each
//! other are written column by column, so that nothing is written in smaller pieces than it is read in.

use std::ops::Range;

use super::rows::{MOVES_CLOCK, Rows, SecondParts, Upper, head_of, meta};
use super::tail::Tail;
use crate::decode::{Decoder, Fragment};
use crate::flow::Identity;
use crate::session::Feed;
use crate::session::flows::decoded::Decoded;

/// Packets of a group.
pub(super) const GROUP: usize = 64;

/// Packets whose keys are fetched in one go, as in flow sessions.
const FETCHED: usize = 16;

/// Whom a packet belongs to. Written and read field by field.
#[derive(Clone, Copy)]
struct Owner {
    identity: Identity,
    hash: u64,
    /// The key's number, probably.
    likely: Option<u32>,
    meta: u32,
    /// False: nobody, or it isn't told before the packet's turn.
    is_known: bool,
}

const NOBODY: Owner = Owner { identity: Identity::AGGREGATE, hash: 0, likely: None, meta: 0, is_known: false };

/// Owners of the packets at hand, and what of them stands in the rows of a group.
pub(super) struct Owners {
    owners: [Owner; FETCHED],
    keys: [u32; GROUP],
    metas: [u32; GROUP],
}

impl Default for Owners {
    fn default() -> Self {
        Self { owners: [NOBODY; FETCHED], keys: [0; GROUP], metas: [0; GROUP] }
    }
}

impl Rows {
    /// Writes the rows of a group's packets, from `row` on; the row behind them.
    pub fn group(
        &mut self,
        (batch, mut row): (&mut [u8], usize),
        group: &[Decoded],
        (block, tail): (&[u8], &mut Tail<'_>),
        (decoder, feed): (&mut Decoder, &Feed),
    ) -> usize {
        // Packets with rows that aren't written yet.
        let mut run = 0..0;
        for from in (0..group.len()).step_by(FETCHED) {
            let to = group.len().min(from + FETCHED);
            self.find_owners(&group[from..to], block);
            for (at, decoded) in (from..to).zip(&group[from..to]) {
                let owner = &self.owners.owners[at - from];
                if owner.is_known {
                    self.owners.keys[at] =
                        self.keys.id_ahead(&owner.identity.key, (owner.hash, owner.likely), self.batch);
                    let meta = owner.meta;
                    self.count(&decoded.packet);
                    self.stats.quoted += u64::from(meta >> 1 & 1);
                    let clock = if self.moves_clock(decoded.packet.ts_ns) { MOVES_CLOCK } else { 0 };
                    self.owners.metas[at] = meta | clock;
                    run.end = at + 1;
                    continue;
                }
                row = self.write_run(batch, row, (group, run), (block, tail));
                run = at + 1..at + 1;
                row += usize::from(if decoded.is_tick() {
                    self.tick((batch, row), decoded.packet.ts_ns, feed.capture())
                } else if decoded.is_plain() {
                    self.short_key((batch, row), decoded)
                } else {
                    self.packet((batch, row), &decoded.packet, (block, tail), (decoder, feed))
                });
            }
        }
        self.write_run(batch, row, (group, run), (block, tail))
    }

    /// A plain packet whose ports are needed but weren't captured.
    #[cold]
    fn short_key(&mut self, (batch, row): (&mut [u8], usize), decoded: &Decoded) -> bool {
        self.count(&decoded.packet);
        self.stats.short_key += 1;
        let moves_clock = self.moves_clock(decoded.packet.ts_ns);
        if moves_clock {
            self.write_time(batch, row, &decoded.packet);
        }
        moves_clock
    }

    /// Whom plain packets belong to; what look-ups touch is fetched.
    #[inline]
    fn find_owners(&mut self, packets: &[Decoded], block: &[u8]) {
        let Self { owners, keys, options, .. } = self;
        for (owner, decoded) in owners.owners.iter_mut().zip(packets) {
            owner.is_known = false;
            if !decoded.is_plain() {
                continue;
            }
            if options.aggregate {
                owner.identity = Identity::AGGREGATE;
            } else if !decoded.identify(block, &mut owner.identity) {
                continue;
            }
            owner.hash = keys.hash_ahead(&owner.identity.key);
            owner.meta = meta(&owner.identity, upper_of(decoded), Fragment::Whole, decoded.version(), decoded.proto());
            owner.is_known = true;
        }
        for owner in owners.owners[..packets.len()].iter_mut().filter(|owner| owner.is_known) {
            owner.likely = keys.fetch_ahead(owner.hash);
        }
    }

    /// Writes the rows of packets that follow each other, from `row` on; the row behind them.
    fn write_run(
        &self,
        batch: &mut [u8],
        row: usize,
        (group, run): (&[Decoded], Range<usize>),
        (block, tail): (&[u8], &Tail<'_>),
    ) -> usize {
        let packets = &group[run.clone()];
        let behind = row + packets.len();
        if packets.is_empty() {
            return row;
        }
        let out = &mut self.layout.rows(batch, row..behind);
        let (mut seconds, mut nanoseconds) = (SecondParts::default(), SecondParts::default());
        out.u32(self.owners.keys[run.clone()].iter().copied());
        out.u32(self.owners.metas[run].iter().copied());
        out.u64(packets.iter().map(|decoded| decoded.packet.number));
        out.u32(packets.iter().map(|decoded| decoded.packet.capture));
        out.i64(packets.iter().map(|decoded| decoded.packet.ts_ns));
        out.f64(packets.iter().map(|decoded| seconds.of(decoded.packet.ts_ns).0));
        out.u32(packets.iter().map(|decoded| nanoseconds.of(decoded.packet.ts_ns).1));
        out.u32(packets.iter().map(|decoded| tail.place(decoded.ip_at())));
        out.u32(packets.iter().map(Decoded::octets));
        out.u32(packets.iter().map(Decoded::ip_captured));
        out.u32(packets.iter().map(|decoded| tail.place(decoded.upper_at())));
        out.u32(packets.iter().map(Decoded::upper_len));
        out.u32(packets.iter().map(Decoded::upper_captured));
        out.u32(packets.iter().map(|_| 1));
        out.u32(packets.iter().map(Decoded::octets));
        out.bytes(packets.iter().map(|decoded| head_of(decoded.upper(block), upper_of(decoded))));
        // Nothing lies around a plain packet.
        out.none();
        out.none();
        out.none();
        behind
    }
}

/// What a plain packet carries.
#[inline]
fn upper_of(decoded: &Decoded) -> Upper {
    let there = decoded.upper_captured() as usize;
    Upper::of(decoded.proto(), decoded.version(), there, decoded.flags().is_some())
}
