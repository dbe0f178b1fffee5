//! The pending datagrams: found by key, in the order in which their first fragments came.
//!
//! IPv4 and IPv6 have queues of their own, since their timeouts differ; so each queue's head is always the next to
//! expire. Links are slot numbers, so nothing is moved or allocated when a datagram leaves.

use hashbrown::HashMap;

use super::pieces::{Pieces, Span};
use super::{Fragment, FragmentKey};

/// No slot.
const NONE: u32 = u32::MAX;

/// One pending datagram.
#[derive(Debug)]
pub(super) struct Slot {
    pub key: FragmentKey,
    pub pieces: Pieces,
    /// The datagram's length, once its last fragment was seen.
    pub total: Option<u32>,
    pub fragments: u32,
    /// IP packets that brought them, duplicates too, and their octets.
    pub packets: u32,
    pub octets: u32,
    pub first_packet: u64,
    pub first_ts_ns: i64,
    /// Upper-layer protocol of the fragment at offset 0.
    pub proto: u8,
    /// Given up: only the key is kept, so that later fragments are recognised.
    pub discarded: bool,
    /// Serial number of the datagram.
    pub serial: u64,
    older: u32,
    newer: u32,
}

impl Slot {
    pub fn new(key: FragmentKey, first: &Fragment<'_>, pieces: Pieces) -> Self {
        Self {
            key,
            pieces,
            total: None,
            fragments: 0,
            packets: 0,
            octets: 0,
            first_packet: first.packet,
            first_ts_ns: first.ts_ns,
            proto: key.proto,
            discarded: false,
            serial: 0,
            older: NONE,
            newer: NONE,
        }
    }

    /// Counts an IP packet of `ip_len` octets that belongs to the datagram.
    pub fn count(&mut self, ip_len: u32) {
        self.packets = self.packets.saturating_add(1);
        self.octets = self.octets.saturating_add(ip_len);
    }

    /// Every octet is there.
    pub fn is_whole(&self) -> bool {
        self.total.is_some_and(|total| total as usize == self.pieces.covered())
    }

    /// A fragment at `span` would lie beyond the datagram's end, move that end, or leave octets beyond it.
    pub fn end_conflict(&self, span: Span, more: bool) -> bool {
        match self.total {
            Some(total) => span.end > total || (!more && span.end != total),
            None => !more && self.pieces.end() > span.end,
        }
    }
}

/// Head and tail of one version's datagrams.
#[derive(Clone, Copy, Debug)]
struct Queue {
    oldest: u32,
    newest: u32,
}

/// All pending datagrams.
#[derive(Debug)]
pub(super) struct Table {
    index: HashMap<FragmentKey, u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    queues: [Queue; 2],
    serial: u64,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            index: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            queues: [Queue { oldest: NONE, newest: NONE }; 2],
            serial: 0,
        }
    }
}

impl Table {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn find(&self, key: &FragmentKey) -> Option<u32> {
        self.index.get(key).copied()
    }

    pub fn slot(&self, slot: u32) -> &Slot {
        &self.slots[slot as usize]
    }

    pub fn slot_mut(&mut self, slot: u32) -> &mut Slot {
        &mut self.slots[slot as usize]
    }

    /// The datagram of an IP version whose first fragment came first.
    pub fn oldest_of(&self, version: u8) -> Option<u32> {
        some(self.queues[queue_of(version)].oldest)
    }

    /// The datagram whose first fragment came first, `but` left aside.
    pub fn oldest_but(&self, but: Option<u32>) -> Option<u32> {
        let candidate = |queue: &Queue| {
            let head = some(queue.oldest)?;
            if Some(head) == but { some(self.slot(head).newer) } else { Some(head) }
        };
        self.queues.iter().filter_map(candidate).min_by_key(|&slot| self.slot(slot).serial)
    }

    /// Takes a new datagram in as the newest; its key must not be there yet.
    #[allow(clippy::cast_possible_truncation, reason = "a table of 2^32 datagrams doesn't fit into memory")]
    pub fn insert(&mut self, mut datagram: Slot) -> u32 {
        let key = datagram.key;
        let version = queue_of(key.version);
        self.serial += 1;
        datagram.serial = self.serial;
        datagram.older = self.queues[version].newest;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = datagram;
                slot
            }
            None => {
                self.slots.push(datagram);
                (self.slots.len() - 1) as u32
            }
        };
        match some(self.queues[version].newest) {
            Some(newest) => self.slot_mut(newest).newer = slot,
            None => self.queues[version].oldest = slot,
        }
        self.queues[version].newest = slot;
        self.index.insert(key, slot);
        slot
    }

    /// Takes a datagram out and returns its buffers.
    pub fn remove(&mut self, slot: u32) -> Pieces {
        let (key, older, newer) = (self.slot(slot).key, self.slot(slot).older, self.slot(slot).newer);
        let version = queue_of(key.version);
        match some(older) {
            Some(older) => self.slot_mut(older).newer = newer,
            None => self.queues[version].oldest = newer,
        }
        match some(newer) {
            Some(newer) => self.slot_mut(newer).older = older,
            None => self.queues[version].newest = older,
        }
        self.index.remove(&key);
        self.free.push(slot);
        std::mem::take(&mut self.slot_mut(slot).pieces)
    }
}

fn some(slot: u32) -> Option<u32> {
    (slot != NONE).then_some(slot)
}

fn queue_of(version: u8) -> usize {
    usize::from(version == 6)
}
