//! pcapng (draft-ietf-opsawg-pcapng): blocks of type, length, body and the length again, in sections that each have
//! their byte order and interfaces. Packets come out; the rest goes to [`CaptureInfo`] or is counted and skipped.
//!
//! A block that carries no packet may be longer than what is there: only its head is looked at
//! ([`MAX_BODY_SEEN`]), the tail is discarded, and the length at its end is still checked.

mod blocks;
mod interface;
mod options;
mod packet;

use super::info::{BlockKind, CaptureInfo};
use super::{MAX_NEED, PacketHead, Step};
use crate::error::FlowError;
use interface::Interface;

/// The first octets of every pcapng file: a section header's type, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Longest block that is believed, in octets.
pub const MAX_BLOCK_LEN: u32 = 16 << 20;

/// Octets of a block without a packet that are looked at; options beyond are not seen.
pub const MAX_BODY_SEEN: usize = 64 << 10;

/// Interfaces of one section at most.
pub const MAX_INTERFACES: usize = 65_536;

/// Type, length, and length again.
const BLOCK_FRAME_LEN: usize = 12;

/// A section's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    #[inline]
    fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }

    #[inline]
    fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    fn u64(self, octets: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(octets),
            Self::Big => u64::from_be_bytes(octets),
        }
    }

    #[inline]
    fn u16_at(self, bytes: &[u8], at: usize) -> u16 {
        self.u16([bytes[at], bytes[at + 1]])
    }

    #[inline]
    fn u32_at(self, bytes: &[u8], at: usize) -> u32 {
        self.u32([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }
}

/// The block at the head of the unread octets.
#[derive(Clone, Copy, Debug)]
struct Block {
    kind: BlockKind,
    /// Octets from the start of the input.
    offset: u64,
    /// Octets of the whole block: a multiple of 4, 12 to [`MAX_BLOCK_LEN`].
    len: u32,
}

/// What the next octets are.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A new block.
    Head,
    /// This many octets that were not looked at, then the trailing length.
    Rest(u64),
    /// The trailing length.
    Trailer,
}

/// Reads pcapng: every section, interface and block type of the draft.
#[derive(Debug)]
pub struct PcapngReader {
    order: ByteOrder,
    state: State,
    /// The block whose end has not been reached, in the states `Rest` and `Trailer`.
    open: Block,
    /// The section's interfaces.
    interfaces: Vec<Interface>,
    /// The number in the file of the section's first interface.
    first_interface: u32,
    info: CaptureInfo,
}

impl Default for PcapngReader {
    fn default() -> Self {
        Self {
            order: ByteOrder::Little,
            state: State::Head,
            open: Block { kind: BlockKind::Section, offset: 0, len: 0 },
            interfaces: Vec::new(),
            first_interface: 0,
            info: CaptureInfo { format: "pcapng", ..CaptureInfo::default() },
        }
    }
}

impl PcapngReader {
    /// A reader of what says of itself that it is `format`.
    pub(super) fn named(format: &'static str) -> Self {
        Self { info: CaptureInfo { format, ..CaptureInfo::default() }, ..Self::default() }
    }

    /// What the file has said about itself so far.
    #[must_use]
    pub fn info(&self) -> &CaptureInfo {
        &self.info
    }

    /// What lies at the head of `bytes`.
    ///
    /// # Errors
    /// [`FlowError::Format`] for a version that is not known, [`FlowError::Damaged`] where a block contradicts itself.
    #[inline]
    pub fn step(&mut self, bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
        if !matches!(self.state, State::Head) {
            return self.tail(bytes);
        }
        let Some(head) = bytes.first_chunk::<BLOCK_FRAME_LEN>() else { return Ok(Step::Need(BLOCK_FRAME_LEN)) };
        if head[..4] == MAGIC {
            self.order = self.section_order(head, offset)?;
        }
        let kind = BlockKind::from_type(self.order.u32_at(head, 0));
        let block = Block { kind, offset, len: self.order.u32_at(head, 4) };
        block.check_len()?;
        let seen = block.octets_to_see();
        let Some(seen) = bytes.get(..seen) else { return Ok(Step::Need(seen)) };
        let whole = seen.len() == block.len as usize;
        if whole {
            block.check_trailer(self.order, &seen[seen.len() - 4..])?;
        }
        let body = &seen[8..if whole { seen.len() - 4 } else { seen.len() }];
        let bad_options = self.info.bad_options;
        let packet = match kind {
            BlockKind::EnhancedPacket => Some(self.enhanced_packet(block, body)?),
            BlockKind::SimplePacket => Some(self.simple_packet(block, body)?),
            BlockKind::ObsoletePacket => Some(self.obsolete_packet(block, body)?),
            _ => {
                self.other_block(block, body)?;
                None
            }
        };
        if !whole {
            // A list that ends where we stopped looking is not bad.
            self.info.bad_options = bad_options;
        }
        self.info.blocks.add(kind);
        Ok(self.close(block, packet, seen.len(), whole))
    }

