/** What a capture says of itself and what its packets come to. */
import { linkTypeName } from './link-types.js'
import { EmptyRecord } from './record.js'

/** One interface of a capture. Classic pcap files have one, without a name. */
export interface CaptureInterface {
  /** Number in the file, from 0. */
  id: number
  /** Link-layer header type: a `LINKTYPE_` number. */
  linkType: number
  /** Its name, such as `ETHERNET`; null where there is none here. */
  linkTypeName: string | null
  /** Name, such as `eth0`. */
  name: string | null
  description: string | null
  /** Capture filter. */
  filter: string | null
  /** Octets kept of each packet at most; 0 where there is no limit. */
  snaplen: number
  /** Length of a clock tick in seconds: `10^-6`, `2^-20`, … */
  resolution: string
  /** Seconds that are added to each time. */
  offsetSeconds: number
  /** Octets of frame check sequence at each packet's end. */
  fcsLength: number | null
  /** Bits per second. */
  speed: number | null
  /** Packets that the interface received, as the file says. */
  received: number | null
  /** Packets that the interface dropped. */
  dropped: number | null
  /** Packets that the filter accepted. */
  filterAccepted: number | null
  /** Packets that the operating system dropped. */
  osDropped: number | null
  /** Packets that were delivered to the capturing program. */
  delivered: number | null
  /** Packets that were lost between captured ones, as the packets' own records say. */
  lostPackets: number
}

/** A capture that was read, as far as it could be. */
export interface CaptureInfo {
  /** As the user gave it. */
  name: string
  /** The format, such as `pcap`; empty where it is none that can be read. */
  format: string
  byteOrder: 'little' | 'big'
  /** `gzip`, `zstd`, `lz4` or `xz`; null where it isn't compressed. */
  compression: string | null
  /** Octets of input read; of compressed input: compressed octets. */
  inputBytes: number
  packets: number
  /** Octets of packets captured. */
  capturedBytes: number
  /** Octets of packets on the wire. */
  wireBytes: number
  /** The earliest packet time, nanoseconds since the Unix epoch; null where no packet has a time. */
  firstNs: bigint | null
  /** The latest packet time. */
  lastNs: bigint | null
  /** No packet is earlier than the one before it. */
  inOrder: boolean
  /** pcapng sections; 1 of classic pcap. */
  sections: number
  /** Interfaces, at most 1024. */
  interfaces: CaptureInterface[]
  /** Interfaces in all. */
  interfaceCount: number
  /** The capturing machine's hardware. */
  hardware: string | null
  /** The capturing machine's operating system. */
  os: string | null
  /** The program that wrote the file. */
  application: string | null
  /** The first comments, at most 64 of 1024 octets each. */
  comments: string[]
  /** Comments in all, on sections, interfaces and packets. */
  commentCount: number
  /** Packets that carry no time. */
  untimedPackets: number
  /** Packets whose length on the wire was given shorter than what was captured. */
  shortWireLengths: number
  /** Option lists that reach beyond their block. */
  badOptions: number
  /** What is odd about the file but doesn't keep it from being read. */
  notes: string[]
}

/** Reads what an engine tells. As with records, JSON.stringify works on it although times are bigints. */
export function parseCaptures(json: string): CaptureInfo[] {
  return (JSON.parse(json) as Told[]).map(told => {
    const { capture: _, ...rest } = told
    return Object.assign(new EmptyRecord(), rest, {
      firstNs: told.firstNs === null ? null : BigInt(told.firstNs),
      lastNs: told.lastNs === null ? null : BigInt(told.lastNs),
      interfaces: told.interfaces.map(one =>
        Object.assign(one, { linkTypeName: linkTypeName(one.linkType), offsetSeconds: Number(one.offsetSeconds) }),
      ),
    })
  })
}

/** The same with large numbers as decimal digits. */
interface Told extends Omit<CaptureInfo, 'firstNs' | 'lastNs' | 'interfaces'> {
  firstNs: string | null
  lastNs: string | null
  interfaces: (Omit<CaptureInterface, 'offsetSeconds' | 'linkTypeName'> & { offsetSeconds: string })[]
  capture: number
}
