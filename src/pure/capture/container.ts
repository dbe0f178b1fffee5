/**
 * What a capture format's reader is: a state machine that is fed with octets and never reads by itself. The format is
 * found by the first octets.
 */
import { formatError } from '../error.js'
import { compressionOf } from './compression.js'
import { CaptureFacts } from './info.js'
import type { Packet } from './packet.js'
import { PcapReader } from './pcap.js'
import { isPcapng, PcapngReader } from './pcapng/reader.js'

/** A capture format's reader. */
export interface Container {
  /** What the capture has said about itself so far. */
  readonly info: CaptureFacts
  /**
   * What lies at `at` in `bytes`, which are filled up to `end`; it is `offset` octets into the (decompressed) input.
   * More than 0: `packet` was filled (but for its number), and its record has so many octets. 0: more octets must be
   * there. Less than 0: so many octets carry no packet; they may reach beyond what is there.
   *
   * @throws what keeps the capture from being read on
   */
  step(bytes: Uint8Array, at: number, end: number, offset: number, packet: Packet): number
  /**
   * Judges the octets left over at the end of the input.
   *
   * @throws where a structure is cut
   */
  finish(rest: Uint8Array, offset: number): void
}

/** The reader of the capture that begins at `at`; null where more octets must be there to tell. */
export function sniff(bytes: Uint8Array, at: number, end: number, offset: number): Container | null {
  if (end - at < 4) return null
  const pcap = PcapReader.fromMagic(bytes, at)
  if (pcap !== null) return pcap
  if (isPcapng(bytes, at)) return new PcapngReader()
  const begins = `not a capture: it begins with ${hex(bytes, at, 4)}`
  const compression = compressionOf(bytes.subarray(at, end))
  throw formatError(
    offset,
    // One layer is taken off before the octets come here.
    compression !== null
      ? `${begins}, which is ${compression} inside compressed data`
      : `${begins}, which is no magic number of pcap or pcapng`,
  )
}

/** Why a capture without a known format can't be read. */
export function unknownFormat(rest: Uint8Array, offset: number): Error {
  return formatError(offset, rest.length === 0 ? 'the file is empty' : `not a capture: only ${rest.length} octets long`)
}

/** Octets as hexadecimal digits. */
export function hex(bytes: Uint8Array, at: number, length: number): string {
  return Array.from(bytes.subarray(at, at + length), octet => octet.toString(16).padStart(2, '0')).join('')
}
