//! TCP options (RFC 9293 section 3.2), walked in place.
//!
//! In: the octets between the fixed TCP header and the payload. Out: [`TcpOptions`], every option in wire order with
//! repeats, or [`SynOptions`], a small summary in which the first occurrence of each option wins. Nothing is
//! allocated and nothing fails: a length that can't be right ends the walk and is marked.

mod summary;
#[cfg(test)]
mod tests;

pub use summary::{FastOpen, Mptcp, SynOptions};

/// End of option list (RFC 9293 section 3.2).
pub const TO_EOL: u8 = 0;
/// No operation (RFC 9293 section 3.2).
pub const TO_NOP: u8 = 1;
/// Maximum segment size (RFC 9293 section 3.2).
pub const TO_MSS: u8 = 2;
/// Window scale (RFC 7323 section 2.2).
pub const TO_WS: u8 = 3;
/// Selective acknowledgement permitted (RFC 2018 section 2).
pub const TO_SACKOK: u8 = 4;
/// Selective acknowledgement blocks (RFC 2018 section 3).
pub const TO_SACK: u8 = 5;
/// Timestamps (RFC 7323 section 3.2).
pub const TO_TS: u8 = 8;
/// Multipath TCP (RFC 8684 section 3).
pub const TO_MPTCP: u8 = 30;
/// Fast Open cookie (RFC 7413 section 4.1.1).
pub const TO_FASTOPEN: u8 = 34;
/// Experimental option A as PATHspider numbers it; RFC 6994 calls 254 the second experiment.
pub const TO_EXPA: u8 = 254;
/// Experimental option B as PATHspider numbers it; IANA has 255 reserved, and some stacks sent Fast Open there.
pub const TO_EXPB: u8 = 255;
/// Experiment identifier of Fast Open (RFC 7413 appendix A), as it stands on the wire.
pub const TO_EXID_FASTOPEN: [u8; 2] = [0xf9, 0x89];

/// MD5 signature (RFC 2385).
pub const TCP_OPT_MD5: u8 = 19;
/// User timeout (RFC 5482 section 3).
pub const TCP_OPT_USER_TIMEOUT: u8 = 28;
/// Authentication option, TCP-AO (RFC 5925 section 2.2).
pub const TCP_OPT_AO: u8 = 29;
/// Accurate ECN, order 0 (RFC 9768 section 3.2.3).
pub const TCP_OPT_ACC_ECN0: u8 = 172;
/// Accurate ECN, order 1 (RFC 9768 section 3.2.3).
pub const TCP_OPT_ACC_ECN1: u8 = 174;
/// First experiment (RFC 6994 section 3, RFC 4727).
pub const TCP_OPT_EXP1: u8 = 253;
/// Second experiment (RFC 6994 section 3, RFC 4727).
pub const TCP_OPT_EXP2: u8 = 254;
/// The RFC's name of [`TO_EOL`].
pub const TCP_OPT_END: u8 = TO_EOL;
/// The RFC's name of [`TO_NOP`].
pub const TCP_OPT_NO_OPERATION: u8 = TO_NOP;
/// The RFC's name of [`TO_MSS`].
pub const TCP_OPT_MAXIMUM_SEGMENT_SIZE: u8 = TO_MSS;
/// The RFC's name of [`TO_WS`].
pub const TCP_OPT_WINDOW_SCALE: u8 = TO_WS;
/// The RFC's name of [`TO_SACKOK`].
pub const TCP_OPT_SACK_PERMITTED: u8 = TO_SACKOK;
/// The RFC's name of [`TO_SACK`].
pub const TCP_OPT_SACK: u8 = TO_SACK;
/// The RFC's name of [`TO_TS`].
pub const TCP_OPT_TIMESTAMPS: u8 = TO_TS;
/// The RFC's name of [`TO_MPTCP`].
pub const TCP_OPT_MPTCP: u8 = TO_MPTCP;
/// The RFC's name of [`TO_FASTOPEN`].
pub const TCP_OPT_FAST_OPEN: u8 = TO_FASTOPEN;

/// Largest window shift that counts: RFC 7323 section 2.3.
pub const MAX_WINDOW_SHIFT: u8 = 14;

