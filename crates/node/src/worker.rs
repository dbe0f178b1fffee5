//! A thread of a reader's own, which answers requests in their order.
//!
//! Requests go to it through a channel, answers come back through a threadsafe function. Promises, and what keeps lent
//! buffers alive, stay on JavaScript's thread (`Desk`).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{Builder, JoinHandle};

use napi::bindgen_prelude::{JsValue, PromiseRaw, ToNapiValue, Uint8Array};
use napi::{Env, Error, Result, Status, sys};
use tcpskein_core::error::FlowError;
use tcpskein_core::session::{Buffers, Progress};

use crate::error::reject;
use crate::job::{Answer, Job};

/// Octets of the thread's stack: as much as a program's first thread has.
const STACK: usize = 8 << 20;

/// What JavaScript lends for one request.
pub struct Loan {
    /// Takes columns.
    pub batch: Uint8Array,
    /// Takes octets.
    pub block: Option<Uint8Array>,
    /// What this is depends on the session.
    pub given_back: Vec<u32>,
}

/// Runs a job's requests on a thread, which ends with this.
pub struct Worker(Rc<Desk>);

impl Worker {
    /// Begins a thread for `job`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn begin(env: &Env, job: &Arc<Job>) -> Result<Self> {
        let (requests, coming) = mpsc::channel();
        let desk = Rc::new(Desk {
            job: Arc::clone(job),
            requests: RefCell::new(Some(requests)),
            made: RefCell::default(),
            thread: RefCell::default(),
            function: Cell::new(ptr::null_mut()),
            hooked: Cell::default(),
        });
        let answers = Answers(Desk::open(&desk, env)?);
        let job = Arc::clone(job);
        let thread = Builder::new().name("tcpskein-walk".to_owned()).stack_size(STACK);
        let thread =
            thread.spawn(move || serve(answers, job, coming)).map_err(|e| Error::from_reason(e.to_string()))?;
        *desk.thread.borrow_mut() = Some(thread);
        Ok(Self(desk))
    }

    /// Hands a request to the thread. The promise is settled with rows × 8 + status.
    pub fn ask<'env>(&self, env: &'env Env, mut loan: Loan) -> Result<PromiseRaw<'env, u32>> {
        let (mut deferred, mut promise) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `env` is the environment that calls.
        check(unsafe { sys::napi_create_promise(env.raw(), &mut deferred, &mut promise) })?;
        let request = Request::of(&mut loan);
        let sent = self.0.requests.borrow().as_ref().is_some_and(|requests| requests.send(request).is_ok());
        if sent {
            // The answer can't come before this function returns.
            self.0.make(env, Made { deferred, _loan: loan });
        } else {
            // SAFETY: as above.
            unsafe { conclude(*env, deferred, Err(FlowError::Closed)) };
        }
        Ok(PromiseRaw::new(env.raw(), promise))
    }

    /// No more requests come; the thread ends when it has answered those that were made.
    pub fn end(&self) {
        self.0.requests.borrow_mut().take();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// Answers a request on this thread: there is no other to be had, or nothing to be done.
pub fn answer_here<'env>(env: &'env Env, job: &Job, mut loan: Loan) -> Result<PromiseRaw<'env, u32>> {
    let answer = if job.is_closing() { Err(FlowError::Closed) } else { Request::of(&mut loan).answer(job) };
    match answer.map(number) {
        Ok(number) => PromiseRaw::resolve(env, number),
        Err(error) => PromiseRaw::reject(env, reject(*env, &error)),
    }
}

fn number(progress: Progress) -> u32 {
    progress.rows as u32 * 8 + progress.status as u32
}

/// The thread: it takes requests until no more can come.
fn serve(answers: Answers, job: Arc<Job>, requests: Receiver<Request>) {
    for request in requests {
        answers.give(request.answer(&job));
    }
    job.close();
    // Whoever waits for the thread waits from when `answers` is dropped on: let nothing long come after it.
    drop(job);
    drop(answers);
}

