//! What it takes to do one job in several places: which packets must meet ([`key`]), what of them must travel
//! ([`keep`]), which fragments wait to know where they belong ([`Held`]), and the time of the whole job ([`ClockTrack`]).
//!
//! A packet's partition key is that of the flow it belongs to, the same in every process. Fragments have the key of
//! the flow that their datagram belongs to, wherever all of the datagram is seen; other ones have a key of their own
//! that all fragments of the datagram share.

mod clock;
mod held;
mod keep;
mod key;

pub use clock::ClockTrack;
pub use held::{Held, HeldFrame};
pub use keep::{Keep, needed};
pub use key::{flow_key, fragment_key};
