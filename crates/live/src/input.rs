//! A capture as an input of the core: pcapng blocks, and ticks.

use std::collections::HashMap;

use tcpskein_core::capture::{Filled, Input, LinkType, Losses, tick};
use tcpskein_core::error::FlowError;

use crate::capture::{Advance, Capture};
use crate::clock::now_ns;
use crate::framing::{self, Described};
use crate::options::LiveOptions;
use crate::source::{LivePacket, PacketSource};

/// Interfaces that get a description of their own; packets of further ones are said to be of the first with their link
/// type.
const MAX_INTERFACES: usize = 4096;

/// Nanoseconds between two ticks.
const TICK_NS: i64 = 1_000_000_000;

/// Nanoseconds by which a tick stays behind the clock, beside the source's own delay: no packet may come that is earlier.
const TICK_SLACK_NS: i64 = 100_000_000;

/// Writes a capture's packets as pcapng.
pub(crate) struct LiveInput<S> {
    capture: Capture<S>,
    blocks: Blocks,
    /// Octets that had no room, from `given` on.
    pending: Vec<u8>,
    given: usize,
    last_tick_ns: i64,
    position: u64,
    ended: bool,
}

/// Turns packets into blocks.
struct Blocks {
    interfaces: HashMap<(u32, LinkType), u32>,
    snaplen: u32,
    filter_text: Option<String>,
    nanoseconds: bool,
    packets: u64,
    only: Option<(u32, LinkType)>,
}

impl<S: PacketSource> LiveInput<S> {
    pub fn new(capture: Capture<S>, options: &LiveOptions) -> Self {
        let mut blocks = Blocks {
            interfaces: HashMap::new(),
            snaplen: options.snaplen,
            filter_text: options.filter_text.clone(),
            nanoseconds: options.nanoseconds,
            packets: 0,
            only: capture.source().only_interface(),
        };
        let mut pending = Vec::new();
        framing::section(&mut pending);
        if let Some(only) = blocks.only {
            blocks.interface(only, capture.source(), &mut pending);
        }
        Self { capture, blocks, pending, given: 0, last_tick_ns: 0, position: 0, ended: false }
    }

    /// Gives what waits, as far as there is room; octets written.
    fn give(&mut self, out: &mut [u8]) -> usize {
        let waiting = &self.pending[self.given..];
        let n = waiting.len().min(out.len());
        out[..n].copy_from_slice(&waiting[..n]);
        self.given += n;
        if self.given == self.pending.len() {
            self.pending.clear();
            self.given = 0;
        }
        n
    }

    /// Writes the packet at hand to `out`, or to what waits where there is no room; octets written to `out`.
    #[inline]
    fn write(&mut self, out: &mut [u8]) -> usize {
        let packet = self.blocks.stamped(self.capture.packet());
        let late = packet.ts_ns.saturating_sub(self.last_tick_ns) >= TICK_NS;
        let known = self.blocks.interfaces.get(&(packet.interface, packet.link)).copied();
        let len = framing::packet_len(&packet);
        self.blocks.packets += 1;
        if let (Some(id), false, Some(room)) = (known, late, out.get_mut(..len)) {
            framing::packet(room, id, &packet);
            return len;
        }
        if late {
            self.pending.extend_from_slice(&tick(packet.ts_ns));
            self.last_tick_ns = packet.ts_ns;
        }
        let key = (packet.interface, packet.link);
        let id = known.unwrap_or_else(|| self.blocks.interface(key, self.capture.source(), &mut self.pending));
        let start = self.pending.len();
        self.pending.resize(start + len, 0);
        framing::packet(&mut self.pending[start..], id, &packet);
        self.give(out)
    }

    /// Lets time go on while no packet comes. `now_ns` was read before the source was found empty.
    fn tick(&mut self, now_ns: i64) {
        let delay = i64::try_from(self.capture.source().delay().as_nanos()).unwrap_or(i64::MAX);
        let safe = now_ns.saturating_sub(delay).saturating_sub(TICK_SLACK_NS);
        if safe.saturating_sub(self.last_tick_ns) >= TICK_NS {
            self.pending.extend_from_slice(&tick(safe));
            self.last_tick_ns = safe;
        }
    }

    fn end(&mut self) {
        self.ended = true;
        // What several interfaces lost together can't be said of one of them.
        if self.blocks.only.is_some() {
            framing::statistics(&mut self.pending, 0, now_ns(), self.capture.losses(), self.blocks.packets);
        }
    }
}

impl Blocks {
    /// The number of an interface that packets come from for the first time.
    #[cold]
    fn interface(&mut self, key: (u32, LinkType), source: &impl PacketSource, out: &mut Vec<u8>) -> u32 {
        if self.interfaces.len() >= MAX_INTERFACES
            && let Some((_, id)) = self.interfaces.iter().find(|((_, link), _)| *link == key.1)
        {
            return *id;
        }
        let id = self.interfaces.len() as u32;
        self.interfaces.insert(key, id);
        let name = source.interface_name(key.0);
        let filter = self.filter_text.as_deref();
        framing::interface(out, &Described { name: &name, link: key.1, snaplen: self.snaplen, filter });
        id
    }

    #[inline]
    fn stamped<'a>(&self, packet: LivePacket<'a>) -> LivePacket<'a> {
        if self.nanoseconds {
            return packet;
        }
        LivePacket { ts_ns: packet.ts_ns.div_euclid(1000) * 1000, ..packet }
    }
}

impl<S: PacketSource> Input for LiveInput<S> {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let now = now_ns();
        let mut written = self.give(out);
        if !self.ended {
            self.capture.look_around();
        }
        while written < out.len() && !self.ended {
            match self.capture.advance() {
                Advance::Packet => written += self.write(&mut out[written..]),
                Advance::Nothing => {
                    self.tick(now);
                    written += self.give(&mut out[written..]);
                    break;
                }
                Advance::End => {
                    self.end();
                    written += self.give(&mut out[written..]);
                }
            }
        }
        self.position += written as u64;
        if written > 0 {
            return Ok(Filled::Bytes(written));
        }
        if !self.ended {
            return Ok(Filled::NeedInput);
        }
        self.capture.take_failure().map_or(Ok(Filled::End), Err)
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn losses(&self) -> Losses {
        self.capture.losses()
    }
}

#[cfg(test)]
pub(crate) mod tests;
