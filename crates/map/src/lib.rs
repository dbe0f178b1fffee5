//! Regular files as windows of memory: what is read of them is never copied by the kernel.
//!
//! A file goes in, read-only windows on it come out, one after another, so that the resident memory is that of the
//! windows and not of the file. A file that becomes shorter under a window is no crash: the missing octets read as 0
//! and [`Window::is_cut`] says so.
//!
//! Linux only; elsewhere [`MappedFile::open`] gives the file back and it is to be read. Nothing here knows what the
//! files hold. Who writes into a file while it is mapped changes what a window shows, as with any mapping: captures are
//! appended to.

mod buffer;
mod pages;
mod prefetch;
pub use buffer::{Buffer, PAGE_LEN};
pub use pages::{Pages, roomy};
pub use prefetch::{prefetch, prefetch_range, prefetch_whole};

#[cfg(target_os = "linux")]
mod guard;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{CutMark, MappedFile, Window};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{CutMark, MappedFile, Window};

#[cfg(all(test, target_os = "linux"))]
mod tests;
