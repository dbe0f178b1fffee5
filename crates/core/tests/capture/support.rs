//! Reads whole captures and compares them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tcpskein_core::capture::{
    BlockReader, CaptureInfo, ChunkQueue, DecodingInput, Filled, Input, MIN_BLOCK_LEN, Next, Packet, QueueInput,
    ReadAhead,
};
use tcpskein_core::error::FlowError;

/// One packet as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub ts_ns: i64,
    pub interface: u32,
    pub link: u16,
    pub wire_len: u32,
    pub data: Vec<u8>,
}

/// All that was read of one capture.
#[derive(Debug)]
pub struct Run {
    pub packets: Vec<Seen>,
    pub error: Option<FlowError>,
    pub info: CaptureInfo,
    pub position: u64,
}

impl Run {
    pub fn data(&self) -> Vec<&[u8]> {
        self.packets.iter().map(|packet| packet.data.as_slice()).collect()
    }

    pub fn times(&self) -> Vec<i64> {
        self.packets.iter().map(|packet| packet.ts_ns).collect()
    }

    /// The error's code and sentence.
    pub fn message(&self) -> String {
        self.error.as_ref().map_or_else(String::new, |error| format!("{} {error}", error.code()))
    }
}

/// Octets in memory, in pieces of at most `piece`.
pub struct Octets {
    pub bytes: Vec<u8>,
    pub position: usize,
    pub piece: usize,
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

/// Reads captures, always into the same block.
pub struct Reader {
    block: Vec<u8>,
}

impl Reader {
    pub fn new() -> Self {
        Self { block: vec![0; MIN_BLOCK_LEN] }
    }

    /// Reads `bytes` without looking for compression.
    pub fn plain(&mut self, bytes: &[u8]) -> Run {
        self.run(Box::new(Octets { bytes: bytes.to_vec(), position: 0, piece: usize::MAX }))
    }

    /// Reads `bytes`, compressed or not.
    pub fn any(&mut self, bytes: &[u8]) -> Run {
        let octets = Octets { bytes: bytes.to_vec(), position: 0, piece: usize::MAX };
        self.run(Box::new(DecodingInput::open(Box::new(octets))))
    }

    pub fn run(&mut self, mut input: Box<dyn Input>) -> Run {
        let mut reader = BlockReader::default();
        let mut packets = Vec::new();
        let error = loop {
            match reader.fill(&mut self.block, input.as_mut()) {
                Ok(Filled::Bytes(_)) => {}
                Ok(Filled::End) => break reader.finish().err(),
                Ok(Filled::NeedInput) => panic!("an input that is whole asked for more"),
                Err(error) => break Some(error),
            }
            if let Err(error) = walk(&mut reader, &mut self.block, &mut packets) {
                break Some(error);
            }
        };
        Run { packets, error, info: reader.info().clone(), position: input.position() }
    }

    /// Reads `input` ahead on another thread.
    pub fn ahead(input: Box<dyn Input>) -> Run {
        let mut ahead = ReadAhead::start(input).unwrap();
        let mut reader = BlockReader::default();
        let mut packets = Vec::new();
        let error = loop {
            match ahead.next_block() {
                Ok(Some(mut next)) => {
                    reader.adopt(&mut next);
                    if let Err(error) = walk(&mut reader, &mut next.block, &mut packets) {
                        break Some(error);
                    }
                    ahead.give_back(next.block);
                }
                Ok(None) => break reader.finish().err(),
                Err(error) => break Some(error),
            }
        };
        Run { packets, error, info: reader.info().clone(), position: ahead.position() }
    }

    /// Pushes `bytes` in pieces of the lengths that `cut` gives, reading as far as possible after each.
    pub fn pushed(&mut self, bytes: &[u8], mut cut: impl FnMut() -> usize) -> Run {
        let queue = Arc::new(Mutex::new(ChunkQueue::default()));
        let mut input = DecodingInput::open(Box::new(QueueInput::new(Arc::clone(&queue))));
        let mut reader = BlockReader::default();
        let mut packets = Vec::new();
        let mut rest = bytes;
        let error = loop {
            match reader.fill(&mut self.block, &mut input) {
                Ok(Filled::Bytes(_)) => {
                    if let Err(error) = walk(&mut reader, &mut self.block, &mut packets) {
                        break Some(error);
                    }
                }
                Ok(Filled::End) => break reader.finish().err(),
                Ok(Filled::NeedInput) => {
                    let (piece, later) = rest.split_at(cut().min(rest.len()));
                    let mut queue = queue.lock().unwrap();
                    queue.push(piece);
                    if later.is_empty() {
                        queue.end();
                    }
                    rest = later;
                }
                Err(error) => break Some(error),
            }
        };
        Run { packets, error, info: reader.info().clone(), position: input.position() }
    }
}

fn walk(reader: &mut BlockReader, block: &mut [u8], packets: &mut Vec<Seen>) -> Result<(), FlowError> {
    while let Next::Packet(packet) = reader.next(block)? {
        let Packet { ts_ns, interface, link, wire_len, .. } = packet;
        let data = packet.bytes(block).to_vec();
        assert!(wire_len as usize >= data.len(), "fewer octets on the wire than captured");
        packets.push(Seen { ts_ns, interface, link: link.0, wire_len, data });
    }
    reader.release(block);
    Ok(())
}

/// The corpus of real captures, or `None` with a word about it.
pub fn corpus(test: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TCPSKEIN_CORPUS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus")), PathBuf::from);
    if root.join("dev/captures").is_dir() {
        return Some(root);
    }
    eprintln!("SKIPPED {test}: no corpus at {} (set TCPSKEIN_CORPUS)", root.display());
    None
}

/// Small pseudo-random numbers for tests that must be the same each time (xorshift).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
