//! Packets into files, on a thread of its own: pcap or pcapng, in one file or in several by size or time, compressed
//! where that is wanted.

mod file;
mod names;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tcpskein_core::capture::Losses;
use tcpskein_core::error::FlowError;

use crate::capture::{Advance, Capture};
use crate::control::{Control, Stopper};
use crate::open::{Visit, open_with};
use crate::options::LiveOptions;
use crate::source::PacketSource;
use file::Writer;

/// A file format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileFormat {
    /// Classic pcap: one link type, micro- or nanoseconds.
    Pcap,
    /// pcapng: with the names of interfaces, and what was dropped.
    #[default]
    Pcapng,
}

/// Where packets go.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// The file; with rotation a number is put before its extension, from 00001.
    pub path: PathBuf,
    /// The format.
    pub format: FileFormat,
    /// Compress with Zstandard.
    pub zstd: bool,
    /// Begin a new file before one would get longer than this many octets, counted before compression.
    pub rotate_bytes: Option<u64>,
    /// Begin a new file with the first packet this long after a file's first one.
    pub rotate_time: Option<Duration>,
    /// Files that are kept: the oldest goes when there are more.
    pub max_files: Option<u32>,
}

/// What a recording came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordTotals {
    /// Packets written.
    pub packets: u64,
    /// Octets of them captured.
    pub captured_bytes: u64,
    /// Octets written, before compression.
    pub file_bytes: u64,
    /// Files begun.
    pub files: u64,
    /// What was lost.
    pub losses: Losses,
}

#[derive(Default)]
struct Counters {
    packets: AtomicU64,
    captured_bytes: AtomicU64,
    file_bytes: AtomicU64,
    files: AtomicU64,
    losses: Mutex<Losses>,
}

/// Why a recording ended, where it wasn't told to.
pub type RecordEnd = Result<(), FlowError>;

/// A recording that runs.
pub struct Recorder {
    stopper: Stopper,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Begins to record; `ended` is called once, on the recording's thread, when all is written.
    ///
    /// # Errors
    /// Those of [`crate::open`], and [`FlowError::Io`] where the first file can't be made.
    pub fn start(
        live: &LiveOptions,
        record: RecordOptions,
        ended: impl FnOnce(RecordEnd) + Send + 'static,
    ) -> Result<Self, FlowError> {
        // A classic file has one link type, whatever the interfaces.
        let cooked = record.format == FileFormat::Pcap && live.interface == "any";
        let live = LiveOptions { cooked: live.cooked || cooked, ..live.clone() };
        let counters = Arc::<Counters>::default();
        let start = Start { record, counters: Arc::clone(&counters), ended: Box::new(ended) };
        let (started, control) = open_with(&live, start)?;
        let Started { thread, control: send } = started?;
        let stopper = control.stopper();
        // The thread waits for it before anything else, and lets go of it at its end.
        let _ = send.send(control);
        Ok(Self { stopper, counters, thread: Some(thread) })
    }

    /// Ends the recording: what arrived before is written, then `ended` is called.
    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// What was written so far.
    #[must_use]
    pub fn totals(&self) -> RecordTotals {
        let Counters { packets, captured_bytes, file_bytes, files, losses } = &*self.counters;
        RecordTotals {
            packets: packets.load(Ordering::Relaxed),
            captured_bytes: captured_bytes.load(Ordering::Relaxed),
            file_bytes: file_bytes.load(Ordering::Relaxed),
            files: files.load(Ordering::Relaxed),
            losses: *losses.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Start {
    record: RecordOptions,
    counters: Arc<Counters>,
    ended: Box<dyn FnOnce(RecordEnd) + Send>,
}

struct Started {
    thread: JoinHandle<()>,
    control: mpsc::Sender<Control>,
}

impl Visit for Start {
    type Output = Result<Started, FlowError>;

    fn visit(self, capture: Capture<impl PacketSource + 'static>, options: &LiveOptions) -> Self::Output {
        let Self { record, counters, ended } = self;
        let writer = Writer::open(record, options, capture.source())?;
        let (control, controls) = mpsc::channel::<Control>();
        let thread = std::thread::Builder::new()
            .name("tcpskein-record".to_owned())
            .spawn(move || {
                let end = match controls.recv() {
                    Ok(control) => Job { capture, writer, counters }.run(&control),
                    // Nobody wants it any more.
                    Err(_) => Ok(()),
                };
                ended(end);
            })
            .map_err(|source| FlowError::Io { op: "start a thread", source })?;
        Ok(Started { thread, control })
    }
}

/// What the thread does.
struct Job<S> {
    capture: Capture<S>,
    writer: Writer,
    counters: Arc<Counters>,
}

impl<S: PacketSource> Job<S> {
    fn run(mut self, control: &Control) -> RecordEnd {
        let written = self.write_all(control);
        self.capture.look_around();
        let finished = self.writer.finish(self.capture.losses());
        self.count();
        written?;
        finished?;
        self.capture.take_failure().map_or(Ok(()), Err)
    }

    fn write_all(&mut self, control: &Control) -> RecordEnd {
        loop {
            self.capture.look_around();
            // So many packets between two looks.
            for _ in 0..4096 {
                match self.capture.advance() {
                    Advance::Packet => self.writer.write(&self.capture.packet(), self.capture.source())?,
                    Advance::Nothing => {
                        self.writer.flush()?;
                        self.count();
                        wait(control);
                        break;
                    }
                    Advance::End => return Ok(()),
                }
            }
            self.count();
        }
    }

    fn count(&self) {
        let totals = self.writer.totals();
        let Counters { packets, captured_bytes, file_bytes, files, losses } = &*self.counters;
        packets.store(totals.packets, Ordering::Relaxed);
        captured_bytes.store(totals.captured_bytes, Ordering::Relaxed);
        file_bytes.store(totals.file_bytes, Ordering::Relaxed);
        files.store(totals.files, Ordering::Relaxed);
        *losses.lock().unwrap_or_else(PoisonError::into_inner) = self.capture.losses();
    }
}

/// Waits until there may be packets.
fn wait(control: &Control) {
    let (ready, readies) = mpsc::sync_channel(1);
    control.when_ready(move || {
        // Somebody waits for it below.
        let _ = ready.send(());
    });
    let _ = readies.recv();
}

#[cfg(test)]
mod tests;
