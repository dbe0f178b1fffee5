//! What the analysis needs to know of one segment, gathered once from its headers.

use crate::decode::options::{TO_NOP, TO_SACK, TO_TS, TcpOptions};
use crate::decode::{Datagram, Segment, flags};
use crate::flow::Direction;

/// A segment as the analysis sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Which way it goes.
    pub direction: Direction,
    /// Packet time, nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// Number of its packet in the capture, from 1.
    pub packet: u64,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number as it stands in the header; only meaningful with ACK.
    pub ack: u32,
    /// Control bits, nine of them.
    pub flags: u16,
    /// Window, unscaled.
    pub window: u16,
    /// Octets of payload on the wire.
    pub len: u32,
    /// All of the payload was captured.
    pub whole: bool,
    /// Octets of its IP packets by their headers.
    pub ip_octets: u32,
    /// The two ECN bits of the IP header (RFC 3168 section 5).
    pub ecn: u8,
    /// What was captured of the options.
    pub options: &'a [u8],
}

impl<'a> Seen<'a> {
    /// Gathers it.
    #[inline]
    #[must_use]
    pub fn new(
        segment: &Segment<'a>,
        datagram: &Datagram<'_>,
        direction: Direction,
        (ts_ns, packet): (i64, u64),
    ) -> Self {
        Self {
            direction,
            ts_ns,
            packet,
            seq: segment.seq.0,
            ack: segment.ack.0,
            flags: segment.flags,
            window: segment.window,
            len: segment.payload_len,
            whole: segment.payload.len() >= segment.payload_len as usize,
            ip_octets: datagram.octets,
            ecn: datagram.traffic_class & 3,
            options: segment.options,
        }
    }

    /// Any of the control bits in `mask` is set.
    #[inline]
    #[must_use]
    pub fn has(&self, mask: u16) -> bool {
        self.flags & mask != 0
    }

    /// None of SYN, FIN and RST is set.
    #[inline]
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.has(flags::SYN | flags::FIN | flags::RST)
    }

    /// Sequence numbers it takes: its payload, SYN and FIN (RFC 9293 section 3.4).
    #[inline]
    #[must_use]
    pub fn seq_len(&self) -> u32 {
        self.len + u32::from(self.has(flags::SYN)) + u32::from(self.has(flags::FIN))
    }

    /// Timestamp value and echo reply (RFC 7323 section 3.2).
    #[inline]
    #[must_use]
    pub fn timestamps(&self) -> Option<(u32, u32)> {
        // RFC 7323 appendix A recommends this layout, and nearly every segment has it.
        if let Some(&[TO_NOP, TO_NOP, TO_TS, 10, a, b, c, d, e, f, g, h]) = self.options.first_chunk::<12>() {
            return Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
        }
        if self.options.is_empty() { None } else { self.timestamps_elsewhere() }
    }

    #[cold]
    fn timestamps_elsewhere(&self) -> Option<(u32, u32)> {
        TcpOptions::new(self.options).find_map(|option| match (option.kind, option.data) {
            (TO_TS, &[a, b, c, d, e, f, g, h]) => {
                Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
            }
            _ => None,
        })
    }

    /// SACK blocks in the order of the option (RFC 2018 section 3), at most four: left and right edge.
    pub fn sack_blocks(&self) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        let blocks = TcpOptions::new(self.options).find(|option| option.kind == TO_SACK).map_or(&[][..], |o| o.data);
        blocks.as_chunks::<8>().0.iter().map(|&[a, b, c, d, e, f, g, h]| {
            (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
        })
    }
}

/// `a` lies behind `b` in sequence space (RFC 9293 section 3.4).
#[inline]
#[must_use]
pub fn after(a: u32, b: u32) -> bool {
    since(a, b) > 0
}

/// Signed distance from `b` to `a` in sequence space.
#[inline]
#[must_use]
#[allow(clippy::cast_possible_wrap, reason = "the wrap is the definition: RFC 9293 section 3.4")]
pub fn since(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}
