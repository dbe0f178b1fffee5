//! Serial lines: PPP, Cisco HDLC, frame relay.

use super::{Step, array_at, llc, u8_at, u16_at};
use crate::decode::Drop;

/// PPP (RFC 1661, RFC 1662): address and control may be left out, the protocol may be compressed to one octet.
pub fn ppp(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let at = if frame.get(at..at + 2) == Some(&[0xff, 0x03]) { at + 2 } else { at };
    let first = u8_at(frame, at)?;
    // RFC 1661 section 2: the last octet of a protocol number is odd, all others are even.
    let (protocol, at) = if first & 1 == 1 { (u16::from(first), at + 1) } else { (u16_at(frame, at)?, at + 2) };
    match protocol {
        0x0021 | 0x0057 => Ok(Step::Ip(at)),
        0x0281 | 0x0283 => Ok(Step::Mpls(at)),
        // Bridging (RFC 3518): flags and MAC type 1, then the Ethernet frame.
        0x0031 if u8_at(frame, at + 1)? == 1 => Ok(Step::Ethernet(at + 2)),
        _ => Err(Drop::NonIp),
    }
}

/// PPP or Cisco HDLC, told apart by the address octet.
pub fn ppp_or_hdlc(frame: &[u8], at: usize) -> Result<Step, Drop> {
    match array_at(frame, at) {
        Ok([0x0f | 0x8f, 0x00]) => cisco_hdlc(frame, at),
        _ => Ok(Step::Ppp(at)),
    }
}

/// Cisco HDLC: address, control, ethertype.
pub fn cisco_hdlc(frame: &[u8], at: usize) -> Result<Step, Drop> {
    match u16_at(frame, at + 2)? {
        // SLARP and CDP stand where 802.3 lengths and old ethertypes would.
        0..=1500 | 0x2000 | 0x8035 => Err(Drop::NonIp),
        0xfefe => llc::nlpid(frame, at + 4),
        kind => Ok(Step::Ethertype(kind, at + 4)),
    }
}

/// Frame relay (Q.922): an address of two to four octets, then RFC 2427's header or Cisco's ethertype.
pub fn frame_relay(frame: &[u8], at: usize) -> Result<Step, Drop> {
    let mut end = at;
    // The lowest bit is set in the address's last octet.
    while u8_at(frame, end)? & 1 == 0 {
        end += 1;
        if end - at > 3 {
            return Err(Drop::Broken);
        }
    }
    end += 1;
    if u8_at(frame, end)? != 0x03 {
        return Ok(Step::Ethertype(u16_at(frame, end)?, end + 2));
    }
    // RFC 2427 section 3: a zero octet may align what follows.
    let pad = usize::from(u8_at(frame, end + 1)? == 0);
    llc::nlpid(frame, end + 1 + pad)
}
