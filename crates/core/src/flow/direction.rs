//! The two directions of a flow.

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Direction {
    /// From the endpoint that sent the flow's first packet.
    Fwd = 0,
    /// The other way.
    Rev = 1,
}

impl Direction {
    /// 0 for forward, 1 for reverse: the place in a pair.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The other direction.
    #[inline]
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Fwd => Self::Rev,
            Self::Rev => Self::Fwd,
        }
    }
}
