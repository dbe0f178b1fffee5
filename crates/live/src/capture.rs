//! Packets of a source until the capture ends: the filter where the kernel doesn't run it, limits, and a clean end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tcpskein_core::capture::Losses;
use tcpskein_core::error::FlowError;
use tcpskein_core::filter::Filter;

use crate::control::Shared;
use crate::options::LiveOptions;
use crate::source::{LivePacket, PacketSource};

/// What [`Capture::advance`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advance {
    /// It stands at a packet.
    Packet,
    /// No packet is there now.
    Nothing,
    /// No packet will come any more.
    End,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Running,
    /// Nothing new comes in; what arrived before may take this long to be found.
    Draining(Instant),
    Ended,
}

/// Longest pause between two looks at a source that is at its end.
const PAUSE: Duration = Duration::from_millis(10);

/// A source, and when it ends.
pub(crate) struct Capture<S> {
    source: S,
    shared: Arc<Shared>,
    filter: Option<Filter>,
    packets_left: u64,
    state: State,
    failure: Option<FlowError>,
    losses: Losses,
    /// For the filter, which wants a packet in one piece.
    joined: Vec<u8>,
}

impl<S: PacketSource> Capture<S> {
    pub fn new(source: S, shared: Arc<Shared>, options: &LiveOptions) -> Self {
        let packets_left = options.packet_limit.unwrap_or(u64::MAX);
        Self {
            source,
            shared,
            filter: options.filter.clone(),
            packets_left,
            state: if packets_left == 0 { State::Ended } else { State::Running },
            failure: None,
            losses: Losses::default(),
            joined: Vec::new(),
        }
    }

    /// To be called now and then: sees whether the capture was told to end, and what was lost.
    pub fn look_around(&mut self) {
        if matches!(self.state, State::Running) && self.shared.is_over() {
            self.begin_end();
        }
        self.losses = self.source.losses();
    }

    /// Moves to the next packet that is wanted. At the end it may wait as long as packets take to be found.
    #[inline]
    pub fn advance(&mut self) -> Advance {
        loop {
            if matches!(self.state, State::Ended) {
                return Advance::End;
            }
            match self.source.advance() {
                Ok(true) if self.is_chosen() => {
                    self.packets_left -= 1;
                    if self.packets_left == 0 {
                        self.end();
                    }
                    return Advance::Packet;
                }
                Ok(true) => {}
                Ok(false) => match self.state {
                    State::Running => return Advance::Nothing,
                    State::Draining(until) => self.drain(until),
                    State::Ended => return Advance::End,
                },
                Err(error) => self.fail(error),
            }
        }
    }

    /// The packet that [`Capture::advance`] moved to.
    #[inline]
    pub fn packet(&self) -> LivePacket<'_> {
        self.source.packet()
    }

    pub fn source(&self) -> &S {
        &self.source
    }

    /// What was lost, as of the latest look around.
    pub fn losses(&self) -> Losses {
        self.losses
    }

    /// Why the capture ended early, once.
    pub fn take_failure(&mut self) -> Option<FlowError> {
        self.failure.take()
    }

    #[inline]
    fn is_chosen(&mut self) -> bool {
        let Some(filter) = &self.filter else { return true };
        let packet = self.source.packet();
        if !packet.unfiltered {
            return true;
        }
        let chosen = if packet.front.is_empty() {
            filter.chooses(packet.link, packet.rest, packet.wire_len)
        } else {
            self.joined.clear();
            self.joined.extend_from_slice(packet.front);
            self.joined.extend_from_slice(packet.rest);
            filter.chooses(packet.link, &self.joined, packet.wire_len)
        };
        chosen.unwrap_or_else(|reason| {
            self.fail(FlowError::InvalidOption { name: "filter", reason });
            false
        })
    }

    #[cold]
    fn begin_end(&mut self) {
        self.source.stop_intake();
        self.state = State::Draining(Instant::now() + self.source.delay());
    }

    #[cold]
    fn drain(&mut self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.end();
        } else {
            std::thread::sleep(left.min(PAUSE));
        }
    }

    #[cold]
    fn fail(&mut self, error: FlowError) {
        // What arrived before still counts; a source that fails again has nothing more.
        if self.failure.is_some() {
            self.end();
        } else {
            self.failure = Some(error);
            self.begin_end();
        }
    }

    #[cold]
    fn end(&mut self) {
        self.state = State::Ended;
        self.losses = self.source.losses();
    }
}
