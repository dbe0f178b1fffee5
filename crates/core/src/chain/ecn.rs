//! ECNChain: marks of Explicit Congestion Notification in IP headers (RFC 3168 section 5), on segments with SYN and
//! on packets with data.
//!
//! PATHspider's text is followed where its code differs: a TCP segment without SYN and payload is neither.

use super::Seen;
use super::seen::Role;
use crate::batch::{Column, Kind, RowWriter};

/// The mark was seen at least once.
pub const COLUMNS: &[Column] = &[
    Column::new("ecn_ect0_syn_fwd", Kind::Bool),
    Column::new("ecn_ect0_syn_rev", Kind::Bool),
    Column::new("ecn_ect0_data_fwd", Kind::Bool),
    Column::new("ecn_ect0_data_rev", Kind::Bool),
    Column::new("ecn_ect1_syn_fwd", Kind::Bool),
    Column::new("ecn_ect1_syn_rev", Kind::Bool),
    Column::new("ecn_ect1_data_fwd", Kind::Bool),
    Column::new("ecn_ect1_data_rev", Kind::Bool),
    Column::new("ecn_ce_syn_fwd", Kind::Bool),
    Column::new("ecn_ce_syn_rev", Kind::Bool),
    Column::new("ecn_ce_data_fwd", Kind::Bool),
    Column::new("ecn_ce_data_rev", Kind::Bool),
];

/// One truth value per column, in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct EcnState([bool; 12]);

impl EcnState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        // RFC 3168 section 5: 10 is ECT(0), 01 is ECT(1), 11 is CE.
        let mark = match seen.datagram.traffic_class & 3 {
            0b10 => 0,
            0b01 => 4,
            0b11 => 8,
            _ => return true,
        };
        let role = match seen.role() {
            Role::Syn => 0,
            Role::Data => 2,
            Role::Bare => return true,
        };
        self.0[mark + role + seen.direction.index()] = true;
        true
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        for seen in self.0 {
            row.bool(seen);
        }
    }
}
