//! The built-in chains: what a flow record says. One file each; the columns are declared beside the code that fills
//! them, under the names of PATHspider's chains.
//!
//! Every chain sees every packet of a flow; one that answers false says that the flow is complete.

mod basic;
mod dns;
mod dscp;
mod ecn;
mod evil;
mod icmp;
mod mss;
mod seen;
mod states;
mod tcp;
mod tcpopt;
mod tfo;
mod udp;

pub use basic::BasicState;
pub use seen::Seen;
pub use states::{ChainStates, ColdStates};
pub use tcp::TcpState;

use crate::batch::{Column, RowWriter};
use crate::error::FlowError;
use crate::flow::{FlowCold, FlowSlot};

macro_rules! chains {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $columns:expr;)*) => {
        /// A built-in chain.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Chain { $($(#[$doc])* $variant,)* }

        impl Chain {
            /// Every built-in chain.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The chain's name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The columns that the chain adds to a flow record, in order.
            #[must_use]
            pub fn columns(self) -> &'static [Column] {
                match self { $(Self::$variant => $columns,)* }
            }
        }
    };
}

chains! {
    /// Addresses, ports, packets, octets.
    Basic = "basic", basic::COLUMNS;
    /// SYN flags, FIN, RST, handshake.
    Tcp = "tcp", tcp::COLUMNS;
    /// Options on the answering SYN.
    TcpOpt = "tcpopt", tcpopt::COLUMNS;
    /// Maximum segment size.
    Mss = "mss", mss::COLUMNS;
    /// TCP Fast Open.
    Tfo = "tfo", tfo::COLUMNS;
    /// Explicit Congestion Notification.
    Ecn = "ecn", ecn::COLUMNS;
    /// Differentiated Services.
    Dscp = "dscp", dscp::COLUMNS;
    /// The reserved bit of the IPv4 flags.
    Evil = "evil", evil::COLUMNS;
    /// Destination unreachable.
    Icmp = "icmp", icmp::COLUMNS;
    /// UDP without checksum.
    Udp = "udp", udp::COLUMNS;
    /// DNS responses.
    Dns = "dns", dns::COLUMNS;
    /// Nothing.
    Noop = "noop", &[];
}

impl Chain {
    /// The chain of that name.
    ///
    /// # Errors
    /// [`FlowError::InvalidOption`] where there is none.
    pub fn from_name(name: &str) -> Result<Self, FlowError> {
        Self::ALL.iter().copied().find(|c| c.name() == name).ok_or_else(|| FlowError::InvalidOption {
            name: "chains",
            reason: format!("there is no built-in chain '{name}'; there are {}", names()),
        })
    }

    /// Writes the chain's columns of one record.
    pub fn write(self, slot: &FlowSlot, cold: &FlowCold, states: &ChainStates, row: &mut RowWriter<'_>) {
        match self {
            Self::Basic => basic::write(slot, cold, row),
            Self::Tcp => tcp::write(slot, row),
            Self::TcpOpt => states.tcpopt.write(row),
            Self::Mss => states.mss.write(row),
            Self::Tfo => states.tfo.write(row),
            Self::Ecn => states.ecn.write(row),
            Self::Dscp => states.dscp.write(row),
            Self::Evil => states.evil.write(row),
            Self::Icmp => states.icmp.write(row),
            Self::Udp => states.udp.write(row),
            Self::Dns => states.dns.write(row),
            Self::Noop => {}
        }
    }
}

fn names() -> String {
    Chain::ALL.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ")
}
