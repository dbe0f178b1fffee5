/** The kinds of pcapng blocks (draft-ietf-opsawg-pcapng, section 10.1), and what can be wrong with any block. */
import { damagedError } from '../../error.js'
import { MAX_NEED } from '../limits.js'

/** Longest block that is believed, in octets. */
export const MAX_BLOCK_LEN = 16 << 20

/** Octets of a block without a packet that are looked at; options beyond are not seen. */
const MAX_BODY_SEEN = 64 << 10

/** Type, length, and length again. */
export const BLOCK_FRAME_LEN = 12

/** Block types that matter here. */
export const BlockType = {
  Section: 0x0a0d_0d0a,
  Interface: 1,
  ObsoletePacket: 2,
  SimplePacket: 3,
  InterfaceStatistics: 5,
  EnhancedPacket: 6,
} as const

/** The kinds in words, with an article. */
const NAMES: Readonly<Record<number, string>> = {
  [BlockType.Section]: 'a section header block',
  [BlockType.Interface]: 'an interface description block',
  [BlockType.EnhancedPacket]: 'an enhanced packet block',
  [BlockType.SimplePacket]: 'a simple packet block',
  [BlockType.ObsoletePacket]: 'an obsolete packet block',
  4: 'a name resolution block',
  [BlockType.InterfaceStatistics]: 'an interface statistics block',
  10: 'a decryption secrets block',
  9: 'a journal export block',
  0x0bad: 'a custom block',
  0x4000_0bad: 'a custom block',
}

/** A block type in words. */
export function blockName(type: number): string {
  return NAMES[type] ?? 'a block of unknown type'
}

/** Octets of the shortest block of a type. */
export function minLen(type: number): number {
  switch (type) {
    case BlockType.Section:
      return 28
    case BlockType.Interface:
      return 20
    case BlockType.EnhancedPacket:
    case BlockType.ObsoletePacket:
      return 32
    case BlockType.SimplePacket:
      return 16
    case BlockType.InterfaceStatistics:
      return 24
    default:
      return BLOCK_FRAME_LEN
  }
}

/** Octets that must be there before a block is looked at: all of it, unless it is too long for that. */
export function octetsToSee(type: number, length: number): number {
  const hasPacket =
    type === BlockType.EnhancedPacket || type === BlockType.SimplePacket || type === BlockType.ObsoletePacket
  const most = hasPacket ? MAX_NEED : MAX_BODY_SEEN
  // A part that is not the whole must leave the trailing length for later.
  return length <= most ? length : Math.min(most, length - 4)
}

/** Why a block of this length can't be. */
export function badLen(type: number, offset: number, length: number): Error {
  if (length < minLen(type))
    return damagedBlock(type, offset, `claims ${length} octets, fewer than the ${minLen(type)} it must have`)
  if (length > MAX_BLOCK_LEN) return damagedBlock(type, offset, `claims ${length} octets, over the limit of ${MAX_BLOCK_LEN}`)
  return damagedBlock(type, offset, `claims ${length} octets, which is no multiple of 4`)
}

/** A block that contradicts itself. */
export function damagedBlock(type: number, offset: number, reason: string): Error {
  return damagedError(offset, `${blockName(type)} ${reason}`)
}
