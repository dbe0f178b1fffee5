/**
 * What the parts of a job have to know of each other before packets travel: how many packets lie before a part, which
 * fragments wait for others, and the time of all packets. Each part is surveyed by itself, and the answers are small.
 */
import { OptionError } from '../errors.js'
import type { CaptureSource } from '../source.js'
import { Partitioner, type PartitionOptions } from './partitioner.js'

/** A fragment whose datagram isn't whole where it lies. */
export interface LooseFragment {
  /** Number of its capture. */
  readonly capture: number
  /** Its number in the capture, from 1. */
  readonly packet: number
  readonly timeNs: bigint
  /** LINKTYPE number. */
  readonly link: number
  /** Octets of its frame on the wire. */
  readonly wireLen: number
  /** Its frame. */
  readonly data: Uint8Array
}

/** What {@link surveyCaptures} found. */
export interface Survey {
  /** Packets read, those that a filter leaves out too: so many numbers are used. */
  readonly packets: number
  /** Times of packets, thinned out: the first, the last, the latest, both sides of each pause over ten minutes, and some between. */
  readonly clockNs: readonly bigint[]
  readonly fragments: readonly LooseFragment[]
}

/** Octets of loose fragments that a survey may give. */
const MAX_LOOSE_BYTES = 256 * 2 ** 20

/**
 * Reads captures and tells what other parts of the job have to know.
 *
 * @throws {@link OptionError} where more than 256 MiB of fragments wait for others
 */
export async function surveyCaptures(
  source: CaptureSource | readonly CaptureSource[],
  options: PartitionOptions = {},
): Promise<Survey> {
  const partitioner = new Partitioner(source, options, true)
  const clockNs: bigint[] = []
  const fragments: LooseFragment[] = []
  let octets = 0
  for await (const { rows, packet, timeNs, capture, link, wireLen, offsets, bytes } of partitioner) {
    octets += bytes.length
    if (octets > MAX_LOOSE_BYTES) throw new OptionError(`partition: more than ${MAX_LOOSE_BYTES} octets of fragments wait for others`)
    for (let row = 0; row < rows; row++) {
      const number = Number(packet[row])
      if (number === 0) clockNs.push(timeNs[row]!)
      else
        fragments.push({
          capture: capture[row]!,
          packet: number,
          timeNs: timeNs[row]!,
          link: link[row]!,
          wireLen: wireLen[row]!,
          data: bytes.slice(offsets[row], offsets[row + 1]),
        })
    }
  }
  const { packets, filtered } = partitioner.stats
  return { packets: packets + filtered, clockNs, fragments }
}
