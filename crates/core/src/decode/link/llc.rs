//! IEEE 802.2 LLC with SNAP, and the NLPID of frame relay and ATM (RFC 2427, RFC 2684).

use super::{Step, array_at, u8_at, u16_at};
use crate::decode::Drop;

/// Follows an LLC header at `at`.
pub fn follow(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let [dsap, ssap, control] = array_at(frame, at)?;
    match (dsap, ssap & 0xfe) {
        // Some senders put IP behind a SNAP header with an extended control field; RFC 1042 has the short one.
        (0xaa | 0xab, 0xaa) if control & 3 == 3 => snap(frame, at + 3),
        (0xaa | 0xab, 0xaa) => snap(frame, at + 4),
        // RFC 948: a service access point for IP itself.
        (0x06, 0x06) => Ok(Step::Ip(at + 3)),
        // ISO's network layer: the NLPID comes next.
        (0xfe, 0xfe) => nlpid(frame, at + 3),
        _ => Err(Drop::NonIp),
    }
}

/// Organization and protocol: RFC 1042 section 2.
fn snap(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let protocol = u16_at(frame, at + 3)?;
    match (array_at(frame, at)?, protocol) {
        // Encapsulated Ethernet; 802.1H's bridge tunnel; Cisco uses its own number for a few ethertypes.
        ([0, 0, 0] | [0, 0, 0xf8], _) => Ok(Step::Ethertype(protocol, at + 5)),
        // RFC 2427 section 4.2 and RFC 2684 section 5.2: bridged Ethernet, with or without its checksum.
        ([0, 0x80, 0xc2], 1 | 7) => bridged(frame, at + 5),
        _ => Err(Drop::NonIp),
    }
}

/// ATM pads a bridged frame with two zero octets, frame relay doesn't.
fn bridged(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let pad = if u16_at(frame, at)? == 0 { 2 } else { 0 };
    Ok(Step::Ethernet(at + pad))
}

/// Follows a network-layer protocol identifier (ISO/IEC TR 9577).
pub fn nlpid(frame: &[u8], at: usize) -> Result<Step, Drop> {
    match u8_at(frame, at)? {
        0xcc | 0x8e => Ok(Step::Ip(at + 1)),
        0x80 => snap(frame, at + 1),
        0xcf => Ok(Step::Ppp(at + 1)),
        _ => Err(Drop::NonIp),
    }
}
