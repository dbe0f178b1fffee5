//! Takes one layer of compression off an input: gzip, zstd, lz4 or xz, found by the first octets.
//!
//! Plain data passes through as it is. Compressed data is decoded on a thread of its own, so that decoding and
//! reading packets overlap, and so that a decoder may simply wait where the input has nothing yet. Memory is bounded:
//! a few buffers between the threads, and limits on what a file may ask a decoder to allocate.

mod codec;
mod gzip;
mod outbox;
mod source;
mod worker;

pub use codec::{MAX_XZ_MEMORY_KIB, MAX_ZSTD_WINDOW_LOG};

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::{Filled, Input};
use crate::error::FlowError;
use codec::Decoder;
use source::Source;
use worker::Worker;

/// Octets of the longest magic number.
const MAGIC_LEN: usize = 6;

/// A compression format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip (RFC 1952), of one member or several.
    Gzip,
    /// Zstandard (RFC 8878), of one frame or several.
    Zstd,
    /// LZ4 frames.
    Lz4,
    /// xz, of one stream or several.
    Xz,
    /// A skippable frame, with which zstd's and lz4's files may begin.
    Skippable,
}

impl Compression {
    const MAGICS: [(Self, &'static [u8]); 4] = [
        (Self::Gzip, &[0x1f, 0x8b, 0x08]),
        (Self::Zstd, &[0x28, 0xb5, 0x2f, 0xfd]),
        (Self::Lz4, &[0x04, 0x22, 0x4d, 0x18]),
        (Self::Xz, &[0xfd, b'7', b'z', b'X', b'Z', 0x00]),
    ];
    /// Of 16 magic numbers: the first octet's low half is free.
    const SKIPPABLE_TAIL: &'static [u8] = &[0x2a, 0x4d, 0x18];

    /// The compression of data that begins with `head`.
    #[must_use]
    pub fn from_magic(head: &[u8]) -> Option<Self> {
        let found = Self::MAGICS.iter().find(|(_, magic)| head.starts_with(magic));
        match found {
            Some((compression, _)) => Some(*compression),
            None if head.first()? >> 4 == 5 && head[1..].starts_with(Self::SKIPPABLE_TAIL) => Some(Self::Skippable),
            None => None,
        }
    }

    /// Whether more octets could make a magic number of `head`.
    fn may_begin(head: &[u8]) -> bool {
        let Some(first) = head.first() else { return true };
        Self::MAGICS.iter().any(|(_, magic)| magic.starts_with(head))
            || (first >> 4 == 5 && Self::SKIPPABLE_TAIL.starts_with(&head[1..]))
    }

    /// The format's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
            Self::Skippable => "a skippable frame",
        }
    }
}

/// Decodes where it is asked, for whoever has a thread for it already.
pub(super) struct InlineDecoder(Decoder);

impl InlineDecoder {
    /// Decodes what `inner` has, which must never answer [`Filled::NeedInput`]; `position` is kept up to date.
    ///
    /// # Errors
    /// [`FlowError::Format`] where this build lacks the decoder or nothing known follows a skippable frame.
    pub(super) fn new(
        compression: Compression,
        inner: Box<dyn Input>,
        position: Arc<AtomicU64>,
    ) -> Result<Self, FlowError> {
        Decoder::new(compression, Source::new(inner, &[], None, position)).map(Self)
    }

    /// See [`Input::fill`].
    pub(super) fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let decoded = self.0.read(out)?;
        Ok(if decoded == 0 { Filled::End } else { Filled::Bytes(decoded) })
    }
}

/// An input without its compression, if it has any.
pub struct DecodingInput {
    state: State,
    compression: Option<Compression>,
    is_steady: bool,
}

enum State {
    /// The first octets, too few to tell.
    Sniffing { inner: Box<dyn Input>, head: Vec<u8> },
    /// Plain data whose first octets are still to be given.
    Head { inner: Box<dyn Input>, head: Vec<u8>, taken: usize },
    /// Plain data.
    Plain(Box<dyn Input>),
    /// Compressed data.
    Decoding(Worker),
    /// No thread could be started.
    Failed,
}

