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
  /** Packets of live sources that came and that their filters chose, dropped ones included; 0 of files. */
  received: number
  /** Packets of live sources that the system dropped because they weren't taken in time. */
  dropped: number
  /** Packets of live sources that the interface dropped. */
  droppedByInterface: number
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

/** The counters of a run with those of the runs before it; unknown link types are met by number. */
export function addStats<Stats extends object>(before: Stats | undefined, now: Stats): Stats {
  if (before === undefined) return now
  const [a, b] = [before as Counters, now as Counters]
  const sums = Object.keys(b).map(name => [name, (a[name] ?? 0) + b[name]!] as const)
  return { ...Object.fromEntries(sums), ...addLinkTypes(a, b) } as unknown as Stats
}

type Counters = Readonly<Record<string, number>>

const TYPE = 'unknownLinkType'
const PACKETS = 'unknownLinkPackets'

/** `unknownLinkType1` is no counter: it says what `unknownLinkPackets1` counts. Types that find no place are left out. */
function addLinkTypes(...runs: readonly Counters[]): Counters {
  const places = Object.keys(runs[0]!)
    .filter(name => name.startsWith(TYPE))
    .map(name => name.slice(TYPE.length))
  const packets = new Map<number, number>()
  for (const run of runs)
    for (const place of places) {
      const [type, count] = [run[TYPE + place] ?? 0, run[PACKETS + place] ?? 0]
      if (count > 0) packets.set(type, (packets.get(type) ?? 0) + count)
    }
  const found = [...packets]
  return Object.fromEntries(
    places.flatMap((place, at) => {
      const [type, count] = found[at] ?? [0, 0]
      return [[TYPE + place, type] as const, [PACKETS + place, count] as const]
    }),
  )
}
