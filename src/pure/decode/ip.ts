/**
 * IPv4 and IPv6 headers, extension headers included. A packet cut by the snapshot length is read as far as it goes.
 * Mirrors `core::decode::ip`.
 */
import { Fragment, type Datagram } from './datagram.js'
import { Drop } from './drop.js'

/** RFC 4302's authentication header. */
const AUTH = 51
const HOP_BY_HOP = 0
const ROUTING = 43
const FRAGMENT = 44
const DESTINATION = 60

/**
 * Sets `datagram` to the IP packet at `at`, around which lies what `outer` stands for; `end` is where the frame ends.
 *
 * @returns one of {@link Drop}: cut where the header isn't all there, broken where it contradicts itself
 */
export function parse(bytes: Uint8Array, at: number, end: number, outer: number, datagram: Datagram): number {
  if (at >= end) return Drop.Cut
  const version = bytes[at]! >> 4
  if (version === 4) return v4(bytes, at, end, outer, datagram)
  if (version === 6) return v6(bytes, at, end, outer, datagram)
  return Drop.Broken
}

/**
 * The same where the layer around says that `end` is all there was on the wire: an IP header that claims more isn't
 * believed.
 */
export function parseWithin(bytes: Uint8Array, at: number, end: number, outer: number, datagram: Datagram): number {
  const drop = parse(bytes, at, end, outer, datagram)
  if (drop !== Drop.None) return drop
  datagram.ipLen = Math.min(datagram.ipLen, datagram.ipCaptured)
  datagram.octets = datagram.ipLen
  datagram.upperLen = Math.min(datagram.upperLen, datagram.upperCaptured)
  return Drop.None
}

function v4(bytes: Uint8Array, at: number, end: number, outer: number, datagram: Datagram): number {
  const captured = end - at
  if (captured < 20) return Drop.Cut
  const headerLen = (bytes[at]! & 0x0f) * 4
  if (headerLen < 20) return Drop.Broken
  if (headerLen > captured) return Drop.Cut
  const claimed = (bytes[at + 2]! << 8) | bytes[at + 3]!
  if (claimed < headerLen && claimed !== 0) return Drop.Broken
  // 0: segmentation offload.
  const ipLen = claimed === 0 ? captured : claimed
  const ipCaptured = ipLen < captured ? ipLen : captured
  let proto = bytes[at + 9]!
  let upper = at + headerLen
  if (proto === AUTH) {
    const length = authLen(bytes, upper, at + ipCaptured)
    if (length > 0) {
      proto = bytes[upper]!
      upper += length
    }
  }
  const word = ((bytes[at + 6]! << 8) | bytes[at + 7]!) & 0x3fff
  datagram.bytes = bytes
  datagram.version = 4
  datagram.proto = proto
  datagram.trafficClass = bytes[at + 1]!
  datagram.fragment = word === 0 ? Fragment.Whole : (word & 0x1fff) === 0 ? Fragment.First : Fragment.Later
  datagram.src = at + 12
  datagram.dst = at + 16
  datagram.ip = at
  datagram.ipLen = ipLen
  datagram.ipCaptured = ipCaptured
  datagram.upper = upper
  datagram.upperLen = at + ipLen - upper
  datagram.upperCaptured = at + ipCaptured - upper
  datagram.packets = 1
  datagram.octets = ipLen
  datagram.reassembled = false
  datagram.serial = 0
  datagram.outer = outer
  return Drop.None
}

/** Octets of the authentication header at `at`; 0 where there is none that makes sense. */
function authLen(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 12 || bytes[at + 1]! < 1) return 0
  const length = (bytes[at + 1]! + 2) * 4
  return length <= end - at ? length : 0
}

function v6(bytes: Uint8Array, at: number, end: number, outer: number, datagram: Datagram): number {
  const captured = end - at
  if (captured < 40) return Drop.Cut
  const claimed = (bytes[at + 4]! << 8) | bytes[at + 5]!
  // RFC 2675 jumbograms and segmentation offload leave the length field 0.
  const ipLen = claimed === 0 ? captured : 40 + claimed
  const ipCaptured = ipLen < captured ? ipLen : captured
  datagram.bytes = bytes
  datagram.version = 6
  datagram.trafficClass = ((bytes[at]! & 0x0f) << 4) | (bytes[at + 1]! >> 4)
  datagram.src = at + 8
  datagram.dst = at + 24
  datagram.ip = at
  datagram.ipLen = ipLen
  datagram.ipCaptured = ipCaptured
  const fragmented = isExtension(bytes[at + 6]!)
    ? extensions(bytes, at, at + ipCaptured, datagram)
    : noExtensions(bytes, at, datagram)
  datagram.fragment = fragmented ? whichFragment(bytes, at, end) : Fragment.Whole
  datagram.upperLen = at + ipLen - datagram.upper
  datagram.upperCaptured = at + ipCaptured - datagram.upper
  datagram.packets = 1
  datagram.octets = ipLen
  datagram.reassembled = false
  datagram.serial = 0
  datagram.outer = outer
  return Drop.None
}

function isExtension(proto: number): boolean {
  return proto === HOP_BY_HOP || proto === ROUTING || proto === FRAGMENT || proto === AUTH || proto === DESTINATION
}

function noExtensions(bytes: Uint8Array, at: number, datagram: Datagram): boolean {
  datagram.proto = bytes[at + 6]!
  datagram.upper = at + 40
  return false
}

/**
 * Walks the extension headers of the packet at `at` (RFC 8200 section 4); whether the payload is a fragment. A header
 * that is cut or that can't stand where it does ends the walk.
 */
