//! Classic pcap (draft-ietf-opsawg-pcap): a 24-octet header, then records of 16 octets and data.

use super::{LinkType, MAX_PACKET_LEN, PacketHead, Step, timestamp};
use crate::error::FlowError;

const FILE_HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;

/// Reads classic pcap in either byte order, with microsecond or nanosecond times.
#[derive(Debug)]
pub struct PcapReader {
    big_endian: bool,
    /// Nanoseconds in one unit of a record's fraction: 1000 or 1.
    unit_ns: u32,
    link: LinkType,
    header_read: bool,
}

impl PcapReader {
    /// A reader for the file that begins with `magic`, if that is pcap.
    #[must_use]
    pub fn from_magic(magic: [u8; 4]) -> Option<Self> {
        let (big_endian, unit_ns) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1000),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1000),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            _ => return None,
        };
        Some(Self { big_endian, unit_ns, link: LinkType::ETHERNET, header_read: false })
    }

    /// What lies at the head of `bytes`.
    ///
    /// # Errors
    /// [`FlowError::Format`] for a version this crate doesn't know, [`FlowError::Damaged`] for an impossible length.
    #[inline]
    pub fn step(&mut self, bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
        if !self.header_read {
            return self.file_header(bytes, offset);
        }
        let Some(header) = bytes.first_chunk::<RECORD_HEADER_LEN>() else { return Ok(Step::Need(RECORD_HEADER_LEN)) };
        let captured_len = self.u32(header, 8);
        if captured_len > MAX_PACKET_LEN {
            return Err(FlowError::Damaged {
                offset,
                reason: format!("a packet record claims {captured_len} octets, over the limit of {MAX_PACKET_LEN}"),
            });
        }
        let next = RECORD_HEADER_LEN + captured_len as usize;
        if bytes.len() < next {
            return Ok(Step::Need(next));
        }
        Ok(Step::Packet(PacketHead {
            ts_ns: timestamp::from_parts(self.u32(header, 0), self.u32(header, 4), self.unit_ns),
            data: RECORD_HEADER_LEN as u32,
            captured_len,
            wire_len: self.u32(header, 12),
            link: self.link,
            interface: 0,
            next: next as u32,
        }))
    }

    fn file_header(&mut self, bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
        let Some(header) = bytes.first_chunk::<FILE_HEADER_LEN>() else { return Ok(Step::Need(FILE_HEADER_LEN)) };
        let major = if self.big_endian {
            u16::from_be_bytes([header[4], header[5]])
        } else {
            u16::from_le_bytes([header[4], header[5]])
        };
        if major != 2 {
            return Err(FlowError::Format { offset: offset + 4, reason: format!("pcap version {major} is not known") });
        }
        // The upper bits of the field hold the length of a frame check sequence; 16 bits are the link type.
        let network = self.u32(header, 20);
        self.link = LinkType::from_file((network & 0xffff) as u16);
        self.header_read = true;
        Ok(Step::Discard(FILE_HEADER_LEN as u64))
    }

    /// Judges what is left at the end of the file.
    ///
    /// # Errors
    /// [`FlowError::Truncated`] where the file header or a record is cut.
    pub fn finish(&self, rest: &[u8], offset: u64) -> Result<(), FlowError> {
        let available = rest.len() as u64;
        if !self.header_read {
            let needed = FILE_HEADER_LEN as u64;
            return Err(FlowError::Truncated { what: "the pcap file header", offset, needed, available });
        }
        match rest.first_chunk::<RECORD_HEADER_LEN>() {
            None if rest.is_empty() => Ok(()),
            None => Err(FlowError::Truncated {
                what: "a packet header",
                offset,
                needed: RECORD_HEADER_LEN as u64,
                available,
            }),
            Some(header) => {
                let needed = RECORD_HEADER_LEN as u64 + u64::from(self.u32(header, 8));
                Err(FlowError::Truncated { what: "a packet", offset, needed, available })
            }
        }
    }

    #[inline]
    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }
}

impl LinkType {
    /// The link type of a file's number: some systems wrote their own `DLT_` values for raw IP.
    #[must_use]
    pub fn from_file(number: u16) -> Self {
        match number {
            // DLT_RAW is 12 nearly everywhere and 14 on OpenBSD; both mean LINKTYPE_RAW.
            12 | 14 => Self::RAW,
            other => Self(other),
        }
    }
}
