//! One reader class for every kind of session.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Object, PromiseRaw, Uint8Array, Uint32Array};
use napi::{Env, Error, Result};
use napi_derive::napi;
use tcpskein_core::capture::{CaptureLog, ChunkQueue};
use tcpskein_core::error::FlowError;
use tcpskein_core::session::{
    FlowSession, MergedSource, PacketSession, PartitionSession, SeriesSession, Session, Source, StreamSession,
    TraceSession,
};
use tcpskein_live::Control;

use crate::error::{keep_panics_quiet, throw};
use crate::job::Job;
use crate::live::{NativeLiveOptions, open_live};
use crate::options::{
    NativeFlowOptions, NativePacketOptions, NativePartitionOptions, NativeStreamOptions, NativeTraceOptions,
};
use crate::worker::{Loan, Worker, answer_here};

/// Reads captures on a thread of its own and fills batches, one request after another.
#[napi]
pub struct NativeReader {
    job: Arc<Job>,
    /// Begun with the first request; none where the system gives no thread.
    worker: OnceCell<Option<Worker>>,
    /// Of the stream that was opened last, or of each capture that is merged.
    queues: Vec<Option<Arc<Mutex<ChunkQueue>>>>,
    wanted: Arc<AtomicU32>,
    captures: CaptureLog,
    /// Of the live source that was opened last.
    live: Option<Control>,
}

/// One of several captures to be merged.
#[napi(object)]
pub struct NativeMember {
    /// Stands in records and errors.
    pub name: String,
    /// A file; without it octets will be pushed.
    pub path: Option<String>,
}

