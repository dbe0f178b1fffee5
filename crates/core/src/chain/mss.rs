//! MSSChain: the maximum segment size option of each direction's SYN (RFC 9293 section 3.7.1).

use super::Seen;
use crate::batch::{Column, Kind, RowWriter};
use crate::decode::flags;
use crate::decode::options::{TO_MSS, TcpOptions};

/// `mss_len_*`: octets of the option with kind and length, 4 where it is well-formed. `mss_value_*`: its data as one
/// big-endian number, however long; octets.
pub const COLUMNS: &[Column] = &[
    Column::nullable("mss_len_fwd", Kind::U8),
    Column::nullable("mss_len_rev", Kind::U8),
    Column::nullable("mss_value_fwd", Kind::F64),
    Column::nullable("mss_value_rev", Kind::F64),
];

/// The option of the latest SYN that had one, per direction: its length and value.
#[derive(Clone, Copy, Debug, Default)]
pub struct MssState([Option<(u8, f64)>; 2]);

impl MssState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        let Some(segment) = seen.segment else { return true };
        if segment.has(flags::SYN)
            && let Some(option) = TcpOptions::new(segment.options).find(|o| o.kind == TO_MSS)
        {
            let value = option.data.iter().fold(0.0, |value, &octet| value * 256.0 + f64::from(octet));
            let len = u8::try_from(option.data.len() + 2).unwrap_or(u8::MAX);
            self.0[seen.direction.index()] = Some((len, value));
        }
        true
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        for way in self.0 {
            row.optional(way.map(|w| w.0), RowWriter::u8);
        }
        for way in self.0 {
            row.optional(way.map(|w| w.1), RowWriter::f64);
        }
    }
}
