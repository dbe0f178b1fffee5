//! The octets that packets are found in: read into memory of our own, or a window on a file.

use std::ops::Deref;
use std::sync::Arc;

use tcpskein_map::{Buffer, Window};

/// A stretch of a capture that lies in memory in one piece.
#[derive(Debug)]
pub enum Block {
    /// Octets that were read.
    Own(Buffer),
    /// Octets of a file that is mapped, as long as anybody holds them.
    Mapped(Arc<Window>),
}

impl Default for Block {
    fn default() -> Self {
        Self::Own(Buffer::default())
    }
}

impl Deref for Block {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(octets) => octets,
            Self::Mapped(window) => window,
        }
    }
}

impl Block {
    /// The memory, where it is our own, to be filled again; a window is let go.
    #[must_use]
    pub fn into_own(self) -> Buffer {
        match self {
            Self::Own(octets) => octets,
            Self::Mapped(_) => Buffer::default(),
        }
    }
}
