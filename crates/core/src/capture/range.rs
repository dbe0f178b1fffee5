//! A part of a capture as a capture of its own: the head of the file, then the records of a range of octets.
//!
//! Ranges that follow each other share no record and leave none out, whatever their limits: both sides of a limit find
//! the same beginning of a record (`boundary.rs`). What a pcapng file says of its interfaces must stand before its first
//! packet; a range with a later interface or section is refused, so no packet is ever read by the wrong one.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::boundary::{Boundaries, Shape};
use super::info::BlockKind;
use super::{BlockReader, CaptureInfo, Compression, Filled, Input, MAX_PACKET_LEN, pcapng};
use crate::error::FlowError;

/// Octets before the first packet of a pcapng file, at most.
const MAX_HEAD_LEN: u64 = 16 << 20;

/// Octets of a file, from `start` up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureRange {
    /// The first octet.
    pub start: u64,
    /// The octet behind the last one; what lies beyond the file's end doesn't matter.
    pub end: u64,
}

/// The head of a capture and the records of a range.
#[derive(Debug)]
pub struct RangeInput {
    head: Vec<u8>,
    file: File,
    /// Octets given so far, the head's and the records'.
    given: u64,
    /// Where the records begin and end in the file.
    from: u64,
    to: u64,
    goes_on: bool,
}

impl RangeInput {
    /// Opens `path` and finds the records that begin in `range`.
    ///
    /// # Errors
    /// [`FlowError::Io`] where the file can't be read, [`FlowError::Format`] where it is no capture,
    /// [`FlowError::InvalidOption`] where it can't be read in parts.
    pub fn open(path: &Path, range: CaptureRange) -> Result<Self, FlowError> {
        let failed = |op| move |source| FlowError::Io { op, source };
        let mut file = File::open(path).map_err(failed("open"))?;
        let metadata = file.metadata().map_err(failed("open"))?;
        if !metadata.is_file() {
            return Err(refused("only a regular file can be read in parts"));
        }
        let (shape, head) = read_head(&mut file)?;
        let (first, len) = (head.len() as u64, metadata.len());
        let again = file.try_clone().map_err(failed("open"))?;
        let mut boundaries = Boundaries::new(again, shape, first, len);
        let from = boundaries.after(range.start)?;
        // A clone shares the place in the file with it, so both are done with it before it is read.
        let to = if range.end >= len { len } else { boundaries.after(range.end)? };
        file.seek(SeekFrom::Start(from)).map_err(failed("read"))?;
        Ok(Self { head, file, given: 0, from, to: to.max(from), goes_on: to < len })
    }

    /// Octets of the head, behind which the records come; where those begin in the file; and whether the file goes on
    /// behind them.
    #[must_use]
    pub fn place(&self) -> (u64, u64, bool) {
        (self.head.len() as u64, self.from, self.goes_on)
    }

    /// What the head says: as many interfaces and sections as the range may have.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn head_info(&self) -> Result<CaptureInfo, FlowError> {
        info_of(&self.head)
    }
}

impl Input for RangeInput {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let head = self.head.get(usize::try_from(self.given).unwrap_or(usize::MAX)..).unwrap_or_default();
        if !head.is_empty() {
            let n = head.len().min(out.len());
            out[..n].copy_from_slice(&head[..n]);
            self.given += n as u64;
            return Ok(Filled::Bytes(n));
        }
        let left = self.head.len() as u64 + (self.to - self.from) - self.given;
        let n = usize::try_from(left).map_or(out.len(), |left| left.min(out.len()));
        loop {
            match self.file.read(&mut out[..n]) {
                Ok(0) => return Ok(Filled::End),
                Ok(n) => {
                    self.given += n as u64;
                    return Ok(Filled::Bytes(n));
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(FlowError::Io { op: "read", source }),
            }
        }
    }

    fn position(&self) -> u64 {
        self.given
    }
}

