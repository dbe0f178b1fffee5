//! Every compression: whole, in several parts, in odd pieces, cut, broken, and greedy.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tcpskein_core::capture::{ChunkQueue, Compression, DecodingInput, Filled, Input, QueueInput};
use tcpskein_core::error::FlowError;
use tcpskein_testkit::frame;

use crate::support::{Octets, Random, Reader, Run};

type Encode = fn(&[u8]) -> Vec<u8>;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[cfg(feature = "zstd")]
fn zstandard(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new().content_checksum(true).block_checksums(true);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoders() -> Vec<(Compression, Encode)> {
    vec![
        (Compression::Gzip, gzip),
        #[cfg(feature = "zstd")]
        (Compression::Zstd, zstandard),
        (Compression::Lz4, lz4),
        (Compression::Xz, xz),
    ]
}

/// A capture of a megabyte that compresses by half: random octets and zeros.
fn capture(packets: u64) -> Vec<u8> {
    let mut random = Random(99);
    let frames: Vec<_> = (0..packets)
        .map(|n| {
            let mut data: Vec<u8> = (0..random.below(900)).map(|_| random.below(256) as u8).collect();
            data.resize(data.len() * 2, 0);
            (n, data)
        })
        .collect();
    frame::pcap(&frames)
}

fn skippable(len: u32) -> Vec<u8> {
    let mut out = 0x184d_2a53_u32.to_le_bytes().to_vec();
    out.extend_from_slice(&len.to_le_bytes());
    out.resize(8 + len as usize, 0xab);
    out
}

fn assert_same(name: &str, plain: &Run, run: &Run) {
    assert_eq!(run.message(), "", "{name}");
    assert!(run.packets == plain.packets, "{name}: other packets");
}

#[test]
fn compressed_capture_gives_the_same_packets() {
    let plain = capture(1200);
    let mut reader = Reader::new();
    let expected = reader.plain(&plain);
    assert_eq!(expected.packets.len(), 1200);
    for (compression, encode) in encoders() {
        let compressed = encode(&plain);
        assert_eq!(Compression::from_magic(&compressed), Some(compression));
        let run = reader.any(&compressed);
        assert_same(compression.name(), &expected, &run);
        assert_eq!(run.position, compressed.len() as u64);
    }
}

#[test]
fn compressed_capture_in_several_parts_gives_the_same_packets() {
    let plain = capture(300);
    let mut reader = Reader::new();
    let expected = reader.plain(&plain);
    for (compression, encode) in encoders() {
        let mut parts: Vec<_> = plain.chunks(plain.len() / 7).map(encode).collect();
        parts.insert(3, encode(&[]));
        assert_same(compression.name(), &expected, &reader.any(&parts.concat()));
        if matches!(compression, Compression::Zstd | Compression::Lz4) {
            parts.insert(0, skippable(3));
            parts.insert(1, skippable(300_000));
            parts.insert(4, skippable(0));
            parts.push(skippable(5));
            assert_same(compression.name(), &expected, &reader.any(&parts.concat()));
        }
    }
}

#[test]
fn compressed_capture_pushed_in_odd_pieces_gives_the_same_packets() {
    let plain = capture(200);
    let mut reader = Reader::new();
    let expected = reader.plain(&plain);
    let mut random = Random(5);
    let none: (&str, Encode) = ("plain", <[u8]>::to_vec);
    for (name, encode) in encoders().into_iter().map(|(c, e)| (c.name(), e)).chain([none]) {
        let compressed = encode(&plain);
        for limit in [1, 3, 1000, 70_000, 1 << 20] {
            // One octet at a time takes long: enough of it is enough.
            let mut single = if limit == 1 { 3000 } else { usize::MAX };
            let run = reader.pushed(&compressed, || {
                single = single.saturating_sub(1);
                1 + random.below(if single == 0 { 50_000 } else { limit })
            });
            assert_same(name, &expected, &run);
        }
    }
}

#[test]
fn pushed_octets_are_decoded_before_more_are_asked_for() {
    for (compression, encode) in encoders() {
        // A whole part decodes to a whole packet, which must come out before the next part is there.
        let plain = frame::pcap(&[(1, vec![7; 100])]);
        let queue = Arc::new(Mutex::new(ChunkQueue::default()));
        let mut input = DecodingInput::open(Box::new(QueueInput::new(Arc::clone(&queue))));
        queue.lock().unwrap().push(&encode(&plain));
        let (mut out, mut got) = (vec![0; 1000], 0);
        loop {
            match input.fill(&mut out[got..]).unwrap() {
                Filled::Bytes(n) => got += n,
                other => {
                    assert_eq!(other, Filled::NeedInput);
                    break;
                }
            }
        }
        assert_eq!(&out[..got], plain, "{}", compression.name());
    }
}

#[test]
fn cut_data_is_truncated_and_what_came_before_counts() {
    let plain = capture(300);
    let mut reader = Reader::new();
    let expected = reader.plain(&plain);
    for (compression, encode) in encoders() {
        let name = compression.name();
        let compressed = encode(&plain);
        for len in [compressed.len() - 1, compressed.len() - 5, compressed.len() / 2, 30, 7] {
            let run = reader.any(&compressed[..len]);
            assert!(run.message().starts_with("ERR_CAPTURE_TRUNCATED"), "{name} cut at {len}: {}", run.message());
            assert!(expected.packets.starts_with(&run.packets), "{name} cut at {len}");
            assert_eq!(run.error.and_then(|error| error.offset()), Some(len as u64), "{name}");
        }
        let almost = reader.any(&compressed[..compressed.len() - 1]);
        assert!(almost.packets.len() >= 299, "{name}: only {} packets", almost.packets.len());
    }
}

#[test]
fn changed_data_is_damaged_or_harmless_but_never_silent() {
    let plain = capture(60);
    let mut reader = Reader::new();
    let expected = reader.plain(&plain);
    let mut random = Random(3);
    for (compression, encode) in encoders() {
        let compressed = encode(&plain);
        for _ in 0..150 {
            let mut changed = compressed.clone();
            let at = random.below(changed.len());
            changed[at] ^= 1 << random.below(8);
            let run = reader.any(&changed);
            let name = compression.name();
            match &run.error {
                // A header's flag or name may change without harm.
                None => assert!(run.packets == expected.packets, "{name}: octet {at} changed the packets unseen"),
                Some(error) => assert_ne!(error.code(), "ERR_INTERNAL", "{name}: octet {at}: {error}"),
            }
        }
    }
}

#[test]
fn something_behind_the_end_is_damaged_and_zeros_are_padding() {
    let plain = capture(10);
    let mut reader = Reader::new();
    for (compression, encode) in encoders() {
        let run = reader.any(&[encode(&plain), b"something else".to_vec()].concat());
        assert!(run.message().starts_with("ERR_CAPTURE_DAMAGED"), "{}: {}", compression.name(), run.message());
        assert_eq!(run.packets.len(), 10);
    }
    for encode in [gzip as Encode, xz] {
        let run = reader.any(&[encode(&plain), vec![0; 512]].concat());
        assert_eq!((run.message().as_str(), run.packets.len()), ("", 10));
    }
}

#[test]
fn compressed_twice_is_not_a_capture() {
    for (compression, encode) in encoders() {
        let run = Reader::new().any(&gzip(&encode(&capture(3))));
        let words = format!("which is {} inside compressed data", compression.name());
        assert!(run.message().contains("ERR_CAPTURE_FORMAT"), "{}", run.message());
        assert!(run.message().contains(&words), "{}", run.message());
    }
}

#[test]
fn compressed_nothing_is_empty() {
    for (_, encode) in encoders() {
        assert!(Reader::new().any(&encode(&[])).message().contains("the file is empty"));
    }
    let run = Reader::new().any(&skippable(40));
    assert!(run.message().contains("skippable frames, and no data after them"), "{}", run.message());
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_window_over_the_limit_is_refused_by_name() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(28).unwrap();
    encoder.write_all(&capture(100)).unwrap();
    let run = Reader::new().any(&encoder.finish().unwrap());
    assert!(run.message().contains("window over the limit of 128 MiB"), "{}", run.message());
}

#[test]
fn xz_dictionary_over_the_limit_is_refused_by_name() {
    let mut options = lzma_rust2::XzOptions::with_preset(1);
    options.lzma_options.dict_size = 128 << 20;
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(&capture(2)).unwrap();
    let run = Reader::new().any(&encoder.finish().unwrap());
    assert!(run.message().contains("more than 65 MiB of memory"), "{}", run.message());
}

/// An input that says when it is dropped.
struct Watched<I> {
    inner: I,
    dropped: Arc<AtomicBool>,
}

impl<I: Input> Input for Watched<I> {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        self.inner.fill(out)
    }

    fn position(&self) -> u64 {
        self.inner.position()
    }
}

