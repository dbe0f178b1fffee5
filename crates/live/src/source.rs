//! What every way of capturing can do.

use std::time::Duration;

use tcpskein_core::capture::{LinkType, Losses};
use tcpskein_core::error::FlowError;

/// A packet that lies in a source's memory until the source moves on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LivePacket<'a> {
    /// Nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// The interface's number in the system.
    pub interface: u32,
    /// What its octets begin with.
    pub link: LinkType,
    /// Octets on the wire.
    pub wire_len: u32,
    /// A header that isn't in the source's memory as it was on the wire; mostly none.
    pub front: &'a [u8],
    /// The octets behind it.
    pub rest: &'a [u8],
    /// The filter must still be asked about it.
    pub unfiltered: bool,
}

impl LivePacket<'_> {
    /// Octets captured.
    pub fn captured_len(&self) -> usize {
        self.front.len() + self.rest.len()
    }
}

/// Packets from somewhere.
pub(crate) trait PacketSource: Send {
    /// Moves to the next packet. False: none is there now.
    ///
    /// # Errors
    /// [`FlowError::InterfaceDown`] and others; what is there already comes first.
    fn advance(&mut self) -> Result<bool, FlowError>;

    /// The packet that it stands at.
    fn packet(&self) -> LivePacket<'_>;

    /// The name of an interface by its number in the system.
    fn interface_name(&self, interface: u32) -> String;

    /// The interface and link type that all packets have, where that is known before they come.
    fn only_interface(&self) -> Option<(u32, LinkType)>;

    /// What was lost so far.
    fn losses(&mut self) -> Losses;

    /// No packet that arrives from now on will come.
    fn stop_intake(&mut self);

    /// How long a packet may take from its arrival until [`PacketSource::advance`] finds it.
    fn delay(&self) -> Duration;
}
