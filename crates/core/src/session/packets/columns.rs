//! What a row of a packet says.

use crate::batch::{Column, Kind};
use crate::decode::LayerKind;

/// One row per packet that belongs to a flow, and one per packet that moves the clock only (`key` is then
/// [`NO_KEY`]). Offsets count from the start of the block; lengths are octets.
pub(super) const COLUMNS: &[Column] = &[
    // The flow key's number: the same for both directions.
    Column::new("key", Kind::U32),
    // Bit 0: goes from the key's first endpoint. 1: ICMP error, matched to the flow that it quotes. 2 to 4: what the
    // upper layer is, see `Upper`. 5 and 6: fragment, see `Fragment`. 7: IPv6. 8 to 15: upper-layer protocol. 16: the clock
    // goes on, to a second that no row before has reached.
    Column::new("meta", Kind::U32),
    // Number in the capture, from 1.
    Column::new("number", Kind::U64),
    // Number of the capture, from 0.
    Column::new("capture", Kind::U32),
    // Time, three times: nanoseconds since the Unix epoch, and the same as whole seconds and the rest.
    Column::new("ts_ns", Kind::I64),
    Column::new("second", Kind::F64),
    Column::new("nanosecond", Kind::U32),
    // IP header; octets of the IP packet by its header, and captured.
    Column::new("ip", Kind::U32),
    Column::new("ip_len", Kind::U32),
    Column::new("ip_captured", Kind::U32),
    // Upper layer, likewise.
    Column::new("upper", Kind::U32),
    Column::new("upper_len", Kind::U32),
    Column::new("upper_captured", Kind::U32),
    // IP packets that it came in (1, or its fragments), and the octets of them all.
    Column::new("packets", Kind::U32),
    Column::new("octets", Kind::U32),
    // The first octets of a TCP or UDP header, so that who reads those alone needn't touch the block; zeros for others,
    // and where they weren't captured.
    Column::new("head", Kind::Addr),
    // What lies around it, as in a flow record.
    Column::nullable("vlan", Kind::U16),
    Column::nullable("tunnel", Kind::Word(LayerKind::NAMES)),
    Column::nullable("tunnel_id", Kind::U32),
];

/// The last columns: what lies around a packet.
pub(super) const OUTER_COLUMNS: usize = 3;

/// Where frames are asked for, these stand behind them.
pub(super) const FRAME_COLUMNS: &[Column] = &[
    // The frame; octets captured, and on the wire.
    Column::new("frame", Kind::U32),
    Column::new("frame_captured", Kind::U32),
    Column::new("frame_len", Kind::U32),
    // Link-layer header type, and the interface's snapshot length (0 = none).
    Column::new("link", Kind::U16),
    Column::new("snaplen", Kind::U32),
];

/// Octets of `head`.
pub(super) const HEAD_LEN: usize = 16;
