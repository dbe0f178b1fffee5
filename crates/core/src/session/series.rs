//! Captures in, the segments of some connections out, one row each, and the first octets of their streams.
//!
//! A stream session does the work and hands over points; here they wait for room in the caller's batch and block, at
//! most one block's worth of the capture and what the streams' heads hold.

use std::collections::VecDeque;

use super::streams::Told;
use super::{Buffers, Progress, Session, Source, Stats, Status, StreamSession, StreamSessionOptions};
use crate::analysis::series::COLUMNS;
use crate::batch::Layout;
use crate::capture::CaptureLog;
use crate::error::FlowError;

/// Rows of a batch.
const MAX_ROWS: usize = 8192;

/// Octets of the block for heads, where they are asked for.
const HEAD_BLOCK: usize = 1 << 20;

/// Octets that a head can have: a piece of one must fit into the block.
pub const MAX_HEAD: usize = 1 << 16;

/// Reads captures and hands out segments of some connections.
pub struct SeriesSession {
    inner: StreamSession,
    /// Where the inner session writes its records, and their gaps: nobody looks.
    records: Vec<u8>,
    gaps: Vec<u8>,
    layout: Layout,
    waiting: VecDeque<Told>,
    block_len: usize,
    /// What the inner session needs, told once all its points are out.
    status: Status,
    ended: bool,
}

impl SeriesSession {
    /// A session for the connections with these serial numbers; of each direction the first `head_octets` are given
    /// too, at most [`MAX_HEAD`].
    #[must_use]
    pub fn new(options: StreamSessionOptions, connections: Vec<u64>, head_octets: usize) -> Self {
        let head_octets = head_octets.min(MAX_HEAD);
        let options =
            StreamSessionOptions { events: false, sha256: false, series: connections, head_octets, ..options };
        let inner = StreamSession::new(options);
        Self {
            records: vec![0; inner.batch_len()],
            gaps: vec![0; inner.block_len()],
            layout: Layout::new(Stats::NAMES, COLUMNS.iter().copied(), MAX_ROWS),
            inner,
            waiting: VecDeque::new(),
            block_len: if head_octets > 0 { HEAD_BLOCK } else { 0 },
            status: Status::More,
            ended: false,
        }
    }

    /// Writes what there is room for.
    fn drain(&mut self, batch: &mut [u8], block: &mut [u8]) -> usize {
        let (mut rows, mut used) = (0, 0);
        while rows < MAX_ROWS
            && let Some(told) = self.waiting.front()
        {
            let row = &mut self.layout.row(batch, rows);
            match told {
                Told::Segment(connection, point) => point.write(*connection, row),
                Told::Head(connection, direction, piece) => {
                    let Some(place) = block.get_mut(used..used + piece.octets.len()) else { break };
                    place.copy_from_slice(&piece.octets);
                    piece.write((*connection, *direction), used as u32, row);
                    used += piece.octets.len();
                }
            }
            rows += 1;
            self.waiting.pop_front();
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

    fn block_len(&self) -> usize {
        self.block_len
    }

    fn open(&mut self, source: Source, name: &str) {
        self.inner.open(source, name);
    }

    fn next(&mut self, buffers: &mut Buffers<'_>) -> Progress {
        if self.waiting.is_empty() && !self.ended {
            let mut inner = Buffers { batch: &mut self.records, block: &mut self.gaps, ..Buffers::default() };
            self.status = self.inner.next(&mut inner).status;
            let (told, ended) = self.inner.take_watched();
            self.waiting.extend(told);
            self.ended = ended;
        }
        let rows = self.drain(buffers.batch, buffers.block);
        self.layout.write_stats(buffers.batch, self.inner.stats().values());
        let status = match (self.waiting.is_empty(), self.ended) {
            (false, _) => Status::More,
            // Nothing that comes is of these connections.
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
