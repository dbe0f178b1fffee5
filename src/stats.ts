/** What a run counts: nothing is left out silently. */

/** Counters of a run. */
export interface ObserveStats {
  /** Packets read. */
  packets: number
  /** Octets of packets captured. */
  capturedBytes: number
  /** Octets of input read. */
  inputBytes: number
  /** Packets that the filter left out; they count nowhere else. */
  filtered: number
  /** Packets that carry no IP. */
  nonIp: number
  /** Packets of an unknown link type. */
  unknownLink: number
  /** Packets cut inside the link-layer or IP header. */
  cut: number
  /** Packets with a header that contradicts itself. */
  broken: number
  /** Packets that are fragments. A datagram counts when its last fragment comes. */
  fragments: number
  /** Datagrams put together from fragments. */
  reassembled: number
  /** Datagrams of which fragments are missing now. */
  incomplete: number
  /** Datagrams whose missing fragments didn't come in time. */
  fragmentTimeouts: number
  /** Datagrams given up because of a limit on fragments. */
  fragmentEvictions: number
  /** Fragments that can't be: empty, unaligned, too long, or at odds about the datagram's end. */
  invalidFragments: number
  /** Fragments that overlap another one. */
  fragmentOverlaps: number
  /** Packets with a bad checksum, where checksums are looked at. */
  badChecksums: number
  /** Packets without the ports that their protocol should have: cut ones. */
  shortKey: number
  /** Packets of flows that a chain wants to ignore. */
  ignored: number
  /** ICMP errors counted to the flow that they quote. */
  quoted: number
  /** Packets with TCP whose header is broken, or cut before its flags. */
  badSegments: number
  /** Flows opened. */
  flows: number
  /** Flows ended because the table was full. */
  evicted: number
  /** Flows open now. */
  openFlows: number
  /** A link type that isn't known, where `unknownLinkPackets1` is more than 0; up to four are told apart. */
  unknownLinkType1: number
  /** Packets of it. */
  unknownLinkPackets1: number
  /** The second such type. */
  unknownLinkType2: number
  /** Packets of it. */
  unknownLinkPackets2: number
  /** The third such type. */
  unknownLinkType3: number
  /** Packets of it. */
  unknownLinkPackets3: number
  /** The fourth such type. */
  unknownLinkType4: number
  /** Packets of it. */
  unknownLinkPackets4: number
}
