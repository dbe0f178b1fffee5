//! Recordings: packets into files, on a thread of the recorder's own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::Object;
use napi::{Env, Error, JsDeferred, Result};
use napi_derive::napi;
use tcpskein_core::error::FlowError;
use tcpskein_live::{FileFormat, RecordOptions, Recorder};

use crate::error::{reject, throw};
use crate::live::{NativeLiveOptions, duration};

/// Where packets go.
#[napi(object)]
pub struct NativeRecordOptions {
    /// The file.
    pub path: String,
    /// pcapng, else pcap.
    pub pcapng: bool,
    /// Compress with Zstandard.
    pub zstd: bool,
    /// Octets after which a new file begins.
    pub rotate_bytes: Option<f64>,
    /// Seconds after which a new file begins.
    pub rotate_time: Option<f64>,
    /// Files that are kept.
    pub max_files: Option<u32>,
}

/// What a recording came to so far.
#[napi(object)]
pub struct NativeRecordTotals {
    /// Packets written.
    pub packets: f64,
    /// Octets of them captured.
    pub captured_bytes: f64,
    /// Octets written, before compression.
    pub file_bytes: f64,
    /// Files begun.
    pub files: f64,
    /// Packets that the filter chose.
    pub received: f64,
    /// Packets that the system dropped.
    pub dropped: f64,
    /// Packets that the interface dropped.
    pub dropped_by_interface: f64,
}

type Resolver = Box<dyn FnOnce(Env) -> Result<()>>;

/// Who waits for the end, or the end.
#[derive(Default)]
enum End {
    #[default]
    Open,
    Waited(JsDeferred<(), Resolver>),
    Reached(std::result::Result<(), FlowError>),
}

/// A recording that runs.
#[napi]
pub struct NativeRecorder {
    recorder: Recorder,
    end: Arc<Mutex<End>>,
}

#[napi]
impl NativeRecorder {
    /// Begins to record.
    #[napi(factory, catch_unwind)]
    pub fn start(
        live: NativeLiveOptions,
        record: NativeRecordOptions,
    ) -> std::result::Result<Self, Error<&'static str>> {
        let record = RecordOptions {
            path: PathBuf::from(record.path),
            format: if record.pcapng { FileFormat::Pcapng } else { FileFormat::Pcap },
            zstd: record.zstd,
            rotate_bytes: record.rotate_bytes.map(|octets| octets as u64),
            rotate_time: record.rotate_time.map(duration),
            max_files: record.max_files,
        };
        let end = Arc::<Mutex<End>>::default();
        let reached = Arc::clone(&end);
        let start = |live| {
            Recorder::start(&live, record, move |ended| {
                let mut end = reached.lock().unwrap_or_else(PoisonError::into_inner);
                match std::mem::take(&mut *end) {
                    End::Waited(deferred) => settle(deferred, ended),
                    _ => *end = End::Reached(ended),
                }
            })
        };
        let recorder = live.try_into().and_then(start).map_err(|e| throw(&e))?;
        Ok(Self { recorder, end })
    }

    /// Resolves when all is written; rejects where the recording broke off. To be called once.
    #[napi(ts_return_type = "Promise<void>", catch_unwind)]
    pub fn ended<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred::<(), Resolver>()?;
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *end) {
            End::Reached(ended) => settle(deferred, ended),
            _ => *end = End::Waited(deferred),
        }
        Ok(promise)
    }

    /// What was written so far.
    #[napi(catch_unwind)]
    pub fn totals(&self) -> NativeRecordTotals {
        let totals = self.recorder.totals();
        NativeRecordTotals {
            packets: totals.packets as f64,
            captured_bytes: totals.captured_bytes as f64,
            file_bytes: totals.file_bytes as f64,
            files: totals.files as f64,
            received: totals.losses.received as f64,
            dropped: totals.losses.by_system as f64,
            dropped_by_interface: totals.losses.by_interface as f64,
        }
    }

    /// Ends the recording, after what arrived before is written.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.recorder.stop();
    }
}

fn settle(deferred: JsDeferred<(), Resolver>, ended: std::result::Result<(), FlowError>) {
    deferred.resolve(Box::new(move |env| ended.map_err(|error| reject(env, &error))));
}
