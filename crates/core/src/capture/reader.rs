//! Packets in a block: fills a block from an input and walks the records in it.
//!
//! Each filling may use another block: a record cut at a block's end is carried over to the next block's head, so
//! every packet lies in one piece in exactly one block.

use super::{
    AheadBlock, CaptureInfo, Container, Filled, Input, LinkType, LiveReader, MIN_BLOCK_LEN, PacketHead, PacketTotals,
    Step,
};
use crate::error::FlowError;
use tcpskein_map::{PAGE_LEN, prefetch, prefetch_range};

/// How many packets ahead a guess goes; measured in benches/pipeline.rs: 2 and 8 gain less.
const GUESSED: usize = 4;

/// Octets that are asked for ahead where payload is read too; 1 KiB and 16 KiB gain less.
const STREAMED: usize = 2048;

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
    /// Number of the capture, from 0, where whoever reads several tells them apart.
    pub capture: u32,
}

impl Packet {
    /// Number 0: no packet.
    pub const NOTHING: Self = Self {
        number: 0,
        ts_ns: 0,
        start: 0,
        captured_len: 0,
        wire_len: 0,
        link: LinkType::NULL,
        interface: 0,
        capture: 0,
    };

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
    /// No packet: it is this late, in nanoseconds since the Unix epoch.
    Tick(i64),
    /// The block holds no further whole record: release it and fill another.
    BlockDone,
}

/// What [`BlockReader::find`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A packet in the block.
    Packet,
    /// No packet: it is this late, in nanoseconds since the Unix epoch.
    Tick(i64),
    /// The block holds no further whole record: release it and fill another.
    BlockDone,
}

/// Walks one capture, block by block.
#[derive(Debug, Default)]
pub struct BlockReader {
    container: Container,
    /// The cut record at the end of the last block.
    carry: Vec<u8>,
    /// Octets of the input before the block's first one.
    input_offset: u64,
    /// First unread octet of the block.
    position: usize,
    /// End of what is filled in the block.
    filled: usize,
    /// End of what was asked for ahead, in the block.
    fetched: usize,
    /// Payload is read too.
    whole: bool,
    /// Octets still to be thrown away.
    discard: u64,
    totals: PacketTotals,
    /// Packets without a time so far.
    untimed: u64,
    /// What was carried over may hold whole records.
    left_early: bool,
    /// The input failed after it had given octets: said once those are read.
    failed: Option<FlowError>,
}

impl BlockReader {
    /// A reader of what a [`super::MergeInput`] gives.
    #[must_use]
    pub fn of_merged() -> Self {
        Self { container: Container::Merged, ..Self::default() }
    }

    /// A reader of what a live source gives.
    #[must_use]
    pub fn of_live() -> Self {
        Self { container: Container::Live(LiveReader::default()), ..Self::default() }
    }

    /// Packets say themselves which capture they are from, and their number in it: [`super::Origin`].
    #[inline]
    #[must_use]
    pub fn has_origins(&self) -> bool {
        matches!(self.container, Container::Records)
    }

    /// From here on payload is read too, and not heads alone.
    pub fn read_whole(&mut self) {
        self.whole = true;
    }

