//! The TCP header (RFC 9293 section 3.1).

use etherparse::TcpSlice;

use super::{Datagram, Fragment, proto};
use crate::seq::SeqNum;

/// Control bits, as they stand in the flags octet; [`flags::AE`] lies one bit above it.
pub mod flags {
    /// No more data from the sender.
    pub const FIN: u16 = 0x01;
    /// Synchronize sequence numbers.
    pub const SYN: u16 = 0x02;
    /// Reset the connection.
    pub const RST: u16 = 0x04;
    /// Push.
    pub const PSH: u16 = 0x08;
    /// The acknowledgment field is significant.
    pub const ACK: u16 = 0x10;
    /// The urgent pointer is significant.
    pub const URG: u16 = 0x20;
    /// ECN-echo (RFC 3168).
    pub const ECE: u16 = 0x40;
    /// Congestion window reduced (RFC 3168).
    pub const CWR: u16 = 0x80;
    /// Accurate ECN (RFC 9768), once the nonce sum.
    pub const AE: u16 = 0x100;
}

/// One TCP segment, borrowed from its frame.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: SeqNum,
    /// Acknowledgment number; only meaningful with [`flags::ACK`].
    pub ack: SeqNum,
    /// Control bits, nine of them.
    pub flags: u16,
    /// Receive window, unscaled.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// What was captured of the options.
    pub options: &'a [u8],
    /// What was captured of the payload.
    pub payload: &'a [u8],
    /// Octets of payload on the wire.
    pub payload_len: u32,
    /// Octets of the header by its data offset.
    pub header_len: u32,
}

impl<'a> Segment<'a> {
    /// The segment in `datagram`, as far as it was captured (at least up to the flags).
    #[inline]
    #[must_use]
    pub fn parse(datagram: &Datagram<'a>) -> Option<Self> {
        if datagram.proto != proto::TCP || datagram.fragment == Fragment::Later {
            return None;
        }
        match TcpSlice::from_slice(datagram.upper) {
            Ok(slice) => Self::from_slice(datagram.upper, datagram.upper_len, slice),
            Err(_) => Self::parse_cut(datagram),
        }
    }

    /// The segment of which `upper` was captured, of `upper_len` octets, where its header is all there; `None` says
    /// nothing. Inlined, nothing of it goes through memory.
    #[inline(always)]
    #[must_use]
    pub fn parse_whole(upper: &'a [u8], upper_len: u32) -> Option<Self> {
        Self::from_slice(upper, upper_len, TcpSlice::from_slice(upper).ok()?)
    }

    #[inline(always)]
    fn from_slice(upper: &'a [u8], upper_len: u32, slice: TcpSlice<'a>) -> Option<Self> {
        let header_len = u32::from(slice.data_offset()) * 4;
        if upper_len < header_len {
            return None;
        }
        Some(Self {
            src_port: slice.source_port(),
            dst_port: slice.destination_port(),
            seq: SeqNum(slice.sequence_number()),
            ack: SeqNum(slice.acknowledgment_number()),
            flags: flag_bits(slice.slice()[12], slice.slice()[13]),
            window: slice.window_size(),
            urgent: slice.urgent_pointer(),
            options: &upper[20..header_len as usize],
            payload: &upper[header_len as usize..],
            payload_len: upper_len - header_len,
            header_len,
        })
    }

    /// The header is not all there, or its length is impossible.
    #[cold]
    fn parse_cut(datagram: &Datagram<'a>) -> Option<Self> {
        let bytes = datagram.upper;
        let fixed = bytes.first_chunk::<14>()?;
        let header_len = u32::from(fixed[12] >> 4) * 4;
        // A header shorter than 20 octets or longer than the segment is no header (RFC 9293 section 3.1).
        if header_len < 20 || header_len > datagram.upper_len || bytes.len() as u32 >= datagram.upper_len {
            return None;
        }
        let u16_at = |at: usize| match bytes.get(at..at + 2) {
            Some(word) => u16::from_be_bytes([word[0], word[1]]),
            None => 0,
        };
        Some(Self {
            src_port: u16_at(0),
            dst_port: u16_at(2),
            seq: SeqNum(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])),
            ack: SeqNum(u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]])),
            flags: flag_bits(fixed[12], fixed[13]),
            window: u16_at(14),
            urgent: u16_at(18),
            options: bytes.get(20..).unwrap_or_default(),
            payload: &[],
            payload_len: datagram.upper_len - header_len,
            header_len,
        })
    }

    /// Any of the control bits in `mask` is set.
    #[inline]
    #[must_use]
    pub fn has(&self, mask: u16) -> bool {
        self.flags & mask != 0
    }
}

#[inline]
fn flag_bits(offset_octet: u8, flags_octet: u8) -> u16 {
    u16::from(offset_octet & 1) << 8 | u16::from(flags_octet)
}
