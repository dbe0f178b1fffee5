//! Linux: an AF_PACKET socket with a TPACKET_V3 ring, which the kernel fills and this program reads without a call per
//! packet.
//!
//! The kernel fills blocks of the ring and hands each one over when it is full or [`RETIRE_MS`] old. Where no block is
//! free it drops packets and counts them.

mod frame;
mod program;
mod ring;
mod socket;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use tcpskein_core::capture::{LinkType, Losses};
use tcpskein_core::error::FlowError;

use crate::options::{Direction, LiveOptions};
use crate::source::{LivePacket, PacketSource};
use frame::{Frame, Rebuilt};
use ring::Ring;
use socket::Socket;

/// Milliseconds after which the kernel hands over a block that isn't full.
pub(crate) const RETIRE_MS: u32 = 40;

/// Names of interfaces that are kept; beyond, they are asked for again.
const MAX_NAMES: usize = 4096;

/// The socket and its ring.
pub(crate) struct PacketSocket {
    socket: Arc<Socket>,
    ring: Ring,
    interface: String,
    /// The link type where all packets have the same one.
    only: Option<(u32, LinkType)>,
    direction: Direction,
    snaplen: u32,
    cooked: bool,
    /// The kernel runs the filter, except on packets whose VLAN tag it keeps apart.
    filtered: bool,
    losses: Losses,
    /// The frame that it stands at, where that needs a header that isn't in the ring.
    rebuilt: Rebuilt,
    names: HashMap<u32, String>,
}

impl PacketSocket {
    /// Opens the socket; packets come from here on.
    ///
    /// # Errors
    /// [`FlowError::NotPermitted`], [`FlowError::Interface`], [`FlowError::InterfaceDown`], and
    /// [`FlowError::InvalidOption`] where there is no memory for the ring.
    pub fn open(options: &LiveOptions) -> Result<Self, FlowError> {
        let name = &options.interface;
        let index = if name == "any" { None } else { Some(socket::interface_index(name)?) };
        let socket = Socket::new(name)?;
        let only = match index {
            None if options.cooked => Some((0, LinkType::LINUX_SLL2)),
            None => None,
            Some(index) => Some((index, socket.check_interface(name, options.cooked)?)),
        };
        let is_loopback = only.is_some_and(|_| socket.is_loopback(name));
        // What is sent over the loopback is received there too.
        let ignores_outgoing =
            options.direction == Direction::In || (is_loopback && options.direction == Direction::Both);
        if ignores_outgoing {
            socket.ignore_outgoing();
        }
        let filtered = program::attach(&socket, options, only.map(|(_, link)| link).filter(|_| index.is_some()));
        let ring = Ring::new(&socket, options.ring_bytes)?;
        if let (Some(index), true) = (index, options.promiscuous) {
            socket.promiscuous(index)?;
        }
        socket.bind(index.unwrap_or(0), name)?;
        Ok(Self {
            socket: Arc::new(socket),
            ring,
            interface: name.clone(),
            only,
            direction: options.direction,
            snaplen: options.snaplen,
            cooked: options.cooked,
            filtered,
            losses: Losses::default(),
            rebuilt: Rebuilt::default(),
            names: HashMap::new(),
        })
    }

    /// What can be waited for.
    pub fn descriptor(&self) -> Arc<OwnedFd> {
        self.socket.descriptor()
    }

    /// Whether the frame goes the way that was asked for. On a loopback each packet is there twice, as sent and as
    /// received.
    #[inline]
    fn is_wanted(&self, frame: &Frame<'_>) -> bool {
        match self.direction {
            Direction::Both => !(frame.is_outgoing() && frame.is_loopback()),
            Direction::In => !frame.is_outgoing(),
            Direction::Out => frame.is_outgoing(),
        }
    }
}

impl PacketSource for PacketSocket {
    #[inline]
    fn advance(&mut self) -> Result<bool, FlowError> {
        while self.ring.advance() {
            let Some(frame) = self.ring.frame() else { continue };
            if !self.is_wanted(&frame) {
                continue;
            }
            self.rebuilt.of(&frame, self.cooked);
            if self.only.is_none() && !self.names.contains_key(&frame.interface()) {
                self.learn_name();
            }
            return Ok(true);
        }
        self.socket.check(&self.interface).map(|()| false)
    }

    #[inline]
    fn packet(&self) -> LivePacket<'_> {
        let Some(frame) = self.ring.frame() else { return frame::NOTHING };
        let mut packet = frame.packet(&self.rebuilt);
        packet.unfiltered = !self.filtered || frame.is_tagged();
        if self.cooked && self.only.is_some_and(|(index, _)| index == 0) {
            packet.interface = 0;
        }
        frame::cut(&mut packet, self.snaplen as usize);
        packet
    }

    fn interface_name(&self, interface: u32) -> String {
        if self.only.is_some() {
            return self.interface.clone();
        }
        self.names.get(&interface).cloned().unwrap_or_else(|| format!("interface {interface}"))
    }

    fn only_interface(&self) -> Option<(u32, LinkType)> {
        self.only
    }

    fn losses(&mut self) -> Losses {
        let (received, dropped) = self.socket.statistics();
        self.losses.received += received;
        self.losses.by_system += dropped;
        self.losses
    }

    fn stop_intake(&mut self) {
        self.socket.attach(&[socket::Instruction::RETURN_NOTHING]);
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(u64::from(RETIRE_MS) * 2)
    }
}

impl PacketSocket {
    /// An interface may be gone when its description is written, so its name is asked for with its first packet.
    #[cold]
    fn learn_name(&mut self) {
        let Some(index) = self.ring.frame().map(|frame| frame.interface()) else { return };
        if self.names.len() >= MAX_NAMES {
            self.names.clear();
        }
        let name = socket::interface_name(index).unwrap_or_else(|| format!("interface {index}"));
        self.names.insert(index, name);
    }
}

#[cfg(test)]
mod tests;
