/** What a defragmenter may hold, whom it believes, and what it counts. Mirrors `core::decode::defrag::config`. */
import type { FragmentPolicy } from '../../../options.js'

/** Datagrams pending at one time. The oldest one is evicted. */
export const MAX_DATAGRAMS = 4096

/** Fragments of one datagram: 64 KiB over the least IPv4 link (68 octets) are 1366. */
export const MAX_FRAGMENTS = 2048

/** Longest payload a datagram can have, in octets: the length fields of IPv4 and IPv6 have 16 bits. */
export const MAX_DATAGRAM_LEN = 65_535

/** The octets of a new fragment count where it overlaps an old one; spans are those they had on the wire. */
export function newWins(
  policy: FragmentPolicy,
  oldStart: number,
  oldEnd: number,
  newStart: number,
  newEnd: number,
): boolean {
  switch (policy) {
    case 'first':
      return false
    case 'last':
      return true
    case 'bsd':
      return newStart < oldStart
    case 'bsd-right':
      return newStart >= oldStart
    case 'linux':
      return newStart <= oldStart
    case 'windows':
      return newStart < oldStart && newEnd > oldEnd
    case 'solaris':
      return newStart < oldStart && newEnd >= oldEnd
  }
}

/** Counters since the start. */
export class FragmentStats {
  /** Fragments taken, the dropped ones too. */
  fragments = 0
  /** Datagrams put together, without the atomic ones. */
  datagrams = 0
  /** Atomic fragments: a fragment header around a whole datagram (RFC 6946). */
  atomic = 0
  /** Datagrams given up because their time was over. */
  timeouts = 0
  /** Datagrams given up because of a limit. */
  evictions = 0
  /** Fragments that overlap another one, without exact duplicates. */
  overlaps = 0
  /** Fragments that repeat another one octet for octet. */
  duplicates = 0
  /** Fragments that can't be: empty, unaligned, too long, or at odds about the datagram's end. */
  invalid = 0
}
