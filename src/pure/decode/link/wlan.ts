/** IEEE 802.11 data frames, and the headers that capture tools put before them. */
import { LinkType } from '../../capture/link-type.js'
import { BROKEN, CUT, NON_IP, Step, type Walk } from './walk.js'

/** Radiotap's flags field: the MAC header is padded to a multiple of four octets. */
const PADDED = 0x20

/** Radiotap: a header of fields in a given order, those that are there marked by bits. */
export function radiotap(walk: Walk, at: number): number {
  if (!walk.has(at, 4)) return CUT
  const length = walk.u16le(at + 2)
  if (walk.u8(at) !== 0 || length < 8) return BROKEN
  if (!walk.has(at, length)) return CUT
  const flags = radiotapFlags(walk, at, at + length)
  return flags < 0 ? CUT : walk.go(Step.Wlan, at + length, (flags & PADDED) === 0 ? 0 : 1)
}

/** The flags field of the header from `start` to `end`; 0 where there is none; -1 where it is cut. */
function radiotapFlags(walk: Walk, start: number, end: number): number {
  const present = walk.u32le(start + 4)
  if ((present & 2) === 0) return 0
  let at = start + 4
  // Bit 31: another word of bits follows.
  for (;;) {
    if (at + 4 > end) return -1
    const more = walk.u8(at + 3) >= 0x80
    at += 4
    if (!more) break
  }
  // The one field before it is the time, eight octets at a multiple of eight.
  if ((present & 1) === 1) at = start + ((at - start + 7) & ~7) + 8
  return at < end ? walk.u8(at) : -1
}

/** AVS: version, length. */
export function avs(walk: Walk, at: number): number {
  if (!walk.has(at, 8)) return CUT
  const length = walk.u32(at + 4)
  return length < 8 || length > 4096 ? BROKEN : walk.go(Step.Wlan, at + length)
}

/** Prism: message code and length in the capturing host's byte order. AVS headers come under this link type too. */
export function prism(walk: Walk, at: number): number {
  if (!walk.has(at, 4)) return CUT
  const code = walk.u32(at)
  if (code === 0x8021_1001 || code === 0x8021_1002) return avs(walk, at)
  if (!walk.has(at, 8)) return CUT
  const length = Math.min(walk.u32le(at + 4), walk.u32(at + 4))
  return length < 8 || length > 4096 ? BROKEN : walk.go(Step.Wlan, at + length)
}

/** Per-packet information: version, flags, length, link type, all little endian. */
export function ppi(walk: Walk, at: number): number {
  if (!walk.has(at, 8)) return CUT
  const length = walk.u16le(at + 2)
  const link = walk.u32le(at + 4)
  if (length < 8) return BROKEN
  return link <= 0xffff && link !== LinkType.PPI ? walk.go(Step.Link, at + length, link) : NON_IP
}

/** The MAC header (IEEE 802.11-2020 section 9.2.3). Only data frames that are not encrypted carry what can be read. */
export function mac(walk: Walk, at: number, padded: boolean): number {
  if (!walk.has(at, 2)) return CUT
  const kind = walk.u8(at)
  const flags = walk.u8(at + 1)
  const isData = (kind & 0x0c) === 0x08
  const withoutData = (kind & 0x40) !== 0
  const isProtected = (flags & 0x40) !== 0
  if (!isData || withoutData || isProtected) return NON_IP
  // Four addresses, or three.
  let length = (flags & 3) === 3 ? 30 : 24
  let aggregated = false
  if ((kind & 0x80) !== 0) {
    if (!walk.has(at + length, 1)) return CUT
    aggregated = (walk.u8(at + length) & 0x80) !== 0
    // QoS control, and HT control where the order bit says so.
    length += (flags & 0x80) === 0 ? 2 : 6
  }
  if (padded) length = (length + 3) & ~3
  // Of an A-MSDU the first subframe is read: two addresses, length, LLC.
  return walk.go(Step.Llc, at + length + (aggregated ? 14 : 0))
}
