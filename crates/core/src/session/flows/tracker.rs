//! From decoded packets to the flow table and the chains.

use super::FlowSessionOptions;
use super::decoded::Decoded;
use crate::chain::{BasicState, Chain, ColdStates, Seen};
use crate::decode::{Datagram, DecodeOptions, Decoder, Segment, proto};
use crate::flow::{Direction, FlowCold, FlowSlot, FlowTable, Identity, identify};
use crate::session::Stats;

/// Packets whose flows are fetched in one go: more than memory answers in the time that one packet takes, and few enough
/// for the first cache.
const FETCHED: usize = 16;

/// Whom a packet belongs to. It is read where it was written, and never copied: see [`Decoded`].
#[derive(Clone, Copy)]
struct Owner {
    identity: Identity,
    hash: u64,
    /// Where the flow probably lies.
    likely: Option<u32>,
    /// False: nobody, or it isn't told before the packet's turn.
    is_known: bool,
}

const NOBODY: Owner = Owner { identity: Identity::AGGREGATE, hash: 0, likely: None, is_known: false };

/// Everything that is remembered of packets.
pub(super) struct FlowTracker {
    pub table: FlowTable,
    /// What the rarer chains remember.
    pub states: ColdStates,
    pub stats: Stats,
    aggregate: bool,
    decode: DecodeOptions,
    /// The tcp chain may say that a flow is complete.
    tcp_completes: bool,
    /// Room for those of packets that are walked: taken for as long as they are.
    owners: Vec<Owner>,
}

impl FlowTracker {
    pub fn new(options: &FlowSessionOptions) -> Self {
        Self {
            table: FlowTable::new(options.table),
            states: ColdStates::new(&options.chains),
            stats: Stats::default(),
            aggregate: options.aggregate,
            decode: options.decode,
            tcp_completes: options.chains.contains(&Chain::Tcp),
            owners: vec![NOBODY; FETCHED],
        }
    }

    /// Takes in packets of `block` in their order; `decoder` looks at those that aren't plain.
    pub fn walk(&mut self, packets: &[Decoded], block: &[u8], decoder: &mut Decoder) {
        let mut owners = std::mem::take(&mut self.owners);
        for group in packets.chunks(FETCHED) {
            for (decoded, owner) in group.iter().zip(owners.iter_mut()) {
                self.find_owner(decoded, block, owner);
            }
            for owner in owners[..group.len()].iter_mut().filter(|owner| owner.is_known) {
                owner.likely = self.table.fetch_ahead(owner.hash);
            }
            for (decoded, owner) in group.iter().zip(owners.iter()) {
                self.table.advance(decoded.packet.ts_ns);
                if decoded.is_plain() {
                    self.count(decoded);
                    self.plain(decoded, owner, block);
                } else if !decoded.is_tick() {
                    self.count(decoded);
                    self.found(decoded, block, decoder);
                }
            }
        }
        self.owners = owners;
    }

    /// Whom a plain packet belongs to, and the key's hash; what a look-up touches begins to be fetched.
    #[inline]
    fn find_owner(&self, decoded: &Decoded, block: &[u8], owner: &mut Owner) {
        owner.is_known = false;
        if !decoded.is_plain() {
            return;
        }
        if self.aggregate {
            owner.identity = Identity::AGGREGATE;
        } else if !decoded.identify(block, &mut owner.identity) {
            return;
        }
        owner.hash = self.table.hash_ahead(&owner.identity.key);
        owner.is_known = true;
    }

    #[inline]
    fn count(&mut self, decoded: &Decoded) {
        self.stats.packets += 1;
        self.stats.captured_bytes += u64::from(decoded.packet.captured_len);
    }

    #[inline]
    fn plain(&mut self, decoded: &Decoded, owner: &Owner, block: &[u8]) {
        if !owner.is_known {
            self.stats.short_key += 1;
            return;
        }
        let tcp_completes = self.tcp_completes;
        let place = (owner.hash, owner.likely);
        let (index, direction, slot) = self.flow(&owner.identity, place, decoded, || decoded.datagram(block));
        slot.packets[direction.index()] += 1;
        slot.octets[direction.index()] += u64::from(decoded.octets());
        let mut keep = true;
        if let Some(flags) = decoded.flags() {
            keep = slot.tcp.segment(flags, direction) || !tcp_completes;
        }
        if !self.states.is_empty() {
            let datagram = &decoded.datagram(block);
            let segment = decoded.segment(datagram);
            keep &= self.states.packet(index, &Seen { datagram, segment: segment.as_ref(), direction });
        }
        if !keep {
            self.table.complete(index);
        }
    }

    /// A packet that takes more than a look.
    #[inline(never)]
    fn found(&mut self, decoded: &Decoded, block: &[u8], decoder: &mut Decoder) {
        let packet = &decoded.packet;
        match decoder.decode(packet, packet.bytes(block)) {
            Ok(datagram) => self.datagram(decoded, &datagram),
            Err(reason) => self.stats.count_drop(reason),
        }
    }

    fn datagram(&mut self, decoded: &Decoded, datagram: &Datagram<'_>) {
        let Some((identity, hash)) = self.owner(datagram) else {
            self.stats.short_key += 1;
            return;
        };
        let (index, direction, slot) = self.flow(&identity, (hash, None), decoded, || *datagram);
        slot.packets[direction.index()] += u64::from(datagram.packets);
        slot.octets[direction.index()] += u64::from(datagram.octets);
        if !self.chains(index, datagram, direction) {
            self.table.complete(index);
        }
    }

    fn owner(&self, datagram: &Datagram<'_>) -> Option<(Identity, u64)> {
        let encap = self.decode.key_encap(datagram.outer);
        let identity = if self.aggregate { Identity::AGGREGATE } else { identify(datagram, encap)? };
        Some((identity, self.table.hash_ahead(&identity.key)))
    }

    /// The flow of a packet, opened where it is the first, and the packet's direction.
    #[inline]
    fn flow<'a>(
        &mut self,
        identity: &Identity,
        place: (u64, Option<u32>),
        decoded: &Decoded,
        datagram: impl FnOnce() -> Datagram<'a>,
    ) -> (usize, Direction, &mut FlowSlot) {
        self.stats.quoted += u64::from(identity.quoted);
        let packet = &decoded.packet;
        let mut is_new = false;
        let (index, direction, slot) = self.table.find_or_open(identity, place, packet.ts_ns, |flow_id| {
            is_new = true;
            let datagram = datagram();
            FlowCold {
                flow_id,
                first_ns: packet.ts_ns,
                first_packet: packet.number,
                capture: packet.capture,
                version: datagram.version,
                outer: datagram.outer,
                basic: BasicState::new(&datagram),
            }
        });
        if is_new && !self.states.is_empty() {
            self.states.begin(index);
        }
        (index, direction, slot)
    }

    /// Shows every chain the packet. False: the flow is complete.
    fn chains(&mut self, index: usize, datagram: &Datagram<'_>, direction: Direction) -> bool {
        let segment = if datagram.proto == proto::TCP { Segment::parse(datagram) } else { None };
        let mut keep = true;
        if let Some(segment) = &segment {
            keep = self.table.slot_mut(index).tcp.segment(segment.flags, direction) || !self.tcp_completes;
        } else if datagram.proto == proto::TCP {
            self.stats.bad_segments += 1;
        }
        if !self.states.is_empty() {
            keep &= self.states.packet(index, &Seen { datagram, segment: segment.as_ref(), direction });
        }
        keep
    }
}
