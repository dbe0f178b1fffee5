/** Upper-layer protocol numbers that are looked into. */

/** ICMP (RFC 792). */
export const ICMP = 1
/** TCP (RFC 9293). */
export const TCP = 6
/** UDP (RFC 768). */
export const UDP = 17
/** ICMPv6 (RFC 4443). */
export const ICMPV6 = 58
/** SCTP (RFC 9260). */
export const SCTP = 132
/** UDP-Lite (RFC 3828). */
export const UDPLITE = 136

/** The protocol's header begins with source and destination port. */
export function hasPorts(proto: number): boolean {
  return proto === TCP || proto === UDP || proto === SCTP || proto === UDPLITE
}