impl DecodingInput {
    /// Decodes what `inner` delivers, if it is compressed.
    #[must_use]
    pub fn open(inner: Box<dyn Input>) -> Self {
        let is_steady = inner.is_steady();
        Self { state: State::Sniffing { inner, head: Vec::new() }, compression: None, is_steady }
    }

    /// Reads first octets until they tell what the data is. Plain data that came in one piece stays in `out`.
    fn sniff(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let State::Sniffing { inner, head } = &mut self.state else { return Ok(Filled::End) };
        loop {
            let filled = inner.fill(out)?;
            let fresh: &[u8] = match filled {
                Filled::Bytes(n) => &out[..n],
                Filled::NeedInput => return Ok(filled),
                Filled::End => &[],
            };
            let undecided = filled != Filled::End && head.len() + fresh.len() < MAGIC_LEN;
            if head.is_empty() && !undecided {
                return self.decide_whole(filled, out);
            }
            head.extend_from_slice(fresh);
            if !(undecided && Compression::from_magic(head).is_none() && Compression::may_begin(head)) {
                return self.decide_head(out);
            }
        }
    }

    /// The data's first octets lie in `out`.
    fn decide_whole(&mut self, filled: Filled, out: &mut [u8]) -> Result<Filled, FlowError> {
        let Filled::Bytes(n) = filled else {
            self.set(|inner, _| State::Plain(inner));
            return Ok(filled);
        };
        match Compression::from_magic(&out[..n]) {
            None => {
                self.set(|inner, _| State::Plain(inner));
                Ok(filled)
            }
            Some(compression) => self.decode(compression, out[..n].to_vec(), out),
        }
    }

    /// The data's first octets came in pieces and lie in the head.
    fn decide_head(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        let State::Sniffing { head, .. } = &mut self.state else { return Ok(Filled::End) };
        match Compression::from_magic(head) {
            Some(compression) => {
                let head = std::mem::take(head);
                self.decode(compression, head, out)
            }
            None => {
                self.set(|inner, head| State::Head { inner, head, taken: 0 });
                self.fill(out)
            }
        }
    }

    fn decode(&mut self, compression: Compression, head: Vec<u8>, out: &mut [u8]) -> Result<Filled, FlowError> {
        self.compression = Some(compression);
        let State::Sniffing { inner, .. } = std::mem::replace(&mut self.state, State::Failed) else {
            return Ok(Filled::End);
        };
        self.state = State::Decoding(Worker::start(compression, inner, head)?);
        self.fill(out)
    }

    fn set(&mut self, next: impl FnOnce(Box<dyn Input>, Vec<u8>) -> State) {
        self.state = match std::mem::replace(&mut self.state, State::Failed) {
            State::Sniffing { inner, head } => next(inner, head),
            other => other,
        };
    }

    /// Gives what was read while sniffing.
    fn give_head(&mut self, out: &mut [u8]) -> Filled {
        let State::Head { head, taken, .. } = &mut self.state else { return Filled::End };
        let n = (head.len() - *taken).min(out.len());
        out[..n].copy_from_slice(&head[*taken..*taken + n]);
        *taken += n;
        if *taken == head.len() {
            self.state = match std::mem::replace(&mut self.state, State::Failed) {
                State::Head { inner, .. } => State::Plain(inner),
                other => other,
            };
        }
        Filled::Bytes(n)
    }
}

impl Input for DecodingInput {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        match &mut self.state {
            State::Plain(inner) => inner.fill(out),
            State::Decoding(worker) => worker.fill(out),
            State::Sniffing { .. } => self.sniff(out),
            State::Head { .. } => Ok(self.give_head(out)),
            State::Failed => Ok(Filled::End),
        }
    }

    fn position(&self) -> u64 {
        match &self.state {
            State::Sniffing { inner, .. } | State::Head { inner, .. } | State::Plain(inner) => inner.position(),
            State::Decoding(worker) => worker.position(),
            State::Failed => 0,
        }
    }

    fn compression(&self) -> Option<Compression> {
        self.compression
    }

    fn may_stall(&self) -> bool {
        match &self.state {
            State::Sniffing { inner, .. } | State::Head { inner, .. } | State::Plain(inner) => inner.may_stall(),
            State::Decoding(worker) => worker.may_stall(),
            State::Failed => false,
        }
    }

    fn is_steady(&self) -> bool {
        self.is_steady
    }
}
