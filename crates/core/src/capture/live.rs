//! What a live source gives: pcapng, and ticks, which say how late it is while no packet comes.
//!
//! The core has no clock. On a silent line a tick moves packet time on, so that timers run; no packet that comes later
//! is earlier than it. Ticks are blocks of a type that the draft leaves to local use (section 10.1), and count for
//! nothing but time; in a file such a block stays unknown and means nothing.

use super::{CaptureInfo, PcapngReader, Step};
use crate::error::FlowError;

/// The block type of a tick.
pub const TICK_TYPE: u32 = 0x8074_6963;

/// Octets of a tick: type, length, nanoseconds since the Unix epoch (64 bits), length; little-endian.
pub const TICK_LEN: usize = 20;

/// A tick's octets.
#[must_use]
pub fn tick(ts_ns: i64) -> [u8; TICK_LEN] {
    let mut block = [0; TICK_LEN];
    block[..4].copy_from_slice(&TICK_TYPE.to_le_bytes());
    block[4..8].copy_from_slice(&(TICK_LEN as u32).to_le_bytes());
    block[8..16].copy_from_slice(&ts_ns.to_le_bytes());
    block[16..].copy_from_slice(&(TICK_LEN as u32).to_le_bytes());
    block
}

/// Reads little-endian pcapng with ticks in it.
#[derive(Debug)]
pub struct LiveReader(PcapngReader);

impl Default for LiveReader {
    fn default() -> Self {
        Self(PcapngReader::named("live"))
    }
}

impl LiveReader {
    /// What lies at the head of `bytes`.
    ///
    /// # Errors
    /// Those of [`PcapngReader::step`].
    #[inline]
    pub fn step(&mut self, bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
        match bytes.first_chunk::<4>() {
            Some(kind) if u32::from_le_bytes(*kind) == TICK_TYPE => Ok(read_tick(bytes)),
            _ => self.0.step(bytes, offset),
        }
    }

    /// What the source has said about itself so far.
    #[must_use]
    pub fn info(&self) -> &CaptureInfo {
        self.0.info()
    }

    /// Judges what is left at the end.
    ///
    /// # Errors
    /// [`FlowError::Truncated`] where a block is cut.
    pub fn finish(&self, rest: &[u8], offset: u64) -> Result<(), FlowError> {
        self.0.finish(rest, offset)
    }
}

fn read_tick(bytes: &[u8]) -> Step {
    match bytes.first_chunk::<TICK_LEN>().and_then(|block| block[8..].first_chunk::<8>()) {
        Some(ts_ns) => Step::Tick { ts_ns: i64::from_le_bytes(*ts_ns), next: TICK_LEN as u32 },
        None => Step::Need(TICK_LEN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tick_reads_back_and_waits_for_its_end() {
        let mut reader = LiveReader::default();
        let block = tick(-7);
        assert_eq!(reader.step(&block, 0).unwrap(), Step::Tick { ts_ns: -7, next: 20 });
        for cut in 4..TICK_LEN {
            assert_eq!(reader.step(&block[..cut], 0).unwrap(), Step::Need(TICK_LEN));
        }
        assert_eq!(reader.info().format, "live");
    }

    #[test]
    fn tick_in_a_file_is_an_unknown_block() {
        let mut reader = PcapngReader::default();
        assert_eq!(reader.step(&tick(5), 0).unwrap(), Step::Discard(20));
    }
}
