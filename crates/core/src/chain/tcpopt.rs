//! TCPOptChain: which options the answering side's SYN carries.

use super::Seen;
use crate::batch::{Column, Kind, RowWriter};
use crate::decode::flags;
use crate::decode::options::{TO_SACKOK, TO_TS, TO_WS, TcpOptions};
use crate::flow::Direction;

/// True where the option was seen, else null (never false, as in PATHspider).
pub const COLUMNS: &[Column] = &[
    Column::nullable("tcpopt_ts", Kind::Bool),
    Column::nullable("tcpopt_ws", Kind::Bool),
    Column::nullable("tcpopt_sack", Kind::Bool),
];

/// Options seen on a SYN in reverse direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpOptState {
    timestamps: bool,
    window_scale: bool,
    sack_permitted: bool,
}

impl TcpOptState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        let Some(segment) = seen.segment else { return true };
        if segment.has(flags::SYN) && seen.direction == Direction::Rev {
            for option in TcpOptions::new(segment.options) {
                match option.kind {
                    TO_TS => self.timestamps = true,
                    TO_WS => self.window_scale = true,
                    TO_SACKOK => self.sack_permitted = true,
                    _ => {}
                }
            }
        }
        true
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        for seen in [self.timestamps, self.window_scale, self.sack_permitted] {
            row.optional(seen.then_some(true), RowWriter::bool);
        }
    }
}
