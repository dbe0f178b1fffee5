//! The first step, by link type.

use super::{Step, pseudo, serial, u8_at, u16_at, wlan};
use crate::capture::LinkType;
use crate::decode::Drop;

/// What lies at `at`, where a frame of type `link` begins.
pub fn first(link: LinkType, frame: &[u8], at: usize) -> Result<Step, Drop> {
    match link {
        LinkType::ETHERNET => Ok(Step::Ethernet(at)),
        LinkType::RAW | LinkType::RAW_12 | LinkType::RAW_14 | LinkType::IPV4 | LinkType::IPV6 => Ok(Step::Ip(at)),
        LinkType::NULL | LinkType::LOOP => pseudo::family(frame, at),
        LinkType::LINUX_SLL => pseudo::cooked(frame, at + 14, at + 2, at + 16),
        LinkType::LINUX_SLL2 => pseudo::cooked(frame, at, at + 8, at + 20),
        LinkType::IEEE802_11 => Ok(Step::Wlan(at, false)),
        LinkType::IEEE802_11_RADIOTAP => wlan::radiotap(frame, at),
        LinkType::IEEE802_11_AVS => wlan::avs(frame, at),
        LinkType::IEEE802_11_PRISM => wlan::prism(frame, at),
        LinkType::PPI => wlan::ppi(frame, at),
        LinkType::PPP | LinkType::PPP_HDLC => serial::ppp_or_hdlc(frame, at),
        // One octet tells the direction.
        LinkType::PPP_PPPD | LinkType::PPP_WITH_DIR => Ok(Step::Ppp(at + 1)),
        LinkType::PPP_ETHER => Ok(Step::Ethertype(0x8864, at)),
        LinkType::C_HDLC => serial::cisco_hdlc(frame, at),
        LinkType::C_HDLC_WITH_DIR => serial::cisco_hdlc(frame, at + 1),
        LinkType::FRELAY => serial::frame_relay(frame, at),
        LinkType::FRELAY_WITH_DIR => serial::frame_relay(frame, at + 1),
        _ => rare(link, frame, at),
    }
}

fn rare(link: LinkType, frame: &[u8], at: usize) -> Result<Step, Drop> {
    match link {
        LinkType::FDDI => pseudo::fddi(frame, at),
        LinkType::TOKEN_RING => pseudo::token_ring(frame, at),
        LinkType::ARCNET => pseudo::arcnet(frame, at + 2),
        LinkType::ARCNET_LINUX => pseudo::arcnet(frame, at + 4),
        LinkType::ENC => pseudo::enc(frame, at),
        LinkType::PFLOG => pseudo::pflog(frame, at),
        LinkType::NFLOG => pseudo::nflog(frame, at),
        LinkType::PKTAP | LinkType::USER2 => pseudo::pktap(frame, at),
        LinkType::DOCSIS => pseudo::docsis(frame, at),
        LinkType::JUNIPER_ETHER => pseudo::juniper_ethernet(frame, at),
        LinkType::ETHERNET_MPACKET => pseudo::mpacket(frame, at),
        // RFC 2684 behind the adaptation layer; Sun's header says so in four bits and has four octets.
        LinkType::ATM_RFC1483 | LinkType::LINUX_ATM_CLIP => Ok(Step::Llc(at)),
        LinkType::SUNATM if u8_at(frame, at)? & 0x0f == 2 => Ok(Step::Llc(at + 4)),
        LinkType::SUNATM => Err(Drop::NonIp),
        LinkType::IP_OVER_FC => Ok(Step::Llc(at + 16)),
        // RFC 2734: addresses of eight octets each.
        LinkType::APPLE_IP_OVER_IEEE1394 => Ok(Step::Ethertype(u16_at(frame, at + 16)?, at + 18)),
        // The InfiniBand route header, ethertype, two reserved octets.
        LinkType::IPOIB => Ok(Step::Ethertype(u16_at(frame, at + 40)?, at + 44)),
        // Direction, kind, and the header as it went over the line; the packet behind it is whole.
        LinkType::SLIP => Ok(Step::Ip(at + 16)),
        // Solaris: a header of 24 octets.
        LinkType::IPNET => Ok(Step::Ip(at + 24)),
        _ => Err(Drop::UnknownLink),
    }
}
