/** What stands behind an ethertype: IP, tags, labels, and Ethernet in Ethernet. */
import { LayerKind } from '../encap.js'
import { BROKEN, CUT, NON_IP, Step, type Walk } from './walk.js'

/** Follows a payload at `at` with ethertype `kind`. */
export function followEthertype(walk: Walk, kind: number, at: number): number {
  switch (kind) {
    case 0x0800:
    case 0x86dd:
      return walk.go(Step.Ip, at)
    // IEEE 802.1Q, 802.1ad, and the values in use before 802.1ad
    case 0x8100:
    case 0x88a8:
    case 0x9100:
    case 0x9200:
    case 0x9300:
      return vlan(walk, at)
    case 0x8847:
    case 0x8848:
      return walk.go(Step.Mpls, at)
    case 0x8864:
      return pppoe(walk, at)
    case 0x880b:
      return walk.go(Step.Ppp, at)
    // Transparent Ethernet bridging (in GRE); DEC's experimental use of the same number is gone.
    case 0x6558:
      return walk.go(Step.Ethernet, at)
    case 0x88e7:
      return backbone(walk, at)
    // Cisco FabricPath: tree and hop count, then the frame.
    case 0x8903:
      return walk.go(Step.Ethernet, at + 2)
    case 0x22f3:
      return trill(walk, at)
    // IEEE 802.1BR's predecessor VN-Tag: four octets. HSR (IEC 62439-3): path and size, sequence number.
    case 0x8926:
    case 0x892f:
      return tag(walk, at, 4)
    // IEEE 802.1BR's E-TAG; Cisco MetaData; Marvell EDSA: six octets.
    case 0x893f:
    case 0x8909:
    case 0xdada:
      return tag(walk, at, 6)
    case 0x894f:
      return nsh(walk, at)
    // LLC in a jumbo frame, where no length fits.
    case 0x8870:
      return walk.go(Step.Llc, at)
    default:
      return kind <= 1500 ? walk.go(Step.Llc, at) : NON_IP
  }
}

/** A tag of some octets, then the next ethertype. */
function tag(walk: Walk, at: number, octets: number): number {
  return walk.has(at + octets, 2) ? walk.go(Step.Ethertype, at + octets + 2, walk.u16(at + octets)) : CUT
}

function vlan(walk: Walk, at: number): number {
  if (!walk.has(at, 2)) return CUT
  const id = walk.u16(at) & 0x0fff
  // IEEE 802.1Q: VLAN id 0 is a priority tag, it names no VLAN and often goes one way only.
  if (id !== 0) walk.layers.push(LayerKind.Vlan, id)
  return tag(walk, at, 2)
}

/** RFC 2516: version and type, code, session, length, then PPP without address and control. */
function pppoe(walk: Walk, at: number): number {
  if (!walk.has(at, 4)) return CUT
  if (walk.u8(at) !== 0x11) return BROKEN
  if (walk.u8(at + 1) !== 0) return NON_IP
  walk.layers.push(LayerKind.Pppoe, walk.u16(at + 2))
  return walk.go(Step.Ppp, at + 6)
}

/**
 * A label stack (RFC 3032), then IP, or Ethernet behind a control word (RFC 4448).
 *
 * Nothing in the stack says what comes after it. As others do, the first four bits are believed: 4 and 6 are IP, 0 is a
 * control word (RFC 4385 section 3), 1 an associated channel.
 */
export function mpls(walk: Walk, at: number): number {
  for (;;) {
    if (!walk.has(at, 4)) return CUT
    at += 4
    if ((walk.u8(at - 2) & 1) !== 0) break
  }
  if (!walk.has(at, 1)) return CUT
  const nibble = walk.u8(at) >> 4
  if (nibble === 4 || nibble === 6) return walk.go(Step.Ip, at)
  return nibble === 0 ? walk.go(Step.Ethernet, at + 4) : NON_IP
}

/** IEEE 802.1ah: flags and I-SID, then the customer's frame. */
function backbone(walk: Walk, at: number): number {
  if (!walk.has(at, 4)) return CUT
  walk.layers.push(LayerKind.Pbb, walk.u32(at) & 0x00ff_ffff)
  return walk.go(Step.Ethernet, at + 4)
}

/** TRILL (RFC 6325 section 3): options in units of four octets, the frame behind them. */
function trill(walk: Walk, at: number): number {
  if (!walk.has(at, 2)) return CUT
  return walk.go(Step.Ethernet, at + 6 + ((walk.u16(at) >> 6) & 0x1f) * 4)
}

/** Network service header (RFC 8300 section 2): its length is in units of four octets. */
function nsh(walk: Walk, at: number): number {
  if (!walk.has(at, 4)) return CUT
  const length = (walk.u8(at + 1) & 0x3f) * 4
  if (length < 8) return BROKEN
  switch (walk.u8(at + 3)) {
    case 1:
    case 2:
      return walk.go(Step.Ip, at + length)
    case 3:
      return walk.go(Step.Ethernet, at + length)
    case 5:
      return walk.go(Step.Mpls, at + length)
    default:
      return NON_IP
  }
}