    /// Packets found so far.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.totals.packets
    }

    /// What the packets found so far come to.
    #[must_use]
    pub fn totals(&self) -> &PacketTotals {
        &self.totals
    }

    /// What the capture has said about itself so far.
    #[must_use]
    pub fn info(&self) -> &CaptureInfo {
        self.container.info()
    }

    /// The next packet in `block`, which must be the one that was filled last.
    ///
    /// # Errors
    /// Those of [`Container::step`]. The packets found before stay good.
    #[inline(always)]
    pub fn next(&mut self, block: &[u8]) -> Result<Next, FlowError> {
        let mut packet = Packet::NOTHING;
        Ok(match self.find(block, &mut packet)? {
            Found::Packet => Next::Packet(packet),
            Found::Tick(ts_ns) => Next::Tick(ts_ns),
            Found::BlockDone => Next::BlockDone,
        })
    }

    /// [`BlockReader::next`], but a packet is written to `packet`, field by field: a value that goes from hand to hand
    /// is copied in larger pieces than it was written in, for which the processor waits.
    ///
    /// # Errors
    /// Those of [`Container::step`].
    #[inline(always)]
    pub fn find(&mut self, block: &[u8], packet: &mut Packet) -> Result<Found, FlowError> {
        if self.discard == 0
            && let Some(head) = self.container.ordinary(&block[self.position..self.filled])
        {
            self.take(block, head, packet);
            return Ok(Found::Packet);
        }
        self.find_slowly(block, packet)
    }

    #[inline(never)]
    fn find_slowly(&mut self, block: &[u8], packet: &mut Packet) -> Result<Found, FlowError> {
        loop {
            if self.discard > 0 && !self.skip() {
                return Ok(Found::BlockDone);
            }
            let bytes = &block[self.position..self.filled];
            match self.container.step(bytes, self.input_offset)? {
                Step::Packet(head) => {
                    self.take(block, head, packet);
                    return Ok(Found::Packet);
                }
                Step::Discard(octets) => self.discard = octets,
                Step::Need(_) => return Ok(Found::BlockDone),
                Step::Tick { ts_ns, next } => {
                    self.advance(next as usize);
                    return Ok(Found::Tick(ts_ns));
                }
            }
        }
    }

    /// Goes on behind the packet at the head of the unread octets.
    #[inline(always)]
    fn take(&mut self, block: &[u8], head: PacketHead, packet: &mut Packet) {
        packet.start = self.position + head.data as usize;
        self.advance(head.next as usize);
        self.fetch_ahead(block, head.next as usize);
        self.totals.count(head.captured_len, head.wire_len);
        if head.ts_ns != 0 || self.is_timed() {
            self.totals.time(head.ts_ns);
        }
        packet.number = self.totals.packets;
        packet.ts_ns = head.ts_ns;
        packet.captured_len = head.captured_len;
        packet.wire_len = head.wire_len;
        packet.link = head.link;
        packet.interface = head.interface;
        packet.capture = 0;
    }

    /// While a packet is looked at, later ones come from memory: all of them, or where payload isn't read their heads.
    /// Where the next one begins is known; that those behind it are as long as this one, `len` octets, is a guess which
    /// bulk transfers make good.
    #[inline]
    fn fetch_ahead(&mut self, block: &[u8], len: usize) {
        if self.whole {
            prefetch(block, self.position);
            let to = self.position + STREAMED;
            prefetch_range(block, self.fetched.max(self.position), to);
            self.fetched = to.next_multiple_of(64);
            return;
        }
        for at in [self.position, self.position + GUESSED * len] {
            prefetch(block, at);
            prefetch(block, at + 64);
        }
    }

    /// Whether the packet just found, whose time is 0, really has that time.
    #[cold]
    fn is_timed(&mut self) -> bool {
        let untimed = self.info().untimed_packets;
        std::mem::replace(&mut self.untimed, untimed) == untimed
    }

    #[inline]
    fn advance(&mut self, octets: usize) {
        self.position += octets;
        self.input_offset += octets as u64;
    }

    /// Throws away what is to be discarded, as far as it is there. True when all is gone.
    fn skip(&mut self) -> bool {
        let available = self.filled - self.position;
        let octets = usize::try_from(self.discard).map_or(available, |d| d.min(available));
        self.advance(octets);
        self.discard -= octets as u64;
        self.discard == 0
    }

    /// Takes leave of `block`: what is unread in it is kept, so that another block may be filled next.
    pub fn release(&mut self, block: &[u8]) {
        self.carry.extend_from_slice(&block[self.position..self.filled]);
        self.fetched = 0;
        self.position = 0;
        self.filled = 0;
    }

    /// Takes leave of `block` before its end: the records not walked yet are carried over too.
    pub fn leave(&mut self, block: &[u8]) {
        self.release(block);
        self.left_early = true;
    }

    /// Fills `block` (of at least [`MIN_BLOCK_LEN`] octets) from `input` after the block before was released.
    /// [`Filled::Bytes`] gives the octets that are in the block now.
    ///
    /// # Errors
    /// Those of the input. At [`Filled::End`], ask [`BlockReader::finish`] whether the capture is whole.
    pub fn fill(&mut self, block: &mut [u8], input: &mut dyn Input) -> Result<Filled, FlowError> {
        debug_assert!(block.len() >= MIN_BLOCK_LEN);
        if !self.left_early
            && let Some(error) = self.failed.take()
        {
            return Err(error);
        }
        // What is read comes to lie at a page's start, where the block begins at one.
        let start = self.carry.len().next_multiple_of(PAGE_LEN) - self.carry.len();
        let kept = start + self.carry.len();
        block[start..kept].copy_from_slice(&self.carry);
        let mut filled = kept;
        let mut last = Filled::End;
        while filled < block.len() && self.failed.is_none() {
            last = match input.fill(&mut block[filled..]) {
                Ok(filled) => filled,
                // What came before counts.
                Err(error) if filled > kept || self.left_early => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            };
            match last {
                Filled::Bytes(n) => filled += n,
                Filled::NeedInput | Filled::End => break,
            }
        }
        // What was carried over may be walked even where the input has no more.
        if filled == kept && !std::mem::take(&mut self.left_early) {
            return Ok(last);
        }
        self.left_early = false;
        self.carry.clear();
        self.position = start;
        self.filled = filled;
        Ok(Filled::Bytes(filled - start))
    }

    /// Goes on with a block that was read ahead, after the block before was released.
    pub fn adopt(&mut self, ahead: &mut AheadBlock) {
        let start = ahead.start - self.carry.len();
        ahead.block[start..ahead.start].copy_from_slice(&self.carry);
        self.carry.clear();
        self.position = start;
        self.filled = ahead.end;
    }

    /// Goes on in a window that begins where the reader is, after the block before was released; `filled` are its
    /// octets.
    pub fn adopt_window(&mut self, filled: usize) {
        self.carry.clear();
        self.filled = filled;
    }

    /// Octets of the input before the first unread one.
    #[must_use]
    pub fn input_offset(&self) -> u64 {
        self.input_offset
    }

    /// Octets that were carried over from the last block.
    #[must_use]
    pub fn carried(&self) -> usize {
        self.carry.len()
    }

    /// Judges what is left over at the end of the input.
    ///
    /// # Errors
    /// Those of [`Container::finish`].
    pub fn finish(&self) -> Result<(), FlowError> {
        // A container that knows which block is cut says so.
        self.container.finish(&self.carry, self.input_offset)?;
        if self.discard > 0 {
            let needed = self.discard;
            return Err(FlowError::Truncated { what: "a block", offset: self.input_offset, needed, available: 0 });
        }
        Ok(())
    }
}
