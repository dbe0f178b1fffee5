//! The decoding thread: buffers of decoded octets come out of it, empty ones go back.
//!
//! The thread ends when the [`Worker`] is dropped, which waits for it unless the system may keep it in a read.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::JoinHandle;

use super::Compression;
use super::codec::Decoder;
use super::outbox::{BUFFERS, Message, Outbox};
use super::source::{Source, Waiter};
use crate::capture::{Filled, Input};
use crate::error::FlowError;

/// The reader's side of a decoding thread.
pub(super) struct Worker {
    /// There until this is dropped; without them the thread ends.
    channels: Option<Channels>,
    /// `None` where the input may stall.
    thread: Option<JoinHandle<()>>,
    /// The thread waits to be told to try its input again.
    waiting: bool,
    ended: bool,
    current: Vec<u8>,
    /// Octets of `current` that count.
    filled: usize,
    /// Octets of `current` that were given.
    taken: usize,
    position: Arc<AtomicU64>,
}

/// The ends of the channels to the thread.
struct Channels {
    messages: Receiver<Message>,
    empty: Sender<Vec<u8>>,
    resume: Sender<()>,
}

impl Worker {
    /// Starts to decode `head` and then what `inner` has.
    ///
    /// # Errors
    /// [`FlowError::Io`] where the system refuses a thread.
    pub(super) fn start(compression: Compression, inner: Box<dyn Input>, head: Vec<u8>) -> Result<Self, FlowError> {
        // Room for every buffer, a `Need` and the last word: the thread only ever waits for an empty buffer.
        let (message_sender, messages) = sync_channel(BUFFERS + 2);
        let (resume, resume_receiver) = channel();
        let (empty, empty_receiver) = channel();
        for _ in 0..BUFFERS {
            // The receiver is alive.
            let _ = empty.send(Vec::new());
        }
        let position = Arc::new(AtomicU64::new(0));
        let thread_position = Arc::clone(&position);
        let may_stall = inner.may_stall();
        let thread = std::thread::Builder::new()
            .name(format!("decode {}", compression.name()))
            .spawn(move || {
                let work = || {
                    let outbox = Rc::new(RefCell::new(Outbox::new(message_sender.clone(), empty_receiver)));
                    let waiter = Waiter { outbox: Rc::clone(&outbox), resume: resume_receiver };
                    decode(compression, Source::new(inner, &head, Some(waiter), thread_position), &outbox)
                };
                let last = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
                    let message = format!("the {} decoder panicked", compression.name());
                    Some(Message::Failed(FlowError::Internal { message }))
                });
                if let Some(last) = last {
                    // Nobody may listen any more.
                    let _ = message_sender.send(last);
                }
            })
            .map_err(|source| FlowError::Io { op: "start a thread", source })?;
        let (waiting, ended, current, filled, taken) = (false, false, Vec::new(), 0, 0);
        let channels = Some(Channels { messages, empty, resume });
        let thread = (!may_stall).then_some(thread);
        Ok(Self { channels, thread, waiting, ended, current, filled, taken, position })
    }

    /// See [`Input::fill`].
    pub(super) fn fill(&mut self, out: &mut [u8]) -> Result<Filled, FlowError> {
        loop {
            if self.taken < self.filled {
                return Ok(Filled::Bytes(self.give(out)));
            }
            if self.ended {
                return Ok(Filled::End);
            }
            let Some(channels) = &self.channels else { return Ok(Filled::End) };
            if self.waiting {
                self.waiting = false;
                // A thread that is gone shows below.
                let _ = channels.resume.send(());
            }
            match channels.messages.recv() {
                Ok(Message::Data(buffer, filled)) => (self.current, self.filled, self.taken) = (buffer, filled, 0),
                Ok(Message::Need) => {
                    self.waiting = true;
                    return Ok(Filled::NeedInput);
                }
                Ok(Message::End) => self.ended = true,
                Ok(Message::Failed(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                Err(_) => {
                    self.ended = true;
                    return Err(FlowError::Internal { message: "the decoding thread ended silently".to_owned() });
                }
            }
        }
    }

    fn give(&mut self, out: &mut [u8]) -> usize {
        let rest = &self.current[self.taken..self.filled];
        let n = rest.len().min(out.len());
        out[..n].copy_from_slice(&rest[..n]);
        self.taken += n;
        if self.taken == self.filled {
            let buffer = std::mem::take(&mut self.current);
            // The thread may have ended already.
            let _ = self.channels.as_ref().map(|channels| channels.empty.send(buffer));
            (self.filled, self.taken) = (0, 0);
        }
        n
    }

    /// See [`Input::may_stall`].
    pub(super) fn may_stall(&self) -> bool {
        self.thread.is_none()
    }

    /// Octets taken from the compressed input.
    pub(super) fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }
}

impl Drop for Worker {
    /// Ends the thread and waits for it, so that its file is closed afterwards.
    fn drop(&mut self) {
        self.channels = None;
        if let Some(thread) = self.thread.take() {
            // It catches its own panics.
            let _ = thread.join();
        }
    }
}

/// Decodes all of `source`; the last message, or `None` when nobody listens any more.
fn decode(compression: Compression, source: Source, outbox: &RefCell<Outbox>) -> Option<Message> {
    let mut decoder = match Decoder::new(compression, source) {
        Ok(decoder) => decoder,
        Err(error) => return Some(Message::Failed(error)),
    };
    let mut buffer = outbox.borrow_mut().empty_buffer()?;
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return outbox.borrow_mut().flush().then_some(Message::End),
            Ok(n) => buffer = outbox.borrow_mut().put(buffer, n)?,
            Err(error) => return outbox.borrow_mut().flush().then_some(Message::Failed(error)),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::capture::input::tests::{TempFile, is_open};
    use crate::capture::{DecodingInput, FileInput};
    use std::io::Write;

    #[test]
    fn decoding_dropped_early_leaves_no_file_open() {
        let octets: Vec<u8> = (0..8_u32 << 20).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&octets).unwrap();
        let file = TempFile::new("decode.gz", &encoder.finish().unwrap());
        let mut input = DecodingInput::open(Box::new(FileInput::open(file.path()).unwrap()));
        assert!(matches!(input.fill(&mut [0; 1000]).unwrap(), Filled::Bytes(_)));
        assert!(is_open(file.path()), "the thread still decodes");
        drop(input);
        assert!(!is_open(file.path()));
    }
}
