//! The decoders themselves, each around a [`Source`], and the words for what can go wrong in them.

use std::io::{self, BufRead, ErrorKind, Read};
use std::rc::Rc;

use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;

use super::Compression;
use super::gzip::GzipReader;
use super::source::{Gauge, Source};
use crate::error::FlowError;

/// Binary logarithm of the largest window a zstd file may ask for: 128 MiB, as `zstd -d` allows without `--long`.
pub const MAX_ZSTD_WINDOW_LOG: u32 = 27;

/// Memory an xz file may ask for, in KiB: a dictionary of 64 MiB (`xz -9`) and what is needed besides.
pub const MAX_XZ_MEMORY_KIB: u32 = (64 << 10) + 1024;

/// A decoder with its source.
pub(super) struct Decoder {
    codec: Codec,
    compression: Compression,
    gauge: Rc<Gauge>,
}

enum Codec {
    Gzip(Box<GzipReader>),
    #[cfg(feature = "zstd")]
    Zstd(Box<zstd::stream::read::Decoder<'static, Source>>),
    Lz4(Box<FrameDecoder<Source>>),
    Xz(Box<XzReader<Source>>),
}

impl Decoder {
    /// A decoder for `source`. A file that begins with skippable frames is judged by what follows them.
    ///
    /// # Errors
    /// [`FlowError::Format`] where this build lacks the decoder or nothing known follows a skippable frame.
    pub(super) fn new(compression: Compression, mut source: Source) -> Result<Self, FlowError> {
        let gauge = source.gauge();
        let compression = match compression {
            Compression::Skippable => {
                after_skippable(&mut source).map_err(|error| explain(Compression::Skippable, &gauge, &error))?
            }
            other => other,
        };
        let codec = match compression {
            Compression::Gzip => Codec::Gzip(Box::new(GzipReader::new(source))),
            Compression::Zstd => zstd_codec(source).map_err(|error| explain(compression, &gauge, &error))?,
            Compression::Lz4 => Codec::Lz4(Box::new(FrameDecoder::new(source))),
            Compression::Xz => Codec::Xz(Box::new(XzReader::new_mem_limit(source, true, MAX_XZ_MEMORY_KIB))),
            Compression::Skippable => {
                let reason = "not a capture: skippable frames, and no data after them".to_owned();
                return Err(FlowError::Format { offset: gauge.consumed.get(), reason });
            }
        };
        Ok(Self { codec, compression, gauge })
    }

    /// Decodes into `out`, which is not empty; 0 at the end.
    ///
    /// # Errors
    /// [`FlowError::Truncated`] where the data is cut, [`FlowError::Damaged`] where it is broken or asks for too
    /// much memory, what the input says otherwise. Offsets are those of the compressed data.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, FlowError> {
        let result = match &mut self.codec {
            Codec::Gzip(decoder) => decoder.read(out),
            #[cfg(feature = "zstd")]
            Codec::Zstd(decoder) => decoder.read(out),
            Codec::Lz4(decoder) => read_lz4(decoder, &self.gauge, out),
            Codec::Xz(decoder) => decoder.read(out),
        };
        result.map_err(|error| explain(self.compression, &self.gauge, &error))
    }
}

#[cfg(feature = "zstd")]
fn zstd_codec(source: Source) -> io::Result<Codec> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
    decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
    Ok(Codec::Zstd(Box::new(decoder)))
}

#[cfg(not(feature = "zstd"))]
fn zstd_codec(_: Source) -> io::Result<Codec> {
    Err(io::Error::new(ErrorKind::Unsupported, "this build was made without zstd"))
}

/// Frames follow each other; skippable ones may stand between them. The crate takes a cut before a block for an end.
fn read_lz4(decoder: &mut FrameDecoder<Source>, gauge: &Gauge, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match decoder.read(out)? {
            0 => {}
            n => return Ok(n),
        }
        // Nothing reads beyond a frame's end mark, so this end was met inside a frame.
        if gauge.ended.get() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let source = decoder.get_mut();
        match next_frame(source)? {
            None => return Ok(0),
            Some(Compression::Lz4) => {}
            Some(_) => return Err(io::Error::new(ErrorKind::InvalidData, "something else follows its end")),
        }
    }
}

/// The format of the data after skippable frames.
fn after_skippable(source: &mut Source) -> io::Result<Compression> {
    Ok(next_frame(source)?.unwrap_or(Compression::Skippable))
}

/// Skips skippable frames; what begins then, `None` at the end.
fn next_frame(source: &mut Source) -> io::Result<Option<Compression>> {
    loop {
        let head = source.peek(4)?;
        if head.is_empty() {
            return Ok(None);
        }
        match Compression::from_magic(head) {
            Some(Compression::Skippable) => {}
            Some(known) => return Ok(Some(known)),
            None => return Err(io::Error::new(ErrorKind::InvalidData, "something else follows its end")),
        }
        // RFC 8878 section 3.1.2: magic number, length, so many octets.
        let mut header = [0; 8];
        source.read_exact(&mut header)?;
        let mut left = u64::from(u32::from_le_bytes([header[4], header[5], header[6], header[7]]));
        while left > 0 {
            let available = source.fill_buf()?.len();
            if available == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let n = usize::try_from(left).map_or(available, |left| left.min(available));
            source.consume(n);
            left -= n as u64;
        }
    }
}

/// What a decoder's error means. The offset is as near as the decoder's own buffering lets us know.
fn explain(compression: Compression, gauge: &Gauge, error: &io::Error) -> FlowError {
    if let Some(failure) = gauge.failure.borrow_mut().take() {
        return failure;
    }
    let offset = gauge.consumed.get();
    let name = compression.name();
    match error.kind() {
        ErrorKind::UnexpectedEof => FlowError::Truncated { what: cut(compression), offset, needed: 1, available: 0 },
        ErrorKind::Unsupported if compression == Compression::Zstd => {
            FlowError::Format { offset, reason: format!("{name} data: {error}") }
        }
        ErrorKind::OutOfMemory => {
            let limit = MAX_XZ_MEMORY_KIB >> 10;
            FlowError::Damaged { offset, reason: format!("the {name} data asks for more than {limit} MiB of memory") }
        }
        _ => {
            let text = error.to_string();
            let reason = if text.contains("too much memory") {
                let limit = 1_u64 << (MAX_ZSTD_WINDOW_LOG - 20);
                format!("the {name} data asks for a window over the limit of {limit} MiB")
            } else {
                format!("the {name} data is damaged: {text} (offset in the compressed file)")
            };
            FlowError::Damaged { offset, reason }
        }
    }
}

fn cut(compression: Compression) -> &'static str {
    match compression {
        Compression::Gzip => "the gzip data",
        Compression::Zstd => "the zstd data",
        Compression::Lz4 => "the lz4 data",
        Compression::Xz => "the xz data",
        Compression::Skippable => "a skippable frame",
    }
}
