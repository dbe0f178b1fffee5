/**
 * Internet checksums (RFC 1071) of IPv4 headers, TCP, UDP, ICMP and ICMPv6. Mirrors `core::decode::checksum`.
 *
 * Captures made on the sending host carry checksums that the network card was still to fill in, so a bad one is no proof
 * of damage.
 */
import type { Datagram } from './datagram.js'
import { ICMP, ICMPV6, TCP, UDP } from './proto.js'

/** What a checksum says. */
export const Verdict = {
  /** It fits. */
  Good: 0,
  /** It doesn't fit. */
  Bad: 1,
  /** The sender made none (UDP over IPv4 with checksum 0). */
  Absent: 2,
  /** It can't be told: octets are missing, or the protocol is none of those known here. */
  Unknown: 3,
} as const

/** Adds 16-bit words to a sum, which may be any number of whole words. Of an odd number of octets the last is padded. */
function add(sum: number, bytes: Uint8Array, at: number, end: number): number {
  // Longest packets have 2^18 octets, so a double holds the sum without carrying.
  for (; at + 8 <= end; at += 8)
    sum +=
      ((bytes[at]! + bytes[at + 2]! + bytes[at + 4]! + bytes[at + 6]!) << 8) +
      (bytes[at + 1]! + bytes[at + 3]! + bytes[at + 5]! + bytes[at + 7]!)
  for (; at + 2 <= end; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!
  return at < end ? sum + (bytes[at]! << 8) : sum
}

/** RFC 1071 section 1: over everything, the checksum included, the sum is all ones. */
function verdictOf(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 65536)
  return folded === 0xffff ? Verdict.Good : Verdict.Bad
}

/** Judges the IPv4 header at `at` (RFC 791 section 3.1), as far as `end`; its own length counts. */
export function verifyIpv4Header(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return Verdict.Unknown
  const length = (bytes[at]! & 0x0f) * 4
  return length < 20 || at + length > end ? Verdict.Unknown : verdictOf(add(0, bytes, at, at + length))
}

/** Judges the upper layer of a whole datagram, as far as it was captured. */
export function verifyCaptured(datagram: Datagram): number {
  const { bytes, version, proto, upper, upperLen, upperCaptured } = datagram
  if (upperCaptured < upperLen) return Verdict.Unknown
  const end = upper + upperLen
  if (proto === TCP && upperLen >= 20) return verdictOf(add(pseudo(datagram, TCP, upperLen), bytes, upper, end))
  if (proto === UDP) return verifyUdp(datagram)
  // RFC 792: no pseudo header.
  if (version === 4 && proto === ICMP && upperLen >= 4) return verdictOf(add(0, bytes, upper, end))
  // RFC 4443 section 2.3.
  if (version === 6 && proto === ICMPV6 && upperLen >= 4)
    return verdictOf(add(pseudo(datagram, ICMPV6, upperLen), bytes, upper, end))
  return Verdict.Unknown
}

/** RFC 768: UDP has a length of its own, and what lies behind it isn't covered. */
function verifyUdp(datagram: Datagram): number {
  const { bytes, version, upper, upperLen } = datagram
  if (upperLen < 8) return Verdict.Unknown
  // RFC 8200 section 8.1: over IPv6 there must be one; only tunnels may leave it out (RFC 6935).
  if (bytes[upper + 6] === 0 && bytes[upper + 7] === 0) return version === 4 ? Verdict.Absent : Verdict.Bad
  const claimed = (bytes[upper + 4]! << 8) | bytes[upper + 5]!
  // RFC 2675 section 4: an IPv6 jumbogram's length doesn't fit.
  const length = claimed === 0 && version === 6 ? upperLen : claimed
  if (length < 8 || length > upperLen) return Verdict.Unknown
  return verdictOf(add(pseudo(datagram, UDP, length), bytes, upper, upper + length))
}

/**
 * The pseudo header's sum: RFC 9293 section 3.1, RFC 8200 section 8.1. Both have the same sum, since IPv6 only adds zero
 * octets.
 */
function pseudo({ bytes, version, src, dst }: Datagram, proto: number, length: number): number {
  const octets = version === 4 ? 4 : 16
  const start = Math.floor(length / 65536) + (length & 0xffff) + proto
  return add(add(start, bytes, src, src + octets), bytes, dst, dst + octets)
}
