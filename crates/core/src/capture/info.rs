//! What a capture says about itself: format, interfaces, drops, comments. Filled by the containers while they read,
//! so it is complete only at the end. Every list and every text in it is bounded.

use super::LinkType;
use super::timestamp::Resolution;

/// Interfaces described at most; further ones are only counted.
pub const MAX_INTERFACES_DESCRIBED: usize = 1024;
/// Comments kept at most; further ones are only counted.
pub const MAX_COMMENTS: usize = 64;
/// Octets kept of one comment, name or filter.
pub const MAX_TEXT_LEN: usize = 1024;
/// Notes kept at most.
pub const MAX_NOTES: usize = 16;

/// What a capture says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureInfo {
    /// The format's name, `""` before it is known.
    pub format: &'static str,
    /// The byte order: of pcapng, the last section's.
    pub big_endian: bool,
    /// pcapng sections; 1 of classic pcap.
    pub sections: u64,
    /// Interfaces in the order of the file, at most [`MAX_INTERFACES_DESCRIBED`].
    pub interfaces: Vec<InterfaceInfo>,
    /// Interfaces in all.
    pub interface_count: u64,
    /// The capturing machine's hardware, as the first section that says so puts it.
    pub hardware: Option<String>,
    /// The capturing machine's operating system.
    pub os: Option<String>,
    /// The program that wrote the file.
    pub application: Option<String>,
    /// The first comments, at most [`MAX_COMMENTS`] of [`MAX_TEXT_LEN`] octets each.
    pub comments: Vec<String>,
    /// Comments in all, on sections, interfaces and packets.
    pub comment_count: u64,
    /// Blocks by kind; none for classic pcap.
    pub blocks: BlockCounts,
    /// Packets that carry no time: theirs is 0.
    pub untimed_packets: u64,
    /// Packets whose length on the wire was given shorter than what was captured; it was raised to that.
    pub short_wire_lens: u64,
    /// Option lists that reach beyond their block; what stood before was used.
    pub bad_options: u64,
    /// What is odd about the file but doesn't keep it from being read, at most [`MAX_NOTES`].
    pub notes: Vec<String>,
}

impl CaptureInfo {
    /// Nothing known yet.
    pub(super) const UNKNOWN: Self = Self {
        format: "",
        big_endian: false,
        sections: 0,
        interfaces: Vec::new(),
        interface_count: 0,
        hardware: None,
        os: None,
        application: None,
        comments: Vec::new(),
        comment_count: 0,
        blocks: BlockCounts([0; BlockKind::COUNT]),
        untimed_packets: 0,
        short_wire_lens: 0,
        bad_options: 0,
        notes: Vec::new(),
    };

    /// Counts a comment, and keeps it if it is among the first.
    pub(super) fn add_comment(&mut self, value: &[u8]) {
        self.comment_count += 1;
        if self.comments.len() < MAX_COMMENTS {
            self.comments.push(text(value));
        }
    }

    /// Keeps a note if it is among the first.
    pub(super) fn add_note(&mut self, note: impl FnOnce() -> String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(note());
        }
    }

    /// Counts an interface and keeps its description if there is room; its place in the list.
    pub(super) fn add_interface(&mut self, interface: InterfaceInfo) -> Option<usize> {
        self.interface_count += 1;
        if self.interfaces.len() == MAX_INTERFACES_DESCRIBED {
            return None;
        }
        self.interfaces.push(interface);
        Some(self.interfaces.len() - 1)
    }
}

/// One interface of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceInfo {
    /// Number in the file from 0, as in [`super::Packet::interface`].
    pub id: u32,
    /// Link-layer header type.
    pub link: LinkType,
    /// Octets kept of each packet at most; 0 where there is no limit.
    pub snaplen: u32,
    /// Length of a clock tick.
    pub resolution: Resolution,
    /// Seconds to add to each time (`if_tsoffset`).
    pub offset_s: i64,
    /// Octets of frame check sequence at each packet's end, where the file says so.
    pub fcs_len: Option<u8>,
    /// Name, such as `eth0`.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Capture filter.
    pub filter: Option<String>,
    /// Bits per second.
    pub speed_bps: Option<u64>,
    /// What the last statistics block counted.
    pub statistics: InterfaceStatistics,
    /// Packets that were lost between captured ones, as the packet blocks say (`epb_dropcount` and the obsolete
    /// packet block's field).
    pub lost_packets: u64,
}

