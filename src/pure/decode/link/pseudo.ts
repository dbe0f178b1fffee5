/** Headers that capture tools and drivers make up: where they end, and what follows. */
import { LinkType } from '../../capture/link-type.js'
import { pppOrHdlc } from './serial.js'
import { BROKEN, CUT, NON_IP, Step, type Walk } from './walk.js'

/** BSD loopback: four octets with the address family, in either byte order. */
export function family(walk: Walk, at: number): number {
  if (!walk.has(at, 4)) return CUT
  const [first, second, third] = [walk.u8(at), walk.u8(at + 1), walk.u8(at + 2)]
  const isPpp = first === 0xff && second === 0x03
  const isHdlc = (first & 0x7f) === 0x0f && second === 0 && (third === 0x08 || third === 0x86)
  // Tunnel and WAN devices may put PPP or Cisco HDLC in the family's place.
  if (isPpp || isHdlc) return pppOrHdlc(walk, at)
  const little = walk.u32le(at)
  const number = little <= 0xffff ? little : walk.u32(at)
  if (isIp(number)) return walk.go(Step.Ip, at + 4)
  // Some drivers write an ethertype.
  return number >= 0x0600 && number <= 0xffff ? walk.go(Step.Ethertype, at + 4, number) : NON_IP
}

/** `AF_INET` is 2 everywhere; `AF_INET6` is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (Darwin), 10 (Linux), 23 (Windows). */
function isIp(number: number): boolean {
  return number === 2 || number === 10 || number === 23 || number === 24 || number === 28 || number === 30
}

/** OpenBSD's packet filter log: the header's length, which is padded to a multiple of four, and the family. */
export function pflog(walk: Walk, at: number): number {
  if (!walk.has(at, 2)) return CUT
  return isIp(walk.u8(at + 1)) ? walk.go(Step.Ip, at + ((walk.u8(at) + 3) & ~3)) : NON_IP
}

/** OpenBSD's IPsec device: family, SPI and flags, four octets each. */
export function enc(walk: Walk, at: number): number {
  const step = family(walk, at)
  return step === Step.Ip ? walk.go(Step.Ip, at + 12) : step
}

/** Linux netfilter log: family, version, resource, then attributes in the host's byte order; number 9 is the packet. */
export function nflog(walk: Walk, at: number): number {
  if (!walk.has(at, 1)) return CUT
  if (!isIp(walk.u8(at))) return NON_IP
  at += 4
  for (;;) {
    if (!walk.has(at, 4)) return CUT
    const length = walk.u16le(at)
    if (length < 4) return BROKEN
    if ((walk.u16le(at + 2) & 0x7fff) === 9) return walk.go(Step.Ip, at + 4)
    at += (length + 3) & ~3
  }
}

/** Darwin's per-process header: its length and the link type behind it, little endian. */
export function pktap(walk: Walk, at: number): number {
  if (!walk.has(at, 12)) return CUT
  const length = walk.u32le(at)
  const link = walk.u32le(at + 8)
  const isUsable = link <= 0xffff && length >= 16 && length <= 4096 && link !== LinkType.PKTAP && link !== LinkType.USER2
  return isUsable ? walk.go(Step.Link, at + length, link) : NON_IP
}

/** Linux ARCnet: two addresses, an offset or none, the type, and RFC 1201's fragment header for the newer types. */
export function arcnet(walk: Walk, at: number): number {
  if (!walk.has(at, 1)) return CUT
  const type = walk.u8(at)
  // RFC 1051: nothing behind the type.
  if (type === 240) return walk.go(Step.Ip, at + 1)
  if (type !== 212 && type !== 196) return NON_IP
  if (!walk.has(at + 1, 1)) return CUT
  // RFC 1201 section 2: a split flag of 0 is a whole packet; 255 is an exception frame, with the header again.
  const split = walk.u8(at + 1)
  if (split === 0) return walk.go(Step.Ip, at + 4)
  return split === 255 ? walk.go(Step.Ip, at + 8) : NON_IP
}

/** Token ring: control octets and addresses, then the route where the source address's first bit is set. */
export function tokenRing(walk: Walk, at: number): number {
  if (!walk.has(at + 1, 1)) return CUT
  if ((walk.u8(at + 1) & 0xc0) !== 0x40) return NON_IP
  if (!walk.has(at + 8, 1)) return CUT
  if ((walk.u8(at + 8) & 0x80) === 0) return walk.go(Step.Llc, at + 14)
  return walk.has(at + 14, 1) ? walk.go(Step.Llc, at + 14 + (walk.u8(at + 14) & 0x1f)) : CUT
}

/** FDDI: frame control, addresses; only LLC frames go on. */
export function fddi(walk: Walk, at: number): number {
  if (!walk.has(at, 1)) return CUT
  return (walk.u8(at) & 0x30) === 0x10 ? walk.go(Step.Llc, at + 13) : NON_IP
}

/** DOCSIS: frame control, parameter, length, an extended header where bit 0 says so, and a check sequence. */
export function docsis(walk: Walk, at: number): number {
  if (!walk.has(at, 2)) return CUT
  const control = walk.u8(at)
  if (control >> 6 !== 0) return NON_IP
  return walk.go(Step.Ethernet, at + 6 + ((control & 1) === 1 ? walk.u8(at + 1) : 0))
}

/** Linux cooked capture: `typeAt` is the place of the protocol, `deviceAt` that of the device type. */
export function cooked(walk: Walk, typeAt: number, deviceAt: number, payload: number): number {
  if (!walk.has(typeAt, 2) || !walk.has(deviceAt, 2)) return CUT
  const protocol = walk.u16(typeAt)
  const device = walk.u16(deviceAt)
  // ARPHRD_IEEE80211_RADIOTAP, ARPHRD_IEEE80211
  if (device === 803) return walk.go(Step.Link, payload, LinkType.IEEE802_11_RADIOTAP)
  if (device === 801) return walk.go(Step.Wlan, payload)
  // ARPHRD_FRAD, ARPHRD_DLCI
  if (device === 770) return walk.go(Step.Link, payload, LinkType.FRELAY)
  // ETH_P_802_2: LLC; ETH_P_802_3 is Novell's, and other small numbers are Linux's own.
  if (protocol === 4) return walk.go(Step.Llc, payload)
  return protocol <= 1535 ? NON_IP : walk.go(Step.Ethertype, payload, protocol)
}

/** Juniper's header before Ethernet: magic, flags, extensions. */
export function juniperEthernet(walk: Walk, at: number): number {
  if (!walk.has(at, 4)) return CUT
  if (walk.u16(at) !== 0x4d47 || walk.u8(at + 2) !== 0x43) return BROKEN
  const flags = walk.u8(at + 3)
  const hasExtensions = (flags & 0x80) !== 0
  if (hasExtensions && !walk.has(at + 4, 2)) return CUT
  // Flag 2: no link layer; four octets tell the protocol in a way of their own.
  if ((flags & 2) !== 0) return NON_IP
  return walk.go(Step.Ethernet, at + 4 + (hasExtensions ? 2 + walk.u16(at + 4) : 0))
}

/** Ethernet with its preamble (IEEE 802.3br): only express and whole frames go on. */
export function mpacket(walk: Walk, at: number): number {
  if (!walk.has(at + 7, 1)) return CUT
  switch (walk.u8(at + 7)) {
    case 0xd5:
    case 0xe6:
    case 0x4c:
    case 0x7f:
    case 0xb3:
      return walk.go(Step.Ethernet, at + 8)
    default:
      return NON_IP
  }
}
