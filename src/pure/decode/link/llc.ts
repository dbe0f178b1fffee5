/** IEEE 802.2 LLC with SNAP, and the NLPID of frame relay and ATM (RFC 2427, RFC 2684). */
import { CUT, NON_IP, Step, type Walk } from './walk.js'

/** Follows an LLC header at `at`. */
export function followLlc(walk: Walk, at: number): number {
  if (!walk.has(at, 3)) return CUT
  const dsap = walk.u8(at)
  const ssap = walk.u8(at + 1) & 0xfe
  // Some senders put IP behind a SNAP header with an extended control field; RFC 1042 has the short one.
  if ((dsap === 0xaa || dsap === 0xab) && ssap === 0xaa) return snap(walk, (walk.u8(at + 2) & 3) === 3 ? at + 3 : at + 4)
  // RFC 948: a service access point for IP itself.
  if (dsap === 0x06 && ssap === 0x06) return walk.go(Step.Ip, at + 3)
  // ISO's network layer: the NLPID comes next.
  return dsap === 0xfe && ssap === 0xfe ? nlpid(walk, at + 3) : NON_IP
}

/** Organization and protocol: RFC 1042 section 2. */
function snap(walk: Walk, at: number): number {
  if (!walk.has(at, 5)) return CUT
  const protocol = walk.u16(at + 3)
  const organization = (walk.u16(at) << 8) | walk.u8(at + 2)
  // Encapsulated Ethernet; 802.1H's bridge tunnel; Cisco uses its own number for a few ethertypes.
  if (organization === 0 || organization === 0xf8) return walk.go(Step.Ethertype, at + 5, protocol)
  // RFC 2427 section 4.2 and RFC 2684 section 5.2: bridged Ethernet, with or without its checksum.
  return organization === 0x80c2 && (protocol === 1 || protocol === 7) ? bridged(walk, at + 5) : NON_IP
}

/** ATM pads a bridged frame with two zero octets, frame relay doesn't. */
function bridged(walk: Walk, at: number): number {
  if (!walk.has(at, 2)) return CUT
  return walk.go(Step.Ethernet, walk.u16(at) === 0 ? at + 2 : at)
}

/** Follows a network-layer protocol identifier (ISO/IEC TR 9577). */
export function nlpid(walk: Walk, at: number): number {
  if (!walk.has(at, 1)) return CUT
  switch (walk.u8(at)) {
    case 0xcc:
    case 0x8e:
      return walk.go(Step.Ip, at + 1)
    case 0x80:
      return snap(walk, at + 1)
    case 0xcf:
      return walk.go(Step.Ppp, at + 1)
    default:
      return NON_IP
  }
}