/// One option as it stands in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpOption<'a> {
    /// Kind, 0 to 255.
    pub kind: u8,
    /// The octets after kind and length; empty for end-of-list and no-operation.
    pub data: &'a [u8],
    /// Where the kind octet stands, in octets from the start of the options.
    pub offset: u8,
}

/// Walks an option list. End-of-list is yielded, and ends the walk.
#[derive(Clone, Debug)]
pub struct TcpOptions<'a> {
    bytes: &'a [u8],
    position: usize,
    end: ListEnd,
    /// The list goes on behind `bytes` (it was cut by the capture's snap length).
    cut: bool,
}

/// How a walk ended, or that it hasn't met trouble yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListEnd {
    Sound,
    Malformed,
    Truncated,
}

impl<'a> TcpOptions<'a> {
    /// Most octets of options a TCP header can have: 15 words of header less the five fixed ones.
    pub const MAX_LEN: usize = 40;

    /// Walks `bytes`, a whole list. Octets after the 40th can't be options and are not looked at.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: &bytes[..bytes.len().min(Self::MAX_LEN)], position: 0, end: ListEnd::Sound, cut: false }
    }

    /// Walks `bytes`, the captured head of a longer list: an option that runs over the end makes the list
    /// [`truncated`](Self::truncated) and not malformed.
    #[inline]
    #[must_use]
    pub fn new_cut(bytes: &'a [u8]) -> Self {
        Self { cut: bytes.len() < Self::MAX_LEN, ..Self::new(bytes) }
    }

    /// The walk ended at a length below two or beyond the end of the list. Meaningful after the last item.
    #[inline]
    #[must_use]
    pub fn malformed(&self) -> bool {
        self.end == ListEnd::Malformed
    }

    /// The walk came to the end of what was captured before the end of the list. Meaningful after the last item.
    #[inline]
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.end == ListEnd::Truncated
    }

    /// Ends the walk for good.
    fn stop(&mut self, end: ListEnd) -> Option<TcpOption<'a>> {
        self.position = self.bytes.len();
        self.end = end;
        // A stopped walk must not be asked about the cut again.
        self.cut = false;
        None
    }

    /// The list has no octet at the place where one is needed.
    fn runs_over(&mut self) -> Option<TcpOption<'a>> {
        let end = if self.cut { ListEnd::Truncated } else { ListEnd::Malformed };
        self.stop(end)
    }
}

impl<'a> Iterator for TcpOptions<'a> {
    type Item = TcpOption<'a>;

    #[inline]
    fn next(&mut self) -> Option<TcpOption<'a>> {
        let rest = &self.bytes[self.position..];
        let Some((&kind, after_kind)) = rest.split_first() else {
            return if self.cut { self.runs_over() } else { None };
        };
        let offset = u8::try_from(self.position).unwrap_or(u8::MAX);
        match kind {
            TO_EOL => {
                self.position = self.bytes.len();
                self.cut = false;
                Some(TcpOption { kind, data: &[], offset })
            }
            TO_NOP => {
                self.position += 1;
                Some(TcpOption { kind, data: &[], offset })
            }
            _ => {
                let Some(&length) = after_kind.first() else { return self.runs_over() };
                let length = usize::from(length);
                // RFC 9293 section 3.2: the length counts kind and length themselves.
                if length < 2 {
                    return self.stop(ListEnd::Malformed);
                }
                let Some(data) = rest.get(2..length) else { return self.runs_over() };
                self.position += length;
                Some(TcpOption { kind, data, offset })
            }
        }
    }
}

impl std::iter::FusedIterator for TcpOptions<'_> {}

/// The blocks of a selective acknowledgement (kind 5) in wire order: left edge and right edge (the first sequence
/// number after the block), RFC 2018 section 3. Octets after the last whole block are passed over.
#[derive(Clone, Debug)]
pub struct SackBlocks<'a> {
    data: &'a [u8],
}

impl<'a> SackBlocks<'a> {
    /// The blocks in an option's data.
    #[inline]
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self { data }
    }
}

impl Iterator for SackBlocks<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        let (block, rest) = self.data.split_first_chunk::<8>()?;
        self.data = rest;
        let [a, b, c, d, e, f, g, h] = *block;
        Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let blocks = self.data.len() / 8;
        (blocks, Some(blocks))
    }
}

impl ExactSizeIterator for SackBlocks<'_> {}
impl std::iter::FusedIterator for SackBlocks<'_> {}
