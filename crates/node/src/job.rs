//! A session and what JavaScript's thread tells it while the reader's own thread runs it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tcpskein_core::error::FlowError;
use tcpskein_core::session::{Buffers, Progress, Session};

use crate::error::from_panic;
use crate::panicking::Panicking;

/// What becomes of a request.
pub type Answer = Result<Progress, FlowError>;

/// A session, or what became of it.
enum State {
    Open(Box<dyn Session>),
    Closed,
    /// It panicked once; it is not asked again.
    Poisoned,
}

/// One session, whichever thread runs it.
pub struct Job {
    state: Mutex<State>,
    closing: AtomicBool,
    flushing: AtomicBool,
    unwanted: Mutex<Vec<(u32, u64)>>,
}

impl Job {
    /// A job that runs `session`.
    pub fn new(session: Box<dyn Session>) -> Self {
        Self {
            state: Mutex::new(State::Open(session)),
            closing: AtomicBool::default(),
            flushing: AtomicBool::default(),
            unwanted: Mutex::default(),
        }
    }

    /// Asks the session something, after the request under way if there is one.
    ///
    /// # Errors
    /// [`FlowError::Closed`], and [`FlowError::Internal`] after a panic.
    pub fn with<T>(&self, ask: impl FnOnce(&mut dyn Session) -> T) -> Result<T, FlowError> {
        self.lock().session().map(|session| ask(&mut **session))
    }

    /// Runs the session until the buffers are filled, or it has nothing more to do.
    pub fn answer(&self, buffers: &mut Buffers<'_>) -> Answer {
        let mut state = self.lock();
        if self.is_closing() {
            *state = State::Closed;
        }
        let session = state.session()?;
        if buffers.batch.len() < session.batch_len() || buffers.block.len() < session.block_len() {
            return Err(FlowError::Internal { message: "a buffer is too small or detached".to_owned() });
        }
        for (slot, id) in self.unwanted.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            session.unwant(slot, id);
        }
        let flush = self.flushing.swap(false, Ordering::AcqRel);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            if flush {
                session.flush();
            }
            session.next(buffers)
        }));
        let outcome = ran.map_err(|payload| {
            *state = State::Poisoned;
            from_panic(payload)
        });
        if self.is_closing() {
            *state = State::Closed;
        }
        outcome
    }

    /// Every open flow ends before the next request reads on.
    pub fn flush(&self) {
        self.flushing.store(true, Ordering::Release);
    }

    /// The payload of connection `id` in `slot` isn't wanted; known from the next request on.
    pub fn unwant(&self, slot: u32, id: u64) {
        self.unwanted.lock().unwrap_or_else(PoisonError::into_inner).push((slot, id));
    }

    /// Lets go of the session. A request may be under way, for as long as a pipe is silent: then it does that itself.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        if let Ok(mut state) = self.state.try_lock() {
            *state = State::Closed;
        }
    }

    /// It is closed, or will be after the request under way.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// The next request panics.
    pub fn panic_for_tests(&self) {
        let mut state = self.lock();
        *state = match std::mem::replace(&mut *state, State::Closed) {
            State::Open(session) => State::Open(Box::new(Panicking(session))),
            other => other,
        };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn session(&mut self) -> Result<&mut Box<dyn Session>, FlowError> {
        match self {
            Self::Open(session) => Ok(session),
            Self::Closed => Err(FlowError::Closed),
            Self::Poisoned => Err(FlowError::Internal { message: "an earlier request panicked".to_owned() }),
        }
    }
}
