//! TFOChain: TCP Fast Open (RFC 7413) under its own kind 34 or as an experiment (kinds 253, 254, 255 with identifier
//! 0xF989), and whether data on the SYN was acknowledged.

use super::Seen;
use crate::batch::{Column, Kind, RowWriter};
use crate::decode::options::SynOptions;
use crate::decode::{Segment, flags};

/// 0 where nothing was seen, as in PATHspider. `tfo_*kind`: option kind. `tfo_*clen`: octets of cookie. `tfo_seq`:
/// sequence number of the SYN. `tfo_dlen`: octets of data on it. `tfo_ack`: acknowledgment number of its answer.
pub const COLUMNS: &[Column] = &[
    Column::new("tfo_synkind", Kind::U8),
    Column::new("tfo_ackkind", Kind::U8),
    Column::new("tfo_synclen", Kind::U8),
    Column::new("tfo_ackclen", Kind::U8),
    Column::new("tfo_seq", Kind::U32),
    Column::new("tfo_dlen", Kind::U32),
    Column::new("tfo_ack", Kind::U32),
];

/// Fast Open as the latest SYN with the option and its answer have it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TfoState {
    syn_kind: u8,
    ack_kind: u8,
    syn_cookie_len: u8,
    ack_cookie_len: u8,
    seq: u32,
    data_len: u32,
    ack: u32,
}

impl TfoState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        match seen.segment {
            Some(segment) if !segment.has(flags::SYN) => {}
            Some(segment) if segment.has(flags::ACK) => self.answer(segment),
            Some(segment) => self.syn(segment),
            None => {}
        }
        true
    }

    fn syn(&mut self, segment: &Segment<'_>) {
        if let Some(option) = SynOptions::parse(segment.options).fast_open {
            self.syn_kind = option.kind;
            self.syn_cookie_len = option.cookie_len;
            self.seq = segment.seq.0;
            self.data_len = segment.payload_len;
            self.ack = 0;
        }
    }

    fn answer(&mut self, segment: &Segment<'_>) {
        if self.syn_kind == 0 {
            return;
        }
        self.ack = segment.ack.0;
        if let Some(option) = SynOptions::parse(segment.options).fast_open {
            self.ack_kind = option.kind;
            self.ack_cookie_len = option.cookie_len;
        }
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        row.u8(self.syn_kind);
        row.u8(self.ack_kind);
        row.u8(self.syn_cookie_len);
        row.u8(self.ack_cookie_len);
        row.u32(self.seq);
        row.u32(self.data_len);
        row.u32(self.ack);
    }
}
