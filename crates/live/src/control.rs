//! Tells a capture to end, and tells who waits for packets when to look again, on a thread of its own, so that no worker
//! thread waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tcpskein_core::error::FlowError;

/// Longest wait: so often a silent source is looked at, which lets time go on.
const PATIENCE: Duration = Duration::from_millis(500);

/// Ends a wait.
pub(crate) type Waker = Arc<dyn Fn() + Send + Sync>;

/// What can be waited for beside the end: packets.
pub(crate) trait Readiness: Send + 'static {
    /// Returns when a packet may be there, after `patience`, or soon after [`Readiness::waker`]'s waker was called.
    fn wait(&mut self, patience: Duration);

    /// Something that ends a wait from another thread.
    fn waker(&self) -> Waker;
}

/// What a capture and its control share.
pub(crate) struct Shared {
    stopped: AtomicBool,
    ends_at: Option<Instant>,
}

impl Shared {
    pub fn new(time_limit: Option<Duration>) -> Arc<Self> {
        let ends_at = time_limit.and_then(|limit| Instant::now().checked_add(limit));
        Arc::new(Self { stopped: AtomicBool::new(false), ends_at })
    }

    /// It was told to end, or its time is up.
    pub fn is_over(&self) -> bool {
        self.stopped.load(Ordering::Acquire) || self.ends_at.is_some_and(|at| Instant::now() >= at)
    }

    /// How long may be waited.
    pub fn patience(&self) -> Duration {
        let left = self.ends_at.map(|at| at.saturating_duration_since(Instant::now()));
        left.map_or(PATIENCE, |left| left.min(PATIENCE))
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }
}

/// Called once when it is time to look.
type Callback = Box<dyn FnOnce() + Send>;

/// Ends a capture from anywhere.
#[derive(Clone)]
pub(crate) struct Stopper {
    shared: Arc<Shared>,
    wake: Waker,
}

impl Stopper {
    pub fn stop(&self) {
        self.shared.stop();
        (self.wake)();
    }
}

/// The other end of a live capture. Dropping it ends the capture's thread, and waits for that.
pub struct Control {
    stopper: Stopper,
    requests: Option<Sender<Callback>>,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// # Errors
    /// [`FlowError::Io`] where no thread can be started.
    pub(crate) fn start(shared: Arc<Shared>, readiness: impl Readiness) -> Result<Self, FlowError> {
        let (requests, waiting) = channel();
        let stopper = Stopper { shared: Arc::clone(&shared), wake: readiness.waker() };
        let thread = std::thread::Builder::new()
            .name("tcpskein-live".to_owned())
            .spawn(move || serve(readiness, &shared, &waiting))
            .map_err(|source| FlowError::Io { op: "start a thread", source })?;
        Ok(Self { stopper, requests: Some(requests), thread: Some(thread) })
    }

    /// Ends the capture: what arrived before still comes.
    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// The same, apart from the rest.
    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Calls `callback` on another thread when packets may be there, time has gone on, or the capture was told to end.
    pub fn when_ready(&self, callback: impl FnOnce() + Send + 'static) {
        if let Some(requests) = &self.requests {
            // The thread ends only after the sender is gone.
            let _ = requests.send(Box::new(callback));
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop();
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut readiness: impl Readiness, shared: &Shared, waiting: &Receiver<Callback>) {
    for callback in waiting {
        if !shared.is_over() {
            readiness.wait(shared.patience());
        }
        callback();
    }
}

/// For sources that can't be waited for: looks every few milliseconds.
pub(crate) struct Intervals {
    interval: Duration,
    woken: Arc<(Mutex<bool>, Condvar)>,
}

impl Intervals {
    pub fn new(interval: Duration) -> Self {
        Self { interval, woken: Arc::default() }
    }
}

impl Readiness for Intervals {
    fn wait(&mut self, patience: Duration) {
        let (woken, condition) = &*self.woken;
        let guard = woken.lock().unwrap_or_else(PoisonError::into_inner);
        // Woken or not: it is time to look.
        drop(condition.wait_timeout_while(guard, patience.min(self.interval), |woken| !*woken));
    }

    fn waker(&self) -> Waker {
        let shared = Arc::clone(&self.woken);
        Arc::new(move || {
            *shared.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            shared.1.notify_all();
        })
    }
}

#[cfg(unix)]
pub(crate) use descriptor::Descriptor;

#[cfg(unix)]
mod descriptor {
    //! A file descriptor that the system tells about.

    use std::io::{PipeReader, PipeWriter, Write as _};
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::sync::Arc;
    use std::time::Duration;

    use tcpskein_core::error::FlowError;

    use super::{Readiness, Waker};

    /// Waits until there is something to read from a descriptor.
    pub(crate) struct Descriptor {
        fd: Arc<OwnedFd>,
        /// Readable from the moment at which somebody wrote to `writer`, for good.
        woken: PipeReader,
        writer: Arc<PipeWriter>,
    }

    impl Descriptor {
        /// # Errors
        /// [`FlowError::Io`] where no pipe can be made.
        pub fn new(fd: Arc<OwnedFd>) -> Result<Self, FlowError> {
            let (woken, writer) = std::io::pipe().map_err(|source| FlowError::Io { op: "make a pipe", source })?;
            Ok(Self { fd, woken, writer: Arc::new(writer) })
        }
    }

    impl Readiness for Descriptor {
        fn wait(&mut self, patience: Duration) {
            let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            let mut entries = [entry(self.fd.as_raw_fd()), entry(self.woken.as_raw_fd())];
            // Rounded up, so that a rest of less than a millisecond isn't waited for in circles.
            let timeout = i32::try_from(patience.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
            // SAFETY: `entries` is an array of two, both descriptors are open as long as `self` is.
            // What comes back doesn't matter: after an error or a signal it is as good a time to look as any.
            unsafe { libc::poll(entries.as_mut_ptr(), 2, timeout) };
        }

        fn waker(&self) -> Waker {
            let writer = Arc::clone(&self.writer);
            // A pipe that is full has been written to.
            Arc::new(move || drop((&*writer).write(&[1])))
        }
    }
}
