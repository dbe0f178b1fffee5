//! Live packets: from a network interface into what sessions read, and into files.
//!
//! ```text
//! interface → PacketSource (linux: AF_PACKET ring; pcap: libpcap, Npcap) → Capture (filter, limits, the end)
//!               → LiveInput (pcapng and ticks, an Input of the core)
//!               → Recorder (files, on a thread of its own)
//! ```
//!
//! In come options, out come octets that a session reads as it reads a file's. The kernel's ring is the only queue: where
//! packets aren't taken in time the kernel drops them, and counts them. All `unsafe` code of capturing is here; the core
//! has none.

#![deny(missing_docs)]

mod capture;
mod clock;
mod control;
mod framing;
mod input;
mod interfaces;
#[cfg(target_os = "linux")]
mod linux;
mod open;
mod options;
mod pcap;
mod privilege;
mod record;
mod source;

pub use control::Control;
pub use interfaces::{Interface, InterfaceAddress, InterfaceFlags, interfaces};
pub use open::{Live, open};
pub use options::{Backend, Direction, LiveOptions, MAX_RING_BYTES, MAX_SNAPLEN, MIN_RING_BYTES};
pub use record::{FileFormat, RecordOptions, RecordTotals, Recorder};
