/** Every bound of reassembly in one place, each with its unit. Mirrors `core::stream::limits`. */
import { POLICIES, type NewWins } from './policy.js'

/**
 * Bounds and choices of all streams of one arena. Octet limits count the memory that holds the octets: a short piece
 * costs at least 112.
 */
export interface StreamLimits {
  /** Memory for waiting octets of one direction. */
  readonly directionOctets: number
  /** Memory for waiting octets of all streams; at most 3 GiB. */
  readonly totalOctets: number
  /**
   * Window of recently delivered octets, shared by all streams, that later copies are compared with, rounded up to a
   * power of two. 0 = none; at most 1 GiB.
   */
  readonly historyOctets: number
  /** Packet time that a hole is kept after the peer acknowledged what lies in it: seconds and nanoseconds. */
  readonly patienceSecond: number
  readonly patienceNanosecond: number
  /** Whose octets stay in an overlap. */
  readonly newWins: NewWins
  /** Octets are handed over when the peer has acknowledged them, and not at once; the rest at the connection's end. */
  readonly acked: boolean
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_LIMITS: StreamLimits = {
  directionOctets: 16 * 2 ** 20,
  totalOctets: 64 * 2 ** 20,
  historyOctets: 4 * 2 ** 20,
  patienceSecond: 2,
  patienceNanosecond: 0,
  newWins: POLICIES.first!,
  acked: false,
}
