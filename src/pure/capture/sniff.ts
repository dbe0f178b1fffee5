/** The capture format, found by its first octets. */
import { hex } from '../../octets.js'
import { formatError } from '../error.js'
import { compressionOf } from './compression.js'
import type { Container } from './container.js'
import { PcapReader } from './pcap.js'
import { isPcapng, PcapngReader } from './pcapng/reader.js'

/** The reader of the capture that begins at `at`; null where more octets must be there to tell. */
export function sniff(bytes: Uint8Array, at: number, end: number, offset: number): Container | null {
  if (end - at < 4) return null
  const pcap = PcapReader.fromMagic(bytes, at)
  if (pcap !== null) return pcap
  if (isPcapng(bytes, at)) return new PcapngReader()
  const begins = `not a capture: it begins with ${hex(bytes, at, at + 4)}`
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
