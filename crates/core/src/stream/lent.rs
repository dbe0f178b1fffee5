//! Octets that stay where they are: the latest stretches of a capture, lent by whoever reads it, so that octets which
//! wait or are remembered are places in them and no copies.
//!
//! Stretches are numbered through: each begins at the position where the one before ended, whatever lies between them in
//! the capture. Two are kept; the one that goes before that is given out, so that what is still needed of it can be copied.

use std::sync::Arc;

/// A stretch that somebody lends. Its octets don't change.
pub type Lent = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Stands for "in no stretch".
pub(crate) const NOT_LENT: u64 = u64::MAX;

/// One stretch and its first octet's position.
pub(crate) struct Stretch {
    at: u64,
    octets: Lent,
}

impl Stretch {
    /// `len` octets at position `at`; `None` where they lie in another stretch.
    #[inline]
    pub(crate) fn get(&self, at: u64, len: usize) -> Option<&[u8]> {
        let from = usize::try_from(at.checked_sub(self.at)?).ok()?;
        (*self.octets).as_ref().get(from..from.checked_add(len)?)
    }
}

/// The stretches at hand: the one that is walked, and the one before it.
#[derive(Default)]
pub(crate) struct Stretches {
    walked: Option<Stretch>,
    before: Option<Stretch>,
    /// Position of the next stretch.
    next: u64,
}

impl Stretches {
    /// Begins with another stretch: its position, and the stretch that goes.
    pub(crate) fn push(&mut self, octets: Lent) -> (u64, Option<Stretch>) {
        let at = self.next;
        self.next += (*octets).as_ref().len() as u64;
        let gone = std::mem::replace(&mut self.before, self.walked.replace(Stretch { at, octets }));
        (at, gone)
    }

    /// Gives all stretches out.
    pub(crate) fn take(&mut self) -> [Option<Stretch>; 2] {
        [self.before.take(), self.walked.take()]
    }

    /// `len` octets at position `at`, none where no stretch has them, which doesn't happen to what was lent and not given
    /// out.
    #[inline]
    pub(crate) fn get(&self, at: u64, len: usize) -> &[u8] {
        let found = [&self.walked, &self.before].into_iter().flatten().find_map(|stretch| stretch.get(at, len));
        debug_assert!(found.is_some(), "{len} octets at {at} are lent");
        found.unwrap_or_default()
    }
}
