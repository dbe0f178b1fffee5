//! IEEE 802.11 data frames, and the headers that capture tools put before them.

use super::{Step, array_at, u8_at};
use crate::capture::LinkType;
use crate::decode::Drop;

/// Radiotap's flags field: the MAC header is padded to a multiple of four octets.
const PADDED: u8 = 0x20;

/// Radiotap: a header of fields in a given order, those that are there marked by bits.
pub fn radiotap(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let [version, _, low, high] = array_at(frame, at)?;
    let len = usize::from(u16::from_le_bytes([low, high]));
    if version != 0 || len < 8 {
        return Err(Drop::Broken);
    }
    let header = frame.get(at..at + len).ok_or(Drop::Cut)?;
    Ok(Step::Wlan(at + len, radiotap_flags(header)? & PADDED != 0))
}

/// The flags field; 0 where there is none.
fn radiotap_flags(header: &[u8]) -> Result<u8, Drop> {
    let present = u32::from_le_bytes(array_at(header, 4)?);
    if present & 2 == 0 {
        return Ok(0);
    }
    let mut at = 4;
    // Bit 31: another word of bits follows.
    while u32::from_le_bytes(array_at(header, at)?) >> 31 == 1 {
        at += 4;
    }
    at += 4;
    // The one field before it is the time, eight octets at a multiple of eight.
    let flags_at = if present & 1 == 1 { at.next_multiple_of(8) + 8 } else { at };
    u8_at(header, flags_at)
}

/// AVS: version, length.
pub fn avs(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let len = u32::from_be_bytes(array_at(frame, at + 4)?) as usize;
    if !(8..=4096).contains(&len) {
        return Err(Drop::Broken);
    }
    Ok(Step::Wlan(at + len, false))
}

/// Prism: message code and length in the capturing host's byte order. AVS headers come under this link type too.
pub fn prism(frame: &[u8], at: usize) -> Result<Step, Drop> {
    if matches!(array_at(frame, at)?, [0x80, 0x21, 0x10, 0x01 | 0x02]) {
        return avs(frame, at);
    }
    let word = array_at(frame, at + 4)?;
    let len = u32::from_le_bytes(word).min(u32::from_be_bytes(word)) as usize;
    if !(8..=4096).contains(&len) {
        return Err(Drop::Broken);
    }
    Ok(Step::Wlan(at + len, false))
}

/// Per-packet information: version, flags, length, link type, all little endian.
pub fn ppi(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let [_, _, low, high] = array_at(frame, at)?;
    let len = usize::from(u16::from_le_bytes([low, high]));
    let link = u32::from_le_bytes(array_at(frame, at + 4)?);
    match u16::try_from(link) {
        _ if len < 8 => Err(Drop::Broken),
        Ok(link) if link != LinkType::PPI.0 => Ok(Step::Link(LinkType(link), at + len)),
        _ => Err(Drop::NonIp),
    }
}

/// The MAC header (IEEE 802.11-2020 section 9.2.3). Only data frames that are not encrypted carry what can be read.
pub fn mac(frame: &[u8], at: usize, padded: bool) -> Result<Step, Drop> {
    let [kind, flags] = array_at(frame, at)?;
    let is_data = kind & 0x0c == 0x08;
    let without_data = kind & 0x40 != 0;
    let protected = flags & 0x40 != 0;
    if !is_data || without_data || protected {
        return Err(Drop::NonIp);
    }
    let four_addresses = flags & 3 == 3;
    let mut len = if four_addresses { 30 } else { 24 };
    let mut aggregated = false;
    if kind & 0x80 != 0 {
        aggregated = u8_at(frame, at + len)? & 0x80 != 0;
        // QoS control, and HT control where the order bit says so.
        len += if flags & 0x80 != 0 { 6 } else { 2 };
    }
    if padded {
        len = len.next_multiple_of(4);
    }
    // Of an A-MSDU the first subframe is read: two addresses, length, LLC.
    Ok(Step::Llc(at + len + if aggregated { 14 } else { 0 }))
}
