//! libpcap and Npcap, where they are installed: the way to capture on macOS, the BSDs and Windows, and a choice on Linux.

#[cfg(any(windows, test))]
mod devices;
mod handle;
mod library;

use std::time::Duration;

use tcpskein_core::capture::{LinkType, Losses};
use tcpskein_core::error::FlowError;

use crate::clock::now_ns;
use crate::options::LiveOptions;
use crate::source::{LivePacket, PacketSource};
#[cfg(windows)]
pub(crate) use devices::{Device, LOOPBACK, RUNNING, UP, devices};
use handle::Handle;

/// A capture of the library.
pub(crate) struct PcapSource {
    handle: Handle,
    interface: String,
    /// The system runs the filter.
    filtered: bool,
    losses: Losses,
    /// Nanoseconds since the Unix epoch; later packets don't count.
    ends_at_ns: i64,
}

impl PcapSource {
    /// How often the library is asked: what it can wait with differs from system to system.
    pub const INTERVAL: Duration = Duration::from_millis(10);

    /// Begins to capture.
    ///
    /// # Errors
    /// [`FlowError::NotPermitted`], [`FlowError::Interface`], [`FlowError::LiveUnsupported`].
    pub fn open(options: &LiveOptions) -> Result<Self, FlowError> {
        let handle = Handle::open(options)?;
        let filtered = match &options.filter {
            // On Linux the kernel keeps VLAN tags apart, and the library puts them back after the filter.
            Some(_) if cfg!(target_os = "linux") => false,
            Some(filter) => {
                let program = filter.classic(handle.link, options.snaplen);
                program.is_some_and(|program| handle.filter(&program))
            }
            None => true,
        };
        let losses = Losses::default();
        Ok(Self { handle, interface: options.interface.clone(), filtered, losses, ends_at_ns: i64::MAX })
    }
}

impl PacketSource for PcapSource {
    fn advance(&mut self) -> Result<bool, FlowError> {
        let found = self.handle.advance(&self.interface)?;
        Ok(found && self.handle.seen().is_some_and(|(seen, _)| seen.ts_ns <= self.ends_at_ns))
    }

    fn packet(&self) -> LivePacket<'_> {
        let (ts_ns, wire_len, rest) =
            self.handle.seen().map_or((0, 0, &[][..]), |(seen, bytes)| (seen.ts_ns, seen.wire_len, bytes));
        let unfiltered = !self.filtered;
        LivePacket { ts_ns, interface: 0, link: self.handle.link, wire_len, front: &[], rest, unfiltered }
    }

    fn interface_name(&self, _: u32) -> String {
        self.interface.clone()
    }

    fn only_interface(&self) -> Option<(u32, LinkType)> {
        Some((0, self.handle.link))
    }

    fn losses(&mut self) -> Losses {
        self.losses = self.handle.losses().unwrap_or(self.losses);
        self.losses
    }

    fn stop_intake(&mut self) {
        // A filter for nothing would also take what waits in the library.
        self.ends_at_ns = now_ns();
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(handle::BUFFER_MS.unsigned_abs().into()) * 2
    }
}
