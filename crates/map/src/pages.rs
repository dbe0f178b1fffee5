//! A table that grows page by page, each as large as the system's huge pages: what lies in it never moves, and random
//! look-ups in a large table miss the address cache far less often.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};
use std::ptr::{self, NonNull};

/// Octets of a huge page on most systems.
const PAGE_LEN: usize = 2 << 20;

/// Items by number, in pages.
#[derive(Debug)]
pub struct Pages<T> {
    pages: Vec<NonNull<T>>,
    len: usize,
    owned: PhantomData<T>,
}

// SAFETY: the items are owned, as by a `Vec`.
unsafe impl<T: Send> Send for Pages<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Pages<T> {}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0, owned: PhantomData }
    }
}

impl<T> Pages<T> {
    /// Items of a page: as many as there is room for, since the system gives no huge page for less than a whole one.
    const PER_PAGE: usize = {
        assert!(size_of::<T>() > 0 && size_of::<T>() <= PAGE_LEN, "an item fits into a page");
        PAGE_LEN / size_of::<T>()
    };

    /// Items.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an item; its number.
    pub fn push(&mut self, item: T) -> usize {
        let at = self.len;
        if at / Self::PER_PAGE == self.pages.len() {
            self.add_page();
        }
        let page = self.pages[at / Self::PER_PAGE];
        // SAFETY: the page has room for `PER_PAGE` items.
        unsafe { page.add(at % Self::PER_PAGE).write(item) };
        self.len += 1;
        at
    }

    #[inline]
    fn place(&self, at: usize) -> Option<NonNull<T>> {
        if at >= self.len {
            return None;
        }
        let page = self.pages.get(at / Self::PER_PAGE)?;
        // SAFETY: the page has room for `PER_PAGE` items.
        Some(unsafe { page.add(at % Self::PER_PAGE) })
    }

    /// An item.
    #[inline]
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&T> {
        // SAFETY: items below `len` were written, and are borrowed as the table is.
        self.place(at).map(|place| unsafe { place.as_ref() })
    }

    /// An item, to be changed.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        // SAFETY: as above; the table is borrowed for change, so nobody else has the item.
        self.place(at).map(|mut place| unsafe { place.as_mut() })
    }

    /// Begins to fetch the first `octets` of an item.
    #[inline]
    pub fn prefetch(&self, at: usize, octets: usize) {
        if let Some(place) = self.place(at) {
            crate::prefetch::fetch_lines(place.as_ptr().cast(), octets.min(size_of::<T>()));
        }
    }

    fn add_page(&mut self) {
        let layout = Self::layout();
        // SAFETY: an item has a size, so the layout has too.
        let Some(page) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // A short run stays small: what isn't touched of the first page is no memory.
        if !self.pages.is_empty() {
            advise_huge(page, layout.size());
        }
        self.pages.push(page.cast());
    }

    fn layout() -> Layout {
        // SAFETY: `PAGE_LEN` is a power of two.
        unsafe { Layout::from_size_align_unchecked(PAGE_LEN, PAGE_LEN) }
    }
}

impl<T> Drop for Pages<T> {
    fn drop(&mut self) {
        for at in 0..self.len {
            if let Some(place) = self.place(at) {
                // SAFETY: each item was written once, and nobody looks at it after this.
                unsafe { ptr::drop_in_place(place.as_ptr()) };
            }
        }
        for page in &self.pages {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(page.as_ptr().cast(), Self::layout()) };
        }
    }
}

impl<T> Index<usize> for Pages<T> {
    type Output = T;

    #[inline]
    #[allow(clippy::expect_used, reason = "as a slice does: who indexes knows the item to be there")]
    fn index(&self, at: usize) -> &T {
        self.get(at).expect("no such item")
    }
}

impl<T> IndexMut<usize> for Pages<T> {
    #[inline]
    #[allow(clippy::expect_used, reason = "as a slice does: who indexes knows the item to be there")]
    fn index_mut(&mut self, at: usize) -> &mut T {
        self.get_mut(at).expect("no such item")
    }
}

/// An empty vector with that much room, in huge pages where it is large.
#[must_use]
pub fn roomy<T>(capacity: usize) -> Vec<T> {
    let mut items = Vec::with_capacity(capacity);
    let room = items.spare_capacity_mut();
    if size_of_val(room) >= 2 * PAGE_LEN {
        advise_huge(NonNull::from(&mut *room).cast(), size_of_val(room));
    }
    items
}

/// Asks for huge pages where `len` octets at `start` lie; whether it gets them is the system's affair.
fn advise_huge(start: NonNull<u8>, len: usize) {
    #[cfg(target_os = "linux")]
    {
        let (from, end) = (start.as_ptr() as usize, start.as_ptr() as usize + len);
        let aligned = from.next_multiple_of(PAGE_LEN);
        if aligned < end {
            // SAFETY: memory of this process that stays what it is; only how it is backed changes.
            unsafe { libc::madvise(aligned as *mut libc::c_void, end - aligned, libc::MADV_HUGEPAGE) };
        }
    }
    let _ = (start, len);
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn items_stay_what_they_are_while_pages_come() {
        let mut pages = Pages::default();
        let count = 3 * Pages::<[u64; 3]>::PER_PAGE + 5;
        for n in 0..count {
            assert_eq!(pages.push([n as u64, 1, 2]), n);
        }
        assert_eq!((pages.len(), pages.get(count), pages.is_empty()), (count, None, false));
        pages[count - 1][1] = 7;
        assert_eq!(pages[count - 1], [count as u64 - 1, 7, 2]);
        assert!((0..count).all(|n| pages.get(n).is_some_and(|item| item[0] == n as u64)));
        assert_eq!(pages.get_mut(count), None);
        pages.prefetch(3, 24);
        pages.prefetch(count, 24);
    }

    #[test]
    fn items_are_dropped_once() {
        let shared = Rc::new(());
        let mut pages = Pages::default();
        for n in 0..10 {
            assert_eq!(pages.push(Rc::clone(&shared)), n);
        }
        assert_eq!(Rc::strong_count(&shared), 11);
        drop(pages);
        assert_eq!(Rc::strong_count(&shared), 1);
    }

    #[test]
    fn roomy_vector_is_a_vector() {
        let mut items = roomy::<u64>(1 << 20);
        items.resize(1 << 20, 3);
        assert_eq!(items.iter().sum::<u64>(), 3 << 20);
    }
}
