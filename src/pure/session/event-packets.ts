/** What the headers of packets say, as rows beside the events. Mirrors `PacketRow` in `core::session::events`. */
import type { BatchView, NumberArray } from '../../batch/view.js'
import type { Column } from '../batch.js'
import type { Packet } from '../capture/packet.js'
import { STATE_NAMES } from '../connection/state.js'
import type { Segment } from '../decode/segment.js'

/** What a packet's row says. Of a fragment, only times, lengths, `link_type` and `datagram` count. */
export const PACKETS: readonly Column[] = [
  // Time: whole seconds since the Unix epoch, rounded down, and nanoseconds after them.
  { name: 'second', kind: 'f64' },
  { name: 'nanosecond', kind: 'u32' },
  { name: 'wire_len', kind: 'u32' },
  { name: 'link_type', kind: 'u16' },
  { name: 'seq', kind: 'u32' },
  { name: 'ack', kind: 'u32' },
  { name: 'flags', kind: 'u16' },
  // Octets on the wire.
  { name: 'payload_len', kind: 'u32' },
  // The connection's, after this segment.
  { name: 'state', kind: 'word', words: STATE_NAMES },
  // Number of the fragmented datagram that the packet is part of, or completes; 0: of none.
  { name: 'datagram', kind: 'u64' },
]

/** One row. The object is filled again for each packet. */
export class PacketRow {
  second = 0
  nanosecond = 0
  wireLength = 0
  linkType = 0
  seq = 0
  ack = 0
  flags = 0
  payloadLength = 0
  state = 0
  datagram = 0

  /** A segment, and its connection's state after it; null: a fragment of a datagram that isn't whole. */
  fill(packet: Packet, segment: Segment | null, state: number, datagram: number): this {
    this.second = packet.second
    this.nanosecond = packet.nanosecond
    this.wireLength = packet.wireLen
    this.linkType = packet.link
    this.seq = segment?.seq ?? 0
    this.ack = segment?.ack ?? 0
    this.flags = segment?.flags ?? 0
    this.payloadLength = segment?.payloadLen ?? 0
    this.state = state
    this.datagram = datagram
    return this
  }
}

/** The columns of one batch. */
export class PacketTables {
  readonly #second: NumberArray
  readonly #nanosecond: NumberArray
  readonly #wireLength: NumberArray
  readonly #linkType: NumberArray
  readonly #seq: NumberArray
  readonly #ack: NumberArray
  readonly #flags: NumberArray
  readonly #payloadLength: NumberArray
  readonly #state: NumberArray
  readonly #datagram: NumberArray

  constructor(view: BatchView) {
    this.#second = view.numbers('second')
    this.#nanosecond = view.numbers('nanosecond')
    this.#wireLength = view.numbers('wire_len')
    this.#linkType = view.numbers('link_type')
    this.#seq = view.numbers('seq')
    this.#ack = view.numbers('ack')
    this.#flags = view.numbers('flags')
    this.#payloadLength = view.numbers('payload_len')
    this.#state = view.numbers('state')
    this.#datagram = view.numbers('datagram')
  }

  /** Writes a row. */
  write(at: number, row: PacketRow): void {
    this.#second[at] = row.second
    this.#nanosecond[at] = row.nanosecond
    this.#wireLength[at] = row.wireLength
    this.#linkType[at] = row.linkType
    this.#seq[at] = row.seq
    this.#ack[at] = row.ack
    this.#flags[at] = row.flags
    this.#payloadLength[at] = row.payloadLength
    this.#state[at] = row.state
    this.#datagram[at] = row.datagram
  }
}