impl InterfaceInfo {
    /// An interface that says nothing but this.
    pub(super) fn new(id: u32, link: LinkType, snaplen: u32, resolution: Resolution) -> Self {
        Self {
            id,
            link,
            snaplen,
            resolution,
            offset_s: 0,
            fcs_len: None,
            name: None,
            description: None,
            filter: None,
            speed_bps: None,
            statistics: InterfaceStatistics::default(),
            lost_packets: 0,
        }
    }
}

/// An interface statistics block's counters, in packets; `None` where the file doesn't say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceStatistics {
    /// Received by the interface (`isb_ifrecv`).
    pub received: Option<u64>,
    /// Dropped by the interface for lack of resources (`isb_ifdrop`).
    pub dropped: Option<u64>,
    /// Accepted by the filter (`isb_filteraccept`).
    pub filter_accepted: Option<u64>,
    /// Dropped by the operating system (`isb_osdrop`).
    pub os_dropped: Option<u64>,
    /// Delivered to the user (`isb_usrdeliv`).
    pub delivered: Option<u64>,
}

/// A kind of pcapng block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BlockKind {
    /// Section header.
    Section,
    /// Interface description.
    Interface,
    /// Enhanced packet.
    EnhancedPacket,
    /// Simple packet.
    SimplePacket,
    /// Obsolete packet.
    ObsoletePacket,
    /// Name resolution.
    NameResolution,
    /// Interface statistics.
    InterfaceStatistics,
    /// Decryption secrets.
    DecryptionSecrets,
    /// systemd journal export.
    Journal,
    /// Custom, either kind.
    Custom,
    /// Any other.
    Unknown,
}

impl BlockKind {
    const COUNT: usize = 11;

    /// Every kind.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Section,
        Self::Interface,
        Self::EnhancedPacket,
        Self::SimplePacket,
        Self::ObsoletePacket,
        Self::NameResolution,
        Self::InterfaceStatistics,
        Self::DecryptionSecrets,
        Self::Journal,
        Self::Custom,
        Self::Unknown,
    ];

    /// The kind of a block type's number (draft-ietf-opsawg-pcapng, section 10.1).
    #[must_use]
    pub fn from_type(number: u32) -> Self {
        match number {
            0x0a0d_0d0a => Self::Section,
            1 => Self::Interface,
            2 => Self::ObsoletePacket,
            3 => Self::SimplePacket,
            4 => Self::NameResolution,
            5 => Self::InterfaceStatistics,
            6 => Self::EnhancedPacket,
            9 => Self::Journal,
            10 => Self::DecryptionSecrets,
            0x0bad | 0x4000_0bad => Self::Custom,
            _ => Self::Unknown,
        }
    }

    /// The kind in words, with an article.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Section => "a section header block",
            Self::Interface => "an interface description block",
            Self::EnhancedPacket => "an enhanced packet block",
            Self::SimplePacket => "a simple packet block",
            Self::ObsoletePacket => "an obsolete packet block",
            Self::NameResolution => "a name resolution block",
            Self::InterfaceStatistics => "an interface statistics block",
            Self::DecryptionSecrets => "a decryption secrets block",
            Self::Journal => "a journal export block",
            Self::Custom => "a custom block",
            Self::Unknown => "a block of unknown type",
        }
    }
}

/// How many blocks of each kind there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockCounts([u64; BlockKind::COUNT]);

impl BlockCounts {
    /// Blocks of this kind.
    #[must_use]
    pub fn get(&self, kind: BlockKind) -> u64 {
        self.0[kind as usize]
    }

    #[inline]
    pub(super) fn add(&mut self, kind: BlockKind) {
        self.0[kind as usize] += 1;
    }
}

/// The text of an option: its first [`MAX_TEXT_LEN`] octets, what is no UTF-8 replaced.
pub(super) fn text(value: &[u8]) -> String {
    // Some writers end their texts with a NUL.
    let end = value.iter().position(|&octet| octet == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end.min(MAX_TEXT_LEN)]).into_owned()
}
