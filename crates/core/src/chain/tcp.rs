//! TCPChain: SYN flags, FIN and RST per direction, and whether the three-way handshake completed (RFC 9293
//! section 3.5).
//!
//! PATHspider's text is followed where its code differs: the first SYN of a direction wins, and a FIN counts for the
//! direction in which it went.

use crate::batch::{Column, Kind, RowWriter};
use crate::decode::flags;
use crate::flow::{Direction, FlowSlot};

pub const COLUMNS: &[Column] = &[
    Column::nullable("tcp_synflags_fwd", Kind::U8),
    Column::nullable("tcp_synflags_rev", Kind::U8),
    Column::new("tcp_fin_fwd", Kind::Bool),
    Column::new("tcp_fin_rev", Kind::Bool),
    Column::new("tcp_rst_fwd", Kind::Bool),
    Column::new("tcp_rst_rev", Kind::Bool),
    Column::new("tcp_connected", Kind::Bool),
];

/// What the chain knows of a flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpState {
    syn_flags: [Option<u8>; 2],
    /// FIN seen, a bit for each direction; so is `rst`. Bits of one octet, since a pair of them that was just written
    /// couldn't be read as one.
    fin: u8,
    rst: u8,
    /// A SYN with ACK was seen in this direction, whichever SYN was first (simultaneous open, RFC 9293 section 3.5).
    syn_ack_rev: bool,
    connected: bool,
}

impl TcpState {
    /// Takes in the control bits of one segment. False: the flow is complete (FIN in both directions, or a RST).
    #[inline]
    #[must_use]
    pub fn segment(&mut self, bits: u16, direction: Direction) -> bool {
        let has = |mask: u16| bits & mask != 0;
        let way = direction.index();
        if has(flags::SYN) {
            self.syn_flags[way].get_or_insert((bits & 0xff) as u8);
            self.syn_ack_rev |= direction == Direction::Rev && has(flags::ACK);
        }
        if !self.connected {
            self.connected =
                direction == Direction::Fwd && has(flags::ACK) && self.syn_flags[0].is_some() && self.syn_ack_rev;
        }
        self.fin |= u8::from(has(flags::FIN)) << way;
        self.rst |= u8::from(has(flags::RST)) << way;
        !(self.fin == 0b11 || self.rst != 0)
    }
}

pub(super) fn write(slot: &FlowSlot, row: &mut RowWriter<'_>) {
    let tcp = &slot.tcp;
    row.optional(tcp.syn_flags[0], RowWriter::u8);
    row.optional(tcp.syn_flags[1], RowWriter::u8);
    row.bool(tcp.fin & 1 != 0);
    row.bool(tcp.fin & 2 != 0);
    row.bool(tcp.rst & 1 != 0);
    row.bool(tcp.rst & 2 != 0);
    row.bool(tcp.connected);
}
