//! ICMPChain: whether an answer said "destination unreachable" (RFC 792 type 3, RFC 4443 type 1). The flow is complete
//! then.

use super::Seen;
use crate::batch::{Column, Kind, RowWriter};
use crate::flow::Direction;

/// An unreachable message was seen in reverse direction.
pub const COLUMNS: &[Column] = &[Column::new("icmp_unreachable", Kind::Bool)];

/// Whether one was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct IcmpState {
    unreachable: bool,
}

impl IcmpState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        let Some(kind) = seen.icmp_type() else { return true };
        let unreachable = if seen.datagram.version == 4 { 3 } else { 1 };
        self.unreachable |= seen.direction == Direction::Rev && kind == unreachable;
        !self.unreachable
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        row.bool(self.unreachable);
    }
}
