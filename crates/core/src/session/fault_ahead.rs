//! A thread that touches the pages of a window ahead of whoever walks it, and lets go of windows that were walked: both
//! are work of the kernel's, a fifth of what walking costs, and can be done on another core meanwhile.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{JoinHandle, available_parallelism};

use tcpskein_map::Window;

/// Octets that come with one touch: the kernel maps as many around it (`fault_around_bytes`), where it holds them.
const TOUCHED: usize = 64 * 1024;

/// Windows that are held until later ones come: as many as the streams were lent.
const HELD: usize = 2;

/// The thread's other end.
#[derive(Debug)]
pub(super) struct FaultAhead {
    /// Both are there until this is dropped; without the channel the thread ends.
    windows: Option<SyncSender<Arc<Window>>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultAhead {
    /// Starts the thread; `None` where there is no core for it.
    pub fn start() -> Option<Self> {
        if available_parallelism().map_or(1, usize::from) < 2 {
            return None;
        }
        let (windows, to_touch) = sync_channel(1);
        let thread = std::thread::Builder::new().name("tcpskein-map".to_owned()).spawn(move || touch_all(&to_touch));
        Some(Self { windows: Some(windows), thread: Some(thread.ok()?) })
    }

    /// `window` is about to be walked. A thread that is late doesn't get it.
    pub fn enter(&self, window: &Arc<Window>) {
        if let Some(windows) = &self.windows {
            let _ = windows.try_send(Arc::clone(window));
        }
    }
}

impl Drop for FaultAhead {
    /// Ends the thread and waits until it has let go of its windows.
    fn drop(&mut self) {
        self.windows = None;
        if let Some(thread) = self.thread.take() {
            // What it panicked about is nobody's business any more.
            let _ = thread.join();
        }
    }
}

fn touch_all(windows: &Receiver<Arc<Window>>) {
    let mut held = VecDeque::new();
    let mut next = windows.recv().ok();
    while let Some(window) = next {
        held.push_back(Arc::clone(&window));
        held.drain(..held.len().saturating_sub(HELD));
        next = match touch(&window, windows) {
            Ok(newer) => Some(newer),
            Err(TryRecvError::Empty) => {
                drop(window);
                windows.recv().ok()
            }
            Err(TryRecvError::Disconnected) => None,
        };
    }
}

/// Touches a window's pages, until a newer window comes.
fn touch(window: &Window, windows: &Receiver<Arc<Window>>) -> Result<Arc<Window>, TryRecvError> {
    // Who walks the window begins at the first page.
    for at in (TOUCHED..window.len()).step_by(TOUCHED) {
        match windows.try_recv() {
            Err(TryRecvError::Empty) => black_box(window[at]),
            other => return other,
        };
    }
    Err(TryRecvError::Empty)
}
