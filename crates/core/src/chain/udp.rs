//! UDPChain: whether the latest datagram of a direction went without a checksum (RFC 768: a checksum of zero).

use super::Seen;
use crate::batch::{Column, Kind, RowWriter};

/// The latest datagram's checksum was zero.
pub const COLUMNS: &[Column] =
    &[Column::nullable("udp_zero_checksum_fwd", Kind::Bool), Column::nullable("udp_zero_checksum_rev", Kind::Bool)];

/// Per direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct UdpState([Option<bool>; 2]);

impl UdpState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        if let Some(udp) = seen.udp() {
            self.0[seen.direction.index()] = Some(udp.checksum == 0);
        }
        true
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        for zero in self.0 {
            row.optional(zero, RowWriter::bool);
        }
    }
}
