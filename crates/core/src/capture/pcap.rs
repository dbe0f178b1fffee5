//! Classic pcap (draft-ietf-opsawg-pcap): a 24-octet header, then records of 16 octets and data. Also its variant
//! with nanosecond times and the "modified" one of old Linux libpcaps, whose records have 24 octets.

use super::info::{CaptureInfo, InterfaceInfo};
use super::timestamp::{self, Resolution};
use super::{LinkType, MAX_PACKET_LEN, PacketHead, Step};
use crate::error::FlowError;

const FILE_HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
/// The modified format adds interface index, protocol, packet type and a pad.
const MODIFIED_HEADER_LEN: u32 = 24;

/// Reads classic pcap in either byte order, with microsecond or nanosecond times.
#[derive(Debug)]
pub struct PcapReader {
    big_endian: bool,
    /// Nanoseconds in one unit of a record's fraction: 1000 or 1.
    unit_ns: u32,
    /// Octets of a record's header: 16 or 24.
    header_len: u32,
    link: LinkType,
    header_read: bool,
    /// A version before 2.4, in which the two lengths may stand the other way round.
    lengths_may_be_swapped: bool,
    /// Magic number and version, as they stand in the file.
    signature: [u8; 8],
    info: CaptureInfo,
}

/// What a magic number tells.
struct Variant {
    big_endian: bool,
    unit_ns: u32,
    header_len: u32,
    format: &'static str,
}

impl Variant {
    fn from_magic(magic: [u8; 4]) -> Option<Self> {
        let from_number = |number: u32, big_endian: bool| {
            let (unit_ns, header_len, format) = match number {
                0xa1b2_c3d4 => (1000, RECORD_HEADER_LEN as u32, "pcap"),
                0xa1b2_3c4d => (1, RECORD_HEADER_LEN as u32, "pcap with nanoseconds"),
                0xa1b2_cd34 => (1000, MODIFIED_HEADER_LEN, "modified pcap"),
                _ => return None,
            };
            Some(Self { big_endian, unit_ns, header_len, format })
        };
        from_number(u32::from_le_bytes(magic), false).or_else(|| from_number(u32::from_be_bytes(magic), true))
    }
}

impl PcapReader {
    /// A reader for the file that begins with `magic`, if that is pcap.
    #[must_use]
    pub fn from_magic(magic: [u8; 4]) -> Option<Self> {
        let Variant { big_endian, unit_ns, header_len, format } = Variant::from_magic(magic)?;
        Some(Self {
            big_endian,
            unit_ns,
            header_len,
            link: LinkType::ETHERNET,
            header_read: false,
            lengths_may_be_swapped: false,
            signature: [0; 8],
            info: CaptureInfo { format, big_endian, sections: 1, ..CaptureInfo::default() },
        })
    }

    /// What the file says about itself.
    #[must_use]
    pub fn info(&self) -> &CaptureInfo {
        &self.info
    }

    /// What lies at the head of `bytes`.
    ///
    /// # Errors
    /// [`FlowError::Format`] for a version this crate doesn't know, [`FlowError::Damaged`] for an impossible length.
    #[inline(always)]
    pub fn step(&mut self, bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
        if !self.header_read {
            return self.file_header(bytes, offset);
        }
        let Some(header) = bytes.first_chunk::<RECORD_HEADER_LEN>() else { return Ok(Step::Need(RECORD_HEADER_LEN)) };
        let mut captured_len = self.u32(header, 8);
        let mut wire_len = self.u32(header, 12);
        // One comparison finds both oddities: nothing captured (0 - 1 wraps), and more captured than there was.
        if captured_len.wrapping_sub(1) >= wire_len {
            (captured_len, wire_len) = self.odd_lengths(header, bytes.len(), offset)?;
        }
        if captured_len > MAX_PACKET_LEN {
            return Err(too_long(captured_len, offset));
        }
        let next = self.header_len + captured_len;
        if bytes.len() < next as usize {
            return Ok(Step::Need(next as usize));
        }
        Ok(Step::Packet(self.head([self.u32(header, 0), self.u32(header, 4), captured_len, wire_len])))
    }