/// How a capture's records follow each other, and what lies before the first of them.
fn read_head(file: &mut File) -> Result<(Shape, Vec<u8>), FlowError> {
    let mut head = vec![0; 24];
    let read = read_up_to(file, 0, &mut head)?;
    let head_octets = head.get(..read).unwrap_or_default();
    if let Some(compression) = Compression::from_magic(head_octets) {
        return Err(refused(&format!("{} data is read from its start: take the capture whole", compression.name())));
    }
    if head_octets.starts_with(&pcapng::MAGIC) {
        return read_pcapng_head(file, head_octets);
    }
    let info = info_of(head_octets)?;
    let header_len = match info.format {
        "modified pcap" => 24,
        format if format.starts_with("pcap") => 16,
        _ => return Err(refused("this is no capture that can be read in parts")),
    };
    let version = head.get(4..8).and_then(<[u8]>::first_chunk::<4>).map(|&[a, b, c, d]| {
        let both = [[a, b], [c, d]];
        if info.big_endian { both.map(u16::from_be_bytes) } else { both.map(u16::from_le_bytes) }
    });
    if version.is_none_or(|version| version < [2, 4]) {
        return Err(refused("a pcap file before version 2.4 can't be read in parts"));
    }
    let mut first = [0; 4];
    read_up_to(file, 24, &mut first)?;
    let first_second = if info.big_endian { u32::from_be_bytes(first) } else { u32::from_le_bytes(first) };
    let fractions = if info.format.ends_with("nanoseconds") { 1_000_000_000 } else { 1_000_000 };
    Ok((Shape::Pcap { big_endian: info.big_endian, header_len, fractions, first_second }, head))
}

/// The blocks before the first packet.
fn read_pcapng_head(file: &mut File, first: &[u8]) -> Result<(Shape, Vec<u8>), FlowError> {
    let big_endian = match first.get(8..12) {
        Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
        Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
        _ => return Err(FlowError::Format { offset: 8, reason: "the section's byte order is not known".to_owned() }),
    };
    let u32_at = |octets: &[u8; 12], at: usize| {
        let word = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
        if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    };
    let mut end = 0;
    loop {
        let mut block = [0; 12];
        if read_up_to(file, end, &mut block)? < block.len() {
            break;
        }
        let kind = BlockKind::from_type(u32_at(&block, 0));
        let packet = [BlockKind::EnhancedPacket, BlockKind::SimplePacket, BlockKind::ObsoletePacket].contains(&kind);
        // A second section, or a length that can't be, is for the reader to judge.
        let len = u64::from(u32_at(&block, 4));
        if packet || (end > 0 && kind == BlockKind::Section) || len < 12 || !len.is_multiple_of(4) {
            break;
        }
        end += len;
        if end > MAX_HEAD_LEN {
            return Err(refused("there are more than 16 MiB before the first packet: take the capture whole"));
        }
    }
    let mut head = vec![0; usize::try_from(end).unwrap_or_default()];
    let read = read_up_to(file, 0, &mut head)?;
    head.truncate(read);
    Ok((Shape::Pcapng { big_endian }, head))
}

/// Fills `out` from octet `at` of the file; how much there was.
fn read_up_to(file: &mut File, at: u64, out: &mut [u8]) -> Result<usize, FlowError> {
    let failed = |source| FlowError::Io { op: "read", source };
    file.seek(SeekFrom::Start(at)).map_err(failed)?;
    let mut read = 0;
    while read < out.len() {
        match file.read(&mut out[read..]) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(read)
}

/// What a capture says of itself that is only a head.
fn info_of(head: &[u8]) -> Result<CaptureInfo, FlowError> {
    let mut reader = BlockReader::default();
    let mut block = vec![0; head.len().max(2 * MAX_PACKET_LEN as usize)];
    let mut input = Octets(head);
    while let Filled::Bytes(_) = reader.fill(&mut block, &mut input)? {
        reader.next(&block)?;
        reader.release(&block);
    }
    reader.finish()?;
    Ok(reader.info().clone())
}

struct Octets<'a>(&'a [u8]);

impl Input for Octets<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let n = self.0.len().min(out.len());
        let (now, later) = self.0.split_at(n);
        out[..n].copy_from_slice(now);
        self.0 = later;
        Ok(if n == 0 { Filled::End } else { Filled::Bytes(n) })
    }

    fn position(&self) -> u64 {
        0
    }
}

fn refused(reason: &str) -> FlowError {
    FlowError::InvalidOption { name: "range", reason: reason.to_owned() }
}
