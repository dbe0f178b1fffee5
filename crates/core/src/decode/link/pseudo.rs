//! Headers that capture tools and drivers make up: where they end, and what follows.

use super::{Step, array_at, serial, u8_at, u16_at};
use crate::capture::LinkType;
use crate::decode::Drop;

/// BSD loopback: four octets with the address family, in either byte order.
pub fn family(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let word: [u8; 4] = array_at(frame, at)?;
    if matches!(word, [0xff, 0x03, _, _] | [0x0f | 0x8f, 0x00, 0x08 | 0x86, _]) {
        // Tunnel and WAN devices may put PPP or Cisco HDLC in the family's place.
        return serial::ppp_or_hdlc(frame, at);
    }
    let family = match u32::from_le_bytes(word) {
        little if little <= 0xffff => little,
        _ => u32::from_be_bytes(word),
    };
    match family {
        family if is_ip(family) => Ok(Step::Ip(at + 4)),
        // Some drivers write an ethertype.
        0x0600..=0xffff => Ok(Step::Ethertype(family as u16, at + 4)),
        _ => Err(Drop::NonIp),
    }
}

/// `AF_INET` is 2 everywhere; `AF_INET6` is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (Darwin), 10 (Linux), 23 (Windows).
fn is_ip(family: u32) -> bool {
    matches!(family, 2 | 10 | 23 | 24 | 28 | 30)
}

/// OpenBSD's packet filter log: the header's length, which is padded to a multiple of four, and the family.
pub fn pflog(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let [len, family] = array_at(frame, at)?;
    match is_ip(u32::from(family)) {
        true => Ok(Step::Ip(at + usize::from(len).next_multiple_of(4))),
        false => Err(Drop::NonIp),
    }
}

/// OpenBSD's IPsec device: family, SPI and flags, four octets each.
pub fn enc(frame: &[u8], at: usize) -> Result<Step, Drop> {
    family(frame, at).map(|step| if let Step::Ip(_) = step { Step::Ip(at + 12) } else { step })
}

/// Linux netfilter log: family, version, resource, then attributes in the host's byte order; number 9 is the packet.
pub fn nflog(frame: &[u8], at: usize) -> Result<Step, Drop> {
    if !is_ip(u32::from(u8_at(frame, at)?)) {
        return Err(Drop::NonIp);
    }
    let mut at = at + 4;
    loop {
        let [len_low, len_high, kind_low, kind_high] = array_at(frame, at)?;
        let kind = u16::from_le_bytes([kind_low, kind_high]) & 0x7fff;
        match usize::from(u16::from_le_bytes([len_low, len_high])) {
            0..4 => return Err(Drop::Broken),
            _ if kind == 9 => return Ok(Step::Ip(at + 4)),
            len => at += len.next_multiple_of(4),
        }
    }
}

/// Darwin's per-process header: its length and the link type behind it, little endian.
pub fn pktap(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let len = u32::from_le_bytes(array_at(frame, at)?) as usize;
    let link = u32::from_le_bytes(array_at(frame, at + 8)?);
    match u16::try_from(link) {
        Ok(link) if (16..=4096).contains(&len) && !is_pktap(link) => Ok(Step::Link(LinkType(link), at + len)),
        _ => Err(Drop::NonIp),
    }
}

fn is_pktap(link: u16) -> bool {
    [LinkType::PKTAP.0, LinkType::USER2.0].contains(&link)
}

/// Linux ARCnet: two addresses, an offset or none, the type, and RFC 1201's fragment header for the newer types.
pub fn arcnet(frame: &[u8], at: usize) -> Result<Step, Drop> {
    match u8_at(frame, at)? {
        // RFC 1051: nothing behind the type.
        240 => Ok(Step::Ip(at + 1)),
        // RFC 1201 section 2: a split flag of 0 is a whole packet; 255 is an exception frame, with the header again.
        212 | 196 => match u8_at(frame, at + 1)? {
            0 => Ok(Step::Ip(at + 4)),
            255 => Ok(Step::Ip(at + 8)),
            _ => Err(Drop::NonIp),
        },
        _ => Err(Drop::NonIp),
    }
}

/// Token ring: control octets and addresses, then the route where the source address's first bit is set.
pub fn token_ring(frame: &[u8], at: usize) -> Result<Step, Drop> {
    if u8_at(frame, at + 1)? & 0xc0 != 0x40 {
        return Err(Drop::NonIp);
    }
    let routed = u8_at(frame, at + 8)? & 0x80 != 0;
    let route = if routed { usize::from(u8_at(frame, at + 14)? & 0x1f) } else { 0 };
    Ok(Step::Llc(at + 14 + route))
}

/// FDDI: frame control, addresses; only LLC frames go on.
pub fn fddi(frame: &[u8], at: usize) -> Result<Step, Drop> {
    if u8_at(frame, at)? & 0x30 != 0x10 {
        return Err(Drop::NonIp);
    }
    Ok(Step::Llc(at + 13))
}

/// DOCSIS: frame control, parameter, length, an extended header where bit 0 says so, and a check sequence.
pub fn docsis(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let [control, parameter] = array_at(frame, at)?;
    if control >> 6 != 0 {
        return Err(Drop::NonIp);
    }
    let extended = if control & 1 == 1 { usize::from(parameter) } else { 0 };
    Ok(Step::Ethernet(at + 6 + extended))
}

/// Linux cooked capture: `type_at` is the place of the protocol, `device_at` that of the device type.
pub fn cooked(frame: &[u8], type_at: usize, device_at: usize, payload: usize) -> Result<Step, Drop> {
    let (protocol, device) = (u16_at(frame, type_at)?, u16_at(frame, device_at)?);
    match (protocol, device) {
        // ARPHRD_IEEE80211_RADIOTAP, ARPHRD_IEEE80211
        (_, 803) => Ok(Step::Link(LinkType::IEEE802_11_RADIOTAP, payload)),
        (_, 801) => Ok(Step::Wlan(payload, false)),
        // ARPHRD_FRAD, ARPHRD_DLCI
        (_, 770) => Ok(Step::Link(LinkType::FRELAY, payload)),
        // ETH_P_802_2: LLC; ETH_P_802_3 is Novell's, and other small numbers are Linux's own.
        (4, _) => Ok(Step::Llc(payload)),
        (0..=1535, _) => Err(Drop::NonIp),
        _ => Ok(Step::Ethertype(protocol, payload)),
    }
}

/// Juniper's header before Ethernet: magic, flags, extensions.
pub fn juniper_ethernet(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let [m, g, c, flags] = array_at(frame, at)?;
    if [m, g, c] != [0x4d, 0x47, 0x43] {
        return Err(Drop::Broken);
    }
    let extensions = if flags & 0x80 != 0 { 2 + usize::from(u16_at(frame, at + 4)?) } else { 0 };
    // Flag 2: no link layer; four octets tell the protocol in a way of their own.
    if flags & 2 != 0 {
        return Err(Drop::NonIp);
    }
    Ok(Step::Ethernet(at + 4 + extensions))
}

/// Ethernet with its preamble (IEEE 802.3br): only express and whole frames go on.
pub fn mpacket(frame: &[u8], at: usize) -> Result<Step, Drop> {
    match u8_at(frame, at + 7)? {
        0xd5 | 0xe6 | 0x4c | 0x7f | 0xb3 => Ok(Step::Ethernet(at + 8)),
        _ => Err(Drop::NonIp),
    }
}
