/**
 * What a capture says about itself: format, interfaces, drops, comments. Filled by the containers while they read, so
 * it is complete only at the end. Every list and every text in it is bounded. Mirrors `core::capture::CaptureInfo`.
 */

/** Interfaces described at most; further ones are only counted. */
export const MAX_INTERFACES_DESCRIBED = 1024
/** Comments kept at most; further ones are only counted. */
export const MAX_COMMENTS = 64
/** Octets kept of one comment, name or filter. */
export const MAX_TEXT_LEN = 1024
/** Notes kept at most. */
export const MAX_NOTES = 16

/** What a capture says about itself. */
export class CaptureFacts {
  readonly format: string
  /** The byte order: of pcapng, the last section's. */
  bigEndian = false
  /** pcapng sections; 1 of classic pcap. */
  sections = 0
  readonly interfaces: InterfaceFacts[] = []
  interfaceCount = 0
  hardware: string | null = null
  os: string | null = null
  application: string | null = null
  readonly comments: string[] = []
  commentCount = 0
  /** Packets that carry no time: theirs is 0. */
  untimedPackets = 0
  /** Packets whose length on the wire was given shorter than what was captured; it was raised to that. */
  shortWireLens = 0
  /** Option lists that reach beyond their block; what stood before was used. */
  badOptions = 0
  readonly notes: string[] = []

  constructor(format: string) {
    this.format = format
  }

  /** Counts a comment, and keeps it if it is among the first. */
  addComment(value: Uint8Array): void {
    this.commentCount += 1
    if (this.comments.length < MAX_COMMENTS) this.comments.push(text(value))
  }

  /** Keeps a note if it is among the first. */
  addNote(note: string): void {
    if (this.notes.length < MAX_NOTES) this.notes.push(note)
  }

  /** Counts an interface, and keeps its description if there is room; whether it did. */
  addInterface(one: InterfaceFacts): boolean {
    this.interfaceCount += 1
    if (this.interfaces.length === MAX_INTERFACES_DESCRIBED) return false
    this.interfaces.push(one)
    return true
  }
}

/** An interface statistics block's counters, in packets; null where the file doesn't say. */
export interface InterfaceStatistics {
  received: bigint | null
  dropped: bigint | null
  filterAccepted: bigint | null
  osDropped: bigint | null
  delivered: bigint | null
}

/** One interface of a capture. */
export class InterfaceFacts implements InterfaceStatistics {
  /** Number in the file from 0. */
  readonly id: number
  readonly link: number
  readonly snaplen: number
  /** `if_tsresol`: the highest bit chooses the base (0: ten), the rest is the exponent. */
  resolution = 6
  /** Seconds to add to each time (`if_tsoffset`). */
  offsetSeconds = 0n
  fcsLen: number | null = null
  name: string | null = null
  description: string | null = null
  filter: string | null = null
  speed: bigint | null = null
  received: bigint | null = null
  dropped: bigint | null = null
  filterAccepted: bigint | null = null
  osDropped: bigint | null = null
  delivered: bigint | null = null
  /** Packets that were lost between captured ones, as the packet blocks say. */
  lostPackets = 0n

  constructor(id: number, link: number, snaplen: number) {
    this.id = id
    this.link = link
    this.snaplen = snaplen
  }
}

// A byte-order mark is kept as it stands.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The text of an option: its first {@link MAX_TEXT_LEN} octets, what is no UTF-8 replaced. */
export function text(value: Uint8Array): string {
  // Some writers end their texts with a NUL.
  const nul = value.indexOf(0)
  const end = nul < 0 ? value.length : nul
  return utf8.decode(value.subarray(0, Math.min(end, MAX_TEXT_LEN)))
}
