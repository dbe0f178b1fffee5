//! One reader class for every kind of session.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{AsyncTask, Object, Uint8Array, Uint32Array};
use napi::{Env, Error, Result, Task};
use napi_derive::napi;
use tcpskein_core::capture::{CaptureLog, ChunkQueue};
use tcpskein_core::error::FlowError;
use tcpskein_core::session::{
    Buffers, FlowSession, MergedSource, PacketSession, PartitionSession, Progress, SeriesSession, Session, Source,
    StreamSession, TraceSession,
};
use tcpskein_live::Control;

use crate::error::{from_panic, keep_panics_quiet, reject, throw};
use crate::live::{NativeLiveOptions, open_live};
use crate::options::{
    NativeFlowOptions, NativePacketOptions, NativePartitionOptions, NativeStreamOptions, NativeTraceOptions,
};
use crate::panicking::Panicking;

/// A session, or what became of it.
enum State {
    Open(Box<dyn Session>),
    Closed,
    /// It panicked once; it is not asked again.
    Poisoned,
}

impl State {
    fn session(&mut self) -> std::result::Result<&mut Box<dyn Session>, FlowError> {
        match self {
            Self::Open(session) => Ok(session),
            Self::Closed => Err(FlowError::Closed),
            Self::Poisoned => Err(FlowError::Internal { message: "an earlier request panicked".to_owned() }),
        }
    }
}

type Shared = Arc<Mutex<State>>;

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads captures on a worker thread and fills batches, one request after another.
#[napi]
pub struct NativeReader {
    state: Shared,
    closing: Arc<AtomicBool>,
    unwanted: Arc<Mutex<Vec<(u32, u64)>>>,
    flushing: Arc<AtomicBool>,
    turns: Arc<Turns>,
    /// Requests made so far.
    requests: AtomicU64,
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
            state: Arc::new(Mutex::new(State::Open(session))),
            closing: Arc::default(),
            unwanted: Arc::default(),
            flushing: Arc::default(),
            turns: Arc::default(),
            requests: AtomicU64::default(),
            queues: Vec::new(),
            wanted: Arc::default(),
            live: None,
        }
    }

    /// Where things lie in a batch, as JSON.
    #[napi(catch_unwind)]
    pub fn layout(&self) -> std::result::Result<String, Error<&'static str>> {
        lock(&self.state).session().map(|s| s.describe()).map_err(|e| throw(&e))
    }

    /// Octets of the block to be lent with each batch; 0 where none is needed.
    #[napi(catch_unwind)]
    pub fn block_length(&self) -> std::result::Result<u32, Error<&'static str>> {
        lock(&self.state).session().map(|s| s.block_len() as u32).map_err(|e| throw(&e))
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
        lock(&self.state).session().map(|s| s.open(source, name)).map_err(|e| throw(&e))
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
    pub fn next(
        &self,
        batch: Uint8Array,
        block: Option<Uint8Array>,
        given_back: Option<Uint32Array>,
    ) -> AsyncTask<NextTask> {
        AsyncTask::new(NextTask {
            state: Arc::clone(&self.state),
            closing: Arc::clone(&self.closing),
            flushing: Arc::clone(&self.flushing),
            turns: Arc::clone(&self.turns),
            turn: self.requests.fetch_add(1, Ordering::Relaxed),
            unwanted: Arc::clone(&self.unwanted),
            batch,
            block,
            given_back: given_back.map(|ids| ids.to_vec()).unwrap_or_default(),
        })
    }

    /// Ends every open flow before the next request reads on.
    #[napi(catch_unwind)]
    pub fn flush(&self) {
        self.flushing.store(true, Ordering::Release);
    }

    /// No more captures will come.
    #[napi(catch_unwind)]
    pub fn finish(&self) -> std::result::Result<(), Error<&'static str>> {
        lock(&self.state).session().map(|s| s.finish()).map_err(|e| throw(&e))
    }

    /// Throws why the last capture failed, if it did; of merged captures several may have.
    #[napi(catch_unwind)]
    pub fn throw_error(&self) -> std::result::Result<(), Error<&'static str>> {
        let mut state = lock(&self.state);
        match state.session().map_err(|e| throw(&e))?.take_error() {
            Some(error) => Err(throw(&error)),
            None => Ok(()),
        }
    }

    /// For tests only: the next request panics.
    #[napi(catch_unwind)]
    pub fn panic_for_tests(&self) {
        let mut state = lock(&self.state);
        *state = match std::mem::replace(&mut *state, State::Closed) {
            State::Open(session) => State::Open(Box::new(Panicking(session))),
            other => other,
        };
    }

    /// The payload of connection `id` in `slot` isn't wanted; known from the next request on.
    #[napi(catch_unwind)]
    pub fn unwant(&self, slot: u32, id: f64) {
        self.unwanted.lock().unwrap_or_else(PoisonError::into_inner).push((slot, id as u64));
    }

    /// Lets go of files and memory, after the request under way if there is one; may be called again.
    #[napi(catch_unwind)]
    pub fn close(&mut self) {
        self.queues.clear();
        self.live = None;
        self.closing.store(true, Ordering::Release);
        // A request may be under way, for as long as a pipe is silent: then it closes the session itself.
        if let Ok(mut state) = self.state.try_lock() {
            *state = State::Closed;
        }
    }
}

