//! Which octets stay when two segments that both wait overlap.
//!
//! The rules are those of target-based reassembly (Novak and Sturges, 2007), which describe what hosts do. Octets
//! that were delivered are out of reach for every policy.

use crate::error::FlowError;

/// Whose octets an overlap keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverlapPolicy {
    /// What came first stays. Also Windows Vista and later.
    #[default]
    First,
    /// What came last stays.
    Last,
    /// What came first, unless the later segment begins before it.
    Bsd,
    /// As `Bsd`; of two that begin at the same octet, a longer later one wins.
    Linux,
    /// As `Bsd`; of two that begin at the same octet, a later one wins unless it is shorter.
    OldLinux,
    /// The later segment wins if it ends after the earlier one, or at the same octet without beginning after it.
    Solaris,
}

impl OverlapPolicy {
    /// Every policy, in the order of the documentation.
    pub const ALL: [Self; 6] = [Self::First, Self::Last, Self::Bsd, Self::Linux, Self::OldLinux, Self::Solaris];

    /// The name that users write.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Bsd => "bsd",
            Self::Linux => "linux",
            Self::OldLinux => "old-linux",
            Self::Solaris => "solaris",
        }
    }

    /// The policy of a name.
    ///
    /// # Errors
    /// [`FlowError::InvalidOption`] for any other word than the six names.
    pub fn parse(name: &str) -> Result<Self, FlowError> {
        Self::ALL.into_iter().find(|policy| policy.name() == name).ok_or_else(|| FlowError::InvalidOption {
            name: "policy",
            reason: format!("must be first, last, bsd, linux, old-linux or solaris, not {name:?}"),
        })
    }

    /// Whether a new segment `[new.0, new.1)` takes the octets that it shares with a waiting piece `[old.0, old.1)`.
    /// A piece is judged by what earlier overlaps left of it.
    pub(crate) fn new_wins(self, old: (u64, u64), new: (u64, u64)) -> bool {
        match self {
            Self::First => false,
            Self::Last => true,
            Self::Bsd => new.0 < old.0,
            Self::Linux => new.0 < old.0 || (new.0 == old.0 && new.1 > old.1),
            Self::OldLinux => new.0 < old.0 || (new.0 == old.0 && new.1 >= old.1),
            Self::Solaris => new.1 > old.1 || (new.1 == old.1 && new.0 <= old.0),
        }
    }
}
