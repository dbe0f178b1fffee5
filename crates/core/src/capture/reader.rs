//! Packets in a block: fills a caller's block from an input and walks the records in it.
//!
//! The block belongs to the caller and may be another one at each filling: a record cut at a block's end is carried
//! over to the next block's head, so every packet lies in one piece in exactly one block.

use super::{CaptureInfo, Compression, Container, Filled, Input, LinkType, MIN_BLOCK_LEN, Step};
use crate::error::FlowError;

/// One packet; its octets are `block[start .. start + captured_len]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Number in the capture, from 1.
    pub number: u64,
    /// Capture time, nanoseconds since the Unix epoch; 0 where the record carries none (pcapng's simple packets).
    pub ts_ns: i64,
    /// Where its octets begin in the block.
    pub start: usize,
    /// Octets captured.
    pub captured_len: u32,
    /// Octets on the wire, never fewer than were captured.
    pub wire_len: u32,
    /// Link-layer header type.
    pub link: LinkType,
    /// Interface number in the file, through all its sections; 0 where the format has none.
    pub interface: u32,
}

impl Packet {
    /// The packet's octets in `block`.
    #[inline]
    #[must_use]
    pub fn bytes<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        &block[self.start..self.start + self.captured_len as usize]
    }
}

/// What [`BlockReader::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A packet in the block.
    Packet(Packet),
    /// The block holds no further whole record: call [`BlockReader::fill`].
    BlockDone,
}

/// Walks one capture, block by block.
pub struct BlockReader {
    input: Box<dyn Input>,
    container: Container,
    /// The cut record at the end of the last block.
    carry: Vec<u8>,
    /// Octets of the input before the block.
    block_offset: u64,
    /// First unread octet of the block.
    position: usize,
    /// End of what is filled in the block.
    filled: usize,
    /// Octets still to be thrown away.
    discard: u64,
    packets: u64,
    ended: bool,
    /// The input failed after it had given octets: said once those are read.
    failed: Option<FlowError>,
}

impl BlockReader {
    /// Reads the capture that `input` delivers.
    #[must_use]
    pub fn new(input: Box<dyn Input>) -> Self {
        Self {
            input,
            container: Container::default(),
            carry: Vec::new(),
            block_offset: 0,
            position: 0,
            filled: 0,
            discard: 0,
            packets: 0,
            ended: false,
            failed: None,
        }
    }

    /// Packets found so far.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Octets taken from the input so far; of compressed data, compressed octets.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.input.position()
    }

    /// What the capture has said about itself so far.
    #[must_use]
    pub fn info(&self) -> &CaptureInfo {
        self.container.info()
    }

    /// How the input is compressed, once its first octets were read.
    #[must_use]
    pub fn compression(&self) -> Option<Compression> {
        self.input.compression()
    }

    /// The next packet in `block`, which must be what [`BlockReader::fill`] filled last.
    ///
    /// # Errors
    /// Those of [`Container::step`]. The packets found before stay good.
    #[inline]
    pub fn next(&mut self, block: &[u8]) -> Result<Next, FlowError> {
        loop {
            let bytes = &block[self.position..self.filled];
            if self.discard > 0 && !self.skip(bytes.len()) {
                return Ok(Next::BlockDone);
            }
            let bytes = &block[self.position..self.filled];
            match self.container.step(bytes, self.block_offset + self.position as u64)? {
                Step::Packet(head) => {
                    let start = self.position + head.data as usize;
                    self.position += head.next as usize;
                    self.packets += 1;
                    return Ok(Next::Packet(Packet {
                        number: self.packets,
                        ts_ns: head.ts_ns,
                        start,
                        captured_len: head.captured_len,
                        wire_len: head.wire_len,
                        link: head.link,
                        interface: head.interface,
                    }));
                }
                Step::Discard(octets) => self.discard = octets,
                Step::Need(_) => return Ok(Next::BlockDone),
            }
        }
    }

    /// Throws away what is to be discarded, as far as it is there. True when all is gone.
    fn skip(&mut self, available: usize) -> bool {
        let n = usize::try_from(self.discard).map_or(available, |d| d.min(available));
        self.position += n;
        self.discard -= n as u64;
        self.discard == 0
    }

    /// Takes leave of `block`: what is unread in it is kept, so that another block may be filled next.
    pub fn release(&mut self, block: &[u8]) {
        self.carry.extend_from_slice(&block[self.position..self.filled]);
        self.block_offset += self.position as u64;
        self.position = 0;
        self.filled = 0;
    }

    /// Fills `block` (of at least [`MIN_BLOCK_LEN`] octets) after the block before was released.
    /// [`Filled::Bytes`] gives the octets that are in the block now.
    ///
    /// # Errors
    /// Those of the input; at the end those of [`Container::finish`].
    pub fn fill(&mut self, block: &mut [u8]) -> Result<Filled, FlowError> {
        debug_assert!(block.len() >= MIN_BLOCK_LEN);
        if self.ended {
            return Ok(Filled::End);
        }
        if let Some(error) = self.failed.take() {
            self.ended = true;
            return Err(error);
        }
        let kept = self.carry.len();
        block[..kept].copy_from_slice(&self.carry);
        let mut filled = kept;
        let mut last = Filled::Bytes(0);
        while filled < block.len() {
            match self.input.fill(&mut block[filled..]) {
                Ok(Filled::Bytes(n)) => filled += n,
                Ok(other) => {
                    last = other;
                    break;
                }
                // What came before counts.
                Err(error) if filled > kept => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        if filled == kept {
            match last {
                Filled::End => return self.finish(),
                other => return Ok(other),
            }
        }
        self.carry.clear();
        self.filled = filled;
        Ok(Filled::Bytes(filled))
    }

    fn finish(&mut self) -> Result<Filled, FlowError> {
        self.ended = true;
        self.container.finish(&self.carry, self.block_offset)?;
        if self.discard > 0 {
            return Err(FlowError::Truncated {
                what: "a block",
                offset: self.block_offset,
                needed: self.discard,
                available: 0,
            });
        }
        Ok(Filled::End)
    }
}
