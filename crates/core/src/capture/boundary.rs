//! Where a record begins in the middle of a large capture: so that it can be read in parts, by several at once.
//!
//! In: a file and an offset. Out: the beginning of a record behind that offset. No header is guessed to be one. Every
//! place in a window as long as the longest record is taken for a beginning, so one of them is; each is followed from
//! length to length, and goes when its header is none that a capturing program writes. Where all that are left have come
//! to the same place, that place is the beginning of a record, whatever payloads hold. Where they never meet (payloads
//! can be made so), the file is walked from its start. The answer depends on the file and the offset alone: who reads up
//! to it and who reads from it agree. A file whose own headers are odd may be misread; then whoever reads up to the
//! place doesn't come to an end there, and says so.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};

use super::info::BlockKind;
use super::pcapng::MAX_BLOCK_LEN;
use super::{MAX_NEED, MAX_PACKET_LEN};
use crate::error::FlowError;

/// Octets behind the window in which places may meet; then the file is walked.
const MOST_SEARCHED: u64 = 64 << 20;

/// Octets read at once.
const READ_LEN: usize = 4 << 20;

/// Longest packet on the wire that a header is believed to tell of, in octets.
const MAX_WIRE_LEN: u32 = 1 << 20;

/// How far times may be from the first packet's, in seconds: ten years.
const MOST_APART: u32 = 315_360_000;

/// How records of a capture follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A header of that many octets, then the packet. Times have fractions below `fractions`, and lie within ten years
    /// of `first_second`.
    Pcap { big_endian: bool, header_len: u32, fractions: u32, first_second: u32 },
    /// Type, length, body, the length again.
    Pcapng { big_endian: bool },
}

impl Shape {
    /// Octets of a header.
    fn header_len(self) -> u64 {
        match self {
            Self::Pcap { header_len, .. } => u64::from(header_len),
            Self::Pcapng { .. } => 12,
        }
    }

    /// Places that are taken for beginnings: of classic pcap no record is longer. A block of pcapng may be; then all
    /// places go, and the file is walked.
    fn window(self) -> u64 {
        match self {
            Self::Pcap { header_len, .. } => u64::from(header_len + MAX_PACKET_LEN),
            Self::Pcapng { .. } => MAX_NEED as u64,
        }
    }

    fn step(self) -> u64 {
        match self {
            Self::Pcap { .. } => 1,
            // Every block is a multiple of 4 octets long, and so is what is before it.
            Self::Pcapng { .. } => 4,
        }
    }

    fn u32(self, octets: [u8; 4]) -> u32 {
        let (Self::Pcap { big_endian, .. } | Self::Pcapng { big_endian }) = self;
        if big_endian { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) }
    }

    /// Octets of the record that begins with `header`; none where no record can.
    fn record_len(self, header: &[u8; 16]) -> Option<u64> {
        match self {
            Self::Pcap { header_len, .. } => {
                let captured = self.word(header, 8);
                (captured <= MAX_PACKET_LEN).then(|| u64::from(header_len + captured))
            }
            Self::Pcapng { .. } => {
                let len = self.word(header, 4);
                ((12..=MAX_BLOCK_LEN).contains(&len) && len.is_multiple_of(4)).then(|| u64::from(len))
            }
        }
    }

    /// A capturing program writes such headers.
    fn is_usual(self, header: &[u8; 16]) -> bool {
        let Self::Pcap { fractions, first_second, .. } = self else { return true };
        let (second, fraction) = (self.word(header, 0), self.word(header, 4));
        let (captured, wire) = (self.word(header, 8), self.word(header, 12));
        let time = second.abs_diff(first_second) <= MOST_APART && fraction < fractions;
        time && (captured..=MAX_WIRE_LEN).contains(&wire)
    }

    fn word(self, header: &[u8; 16], at: usize) -> u32 {
        self.u32([header[at], header[at + 1], header[at + 2], header[at + 3]])
    }

    /// A record with that header may be one that the file's end cuts. Of pcapng nothing else speaks for a block whose
    /// end isn't there.
    fn may_be_cut(self, header: &[u8; 16]) -> bool {
        match self {
            Self::Pcap { .. } => true,
            Self::Pcapng { .. } => BlockKind::from_type(self.word(header, 0)) != BlockKind::Unknown,
        }
    }
}

/// Finds beginnings of records in one file.
#[derive(Debug)]
pub(super) struct Boundaries<F> {
    file: F,
    shape: Shape,
    /// Where the first record begins.
    first: u64,
    /// Octets of the file.
    len: u64,
    buffer: Vec<u8>,
    /// Where the buffer lies in the file.
    at: u64,
    /// Octets behind the window that are searched.
    most_searched: u64,
}