    /// The packet at the head of `bytes`, where its record is whole and its lengths are nothing special.
    #[inline(always)]
    #[must_use]
    pub fn ordinary(&self, bytes: &[u8]) -> Option<PacketHead> {
        let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes.first_chunk::<RECORD_HEADER_LEN>()?;
        let header = [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]];
        let words = if self.big_endian { header.map(u32::from_be_bytes) } else { header.map(u32::from_le_bytes) };
        let [.., captured_len, wire_len] = words;
        let next = self.header_len.wrapping_add(captured_len);
        let is_ordinary = self.header_read
            && captured_len.wrapping_sub(1) < wire_len
            && captured_len <= MAX_PACKET_LEN
            && bytes.len() >= next as usize;
        is_ordinary.then(|| self.head(words))
    }

    /// The packet of a record that is whole.
    #[inline(always)]
    fn head(&self, [seconds, fraction, captured_len, wire_len]: [u32; 4]) -> PacketHead {
        PacketHead {
            ts_ns: timestamp::from_parts(seconds, fraction, self.unit_ns),
            data: self.header_len,
            captured_len,
            wire_len,
            link: self.link,
            interface: 0,
            next: self.header_len + captured_len,
        }
    }

    /// The lengths, captured and on the wire, of a record whose lengths are out of the ordinary.
    #[cold]
    fn odd_lengths(
        &mut self,
        header: &[u8; RECORD_HEADER_LEN],
        available: usize,
        offset: u64,
    ) -> Result<(u32, u32), FlowError> {
        let (captured_len, wire_len) = (self.u32(header, 8), self.u32(header, 12));
        if captured_len == 0 {
            if header[..8] == self.signature {
                // `cat a.pcap b.pcap`: read as a record, the second header's zone is a captured length of 0.
                let reason = "another pcap file begins here: files were joined, which pcap doesn't allow".to_owned();
                return Err(FlowError::Damaged { offset, reason });
            }
            return Ok((0, wire_len));
        }
        if self.lengths_may_be_swapped && wire_len <= MAX_PACKET_LEN {
            return Ok((wire_len, captured_len));
        }
        // A record that is not whole comes again.
        if captured_len <= MAX_PACKET_LEN && (self.header_len + captured_len) as usize <= available {
            self.info.short_wire_lens += 1;
        }
        Ok((captured_len, captured_len))
    }

    #[cold]
    fn file_header(&mut self, bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
        let Some(header) = bytes.first_chunk::<FILE_HEADER_LEN>() else { return Ok(Step::Need(FILE_HEADER_LEN)) };
        let (major, minor) = (self.u16(header, 4), self.u16(header, 6));
        if major < 2 {
            return Err(FlowError::Format {
                offset: offset + 4,
                reason: format!("pcap version {major}.{minor} is not known"),
            });
        }
        if (major, minor) > (2, 4) {
            self.info.add_note(|| format!("the file says pcap version {major}.{minor}; it is read as 2.4"));
        }
        self.lengths_may_be_swapped = (major, minor) < (2, 4);
        self.signature.copy_from_slice(&header[..8]);
        let snaplen = self.u32(header, 16);
        if snaplen > i32::MAX as u32 {
            self.info.add_note(|| format!("the snapshot length {snaplen} is impossible; it is not used"));
        }
        self.link_field(self.u32(header, 20), snaplen);
        self.header_read = true;
        Ok(Step::Discard(FILE_HEADER_LEN as u64))
    }

    /// The last field of the file header: 16 bits are the link type; above stand 10 reserved bits, the bit that says
    /// whether the length of a frame check sequence is given, a reserved bit, and that length in units of 16 bits.
    fn link_field(&mut self, field: u32, snaplen: u32) {
        self.link = LinkType::from_file((field & 0xffff) as u16);
        let fcs_is_given = field & 0x0400_0000 != 0;
        let reserved = field & if fcs_is_given { 0x0bff_0000 } else { 0xfbff_0000 };
        if reserved != 0 {
            self.info.add_note(|| format!("reserved bits of the link type field are set ({field:#010x}); ignored"));
        }
        let resolution = Resolution::Decimal(if self.unit_ns == 1 { 9 } else { 6 });
        let mut interface = InterfaceInfo::new(0, self.link, snaplen, resolution);
        interface.fcs_len = fcs_is_given.then_some((field >> 28) as u8 * 2);
        self.info.add_interface(interface);
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
        let header_len = u64::from(self.header_len);
        match rest.first_chunk::<RECORD_HEADER_LEN>() {
            None if rest.is_empty() => Ok(()),
            Some(header) if available >= header_len => {
                let needed = header_len + u64::from(self.u32(header, 8));
                Err(FlowError::Truncated { what: "a packet", offset, needed, available })
            }
            _ => Err(FlowError::Truncated { what: "a packet header", offset, needed: header_len, available }),
        }
    }

    #[inline]
    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }

    fn u16(&self, bytes: &[u8], at: usize) -> u16 {
        let word = [bytes[at], bytes[at + 1]];
        if self.big_endian { u16::from_be_bytes(word) } else { u16::from_le_bytes(word) }
    }
}

#[cold]
fn too_long(captured_len: u32, offset: u64) -> FlowError {
    FlowError::Damaged {
        offset,
        reason: format!("a packet record claims {captured_len} octets, over the limit of {MAX_PACKET_LEN}"),
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
