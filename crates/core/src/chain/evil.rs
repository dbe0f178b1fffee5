//! EvilChain: the reserved bit of the IPv4 header's flags, RFC 3514's "evil bit": of the latest segment with SYN and of
//! the first packet with data, per direction. IPv6 has no such bit.

use super::Seen;
use super::seen::Role;
use crate::batch::{Column, Kind, RowWriter};

/// The bit was set; null where no such packet was seen.
pub const COLUMNS: &[Column] = &[
    Column::nullable("evilbit_syn_fwd", Kind::Bool),
    Column::nullable("evilbit_syn_rev", Kind::Bool),
    Column::nullable("evilbit_data_fwd", Kind::Bool),
    Column::nullable("evilbit_data_rev", Kind::Bool),
];

/// Bits in the order of the columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct EvilState([Option<bool>; 4]);

impl EvilState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        if seen.datagram.version != 4 {
            return true;
        }
        let evil = seen.datagram.packet.get(6).is_some_and(|octet| octet & 0x80 != 0);
        let way = seen.direction.index();
        match seen.role() {
            Role::Syn => self.0[way] = Some(evil),
            Role::Data => {
                self.0[2 + way].get_or_insert(evil);
            }
            Role::Bare => {}
        }
        true
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        for bit in self.0 {
            row.optional(bit, RowWriter::bool);
        }
    }
}
