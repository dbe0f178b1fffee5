//! Slots for octets: sizes from 64 octets to 64 KiB, cut from pages of 64 KiB.
//!
//! A page serves one size at a time and goes back to the pool when its last slot is free, so a burst of one size
//! does not starve the others. Pages are allocated when first needed and kept; nothing else allocates.

/// Octets of a page, and the longest slot.
pub(crate) const PAGE: usize = 65_536;

/// Sizes of slots. 1536 holds the usual full segment.
const SIZES: [u32; 19] =
    [64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 9216, 13_104, 21_840, 32_768, 65_536];
const CLASSES: usize = SIZES.len();
const NIL: u32 = u32::MAX;
const NO_SLOT: u16 = u16::MAX;

/// A slot's place: page number in the upper half, slot number in the lower.
pub(crate) type Slot = u32;

struct Page {
    data: Box<[u8]>,
    class: u8,
    used: u16,
    /// Slots from here on were never handed out since the page got its class.
    fresh: u16,
    /// First of the slots that came back; each holds the next one's number in its first two octets.
    free: u16,
    prev: u32,
    next: u32,
}

/// The slots of one arena.
pub(crate) struct Slab {
    pages: Vec<Page>,
    max_pages: u32,
    /// First page of each class that has a free slot.
    open: [u32; CLASSES],
    /// First of the pages that serve no class.
    pool: u32,
}

/// Octets that `len` octets occupy.
pub(crate) fn slot_size(len: u32) -> u32 {
    SIZES[class_of(len)]
}

fn class_of(len: u32) -> usize {
    SIZES.partition_point(|&size| size < len).min(CLASSES - 1)
}

fn slots_in(class: usize) -> u16 {
    u16::try_from(PAGE / SIZES[class] as usize).unwrap_or(NO_SLOT - 1)
}

impl Slab {
    /// Room for `octets`, and one begun page of each size.
    pub(crate) fn new(octets: u64) -> Self {
        let pages = octets.div_ceil(PAGE as u64).saturating_add(CLASSES as u64).min(65_535);
        let max_pages = u32::try_from(pages).unwrap_or(65_535);
        Self { pages: Vec::new(), max_pages, open: [NIL; CLASSES], pool: NIL }
    }

    /// Octets of memory in pages.
    pub(crate) fn memory(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// A slot for `len` octets (at most [`PAGE`]), or `None` when every page is taken.
    pub(crate) fn alloc(&mut self, len: u32) -> Option<Slot> {
        let class = class_of(len);
        if self.open[class] == NIL {
            self.open_page(class)?;
        }
        let at = self.open[class];
        let size = SIZES[class] as usize;
        let page = &mut self.pages[at as usize];
        let index = if page.free == NO_SLOT {
            page.fresh += 1;
            page.fresh - 1
        } else {
            let index = page.free;
            let place = usize::from(index) * size;
            page.free = u16::from_le_bytes([page.data[place], page.data[place + 1]]);
            index
        };
        page.used += 1;
        if page.used == slots_in(class) {
            self.unlink(at, class);
        }
        Some(at << 16 | u32::from(index))
    }

    /// Gives a slot back.
    pub(crate) fn free(&mut self, slot: Slot) {
        let at = slot >> 16;
        let index = (slot & 0xffff) as u16;
        let page = &mut self.pages[at as usize];
        let class = usize::from(page.class);
        let was_full = page.used == slots_in(class);
        let place = usize::from(index) * SIZES[class] as usize;
        page.data[place..place + 2].copy_from_slice(&page.free.to_le_bytes());
        page.free = index;
        page.used -= 1;
        let empty = page.used == 0;
        if was_full {
            self.link(at, class);
        }
        if empty {
            self.unlink(at, class);
            self.pages[at as usize].next = self.pool;
            self.pool = at;
        }
    }

    /// `len` octets of a slot, from `skip` on.
    pub(crate) fn bytes(&self, slot: Slot, skip: u32, len: u32) -> &[u8] {
        let from = self.place(slot) + skip as usize;
        &self.pages[(slot >> 16) as usize].data[from..from + len as usize]
    }

    /// Fills a slot from its beginning.
    pub(crate) fn write(&mut self, slot: Slot, bytes: &[u8]) {
        let from = self.place(slot);
        self.pages[(slot >> 16) as usize].data[from..from + bytes.len()].copy_from_slice(bytes);
    }

    /// Copies `len` octets of slot `from`, from `skip` on, to the beginning of slot `to`.
    pub(crate) fn copy(&mut self, from: Slot, skip: u32, len: u32, to: Slot) {
        let (source, target) = ((from >> 16) as usize, (to >> 16) as usize);
        let begin = self.place(from) + skip as usize;
        let (range, place) = (begin..begin + len as usize, self.place(to));
        if source == target {
            self.pages[source].data.copy_within(range, place);
        } else if let Ok([source, target]) = self.pages.get_disjoint_mut([source, target]) {
            target.data[place..place + len as usize].copy_from_slice(&source.data[range]);
        }
    }

    /// Where a slot begins in its page.
    fn place(&self, slot: Slot) -> usize {
        let class = self.pages[(slot >> 16) as usize].class;
        (slot & 0xffff) as usize * SIZES[usize::from(class)] as usize
    }

    fn open_page(&mut self, class: usize) -> Option<()> {
        let at = if self.pool != NIL {
            let at = self.pool;
            self.pool = self.pages[at as usize].next;
            at
        } else {
            let at = u32::try_from(self.pages.len()).ok()?;
            if at >= self.max_pages {
                return None;
            }
            let data = vec![0; PAGE].into_boxed_slice();
            self.pages.push(Page { data, class: 0, used: 0, fresh: 0, free: NO_SLOT, prev: NIL, next: NIL });
            at
        };
        let page = &mut self.pages[at as usize];
        page.class = class as u8;
        page.used = 0;
        page.fresh = 0;
        page.free = NO_SLOT;
        self.link(at, class);
        Some(())
    }

    fn link(&mut self, at: u32, class: usize) {
        let next = self.open[class];
        if next != NIL {
            self.pages[next as usize].prev = at;
        }
        self.pages[at as usize].prev = NIL;
        self.pages[at as usize].next = next;
        self.open[class] = at;
    }

    fn unlink(&mut self, at: u32, class: usize) {
        let (prev, next) = (self.pages[at as usize].prev, self.pages[at as usize].next);
        if prev == NIL {
            self.open[class] = next;
        } else {
            self.pages[prev as usize].next = next;
        }
        if next != NIL {
            self.pages[next as usize].prev = prev;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slab_mixed_sizes_keep_their_octets_and_pages_come_back() {
        let mut slab = Slab::new(PAGE as u64 * 4);
        for round in 0..3_u32 {
            let mut held = Vec::new();
            for n in 0..600_u32 {
                let len = 1 + (n * 37 + round * 11) % 1500;
                if let Some(slot) = slab.alloc(len) {
                    slab.write(slot, &vec![(n % 251) as u8; len as usize]);
                    held.push((slot, len, (n % 251) as u8));
                }
            }
            assert!(held.len() > 500, "room for {}", held.len());
            for &(slot, len, value) in &held {
                assert!(slab.bytes(slot, 0, len).iter().all(|&b| b == value));
            }
            for (slot, ..) in held {
                slab.free(slot);
            }
        }
        assert!(slab.memory() <= (4 + CLASSES) * PAGE);
        let big: Vec<_> = std::iter::from_fn(|| slab.alloc(PAGE as u32)).collect();
        assert_eq!(big.len(), 4 + CLASSES, "every page is free again");
    }
}
