/** The connection record: its columns, and how a row is written. Mirrors `core::connection::record`. */
import type { BatchView, NumberArray } from '../../batch/view.js'
import type { Column } from '../batch.js'
import { portOf, versionOf, writeAddress } from '../flow/endpoints.js'
import { TimeWriter } from '../time.js'
import type { WordTable } from '../word-table.js'
import type { Connection, Side } from './observed.js'
import { END_REASON_NAMES, STATE_NAMES } from './state.js'
import { ABSENT } from './syn.js'

type Kind = Column['kind']

/** A column for each direction, side by side. */
const pair = (name: string, kind: Kind, nullable = false): readonly Column[] => [
  { name: `${name}_fwd`, kind, nullable },
  { name: `${name}_rev`, kind, nullable },
]

/** What stands fast from a connection's first segment on. */
export const IDENTITY: readonly Column[] = [
  { name: 'connection_id', kind: 'u64' },
  { name: 'capture', kind: 'u32' },
  { name: 'first_packet', kind: 'u64' },
  { name: 'first_ns', kind: 'i64' },
  { name: 'ip_version', kind: 'u8' },
  { name: 'client_addr', kind: 'addr' },
  { name: 'client_port', kind: 'u16' },
  { name: 'server_addr', kind: 'addr' },
  { name: 'server_port', kind: 'u16' },
]

/** `stream_sha256_*` and the list of gaps travel apart. */
export const COLUMNS: readonly Column[] = [
  ...IDENTITY.slice(0, 4),
  { name: 'last_ns', kind: 'i64' },
  ...IDENTITY.slice(4),
  { name: 'state', kind: 'word', words: STATE_NAMES },
  { name: 'end_reason', kind: 'word', words: END_REASON_NAMES },
  ...pair('packets', 'u64'),
  ...pair('payload_bytes', 'u64'),
  ...pair('syn_flags', 'u8', true),
  ...pair('fin', 'bool'),
  ...pair('rst', 'bool'),
  { name: 'connected', kind: 'bool' },
  ...pair('isn', 'u32', true),
  ...pair('mss', 'u16', true),
  ...pair('window_scale', 'u8', true),
  ...pair('sack_permitted', 'bool', true),
  ...pair('timestamps', 'bool', true),
  ...pair('stream_len', 'u64'),
  ...pair('gap_bytes', 'u64'),
  ...pair('retransmitted_bytes', 'u64'),
  ...pair('out_of_order', 'u32'),
  ...pair('overlap_bytes', 'u64'),
  ...pair('conflict_bytes', 'u64'),
]

/** Columns of who a connection is, in one batch. */
export class IdentityTable {
  readonly #id: NumberArray
  readonly #capture: NumberArray
  readonly #firstPacket: NumberArray
  readonly #first: TimeWriter
  readonly #version: NumberArray
  readonly #clientAddr: Uint8Array
  readonly #clientPort: NumberArray
  readonly #serverAddr: Uint8Array
  readonly #serverPort: NumberArray

  constructor(view: BatchView, maxRows: number) {
    this.#id = view.numbers('connection_id')
    this.#capture = view.numbers('capture')
    this.#firstPacket = view.numbers('first_packet')
    this.#first = new TimeWriter(view.bytes.buffer, view.place('first_ns').values, maxRows)
    this.#version = view.numbers('ip_version')
    this.#clientAddr = view.addresses('client_addr')
    this.#clientPort = view.numbers('client_port')
    this.#serverAddr = view.addresses('server_addr')
    this.#serverPort = view.numbers('server_port')
  }

