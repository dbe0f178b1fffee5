//! From a key's hash to the slot that may hold the key: open addressing with linear probing.
//!
//! An entry is eight octets, hash and slot, so that a look-up touches one cache line of the index and then the slot
//! itself; and both can be fetched ahead, which a general hash map doesn't offer. Keys are compared by the caller, in
//! full.

use tcpskein_map::{prefetch, roomy};

/// The slot number of an entry that holds nothing.
const EMPTY: u32 = u32::MAX;

/// Entries at first; always a power of two.
const FIRST_LEN: usize = 1024;

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The hash's lower half: where probing begins, and what tells most strangers apart.
    tag: u32,
    slot: u32,
}

const NOTHING: Entry = Entry { tag: 0, slot: EMPTY };

/// Slot numbers by hash. No more than half of the entries are taken.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    entries: Vec<Entry>,
    len: usize,
}

impl KeyIndex {
    /// Slots that are known.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Forgets all slots.
    pub fn clear(&mut self) {
        self.entries.fill(NOTHING);
        self.len = 0;
    }

    /// The slots, in no order.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().map(|entry| entry.slot).filter(|&slot| slot != EMPTY)
    }

    /// Begins to fetch what [`KeyIndex::find`] will look at first.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        if let Some(mask) = self.mask() {
            prefetch(&self.entries, hash as u32 as usize & mask);
        }
    }

    /// The slot that is probably meant by `hash`: nobody has compared keys.
    #[inline]
    pub fn likely(&self, hash: u64) -> Option<u32> {
        self.find(hash, |_| true)
    }

    /// The slot with this hash for which `is_it` says yes.
    #[inline]
    pub fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let (mask, tag) = (self.mask()?, hash as u32);
        let mut at = tag as usize & mask;
        loop {
            let entry = self.entries[at];
            if entry.slot == EMPTY {
                return None;
            }
            if entry.tag == tag && is_it(entry.slot) {
                return Some(entry.slot);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a slot that isn't there.
    pub fn insert(&mut self, hash: u64, slot: u32) {
        if self.len * 2 >= self.entries.len() {
            self.grow();
        }
        self.put(Entry { tag: hash as u32, slot });
        self.len += 1;
    }

    /// Removes a slot, if it is there under this hash.
    pub fn remove(&mut self, hash: u64, slot: u32) {
        let (Some(mask), tag) = (self.mask(), hash as u32) else { return };
        let mut at = tag as usize & mask;
        loop {
            match self.entries[at].slot {
                EMPTY => return,
                found if found == slot => break,
                _ => at = (at + 1) & mask,
            }
        }
        self.close_gap(at, mask);
        self.len -= 1;
    }

    /// Moves entries back so that none is cut off from where its probing begins.
    fn close_gap(&mut self, mut gap: usize, mask: usize) {
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let entry = self.entries[at];
            if entry.slot == EMPTY {
                break;
            }
            // How far the entry lies behind its home, and how far the gap does.
            let home = entry.tag as usize & mask;
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(gap) & mask) {
                self.entries[gap] = entry;
                gap = at;
            }
        }
        self.entries[gap] = NOTHING;
    }

    fn grow(&mut self) {
        let len = (self.entries.len() * 2).max(FIRST_LEN);
        let mut entries = roomy(len);
        entries.resize(len, NOTHING);
        let old = std::mem::replace(&mut self.entries, entries);
        old.into_iter().filter(|entry| entry.slot != EMPTY).for_each(|entry| self.put(entry));
    }

    fn put(&mut self, entry: Entry) {
        let Some(mask) = self.mask() else { return };
        let mut at = entry.tag as usize & mask;
        while self.entries[at].slot != EMPTY {
            at = (at + 1) & mask;
        }
        self.entries[at] = entry;
    }

    #[inline]
    fn mask(&self) -> Option<usize> {
        self.entries.len().checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Remove(usize),
    }

    proptest! {
        /// Against a map: few hashes, so that chains of probes run into each other and over the end.
        #[test]
        fn index_finds_what_a_map_finds(
            steps in prop::collection::vec(
                prop_oneof![
                    3 => (0_u64..40).prop_map(|n| Step::Insert(if n < 20 { n } else { 1000 + n })),
                    2 => (0_usize..64).prop_map(Step::Remove),
                ],
                0..2000,
            )
        ) {
            let (mut index, mut model) = (KeyIndex::default(), HashMap::new());
            for (slot, step) in steps.iter().enumerate() {
                match step {
                    Step::Insert(hash) => {
                        index.insert(*hash, slot as u32);
                        model.insert(slot as u32, *hash);
                    }
                    Step::Remove(which) => {
                        let mut slots: Vec<u32> = model.keys().copied().collect();
                        slots.sort_unstable();
                        if let Some(&slot) = slots.get(which % slots.len().max(1)) {
                            index.remove(model[&slot], slot);
                            model.remove(&slot);
                        }
                    }
                }
            }
            prop_assert_eq!(index.len(), model.len());
            for (&slot, &hash) in &model {
                prop_assert_eq!(index.find(hash, |found| found == slot), Some(slot));
            }
            let mut found: Vec<u32> = index.slots().collect();
            found.sort_unstable();
            let mut known: Vec<u32> = model.keys().copied().collect();
            known.sort_unstable();
            prop_assert_eq!(found, known);
            prop_assert_eq!(index.find(5000, |_| true), None);
        }
    }
}
