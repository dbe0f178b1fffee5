//! DSCPChain: the Differentiated Services codepoint (RFC 2474 section 3) of the first segment with SYN and of the
//! first packet with data, per direction.
//!
//! PATHspider's text is followed where its code differs: the first packet counts, whatever its codepoint.

use super::Seen;
use super::seen::Role;
use crate::batch::{Column, Kind, RowWriter};

/// 0 to 63.
pub const COLUMNS: &[Column] = &[
    Column::nullable("dscp_mark_syn_fwd", Kind::U8),
    Column::nullable("dscp_mark_syn_rev", Kind::U8),
    Column::nullable("dscp_mark_data_fwd", Kind::U8),
    Column::nullable("dscp_mark_data_rev", Kind::U8),
];

/// Codepoints in the order of the columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct DscpState([Option<u8>; 4]);

impl DscpState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        let role = match seen.role() {
            Role::Syn => 0,
            Role::Data => 2,
            Role::Bare => return true,
        };
        self.0[role + seen.direction.index()].get_or_insert(seen.datagram.traffic_class >> 2);
        true
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        for mark in self.0 {
            row.optional(mark, RowWriter::u8);
        }
    }
}