impl<F: Read + Seek> Boundaries<F> {
    /// The records of a file of `len` octets lie from `first` on.
    pub fn new(file: F, shape: Shape, first: u64, len: u64) -> Self {
        Self { file, shape, first, len, buffer: Vec::new(), at: 0, most_searched: MOST_SEARCHED }
    }

    /// The beginning of a record at or behind `offset`, or the end of the file.
    ///
    /// # Errors
    /// [`FlowError::Io`] where the file can't be read.
    pub fn after(&mut self, offset: u64) -> Result<u64, FlowError> {
        if offset <= self.first {
            return Ok(self.first.min(self.len));
        }
        if offset >= self.len {
            return Ok(self.len);
        }
        match self.search(offset)? {
            Some(found) => Ok(found),
            None => self.walk(offset),
        }
    }

    /// The place where all that may be beginnings come together.
    fn search(&mut self, offset: u64) -> Result<Option<u64>, FlowError> {
        let step = self.shape.step();
        let start = offset.next_multiple_of(step);
        let end = (start + self.shape.window()).min(self.len);
        let mut places = BTreeSet::new();
        let mut at = start;
        while at < end {
            // What lies in the window has its turn anyway.
            places.extend(self.next(at, true)?.filter(|&next| next >= end));
            at += step;
        }
        while places.len() > 1 {
            let Some(place) = places.pop_first() else { break };
            if place > end + self.most_searched {
                return Ok(None);
            }
            places.extend(self.next(place, true)?);
        }
        Ok(places.pop_first())
    }

    /// The first beginning at or behind `offset`, by all records before it; the file's end where they break off.
    fn walk(&mut self, offset: u64) -> Result<u64, FlowError> {
        let mut at = self.first;
        while at < offset {
            match self.next(at, false)? {
                Some(next) => at = next,
                None => return Ok(self.len),
            }
        }
        Ok(at)
    }

    /// Where the record at `at` would end: the file's end where that cuts it. None: there can't be one, or where it is to
    /// be `usual`, none that is.
    fn next(&mut self, at: u64, usual: bool) -> Result<Option<u64>, FlowError> {
        let (shape, file_len) = (self.shape, self.len);
        if at + shape.header_len() > file_len {
            return Ok(Some(file_len));
        }
        let mut header = [0; 16];
        let octets = self.octets(at, shape.header_len().min(16) as usize)?;
        header[..octets.len()].copy_from_slice(octets);
        let Some(len) = shape.record_len(&header).filter(|_| !usual || shape.is_usual(&header)) else {
            return Ok(None);
        };
        if at + len > file_len {
            return Ok((!usual || shape.may_be_cut(&header)).then_some(file_len));
        }
        if matches!(shape, Shape::Pcapng { .. }) {
            let trailer = self.word(at + len - 4)?;
            if u64::from(shape.u32(trailer)) != len {
                return Ok(None);
            }
        }
        Ok(Some(at + len))
    }

    /// Four octets of the file at `at`; the buffer stays where it is, for places that are nearer have their turn next.
    fn word(&mut self, at: u64) -> Result<[u8; 4], FlowError> {
        let there = at.checked_sub(self.at).and_then(|from| usize::try_from(from).ok());
        if let Some(word) = there.and_then(|from| self.buffer.get(from..)?.first_chunk::<4>()) {
            return Ok(*word);
        }
        let failed = |source| FlowError::Io { op: "read", source };
        let mut word = [0; 4];
        self.file.seek(SeekFrom::Start(at)).map_err(failed)?;
        self.file.read_exact(&mut word).map_err(failed)?;
        Ok(word)
    }

    /// `len` octets of the file at `at`.
    fn octets(&mut self, at: u64, len: usize) -> Result<&[u8], FlowError> {
        let there = at.checked_sub(self.at).and_then(|from| usize::try_from(from).ok());
        let from = match there.filter(|from| from + len <= self.buffer.len()) {
            Some(from) => from,
            None => {
                self.read_at(at)?;
                0
            }
        };
        self.buffer.get(from..from + len).ok_or_else(|| {
            let source = std::io::Error::other("the file became shorter meanwhile");
            FlowError::Io { op: "read", source }
        })
    }

    fn read_at(&mut self, at: u64) -> Result<(), FlowError> {
        let failed = |source| FlowError::Io { op: "read", source };
        self.at = at;
        self.buffer.clear();
        self.file.seek(SeekFrom::Start(at)).map_err(failed)?;
        self.file.by_ref().take(READ_LEN as u64).read_to_end(&mut self.buffer).map_err(failed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
