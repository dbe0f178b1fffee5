//! Packets that were taken from captures elsewhere and come as columns: a stream of records that keep where each packet
//! came from.
//!
//! In: columns of times, numbers and octets, in order of time, and the clock of the whole job. Out: octets that a
//! [`super::Container`] finds packets in, and between them ticks: how late it was where only packets of other parts of
//! the job came. So timers run as they would with all packets in one place.

use super::merge::{HEADER_LEN, captured_len, read_header, write_header};
use super::{LinkType, MAX_PACKET_LEN, Packet, Step};
use crate::error::FlowError;

/// The first octets of such a stream; no capture begins like this.
pub(super) const MAGIC: [u8; 4] = *b"\x00tsk";

/// Where a header says that it is a tick.
const TICK_FLAG: usize = 36;

/// The record at the head of `bytes`.
///
/// # Errors
/// [`FlowError::Damaged`] for a packet longer than there are any: this is no stream of a [`RecordWriter`].
#[inline]
pub(super) fn step(bytes: &[u8], offset: u64) -> Result<Step, FlowError> {
    let Some(header) = bytes.first_chunk::<HEADER_LEN>() else { return Ok(Step::Need(HEADER_LEN)) };
    let captured_len = captured_len(header);
    if captured_len > MAX_PACKET_LEN {
        let reason = format!("a packet of {captured_len} octets, over the limit of {MAX_PACKET_LEN}");
        return Err(FlowError::Damaged { offset, reason });
    }
    let head = read_header(header);
    if header[TICK_FLAG] != 0 {
        return Ok(Step::Tick { ts_ns: head.ts_ns, next: HEADER_LEN as u32 });
    }
    if bytes.len() < head.next as usize {
        return Ok(Step::Need(head.next as usize));
    }
    Ok(Step::Packet(head))
}

/// Packets as columns, of equal length but for `offsets`, which has one more.
#[derive(Clone, Copy, Debug)]
pub struct PacketColumns<'a> {
    /// The latest time in its capture up to each packet, nanoseconds since the Unix epoch.
    pub order_ns: &'a [i64],
    /// Nanoseconds since the Unix epoch.
    pub time_ns: &'a [i64],
    /// Number in the capture, from 1; 0 where a row only tells the time.
    pub number: &'a [i64],
    /// Number of the capture, from 0.
    pub capture: &'a [i32],
    /// Link-layer header type.
    pub link: &'a [i32],
    /// Octets on the wire.
    pub wire_len: &'a [i32],
    /// Where each packet's octets begin in `bytes`, and where the last one's end.
    pub offsets: &'a [i32],
    /// The packets' octets.
    pub bytes: &'a [u8],
}

/// Makes a stream of records out of columns.
#[derive(Debug)]
pub struct RecordWriter {
    /// Times of packets of the whole job, in order, from `next` on still to come.
    clock: Vec<i64>,
    next: usize,
    /// The latest of the times by which packets are ordered.
    last_ns: Option<i64>,
    /// They must not run backwards.
    in_order: bool,
    rows: u64,
    begun: bool,
}

impl RecordWriter {
    /// A writer with the times of the job's `clock`, in order. `in_order`: packets come in order of time.
    #[must_use]
    pub fn new(clock: Vec<i64>, in_order: bool) -> Self {
        Self { clock, next: 0, last_ns: None, in_order, rows: 0, begun: false }
    }

    /// The records of one batch of columns.
    ///
    /// # Errors
    /// [`FlowError::Damaged`] where the columns contradict each other; its offset counts rows from the stream's start.
    pub fn pack(&mut self, columns: &PacketColumns<'_>) -> Result<Vec<u8>, FlowError> {
        let rows = columns.time_ns.len();
        let lens = [columns.order_ns.len(), columns.number.len(), columns.capture.len(), columns.link.len()];
        if columns.wire_len.len() != rows || lens.iter().any(|&len| len != rows) || columns.offsets.len() != rows + 1 {
            return Err(self.damaged("its columns have different lengths"));
        }
        let mut out = Vec::with_capacity(columns.bytes.len() + (rows + 1) * HEADER_LEN);
        self.begin(&mut out);
        for row in 0..rows {
            self.rows += 1;
            let (packet, octets) = self.packet(columns, row)?;
            self.move_clock(columns.order_ns[row], packet.ts_ns, &mut out)?;
            if packet.number == 0 {
                out.extend_from_slice(&tick_record(packet.ts_ns));
                continue;
            }
            out.extend_from_slice(&write_header(&packet, packet.capture));
            out.extend_from_slice(octets);
        }
        Ok(out)
    }

    /// What is left of the clock, after the last packet.
    pub fn end(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.begin(&mut out);
        self.ticks_until(i64::MAX, &mut out);
        out
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(&MAGIC);
        }
    }

    fn packet<'a>(&self, columns: &PacketColumns<'a>, row: usize) -> Result<(Packet, &'a [u8]), FlowError> {
        let (start, end) = (columns.offsets[row], columns.offsets[row + 1]);
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let octets = range.and_then(|(start, end)| columns.bytes.get(start..end));
        let octets = octets.filter(|octets| octets.len() <= MAX_PACKET_LEN as usize);
        let Some(octets) = octets else { return Err(self.damaged("its octets lie outside of their column")) };
        let (Ok(number), Ok(capture), Ok(link), Ok(wire_len)) = (
            u64::try_from(columns.number[row]),
            u32::try_from(columns.capture[row]),
            u16::try_from(columns.link[row]),
            u32::try_from(columns.wire_len[row]),
        ) else {
            return Err(self.damaged("its number, capture, link type or length is impossible"));
        };
        let (ts_ns, captured_len) = (columns.time_ns[row], octets.len() as u32);
        let (link, wire_len) = (LinkType(link), wire_len.max(captured_len));
        Ok((Packet { number, ts_ns, start: 0, captured_len, wire_len, link, interface: 0, capture }, octets))
    }

    /// Writes how late it is for a packet of time `ts_ns`: in its capture, and in the whole job.
    fn move_clock(&mut self, order_ns: i64, ts_ns: i64, out: &mut Vec<u8>) -> Result<(), FlowError> {
        if self.in_order && self.last_ns.is_some_and(|last| order_ns < last) {
            return Err(self.damaged("it is out of order: sort by order_ns, capture and packet"));
        }
        self.ticks_until(order_ns, out);
        if order_ns > ts_ns && self.last_ns.is_none_or(|last| order_ns > last) {
            out.extend_from_slice(&tick_record(order_ns));
        }
        self.last_ns = self.last_ns.max(Some(order_ns));
        Ok(())
    }

    fn ticks_until(&mut self, ts_ns: i64, out: &mut Vec<u8>) {
        while let Some(&tick) = self.clock.get(self.next).filter(|&&tick| tick <= ts_ns) {
            out.extend_from_slice(&tick_record(tick));
            self.next += 1;
        }
    }

    fn damaged(&self, reason: &str) -> FlowError {
        FlowError::Damaged { offset: self.rows, reason: format!("row {} of the stream: {reason}", self.rows) }
    }
}

fn tick_record(ts_ns: i64) -> [u8; HEADER_LEN] {
    let mut header = write_header(&Packet { ts_ns, ..Packet::NOTHING }, 0);
    header[TICK_FLAG] = 1;
    header
}

#[cfg(test)]
mod tests;
