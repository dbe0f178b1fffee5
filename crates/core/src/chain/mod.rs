//! The built-in chains: what a flow record says. One file each; the columns are declared beside the code that fills
//! them, under the names of PATHspider's chains.

mod basic;
mod tcp;

pub use basic::BasicState;
pub use tcp::TcpState;

use crate::batch::{Column, RowWriter};
use crate::error::FlowError;
use crate::flow::{FlowCold, FlowSlot};

/// A built-in chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Addresses, ports, packets, octets.
    Basic,
    /// SYN flags, FIN, RST, handshake.
    Tcp,
}

impl Chain {
    /// Every built-in chain.
    pub const ALL: [Self; 2] = [Self::Basic, Self::Tcp];

    /// The chain's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Tcp => "tcp",
        }
    }

    /// The columns that the chain adds to a flow record, in order.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Basic => basic::COLUMNS,
            Self::Tcp => tcp::COLUMNS,
        }
    }

    /// The chain of that name.
    ///
    /// # Errors
    /// [`FlowError::InvalidOption`] where there is none.
    pub fn from_name(name: &str) -> Result<Self, FlowError> {
        Self::ALL.into_iter().find(|c| c.name() == name).ok_or_else(|| FlowError::InvalidOption {
            name: "chains",
            reason: format!("there is no built-in chain '{name}'; there are {}", names()),
        })
    }

    /// Writes the chain's columns of one record.
    pub fn write(self, slot: &FlowSlot, cold: &FlowCold, row: &mut RowWriter<'_>) {
        match self {
            Self::Basic => basic::write(slot, cold, row),
            Self::Tcp => tcp::write(slot, row),
        }
    }
}

fn names() -> String {
    Chain::ALL.map(Chain::name).join(", ")
}
