//! What happens when a file becomes shorter under a mapping: touching what is gone raises SIGBUS, which would end the
//! process. The handler here puts pages of zeros in the place of the missing ones, in mappings that are watched; any
//! other SIGBUS goes to whoever handled it before.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libc::{c_int, c_void, siginfo_t};

/// Mappings that can be watched at a time.
const PLACES: usize = 256;

/// A watched mapping: the handler takes no lock, so all is atomic. A place is free where `start` is 0.
struct Place {
    start: AtomicUsize,
    end: AtomicUsize,
    cut: AtomicBool,
}

static WATCHED: [Place; PLACES] =
    [const { Place { start: AtomicUsize::new(0), end: AtomicUsize::new(0), cut: AtomicBool::new(false) } }; PLACES];

/// Who handled SIGBUS before; `None`: the handler could not be installed.
static BEFORE: OnceLock<Option<libc::sigaction>> = OnceLock::new();

/// Installs the handler, once. False: the system refuses.
pub(crate) fn install() -> bool {
    BEFORE.get_or_init(replace_handler).is_some()
}

fn replace_handler() -> Option<libc::sigaction> {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all-zero is a valid `sigaction`; its fields are set before it is used.
    let mut ours = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_bus_error;
    ours.sa_sigaction = handler as usize;
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: both point to a `sigaction` of this frame; the handler is async-signal-safe.
    let answer = unsafe { libc::sigaction(libc::SIGBUS, &raw const ours, before.as_mut_ptr()) };
    // SAFETY: zeroed at first, and written by a call that succeeded.
    (answer == 0).then(|| unsafe { before.assume_init() })
}

/// A mapping being watched, until this is dropped.
#[derive(Debug)]
pub(crate) struct Guarded(usize);

impl Guarded {
    /// Where its mark lies: see [`is_cut`].
    pub(crate) fn place(&self) -> usize {
        self.0
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let place = &WATCHED[self.0];
        place.end.store(0, Ordering::Release);
        place.start.store(0, Ordering::Release);
    }
}

/// Watches the mapping of `len` octets at `start`; `None` where all places are taken.
pub(crate) fn watch(start: usize, len: usize) -> Option<Guarded> {
    let free = |place: &Place| place.start.compare_exchange(0, start, Ordering::AcqRel, Ordering::Relaxed).is_ok();
    let at = WATCHED.iter().position(free)?;
    WATCHED[at].cut.store(false, Ordering::Release);
    WATCHED[at].end.store(start + len, Ordering::Release);
    Some(Guarded(at))
}

/// Octets of the mapping in that place are gone.
pub(crate) fn is_cut(place: usize) -> bool {
    WATCHED.get(place).is_some_and(|place| place.cut.load(Ordering::Acquire))
}

extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel gives a valid `siginfo_t`, and SIGBUS has an address.
    let address = unsafe { (*info).si_addr() } as usize;
    let hit = WATCHED
        .iter()
        .find(|place| (place.start.load(Ordering::Acquire)..place.end.load(Ordering::Acquire)).contains(&address));
    if !hit.is_some_and(|place| replace_rest(place, address)) {
        pass_on(signal, info, context);
    }
}

/// Puts zeros in the place of the mapping from the page of `address` on. False: the system refuses.
fn replace_rest(place: &Place, address: usize) -> bool {
    // SAFETY: it takes a number and gives one.
    let page_len = unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.unsigned_abs() as usize;
    let from = address - address % page_len;
    let len = place.end.load(Ordering::Acquire) - from;
    place.cut.store(true, Ordering::Release);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: `__errno_location` is this thread's own. The pages belong to a mapping of this crate, which only reads
    // them; `mmap` is a plain system call, as is fit for a signal handler.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        let at = libc::mmap(from as *mut c_void, len, libc::PROT_READ, flags, -1, 0);
        *errno = before;
        at != libc::MAP_FAILED
    }
}

/// Gives the signal to whoever handled it before; where that was nobody, the default ends the process as soon as the
/// instruction is tried again.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let before = BEFORE.get().and_then(Option::as_ref);
    let handler = before.map_or(libc::SIG_DFL, |action| action.sa_sigaction);
    // SAFETY: the handler and its flags are those that `sigaction` gave; a handler's address was a function's before.
    unsafe {
        if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
            let mut default = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            default.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const default, ptr::null_mut());
        } else if before.is_some_and(|action| action.sa_flags & libc::SA_SIGINFO != 0) {
            let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = std::mem::transmute(handler);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(c_int) = std::mem::transmute(handler);
            handler(signal);
        }
    }
}
