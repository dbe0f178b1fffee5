//! Several captures as one, by packet time.
//!
//! ```text
//! Input, Input, … → BlockReader each → the earliest packet → record → (block → Container::Merged → Packet)
//! ```
//!
//! A [`MergeInput`] gives its members' packets as a stream of records, each a header of [`HEADER_LEN`] octets and the
//! packet's octets. So they come to lie in a block that the session's caller lends, at the cost of one copy, and
//! everything behind it stays as it is. The header keeps the packet's link type and where it comes from.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    BlockReader, CaptureLog, CaptureReport, Filled, Input, LinkType, MAX_NEED, MIN_BLOCK_LEN, Next, Packet, PacketHead,
    Step,
};
use crate::error::FlowError;

/// Captures merged at most: each is open, with a block of [`MIN_BLOCK_LEN`] octets.
pub const MAX_MERGED: usize = 64;

/// Octets of a record before the packet: time, number, lengths, link type, capture, interface, and 4 of padding.
pub(super) const HEADER_LEN: usize = 40;

/// Which packet of which capture a merged one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Number of the capture among those merged, from 0.
    pub capture: u32,
    /// Number of the packet in its capture, from 1.
    pub number: u64,
}

impl Origin {
    /// Reads it from the record in `block` whose packet begins at `start`.
    #[inline]
    #[must_use]
    pub fn of(block: &[u8], start: usize) -> Self {
        let header = &block[start - HEADER_LEN..start];
        Self { capture: u32_at(header, 28), number: u64_at(header, 8) }
    }
}

/// The record at the head of `bytes`.
#[inline]
pub(super) fn step(bytes: &[u8]) -> Step {
    let Some(header) = bytes.first_chunk::<HEADER_LEN>() else { return Step::Need(HEADER_LEN) };
    let head = read_header(header);
    if bytes.len() < head.next as usize {
        return Step::Need((head.next as usize).min(MAX_NEED));
    }
    Step::Packet(head)
}

/// Octets of the packet behind a record's header.
#[inline]
pub(super) fn captured_len(header: &[u8; HEADER_LEN]) -> u32 {
    u32_at(header, 16)
}

/// What a record's header tells; the packet's length must have been looked at.
#[inline]
pub(super) fn read_header(header: &[u8; HEADER_LEN]) -> PacketHead {
    let captured_len = captured_len(header);
    PacketHead {
        ts_ns: u64_at(header, 0).cast_signed(),
        data: HEADER_LEN as u32,
        captured_len,
        wire_len: u32_at(header, 20),
        link: LinkType(u16::from_ne_bytes([header[24], header[25]])),
        interface: u32_at(header, 32),
        next: HEADER_LEN as u32 + captured_len,
    }
}

/// A record's header.
pub(super) fn write_header(packet: &Packet, capture: u32) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(&packet.ts_ns.to_ne_bytes());
    header[8..16].copy_from_slice(&packet.number.to_ne_bytes());
    header[16..20].copy_from_slice(&packet.captured_len.to_ne_bytes());
    header[20..24].copy_from_slice(&packet.wire_len.to_ne_bytes());
    header[24..26].copy_from_slice(&packet.link.0.to_ne_bytes());
    header[28..32].copy_from_slice(&capture.to_ne_bytes());
    header[32..36].copy_from_slice(&packet.interface.to_ne_bytes());
    header
}

#[inline]
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline]
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut octets = [0; 8];
    octets.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(octets)
}

/// One of the captures.
pub struct MergeMember {
    name: String,
    input: Option<Box<dyn Input>>,
    reader: BlockReader,
    block: Vec<u8>,
    /// Its next packet.
    head: Option<Packet>,
    /// Octets of input read, once the input is closed.
    position: u64,
}

impl MergeMember {
    /// A capture that `input` delivers; `name` stands in reports and errors.
    #[must_use]
    pub fn new(input: Box<dyn Input>, name: &str) -> Self {
        let (reader, block) = (BlockReader::default(), Vec::new());
        Self { name: name.to_owned(), input: Some(input), reader, block, head: None, position: 0 }
    }

    /// Looks for the next packet. [`Filled::Bytes`]: it's there; [`Filled::End`]: there is none.
    fn advance(&mut self) -> Result<Filled, FlowError> {
        let Some(input) = &mut self.input else { return Ok(Filled::End) };
        self.head = None;
        self.block.resize(MIN_BLOCK_LEN, 0);
        loop {
            if let Next::Packet(packet) = self.reader.next(&self.block)? {
                self.head = Some(packet);
                return Ok(Filled::Bytes(packet.captured_len as usize));
            }
            self.reader.release(&self.block);
            match self.reader.fill(&mut self.block, input.as_mut())? {
                Filled::Bytes(_) => {}
                Filled::NeedInput => return Ok(Filled::NeedInput),
                Filled::End => {
                    self.reader.finish()?;
                    return Ok(Filled::End);
                }
            }
        }
    }

    /// Closes the input and tells what the capture was.
    fn close(&mut self, capture: u32) -> Option<CaptureReport> {
        let input = self.input.take()?;
        self.position = input.position();
        self.block = Vec::new();
        self.head = None;
        let reader = std::mem::take(&mut self.reader);
        Some(CaptureReport {
            capture,
            name: std::mem::take(&mut self.name),
            compression: input.compression(),
            input_bytes: self.position,
            totals: *reader.totals(),
            info: reader.info().clone(),
        })
    }
}

