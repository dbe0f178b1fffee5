//! Windows by `mmap`.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::slice;

use crate::guard::{self, Guarded};

/// A regular file that is mapped window by window.
#[derive(Debug)]
pub struct MappedFile {
    file: File,
}

/// Where mappings begin in the file: at multiples of a huge page, so that the kernel can map what lies in huge pages of its
/// cache with one entry for each. Address space costs nothing; the pages before a window aren't touched.
const ALIGN: u64 = 2 << 20;

impl MappedFile {
    /// Gets ready to map `file`.
    ///
    /// # Errors
    /// The file, where it is no regular one or can't be mapped here.
    pub fn open(file: File) -> Result<Self, File> {
        match file.metadata() {
            Ok(metadata) if metadata.is_file() && guard::install() => Ok(Self { file }),
            _ => Err(file),
        }
    }

    /// The octets from `offset` on, at most `most` of them: fewer, or none, at the end of the file as it is now. The
    /// same number of octets behind them is read ahead where they don't lie in memory yet.
    ///
    /// # Errors
    /// Those of the system; out of places where 256 windows are open.
    pub fn window(&self, offset: u64, most: usize) -> io::Result<Window> {
        let behind = self.file.metadata()?.len().saturating_sub(offset);
        let len = usize::try_from(behind).map_or(most, |behind| behind.min(most));
        if len == 0 {
            return Ok(Window::EMPTY);
        }
        let skip = (offset % ALIGN) as usize;
        let window = Window::map(&self.file, offset - skip as u64, skip, len)?;
        self.read_ahead(offset + len as u64, most);
        Ok(window)
    }

    /// Asks the kernel for what comes next; it may refuse.
    fn read_ahead(&self, offset: u64, len: usize) {
        let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return };
        // SAFETY: the descriptor is open as long as `self` is.
        unsafe { libc::posix_fadvise(self.file.as_raw_fd(), offset, len, libc::POSIX_FADV_WILLNEED) };
    }
}

/// Octets of a file, unmapped when it is dropped.
#[derive(Debug)]
pub struct Window {
    /// Of the mapping; none where there are no octets.
    mapping: Option<(NonNull<u8>, Guarded)>,
    /// Octets of the mapping before the window.
    skip: usize,
    /// Octets of the window.
    len: usize,
}

// SAFETY: a mapping belongs to the process and not to a thread, and it is only read.
unsafe impl Send for Window {}
// SAFETY: as above.
unsafe impl Sync for Window {}

impl Window {
    const EMPTY: Self = Self { mapping: None, skip: 0, len: 0 };

    /// Maps `skip + len` octets from `start` on, which is a multiple of the page size. Pages come when they are first touched: sixteen
    /// at a time, or more where the cache holds larger pieces, which costs less than asking for all of them.
    fn map(file: &File, start: u64, skip: usize, len: usize) -> io::Result<Self> {
        let start = i64::try_from(start).map_err(io::Error::other)?;
        let all = skip + len;
        // SAFETY: a new read-only mapping at a place of the kernel's choice touches no memory of ours.
        let at =
            unsafe { libc::mmap(ptr::null_mut(), all, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), start) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let Some(at) = NonNull::new(at.cast::<u8>()) else { return Err(io::Error::other("mapped at 0")) };
        let Some(guarded) = guard::watch(at.as_ptr() as usize, all) else {
            unmap(at, all);
            return Err(io::Error::other("too many windows are open"));
        };
        // SAFETY: the mapping was made above; the advice changes nothing but speed.
        unsafe { libc::madvise(at.as_ptr().cast(), all, libc::MADV_SEQUENTIAL) };
        Ok(Self { mapping: Some((at, guarded)), skip, len })
    }

    /// What tells, as long as the window lives, whether the file became shorter under it.
    #[must_use]
    pub fn cut_mark(&self) -> CutMark {
        CutMark(self.mapping.as_ref().map(|(_, guarded)| guarded.place()))
    }

    /// The file became shorter under the window: from somewhere on, octets read as 0.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut_mark().is_cut()
    }
}

impl Deref for Window {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        let Some((at, _)) = &self.mapping else { return &[] };
        // SAFETY: so many octets are mapped, readable, until `self` is dropped; the guard fills in what the file loses.
        unsafe { slice::from_raw_parts(at.as_ptr().add(self.skip), self.len) }
    }
}

impl AsRef<[u8]> for Window {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if let Some((at, guarded)) = self.mapping.take() {
            drop(guarded);
            unmap(at, self.skip + self.len);
        }
    }
}

fn unmap(at: NonNull<u8>, len: usize) {
    // SAFETY: called once for a mapping of this length, when nobody looks into it any more.
    unsafe { libc::munmap(at.as_ptr().cast(), len) };
}

/// Tells whether a file became shorter under a window; of use as long as that window lives.
#[derive(Clone, Copy, Debug)]
pub struct CutMark(Option<usize>);

impl CutMark {
    /// It did: from somewhere on, octets of the window read as 0.
    #[must_use]
    pub fn is_cut(self) -> bool {
        self.0.is_some_and(guard::is_cut)
    }
}
