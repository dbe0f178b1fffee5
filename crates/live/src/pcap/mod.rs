//! libpcap and Npcap, where they are installed: the way to capture on macOS, the BSDs and Windows, and a choice on Linux.

#[cfg(any(windows, test))]
mod devices;
mod handle;
mod library;

use std::time::{Duration, Instant};

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
    /// When the interface was last seen to be up.
    seen_up: Instant,
}

/// How often it is asked whether the interface is up.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

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
        Ok(Self {
            handle,
            interface: options.interface.clone(),
            filtered,
            losses,
            ends_at_ns: i64::MAX,
            seen_up: Instant::now(),
        })
    }

    /// On Linux the library waits for an interface that went down to come back, and says nothing.
    fn look_after_interface(&mut self) -> Result<(), FlowError> {
        if cfg!(not(target_os = "linux")) || self.interface == "any" || self.seen_up.elapsed() < LOOK_INTERVAL {
            return Ok(());
        }
        self.seen_up = Instant::now();
        let all = crate::interfaces()?;
        match all.iter().find(|one| one.name == self.interface) {
            Some(one) if one.flags.up => Ok(()),
            _ => Err(FlowError::InterfaceDown { interface: self.interface.clone() }),
        }
    }
}

impl PacketSource for PcapSource {
    fn advance(&mut self) -> Result<bool, FlowError> {
        let found = self.handle.advance(&self.interface)?;
        if !found {
            self.look_after_interface()?;
        }
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
