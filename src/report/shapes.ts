/** What Node tells the page: descriptions of the containers. Times are decimal digits where they are too large for a number. */

/** A capture, for people. */
export interface CaptureFacts {
  name: string
  format: string
  compression: string | null
  /** Octets of the file; null of what is no file. */
  fileBytes: number | null
  packets: number
  wireBytes: number
  capturedBytes: number
  firstNs: string | null
  lastNs: string | null
  inOrder: boolean
  links: string[]
  /** What is odd about it, and comments in it. */
  notes: string[]
}

/** Packets and octets of a kind. */
export interface Share {
  name: string
  packets: number
  octets: number | null
}

/** What an address sent and received; octets are those of IP packets. */
export interface TalkerFacts {
  address: string
  sentPackets: number
  sentOctets: number
  receivedPackets: number
  receivedOctets: number
}

/**
 * What is in the captures. Arrays: `tcp`, `udp`, `other` (octets of IP packets in each bin) and `packets`.
 */
export interface OverviewMeta {
  /** What made it. */
  version: string
  captures: CaptureFacts[]
  protocols: Share[]
  talkers: TalkerFacts[]
  /** Addresses were left out of the sums on the way. */
  talkersApproximate: boolean
  addresses: number
  /** Start of the first bin, milliseconds since the Unix epoch. */
  startMs: number
  /** Length of a bin, milliseconds. */
  binMs: number
  filter: string | null
  /** What the page doesn't hold, in sentences. */
  leftOut: string[]
  /** Captures that couldn't be read in full, and why. */
  errors: string[]
}

/** A column of the table of connections. */
export interface ColumnFacts {
  name: string
  /**
   * `time`: nanoseconds since {@link TableMeta.baseNs}. `text`: places in `words`. `address`: places in
   * {@link TableMeta.addresses}, which are in order.
   */
  kind: 'number' | 'bool' | 'time' | 'text' | 'address'
  nullable: boolean
  words?: readonly string[]
}

/** The table of connections. Arrays: each column's values, and under `NAME?` where it has a value (1). */
export interface TableMeta {
  /** Rows. */
  length: number
  /** Connections in the captures; those that aren't rows were left out. */
  connections: number
  /** What times count from, nanoseconds since the Unix epoch. */
  baseNs: string
  columns: ColumnFacts[]
  addresses: string[]
  /** What the limits of reading did: evictions and the like. */
  remarks: string[]
}

/** Octets of a stream that follow each other: where they begin in the stream, and how many. */
export type HeadRange = [offset: number, length: number]

/**
 * One connection's segments, samples and octets. Arrays, a row for each segment kept: `packet`, `t` (nanoseconds since
 * {@link DetailMeta.startNs}), `rev` (1 = from the server), `flags`, `kind` (bits in the order of `SEGMENT_KINDS`), `offset`,
 * `length`, `ack` and `window` (NaN: none), `flight` (octets under way). A row for each SACK block: `sackT`, `sackRev`,
 * `sackLeft`, `sackRight`. For each round-trip sample: `rttT`, `rtt` (nanoseconds), `rttRev`. For each bin of time: `sentFwd`,
 * `sentRev`, `newFwd`, `newRev` (octets of payload; those not sent before). `headFwd` and `headRev`: octets.
 */
export interface DetailMeta {
  id: number
  startNs: string
  /** Segments captured. */
  segments: number
  /** Of the segments with no mark, one in so many is kept; 1 = all. */
  every: number
  /** The same of those with a mark. */
  everyMarked: number
  /** SACK blocks, and one in how many is kept. */
  sackBlocks: number
  everySack: number
  /** Round-trip samples by direction, and one in how many is kept. */
  samples: [fwd: number, rev: number]
  everySample: number
  binMs: number
  /** Milliseconds from the start to the first bin. */
  binStartMs: number
  heads: [fwd: HeadRange[], rev: HeadRange[]]
  /** Octets of each direction that could have been kept. */
  headBytes: number
}

/** Words in the page that say where its data comes from. */
export const EMBEDDED = 'embedded'
/** The other one. */
export const SERVED = 'served'
