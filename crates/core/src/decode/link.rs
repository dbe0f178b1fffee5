//! The walk from the start of a frame to its network layer.

use super::Drop;
use super::encap::{LayerKind, Layers};
use crate::capture::LinkType;

/// Finds the IP header of `frame`: its offset. VLAN tags and the like go to `layers`, outermost first.
///
/// # Errors
/// Why there is none.
#[inline]
pub fn network_layer(link: LinkType, frame: &[u8], layers: &mut Layers) -> Result<usize, Drop> {
    match link {
        LinkType::ETHERNET => ethernet(frame, layers),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => Ok(0),
        LinkType::NULL | LinkType::LOOP => family(frame),
        LinkType::LINUX_SLL => by_ethertype(frame, 14, 16, layers),
        LinkType::LINUX_SLL2 => by_ethertype(frame, 0, 20, layers),
        _ => Err(Drop::UnknownLink),
    }
}

fn ethernet(frame: &[u8], layers: &mut Layers) -> Result<usize, Drop> {
    let ethertype = u16_at(frame, 12)?;
    if ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6 {
        return Ok(14);
    }
    by_ethertype(frame, 12, 14, layers)
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// Follows the ethertype that stands at `type_at`; its payload begins at `next`.
fn by_ethertype(frame: &[u8], type_at: usize, next: usize, layers: &mut Layers) -> Result<usize, Drop> {
    let (mut ethertype, mut next) = (u16_at(frame, type_at)?, next);
    loop {
        match ethertype {
            ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => return Ok(next),
            // IEEE 802.1Q, 802.1ad, and the values in use before 802.1ad
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                layers.push(LayerKind::Vlan, u32::from(u16_at(frame, next)? & 0x0fff));
                ethertype = u16_at(frame, next + 2)?;
                next += 4;
            }
            _ => return Err(Drop::NonIp),
        }
    }
}

/// BSD loopback: four octets with the address family, in either byte order.
fn family(frame: &[u8]) -> Result<usize, Drop> {
    let Some(word) = frame.first_chunk::<4>() else { return Err(Drop::Cut) };
    let family = match u32::from_le_bytes(*word) {
        little if little <= 0xffff => little,
        _ => u32::from_be_bytes(*word),
    };
    // AF_INET is 2 everywhere; AF_INET6 is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (Darwin), 10 (Linux).
    match family {
        2 | 10 | 24 | 28 | 30 => Ok(4),
        _ => Err(Drop::NonIp),
    }
}

#[inline]
fn u16_at(frame: &[u8], at: usize) -> Result<u16, Drop> {
    match frame.get(at..at + 2) {
        Some(word) => Ok(u16::from_be_bytes([word[0], word[1]])),
        None => Err(Drop::Cut),
    }
}
