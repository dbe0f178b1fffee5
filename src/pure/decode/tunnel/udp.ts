/**
 * Tunnels over UDP, found by their ports and believed only with a plausible header: VXLAN (RFC 7348), Geneve (RFC 8926),
 * GTP-U (3GPP TS 29.281), Teredo (RFC 4380), MPLS (RFC 7510) and GRE (RFC 8086).
 */
import { LayerKind, NO_ID } from '../encap.js'
import { Step } from '../link/walk.js'
import { openGre } from './gre.js'
import type { Opening } from './opening.js'

const Port = {
  GTP_U: 2152,
  TEREDO: 3544,
  GRE: 4754,
  VXLAN: 4789,
  /** VXLAN with a next protocol (draft-ietf-nvo3-vxlan-gpe). */
  VXLAN_GPE: 4790,
  GENEVE: 6081,
  MPLS: 6635,
  /** Linux' VXLAN port before there was an official one. */
  VXLAN_LINUX: 8472,
} as const

/** A tunnel may go to or come from this port. */
export function isTunnelPort(port: number): boolean {
  switch (port) {
    case Port.GTP_U:
    case Port.TEREDO:
    case Port.GRE:
    case Port.VXLAN:
    case Port.VXLAN_GPE:
    case Port.GENEVE:
    case Port.MPLS:
    case Port.VXLAN_LINUX:
      return true
    default:
      return false
  }
}

/** Opens the tunnel in a UDP datagram. */
export function openUdp(opening: Opening): boolean {
  const ports = opening.outer.ports()
  if (ports < 0 || !withinUdp(opening)) return false
  opening.strict = true
  const src = Math.floor(ports / 65536)
  const dst = ports % 65536
  switch (dst) {
    case Port.VXLAN:
    case Port.VXLAN_LINUX:
      return vxlan(opening)
    case Port.VXLAN_GPE:
      return vxlanGpe(opening)
    case Port.GENEVE:
      return geneve(opening)
    case Port.GRE:
      return openGre(opening, 8)
    case Port.MPLS:
      opening.between(LayerKind.Mpls)
      return opening.rest(8, Step.Mpls)
  }
  if (dst === Port.GTP_U || src === Port.GTP_U) return gtp(opening)
  return (dst === Port.TEREDO || src === Port.TEREDO) && teredo(opening)
}

/** Lets the upper layer end where UDP's length says (RFC 768). */
function withinUdp(opening: Opening): boolean {
  if (!opening.has(4, 2)) return false
  // RFC 768: at least the header; 0 stands in segments that the network card was to cut.
  const length = opening.u16(4) === 0 ? opening.upperLen : opening.u16(4)
  if (length < 8 || length > opening.upperLen) return false
  opening.upperLen = length
  opening.upperCaptured = Math.min(opening.upperCaptured, length)
  return true
}

/** Eight octets behind the UDP header: flags, group policy, VNI, a reserved octet that is 0. */
function vxlan(opening: Opening): boolean {
  if (!opening.has(8, 8) || (opening.u8(8) & 0x08) === 0 || opening.u8(15) !== 0) return false
  opening.push(LayerKind.Vxlan, opening.u32(12) >>> 8)
  return opening.rest(16, Step.Ethernet)
}

function vxlanGpe(opening: Opening): boolean {
  if (!opening.has(8, 8) || (opening.u8(8) & 0x08) === 0) return false
  const next = (opening.u8(8) & 0x04) === 0 ? 3 : opening.u8(11)
  if (next < 1 || next > 5) return false
  opening.push(LayerKind.Vxlan, opening.u32(12) >>> 8)
  if (next === 3) return opening.rest(16, Step.Ethernet)
  if (next === 4) return opening.rest(16, Step.Ethertype, 0x894f)
  return opening.rest(16, next === 5 ? Step.Mpls : Step.Ip)
}

/** Version 0, options in units of four octets, an ethertype, VNI. */
function geneve(opening: Opening): boolean {
  if (!opening.has(8, 8) || opening.u8(8) >> 6 !== 0 || opening.u8(15) !== 0) return false
  opening.push(LayerKind.Geneve, opening.u32(12) >>> 8)
  return opening.rest(16 + (opening.u8(8) & 0x3f) * 4, Step.Ethertype, opening.u16(10))
}

/**
 * Version 1, message 255 (a user's packet). Behind the fixed header, four more octets where a flag says so, then
 * extension headers that each tell their length and what comes next.
 */
function gtp(opening: Opening): boolean {
  if (!opening.has(8, 4)) return false
  const flags = opening.u8(8)
  if ((flags & 0xf0) !== 0x30 || opening.u8(9) !== 255 || opening.u16(10) + 16 > opening.upperLen) return false
  let at = 16
  if ((flags & 0x07) !== 0) {
    if (!opening.has(at + 3, 1)) return false
    let next = (flags & 0x04) === 0 ? 0 : opening.u8(at + 3)
    at += 4
    while (next !== 0) {
      if (!opening.has(at, 1)) return false
      // TS 29.281 section 5.2.1: the length counts units of four octets, the last octet is the next type.
      const length = opening.u8(at) * 4
      if (length === 0 || !opening.has(at, length)) return false
      next = opening.u8(at + length - 1)
      at += length
    }
  }
  if (!opening.has(at, 1)) return false
  const version = opening.u8(at) >> 4
  if (version !== 4 && version !== 6) return false
  opening.between(LayerKind.Gtp)
  return opening.rest(at, Step.Ip)
}

/** Authentication and origin indications may come before the IPv6 packet (RFC 4380 section 5.1.1). */
function teredo(opening: Opening): boolean {
  let at = 8
  // A nonce of eight octets and a confirmation follow.
  if (opening.has(at, 4) && opening.u16(at) === 1) at += 4 + opening.u8(at + 2) + opening.u8(at + 3) + 9
  if (opening.has(at, 2) && opening.u16(at) === 0) at += 8
  if (!opening.has(at, 6) || opening.u8(at) >> 4 !== 6) return false
  if (at + 40 + opening.u16(at + 4) !== opening.upperLen) return false
  opening.push(LayerKind.Teredo, NO_ID)
  return opening.rest(at, Step.Ip)
}
