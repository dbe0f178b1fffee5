//! From datagrams to flows: who talks with whom, in which direction, and when a flow is over.
//!
//! The rules are those of PATHspider's Observer: a flow is known by its 5-tuple (3-tuple where the protocol has no
//! ports), the first packet gives the forward direction, timers run on packet time in steps of one second, and an
//! ICMP error belongs to the flow that it quotes, with the direction turned round.

mod direction;
pub(crate) mod index;
mod key;
mod table;
pub(crate) mod timers;

pub use direction::Direction;
pub use key::{FlowKey, Identity, identify};
pub use table::{EndReason, FlowCold, FlowSlot, FlowTable, FlowTableOptions};
