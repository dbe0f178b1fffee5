//! From an input (file, pushed chunks) to packets lying in a caller's block.
//!
//! ```text
//! Input → DecodingInput (gzip, zstd, lz4, xz) → block → Container (pcap, pcapng) → Packet
//! ```
//!
//! Every container is a state machine that is fed with octets and never reads by itself, so a file, a pipe and a
//! stream of chunks all go the same way. Nothing here looks into a packet.

mod block;
mod boundary;
mod compress;
mod info;
mod input;
mod live;
mod mapped;
mod merge;
mod pcap;
mod pcapng;
mod range;
mod read_ahead;
mod reader;
mod records;
mod report;
mod timestamp;
mod totals;

pub use block::Block;
pub use compress::{Compression, DecodingInput, MAX_XZ_MEMORY_KIB, MAX_ZSTD_WINDOW_LOG};
pub use info::{
    BlockCounts, BlockKind, CaptureInfo, InterfaceInfo, InterfaceStatistics, MAX_COMMENTS, MAX_INTERFACES_DESCRIBED,
    MAX_NOTES, MAX_TEXT_LEN,
};
pub use input::{ChunkQueue, FailedInput, FileInput, Filled, Input, LARGE_FROM, Losses, QueueInput, SharedInput};
pub use live::{LiveReader, TICK_LEN, TICK_TYPE, tick};
pub use mapped::MappedInput;
pub use merge::{MAX_MERGED, MergeInput, MergeMember, Origin};
pub use pcap::PcapReader;
pub use pcapng::{MAX_BLOCK_LEN, MAX_BODY_SEEN, MAX_INTERFACES, PcapngReader};
pub use range::{CaptureRange, RangeInput};
pub use read_ahead::{AheadBlock, ReadAhead};
pub use reader::{BlockReader, Found, Next, Packet};
pub use records::{PacketColumns, RecordWriter};
pub use report::{CaptureLog, CaptureReport, MAX_REPORTS};
pub use timestamp::Resolution;
pub use totals::PacketTotals;

use crate::error::FlowError;

/// Longest packet record that is believed, in octets: tcpdump's and Wireshark's own bound.
pub const MAX_PACKET_LEN: u32 = 262_144;

/// Most octets that a container may ask to see at once: the longest packet with its header and some options. So much
/// room is kept for a record that a block cuts.
pub const MAX_NEED: usize = MAX_PACKET_LEN as usize + 64 * 1024;

/// Least size of a block that a reader can work with: the longest record, its header, and room to read on.
pub const MIN_BLOCK_LEN: usize = 2 * MAX_PACKET_LEN as usize;

/// A link-layer header type: the `LINKTYPE_` number that stands in capture files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: address family in the capturing host's byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet II or 802.3.
    pub const ETHERNET: Self = Self(1);
    /// Raw IPv4 or IPv6 (the value in files).
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// One packet's place at the head of the unread octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketHead {
    /// Capture time, nanoseconds since the Unix epoch; 0 where the record carries none (pcapng's simple packets).
    pub ts_ns: i64,
    /// Where its octets begin, counted from the head.
    pub data: u32,
    /// Octets captured.
    pub captured_len: u32,
    /// Octets on the wire, never fewer than were captured.
    pub wire_len: u32,
    /// Link-layer header type.
    pub link: LinkType,
    /// Interface number in the file, through all its sections; 0 where the format has none.
    pub interface: u32,
    /// Octets from the head to the next record.
    pub next: u32,
}

/// What a container found at the head of the unread octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A packet, whole.
    Packet(PacketHead),
    /// This many octets carry no packet; they may reach beyond what is there.
    Discard(u64),
    /// At least this many octets must be there (at most [`MAX_NEED`]).
    Need(usize),
    /// No packet: it is this late, in nanoseconds since the Unix epoch; octets from the head to the next record.
    Tick {
        /// Nanoseconds since the Unix epoch.
        ts_ns: i64,
        /// Octets from the head to the next record.
        next: u32,
    },
}