function extensions(bytes: Uint8Array, at: number, end: number, datagram: Datagram): boolean {
  let proto = bytes[at + 6]!
  let upper = at + 40
  let fragmented = false
  for (let first = true; ; first = false) {
    let length = 0
    // The hop-by-hop header comes first or not at all.
    if ((proto === HOP_BY_HOP && first) || proto === ROUTING || proto === DESTINATION) {
      if (end - upper >= 8) length = (bytes[upper + 1]! + 1) * 8
    } else if (proto === FRAGMENT) length = 8
    else if (proto === AUTH) length = authLen(bytes, upper, end)
    if (length === 0 || end - upper < length) break
    if (proto === FRAGMENT && (((bytes[upper + 2]! << 8) | bytes[upper + 3]!) & 0xfff9) !== 0) fragmented = true
    proto = bytes[upper]!
    upper += length
  }
  datagram.proto = proto
  datagram.upper = upper
  return fragmented
}

/** First or later fragment, by the first fragment header. */
function whichFragment(bytes: Uint8Array, at: number, end: number): number {
  const header = fragmentHeader(bytes, at, end)
  const isFirst = header >= 0 && (((bytes[header + 2]! << 8) | bytes[header + 3]!) & 0xfff8) === 0
  return isFirst ? Fragment.First : Fragment.Later
}

/** Where the IPv6 fragment header lies (RFC 8200 section 4.5), behind headers that may precede it; -1 for nowhere. */
function fragmentHeader(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 7) return -1
  let next = bytes[start + 6]!
  let at = start + 40
  for (;;) {
    if (next === FRAGMENT) return at + 8 <= end ? at : -1
    if (next !== HOP_BY_HOP && next !== ROUTING && next !== DESTINATION) return -1
    if (at + 2 > end) return -1
    next = bytes[at]!
    at += (bytes[at + 1]! + 1) * 8
  }
}

/** Where a fragment belongs in its datagram. Filled again for each fragment. */
export class FragmentPart {
  /** Identification: 16 bits of IPv4, 32 of IPv6. */
  id = 0
  /** Offset in octets. */
  offset = 0
  /** More fragments follow. */
  more = false
  /** The first header of the fragmented part: an upper layer or an extension header. */
  proto = 0
  /** Where the fragmented part begins in the datagram's octets, and where what was captured of it ends. */
  start = 0
  end = 0

  /** Takes the fragment that `datagram` is; false where there is none. */
  read({ bytes, version, ip, ipCaptured }: Datagram): boolean {
    this.end = ip + ipCaptured
    if (version === 4) return this.#readV4(bytes, ip, ipCaptured)
    const at = fragmentHeader(bytes, ip, this.end)
    if (at < 0) return false
    const word = (bytes[at + 2]! << 8) | bytes[at + 3]!
    this.proto = bytes[at]!
    this.offset = word & 0xfff8
    this.more = (word & 1) !== 0
    this.id = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!
    this.start = at + 8
    return true
  }

  #readV4(bytes: Uint8Array, ip: number, ipCaptured: number): boolean {
    const headerLen = (bytes[ip]! & 0x0f) * 4
    if (ipCaptured < 20 || headerLen > ipCaptured) return false
    const word = (bytes[ip + 6]! << 8) | bytes[ip + 7]!
    this.id = (bytes[ip + 4]! << 8) | bytes[ip + 5]!
    this.offset = (word & 0x1fff) * 8
    this.more = (word & 0x2000) !== 0
    this.proto = bytes[ip + 9]!
    this.start = ip + headerLen
    return true
  }
}

/**
 * Moves `datagram`, whose upper layer was put together, behind the extension headers that it begins with. Headers that
 * are cut end the walk.
 */
export function skipExtensions(datagram: Datagram): void {
  const { bytes } = datagram
  for (;;) {
    const { proto, upper, upperCaptured } = datagram
    if (upperCaptured < 2) return
    let length: number
    // RFC 8200 sections 4.3, 4.4, 4.6, 4.5; RFC 4302 section 2.2
    if (proto === HOP_BY_HOP || proto === ROUTING || proto === DESTINATION) length = (bytes[upper + 1]! + 1) * 8
    else if (proto === FRAGMENT) length = 8
    else if (proto === AUTH) length = (bytes[upper + 1]! + 2) * 4
    else return
    if (length > upperCaptured) return
    datagram.proto = bytes[upper]!
    datagram.upper += length
    datagram.upperCaptured -= length
    datagram.upperLen -= length
  }
}

/** The header holds a source route (IPv4) or a routing header (IPv6), so `dst` may not be where the packet goes. */
export function hasSourceRoute({ bytes, version, ip, ipCaptured }: Datagram): boolean {
  if (version === 4) {
    const headerLen = (bytes[ip]! & 0x0f) * 4
    if (headerLen > ipCaptured) return false
    // RFC 791 section 3.1: loose (131) and strict (137) source route.
    for (let at = ip + 20; at < ip + headerLen; at++) if (bytes[at] === 131 || bytes[at] === 137) return true
    return false
  }
  const end = ip + ipCaptured
  let next = bytes[ip + 6]!
  let at = ip + 40
  while (next === HOP_BY_HOP || next === FRAGMENT || next === DESTINATION) {
    if (at + 2 > end) return false
    const length = next === FRAGMENT ? 8 : (bytes[at + 1]! + 1) * 8
    next = bytes[at]!
    at += length
  }
  return next === ROUTING
}