  /** Writes a row; the addresses and ports are those of the connection's key. */
  write(row: number, connection: Connection, keys: WordTable): void {
    const { slot, clientIsFirst } = connection
    this.#id[row] = connection.id
    this.#capture[row] = connection.capture
    this.#firstPacket[row] = connection.firstPacket
    this.#first.write(row, connection.firstSecond, connection.firstNanosecond)
    this.#version[row] = versionOf(keys, slot)
    writeAddress(keys, slot, clientIsFirst, this.#clientAddr, row * 16)
    this.#clientPort[row] = portOf(keys, slot, clientIsFirst)
    writeAddress(keys, slot, !clientIsFirst, this.#serverAddr, row * 16)
    this.#serverPort[row] = portOf(keys, slot, !clientIsFirst)
  }
}

/** Columns of the rest, in one batch. */
export class OutcomeTable {
  readonly #last: TimeWriter
  readonly #state: NumberArray
  readonly #reason: NumberArray
  readonly #connected: NumberArray
  readonly #fwd: SideColumns
  readonly #rev: SideColumns

  constructor(view: BatchView, maxRows: number) {
    this.#last = new TimeWriter(view.bytes.buffer, view.place('last_ns').values, maxRows)
    this.#state = view.numbers('state')
    this.#reason = view.numbers('end_reason')
    this.#connected = view.numbers('connected')
    this.#fwd = new SideColumns(view, 'fwd')
    this.#rev = new SideColumns(view, 'rev')
  }

  /** Writes a row. */
  write(row: number, connection: Connection, reason: number): void {
    this.#last.write(row, connection.lastSecond, connection.lastNanosecond)
    this.#state[row] = connection.state
    this.#reason[row] = reason
    this.#connected[row] = Number(connection.connected)
    this.#fwd.write(row, connection.fwd)
    this.#rev.write(row, connection.rev)
  }
}

/** A nullable column. */
export class Nullable {
  readonly #values: NumberArray
  readonly #flags: Uint8Array

  constructor(view: BatchView, name: string) {
    this.#values = view.numbers(name)
    this.#flags = view.flags(name)
  }

  /** Writes a value, or that it is missing: {@link ABSENT}. */
  write(row: number, value: number): void {
    this.#flags[row] = value === ABSENT ? 0 : 1
    if (value !== ABSENT) this.#values[row] = value
  }
}

/** The columns of one direction. */
class SideColumns {
  readonly #packets: NumberArray
  readonly #payload: NumberArray
  readonly #fin: NumberArray
  readonly #rst: NumberArray
  readonly #synFlags: Nullable
  readonly #isn: Nullable
  readonly #mss: Nullable
  readonly #windowScale: Nullable
  readonly #sackPermitted: Nullable
  readonly #timestamps: Nullable
  readonly #streamLen: NumberArray
  readonly #gapBytes: NumberArray
  readonly #retransmitted: NumberArray
  readonly #outOfOrder: NumberArray
  readonly #overlap: NumberArray
  readonly #conflict: NumberArray

  constructor(view: BatchView, way: 'fwd' | 'rev') {
    const numbers = (name: string) => view.numbers(`${name}_${way}`)
    const nullable = (name: string) => new Nullable(view, `${name}_${way}`)
    this.#packets = numbers('packets')
    this.#payload = numbers('payload_bytes')
    this.#fin = numbers('fin')
    this.#rst = numbers('rst')
    this.#synFlags = nullable('syn_flags')
    this.#isn = nullable('isn')
    this.#mss = nullable('mss')
    this.#windowScale = nullable('window_scale')
    this.#sackPermitted = nullable('sack_permitted')
    this.#timestamps = nullable('timestamps')
    this.#streamLen = numbers('stream_len')
    this.#gapBytes = numbers('gap_bytes')
    this.#retransmitted = numbers('retransmitted_bytes')
    this.#outOfOrder = numbers('out_of_order')
    this.#overlap = numbers('overlap_bytes')
    this.#conflict = numbers('conflict_bytes')
  }

  write(row: number, side: Side): void {
    const { syn, stream } = side
    this.#packets[row] = side.packets
    this.#payload[row] = side.payload
    this.#fin[row] = Number(side.fin)
    this.#rst[row] = Number(side.rst)
    this.#synFlags.write(row, syn.isSeen ? syn.flags : ABSENT)
    this.#isn.write(row, syn.isSeen ? syn.isn >>> 0 : ABSENT)
    this.#mss.write(row, syn.mss)
    this.#windowScale.write(row, syn.windowScale)
    this.#sackPermitted.write(row, syn.isSeen ? Number(syn.sackPermitted) : ABSENT)
    this.#timestamps.write(row, syn.isSeen ? Number(syn.timestamps) : ABSENT)
    this.#streamLen[row] = stream.delivered
    this.#gapBytes[row] = stream.gapBytes
    this.#retransmitted[row] = stream.retransmittedBytes
    this.#outOfOrder[row] = stream.outOfOrder
    this.#overlap[row] = stream.overlapBytes
    this.#conflict[row] = stream.conflictBytes
  }
}
