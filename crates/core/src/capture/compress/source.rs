//! What a decoder reads from: an input, buffered, that waits where nothing is there yet.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use super::outbox::Outbox;
use crate::capture::{Filled, Input};
use crate::error::FlowError;
use tcpskein_map::Buffer;

/// Octets read from the input at once.
const BUFFER_LEN: usize = 128 << 10;

/// What the decoding loop must know of a source that a decoder owns.
#[derive(Default)]
pub(super) struct Gauge {
    /// Octets that were taken out of the source.
    pub(super) consumed: Cell<u64>,
    /// The input's end was met.
    pub(super) ended: Cell<bool>,
    /// Why the input failed.
    pub(super) failure: RefCell<Option<FlowError>>,
}

/// The thread's side of the talk about octets that are not there yet.
pub(super) struct Waiter {
    pub(super) outbox: Rc<RefCell<Outbox>>,
    pub(super) resume: Receiver<()>,
}

impl Waiter {
    /// Sends what is decoded, says that nothing more is there, and waits until asked to try again; false when nobody
    /// listens any more.
    fn wait(&self) -> bool {
        self.outbox.borrow_mut().need() && self.resume.recv().is_ok()
    }
}

/// A buffered input.
pub(super) struct Source {
    inner: Box<dyn Input>,
    buffer: Buffer,
    start: usize,
    end: usize,
    /// Without one the input always has something, or is at its end.
    waiter: Option<Waiter>,
    gauge: Rc<Gauge>,
    /// The input's own position, for the other thread.
    position: Arc<AtomicU64>,
}

impl Source {
    /// A source that gives `head` and then what `inner` has.
    pub(super) fn new(inner: Box<dyn Input>, head: &[u8], waiter: Option<Waiter>, position: Arc<AtomicU64>) -> Self {
        position.store(inner.position(), Ordering::Relaxed);
        let gauge = Rc::new(Gauge::default());
        let mut buffer = Buffer::new(BUFFER_LEN.max(head.len()));
        buffer[..head.len()].copy_from_slice(head);
        Self { inner, end: head.len(), start: 0, buffer, waiter, gauge, position }
    }

    pub(super) fn gauge(&self) -> Rc<Gauge> {
        Rc::clone(&self.gauge)
    }

    /// The next `n` octets without taking them out; fewer only at the end.
    pub(super) fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        while self.end - self.start < n && !self.gauge.ended.get() {
            self.refill()?;
        }
        Ok(&self.buffer[self.start..self.end.min(self.start + n)])
    }

    /// Reads more behind what is unread (a few octets at most, or none).
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        loop {
            match self.inner.fill(&mut self.buffer[self.end..]) {
                Ok(Filled::Bytes(n)) => {
                    self.end += n;
                    self.position.store(self.inner.position(), Ordering::Relaxed);
                    return Ok(());
                }
                Ok(Filled::End) => {
                    self.gauge.ended.set(true);
                    return Ok(());
                }
                Ok(Filled::NeedInput) if self.waiter.as_ref().is_some_and(Waiter::wait) => {}
                Ok(Filled::NeedInput) => return Err(io::Error::other("nobody waits for the data")),
                Err(error) => {
                    *self.gauge.failure.borrow_mut() = Some(error);
                    return Err(io::Error::other("the input failed"));
                }
            }
        }
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end && !self.gauge.ended.get() {
            self.refill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.start = (self.start + amount).min(self.end);
        self.gauge.consumed.set(self.gauge.consumed.get() + amount as u64);
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let n = bytes.len().min(out.len());
        out[..n].copy_from_slice(&bytes[..n]);
        self.consume(n);
        Ok(n)
    }
}
