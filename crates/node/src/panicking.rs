//! A session that panics, so that tests can see what becomes of a panic. No public function makes one.

use tcpskein_core::capture::CaptureLog;
use tcpskein_core::error::FlowError;
use tcpskein_core::session::{Buffers, Progress, Session, Source};

/// As the session in it, but for `next`, which panics.
pub struct Panicking(pub Box<dyn Session>);

impl Session for Panicking {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn batch_len(&self) -> usize {
        self.0.batch_len()
    }

    fn open(&mut self, source: Source, name: &str) {
        self.0.open(source, name);
    }

    #[allow(clippy::panic, reason = "this is what it is for")]
    fn next(&mut self, _buffers: &mut Buffers<'_>) -> Progress {
        panic!("a test wanted it");
    }

    fn finish(&mut self) {
        self.0.finish();
    }

    fn captures(&self) -> CaptureLog {
        self.0.captures()
    }

    fn take_error(&mut self) -> Option<FlowError> {
        self.0.take_error()
    }
}
