//! A defragmenter that is slow but obviously right: one datagram as a map from octet to its value and its owner.
//!
//! It knows no limits and no time, and only says what a datagram's octets are. The rules of overlap are put here as
//! sentences on "the fragment that owns an octet" and "the fragment that comes", octet by octet.

use std::collections::BTreeMap;
use std::ops::Range;

/// Whose octet counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlapRule {
    /// Whoever was first.
    First,
    /// Whoever was last.
    Last,
    /// The owner keeps what it has if it begins at or before the newcomer.
    Bsd,
    /// The newcomer takes the octet if the owner begins at or before it.
    BsdRight,
    /// The owner keeps what it has if it begins before the newcomer.
    Linux,
    /// The newcomer takes the octet if it sticks out of the owner on both sides.
    Windows,
    /// As Windows, but at the right it may end with the owner.
    Solaris,
    /// An overlap spoils the datagram, unless the same fragment comes again.
    Forbidden,
}

impl OverlapRule {
    fn newcomer_takes(self, owner: &Range<usize>, newcomer: &Range<usize>) -> bool {
        let owner_begins_at_or_before = owner.start <= newcomer.start;
        match self {
            Self::First | Self::Forbidden => false,
            Self::Last => true,
            Self::Bsd => !owner_begins_at_or_before,
            Self::BsdRight => owner_begins_at_or_before,
            Self::Linux => owner.start >= newcomer.start,
            Self::Windows => newcomer.start < owner.start && owner.end < newcomer.end,
            Self::Solaris => newcomer.start < owner.start && owner.end <= newcomer.end,
        }
    }
}

/// What the model says to a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Octets are missing.
    Pending,
    /// The whole datagram.
    Complete(Vec<u8>),
    /// The fragment can't be.
    Refused,
    /// The datagram is spoilt.
    Spoilt,
}

/// One datagram.
#[derive(Clone, Debug)]
pub struct NaiveDatagram {
    rule: OverlapRule,
    octets: BTreeMap<usize, (u8, Range<usize>)>,
    seen: Vec<(usize, Vec<u8>)>,
    end: Option<usize>,
    spoilt: bool,
}

impl NaiveDatagram {
    /// A datagram of which nothing is known.
    #[must_use]
    pub fn new(rule: OverlapRule) -> Self {
        Self { rule, octets: BTreeMap::new(), seen: Vec::new(), end: None, spoilt: false }
    }

    /// Takes a fragment; after [`Answer::Complete`] the datagram is over.
    pub fn push(&mut self, offset: usize, more: bool, payload: &[u8]) -> Answer {
        if offset == 0 && !more {
            return Answer::Complete(payload.to_vec());
        }
        let end = offset + payload.len();
        if payload.is_empty() || !offset.is_multiple_of(8) || (more && !payload.len().is_multiple_of(8)) || end > 65_535
        {
            return Answer::Refused;
        }
        if self.spoilt {
            return Answer::Spoilt;
        }
        let highest = self.octets.keys().next_back().map_or(0, |last| last + 1);
        if self.end.is_some_and(|known| end > known || (!more && end < known)) || (!more && highest > end) {
            return Answer::Refused;
        }
        let repeated = self.seen.iter().any(|(at, octets)| *at == offset && octets == payload);
        let overlaps = (offset..end).any(|at| self.octets.contains_key(&at));
        if self.rule == OverlapRule::Forbidden && overlaps && !repeated {
            self.spoilt = true;
            return Answer::Spoilt;
        }
        if !more {
            self.end = Some(end);
        }
        self.write(offset, payload);
        self.seen.push((offset, payload.to_vec()));
        self.answer()
    }

    fn write(&mut self, offset: usize, payload: &[u8]) {
        let newcomer = offset..offset + payload.len();
        for (at, octet) in newcomer.clone().zip(payload) {
            let takes = self.octets.get(&at).is_none_or(|(_, owner)| self.rule.newcomer_takes(owner, &newcomer));
            if takes {
                self.octets.insert(at, (*octet, newcomer.clone()));
            }
        }
    }

    fn answer(&self) -> Answer {
        match self.end {
            Some(end) if (0..end).all(|at| self.octets.contains_key(&at)) => {
                Answer::Complete(self.octets.values().map(|(octet, _)| *octet).collect())
            }
            _ => Answer::Pending,
        }
    }
}
