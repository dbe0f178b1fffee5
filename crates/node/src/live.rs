//! Live captures: options, interfaces, and an input for a session.

use napi::Error;
use napi_derive::napi;
use std::time::Duration;
use tcpskein_core::capture::{FailedInput, SharedInput};
use tcpskein_core::error::FlowError;
use tcpskein_live::{Backend, Control, Direction, Interface, LiveOptions};

use crate::error::throw;
use crate::options::{compile, nanoseconds};

/// What to capture, and how.
#[napi(object)]
pub struct NativeLiveOptions {
    /// The interface's name, or `any`.
    pub interface: String,
    /// Which packets to take, in tcpdump's language.
    pub filter: Option<String>,
    /// Octets kept of each packet.
    pub snaplen: u32,
    /// Packets for other machines too.
    pub promiscuous: bool,
    /// Octets of the kernel's ring.
    pub ring_bytes: f64,
    /// Which way packets go: a word.
    pub direction: String,
    /// Times with nanoseconds.
    pub nanoseconds: bool,
    /// Packets after which it ends.
    pub packet_limit: Option<f64>,
    /// Seconds on the wall after which it ends.
    pub time_limit: Option<f64>,
    /// Who captures: a word.
    pub backend: String,
}

impl TryFrom<NativeLiveOptions> for LiveOptions {
    type Error = FlowError;

    fn try_from(options: NativeLiveOptions) -> Result<Self, FlowError> {
        let unknown = |name, word: &str| FlowError::InvalidOption { name, reason: format!("'{word}' is not known") };
        let NativeLiveOptions { interface, filter, direction, backend, .. } = options;
        Ok(Self {
            filter: compile(filter.as_deref())?,
            filter_text: filter,
            snaplen: options.snaplen,
            promiscuous: options.promiscuous,
            ring_bytes: options.ring_bytes as u64,
            direction: Direction::from_name(&direction).ok_or_else(|| unknown("direction", &direction))?,
            nanoseconds: options.nanoseconds,
            packet_limit: options.packet_limit.map(|packets| packets as u64),
            time_limit: options.time_limit.map(duration),
            backend: Backend::from_name(&backend).ok_or_else(|| unknown("backend", &backend))?,
            ..Self::new(&interface)
        })
    }
}

/// Seconds as a duration, saturating.
pub fn duration(seconds: f64) -> Duration {
    Duration::from_nanos(nanoseconds(seconds).max(0).unsigned_abs())
}

/// Begins to capture; what can't be opened fails when it is read.
pub fn open_live(options: NativeLiveOptions) -> (SharedInput, Option<Control>) {
    match options.try_into().and_then(|options| tcpskein_live::open(&options)) {
        Ok(live) => (SharedInput::new(live.input), Some(live.control)),
        Err(error) => (SharedInput::new(Box::new(FailedInput::new(error))), None),
    }
}

/// Throws what is wrong with a filter.
#[napi(catch_unwind)]
pub fn check_filter(text: String) -> Result<(), Error<&'static str>> {
    compile(Some(&text)).map(drop).map_err(|e| throw(&e))
}

/// An interface.
#[napi(object)]
pub struct NativeInterface {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub description: Option<String>,
    /// Its number in the system.
    pub index: Option<u32>,
    /// Its hardware address.
    pub mac: Option<String>,
    /// Its addresses.
    pub addresses: Vec<NativeAddress>,
    /// Words for what it is like.
    pub flags: Vec<String>,
}

/// An address of an interface.
#[napi(object)]
pub struct NativeAddress {
    /// The address.
    pub address: String,
    /// Bits of it that name its network.
    pub prefix_length: Option<u32>,
}

/// Every interface.
#[napi(catch_unwind)]
pub fn interfaces() -> Result<Vec<NativeInterface>, Error<&'static str>> {
    let found = tcpskein_live::interfaces().map_err(|e| throw(&e))?;
    Ok(found.into_iter().map(NativeInterface::from).collect())
}

impl From<Interface> for NativeInterface {
    fn from(interface: Interface) -> Self {
        let flags = &interface.flags;
        let words = [
            (flags.up, "up"),
            (flags.running, "running"),
            (flags.loopback, "loopback"),
            (flags.broadcast, "broadcast"),
            (flags.multicast, "multicast"),
            (flags.point_to_point, "point-to-point"),
            (flags.promiscuous, "promiscuous"),
        ];
        let addresses = interface.addresses.iter().map(|one| NativeAddress {
            address: one.address.to_string(),
            prefix_length: one.prefix_len.map(u32::from),
        });
        Self {
            addresses: addresses.collect(),
            flags: words.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect(),
            mac: interface.mac.map(|mac| mac.map(|octet| format!("{octet:02x}")).join(":")),
            name: interface.name,
            description: interface.description,
            index: interface.index,
        }
    }
}
