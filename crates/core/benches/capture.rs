//! How fast packets are found: plain pcap, the same as pcapng, and compressed against `gzip -dc` and `zstd -dc`.
//!
//! `TCPSKEIN_BENCH_PCAP=big.pcap cargo bench -p tcpskein-core --bench capture`: works on its first 200 MB, writes
//! its files to the temporary folder, and asserts equal packets before it takes a time. Best of five runs.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tcpskein_core::capture::{BlockReader, DecodingInput, FileInput, Filled, Next};

const PIECE_LEN: u64 = 200 << 20;
const RUNS: u32 = 5;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Packets and a sum over their places, times and first octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Answer {
    packets: u64,
    octets: u64,
    sum: u64,
}

fn read(path: &Path) -> Result<Answer> {
    let mut input = DecodingInput::open(Box::new(FileInput::open(path)?));
    let mut reader = BlockReader::default();
    let mut block = vec![0; 1 << 20];
    let mut answer = Answer::default();
    while let Filled::Bytes(_) = reader.fill(&mut block, &mut input)? {
        while let Next::Packet(packet) = reader.next(&block)? {
            answer.packets += 1;
            answer.octets += u64::from(packet.captured_len);
            let first = packet.bytes(&block).first().copied().unwrap_or(0);
            answer.sum = answer.sum.wrapping_mul(31).wrapping_add(packet.ts_ns.cast_unsigned() ^ u64::from(first));
        }
        reader.release(&block);
    }
    reader.finish()?;
    Ok(answer)
}

fn best(mut run: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        run()?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

/// The first packets of `source` as classic pcap and as pcapng.
fn prepare(source: &Path, folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let mut bytes = Vec::new();
    File::open(source)?.take(PIECE_LEN).read_to_end(&mut bytes)?;
    let mut next_generation = Vec::with_capacity(bytes.len() * 5 / 4);
    block(&mut next_generation, 0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes(), &[1, 0, 0, 0], &[0xff; 8]]);
    block(&mut next_generation, 1, &[&bytes[20..22], &[0; 6]]);
    let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk::<4>()?));
    let mut at = 24;
    while let (Some(seconds), Some(micros), Some(len), Some(wire)) =
        (word(at), word(at + 4), word(at + 8), word(at + 12))
    {
        let Some(data) = bytes.get(at + 16..at + 16 + len as usize) else { break };
        let ticks = u64::from(seconds) * 1_000_000 + u64::from(micros);
        let (high, low) = (((ticks >> 32) as u32).to_le_bytes(), (ticks as u32).to_le_bytes());
        let pad = [0; 3];
        let pad = &pad[..data.len().next_multiple_of(4) - data.len()];
        let fields = [&[0; 4], &high, &low, &len.to_le_bytes(), &wire.to_le_bytes()];
        let parts: Vec<&[u8]> = fields.iter().map(|field| field.as_slice()).chain([data, pad]).collect();
        block(&mut next_generation, 6, &parts);
        at += 16 + data.len();
    }
    let (plain, other) = (folder.join("piece.pcap"), folder.join("piece.pcapng"));
    fs::write(&plain, &bytes[..at])?;
    fs::write(&other, next_generation)?;
    Ok((plain, other))
}

fn block(out: &mut Vec<u8>, kind: u32, parts: &[&[u8]]) {
    let len = (parts.iter().map(|part| part.len()).sum::<usize>() as u32 + 12).to_le_bytes();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&len);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&len);
}

/// What another program decodes, read to its end and thrown away.
fn decode_by(program: &str, path: &Path) -> Result<()> {
    let mut child = Command::new(program).arg("-dc").arg(path).stdout(Stdio::piped()).spawn()?;
    let mut out = child.stdout.take().ok_or("no output")?;
    let mut buffer = vec![0; 1 << 20];
    while out.read(&mut buffer)? > 0 {}
    child.wait()?;
    Ok(())
}

fn compress_by(program: &str, source: &Path, suffix: &str) -> Result<Option<PathBuf>> {
    let target = source.with_extension(format!("pcap.{suffix}"));
    let out = File::create(&target)?;
    match Command::new(program).arg("-c").arg(source).stdout(out).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(Some(target)),
        _ => Ok(None),
    }
}

fn main() -> Result<()> {
    let mut out = io::stdout();
    let Some(source) = std::env::var_os("TCPSKEIN_BENCH_PCAP") else {
        writeln!(out, "SKIPPED: set TCPSKEIN_BENCH_PCAP to a little-endian pcap of 200 MB or more")?;
        return Ok(());
    };
    let folder = std::env::temp_dir().join("tcpskein-bench-capture");
    fs::create_dir_all(&folder)?;
    let (plain, next_generation) = prepare(Path::new(&source), &folder)?;
    let expected = read(&plain)?;
    let size = fs::metadata(&plain)?.len();
    writeln!(out, "{} packets, {size} octets of pcap", expected.packets)?;
    let mut report = |name: &str, path: &Path, other: Option<&str>| -> Result<()> {
        assert_eq!(read(path)?, expected, "{name}");
        let ours = best(|| read(path).map(drop))?;
        let speed = size as f64 / ours.as_secs_f64() / 1e6;
        write!(out, "{name:8} {:8.1} ms {speed:7.0} MB/s", ours.as_secs_f64() * 1e3)?;
        if let Some(program) = other {
            let theirs = best(|| decode_by(program, path))?;
            let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
            write!(out, "   {program} -dc {:8.1} ms, ratio {ratio:.2}", theirs.as_secs_f64() * 1e3)?;
        }
        writeln!(out)?;
        Ok(())
    };
    report("pcap", &plain, None)?;
    report("pcapng", &next_generation, None)?;
    for (program, suffix) in [("gzip", "gz"), ("zstd", "zst"), ("lz4", "lz4"), ("xz", "xz")] {
        match compress_by(program, &plain, suffix)? {
            // xz takes minutes to compress.
            Some(path) => report(program, &path, Some(program))?,
            None => eprint_skip(program),
        }
    }
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn eprint_skip(program: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED {program}: it is not installed");
}