/// Whose turn it is: requests are answered in the order in which they were made, whichever thread takes which.
#[derive(Default)]
struct Turns {
    now: Mutex<u64>,
    passed: Condvar,
}

impl Turns {
    /// Waits for a turn, which ends with what is given. Threads are given requests in their order, so whoever is waited
    /// for is at work.
    fn wait(&self, turn: u64) -> Turn<'_> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        while *now != turn {
            now = self.passed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
        Turn(self)
    }
}

struct Turn<'t>(&'t Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.now.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.passed.notify_all();
    }
}

/// Fills one batch on a worker thread.
pub struct NextTask {
    state: Shared,
    closing: Arc<AtomicBool>,
    unwanted: Arc<Mutex<Vec<(u32, u64)>>>,
    batch: Uint8Array,
    block: Option<Uint8Array>,
    flushing: Arc<AtomicBool>,
    turns: Arc<Turns>,
    turn: u64,
    given_back: Vec<u32>,
}

impl NextTask {
    fn run(&mut self) -> std::result::Result<Progress, FlowError> {
        let turns = Arc::clone(&self.turns);
        let _turn = turns.wait(self.turn);
        let mut state = lock(&self.state);
        let session = state.session()?;
        for (slot, id) in self.unwanted.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            session.unwant(slot, id);
        }
        let mut buffers = Buffers {
            batch: lend(Some(&mut self.batch), session.batch_len())?,
            block: lend(self.block.as_mut(), session.block_len())?,
            given_back: &self.given_back,
        };
        let flush = self.flushing.swap(false, Ordering::AcqRel);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            if flush {
                session.flush();
            }
            session.next(&mut buffers)
        }));
        let outcome = ran.map_err(|payload| {
            *state = State::Poisoned;
            from_panic(payload)
        });
        if self.closing.load(Ordering::Acquire) {
            *state = State::Closed;
        }
        outcome
    }
}

/// A buffer's octets; none where there is no buffer.
fn lend(buffer: Option<&mut Uint8Array>, least: usize) -> std::result::Result<&mut [u8], FlowError> {
    let Some(buffer) = buffer else { return Ok(&mut []) };
    // SAFETY: the TypeScript side lends a buffer to this one task. Until the promise is settled it only reads, and
    // only in the block, where the task only writes at a first lending; the task holds a reference that keeps the
    // buffer alive.
    let bytes = unsafe { buffer.as_mut() };
    if bytes.len() < least {
        return Err(FlowError::Internal { message: "a buffer is too small or detached".to_owned() });
    }
    Ok(bytes)
}

impl Task for NextTask {
    type Output = std::result::Result<Progress, FlowError>;
    type JsValue = u32;

    fn compute(&mut self) -> Result<Self::Output> {
        Ok(self.run())
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> Result<u32> {
        match output {
            Ok(progress) => Ok(progress.rows as u32 * 8 + progress.status as u32),
            Err(error) => Err(reject(env, &error)),
        }
    }
}
