//! Records as columns in one caller's buffer: the contract with JavaScript.
//!
//! ```text
//! | statistics: one f64 each | column 0: max_rows values | its null flags | column 1 | …
//! ```
//!
//! Every part is followed by a few octets that hold nothing, begins at a multiple of 8 octets and is in the machine's own byte order, so that JavaScript lays typed
//! arrays over it. A null flag of 1 means: there is a value. [`Layout::describe`] tells JavaScript where things lie.

use std::fmt::Write as _;
use std::ops::Range;

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One octet, 0 or 1.
    Bool,
    /// One octet.
    U8,
    /// Two octets.
    U16,
    /// Four octets.
    U32,
    /// Eight octets; a JavaScript number (exact up to 2^53).
    U64,
    /// Eight octets, signed; a JavaScript bigint: nanoseconds since the Unix epoch.
    I64,
    /// A double.
    F64,
    /// Sixteen octets: an address, IPv4 in the first four (the row's `ip_version` tells which), or part of a header.
    Addr,
    /// One octet: a place in a list of words.
    Word(&'static [&'static str]),
    /// Text of ASCII letters, at most so many; zeros stand behind it.
    Text(usize),
}

impl Kind {
    const fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::Word(_) => 1,
            Self::U16 => 2,
            Self::U32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::Addr => 16,
            Self::Text(most) => most,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
            Self::Addr => "addr",
            Self::Word(_) => "word",
            Self::Text(_) => "text",
        }
    }
}

/// One column: its name is the record's property, the NDJSON key and the CSV header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name, in `snake_case`.
    pub name: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// A value may be missing.
    pub nullable: bool,
}

impl Column {
    /// A column whose values are always there.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: false }
    }

    /// A column whose values may be missing.
    #[must_use]
    pub const fn nullable(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: true }
    }
}

/// Octets between two parts. Tables have a power of two of rows: without them, a row's values would all lie in the same
/// few sets of the processor's caches, and push each other out.
const LINE: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Place {
    column: Column,
    values: usize,
    flags: usize,
}

/// Where every column lies in a buffer for `max_rows` rows.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    stats: &'static [&'static str],
    places: Vec<Place>,
    max_rows: usize,
    byte_len: usize,
}

impl Layout {
    /// Lays out `columns` behind the statistics `stats`.
    #[must_use]
    pub fn new(stats: &'static [&'static str], columns: impl IntoIterator<Item = Column>, max_rows: usize) -> Self {
        Self::behind(0, stats, columns, max_rows)
    }

    /// The same behind the first `start` octets of a buffer (a multiple of 8), so that tables can share one.
    /// [`Layout::byte_len`] then counts from the buffer's start.
    #[must_use]
    pub fn behind(
        start: usize,
        stats: &'static [&'static str],
        columns: impl IntoIterator<Item = Column>,
        max_rows: usize,
    ) -> Self {
        let mut end = start + stats.len() * 8;
        let mut reserve = |octets: usize| {
            let start = end;
            end += octets.div_ceil(8) * 8 + LINE;
            start
        };
        let places = columns
            .into_iter()
            .map(|column| Place {
                column,
                values: reserve(column.kind.size() * max_rows),
                flags: if column.nullable { reserve(max_rows) } else { 0 },
            })
            .collect();
        Self { stats, places, max_rows, byte_len: end }
    }

    /// Most rows a buffer holds.
    #[must_use]
    pub fn max_rows(&self) -> usize {
        self.max_rows
    }

    /// Octets a buffer must have.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.byte_len
    }

    /// The layout as JSON, for JavaScript.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut out = format!("{{\"byteLength\":{},\"maxRows\":{},\"stats\":[", self.byte_len, self.max_rows);
        push_names(&mut out, self.stats);
        out.push_str("],\"columns\":[");
        for (i, place) in self.places.iter().enumerate() {
            let separator = if i > 0 { "," } else { "" };
            let Column { name, kind, nullable } = place.column;
            let _ = write!(
                out,
                "{separator}{{\"name\":\"{name}\",\"kind\":\"{}\",\"values\":{},\"flags\":{}",
                kind.name(),
                place.values,
                if nullable { place.flags.to_string() } else { "null".to_owned() },
            );
            if let Kind::Word(words) = kind {
                out.push_str(",\"words\":[");
                push_names(&mut out, words);
                out.push(']');
            }
            if let Kind::Text(most) = kind {
                let _ = write!(out, ",\"width\":{most}");
            }
            out.push('}');
        }
        out.push_str("]}");
        out
    }

    /// Writes the statistics.
    pub fn write_stats(&self, buffer: &mut [u8], values: impl IntoIterator<Item = u64>) {
        for (i, value) in values.into_iter().take(self.stats.len()).enumerate() {
            buffer[i * 8..i * 8 + 8].copy_from_slice(&(value as f64).to_ne_bytes());
        }
    }

    /// Overwrites the count in column `column` of row `row`.
    #[inline]
    pub fn set_u64(&self, buffer: &mut [u8], row: usize, column: usize, value: u64) {
        let at = self.places[column].values + row * 8;
        buffer[at..at + 8].copy_from_slice(&(value as f64).to_ne_bytes());
    }

    /// The same, from column `first` on.
    #[inline]
    pub fn row_from<'a>(&'a self, buffer: &'a mut [u8], row: usize, first: usize) -> RowWriter<'a> {
        RowWriter { places: self.places[first.min(self.places.len())..].iter(), buffer, row }
    }

    /// A writer for several rows at once; its columns come in their order.
    #[inline]
    pub fn rows<'a>(&'a self, buffer: &'a mut [u8], rows: Range<usize>) -> ColumnWriter<'a> {
        ColumnWriter { places: self.places.iter(), buffer, rows }
    }

    /// A writer for row `row`; its values come in the order of the columns.
    #[inline]
    pub fn row<'a>(&'a self, buffer: &'a mut [u8], row: usize) -> RowWriter<'a> {
        RowWriter { places: self.places.iter(), buffer, row }
    }
}