/// The capture format, found by its first octets.
#[derive(Debug, Default)]
pub enum Container {
    /// Nothing read yet.
    #[default]
    Unknown,
    /// Classic pcap.
    Pcap(PcapReader),
    /// pcapng.
    Pcapng(PcapngReader),
    /// What a [`MergeInput`] gives; never found by its first octets.
    Merged,
    /// What a live source gives; never found by its first octets.
    Live(LiveReader),
    /// What a [`RecordWriter`] gives.
    Records,
}

static UNKNOWN: CaptureInfo = CaptureInfo::UNKNOWN;

impl Container {
    /// What lies at the head of `bytes`, which begin `offset` octets into the (decompressed) input.
    ///
    /// # Errors
    /// [`FlowError::Format`] where this is no capture, [`FlowError::Damaged`] where it contradicts itself.
    #[inline(always)]
    pub fn step(&mut self, bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
        match self {
            Self::Pcap(reader) => reader.step(bytes, offset),
            Self::Pcapng(reader) => reader.step(bytes, offset),
            Self::Unknown => self.sniff(bytes, offset),
            Self::Merged => Ok(merge::step(bytes)),
            Self::Live(reader) => reader.step(bytes, offset),
            Self::Records => records::step(bytes, offset),
        }
    }

    /// What lies at the head of `bytes` where that is an ordinary packet; `None` says nothing.
    #[inline(always)]
    #[must_use]
    pub fn ordinary(&mut self, bytes: &[u8]) -> Option<PacketHead> {
        match self {
            Self::Pcap(reader) => reader.ordinary(bytes),
            Self::Pcapng(reader) => reader.ordinary(bytes),
            _ => None,
        }
    }

    fn sniff(&mut self, bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
        let Some(magic) = bytes.first_chunk::<4>() else { return Ok(Step::Need(4)) };
        if let Some(reader) = PcapReader::from_magic(*magic) {
            *self = Self::Pcap(reader);
            return self.step(bytes, offset);
        }
        if *magic == pcapng::MAGIC {
            *self = Self::Pcapng(PcapngReader::default());
            return self.step(bytes, offset);
        }
        if *magic == records::MAGIC {
            *self = Self::Records;
            return Ok(Step::Discard(magic.len() as u64));
        }
        let [a, b, c, d] = *magic;
        let begins = format!("not a capture: it begins with {a:02x}{b:02x}{c:02x}{d:02x}");
        Err(FlowError::Format {
            offset,
            reason: match Compression::from_magic(bytes) {
                // One layer is taken off before the octets come here.
                Some(compression) => format!("{begins}, which is {} inside compressed data", compression.name()),
                None => format!("{begins}, which is no magic number of pcap or pcapng"),
            },
        })
    }

    /// What the capture has said about itself so far.
    #[must_use]
    pub fn info(&self) -> &CaptureInfo {
        match self {
            Self::Unknown | Self::Merged | Self::Records => &UNKNOWN,
            Self::Pcap(reader) => reader.info(),
            Self::Pcapng(reader) => reader.info(),
            Self::Live(reader) => reader.info(),
        }
    }

    /// Judges the octets left over at the end of the input.
    ///
    /// # Errors
    /// [`FlowError::Truncated`] where a structure is cut, [`FlowError::Format`] for an empty input.
    pub fn finish(&self, rest: &[u8], offset: u64) -> Result<(), FlowError> {
        match self {
            Self::Unknown if rest.is_empty() => {
                Err(FlowError::Format { offset, reason: "the file is empty".to_owned() })
            }
            Self::Unknown => {
                Err(FlowError::Format { offset, reason: format!("not a capture: only {} octets long", rest.len()) })
            }
            Self::Pcap(reader) => reader.finish(rest, offset),
            Self::Pcapng(reader) => reader.finish(rest, offset),
            Self::Live(reader) => reader.finish(rest, offset),
            Self::Merged | Self::Records if rest.is_empty() => Ok(()),
            Self::Records => {
                let (needed, available) = (rest.len() as u64 + 1, rest.len() as u64);
                Err(FlowError::Truncated { what: "a packet of the stream", offset, needed, available })
            }
            Self::Merged => Err(FlowError::Internal { message: "merged captures end inside a packet".to_owned() }),
        }
    }
}