/// A request, for the thread.
struct Request {
    batch: Lent,
    block: Lent,
    given_back: Vec<u32>,
}

impl Request {
    fn of(loan: &mut Loan) -> Self {
        Self {
            batch: Lent::from(&mut loan.batch),
            block: loan.block.as_mut().map_or(Lent { start: ptr::dangling_mut(), length: 0 }, Lent::from),
            given_back: std::mem::take(&mut loan.given_back),
        }
    }

    fn answer(self, job: &Job) -> Answer {
        // SAFETY: JavaScript lends a buffer to this one request. Until the promise is settled it only reads, and only in
        // the block, where the session only writes at a first lending. The buffer lives until then: its `Loan` is kept
        // with the promise, and an environment that ends waits for the thread.
        let (batch, block) = unsafe { (self.batch.octets(), self.block.octets()) };
        job.answer(&mut Buffers { batch, block, given_back: &self.given_back })
    }
}

/// Octets of a buffer of JavaScript's.
struct Lent {
    start: *mut u8,
    length: usize,
}

// SAFETY: only `octets` looks there, and says who may call it.
unsafe impl Send for Lent {}

impl Lent {
    /// # Safety
    /// The buffer is alive, and nobody else looks at what is written as long as the octets are used.
    unsafe fn octets<'a>(&self) -> &'a mut [u8] {
        // SAFETY: as above; start and length are those of a slice.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl From<&mut Uint8Array> for Lent {
    fn from(buffer: &mut Uint8Array) -> Self {
        // SAFETY: only the place is taken.
        let octets = unsafe { buffer.as_mut() };
        Self { start: octets.as_mut_ptr(), length: octets.len() }
    }
}

/// The way of answers to JavaScript's thread: a threadsafe function, which goes with this.
struct Answers(sys::napi_threadsafe_function);

// SAFETY: it is made for other threads.
unsafe impl Send for Answers {}

impl Answers {
    fn give(&self, answer: Answer) {
        let answer = Box::into_raw(Box::new(answer));
        // SAFETY: the function lives until it is released below, because an environment that ends waits for the thread
        // first. The box goes to `settled`, or nowhere.
        unsafe {
            let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
            if sys::napi_call_threadsafe_function(self.0, answer.cast(), mode) != sys::Status::napi_ok {
                drop(Box::from_raw(answer));
            }
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        // SAFETY: as in `give`; nobody calls it any more.
        unsafe { sys::napi_release_threadsafe_function(self.0, sys::ThreadsafeFunctionReleaseMode::release) };
    }
}

/// A request's promise, and what keeps its buffers alive.
struct Made {
    deferred: sys::napi_deferred,
    _loan: Loan,
}

/// What only JavaScript's thread touches.
struct Desk {
    job: Arc<Job>,
    /// None where no more requests come.
    requests: RefCell<Option<Sender<Request>>>,
    /// Requests that aren't answered, in their order.
    made: RefCell<VecDeque<Made>>,
    thread: RefCell<Option<JoinHandle<()>>>,
    /// Keeps the event loop alive while requests are under way.
    function: Cell<sys::napi_threadsafe_function>,
    /// The environment will tell when it ends.
    hooked: Cell<bool>,
}

impl Desk {
    /// Makes the function through which answers come, which owns a share of the desk until `finished`.
    fn open(desk: &Rc<Self>, env: &Env) -> Result<sys::napi_threadsafe_function> {
        let name = env.create_string("tcpskein")?.raw();
        let (mut function, none) = (ptr::null_mut(), ptr::null_mut());
        let context = Rc::into_raw(Rc::clone(desk)).cast_mut().cast::<c_void>();
        // SAFETY: `env` is the environment that calls, and `context` lives until `finished`, which comes once.
        unsafe {
            let made = sys::napi_create_threadsafe_function(
                env.raw(),
                none,
                none,
                name,
                0,
                1,
                context,
                Some(finished),
                context,
                Some(settled),
                &mut function,
            );
            if let Err(error) = check(made) {
                drop(Rc::from_raw(context.cast::<Self>()));
                return Err(error);
            }
            sys::napi_unref_threadsafe_function(env.raw(), function);
            // Hooks run from the last one to the first, so this one before the function's own.
            if let Err(error) = check(sys::napi_add_env_cleanup_hook(env.raw(), Some(ending), context)) {
                sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::abort);
                return Err(error);
            }
        }
        desk.hooked.set(true);
        desk.function.set(function);
        Ok(function)
    }