fn push_names(out: &mut String, names: &[&str]) {
    for (i, name) in names.iter().enumerate() {
        let _ = write!(out, "{}\"{name}\"", if i > 0 { "," } else { "" });
    }
}

/// Writes one row, value by value.
#[derive(Debug)]
pub struct RowWriter<'a> {
    places: std::slice::Iter<'a, Place>,
    buffer: &'a mut [u8],
    row: usize,
}

impl RowWriter<'_> {
    /// With a known length it is one store, and no call for each value.
    #[inline]
    fn put<const N: usize>(&mut self, value: [u8; N]) {
        let Some(place) = self.places.next() else { return };
        debug_assert_eq!(place.column.kind.size(), N, "column {}", place.column.name);
        let at = place.values + self.row * N;
        if let Some(to) = self.buffer.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *to = value;
        }
        if place.column.nullable {
            self.buffer[place.flags + self.row] = 1;
        }
    }

    /// Writes a value that may be missing.
    #[inline]
    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => {
                if let Some(place) = self.places.next() {
                    self.buffer[place.flags + self.row] = 0;
                }
            }
        }
    }

    /// Writes a truth value.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.put([u8::from(value)]);
    }

    /// Writes one octet, or a word's number.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.put([value]);
    }

    /// Writes two octets.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.put(value.to_ne_bytes());
    }

    /// Writes four octets.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.put(value.to_ne_bytes());
    }

    /// Writes 0 into so many columns of four octets.
    pub fn zeros_u32(&mut self, columns: usize) {
        (0..columns).for_each(|_| self.u32(0));
    }

    /// Writes a count or an offset; JavaScript reads it as a number, exact up to 2^53.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        self.put((value as f64).to_ne_bytes());
    }

    /// Writes a time.
    #[inline]
    pub fn i64(&mut self, value: i64) {
        self.put(value.to_ne_bytes());
    }

    /// Writes a double.
    #[inline]
    pub fn f64(&mut self, value: f64) {
        self.put(value.to_ne_bytes());
    }

    /// Writes a text; what is longer than its column is cut.
    #[inline]
    pub fn text(&mut self, value: &[u8]) {
        let Some(place) = self.places.next() else { return };
        let width = place.column.kind.size();
        let at = place.values + self.row * width;
        let text = &value[..value.len().min(width)];
        self.buffer[at..at + text.len()].copy_from_slice(text);
        self.buffer[at + text.len()..at + width].fill(0);
    }

    /// Writes an address.
    #[inline]
    pub fn bytes(&mut self, value: &[u8; 16]) {
        self.put(*value);
    }
}

/// Writes some rows column by column: each column gets as many values as there are rows.
#[derive(Debug)]
pub struct ColumnWriter<'a> {
    places: std::slice::Iter<'a, Place>,
    buffer: &'a mut [u8],
    rows: Range<usize>,
}

impl ColumnWriter<'_> {
    #[inline(always)]
    fn put<const N: usize>(&mut self, values: impl Iterator<Item = [u8; N]>) {
        let Some(place) = self.places.next() else { return };
        debug_assert_eq!(place.column.kind.size(), N, "column {}", place.column.name);
        debug_assert!(!place.column.nullable, "column {}", place.column.name);
        let Range { start, end } = self.rows;
        let (column, _) = self.buffer[place.values + start * N..place.values + end * N].as_chunks_mut();
        column.iter_mut().zip(values).for_each(|(to, value)| *to = value);
    }

    /// Says that a column has no values.
    #[inline]
    pub fn none(&mut self) {
        let Some(place) = self.places.next() else { return };
        self.buffer[place.flags + self.rows.start..place.flags + self.rows.end].fill(0);
    }

    /// Writes four octets each.
    #[inline(always)]
    pub fn u32(&mut self, values: impl Iterator<Item = u32>) {
        self.put(values.map(u32::to_ne_bytes));
    }

    /// Writes counts or offsets.
    #[inline(always)]
    pub fn u64(&mut self, values: impl Iterator<Item = u64>) {
        self.put(values.map(|value| (value as f64).to_ne_bytes()));
    }

    /// Writes times.
    #[inline(always)]
    pub fn i64(&mut self, values: impl Iterator<Item = i64>) {
        self.put(values.map(i64::to_ne_bytes));
    }

    /// Writes doubles.
    #[inline(always)]
    pub fn f64(&mut self, values: impl Iterator<Item = f64>) {
        self.put(values.map(f64::to_ne_bytes));
    }

    /// Writes sixteen octets each.
    #[inline(always)]
    pub fn bytes(&mut self, values: impl Iterator<Item = [u8; 16]>) {
        self.put(values);
    }
}
