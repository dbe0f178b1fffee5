//! Flow keys as small dense numbers, for consumers that keep their own table of flows in arrays.
//!
//! In: the keys of packets, batch by batch. Out: a number for each, the same until the consumer gives it back. The
//! table holds no more keys than the consumer holds flows, plus those of the batches that it hasn't walked yet.

use crate::flow::FlowKey;
use crate::flow::index::KeyIndex;
use tcpskein_map::prefetch;

/// A number that no key has.
pub const NO_KEY: u32 = u32::MAX;

/// The mark of a number that nobody uses.
const FREE: u32 = u32::MAX;

/// In one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Slot {
    key: FlowKey,
    /// The latest batch with a packet of this key, or [`FREE`].
    batch: u32,
}

impl Slot {
    /// Its number is in use for this key.
    #[inline]
    fn is_of(&self, key: &FlowKey) -> bool {
        self.key == *key && self.batch != FREE
    }
}

/// Keys and their numbers.
#[derive(Debug, Default)]
pub struct KeyTable {
    hasher: foldhash::fast::RandomState,
    index: KeyIndex,
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl KeyTable {
    /// Numbers in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// No number is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// The number of `key`, which stands in batch `batch`.
    #[inline]
    pub fn id(&mut self, key: &FlowKey, batch: u32) -> u32 {
        self.id_ahead(key, (key.hash(&self.hasher), None), batch)
    }

    /// The hash of `key`; what a look-up touches first begins to be fetched.
    #[inline]
    #[must_use]
    pub fn hash_ahead(&self, key: &FlowKey) -> u64 {
        let hash = key.hash(&self.hasher);
        self.index.prefetch(hash);
        hash
    }

    /// The number of the key that is probably meant by `hash`, which begins to be fetched.
    #[inline]
    #[must_use]
    pub fn fetch_ahead(&self, hash: u64) -> Option<u32> {
        let id = self.index.likely(hash)?;
        prefetch(&self.slots, id as usize);
        Some(id)
    }

    /// [`KeyTable::id`] of a key with this hash; `likely` is its number if [`Self::fetch_ahead`] was right, and if nothing
    /// came between.
    #[inline]
    pub fn id_ahead(&mut self, key: &FlowKey, (hash, likely): (u64, Option<u32>), batch: u32) -> u32 {
        let id = match likely {
            Some(likely) if self.slots[likely as usize].is_of(key) => likely,
            _ => self.find_or_insert(key, hash),
        };
        self.slots[id as usize].batch = batch;
        id
    }

    #[inline(never)]
    fn find_or_insert(&mut self, key: &FlowKey, hash: u64) -> u32 {
        let slots = &self.slots;
        self.index.find(hash, |i| slots[i as usize].key == *key).unwrap_or_else(|| self.insert(key, hash))
    }

    fn insert(&mut self, key: &FlowKey, hash: u64) -> u32 {
        let slot = Slot { key: *key, batch: 0 };
        let id = match self.free.pop() {
            Some(id) => {
                self.slots[id as usize] = slot;
                id
            }
            None => {
                self.slots.push(slot);
                u32::try_from(self.slots.len() - 1).unwrap_or(NO_KEY)
            }
        };
        self.index.insert(hash, id);
        id
    }

    /// The consumer has walked all batches up to `walked` and needs `ids` no more. Numbers that stand in a later batch
    /// stay: the consumer will meet them there and give them back again.
    pub fn release(&mut self, ids: &[u32], walked: u32) {
        for &id in ids {
            let Some(slot) = self.slots.get_mut(id as usize) else { continue };
            if slot.batch == FREE || slot.batch > walked {
                continue;
            }
            slot.batch = FREE;
            let hash = slot.key.hash(&self.hasher);
            self.index.remove(hash, id);
            self.free.push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::EncapId;

    fn key(port: u16) -> FlowKey {
        FlowKey::new(&[1; 16], &[2; 16], (port, 80), 6, 4, EncapId(0)).0
    }

    #[test]
    fn key_seen_again_keeps_its_number() {
        let mut table = KeyTable::default();
        let (a, b) = (table.id(&key(1), 1), table.id(&key(2), 1));
        assert_ne!(a, b);
        assert_eq!([table.id(&key(1), 2), table.id(&key(2), 9)], [a, b]);
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn number_in_an_unwalked_batch_is_not_given_away() {
        let mut table = KeyTable::default();
        let a = table.id(&key(1), 3);
        table.release(&[a], 2);
        assert_eq!(table.id(&key(1), 4), a);
        assert_ne!(table.id(&key(2), 4), a);
    }

    #[test]
    fn number_given_back_twice_goes_to_one_key_only() {
        let mut table = KeyTable::default();
        let a = table.id(&key(1), 1);
        table.release(&[a, a, 77], 1);
        table.release(&[a], 1);
        assert!(table.is_empty());
        let (b, c) = (table.id(&key(2), 2), table.id(&key(3), 2));
        assert_eq!(b, a);
        assert_ne!(c, a);
    }
}