    fn make(&self, env: &Env, request: Made) {
        let mut made = self.made.borrow_mut();
        if made.is_empty() {
            // SAFETY: the function lives: the thread does, as it may get requests.
            unsafe { sys::napi_ref_threadsafe_function(env.raw(), self.function.get()) };
        }
        made.push_back(request);
    }

    /// Settles the promise of the oldest request.
    fn settle(&self, env: Env, answer: Answer) {
        let (made, last) = {
            let mut made = self.made.borrow_mut();
            (made.pop_front(), made.is_empty())
        };
        let Some(Made { deferred, .. }) = made else { return };
        // SAFETY: this is the environment's thread, the function lives while answers come through it, and the promise
        // isn't settled.
        unsafe {
            if last {
                sys::napi_unref_threadsafe_function(env.raw(), self.function.get());
            }
            conclude(env, deferred, answer);
        }
    }

    fn join(&self) {
        if let Some(thread) = self.thread.borrow_mut().take() {
            // It catches panics, and would have nobody to tell.
            let _ = thread.join();
        }
    }
}

/// Settles a promise. An environment that ends settles none, and says so; nobody waits.
///
/// # Safety
/// This is the thread of `env`, and `deferred` is a promise of its that isn't settled.
unsafe fn conclude(env: Env, deferred: sys::napi_deferred, answer: Answer) {
    // SAFETY: as above.
    unsafe {
        match answer.map(number) {
            Ok(number) => {
                if let Ok(number) = u32::to_napi_value(env.raw(), number) {
                    sys::napi_resolve_deferred(env.raw(), deferred, number);
                }
            }
            Err(error) => {
                if let Ok(error) = Error::to_napi_value(env.raw(), reject(env, &error)) {
                    sys::napi_reject_deferred(env.raw(), deferred, error);
                }
            }
        }
    }
}

/// An answer has come to JavaScript's thread.
unsafe extern "C" fn settled(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, answer: *mut c_void) {
    // SAFETY: `Answers::give` made the box.
    let answer = unsafe { Box::from_raw(answer.cast::<Answer>()) };
    // What is still on its way when the environment has ended comes without one, and without a desk.
    if !env.is_null() {
        // SAFETY: the desk lives until `finished`.
        unsafe { &*context.cast::<Desk>() }.settle(Env::from_raw(env), *answer);
    }
}

/// The environment ends, and with it the buffers: the thread must be done with them.
unsafe extern "C" fn ending(context: *mut c_void) {
    // SAFETY: the desk lives until `finished`, which removes this hook.
    let desk = unsafe { &*context.cast::<Desk>() };
    desk.hooked.set(false);
    desk.job.close();
    desk.requests.borrow_mut().take();
    desk.join();
    desk.made.borrow_mut().clear();
}

/// The function is gone: the thread has let go of it, and is at its end.
unsafe extern "C" fn finished(env: sys::napi_env, context: *mut c_void, _: *mut c_void) {
    // SAFETY: the share that `Desk::open` gave.
    let desk = unsafe { Rc::from_raw(context.cast::<Desk>()) };
    if desk.hooked.get() {
        // SAFETY: `env` is the desk's environment, and the hook is one of its hooks.
        unsafe { sys::napi_remove_env_cleanup_hook(env, Some(ending), context) };
    }
    desk.join();
}

fn check(status: sys::napi_status) -> Result<()> {
    match status {
        sys::Status::napi_ok => Ok(()),
        status => Err(Error::from_status(Status::from(status))),
    }
}
