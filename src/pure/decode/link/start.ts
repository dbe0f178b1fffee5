/** The first step, by link type. */
import { LinkType } from '../../capture/link-type.js'
import * as pseudo from './pseudo.js'
import * as serial from './serial.js'
import { CUT, NON_IP, Step, UNKNOWN_LINK, type Walk } from './walk.js'
import * as wlan from './wlan.js'

/** What lies at `at`, where a frame of type `link` begins. */
export function first(walk: Walk, link: number, at: number): number {
  switch (link) {
    case LinkType.ETHERNET:
      return walk.go(Step.Ethernet, at)
    case LinkType.RAW:
    case LinkType.RAW_12:
    case LinkType.RAW_14:
    case LinkType.IPV4:
    case LinkType.IPV6:
      return walk.go(Step.Ip, at)
    case LinkType.NULL:
    case LinkType.LOOP:
      return pseudo.family(walk, at)
    case LinkType.LINUX_SLL:
      return pseudo.cooked(walk, at + 14, at + 2, at + 16)
    case LinkType.LINUX_SLL2:
      return pseudo.cooked(walk, at, at + 8, at + 20)
    case LinkType.IEEE802_11:
      return walk.go(Step.Wlan, at)
    case LinkType.IEEE802_11_RADIOTAP:
      return wlan.radiotap(walk, at)
    case LinkType.IEEE802_11_AVS:
      return wlan.avs(walk, at)
    case LinkType.IEEE802_11_PRISM:
      return wlan.prism(walk, at)
    case LinkType.PPI:
      return wlan.ppi(walk, at)
    case LinkType.PPP:
    case LinkType.PPP_HDLC:
      return serial.pppOrHdlc(walk, at)
    // One octet tells the direction.
    case LinkType.PPP_PPPD:
    case LinkType.PPP_WITH_DIR:
      return walk.go(Step.Ppp, at + 1)
    case LinkType.PPP_ETHER:
      return walk.go(Step.Ethertype, at, 0x8864)
    case LinkType.C_HDLC:
      return serial.ciscoHdlc(walk, at)
    case LinkType.C_HDLC_WITH_DIR:
      return serial.ciscoHdlc(walk, at + 1)
    case LinkType.FRELAY:
      return serial.frameRelay(walk, at)
    case LinkType.FRELAY_WITH_DIR:
      return serial.frameRelay(walk, at + 1)
    default:
      return rare(walk, link, at)
  }
}

function rare(walk: Walk, link: number, at: number): number {
  switch (link) {
    case LinkType.FDDI:
      return pseudo.fddi(walk, at)
    case LinkType.TOKEN_RING:
      return pseudo.tokenRing(walk, at)
    case LinkType.ARCNET:
      return pseudo.arcnet(walk, at + 2)
    case LinkType.ARCNET_LINUX:
      return pseudo.arcnet(walk, at + 4)
    case LinkType.ENC:
      return pseudo.enc(walk, at)
    case LinkType.PFLOG:
      return pseudo.pflog(walk, at)
    case LinkType.NFLOG:
      return pseudo.nflog(walk, at)
    case LinkType.PKTAP:
    case LinkType.USER2:
      return pseudo.pktap(walk, at)
    case LinkType.DOCSIS:
      return pseudo.docsis(walk, at)
    case LinkType.JUNIPER_ETHER:
      return pseudo.juniperEthernet(walk, at)
    case LinkType.ETHERNET_MPACKET:
      return pseudo.mpacket(walk, at)
    // RFC 2684 behind the adaptation layer; Sun's header says so in four bits and has four octets.
    case LinkType.ATM_RFC1483:
    case LinkType.LINUX_ATM_CLIP:
      return walk.go(Step.Llc, at)
    case LinkType.SUNATM:
      if (!walk.has(at, 1)) return CUT
      return (walk.u8(at) & 0x0f) === 2 ? walk.go(Step.Llc, at + 4) : NON_IP
    case LinkType.IP_OVER_FC:
      return walk.go(Step.Llc, at + 16)
    // RFC 2734: addresses of eight octets each.
    case LinkType.APPLE_IP_OVER_IEEE1394:
      return ethertypeAt(walk, at + 16, at + 18)
    // The InfiniBand route header, ethertype, two reserved octets.
    case LinkType.IPOIB:
      return ethertypeAt(walk, at + 40, at + 44)
    // Direction, kind, and the header as it went over the line; the packet behind it is whole.
    case LinkType.SLIP:
      return walk.go(Step.Ip, at + 16)
    // Solaris: a header of 24 octets.
    case LinkType.IPNET:
      return walk.go(Step.Ip, at + 24)
    default:
      return UNKNOWN_LINK
  }
}

function ethertypeAt(walk: Walk, at: number, payload: number): number {
  return walk.has(at, 2) ? walk.go(Step.Ethertype, payload, walk.u16(at)) : CUT
}
