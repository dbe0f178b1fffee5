//! From segments to TCP connections: which connection a segment belongs to, what state it is in, when it is over.
//!
//! A connection is seen by an observer in the middle (RFC 9293 section 3.3.2 gives the hosts' own states): packets may
//! be missing, late or twice. Its two directions are [`crate::stream::Stream`]s; this room decides what they are fed.
//!
//! # Direction
//! `fwd` goes from the client: the sender of the SYN without ACK, or the receiver of the SYN with ACK, or, where the
//! capture began too late for either, the sender of the first segment seen. It is decided once, at the first segment.
//!
//! # When ports are used again
//! A SYN begins a new connection on the same ports when it can't belong to the one that is known: its sequence number
//! differs and the old connection is over, never answered, or has another window. See [`begins_anew`].
//!
//! # When a connection is over
//! After a RST that its receiver could accept (RFC 5961 section 3.2), or a FIN in both directions, it stays known for
//! [`ConnectionLimits::linger_ns`], so that late segments still count; then it ends. Without either it ends after
//! [`ConnectionLimits::idle_ns`] without a segment, when the table is full, or at the end of the input. These times are
//! those of a [`CaptureClock`]: pauses of the whole capture and wrong timestamps don't count.

mod clock;
mod observed;
mod record;
mod reuse;
mod state;
mod table;

pub use clock::{CaptureClock, LONGEST_STEP_NS};
pub use observed::{Connection, SynInfo, Tracked};
pub use record::{COLUMNS, IDENTITY};
pub use reuse::begins_anew;
pub use state::{EndReason, State};
pub use table::{ConnectionLimits, ConnectionTable, Finished};
