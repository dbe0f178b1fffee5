//! What the capture targets have in common.
#![allow(dead_code, reason = "each target uses a part")]

use tcpskein_core::capture::{BlockReader, Filled, Input, MIN_BLOCK_LEN, Next};
use tcpskein_core::error::FlowError;

/// Octets in memory, in pieces of at most `piece`.
pub struct Octets {
    bytes: Vec<u8>,
    position: usize,
    piece: usize,
}

impl Octets {
    pub fn new(bytes: Vec<u8>, piece: usize) -> Self {
        Self { bytes, position: 0, piece }
    }
}

impl Input for Octets {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let rest = &self.bytes[self.position..];
        let n = rest.len().min(out.len()).min(self.piece);
        out[..n].copy_from_slice(&rest[..n]);
        self.position += n;
        Ok(if n == 0 { Filled::End } else { Filled::Bytes(n) })
    }

    fn position(&self) -> u64 {
        self.position as u64
    }
}

/// Packets and the error at the end, of an input that gives at most `piece` octets between two readings.
fn read(bytes: &[u8], piece: usize) -> (Vec<(i64, u32, u32, Vec<u8>)>, Option<String>) {
    let mut input = Stuttering { inner: Octets::new(bytes.to_vec(), piece), wait: false };
    let mut reader = BlockReader::default();
    let mut block = vec![0; MIN_BLOCK_LEN];
    let mut packets = Vec::new();
    loop {
        match reader.fill(&mut block, &mut input) {
            Ok(Filled::Bytes(_)) => {}
            Ok(Filled::NeedInput) => continue,
            Ok(Filled::End) => return (packets, reader.finish().err().map(|error| error.to_string())),
            Err(error) => return (packets, Some(error.to_string())),
        }
        loop {
            match reader.next(&block) {
                Ok(Next::Packet(packet)) => {
                    assert!(packet.wire_len >= packet.captured_len);
                    packets.push((packet.ts_ns, packet.interface, packet.wire_len, packet.bytes(&block).to_vec()));
                }
                // Only live sources tell the time.
                Ok(Next::Tick(_)) => {}
                Ok(Next::BlockDone) => break,
                Err(error) => return (packets, Some(error.to_string())),
            }
        }
        reader.release(&block);
    }
}

/// Asks for patience after each piece, so that a block gets no more than one.
struct Stuttering {
    inner: Octets,
    wait: bool,
}

impl Input for Stuttering {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        self.wait = !self.wait;
        if self.wait { self.inner.fill(out) } else { Ok(Filled::NeedInput) }
    }

    fn position(&self) -> u64 {
        self.inner.position()
    }
}

/// However the octets come, the packets and the error are the same.
pub fn whole_equals_pieces(bytes: &[u8]) {
    let whole = read(bytes, usize::MAX);
    let pieces = read(bytes, bytes.len() / 7 + 1);
    assert_eq!(whole, pieces);
}
