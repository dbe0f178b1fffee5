//! BasicChain: who talks with whom, packets and octets per direction.

use crate::batch::{Column, Kind, RowWriter};
use crate::decode::Datagram;
use crate::flow::{FlowCold, FlowSlot};

/// `oct_*` counts IP packet sizes: header and all, by the header's length field.
pub const COLUMNS: &[Column] = &[
    Column::new("sip", Kind::Addr),
    Column::new("dip", Kind::Addr),
    Column::nullable("sp", Kind::U16),
    Column::nullable("dp", Kind::U16),
    Column::new("proto", Kind::U8),
    Column::new("pkt_fwd", Kind::U64),
    Column::new("pkt_rev", Kind::U64),
    Column::new("oct_fwd", Kind::U64),
    Column::new("oct_rev", Kind::U64),
];

/// What the first packet says of the flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct BasicState {
    /// Source address of the first packet.
    pub sip: [u8; 16],
    /// Its destination address.
    pub dip: [u8; 16],
    /// Source and destination port.
    pub ports: Option<(u16, u16)>,
    /// Upper-layer protocol.
    pub proto: u8,
}

impl BasicState {
    /// From a flow's first packet.
    #[must_use]
    pub fn new(datagram: &Datagram<'_>) -> Self {
        Self { sip: datagram.src, dip: datagram.dst, ports: datagram.ports(), proto: datagram.proto }
    }
}

pub(super) fn write(slot: &FlowSlot, cold: &FlowCold, row: &mut RowWriter<'_>) {
    let basic = &cold.basic;
    row.bytes(&basic.sip);
    row.bytes(&basic.dip);
    row.optional(basic.ports.map(|p| p.0), RowWriter::u16);
    row.optional(basic.ports.map(|p| p.1), RowWriter::u16);
    row.u8(basic.proto);
    row.u64(slot.packets[0]);
    row.u64(slot.packets[1]);
    row.u64(slot.octets[0]);
    row.u64(slot.octets[1]);
}