    /// Goes on to the block's end, or remembers how far away it is.
    #[inline]
    fn close(&mut self, block: Block, packet: Option<PacketHead>, seen: usize, whole: bool) -> Step {
        if !whole {
            self.open = block;
            self.state = State::Rest(u64::from(block.len) - 4 - seen as u64);
        }
        match packet {
            // `seen` is at most MAX_BLOCK_LEN.
            Some(head) => Step::Packet(PacketHead { next: seen as u32, ..head }),
            None => Step::Discard(seen as u64),
        }
    }

    #[cold]
    fn tail(&mut self, bytes: &[u8]) -> Result<Step, FlowError> {
        if let State::Rest(octets) = self.state {
            self.state = State::Trailer;
            return Ok(Step::Discard(octets));
        }
        let Some(trailer) = bytes.first_chunk::<4>() else { return Ok(Step::Need(4)) };
        self.open.check_trailer(self.order, trailer)?;
        self.state = State::Head;
        Ok(Step::Discard(4))
    }

    /// Judges what is left at the end of the file.
    ///
    /// # Errors
    /// [`FlowError::Truncated`] where a block is cut.
    pub fn finish(&self, rest: &[u8], offset: u64) -> Result<(), FlowError> {
        let available = rest.len() as u64;
        if !matches!(self.state, State::Head) {
            let Block { kind, offset: start, len } = self.open;
            let available = offset + available - start;
            return Err(FlowError::Truncated { what: kind.name(), offset: start, needed: u64::from(len), available });
        }
        match rest.first_chunk::<BLOCK_FRAME_LEN>() {
            None if rest.is_empty() => Ok(()),
            None => {
                let needed = BLOCK_FRAME_LEN as u64;
                Err(FlowError::Truncated { what: "a block header", offset, needed, available })
            }
            Some(head) => {
                let what = BlockKind::from_type(self.order.u32_at(head, 0)).name();
                let needed = u64::from(self.order.u32_at(head, 4));
                Err(FlowError::Truncated { what, offset, needed, available })
            }
        }
    }
}

impl Block {
    /// The shortest block of the kind.
    fn min_len(self) -> u32 {
        match self.kind {
            BlockKind::Section => 28,
            BlockKind::Interface => 20,
            BlockKind::EnhancedPacket | BlockKind::ObsoletePacket => 32,
            BlockKind::SimplePacket => 16,
            BlockKind::InterfaceStatistics => 24,
            _ => BLOCK_FRAME_LEN as u32,
        }
    }

    /// Octets that must be there before the block is looked at: all of it, unless it is too long for that.
    #[inline]
    fn octets_to_see(self) -> usize {
        let most = match self.kind {
            BlockKind::EnhancedPacket | BlockKind::SimplePacket | BlockKind::ObsoletePacket => MAX_NEED,
            _ => MAX_BODY_SEEN,
        };
        // A part that is not the whole must leave the trailing length for later.
        let len = self.len as usize;
        if len <= most { len } else { most.min(len - 4) }
    }

    #[inline]
    fn check_len(self) -> Result<(), FlowError> {
        if self.len < self.min_len() || self.len > MAX_BLOCK_LEN || !self.len.is_multiple_of(4) {
            return Err(self.bad_len());
        }
        Ok(())
    }

    #[cold]
    fn bad_len(self) -> FlowError {
        let Self { len, .. } = self;
        if len < self.min_len() {
            self.damaged(format_args!("claims {len} octets, fewer than the {} it must have", self.min_len()))
        } else if len > MAX_BLOCK_LEN {
            self.damaged(format_args!("claims {len} octets, over the limit of {MAX_BLOCK_LEN}"))
        } else {
            self.damaged(format_args!("claims {len} octets, which is no multiple of 4"))
        }
    }

    #[inline]
    fn check_trailer(self, order: ByteOrder, trailer: &[u8]) -> Result<(), FlowError> {
        let len = order.u32_at(trailer, 0);
        if len != self.len {
            return Err(self.damaged(format_args!("says {} octets at its start and {len} at its end", self.len)));
        }
        Ok(())
    }

    #[cold]
    fn damaged(self, reason: std::fmt::Arguments<'_>) -> FlowError {
        FlowError::Damaged { offset: self.offset, reason: format!("{} {reason}", self.kind.name()) }
    }
}
