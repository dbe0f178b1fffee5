/** The connection record: one per TCP connection, with the same names in every format. */
import { formatAddress } from './address.js'
import type { BatchView, NumberArray } from './batch/view.js'
import { recordPrototype } from './record.js'

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
 * What is known of a TCP connection. `fwd` = from the client: the sender of the SYN; where none was seen, of the first
 * segment. What was never seen is null.
 */
export interface ConnectionRecord {
  /** Serial number in order of first segments, from 0. */
  connection_id: number
  /** Name of the capture with the first segment; only where several are read. */
  capture?: string
  /** Number of the first segment's packet in its capture, from 1. */
  first_packet: number
  /** Time of the first segment, nanoseconds since the Unix epoch. */
  first_ns: bigint
  /** Time of the latest segment. */
  last_ns: bigint
  /** 4 or 6. */
  ip_version: number
  /** The client's address (RFC 5952 text). */
  client_addr: string
  client_port: number
  /** The server's address. */
  server_addr: string
  server_port: number
  /** How far it came. */
  state: ConnectionState
  /** Why it ended; null while it is open. */
  end_reason: ConnectionEndReason | null
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

/** Makes a record from a row. */
export type ConnectionReader = (row: number) => ConnectionRecord

type Nullable = readonly [values: NumberArray, flags: Uint8Array]

const optional = ([values, flags]: Nullable, row: number): number | null => (flags[row] === 1 ? values[row]! : null)
const optionalFlag = ([values, flags]: Nullable, row: number): boolean | null =>
  flags[row] === 1 ? values[row] === 1 : null

/** A reader of a table of connections; `captures` names the captures where there are several. */
export function bindConnection(view: BatchView, captures: readonly string[] | null): ConnectionReader {
  const number = (name: string) => [view.numbers(`${name}_fwd`), view.numbers(`${name}_rev`)] as const
  const nullable = (name: string): readonly [Nullable, Nullable] => [
    [view.numbers(`${name}_fwd`), view.flags(`${name}_fwd`)],
    [view.numbers(`${name}_rev`), view.flags(`${name}_rev`)],
  ]
  const [id, capture, firstPacket] = [view.numbers('connection_id'), view.numbers('capture'), view.numbers('first_packet')]
  const [first, last] = [view.bigints('first_ns'), view.bigints('last_ns')]
  const version = view.numbers('ip_version')
  const [clientAddr, serverAddr] = [view.addresses('client_addr'), view.addresses('server_addr')]
  const [clientPort, serverPort] = [view.numbers('client_port'), view.numbers('server_port')]
  const [state, states] = [view.numbers('state'), view.words('state') as readonly ConnectionState[]]
  const [packets, payload] = [number('packets'), number('payload_bytes')]
  const [syn, isn, mss, scale] = [nullable('syn_flags'), nullable('isn'), nullable('mss'), nullable('window_scale')]
  const [fin, rst, connected] = [number('fin'), number('rst'), view.numbers('connected')]
  const [sack, timestamps] = [nullable('sack_permitted'), nullable('timestamps')]
  const [streamLen, gapBytes] = [number('stream_len'), number('gap_bytes')]
  const [retransmitted, outOfOrder] = [number('retransmitted_bytes'), number('out_of_order')]
  const [overlap, conflict] = [number('overlap_bytes'), number('conflict_bytes')]
  return row => {
    const record: ConnectionRecord = {
      // @ts-expect-error TypeScript has no word for a literal's prototype
      __proto__: recordPrototype,
      connection_id: id[row]!,
      ...(captures === null ? {} : { capture: captures[capture[row]!]! }),
      first_packet: firstPacket[row]!,
      first_ns: first[row]!,
      last_ns: last[row]!,
      ip_version: version[row]!,
      client_addr: formatAddress(clientAddr, row * 16, version[row]!),
      client_port: clientPort[row]!,
      server_addr: formatAddress(serverAddr, row * 16, version[row]!),
      server_port: serverPort[row]!,
      state: states[state[row]!]!,
      end_reason: null,
      packets_fwd: packets[0][row]!,
      packets_rev: packets[1][row]!,
      payload_bytes_fwd: payload[0][row]!,
      payload_bytes_rev: payload[1][row]!,
      syn_flags_fwd: optional(syn[0], row),
      syn_flags_rev: optional(syn[1], row),
      fin_fwd: fin[0][row] === 1,
      fin_rev: fin[1][row] === 1,
      rst_fwd: rst[0][row] === 1,
      rst_rev: rst[1][row] === 1,
      connected: connected[row] === 1,
      isn_fwd: optional(isn[0], row),
      isn_rev: optional(isn[1], row),
      mss_fwd: optional(mss[0], row),
      mss_rev: optional(mss[1], row),
      window_scale_fwd: optional(scale[0], row),
      window_scale_rev: optional(scale[1], row),
      sack_permitted_fwd: optionalFlag(sack[0], row),
      sack_permitted_rev: optionalFlag(sack[1], row),
      timestamps_fwd: optionalFlag(timestamps[0], row),
      timestamps_rev: optionalFlag(timestamps[1], row),
      stream_len_fwd: streamLen[0][row]!,
      stream_len_rev: streamLen[1][row]!,
      gaps_fwd: [],
      gaps_rev: [],
      gap_bytes_fwd: gapBytes[0][row]!,
      gap_bytes_rev: gapBytes[1][row]!,
      retransmitted_bytes_fwd: retransmitted[0][row]!,
      retransmitted_bytes_rev: retransmitted[1][row]!,
      out_of_order_fwd: outOfOrder[0][row]!,
      out_of_order_rev: outOfOrder[1][row]!,
      overlap_bytes_fwd: overlap[0][row]!,
      overlap_bytes_rev: overlap[1][row]!,
      conflict_bytes_fwd: conflict[0][row]!,
      conflict_bytes_rev: conflict[1][row]!,
    }
    return record
  }
}

/** A reader of the table of ended connections, with what lies in the side buffer. */
export function bindClosed(view: BatchView, side: Uint8Array, captures: readonly string[] | null): ConnectionReader {
  const read = bindConnection(view, captures)
  const [reason, reasons] = [view.numbers('end_reason'), view.words('end_reason') as readonly ConnectionEndReason[]]
  const [at, countFwd, countRev] = [view.numbers('gaps_at'), view.numbers('gap_count_fwd'), view.numbers('gap_count_rev')]
  const sha256: Nullable = [view.numbers('sha256_at'), view.flags('sha256_at')]
  return row => {
    const record = read(row)
    record.end_reason = reasons[reason[row]!]!
    const [fwd, rev] = [countFwd[row]!, countRev[row]!]
    if (fwd > 0) record.gaps_fwd = readGaps(side, at[row]!, fwd)
    if (rev > 0) record.gaps_rev = readGaps(side, at[row]! + fwd * 16, rev)
    const digests = optional(sha256, row)
    if (digests !== null) {
      record.stream_sha256_fwd = hex(side, digests)
      record.stream_sha256_rev = hex(side, digests + 32)
    }
    return record
  }
}

function readGaps(side: Uint8Array, at: number, count: number): Gap[] {
  const pairs = new Float64Array(side.buffer, side.byteOffset + at, count * 2)
  return Array.from({ length: count }, (_, i) => [pairs[i * 2]!, pairs[i * 2 + 1]!])
}

function hex(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, 32).toString('hex')
}
