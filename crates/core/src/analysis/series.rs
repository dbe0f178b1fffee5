//! One connection's segments as points: where each stands in the streams, and of which kinds it is.
//!
//! Offsets count from the octet after the SYN; where none was seen, from the first number that was seen of the
//! direction. They may be negative.
//!
//! Beside them, what each direction sent first: [`Head`] keeps delivered octets up to a limit, and rows of the same table
//! say where they lie.

use super::{Kinds, Seen};
use crate::batch::{Column, Kind, RowWriter};
use crate::decode::flags;
use crate::flow::Direction;
use crate::seq::SeqNum;

/// SACK blocks that a segment can have: RFC 2018 section 3.
pub const SACK_BLOCKS: usize = 4;

/// `sack_*` columns hold left and right edges of `sack_count` blocks. Where `at` has a value, the row is no segment but
/// octets of a stream: `offset` and `length` say which, `at` where they lie in the block.
pub const COLUMNS: &[Column] = &[
    Column::new("connection_id", Kind::U64),
    Column::nullable("at", Kind::U32),
    Column::new("packet", Kind::U64),
    Column::new("ts_ns", Kind::I64),
    Column::new("direction", Kind::U8),
    Column::new("flags", Kind::U16),
    Column::new("kind", Kind::U16),
    Column::new("offset", Kind::F64),
    Column::new("length", Kind::U32),
    Column::nullable("ack", Kind::F64),
    Column::nullable("window", Kind::U32),
    Column::new("sack_count", Kind::U8),
    Column::new("sack_0_left", Kind::F64),
    Column::new("sack_0_right", Kind::F64),
    Column::new("sack_1_left", Kind::F64),
    Column::new("sack_1_right", Kind::F64),
    Column::new("sack_2_left", Kind::F64),
    Column::new("sack_2_right", Kind::F64),
    Column::new("sack_3_left", Kind::F64),
    Column::new("sack_3_right", Kind::F64),
];

/// One segment.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    packet: u64,
    ts_ns: i64,
    direction: u8,
    flags: u16,
    kinds: Kinds,
    offset: i64,
    len: u32,
    ack: Option<i64>,
    window: Option<u32>,
    sack_count: u8,
    sack: [[i64; 2]; SACK_BLOCKS],
}

impl Point {
    /// Writes the columns of [`COLUMNS`].
    pub fn write(&self, connection: u64, row: &mut RowWriter<'_>) {
        row.u64(connection);
        row.optional(None, RowWriter::u32);
        row.u64(self.packet);
        row.i64(self.ts_ns);
        row.u8(self.direction);
        row.u16(self.flags);
        row.u16(self.kinds.0);
        row.f64(self.offset as f64);
        row.u32(self.len);
        row.optional(self.ack.map(|ack| ack as f64), RowWriter::f64);
        row.optional(self.window, RowWriter::u32);
        row.u8(self.sack_count);
        self.sack.iter().flatten().for_each(|&edge| row.f64(edge as f64));
    }
}

/// Octets of a stream that follow each other.
#[derive(Clone, Debug)]
pub struct HeadPiece {
    /// Offset of the first one.
    pub offset: u64,
    /// The octets.
    pub octets: Vec<u8>,
}

impl HeadPiece {
    /// Writes the columns of [`COLUMNS`], as far as they say something of octets that lie at `at`.
    pub fn write(&self, (connection, direction): (u64, Direction), at: u32, row: &mut RowWriter<'_>) {
        row.u64(connection);
        row.optional(Some(at), RowWriter::u32);
        row.u64(0);
        row.i64(0);
        row.u8(direction as u8);
        row.u16(0);
        row.u16(0);
        row.f64(self.offset as f64);
        row.u32(self.octets.len() as u32);
        row.optional(None, RowWriter::f64);
        row.optional(None, RowWriter::u32);
        row.u8(0);
        (0..2 * SACK_BLOCKS).for_each(|_| row.f64(0.0));
    }
}

/// The first octets of a stream, as they are delivered. What is missing is missing between pieces.
#[derive(Clone, Debug, Default)]
pub struct Head {
    limit: u64,
    pieces: Vec<HeadPiece>,
}

impl Head {
    /// Keeps what lies in the first `limit` octets of a stream.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit: limit as u64, pieces: Vec::new() }
    }

    /// Takes in octets that were delivered.
    #[inline]
    pub fn take(&mut self, offset: u64, octets: &[u8]) {
        if offset < self.limit && !octets.is_empty() {
            self.keep(offset, octets);
        }
    }

    #[cold]
    fn keep(&mut self, offset: u64, octets: &[u8]) {
        let room = usize::try_from(self.limit - offset).unwrap_or(usize::MAX);
        let kept = &octets[..octets.len().min(room)];
        match self.pieces.last_mut() {
            Some(last) if last.offset + last.octets.len() as u64 == offset => last.octets.extend_from_slice(kept),
            _ => self.pieces.push(HeadPiece { offset, octets: kept.to_vec() }),
        }
    }

    /// What was kept, in order.
    pub fn into_pieces(self) -> impl Iterator<Item = HeadPiece> {
        self.pieces.into_iter()
    }
}

/// A direction's numbers as offsets.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    /// The number that offset 0 has.
    base: Option<SeqNum>,
    /// Highest offset so far.
    highest: u64,
}

impl Places {
    fn begin(&mut self, base: u32) {
        self.base.get_or_insert(SeqNum(base));
    }

    fn offset(&self, seq: u32) -> i64 {
        self.base.map_or(0, |base| SeqNum(seq).unwrap_near(base, self.highest))
    }

    fn moved(&mut self, end: i64) {
        self.highest = self.highest.max(u64::try_from(end).unwrap_or(0));
    }
}

/// Makes points of one connection's segments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Series {
    places: [Places; 2],
}

impl Series {
    /// The point of a segment of these kinds; `window` is its window in octets, where the scale is known.
    #[must_use]
    pub fn point(&mut self, seen: &Seen<'_>, kinds: Kinds, window: Option<u32>) -> Point {
        let way = seen.direction.index();
        self.places[way].begin(seen.seq.wrapping_add(u32::from(seen.has(flags::SYN))));
        let offset = self.places[way].offset(seen.seq);
        self.places[way].moved(offset + i64::from(seen.seq_len()));
        let acks = seen.has(flags::ACK);
        if acks {
            self.places[1 - way].begin(seen.ack);
        }
        let acked = self.places[1 - way];
        let mut sack = [[0; 2]; SACK_BLOCKS];
        let mut sack_count = 0;
        for (place, (left, right)) in sack.iter_mut().zip(seen.sack_blocks()) {
            *place = [acked.offset(left), acked.offset(right)];
            sack_count += 1;
        }
        Point {
            packet: seen.packet,
            ts_ns: seen.ts_ns,
            direction: seen.direction as u8,
            flags: seen.flags,
            kinds,
            offset,
            len: seen.len,
            ack: acks.then(|| acked.offset(seen.ack)),
            window,
            sack_count,
            sack,
        }
    }
}
