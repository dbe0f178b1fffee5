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
  /** Packets by the number of each unknown link type, at most 64 types; those of further ones are in `unknownLink` only. */
  unknownLinkTypes: Readonly<Record<string, number>>
}

/** The counters of a run with those of the runs before it; packets of unknown link types are added by type. */
export function addStats<Stats extends object>(before: Stats | undefined, now: Stats): Stats {
  return before === undefined ? now : (add(before as Counters, now as Counters) as Stats)
}

/** Counters by name, and such by name again. */
interface Counters {
  readonly [name: string]: number | Counters
}

function add(a: Counters, b: Counters): Counters {
  const sum = (one: number | Counters | undefined, other: number | Counters | undefined) =>
    typeof one === 'object' || typeof other === 'object'
      ? add((one ?? {}) as Counters, (other ?? {}) as Counters)
      : (one ?? 0) + (other ?? 0)
  return Object.fromEntries(Object.keys({ ...a, ...b }).map(name => [name, sum(a[name], b[name])]))
}

const TYPE = 'unknownLinkType'

/** Counters as they lie in a batch, with names in the same order: pairs of a link type and its packets become one object. */
export function readStats(names: readonly string[], values: Float64Array): Record<string, number> {
  const found: Record<string, number> = {}
  const unknownLinkTypes: Record<string, number> = {}
  for (const [i, name] of names.entries()) {
    if (name === TYPE) {
      if (values[i + 1]! > 0) unknownLinkTypes[values[i]!] = values[i + 1]!
    } else if (names[i - 1] !== TYPE) found[name] = values[i]!
  }
  return Object.assign(found, names.includes(TYPE) ? { unknownLinkTypes } : {})
}