/// A record that is being given, in pieces where the room is short.
struct Giving {
    member: usize,
    header: [u8; HEADER_LEN],
    packet: Packet,
    given: usize,
}

/// Members' packets, the earliest first; of equal times, the member's that was named first.
///
/// Within a member the order stays as it is: a packet earlier than the one before it comes as soon as that is gone.
pub struct MergeInput {
    members: Vec<MergeMember>,
    /// What the first member's number is in reports.
    first_capture: u32,
    giving: Option<Giving>,
    /// Every member stands at its next packet, or at its end.
    started: bool,
    /// The member that must move on first.
    behind: Option<usize>,
    /// Where the member that needs input is told.
    wanted: Arc<AtomicU32>,
    log: CaptureLog,
    errors: Arc<Mutex<Vec<FlowError>>>,
}

impl MergeInput {
    /// Merges `members`, whose reports have numbers from `first_capture` on and go to `log` as each ends. Where the
    /// answer is [`Filled::NeedInput`], `wanted` has the number of the member that needs it, from 0. A member that
    /// fails ends, and its error goes to `errors`.
    ///
    /// # Errors
    /// [`FlowError::InvalidOption`] for more than [`MAX_MERGED`] members.
    pub fn new(
        members: Vec<MergeMember>,
        first_capture: u32,
        wanted: Arc<AtomicU32>,
        log: CaptureLog,
        errors: Arc<Mutex<Vec<FlowError>>>,
    ) -> Result<Self, FlowError> {
        if members.len() > MAX_MERGED {
            let reason = format!("at most {MAX_MERGED} captures can be merged, not {}", members.len());
            return Err(FlowError::InvalidOption { name: "merge", reason });
        }
        Ok(Self { members, first_capture, giving: None, started: false, behind: None, wanted, log, errors })
    }

    /// Moves every member that has to be moved; false where one needs input.
    fn catch_up(&mut self) -> bool {
        if !self.started {
            for member in self.behind.unwrap_or(0)..self.members.len() {
                self.behind = Some(member);
                if !self.advance(member) {
                    return false;
                }
            }
            self.started = true;
            self.behind = None;
        }
        if let Some(member) = self.behind {
            if !self.advance(member) {
                return false;
            }
            self.behind = None;
        }
        true
    }

    /// Moves one member on; false where it needs input.
    #[inline]
    fn advance(&mut self, index: usize) -> bool {
        let member = &mut self.members[index];
        let failure = match member.advance() {
            Ok(Filled::Bytes(_)) => return true,
            Ok(Filled::NeedInput) => {
                self.wanted.store(index as u32, Ordering::Release);
                return false;
            }
            Ok(Filled::End) => None,
            Err(error) => Some(error.in_capture(&member.name)),
        };
        if let Some(error) = failure {
            self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
        }
        if let Some(report) = member.close(self.first_capture + index as u32) {
            self.log.add(report);
        }
        true
    }

    /// The record of the earliest packet.
    #[inline]
    fn choose(&self) -> Option<Giving> {
        let mut earliest: Option<(usize, &Packet)> = None;
        for (index, member) in self.members.iter().enumerate() {
            if let Some(packet) = &member.head
                && earliest.is_none_or(|(_, before)| packet.ts_ns < before.ts_ns)
            {
                earliest = Some((index, packet));
            }
        }
        let (member, packet) = earliest?;
        Some(Giving { member, header: write_header(packet, member as u32), packet: *packet, given: 0 })
    }

    /// Gives what is left of the current record, as far as there is room; octets written, and whether that was all.
    #[inline]
    fn give(&mut self, out: &mut [u8]) -> (usize, bool) {
        let Some(giving) = &mut self.giving else { return (0, true) };
        let octets = giving.packet.bytes(&self.members[giving.member].block);
        let mut written = 0;
        if let Some(rest) = giving.header.get(giving.given..) {
            written = rest.len().min(out.len());
            out[..written].copy_from_slice(&rest[..written]);
            giving.given += written;
        }
        if let Some(rest) = giving.given.checked_sub(HEADER_LEN).map(|at| &octets[at..]) {
            let n = rest.len().min(out.len() - written);
            out[written..written + n].copy_from_slice(&rest[..n]);
            written += n;
            giving.given += n;
        }
        (written, giving.given == HEADER_LEN + octets.len())
    }
}

impl Input for MergeInput {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let mut written = 0;
        let stopped = loop {
            let (n, whole) = self.give(&mut out[written..]);
            written += n;
            if !whole {
                break Filled::End;
            }
            if let Some(given) = self.giving.take() {
                self.behind = Some(given.member);
            }
            if !self.catch_up() {
                break Filled::NeedInput;
            }
            self.giving = self.choose();
            if self.giving.is_none() {
                break Filled::End;
            }
        };
        Ok(if written > 0 { Filled::Bytes(written) } else { stopped })
    }

    fn position(&self) -> u64 {
        self.members.iter().map(|m| m.input.as_ref().map_or(m.position, |input| input.position())).sum()
    }

    fn may_stall(&self) -> bool {
        self.members.iter().any(|m| m.input.as_ref().is_some_and(|input| input.may_stall()))
    }
}

#[cfg(test)]
mod tests;
