/** The connection record: one per TCP connection, with the same names in every format. */
import { formatAddress } from './address.js'
import { whole, type BatchView, type NumberArray } from './batch/view.js'
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

type Nullable = readonly [values: NumberArray, flags: Uint8Array]

const optional = ([values, flags]: Nullable, row: number): number | null => (flags[row] === 1 ? values[row]! : null)
const optionalFlag = ([values, flags]: Nullable, row: number): boolean | null =>
  flags[row] === 1 ? values[row] === 1 : null

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

/** A reader of records, from the table of connections that end and what lies in the block. */
export function bindRecord(
  view: BatchView,
  block: Uint8Array,
  captures: readonly string[] | null,
  Row: new () => ConnectionRow = ConnectionRow,
): RowReader<ConnectionRecord> {
  const writeIdentity = bindIdentityColumns(view, captures)
  const number = (name: string) => [view.numbers(`${name}_fwd`), view.numbers(`${name}_rev`)] as const
  const nullable = (name: string): readonly [Nullable, Nullable] => [
    [view.numbers(`${name}_fwd`), view.flags(`${name}_fwd`)],
    [view.numbers(`${name}_rev`), view.flags(`${name}_rev`)],
  ]
  const last = view.bigints('last_ns')
  const [state, states] = [view.numbers('state'), view.words('state') as readonly ConnectionState[]]
  const [packets, payload] = [number('packets'), number('payload_bytes')]
  const [syn, isn, mss, scale] = [nullable('syn_flags'), nullable('isn'), nullable('mss'), nullable('window_scale')]
  const [fin, rst, connected] = [number('fin'), number('rst'), view.numbers('connected')]
  const [sack, timestamps] = [nullable('sack_permitted'), nullable('timestamps')]
  const [streamLen, gapBytes] = [number('stream_len'), number('gap_bytes')]
  const [retransmitted, outOfOrder] = [number('retransmitted_bytes'), number('out_of_order')]
  const [overlap, conflict] = [number('overlap_bytes'), number('conflict_bytes')]
  const [reason, reasons] = [view.numbers('end_reason'), view.words('end_reason') as readonly ConnectionEndReason[]]
  const [at, countFwd, countRev] = [view.numbers('gaps_at'), view.numbers('gap_count_fwd'), view.numbers('gap_count_rev')]
  const sha256: Nullable = [view.numbers('sha256_at'), view.flags('sha256_at')]
  return row => {
    const record = new Row()
    writeIdentity(row, record)
    record.last_ns = last[row]!
    record.state = states[state[row]!]!
    record.packets_fwd = whole(packets[0][row]!)
    record.packets_rev = whole(packets[1][row]!)
    record.payload_bytes_fwd = whole(payload[0][row]!)
    record.payload_bytes_rev = whole(payload[1][row]!)
    record.syn_flags_fwd = optional(syn[0], row)
    record.syn_flags_rev = optional(syn[1], row)
    record.fin_fwd = fin[0][row] === 1
    record.fin_rev = fin[1][row] === 1
    record.rst_fwd = rst[0][row] === 1
    record.rst_rev = rst[1][row] === 1
    record.connected = connected[row] === 1
    record.isn_fwd = optional(isn[0], row)
    record.isn_rev = optional(isn[1], row)
    record.mss_fwd = optional(mss[0], row)
    record.mss_rev = optional(mss[1], row)
    record.window_scale_fwd = optional(scale[0], row)
    record.window_scale_rev = optional(scale[1], row)
    record.sack_permitted_fwd = optionalFlag(sack[0], row)
    record.sack_permitted_rev = optionalFlag(sack[1], row)
    record.timestamps_fwd = optionalFlag(timestamps[0], row)
    record.timestamps_rev = optionalFlag(timestamps[1], row)
    record.stream_len_fwd = whole(streamLen[0][row]!)
    record.stream_len_rev = whole(streamLen[1][row]!)
    record.gap_bytes_fwd = whole(gapBytes[0][row]!)
    record.gap_bytes_rev = whole(gapBytes[1][row]!)
    record.retransmitted_bytes_fwd = whole(retransmitted[0][row]!)
    record.retransmitted_bytes_rev = whole(retransmitted[1][row]!)
    record.out_of_order_fwd = whole(outOfOrder[0][row]!)
    record.out_of_order_rev = whole(outOfOrder[1][row]!)
    record.overlap_bytes_fwd = whole(overlap[0][row]!)
    record.overlap_bytes_rev = whole(overlap[1][row]!)
    record.conflict_bytes_fwd = whole(conflict[0][row]!)
    record.conflict_bytes_rev = whole(conflict[1][row]!)
    record.end_reason = reasons[reason[row]!]!
    const [fwd, rev] = [countFwd[row]!, countRev[row]!]
    if (fwd > 0) record.gaps_fwd = readGaps(block, at[row]!, fwd)
    if (rev > 0) record.gaps_rev = readGaps(block, at[row]! + fwd * 16, rev)
    const digests = optional(sha256, row)
    if (digests !== null) {
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

/** Record columns in order, with nothing in them yet. */
export class ConnectionRow implements ConnectionRecord {
  /** What each side sent: no column, and seen from `connections` only. */
  #contents: Contents | undefined
  connection_id = 0
  first_packet = 0
  first_ns = 0n
  last_ns = 0n
  ip_version = 0
  client_addr = ''
  client_port = 0
  server_addr = ''
  server_port = 0
  state: ConnectionState = 'midstream'
  end_reason: ConnectionEndReason = 'eof'
  packets_fwd = 0
  packets_rev = 0
  payload_bytes_fwd = 0
  payload_bytes_rev = 0
  syn_flags_fwd: number | null = null
  syn_flags_rev: number | null = null
  fin_fwd = false
  fin_rev = false
  rst_fwd = false
  rst_rev = false
  connected = false
  isn_fwd: number | null = null
  isn_rev: number | null = null
  mss_fwd: number | null = null
  mss_rev: number | null = null
  window_scale_fwd: number | null = null
  window_scale_rev: number | null = null
  sack_permitted_fwd: boolean | null = null
  sack_permitted_rev: boolean | null = null
  timestamps_fwd: boolean | null = null
  timestamps_rev: boolean | null = null
  stream_len_fwd = 0
  stream_len_rev = 0
  gaps_fwd: Gap[] = NO_GAPS
  gaps_rev: Gap[] = NO_GAPS
  gap_bytes_fwd = 0
  gap_bytes_rev = 0
  retransmitted_bytes_fwd = 0
  retransmitted_bytes_rev = 0
  out_of_order_fwd = 0
  out_of_order_rev = 0
  overlap_bytes_fwd = 0
  overlap_bytes_rev = 0
  conflict_bytes_fwd = 0
  conflict_bytes_rev = 0
  declare capture?: string
  declare stream_sha256_fwd?: string
  declare stream_sha256_rev?: string

  /** The record is complete, and this is what was kept. */
  static keep(record: ConnectionRow, contents: Contents): void {
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
    if (this.#contents === undefined) ConnectionRow.keep(this, noContents())
    return this.#contents!
  }
}

recordClass(IdentityRow)
recordClass(ConnectionRow)
