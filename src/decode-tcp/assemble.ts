/** Two helpers for segments that are at hand already: putting them in order, and reading their maximum segment size. */
import type { Gap } from '../connection.js'
import { tcpOptions, type TcpOptionsSource } from '../packet/options.js'

/** Segments by where they begin: sequence numbers relative to the initial one, so 1 is the first octet of a stream. */
export type SegmentMap = ReadonlyMap<number, Uint8Array> | Readonly<Record<number, Uint8Array>>

/**
 * Puts segments in order. Where two overlap, the one that begins first stays.
 *
 * @param segments where each begins: 1 is the first octet (0 is the SYN, and the first octet where octets stand there)
 * @param gaps gets what is missing between them, as `[offset, length]`; offset 0 is the first octet
 * @returns the octets, without what is missing
 * @throws RangeError where a segment begins at no whole number, 0 or more
 *
 * @example
 * assembleBuffer(new Map([[4, b], [1, a]]))   // a, then b
 */
export function assembleBuffer(segments: SegmentMap, gaps: Gap[] = []): Uint8Array {
  const list = inOrder(segments)
  const first = list[0]
  // RFC 7413: a SYN may carry octets; else 0 is the SYN itself.
  const base = first !== undefined && first[0] === 0 && first[1].length > 0 ? 0 : 1
  const pieces: Uint8Array[] = []
  let end = base
  for (const [at, octets] of list) {
    if (octets.length === 0) continue
    if (at > end) gaps.push([end - base, at - end])
    const fresh = octets.subarray(Math.max(0, end - at))
    pieces.push(fresh)
    end = Math.max(end, at + octets.length)
  }
  return concat(pieces)
}

function inOrder(segments: SegmentMap): [at: number, octets: Uint8Array][] {
  const entries = segments instanceof Map ? [...segments.entries()] : Object.entries(segments)
  const list = entries.map(([at, octets]): [number, Uint8Array] => [Number(at), octets as Uint8Array])
  const wrong = list.find(([at]) => !Number.isSafeInteger(at) || at < 0)
  if (wrong) throw new RangeError(`a segment begins at ${wrong[0]}: expected a whole number, 0 or more`)
  return list.toSorted(([a], [b]) => a - b)
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

/**
 * The maximum segment size that options announce (RFC 9293 section 3.7.1), octets; null where they don't.
 *
 * @param options a `TcpView`, or the octets of the options. What follows the end of the list isn't looked at; a length
 * that can't be ends it
 */
export function getMaximumSegmentSize(options: TcpOptionsSource): number | null {
  return tcpOptions(options).mss
}
