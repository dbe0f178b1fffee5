/** Counters of a run: nothing is left out silently. Mirrors `core::session::stats`. */
import { Drop } from '../decode/drop.js'
import type { Decoder } from '../decode/decoder.js'
import { MAX_UNKNOWN_LINKS, type UnknownLinks } from '../decode/unknown-links.js'

/** Counters of a run, all from 0. Their order is that of the statistics in a batch. */
export class Stats {
  /** Packets by unknown link type; further types are in `unknownLink` only. */
  #unknownLinks: UnknownLinks['counts'] = []
  /** Packets read. */
  packets = 0
  /** Octets of packets captured. */
  capturedBytes = 0
  /** Octets of input read (of compressed input: compressed octets). */
  inputBytes = 0
  /** Packets that the filter left out; they count nowhere else. */
  filtered = 0
  /** Packets of live sources: seen, dropped by the system, and by the interface; 0, for none are read here. */
  received = 0
  dropped = 0
  droppedByInterface = 0
  /** Packets that carry no IP. */
  nonIp = 0
  /** Packets of a link type that isn't known here. */
  unknownLink = 0
  /** Packets cut inside the link-layer or IP header. */
  cut = 0
  /** Packets with a header that contradicts itself. */
  broken = 0
  /** Packets that are fragments. */
  fragments = 0
  /** Datagrams put together from fragments. */
  reassembled = 0
  /** Datagrams of which fragments are missing now. */
  incomplete = 0
  /** Datagrams whose missing fragments didn't come in time. */
  fragmentTimeouts = 0
  /** Datagrams given up because of a limit on fragments. */
  fragmentEvictions = 0
  /** Fragments that can't be: empty, unaligned, too long, or at odds about the datagram's end. */
  invalidFragments = 0
  /** Fragments that overlap another one. */
  fragmentOverlaps = 0
  /** Packets with a bad checksum, where checksums are looked at. */
  badChecksums = 0
  /** Packets without the ports that their protocol should have: cut ones. */
  shortKey = 0
  /** Packets of flows that a chain wants to ignore. */
  ignored = 0
  /** ICMP errors counted to the flow that they quote. */
  quoted = 0
  /** Packets with TCP whose header is broken or cut before its flags. */
  badSegments = 0
  /** Flows opened. */
  flows = 0
  /** Flows ended because the table was full. */
  evicted = 0
  /** Flows open now. */
  openFlows = 0
  /** Holes given up because a limit on waiting octets was reached. */
  limitGaps = 0
  /** Segments with sequence numbers out of every window, left out. */
  wildSegments = 0
  /** Keep-alives and repeated zero-window probes. */
  keepAlives = 0

  /** Counts a packet that gave no datagram. */
  countDrop(reason: number): void {
    if (reason === Drop.NonIp) this.nonIp += 1
    else if (reason === Drop.UnknownLink) this.unknownLink += 1
    else if (reason === Drop.Cut) this.cut += 1
    else if (reason === Drop.Broken) this.broken += 1
    // Fragments and bad checksums are the decoder's to count, with their reasons.
  }

  /** Takes over what the decoder counted. */
  countDecoder(decoder: Decoder): void {
    const { fragments, unknownLinks } = decoder
    this.fragments = fragments.fragments
    this.reassembled = fragments.datagrams
    this.incomplete = decoder.pendingDatagrams
    this.fragmentTimeouts = fragments.timeouts
    this.fragmentEvictions = fragments.evictions
    this.invalidFragments = fragments.invalid
    this.fragmentOverlaps = fragments.overlaps
    this.badChecksums = decoder.badChecksums
    this.#unknownLinks = unknownLinks.counts
  }

  /** Writes the counters to the start of a batch. */
  write(batch: Uint8Array, at = 0): void {
    const place = new Float64Array(batch.buffer, batch.byteOffset + at, STAT_NAMES.length).fill(0)
    place.set(Object.values(this))
    place.set(this.#unknownLinks.flat(), PLAIN_NAMES.length)
  }
}

const PLAIN_NAMES = Object.keys(new Stats())

/** The counters' names, in order: the plain ones, then a type and its packets for each unknown link type told apart. */
export const STAT_NAMES: readonly string[] = [
  ...PLAIN_NAMES,
  ...Array.from({ length: MAX_UNKNOWN_LINKS }, () => ['unknownLinkType', 'unknownLinkPackets']).flat(),
]
