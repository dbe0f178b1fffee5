/** One connection of any length as rows behind a shuffle: made as they are asked for, so it takes no memory. */
import { createHash } from 'node:crypto'
import { tcpFrame } from './frames.js'
import type { PartitionRow } from './partitions.js'

const [FIN, SYN, ACK] = [1, 2, 16]
const ports: [number, number] = [6000, 80]
const back: [number, number] = [80, 6000]
const [CLIENT, SERVER] = [4_294_000_000, 77]
const START = 1_700_000_000_000_000_000n

/** Octets of payload in a segment. */
export const SEGMENT = 1400

/** Where a frame has its sequence number, what it acknowledges, and its payload. */
const [SEQ, ACKNOWLEDGED, PAYLOAD] = [38, 42, 54]

/** A connection whose client sends `segments` full segments; every second one is acknowledged. Sequence numbers wrap. */
export class Elephant {
  readonly segments: number
  /** Rows that were given. */
  packets = 0
  readonly #digest = createHash('sha256')

  constructor(segments: number) {
    this.segments = segments
  }

  /** The client's octets, digested while rows are given. */
  get sha256(): string {
    return this.#digest.copy().digest('hex')
  }

  /** Rows in order; `headers` leaves payloads out, as map does for flows. */
  *rows(headers: boolean): Generator<PartitionRow> {
    yield this.#row(tcpFrame({ ports, seq: CLIENT, flags: SYN }))
    yield this.#row(tcpFrame({ ports: back, reversed: true, seq: SERVER, ack: CLIENT + 1, flags: SYN | ACK }))
    const template = tcpFrame({ ports, ack: SERVER + 1, flags: ACK, payload: Uint8Array.from({ length: SEGMENT }, (_, at) => at * 31) })
    const answer = tcpFrame({ ports: back, reversed: true, seq: SERVER + 1, flags: ACK })
    for (let i = 0; i < this.segments; i++) {
      yield this.#row(this.#segment(template, i), headers ? PAYLOAD : template.length)
      if (i % 2 === 1) yield this.#row(this.#acknowledging(answer, i + 1))
    }
    yield this.#row(tcpFrame({ ports, seq: this.#seq(this.segments), ack: SERVER + 1, flags: FIN | ACK }))
    yield this.#row(tcpFrame({ ports: back, reversed: true, seq: SERVER + 1, ack: this.#seq(this.segments) + 1, flags: FIN | ACK }))
    yield this.#row(tcpFrame({ ports, seq: this.#seq(this.segments) + 1, ack: SERVER + 2, flags: ACK }))
  }

  #seq(segment: number): number {
    return (CLIENT + 1 + segment * SEGMENT) % 2 ** 32
  }

  #segment(template: Uint8Array, i: number): Uint8Array {
    const frame = template.slice()
    const view = new DataView(frame.buffer)
    view.setUint32(SEQ, this.#seq(i))
    view.setUint32(PAYLOAD, i)
    this.#digest.update(frame.subarray(PAYLOAD))
    return frame
  }

  #acknowledging(template: Uint8Array, segments: number): Uint8Array {
    const frame = template.slice()
    new DataView(frame.buffer).setUint32(ACKNOWLEDGED, this.#seq(segments))
    return frame
  }

  #row(frame: Uint8Array, kept = frame.length): PartitionRow {
    this.packets += 1
    const time = START + 1_000_000n * BigInt(this.packets)
    const packet = BigInt(this.packets)
    return { key: 1n, order_ns: time, time_ns: time, packet, capture: 0, link: 1, wire_len: frame.length, bytes: frame.subarray(0, kept) }
  }
}
