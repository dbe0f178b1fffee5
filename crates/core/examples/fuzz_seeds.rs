//! Writes the seeds of a fuzz target into a folder: `fuzz_seeds TARGET FOLDER`.

#![expect(clippy::print_stderr, reason = "a program that says what is wrong")]

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tcpskein_testkit::seeds::{self, Seed};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [target, folder] = &args[..] else {
        eprintln!("usage: fuzz_seeds TARGET FOLDER");
        return ExitCode::from(2);
    };
    match write(target, Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fuzz_seeds: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(target: &str, folder: &Path) -> io::Result<()> {
    let seeds = match target {
        "decompress" => compressed()?,
        _ => seeds::of(target).ok_or_else(|| io::Error::other(format!("no target {target}")))?,
    };
    std::fs::create_dir_all(folder)?;
    seeds.iter().try_for_each(|(name, octets)| std::fs::write(folder.join(name), octets))
}

/// Captures in each compression, as the target wants them: the compression's number, then what stands behind its magic.
fn compressed() -> io::Result<Vec<Seed>> {
    let mut found = Vec::new();
    for (name, file) in seeds::captures() {
        for (number, (kind, octets)) in (0..).zip(each(&file)?) {
            let Some(magic) = MAGIC_LENS.get(usize::from(number)) else { continue };
            // Two members, one behind the other, are one stream.
            let twice = [&octets[*magic..], &octets[..]].concat();
            found.push((format!("{name}.{kind}"), [&[number], &octets[*magic..]].concat()));
            found.push((format!("{name}-twice.{kind}"), [&[number][..], &twice].concat()));
        }
    }
    found.push(("skippable".to_owned(), [&[4][..], &[3, 0, 0, 0, 1, 2, 3]].concat()));
    Ok(found)
}

/// Octets of each magic number, in the order in which the target counts them.
const MAGIC_LENS: [usize; 4] = [3, 4, 4, 6];

fn each(file: &[u8]) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    let mut gzip = flate2::GzBuilder::new()
        .filename("capture")
        .comment("a comment")
        .write(Vec::new(), flate2::Compression::best());
    gzip.write_all(file)?;
    let lz4_info = lz4_flex::frame::FrameInfo::new().content_checksum(true).block_checksums(true);
    let mut lz4 = lz4_flex::frame::FrameEncoder::with_frame_info(lz4_info, Vec::new());
    lz4.write_all(file)?;
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1))?;
    xz.write_all(file)?;
    Ok(vec![("gz", gzip.finish()?), ("zst", zstandard(file)?), ("lz4", lz4.finish()?), ("xz", xz.finish()?)])
}

#[cfg(feature = "zstd")]
fn zstandard(file: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
    encoder.include_checksum(true)?;
    encoder.write_all(file)?;
    encoder.finish()
}

/// Without the library there is nothing to mutate but the magic number.
#[cfg(not(feature = "zstd"))]
fn zstandard(_: &[u8]) -> io::Result<Vec<u8>> {
    Ok(vec![0; 4])
}
