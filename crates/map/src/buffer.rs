//! Memory to read into, page by page: some processors copy from the kernel five times slower to addresses just behind
//! a page's start, which is where general allocators put large pieces.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;

/// Octets of a page on most systems; buffers begin at multiples of it.
pub const PAGE_LEN: usize = 4096;

/// Octets that begin at a page's start, all 0 at first.
pub struct Buffer {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the octets are owned, as by a `Vec`.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// So many octets.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let Some(layout) = Self::layout(len) else { return Self { start: NonNull::dangling(), len: 0 } };
        // SAFETY: the layout has a size.
        let Some(start) = NonNull::new(unsafe { alloc_zeroed(layout) }) else { handle_alloc_error(layout) };
        Self { start, len }
    }

    /// `None` where there is nothing to allocate.
    fn layout(len: usize) -> Option<Layout> {
        if len == 0 { None } else { Layout::from_size_align(len, PAGE_LEN).ok() }
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: so many octets were allocated, as zeros, and are freed when `self` is dropped.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; `self` is borrowed for change, so nobody else has them.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} octets)", self.len)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(layout) = Self::layout(self.len) {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(self.start.as_ptr(), layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_begins_at_a_page_and_is_zero() {
        for len in [1, 4096, 1 << 20] {
            let mut buffer = Buffer::new(len);
            assert_eq!((buffer.len(), buffer.as_ptr().addr() % PAGE_LEN), (len, 0));
            assert!(buffer.iter().all(|&octet| octet == 0));
            buffer[len - 1] = 7;
            assert_eq!(buffer[len - 1], 7);
        }
        assert!(Buffer::default().is_empty());
    }
}
