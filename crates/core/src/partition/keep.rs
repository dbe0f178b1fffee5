//! How much of a frame must travel for a job: for flow records its headers are enough.

use crate::decode::{Datagram, Fragment, Segment, proto};

/// What of a frame must travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Everything up to the end of the transport header; of ICMP, of fragments and of what can't be told, everything.
    #[default]
    Headers,
    /// Everything.
    Frames,
}

/// Octets of a UDP header, and of the ports and checksum that SCTP and UDP-Lite begin with.
const PORTS_HEADER_LEN: usize = 12;

/// Octets of the frame that carries `datagram` that must travel: with them, headers decode to the same.
#[must_use]
pub fn needed(keep: Keep, frame: &[u8], datagram: &Datagram<'_>) -> usize {
    if keep == Keep::Frames || datagram.reassembled || datagram.fragment != Fragment::Whole || is_unsized(datagram) {
        return frame.len();
    }
    let upper = match datagram.proto {
        proto::TCP => Segment::parse(datagram).map_or(datagram.upper.len(), |segment| segment.header_len as usize),
        proto::ICMP | proto::ICMPV6 => datagram.upper.len(),
        number if proto::has_ports(number) => PORTS_HEADER_LEN,
        _ => 0,
    };
    (datagram.upper_offset as usize).saturating_add(upper).min(frame.len())
}

/// Segmentation offload leaves the length field 0: then what was captured says how long the packet is.
fn is_unsized(datagram: &Datagram<'_>) -> bool {
    let at = if datagram.version == 4 { 2 } else { 4 };
    datagram.packet.get(at..at + 2).is_none_or(|length| length == [0, 0])
}
