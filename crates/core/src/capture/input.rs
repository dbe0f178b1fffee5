//! Where octets come from. An input fills the room it is given and never looks at what it delivers.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Compression;
use crate::error::FlowError;

/// What an input answered to a request for octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// This many octets were written, at least one.
    Bytes(usize),
    /// Nothing there yet: more must be pushed first.
    NeedInput,
    /// The end.
    End,
}

/// Packets that a live source lost, and what it saw; a file loses none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Packets that passed the source's filter, dropped ones included.
    pub received: u64,
    /// Packets that the system dropped because they weren't taken in time.
    pub by_system: u64,
    /// Packets that the interface dropped.
    pub by_interface: u64,
}

impl std::ops::Add for Losses {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            received: self.received + other.received,
            by_system: self.by_system + other.by_system,
            by_interface: self.by_interface + other.by_interface,
        }
    }
}

/// An input that is open already, until a session takes it.
#[derive(Clone)]
pub struct SharedInput(Arc<Mutex<Option<Box<dyn Input>>>>);

impl SharedInput {
    /// Keeps `input` for who takes it.
    #[must_use]
    pub fn new(input: Box<dyn Input>) -> Self {
        Self(Arc::new(Mutex::new(Some(input))))
    }

    /// Takes it, once.
    #[must_use]
    pub fn take(&self) -> Option<Box<dyn Input>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl std::fmt::Debug for SharedInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedInput")
    }
}

/// A source of octets.
pub trait Input: Send {
    /// Writes octets to the start of `out`, which is not empty.
    ///
    /// # Errors
    /// [`FlowError::Io`] where the system refuses, [`FlowError::Damaged`] where compressed data is broken.
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError>;

    /// Octets taken from the file or stream itself so far (of compressed data: compressed octets).
    fn position(&self) -> u64;

    /// How the octets are compressed, where that is known and this input takes the compression off.
    fn compression(&self) -> Option<Compression> {
        None
    }

    /// What a live source lost so far.
    fn losses(&self) -> Losses {
        Losses::default()
    }

    /// Whether a request may take for ever, as from a pipe nobody writes to: a thread that reads it isn't waited for.
    fn may_stall(&self) -> bool {
        false
    }

    /// Octets come without waiting for anybody but a disk or a thread that decompresses, and there are many.
    fn is_steady(&self) -> bool {
        false
    }
}

/// What couldn't be opened: fails when it is read.
#[derive(Debug)]
pub struct FailedInput(Option<FlowError>);

impl FailedInput {
    /// Fails with `error`.
    #[must_use]
    pub fn new(error: FlowError) -> Self {
        Self(Some(error))
    }
}

impl Input for FailedInput {
    fn fill(&mut self, _: &mut [u8]) -> Result<Filled, FlowError> {
        self.0.take().map_or(Ok(Filled::End), Err)
    }

    fn position(&self) -> u64 {
        0
    }
}

/// Files smaller than this aren't worth a thread or a mapping.
pub const LARGE_FROM: u64 = 2 << 20;

/// A regular file, pipe or device, read in order.
#[derive(Debug)]
pub struct FileInput {
    file: File,
    is_regular: bool,
    len: u64,
    position: u64,
}

impl FileInput {
    /// Opens `path`.
    ///
    /// # Errors
    /// [`FlowError::Io`] where it can't be opened or is a directory.
    pub fn open(path: &Path) -> Result<Self, FlowError> {
        let file = File::open(path).map_err(|source| FlowError::Io { op: "open", source })?;
        let kind = file.metadata().map_err(|source| FlowError::Io { op: "open", source })?;
        if kind.is_dir() {
            return Err(FlowError::Io { op: "read", source: std::io::Error::other("it is a directory") });
        }
        Ok(Self { file, is_regular: kind.is_file(), len: kind.len(), position: 0 })
    }

