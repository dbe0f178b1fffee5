//! What stands behind an ethertype: IP, tags, labels, and Ethernet in Ethernet.

use super::{Step, array_at, u8_at, u16_at, u32_at};
use crate::decode::Drop;
use crate::decode::encap::{LayerKind, Layers};

pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;

/// Follows a payload at `at` with ethertype `kind`.
pub fn follow(frame: &[u8], kind: u16, at: usize, layers: &mut Layers) -> Result<Step, Drop> {
    match kind {
        IPV4 | IPV6 => Ok(Step::Ip(at)),
        // IEEE 802.1Q, 802.1ad, and the values in use before 802.1ad
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => vlan(frame, at, layers),
        0x8847 | 0x8848 => Ok(Step::Mpls(at)),
        0x8864 => pppoe(frame, at, layers),
        0x880b => Ok(Step::Ppp(at)),
        // Transparent Ethernet bridging (in GRE); DEC's experimental use of the same number is gone.
        0x6558 => Ok(Step::Ethernet(at)),
        0x88e7 => backbone(frame, at, layers),
        // Cisco FabricPath: tree and hop count, then the frame.
        0x8903 => Ok(Step::Ethernet(at + 2)),
        0x22f3 => trill(frame, at),
        // IEEE 802.1BR's predecessor VN-Tag: four octets.
        0x8926 => Ok(Step::Ethertype(u16_at(frame, at + 4)?, at + 6)),
        // IEEE 802.1BR's E-TAG: six octets.
        0x893f => Ok(Step::Ethertype(u16_at(frame, at + 6)?, at + 8)),
        // HSR (IEC 62439-3): path and size, sequence number.
        0x892f => Ok(Step::Ethertype(u16_at(frame, at + 4)?, at + 6)),
        // Cisco MetaData: version, length, option, security group tag.
        0x8909 => Ok(Step::Ethertype(u16_at(frame, at + 6)?, at + 8)),
        // Marvell EDSA: two reserved octets, then the four of the DSA tag.
        0xdada => Ok(Step::Ethertype(u16_at(frame, at + 6)?, at + 8)),
        0x894f => nsh(frame, at),
        // LLC in a jumbo frame, where no length fits.
        0x8870 => Ok(Step::Llc(at)),
        0..=1500 => Ok(Step::Llc(at)),
        _ => Err(Drop::NonIp),
    }
}

fn vlan(frame: &[u8], at: usize, layers: &mut Layers) -> Result<Step, Drop> {
    let id = u16_at(frame, at)? & 0x0fff;
    // IEEE 802.1Q: VLAN id 0 is a priority tag, it names no VLAN and often goes one way only.
    if id != 0 {
        layers.push(LayerKind::Vlan, u32::from(id));
    }
    Ok(Step::Ethertype(u16_at(frame, at + 2)?, at + 4))
}

/// RFC 2516: version and type, code, session, length, then PPP without address and control.
fn pppoe(frame: &[u8], at: usize, layers: &mut Layers) -> Result<Step, Drop> {
    let [version_type, code, high, low] = array_at(frame, at)?;
    if version_type != 0x11 {
        return Err(Drop::Broken);
    }
    if code != 0 {
        return Err(Drop::NonIp);
    }
    layers.push(LayerKind::Pppoe, u32::from(u16::from_be_bytes([high, low])));
    Ok(Step::Ppp(at + 6))
}

/// A label stack (RFC 3032), then IP, or Ethernet behind a control word (RFC 4448).
///
/// Nothing in the stack says what comes after it. As others do, the first four bits are believed: 4 and 6 are IP, 0 is
/// a control word (RFC 4385 section 3), 1 an associated channel.
pub fn mpls(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let mut at = at;
    while u32_at(frame, at)? & 0x100 == 0 {
        at += 4;
    }
    at += 4;
    match u8_at(frame, at)? >> 4 {
        4 | 6 => Ok(Step::Ip(at)),
        0 => Ok(Step::Ethernet(at + 4)),
        _ => Err(Drop::NonIp),
    }
}

/// IEEE 802.1ah: flags and I-SID, then the customer's frame.
fn backbone(frame: &[u8], at: usize, layers: &mut Layers) -> Result<Step, Drop> {
    layers.push(LayerKind::Pbb, u32_at(frame, at)? & 0x00ff_ffff);
    Ok(Step::Ethernet(at + 4))
}

/// TRILL (RFC 6325 section 3): options in units of four octets, the frame behind them.
fn trill(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let options = usize::from(u16_at(frame, at)? >> 6 & 0x1f) * 4;
    Ok(Step::Ethernet(at + 6 + options))
}

/// Network service header (RFC 8300 section 2): its length is in units of four octets.
fn nsh(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let [_, length, _, next] = array_at(frame, at)?;
    let length = usize::from(length & 0x3f) * 4;
    match next {
        _ if length < 8 => Err(Drop::Broken),
        1 | 2 => Ok(Step::Ip(at + length)),
        3 => Ok(Step::Ethernet(at + length)),
        5 => Ok(Step::Mpls(at + length)),
        _ => Err(Drop::NonIp),
    }
}
