/** How each link layer says what it carries. Mirrors `core::filter::link`. */
import { half, masked, notOnThisLink, octet, word, type Emitter, type Field, type Ways } from './emit.js'

export const IPV4 = 0x0800
export const IPV6 = 0x86dd
const AARP = 0x80f3
const ATALK = 0x809b
const IPX = 0x8137
/** The largest length that an 802.3 frame can have in the place of a type. */
export const MAX_LENGTH = 1500

// LLC service access points.
const SAP_IP = 0x06
const SAP_IPX = 0xe0
const SAP_NETBEUI = 0xf0
const SAP_ISO = 0xfe

/** Asks whether the payload is `proto`: an Ethernet type, or below 1501 an LLC service access point. */
export function carries(e: Emitter, proto: number, ways: Ways): void {
  const { kind, labels, linkType } = e.layout
  if (labels > 0) return labelsCarry(e, proto, ways)
  const field = half(linkType)
  switch (kind) {
    case 'ethernet':
      return ethernetCarries(e, proto, ways)
    case 'sll':
      return cookedCarries(e, proto, ways)
    case 'chdlc':
      return e.equal(field, proto === SAP_ISO ? (SAP_ISO << 8) | SAP_ISO : proto, ways)
    // libpcap doesn't look for LLC behind the second version of Linux's cooked header.
    case 'sll2':
      return e.equal(field, proto, ways)
    case 'ppp':
    case 'pppd':
      return e.equal(field, pppNumber(proto), ways)
    case 'null':
      return family(e, proto, true, ways)
    case 'loop':
      return family(e, proto, false, ways)
    case 'raw':
      if (proto === IPV4) return ipVersion(e, 4, ways)
      return proto === IPV6 ? ipVersion(e, 6, ways) : e.always(false, ways)
    case 'rawV4':
      return e.always(proto === IPV4, ways)
    case 'rawV6':
      return e.always(proto === IPV6, ways)
    // Solaris' own address families.
    case 'ipnet':
      if (proto === IPV4) return e.equal(octet(1), 2, ways)
      return proto === IPV6 ? e.equal(octet(1), 26, ways) : e.always(false, ways)
    default:
      throw notOnThisLink()
  }
}

function ipVersion(e: Emitter, version: number, ways: Ways): void {
  e.equal(masked(octet(e.layout.network), 0xf0), version << 4, ways)
}

/**
 * Behind MPLS labels nothing names the payload: the last label's bottom-of-stack bit must be set, and the payload's first
 * four bits are taken for an IP version.
 */
function labelsCarry(e: Emitter, proto: number, ways: Ways): void {
  if (proto !== IPV4 && proto !== IPV6) throw notOnThisLink()
  const bottom = masked(octet(e.layout.network - 2), 1)
  e.and(
    ways,
    w => e.equal(bottom, 1, w),
    w => ipVersion(e, proto === IPV4 ? 4 : 6, w),
  )
}

function ethernetCarries(e: Emitter, proto: number, ways: Ways): void {
  const field = half(e.layout.linkType)
  const isLength = (w: Ways) => e.range(field, 0, MAX_LENGTH, w)
  const isType = (type: number) => (w: Ways) => e.equal(field, type, w)
  if (proto === SAP_IPX) return e.or(ways, isType(IPX), w => e.and(w, isLength, v => ipxFrame(e, v)))
  if (proto === AARP || proto === ATALK)
    return e.or(ways, isType(proto), w => e.and(w, isLength, v => snap(e, proto, v)))
  if (proto <= MAX_LENGTH) return e.and(ways, isLength, w => accessPoint(e, proto, w))
  e.equal(field, proto, ways)
}

/** Linux says 4 where an LLC header follows, and 1 for Novell's raw 802.3. */
function cookedCarries(e: Emitter, proto: number, ways: Ways): void {
  const field: Field = half(e.layout.linkType)
  const isType = (type: number) => (w: Ways) => e.equal(field, type, w)
  const isLlc = isType(4)
  if (proto === SAP_IPX) {
    const either = (w: Ways) => e.or(w, v => accessPoint(e, SAP_IPX, v), v => snap(e, IPX, v))
    return e.or(ways, isType(IPX), w => e.or(w, isType(1), v => e.and(v, isLlc, either)))
  }
  if (proto === AARP || proto === ATALK)
    return e.or(ways, isType(proto), w => e.and(w, isLlc, v => snap(e, proto, v)))
  if (proto <= MAX_LENGTH) return e.and(ways, isLlc, w => accessPoint(e, proto, w))
  e.equal(field, proto, ways)
}

/** LLC (IEEE 802.2): some protocols use one access point at both ends, of others only the destination counts. */
function accessPoint(e: Emitter, sap: number, ways: Ways): void {
  const { payload } = e.layout
  const isBoth = sap === SAP_IP || sap === SAP_NETBEUI || sap === SAP_ISO
  if (isBoth) e.equal(half(payload), (sap << 8) | sap, ways)
  else e.equal(octet(payload), sap, ways)
}

/** A SNAP header (RFC 1042): AppleTalk's own organisation code for AppleTalk, else 0. */
function snap(e: Emitter, proto: number, ways: Ways): void {
  const { payload } = e.layout
  const organisation = proto === ATALK ? 0x08_0007 : 0
  const tail = (((organisation & 0xffff) << 16) | proto) >>> 0
  const head = (0xaaaa_0300 | (organisation >> 16)) >>> 0
  e.and(
    ways,
    w => e.equal(word(payload + 4), tail, w),
    w => e.equal(word(payload), head, w),
  )
}

/** IPX in an 802.3 frame: behind SNAP, behind LLC, or raw. */
function ipxFrame(e: Emitter, ways: Ways): void {
  const isRaw = (w: Ways) => e.equal(half(e.layout.payload), 0xffff, w)
  e.or(
    ways,
    w => snap(e, IPX, w),
    w => e.or(w, v => accessPoint(e, SAP_IPX, v), isRaw),
  )
}

/** The loopback header's address family. IPv6's number differs from system to system. */
function family(e: Emitter, proto: number, eitherOrder: boolean, ways: Ways): void {
  if (proto !== IPV4 && proto !== IPV6) return e.always(false, ways)
  const families = proto === IPV4 ? [2] : [24, 28, 30]
  const values = families.flatMap(number => (eitherOrder ? [number, (number << 24) >>> 0] : [number]))
  for (const [i, value] of values.entries()) {
    const next = e.label()
    e.equal(word(0), value, i === values.length - 1 ? ways : { yes: ways.yes, no: next })
    e.place(next)
  }
}

/** The PPP protocol numbers of Ethernet types and access points, where they differ. */
const PPP_NUMBERS: Readonly<Record<number, number>> = {
  [IPV4]: 0x0021,
  [IPV6]: 0x0057,
  0x6003: 0x0027,
  [ATALK]: 0x0029,
  0x0600: 0x0025,
  [SAP_ISO]: 0x0023,
  0x42: 0x0031,
  [SAP_IPX]: 0x002b,
}

function pppNumber(proto: number): number {
  return PPP_NUMBERS[proto] ?? proto
}
