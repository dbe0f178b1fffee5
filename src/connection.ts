/** The connection record: one per TCP connection, with the same names in every format. */
import { formatAddress } from './address.js'
import { analysisParts } from './analysis/columns.js'
import { RowArrays, rowMaker, type MakeRow, type RowPlan } from './batch/row-maker.js'
import { whole, type BatchView, type Layout } from './batch/view.js'
import { hex } from './octets.js'
import { recordClass } from './record.js'
import { noContents, type Contents, type StreamContent } from './stream-content.js'

/** How far a connection came. */
export type ConnectionState =
  | 'syn_sent'
  | 'syn_received'
  | 'established'
  | 'closing'
  | 'closed'
  | 'reset'
  | 'midstream'

/** Why a connection's record ends. */
export type ConnectionEndReason = 'fin' | 'rst' | 'idle' | 'reuse' | 'eof' | 'evicted'

/** A gap: offset from the first octet after the SYN, and octets. */
export type Gap = [offset: number, length: number]

/**
 * Which TCP connection it is. The client is the sender of the SYN; where none was seen, of the first segment.
 */
export interface ConnectionIdentity {
  /** Serial number in order of first segments, from 0. */
  connection_id: number
  /** Name of the capture with the first segment; only where several are read. */
  capture?: string
  /** Number of the first segment's packet in its capture, from 1. */
  first_packet: number
  /** Time of the first segment, nanoseconds since the Unix epoch. */
  first_ns: bigint
  /** 4 or 6. */
  ip_version: number
  /** The client's address (RFC 5952 text). */
  client_addr: string
  client_port: number
  /** The server's address. */
  server_addr: string
  server_port: number
}

/**
 * What is known of a TCP connection at its end. `fwd` = from the client. What was never seen is null.
 */
export interface ConnectionRecord extends ConnectionIdentity {
  /** Time of the latest segment. */
  last_ns: bigint
  /** How far it came. */
  state: ConnectionState
  /** Why it ended. */
  end_reason: ConnectionEndReason
  /** Segments from the client. */
  packets_fwd: number
  /** Segments from the server. */
  packets_rev: number
  /** TCP payload octets on the wire from the client, retransmissions included. */
  payload_bytes_fwd: number
  payload_bytes_rev: number
  /** Flags octet of the first SYN. */
  syn_flags_fwd: number | null
  syn_flags_rev: number | null
  fin_fwd: boolean
  fin_rev: boolean
  rst_fwd: boolean
  rst_rev: boolean
  /** The three-way handshake completed. */
  connected: boolean
  /** Initial sequence number. */
  isn_fwd: number | null
  isn_rev: number | null
  /** Maximum segment size, octets. */
  mss_fwd: number | null
  mss_rev: number | null
  /** Window scale as in the option. */
  window_scale_fwd: number | null
  window_scale_rev: number | null
  sack_permitted_fwd: boolean | null
  sack_permitted_rev: boolean | null
  timestamps_fwd: boolean | null
  timestamps_rev: boolean | null
  /** Octets delivered in order. */
  stream_len_fwd: number
  stream_len_rev: number
  /** SHA-256 of those octets, hexadecimal; only where asked for. */
  stream_sha256_fwd?: string
  stream_sha256_rev?: string
  /** Octets that are missing for good, as `[offset, length]`. */
  gaps_fwd: Gap[]
  gaps_rev: Gap[]
  /** Octets in gaps. */
  gap_bytes_fwd: number
  gap_bytes_rev: number
  /** Octets of segments that brought nothing new. */
  retransmitted_bytes_fwd: number
  retransmitted_bytes_rev: number
  /** Segments that came before an octet in front of them. */
  out_of_order_fwd: number
  out_of_order_rev: number
  /** Octets seen before, in segments that also brought new ones. */
  overlap_bytes_fwd: number
  overlap_bytes_rev: number
  /** Octets that came again with another value. */
  conflict_bytes_fwd: number
  conflict_bytes_rev: number
}

/** Makes an identity or a record from a row. */
export type RowReader<T> = (row: number) => T

/** Shared by the many records that have none. */
const NO_GAPS = Object.freeze<Gap[]>([]) as Gap[]

/** A reader of identities, from the table of connections that begin; `captures` names the captures of several. */
export function bindIdentity(view: BatchView, captures: readonly string[] | null): RowReader<ConnectionIdentity> {
  const write = bindIdentityColumns(view, captures)
  return row => {
    const identity = new IdentityRow()
    write(row, identity)
    return identity
  }
}

