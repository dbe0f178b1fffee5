/** GRE (RFC 2784, RFC 2890), NVGRE (RFC 7637), PPTP's GRE (RFC 2637) and ERSPAN. */
import { LayerKind, NO_ID } from '../encap.js'
import { Step } from '../link/walk.js'
import type { Opening } from './opening.js'

const CHECKSUM = 0x8000
const ROUTING = 0x4000
const KEY = 0x2000
const SEQUENCE = 0x1000
/** PPTP: an acknowledgment number is there. */
const ACKNOWLEDGMENT = 0x0080

const BRIDGED = 0x6558
const PPP = 0x880b
const WCCP = 0x883e
const ERSPAN_2 = 0x88be
const ERSPAN_3 = 0x22eb

/** Opens the GRE header at `at`. */
export function openGre(opening: Opening, at: number): boolean {
  if (!opening.has(at, 4)) return false
  const flags = opening.u16(at)
  const protocol = opening.u16(at + 2)
  if ((flags & 7) === 0) return standard(opening, at, flags, protocol)
  return (flags & 7) === 1 && protocol === PPP && pptp(opening, at, flags)
}

function standard(opening: Opening, start: number, flags: number, protocol: number): boolean {
  let at = start + 4
  if ((flags & (CHECKSUM | ROUTING)) !== 0) at += 4
  let key = NO_ID
  if ((flags & KEY) !== 0) {
    if (!opening.has(at, 4)) return false
    key = opening.u32(at)
    at += 4
  }
  if ((flags & SEQUENCE) !== 0) at += 4
  if ((flags & ROUTING) !== 0) at = behindRoutes(opening, at)
  if (at < 0) return false
  if (protocol === ERSPAN_2 || protocol === ERSPAN_3) return erspan(opening, at, flags, protocol)
  // RFC 7637 section 3.2: 24 bits of virtual subnet, eight of flow. A key without them is plain GRE's.
  if (protocol === BRIDGED && key !== NO_ID && key >>> 8 !== 0) opening.push(LayerKind.Nvgre, key >>> 8)
  else opening.between(LayerKind.Gre, key)
  if (protocol !== WCCP) return opening.rest(at, Step.Ethertype, protocol)
  // WCCP version 2 puts four octets before the packet, version 1 doesn't.
  const isBare = opening.has(at, 1) && opening.u8(at) >> 4 === 4
  return opening.rest(at, Step.Ip, 0, isBare ? 0 : 4)
}

/** Source route entries (RFC 1701): family, offset, length; one of family and length 0 ends them. -1: they are cut. */
function behindRoutes(opening: Opening, at: number): number {
  for (;;) {
    if (!opening.has(at, 4)) return -1
    const family = opening.u16(at)
    const length = opening.u8(at + 3)
    at += 4 + length
    if (family === 0 && length === 0) return at
  }
}

/** PPTP: the key is the payload's length and the receiver's call id, so it names one direction only. */
function pptp(opening: Opening, start: number, flags: number): boolean {
  // A packet that only acknowledges has no payload and no sequence number.
  if ((flags & (KEY | SEQUENCE)) !== (KEY | SEQUENCE)) return false
  opening.between(LayerKind.Pptp)
  return opening.rest(start + 12 + ((flags & ACKNOWLEDGMENT) === 0 ? 0 : 4), Step.Ppp)
}

/** ERSPAN: type I has no header of its own, II has eight octets, III twelve and eight more where the last bit says so. */
function erspan(opening: Opening, at: number, flags: number, protocol: number): boolean {
  if (protocol === ERSPAN_2 && (flags & SEQUENCE) === 0) {
    opening.push(LayerKind.Erspan, NO_ID)
    return opening.rest(at, Step.Ethernet)
  }
  if (!opening.has(at, 4)) return false
  opening.push(LayerKind.Erspan, opening.u16(at + 2) & 0x03ff)
  const version = opening.u8(at) >> 4
  if (version === 1) return opening.rest(at + 8, Step.Ethernet)
  if (version !== 2 || !opening.has(at + 11, 1)) return false
  return opening.rest(at + ((opening.u8(at + 11) & 1) === 1 ? 20 : 12), Step.Ethernet)
}
