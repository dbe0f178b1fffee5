//! Captures in, the segments of one connection out, one row each.
//!
//! A stream session does the work and hands over points; here they wait for room in the caller's batch, at most one
//! block's worth.

use std::collections::VecDeque;

use super::{Buffers, Progress, Session, Source, Stats, Status, StreamSession, StreamSessionOptions};
use crate::analysis::series::{COLUMNS, Point};
use crate::batch::Layout;
use crate::capture::CaptureLog;
use crate::error::FlowError;

/// Rows of a batch.
const MAX_ROWS: usize = 8192;

/// Reads captures and hands out one connection's segments.
pub struct SeriesSession {
    inner: StreamSession,
    /// Where the inner session writes its records, and their gaps: nobody looks.
    records: Vec<u8>,
    gaps: Vec<u8>,
    layout: Layout,
    waiting: VecDeque<Point>,
    /// What the inner session needs, told once all its points are out.
    status: Status,
    ended: bool,
}

impl SeriesSession {
    /// A session for the connection with serial number `connection`.
    #[must_use]
    pub fn new(options: StreamSessionOptions, connection: u64) -> Self {
        let options = StreamSessionOptions { events: false, sha256: false, series: Some(connection), ..options };
        let inner = StreamSession::new(options);
        Self {
            records: vec![0; inner.batch_len()],
            gaps: vec![0; inner.block_len()],
            layout: Layout::new(Stats::NAMES, COLUMNS.iter().copied(), MAX_ROWS),
            inner,
            waiting: VecDeque::new(),
            status: Status::More,
            ended: false,
        }
    }

    fn drain(&mut self, batch: &mut [u8]) -> usize {
        let rows = self.waiting.len().min(MAX_ROWS);
        for (row, point) in self.waiting.drain(..rows).enumerate() {
            point.write(&mut self.layout.row(batch, row));
        }
        rows
    }
}

impl Session for SeriesSession {
    fn describe(&self) -> String {
        self.layout.describe()
    }

    fn batch_len(&self) -> usize {
        self.layout.byte_len()
    }

    fn open(&mut self, source: Source, name: &str) {
        self.inner.open(source, name);
    }

    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress {
        if self.waiting.is_empty() && !self.ended {
            let mut inner = Buffers { batch: &mut self.records, block: &mut self.gaps, ..Buffers::default() };
            self.status = self.inner.next(&mut inner).status;
            let (points, ended) = self.inner.take_points();
            self.waiting.extend(points);
            self.ended = ended;
        }
        let rows = self.drain(buffers.batch);
        self.layout.write_stats(buffers.batch, self.inner.stats().values());
        let status = match (self.waiting.is_empty(), self.ended) {
            (false, _) => Status::More,
            // Nothing that comes is of this connection.
            (true, true) => Status::Done,
            (true, false) => self.status,
        };
        Progress { rows, status }
    }

    fn finish(&mut self) {
        self.inner.finish();
    }

    fn take_error(&mut self) -> Option<FlowError> {
        self.inner.take_error()
    }

    fn captures(&self) -> CaptureLog {
        self.inner.captures()
    }
}
