//! What a live capture is told.

use std::time::Duration;

use tcpskein_core::error::FlowError;
use tcpskein_core::filter::Filter;

/// Most octets of a packet that are kept: as long as a packet in a capture file may be.
pub const MAX_SNAPLEN: u32 = tcpskein_core::capture::MAX_PACKET_LEN;

/// Least octets of the kernel's ring.
pub const MIN_RING_BYTES: u64 = 1 << 20;

/// Most octets of the kernel's ring: it is memory that can't be swapped out.
pub const MAX_RING_BYTES: u64 = 2 << 30;

/// Which way packets go that are captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Those that this machine received.
    In,
    /// Those that it sent.
    Out,
    /// All.
    #[default]
    Both,
}

impl Direction {
    /// The direction of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "in" => Some(Self::In),
            "out" => Some(Self::Out),
            "both" => Some(Self::Both),
            _ => None,
        }
    }
}

/// Who captures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// On Linux the kernel's own interface, elsewhere libpcap or Npcap.
    #[default]
    Auto,
    /// Linux's AF_PACKET with a TPACKET_V3 ring.
    Kernel,
    /// libpcap, or Npcap on Windows: a library that must be installed.
    Pcap,
}

impl Backend {
    /// The backend of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "kernel" => Some(Self::Kernel),
            "pcap" => Some(Self::Pcap),
            _ => None,
        }
    }
}

/// What to capture, and how.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// The interface's name, or `any` for all of them.
    pub interface: String,
    /// Which packets to take.
    pub filter: Option<Filter>,
    /// The filter's text, for descriptions.
    pub filter_text: Option<String>,
    /// Octets kept of each packet, 1 to [`MAX_SNAPLEN`].
    pub snaplen: u32,
    /// Take packets for other machines too.
    pub promiscuous: bool,
    /// Octets of the kernel's ring, [`MIN_RING_BYTES`] to [`MAX_RING_BYTES`]; rounded up to whole blocks.
    pub ring_bytes: u64,
    /// Which way packets go.
    pub direction: Direction,
    /// Times with nanoseconds; else they are cut to microseconds.
    pub nanoseconds: bool,
    /// Ends after this many packets.
    pub packet_limit: Option<u64>,
    /// Ends after this time, by the clock on the wall.
    pub time_limit: Option<Duration>,
    /// Who captures.
    pub backend: Backend,
    /// Every packet behind a Linux cooked header, whatever its interface: for files that hold one link type.
    pub cooked: bool,
}

impl LiveOptions {
    /// The defaults for an interface.
    #[must_use]
    pub fn new(interface: &str) -> Self {
        Self {
            interface: interface.to_owned(),
            filter: None,
            filter_text: None,
            snaplen: MAX_SNAPLEN,
            promiscuous: true,
            ring_bytes: 16 << 20,
            direction: Direction::Both,
            nanoseconds: true,
            packet_limit: None,
            time_limit: None,
            backend: Backend::Auto,
            cooked: false,
        }
    }

    /// # Errors
    /// [`FlowError::InvalidOption`] for a number out of range.
    pub(crate) fn check(&self) -> Result<(), FlowError> {
        let wrong = |name, least: u64, most: u64| {
            Err(FlowError::InvalidOption { name, reason: format!("expected a number from {least} to {most}") })
        };
        if !(1..=MAX_SNAPLEN).contains(&self.snaplen) {
            return wrong("snaplen", 1, u64::from(MAX_SNAPLEN));
        }
        if !(MIN_RING_BYTES..=MAX_RING_BYTES).contains(&self.ring_bytes) {
            return wrong("ringBytes", MIN_RING_BYTES, MAX_RING_BYTES);
        }
        Ok(())
    }
}