    /// How a regular file that was just opened is compressed, by its first octets.
    pub fn magic(&mut self) -> Option<Compression> {
        if self.len == 0 {
            return None;
        }
        let mut head = [0; 8];
        let read = self.file.read(&mut head).unwrap_or(0);
        // A regular file can be rewound; if not, reading on will say so.
        let _ = self.file.rewind();
        Compression::from_magic(&head[..read])
    }

    /// A regular file of `len` octets, from its start.
    #[must_use]
    pub fn of_file(file: File, len: u64) -> Self {
        Self { file, is_regular: true, len, position: 0 }
    }

    /// The file itself.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }

    /// Octets of a regular file when it was opened; 0 of a pipe or device.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a length as the system tells it, not a collection")]
    pub fn len(&self) -> u64 {
        self.len
    }
}

impl Input for FileInput {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        loop {
            match self.file.read(out) {
                Ok(0) => return Ok(Filled::End),
                Ok(n) => {
                    self.position += n as u64;
                    return Ok(Filled::Bytes(n));
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(FlowError::Io { op: "read", source }),
            }
        }
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn may_stall(&self) -> bool {
        !self.is_regular
    }

    fn is_steady(&self) -> bool {
        self.is_regular && self.len >= LARGE_FROM
    }
}

/// Chunks that were pushed and not read yet.
#[derive(Debug, Default)]
pub struct ChunkQueue {
    chunks: VecDeque<Vec<u8>>,
    /// Octets of the first chunk that were read already.
    taken: usize,
    ended: bool,
}

impl ChunkQueue {
    /// Appends a copy of `chunk`.
    pub fn push(&mut self, chunk: &[u8]) {
        if !chunk.is_empty() {
            self.chunks.push_back(chunk.to_vec());
        }
    }

    /// No more chunks will come.
    pub fn end(&mut self) {
        self.ended = true;
    }

    fn take(&mut self, out: &mut [u8]) -> Filled {
        let mut written = 0;
        while written < out.len() {
            let Some(chunk) = self.chunks.front() else { break };
            let n = (chunk.len() - self.taken).min(out.len() - written);
            out[written..written + n].copy_from_slice(&chunk[self.taken..self.taken + n]);
            written += n;
            self.taken += n;
            if self.taken == chunk.len() {
                self.chunks.pop_front();
                self.taken = 0;
            }
        }
        match written {
            0 if self.ended => Filled::End,
            0 => Filled::NeedInput,
            n => Filled::Bytes(n),
        }
    }
}

/// Reads what is pushed into a shared [`ChunkQueue`].
#[derive(Debug)]
pub struct QueueInput {
    queue: Arc<Mutex<ChunkQueue>>,
    position: u64,
}

impl QueueInput {
    /// Reads from `queue`.
    #[must_use]
    pub fn new(queue: Arc<Mutex<ChunkQueue>>) -> Self {
        Self { queue, position: 0 }
    }
}

impl Input for QueueInput {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let filled = self.queue.lock().unwrap_or_else(PoisonError::into_inner).take(out);
        if let Filled::Bytes(n) = filled {
            self.position += n as u64;
        }
        Ok(filled)
    }

    fn position(&self) -> u64 {
        self.position
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A file that goes when it is dropped.
    pub struct TempFile(PathBuf);

    impl TempFile {
        pub fn new(name: &str, octets: &[u8]) -> Self {
            let path = std::env::temp_dir().join(format!("tcpskein-{name}-{}", std::process::id()));
            std::fs::write(&path, octets).unwrap();
            Self(path)
        }

        pub fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for TempFile {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    /// Whether this process has the file open, as the kernel tells it.
    #[cfg(target_os = "linux")]
    pub fn is_open(path: &Path) -> bool {
        let entries = std::fs::read_dir("/proc/self/fd").unwrap();
        entries.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == path))
    }

    #[test]
    fn file_input_of_a_device_may_stall() {
        let file = TempFile::new("stall", b"x");
        assert!(!FileInput::open(file.path()).unwrap().may_stall());
        if cfg!(unix) {
            assert!(FileInput::open(Path::new("/dev/zero")).unwrap().may_stall());
        }
    }
}
