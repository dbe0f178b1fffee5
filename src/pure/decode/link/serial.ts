/** Serial lines: PPP, Cisco HDLC, frame relay. */
import { nlpid } from './llc.js'
import { BROKEN, CUT, NON_IP, Step, type Walk } from './walk.js'

/** PPP (RFC 1661, RFC 1662): address and control may be left out, the protocol may be compressed to one octet. */
export function ppp(walk: Walk, at: number): number {
  if (walk.has(at, 2) && walk.u8(at) === 0xff && walk.u8(at + 1) === 0x03) at += 2
  if (!walk.has(at, 1)) return CUT
  // RFC 1661 section 2: the last octet of a protocol number is odd, all others are even.
  let protocol = walk.u8(at)
  if ((protocol & 1) === 1) at += 1
  else {
    if (!walk.has(at, 2)) return CUT
    protocol = walk.u16(at)
    at += 2
  }
  if (protocol === 0x0021 || protocol === 0x0057) return walk.go(Step.Ip, at)
  if (protocol === 0x0281 || protocol === 0x0283) return walk.go(Step.Mpls, at)
  if (protocol !== 0x0031) return NON_IP
  // Bridging (RFC 3518): flags and MAC type 1, then the Ethernet frame.
  if (!walk.has(at, 2)) return CUT
  return walk.u8(at + 1) === 1 ? walk.go(Step.Ethernet, at + 2) : NON_IP
}

/** PPP or Cisco HDLC, told apart by the address octet. */
export function pppOrHdlc(walk: Walk, at: number): number {
  const isHdlc = walk.has(at, 2) && (walk.u8(at) & 0x7f) === 0x0f && walk.u8(at + 1) === 0
  return isHdlc ? ciscoHdlc(walk, at) : walk.go(Step.Ppp, at)
}

/** Cisco HDLC: address, control, ethertype. */
export function ciscoHdlc(walk: Walk, at: number): number {
  if (!walk.has(at, 4)) return CUT
  const kind = walk.u16(at + 2)
  // SLARP and CDP stand where 802.3 lengths and old ethertypes would.
  if (kind <= 1500 || kind === 0x2000 || kind === 0x8035) return NON_IP
  return kind === 0xfefe ? nlpid(walk, at + 4) : walk.go(Step.Ethertype, at + 4, kind)
}

/** Frame relay (Q.922): an address of two to four octets, then RFC 2427's header or Cisco's ethertype. */
export function frameRelay(walk: Walk, at: number): number {
  let end = at
  // The lowest bit is set in the address's last octet.
  for (;;) {
    if (!walk.has(end, 1)) return CUT
    end += 1
    if ((walk.u8(end - 1) & 1) !== 0) break
    if (end - at > 3) return BROKEN
  }
  if (!walk.has(end, 1)) return CUT
  if (walk.u8(end) !== 0x03) return walk.has(end, 2) ? walk.go(Step.Ethertype, end + 2, walk.u16(end)) : CUT
  // RFC 2427 section 3: a zero octet may align what follows.
  if (!walk.has(end, 2)) return CUT
  return nlpid(walk, walk.u8(end + 1) === 0 ? end + 2 : end + 1)
}
