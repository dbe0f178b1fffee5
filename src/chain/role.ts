/** What part a packet has in its flow, as the chains that look at IP headers tell it. */
import { TCP_SYN } from '../packet/constants.js'
import type { IpView } from '../packet/ip-view.js'

/** The parts. */
export const Role = {
  /** A TCP segment with SYN. */
  Syn: 0,
  /** A TCP segment with payload, or no TCP segment at all. */
  Data: 1,
  /** A TCP segment without SYN and payload. */
  Bare: 2,
} as const

/** One of {@link Role}. */
export type Role = (typeof Role)[keyof typeof Role]

/** The part of a packet. */
export function roleOf(packet: IpView): Role {
  const segment = packet.tcp
  if (segment === null) return Role.Data
  if ((segment.flags & TCP_SYN) !== 0) return Role.Syn
  return segment.payloadLength === 0 ? Role.Bare : Role.Data
}
