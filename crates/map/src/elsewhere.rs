//! Where files aren't mapped: the same names, and no value of theirs exists.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::ops::Deref;

/// A file that is mapped window by window; there is none here.
#[derive(Debug)]
pub struct MappedFile(Infallible);

impl MappedFile {
    /// Never opens.
    ///
    /// # Errors
    /// Always the file.
    pub fn open(file: File) -> Result<Self, File> {
        Err(file)
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn window(&self, _: u64, _: usize) -> io::Result<Window> {
        match self.0 {}
    }
}

/// Octets of a file; there are none here.
#[derive(Debug)]
pub struct Window(Infallible);

impl Window {
    /// Never called.
    #[must_use]
    pub fn cut_mark(&self) -> CutMark {
        match self.0 {}
    }
}

impl Deref for Window {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.0 {}
    }
}

impl AsRef<[u8]> for Window {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Tells whether a file became shorter under a window.
#[derive(Clone, Copy, Debug)]
pub struct CutMark(Infallible);

impl CutMark {
    /// Never called.
    #[must_use]
    pub fn is_cut(self) -> bool {
        match self.0 {}
    }
}
