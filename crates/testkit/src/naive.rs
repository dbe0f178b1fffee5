//! A reassembler that is slow and obviously right: a map from offset to octet.

use std::collections::BTreeMap;

/// Keeps the first octet that came for each offset, whatever the order of arrival.
#[derive(Clone, Debug, Default)]
pub struct NaiveReassembler {
    octets: BTreeMap<u64, u8>,
    conflicts: u64,
}

/// A run of octets that are there, or of octets that are missing between two that are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// Octets at an offset.
    Octets(u64, Vec<u8>),
    /// Offset and length of what is missing.
    Gap(u64, u64),
}

impl NaiveReassembler {
    /// Adds a segment's octets at an offset. Returns how many octets were there with another value.
    pub fn push(&mut self, offset: u64, bytes: &[u8]) -> u64 {
        let before = self.conflicts;
        for (at, &octet) in (offset..).zip(bytes) {
            if *self.octets.entry(at).or_insert(octet) != octet {
                self.conflicts += 1;
            }
        }
        self.conflicts - before
    }

    /// Distinct octets that came.
    #[must_use]
    pub fn covered(&self) -> u64 {
        self.octets.len() as u64
    }

    /// Octets that came again with another value.
    #[must_use]
    pub fn conflict_octets(&self) -> u64 {
        self.conflicts
    }

    /// Everything from offset 0 to the last octet, as runs.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut next = 0;
        for (&at, &octet) in &self.octets {
            if at > next {
                runs.push(Run::Gap(next, at - next));
            }
            match runs.last_mut() {
                Some(Run::Octets(_, bytes)) => bytes.push(octet),
                _ => runs.push(Run::Octets(at, vec![octet])),
            }
            next = at + 1;
        }
        runs
    }
}
