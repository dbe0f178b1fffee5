//! The ring: memory that is shared with the kernel, in blocks that belong to the one or the other side.
//!
//! A block's status word says whose it is. The kernel sets it when it has filled a block and doesn't touch the block
//! until the word is cleared. So the octets of a block that was seen to be ours stay as they are.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use tcpskein_core::error::FlowError;

use super::RETIRE_MS;
use super::frame::Frame;
use super::socket::{RingRequest, Socket};

/// Octets of a block: the longest packet fits, and a busy line doesn't wake anybody too often.
const BLOCK_LEN: usize = 512 << 10;

/// The kernel gives block and frames at least so much room.
const FRAME_LEN: u32 = 2048;

const STATUS_KERNEL: u32 = 0;
const STATUS_USER: u32 = 1;

/// Where things stand in `struct tpacket_block_desc`.
const STATUS_AT: usize = 8;
const PACKETS_AT: usize = 12;
const FIRST_AT: usize = 16;

/// The shared memory.
struct Map {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory belongs to no thread; who has the `Map` may use it.
unsafe impl Send for Map {}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: exactly what was mapped, and nothing lends it any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

impl Map {
    /// A block's status word, which the kernel changes too.
    fn status(&self, block: usize) -> &AtomicU32 {
        // SAFETY: inside the map, and aligned, since blocks begin at pages. The kernel writes it as one word.
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().add(block * BLOCK_LEN + STATUS_AT).cast()) }
    }

    /// A block's octets.
    ///
    /// # Safety
    /// The block must be ours, and must not be given back while the octets are lent.
    unsafe fn block(&self, block: usize) -> &[u8] {
        // SAFETY: inside the map. While a block is ours, the kernel doesn't write to it.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(block * BLOCK_LEN), BLOCK_LEN) }
    }
}

/// Walks the ring frame by frame.
pub(super) struct Ring {
    map: Map,
    blocks: usize,
    /// The block that is read, or is to come next.
    block: usize,
    /// It is ours.
    ours: bool,
    /// Frames in it that weren't walked yet, after the one it stands at.
    left: u32,
    /// Where the frame is that it stands at; none before the first one and after the last.
    at: Option<usize>,
}

impl Ring {
    /// A ring of at least `octets` for a socket that isn't bound yet.
    pub fn new(socket: &Socket, octets: u64) -> Result<Self, FlowError> {
        let too_much = |reason| FlowError::InvalidOption { name: "ringBytes", reason };
        let blocks = usize::try_from(octets.div_ceil(BLOCK_LEN as u64).max(2))
            .map_err(|_| too_much("more than this machine can address".to_owned()))?;
        let request = RingRequest {
            block_size: BLOCK_LEN as u32,
            block_count: blocks as u32,
            frame_size: FRAME_LEN,
            frame_count: (blocks * BLOCK_LEN / FRAME_LEN as usize) as u32,
            retire_ms: RETIRE_MS,
        };
        let len = blocks * BLOCK_LEN;
        let base = socket
            .map_ring(&request, len)
            .map_err(|error| too_much(format!("the system has no {len} octets for the ring: {error}")))?;
        Ok(Self { map: Map { base, len }, blocks, block: 0, ours: false, left: 0, at: None })
    }

    /// Moves to the next frame. False: none is there now.
    #[inline]
    pub fn advance(&mut self) -> bool {
        if self.ours {
            if self.left > 0 {
                self.left -= 1;
                let next = self.frame().map_or(0, Frame::next);
                self.at = self.at.map(|at| at + next).filter(|_| next > 0);
                if self.at.is_some() {
                    return true;
                }
            }
            self.give_back();
        }
        self.take()
    }

    /// The frame that it stands at.
    #[inline]
    pub fn frame(&self) -> Option<Frame<'_>> {
        let at = self.at.filter(|_| self.ours)?;
        // SAFETY: the block is ours, and only `give_back`, which needs the ring for itself, changes that.
        let block = unsafe { self.map.block(self.block) };
        Frame::new(block.get(at..)?)
    }

    /// Begins with the next block, if the kernel has handed it over.
    fn take(&mut self) -> bool {
        while self.map.status(self.block).load(Ordering::Acquire) & STATUS_USER != 0 {
            self.ours = true;
            // SAFETY: as above.
            let block = unsafe { self.map.block(self.block) };
            let word = |at: usize| u32::from_ne_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
            let (packets, first) = (word(PACKETS_AT), word(FIRST_AT));
            if packets > 0 {
                self.left = packets - 1;
                self.at = Some(first as usize);
                return true;
            }
            self.give_back();
        }
        false
    }

    fn give_back(&mut self) {
        self.ours = false;
        self.at = None;
        self.map.status(self.block).store(STATUS_KERNEL, Ordering::Release);
        self.block = (self.block + 1) % self.blocks;
    }
}