#[napi]
impl NativeReader {
    /// A reader of flow records.
    #[napi(factory, catch_unwind)]
    pub fn flows(options: NativeFlowOptions) -> std::result::Result<Self, Error<&'static str>> {
        let options = options.try_into().map_err(|e: FlowError| throw(&e))?;
        Ok(Self::new(Box::new(FlowSession::new(options))))
    }

    /// A reader of packets.
    #[napi(factory, catch_unwind)]
    pub fn packets(options: NativePacketOptions) -> std::result::Result<Self, Error<&'static str>> {
        let options = options.try_into().map_err(|e: FlowError| throw(&e))?;
        Ok(Self::new(Box::new(PacketSession::new(options))))
    }

    /// A reader of packets with partition keys.
    #[napi(factory, catch_unwind)]
    pub fn partitions(options: NativePartitionOptions) -> std::result::Result<Self, Error<&'static str>> {
        let options = options.try_into().map_err(|e: FlowError| throw(&e))?;
        Ok(Self::new(Box::new(PartitionSession::new(options))))
    }

    /// A reader of stream events and connection records.
    #[napi(factory, catch_unwind)]
    pub fn streams(options: NativeStreamOptions) -> std::result::Result<Self, Error<&'static str>> {
        let options = options.try_into().map_err(|e: FlowError| throw(&e))?;
        Ok(Self::new(Box::new(StreamSession::new(options))))
    }

    /// A reader that writes a capture file per TCP flow, and tells of flows that ended.
    #[napi(factory, catch_unwind)]
    pub fn trace(options: NativeTraceOptions) -> std::result::Result<Self, Error<&'static str>> {
        let options = options.try_into().map_err(|e: FlowError| throw(&e))?;
        Ok(Self::new(Box::new(TraceSession::new(options))))
    }

    /// A reader of the segments of the connections with these serial numbers, and of the first `head_bytes` octets of
    /// each of their directions.
    #[napi(factory, catch_unwind)]
    pub fn series(
        options: NativeStreamOptions,
        connections: Vec<f64>,
        head_bytes: u32,
    ) -> std::result::Result<Self, Error<&'static str>> {
        let options = options.try_into().map_err(|e: FlowError| throw(&e))?;
        let connections = connections.into_iter().map(|id| id as u64).collect();
        Ok(Self::new(Box::new(SeriesSession::new(options, connections, head_bytes as usize))))
    }

    fn new(session: Box<dyn Session>) -> Self {
        keep_panics_quiet();
        Self {
            captures: session.captures(),
            job: Arc::new(Job::new(session)),
            worker: OnceCell::new(),
            queues: Vec::new(),
            wanted: Arc::default(),
            live: None,
        }
    }

    /// Where things lie in a batch, as JSON.
    #[napi(catch_unwind)]
    pub fn layout(&self) -> std::result::Result<String, Error<&'static str>> {
        self.job.with(|s| s.describe()).map_err(|e| throw(&e))
    }

    /// Octets of the block to be lent with each batch; 0 where none is needed.
    #[napi(catch_unwind)]
    pub fn block_length(&self) -> std::result::Result<u32, Error<&'static str>> {
        self.job.with(|s| s.block_len() as u32).map_err(|e| throw(&e))
    }

    /// Begins with the file `path`; `name` stands in errors.
    #[napi(catch_unwind)]
    pub fn open_path(&mut self, path: String, name: String) -> std::result::Result<(), Error<&'static str>> {
        self.queues.clear();
        self.open(Source::Path(PathBuf::from(path)), &name)
    }

    /// Begins to capture. What goes wrong comes with the first request, as with a file that can't be opened.
    #[napi(catch_unwind)]
    pub fn open_live(
        &mut self,
        options: NativeLiveOptions,
        name: String,
    ) -> std::result::Result<(), Error<&'static str>> {
        self.queues.clear();
        let (input, control) = open_live(options);
        self.live = control;
        self.open(Source::Live(input), &name)
    }

    /// Resolves when the live source may have packets, when time has gone on, or when it ends.
    #[napi(ts_return_type = "Promise<void>", catch_unwind)]
    pub fn live_ready<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred::<(), fn(Env) -> Result<()>>()?;
        match &self.live {
            Some(control) => control.when_ready(move || deferred.resolve(|_| Ok(()))),
            None => deferred.resolve(|_| Ok(())),
        }
        Ok(promise)
    }

    /// Begins with octets that will be pushed.
    #[napi(catch_unwind)]
    pub fn open_stream(&mut self, name: String) -> std::result::Result<(), Error<&'static str>> {
        let queue = Arc::new(Mutex::new(ChunkQueue::default()));
        self.queues = vec![Some(Arc::clone(&queue))];
        self.open(Source::Queue(queue), &name)
    }

    /// Begins with captures that are read as one, merged by packet time.
    #[napi(catch_unwind)]
    pub fn open_merged(&mut self, members: Vec<NativeMember>) -> std::result::Result<(), Error<&'static str>> {
        self.queues.clear();
        let members = members.into_iter().map(|NativeMember { name, path }| {
            let queue = path.is_none().then(|| Arc::new(Mutex::new(ChunkQueue::default())));
            self.queues.push(queue.clone());
            let source = match (path, queue) {
                (None, Some(queue)) => Source::Queue(queue),
                (path, _) => Source::Path(PathBuf::from(path.unwrap_or_default())),
            };
            (source, name)
        });
        let members = members.collect();
        self.wanted.store(0, Ordering::Release);
        self.open(Source::Merged(MergedSource { members, wanted: Arc::clone(&self.wanted) }), "merged captures")
    }

    /// Number of the merged capture that needs octets, after an answer that says so.
    #[napi(catch_unwind)]
    pub fn wanted(&self) -> u32 {
        self.wanted.load(Ordering::Acquire)
    }

    /// What was found out about captures that are at their end, as JSON; each is told once.
    #[napi(catch_unwind)]
    pub fn captures(&self) -> String {
        self.captures.take_json()
    }

    fn open(&self, source: Source, name: &str) -> std::result::Result<(), Error<&'static str>> {
        self.job.with(|s| s.open(source, name)).map_err(|e| throw(&e))
    }

    /// Copies a chunk of the stream that was opened last, or of the merged capture `member`.
    #[napi(catch_unwind)]
    pub fn push(&self, chunk: &[u8], member: u32) {
        if let Some(Some(queue)) = self.queues.get(member as usize) {
            queue.lock().unwrap_or_else(PoisonError::into_inner).push(chunk);
        }
    }

    /// The stream that was opened last, or the merged capture `member`, is at its end. A live source ends soon.
    #[napi(catch_unwind)]
    pub fn end_stream(&self, member: u32) {
        if let Some(control) = &self.live {
            control.stop();
        }
        if let Some(Some(queue)) = self.queues.get(member as usize) {
            queue.lock().unwrap_or_else(PoisonError::into_inner).end();
        }
    }

    /// Requests may be made before earlier ones are answered; they are answered in order.
    #[napi(getter, catch_unwind)]
    pub fn takes_several(&self) -> bool {
        true
    }

    /// Reads on and fills the buffers, which must not be touched until the promise is settled: rows × 8 + status.
    /// Flow readers need a batch only; packet and stream readers also a block, for octets that rows point to.
    /// What `given_back` is depends on the reader.
    #[napi(ts_return_type = "Promise<number>", catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        batch: Uint8Array,
        block: Option<Uint8Array>,
        given_back: Option<Uint32Array>,
    ) -> Result<PromiseRaw<'env, u32>> {
        let given_back = given_back.map(|ids| ids.to_vec()).unwrap_or_default();
        let loan = Loan { batch, block, given_back };
        if !self.job.is_closing()
            && let Some(worker) = self.worker.get_or_init(|| Worker::begin(env, &self.job).ok())
        {
            return worker.ask(env, loan);
        }
        answer_here(env, &self.job, loan)
    }

    /// Ends every open flow before the next request reads on.
    #[napi(catch_unwind)]
    pub fn flush(&self) {
        self.job.flush();
    }

    /// No more captures will come.
    #[napi(catch_unwind)]
    pub fn finish(&self) -> std::result::Result<(), Error<&'static str>> {
        self.job.with(|s| s.finish()).map_err(|e| throw(&e))
    }

    /// Throws why the last capture failed, if it did; of merged captures several may have.
    #[napi(catch_unwind)]
    pub fn throw_error(&self) -> std::result::Result<(), Error<&'static str>> {
        match self.job.with(|s| s.take_error()).map_err(|e| throw(&e))? {
            Some(error) => Err(throw(&error)),
            None => Ok(()),
        }
    }

    /// For tests only: the next request panics.
    #[napi(catch_unwind)]
    pub fn panic_for_tests(&self) {
        self.job.panic_for_tests();
    }

    /// The payload of connection `id` in `slot` isn't wanted; known from the next request on.
    #[napi(catch_unwind)]
    pub fn unwant(&self, slot: u32, id: f64) {
        self.job.unwant(slot, id as u64);
    }

    /// Lets go of files and memory, after the request under way if there is one; may be called again.
    #[napi(catch_unwind)]
    pub fn close(&mut self) {
        self.queues.clear();
        self.live = None;
        self.job.close();
        if let Some(Some(worker)) = self.worker.get() {
            worker.end();
        }
    }
}
