//! Flow records, packets, stream events, connection records and their analysis, of a capture given as argument: ns per packet,
//! best of five, beside a plain read.
//!
//! `cargo bench -p tcpskein-core --bench pipeline -- FILE [JOB]`; `flows2` and `flows3` are flows with two
//! and three threads.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and may fail loudly")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tcpskein_core::chain::Chain;
use tcpskein_core::decode::DecodeOptions;
use tcpskein_core::session::{
    Buffers, FlowSession, FlowSessionOptions, PacketSession, PacketSessionOptions, Session, Source, Status,
    StreamSession, StreamSessionOptions,
};

fn plain_read(path: &Path) -> f64 {
    let start = Instant::now();
    let mut file = std::fs::File::open(path).unwrap();
    let mut block = vec![0; 512 * 1024];
    while file.read(&mut block).unwrap() > 0 {}
    start.elapsed().as_secs_f64()
}

/// Runs a session over a file, into two batches and blocks in turn as JavaScript lends them; rows that come out.
fn drive(path: &Path, session: &mut dyn Session) -> usize {
    session.open(Source::Path(path.to_path_buf()), "capture");
    let mut lent = [(); 2].map(|()| (vec![0; session.batch_len()], vec![0; session.block_len()]));
    let mut rows = 0;
    for turn in 0.. {
        let (batch, block) = &mut lent[turn % 2];
        let progress = session.next(&mut Buffers { batch, block, given_back: &[] });
        rows += progress.rows;
        match progress.status {
            Status::SourceEnd | Status::SourceFailed => session.finish(),
            Status::Done => break,
            _ => {}
        }
    }
    rows
}

fn flows(path: &Path, threads: usize) -> (f64, u64, usize) {
    let start = Instant::now();
    let decode = DecodeOptions { threads, ..Default::default() };
    let options = FlowSessionOptions { chains: vec![Chain::Basic, Chain::Tcp], decode, ..Default::default() };
    let mut session = FlowSession::new(options);
    let records = drive(path, &mut session);
    (start.elapsed().as_secs_f64(), session.stats().packets, records)
}

fn streams(path: &Path, options: StreamSessionOptions) -> (f64, u64, usize) {
    let start = Instant::now();
    let mut session = StreamSession::new(options);
    let events = drive(path, &mut session);
    (start.elapsed().as_secs_f64(), session.stats().packets, events)
}

/// Packets as columns; nobody reads them.
fn packets(path: &Path) -> (f64, u64, usize) {
    let start = Instant::now();
    let mut session = PacketSession::new(PacketSessionOptions::default());
    let rows = drive(path, &mut session);
    (start.elapsed().as_secs_f64(), session.stats().packets, rows)
}

/// Seconds, packets and rows of a run.
type Job<'j> = dyn Fn() -> (f64, u64, usize) + 'j;

/// Best time of five runs, which must agree.
fn report(name: &str, read: f64, run: impl Fn() -> (f64, u64, usize)) {
    let mut best = f64::MAX;
    let mut answer = None;
    for _ in 0..5 {
        let (seconds, packets, rows) = run();
        assert_eq!(*answer.get_or_insert((packets, rows)), (packets, rows), "runs must agree");
        best = best.min(seconds);
    }
    let (packets, rows) = answer.unwrap();
    let (each, ratio) = (best * 1e9 / packets as f64, best / read);
    println!("{name}: {packets} packets, {rows} rows: {best:.3} s, {each:.1} ns/packet, {ratio:.2} × plain read");
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let Some(path) = words.next().map(PathBuf::from) else {
        println!("usage: cargo bench -p tcpskein-core --bench pipeline -- FILE [JOB]");
        return;
    };
    let wanted = words.next();
    let is_wanted = |name: &str| wanted.as_deref().is_none_or(|wanted| name == wanted);
    let read = (0..5).map(|_| plain_read(&path)).fold(f64::MAX, f64::min);
    println!("plain read: {read:.3} s");
    let events = StreamSessionOptions { events: true, join: true, ..Default::default() };
    let analyse = StreamSessionOptions { analyse: true, ..Default::default() };
    let jobs: [(&str, &Job<'_>); 7] = [
        ("flows", &|| flows(&path, 1)),
        ("flows2", &|| flows(&path, 2)),
        ("flows3", &|| flows(&path, 3)),
        ("packets", &|| packets(&path)),
        ("streams", &|| streams(&path, events.clone())),
        ("connections", &|| streams(&path, StreamSessionOptions::default())),
        ("analysis", &|| streams(&path, analyse.clone())),
    ];
    for (name, run) in jobs.into_iter().filter(|(name, _)| is_wanted(name)) {
        report(name, read, run);
    }
}