function bindIdentityColumns(view: BatchView, captures: readonly string[] | null) {
  const [id, capture, firstPacket] = [view.numbers('connection_id'), view.numbers('capture'), view.numbers('first_packet')]
  const [first, version] = [view.bigints('first_ns'), view.numbers('ip_version')]
  const [clientAddr, serverAddr] = [view.addresses('client_addr'), view.addresses('server_addr')]
  const [clientPort, serverPort] = [view.numbers('client_port'), view.numbers('server_port')]
  return (row: number, record: ConnectionIdentity): void => {
    if (captures !== null) record.capture = captures[capture[row]!]!
    record.connection_id = whole(id[row]!)
    record.first_packet = whole(firstPacket[row]!)
    record.first_ns = first[row]!
    record.ip_version = version[row]!
    record.client_addr = formatAddress(clientAddr, row * 16, version[row]!)
    record.client_port = clientPort[row]!
    record.server_addr = formatAddress(serverAddr, row * 16, version[row]!)
    record.server_port = serverPort[row]!
  }
}

/** What the table of connections that end has beside columns of records; those of the analysis stand behind the last. */
const BESIDE = new Set(['capture', 'gaps_at', 'gap_count_fwd', 'gap_count_rev', 'sha256_at', 'analysis_noted'])

/** The names of a record's columns, in order, but for those that not all records have; from the table's layout. */
export function recordNames({ columns }: Layout): readonly string[] {
  return columns.flatMap(({ name }) => {
    if (BESIDE.has(name)) return []
    return name === 'stream_len_rev' ? [name, 'gaps_fwd', 'gaps_rev'] : [name]
  })
}

/** How records are made of the table's rows. */
function recordPlan(layout: Layout, captures: readonly string[] | null): RowPlan {
  const analysis = layout.columns.findIndex(({ name }) => name === 'analysis_noted')
  const analysed = new Set(analysis < 0 ? [] : layout.columns.slice(analysis + 1).map(({ name }) => name))
  const names = recordNames(layout)
  const columns = names.filter(name => !analysed.has(name))
  const last = captures === null ? [] : ['capture']
  const shared = { gaps_fwd: NO_GAPS, gaps_rev: NO_GAPS }
  if (analysis < 0) return { name: 'ConnectionRow', base: ConnectionRow, columns: [...columns, ...last], shared }
  const parts = analysisParts([...names.filter(name => analysed.has(name)), ...last])
  return { name: 'AnalysedRow', base: ConnectionRow, columns, parts, noted: 'analysis_noted', shared }
}

/** A reader of records, from the table of connections that end and what lies in the block. */
export function bindRecord(
  view: BatchView,
  block: Uint8Array,
  captures: readonly string[] | null,
): RowReader<ConnectionRecord> {
  const arrays = new RowArrays(view, captures)
  // Made when it is first needed: not all who walk events want records.
  let make: MakeRow<ConnectionRecord> = (from, row) => {
    make = rowMaker(view.layout, recordPlan(view.layout, captures))
    return make(from, row)
  }
  const [at, countFwd, countRev] = [view.numbers('gaps_at'), view.numbers('gap_count_fwd'), view.numbers('gap_count_rev')]
  const [sha256, hashed] = [view.numbers('sha256_at'), view.flags('sha256_at')]
  return row => {
    const record = make(arrays, row)
    const [fwd, rev] = [countFwd[row]!, countRev[row]!]
    if (fwd > 0) record.gaps_fwd = readGaps(block, at[row]!, fwd)
    if (rev > 0) record.gaps_rev = readGaps(block, at[row]! + fwd * 16, rev)
    if (hashed[row] === 1) {
      const digests = sha256[row]!
      record.stream_sha256_fwd = hex(block, digests, digests + 32)
      record.stream_sha256_rev = hex(block, digests + 32, digests + 64)
    }
    return record
  }
}

function readGaps(block: Uint8Array, at: number, count: number): Gap[] {
  const pairs = new Float64Array(block.buffer, block.byteOffset + at, count * 2)
  return Array.from({ length: count }, (_, i) => [pairs[i * 2]!, pairs[i * 2 + 1]!])
}

/** Identity columns in order, with nothing in them yet. */
class IdentityRow implements ConnectionIdentity {
  connection_id = 0
  first_packet = 0
  first_ns = 0n
  ip_version = 0
  client_addr = ''
  client_port = 0
  server_addr = ''
  server_port = 0
  declare capture?: string
}

/** What a record has beside its columns; the classes of records extend it. */
export class ConnectionRow {
  /** What each side sent: no column, and seen from `connections` only. */
  #contents: Contents | undefined

  /** The record is complete, and this is what was kept. */
  static keep(record: ConnectionRecord & ConnectionRow, contents: Contents): void {
    contents[0].end(record)
    contents[1].end(record)
    record.#contents = contents
  }

  get client(): StreamContent {
    return this.#sides()[0]
  }

  get server(): StreamContent {
    return this.#sides()[1]
  }

  #sides(): Contents {
    if (this.#contents === undefined) ConnectionRow.keep(this as this & ConnectionRecord, noContents())
    return this.#contents!
  }
}

recordClass(IdentityRow)
recordClass(ConnectionRow)