impl<I> Drop for Watched<I> {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

/// The thread owns the inner input, so that input's end is the thread's.
fn assert_ends(dropped: &AtomicBool) {
    let start = Instant::now();
    while !dropped.load(Ordering::SeqCst) {
        assert!(start.elapsed() < Duration::from_secs(5), "the decoding thread goes on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn dropped_input_ends_its_thread() {
    for (_, encode) in encoders() {
        let compressed = encode(&capture(4000));
        // While the thread has more to give than anyone took.
        let dropped = Arc::new(AtomicBool::new(false));
        let inner = Octets { bytes: compressed.clone(), position: 0, piece: usize::MAX };
        let mut input = DecodingInput::open(Box::new(Watched { inner, dropped: Arc::clone(&dropped) }));
        assert!(matches!(input.fill(&mut [0; 100]), Ok(Filled::Bytes(_))));
        drop(input);
        assert_ends(&dropped);
        // While it waits for octets that never come.
        let dropped = Arc::new(AtomicBool::new(false));
        let queue = Arc::new(Mutex::new(ChunkQueue::default()));
        queue.lock().unwrap().push(&compressed[..20]);
        let inner = QueueInput::new(queue);
        let mut input = DecodingInput::open(Box::new(Watched { inner, dropped: Arc::clone(&dropped) }));
        while let Filled::Bytes(_) = input.fill(&mut [0; 100]).unwrap() {}
        drop(input);
        assert_ends(&dropped);
    }
}

/// Fails after its octets.
struct Failing(Octets);

impl Input for Failing {
    fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        match self.0.fill(out)? {
            Filled::End => Err(FlowError::Io { op: "read", source: io::Error::other("the disk is on fire") }),
            other => Ok(other),
        }
    }

    fn position(&self) -> u64 {
        self.0.position()
    }
}

#[test]
fn failing_input_is_reported_after_its_packets() {
    let plain = capture(100);
    let none: Encode = <[u8]>::to_vec;
    for encode in encoders().into_iter().map(|(_, encode)| encode).chain([none]) {
        let bytes = encode(&plain);
        let failing = || {
            let octets = Octets { bytes: bytes.clone(), position: 0, piece: 5000 };
            Box::new(DecodingInput::open(Box::new(Failing(octets))))
        };
        for run in [Reader::new().run(failing()), Reader::ahead(failing())] {
            assert_eq!(run.message(), "ERR_CAPTURE_IO cannot read: the disk is on fire");
            assert_eq!(run.packets.len(), 100);
        }
    }
}
