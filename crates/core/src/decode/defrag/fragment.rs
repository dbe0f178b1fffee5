//! What goes into a defragmenter and what comes out.

use super::pieces::Span;

/// Longest payload a datagram can have, in octets: the length fields of IPv4 and IPv6 have 16 bits.
pub const MAX_DATAGRAM_LEN: u32 = 65_535;

/// What the fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FragmentKey {
    /// Source address; an IPv4 address in any fixed 16-octet form.
    pub src: [u8; 16],
    /// Destination address, in the same form.
    pub dst: [u8; 16],
    /// Identification: 16 bits of IPv4, 32 of IPv6.
    pub id: u32,
    /// Outer identity (VLANs, tunnel): equal addresses in two tunnels are two hosts.
    pub encap: u32,
    /// Upper-layer protocol. IPv6 fragments of one datagram may differ in it (RFC 8200 section 4.5): there it is no
    /// part of the identity, and the fragment at offset 0 says which it is.
    pub proto: u8,
    /// 4 or 6.
    pub version: u8,
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    /// Offset of the payload in the datagram, in octets, a multiple of 8.
    pub offset: u32,
    /// More fragments follow.
    pub more: bool,
    /// The fragment's octets after the IP header (IPv6: after the fragment header).
    pub payload: &'a [u8],
    /// Octets of the IP packet that it came in, header and all.
    pub ip_len: u32,
    /// Packet number.
    pub packet: u64,
    /// Packet time, nanoseconds since the Unix epoch.
    pub ts_ns: i64,
}

/// A datagram put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Its payload, valid until the next call.
    pub payload: &'a [u8],
    /// Upper-layer protocol of the fragment at offset 0.
    pub proto: u8,
    /// Number of the packet whose fragment came first.
    pub first_packet: u64,
    /// Fragments it was made of, without exact duplicates.
    pub fragments: u32,
    /// IP packets it came in, exact duplicates too.
    pub packets: u32,
    /// Octets of those packets, headers and all; saturating.
    pub octets: u32,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Kept; the datagram has holes.
    Pending,
    /// It was the last one missing.
    Complete(Datagram<'a>),
    /// Not kept.
    Dropped(DropReason),
}

/// Why a fragment was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// It carries no octet and is not a whole datagram.
    Empty,
    /// The offset, or the length of a fragment with more to follow, is no multiple of 8 (RFC 8200 section 4.5).
    Unaligned,
    /// It ends beyond [`MAX_DATAGRAM_LEN`] (the "ping of death").
    TooLong,
    /// It contradicts another fragment about where the datagram ends.
    EndConflict,
    /// IPv6: it overlaps another one, so the datagram is discarded (RFC 5722 section 4).
    Overlap,
    /// Its datagram was discarded before.
    Discarded,
    /// A limit of [`FragmentConfig`](super::FragmentConfig) is reached.
    Limit,
}

impl Span {
    /// Where a fragment lies, if it can lie there.
    pub(super) fn of(fragment: &Fragment<'_>) -> Result<Self, DropReason> {
        let len = u32::try_from(fragment.payload.len()).map_err(|_| DropReason::TooLong)?;
        if len == 0 {
            return Err(DropReason::Empty);
        }
        // RFC 8200 section 4.5 asks for this of IPv6; IPv4 hosts either do the same or cut the odd octets off.
        if !fragment.offset.is_multiple_of(8) || (fragment.more && !len.is_multiple_of(8)) {
            return Err(DropReason::Unaligned);
        }
        match fragment.offset.checked_add(len) {
            Some(end) if end <= MAX_DATAGRAM_LEN => Ok(Self { start: fragment.offset, end }),
            _ => Err(DropReason::TooLong),
        }
    }
}
