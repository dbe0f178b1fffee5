//! What the decoding thread sends: full buffers at once, small amounts gathered until they are worth a message or
//! the thread must wait for input.

use std::sync::mpsc::{Receiver, SyncSender};

use crate::error::FlowError;

/// Octets of one buffer.
const BUFFER_LEN: usize = 256 << 10;
/// Buffers there are.
pub(super) const BUFFERS: usize = 4;
/// Decoded octets that go out at once, without being gathered.
const DIRECT_LEN: usize = 64 << 10;

/// What the thread says.
pub(super) enum Message {
    /// A buffer, and how many of its octets count.
    Data(Vec<u8>, usize),
    /// The input has nothing yet.
    Need,
    /// All is decoded.
    End,
    /// Decoding can't go on.
    Failed(FlowError),
}

/// The sending end. Every method's false or `None` means that nobody listens any more.
pub(super) struct Outbox {
    messages: SyncSender<Message>,
    empty: Receiver<Vec<u8>>,
    /// Small amounts, gathered.
    pending: Option<Vec<u8>>,
    pending_len: usize,
}

impl Outbox {
    pub(super) fn new(messages: SyncSender<Message>, empty: Receiver<Vec<u8>>) -> Self {
        Self { messages, empty, pending: None, pending_len: 0 }
    }

    /// A buffer to decode into; waits until the reader gives one back.
    pub(super) fn empty_buffer(&mut self) -> Option<Vec<u8>> {
        let mut buffer = self.empty.recv().ok()?;
        buffer.resize(BUFFER_LEN, 0);
        Some(buffer)
    }

    /// Takes over the first `len` octets of `buffer`; the buffer to decode into next.
    pub(super) fn put(&mut self, buffer: Vec<u8>, len: usize) -> Option<Vec<u8>> {
        if len >= DIRECT_LEN {
            let sent = self.flush() && self.messages.send(Message::Data(buffer, len)).is_ok();
            return if sent { self.empty_buffer() } else { None };
        }
        if self.pending.is_none() {
            self.pending = Some(self.empty_buffer()?);
        }
        if let Some(pending) = &mut self.pending {
            // Fewer than BUFFER_LEN - DIRECT_LEN are pending, see below.
            pending[self.pending_len..self.pending_len + len].copy_from_slice(&buffer[..len]);
            self.pending_len += len;
        }
        let full = self.pending_len >= BUFFER_LEN - DIRECT_LEN;
        (!full || self.flush()).then_some(buffer)
    }

    /// Sends what was gathered.
    pub(super) fn flush(&mut self) -> bool {
        if self.pending_len == 0 {
            return true;
        }
        let len = std::mem::take(&mut self.pending_len);
        self.pending.take().is_none_or(|pending| self.messages.send(Message::Data(pending, len)).is_ok())
    }

    /// Sends what was gathered and says that the input has nothing yet.
    pub(super) fn need(&mut self) -> bool {
        self.flush() && self.messages.send(Message::Need).is_ok()
    }
}
