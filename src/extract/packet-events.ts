/**
 * Drives a stream engine that gives packets too, and walks its rows: in come captures, out go calls of a handler, one
 * packet after another, each followed by what it brought.
 */
import type { ConnectionEndReason, ConnectionIdentity } from '../connection.js'
import type { CaptureInfo } from '../capture-info.js'
import type { Engine } from '../engine.js'
import { Drive, EVENT_SLOTS, makeSlots, type DriveOptions, type Filled } from '../iterate.js'
import type { StreamStats } from '../stream-events.js'
import {
  eventSlot,
  openedColumns,
  packetColumns,
  parseEventLayouts,
  type EventSlot,
  type OpenedColumns,
  type PacketTable,
} from '../stream-slot.js'
import type { PacketFacts } from './packet-log.js'

/** A connection that began; valid for the call. */
export interface OpenedConnection {
  readonly id: number
  /** Number of the capture, from 0. */
  readonly capture: number
  readonly version: number
  readonly clientPort: number
  readonly serverPort: number
  /** Copies the addresses, 16 octets each, the client's first. */
  copyAddresses(to: Uint8Array, at: number): void
  /** The same as a record. */
  identity(): ConnectionIdentity
}

/** Takes what happens. `slot` names a connection while it is known; octets are views, valid for the call. */
export interface PacketHandler {
  /** Nothing more should come for now. */
  readonly isFull: boolean
  open(slot: number, connection: OpenedConnection): void
  /** A segment; its frame is `length` octets of `block` from `from` on. `reset`: the connection is in state reset. */
  packet(slot: number, facts: PacketFacts, reset: boolean, datagram: number, block: Uint8Array, from: number, length: number): void
  /** A fragment of a datagram that isn't whole. */
  fragment(datagram: number, facts: PacketFacts, frame: Uint8Array): void
  /** `length` octets in stream order; they themselves only where the engine was asked for them. */
  data(slot: number, way: 0 | 1, length: number, octets: Uint8Array): void
  gap(slot: number, way: 0 | 1, offset: number, length: number): void
  close(slot: number, reason: ConnectionEndReason): void
}

const NO_OCTETS = new Uint8Array(0)

/** A batch with the packets of its events. */
interface PacketEventSlot extends EventSlot {
  readonly packets: PacketTable
  readonly opened: OpenedColumns
}

/** One run of an engine. */
export class PacketEvents {
  readonly #drive: Drive<PacketEventSlot>
  readonly #batches: AsyncGenerator<Filled<PacketEventSlot>, undefined>
  readonly #kinds: Record<string, number>
  readonly #bare: boolean
  readonly #facts = new Facts()
  readonly #fragmentFacts = new Facts()
  #slot: PacketEventSlot
  #row = 0
  #rows = 0
  #opens = 0
  #closes = 0
  #packets = 0

  /** @param bare the engine gives no octets of streams */
  constructor(engine: Engine, bare: boolean, captures: readonly string[] | null, options: DriveOptions) {
    this.#bare = bare
    const layouts = parseEventLayouts(engine.layout())
    const make = (): PacketEventSlot => {
      const slot = eventSlot(layouts, captures, engine.blockLength())
      return { ...slot, packets: packetColumns(layouts, slot), opened: openedColumns(slot) }
    }
    const slots = makeSlots(engine, EVENT_SLOTS, make)
    this.#slot = slots[0]
    this.#kinds = Object.fromEntries(slots[0].columns.words.map((word, number) => [word, number]))
    this.#drive = new Drive(engine, options)
    this.#batches = this.#drive.batches(slots)
  }

  /** Counters as they stood when the latest batch was filled. */
  get stats(): StreamStats {
    return this.#slot.view.stats() as unknown as StreamStats
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return this.#drive.captures
  }

  /** Waits for a batch; false at the end. */
  async pull(): Promise<boolean> {
    const { done, value } = await this.#batches.next()
    if (done === true) return false
    this.#slot = value.slot
    this.#rows = value.rows
    this.#row = this.#opens = this.#closes = this.#packets = 0
    return true
  }

  /** There are rows of the batch at hand that were not walked. */
  get isAhead(): boolean {
    return this.#row < this.#rows
  }

  /**
   * Calls the handler for the rows of the batch at hand, until it is full.
   *
   * @param step stop before the second packet, and only there
   * @returns a packet came
   */
  walk(handler: PacketHandler, step = false): boolean {
    const { kind } = this.#slot.columns
    const { packet, data } = this.#kinds
    let seen = false
    for (; this.#row < this.#rows; this.#row++) {
      if (!step && handler.isFull) break
      const row = this.#row
      if (kind[row] === packet) {
        if (step && seen) return true
        seen = true
        this.#packet(handler, row)
      } else if (kind[row] === data) this.#data(handler, row)
      else this.#other(handler, row)
    }
    return seen
  }

  /** Ends a wait for more and opens no further capture. */
  finish(): void {
    this.#drive.finish()
  }

  /** Stops reading and lets go of files and threads. */
  async stop(): Promise<void> {
    this.#rows = 0
    this.#drive.stop()
    await this.#batches.return(undefined)
  }

  #packet(handler: PacketHandler, row: number): void {
    const { columns, packets, block } = this.#slot
    const at = this.#packets++
    this.#facts.move(this.#slot, row, at)
    const reset = packets.state[at] === packets.resetState
    handler.packet(
      columns.slot[row]!, this.#facts, reset, packets.datagram[at]!, block, columns.at[row]!, columns.length[row]!,
    )
  }

  #data(handler: PacketHandler, row: number): void {
    const { columns } = this.#slot
    const octets = this.#bare ? NO_OCTETS : this.#octets(row)
    handler.data(columns.slot[row]!, columns.direction[row] as 0 | 1, columns.length[row]!, octets)
  }

  #other(handler: PacketHandler, row: number): void {
    const { columns, readEnd, packets } = this.#slot
    const slot = columns.slot[row]!
    switch (columns.words[columns.kind[row]!]) {
      case 'open':
        return handler.open(slot, new OpenedRow(this.#slot, this.#opens++))
      case 'gap':
        return handler.gap(slot, columns.direction[row] as 0 | 1, columns.offset[row]!, columns.length[row]!)
      case 'close':
        return handler.close(slot, readEnd(this.#closes++))
      case 'fragment': {
        const at = this.#packets++
        this.#fragmentFacts.move(this.#slot, row, at)
        return handler.fragment(packets.datagram[at]!, this.#fragmentFacts, this.#octets(row))
      }
    }
  }

  #octets(row: number): Uint8Array {
    const { columns, block } = this.#slot
    const at = columns.at[row]!
    return block.subarray(at, at + columns.length[row]!)
  }
}

class OpenedRow implements OpenedConnection {
  readonly #slot: PacketEventSlot
  readonly #row: number

  constructor(slot: PacketEventSlot, row: number) {
    this.#slot = slot
    this.#row = row
  }

  get id(): number {
    return this.#slot.opened.id[this.#row]!
  }

  get capture(): number {
    return this.#slot.opened.capture[this.#row]!
  }

  get version(): number {
    return this.#slot.opened.version[this.#row]!
  }

  get clientPort(): number {
    return this.#slot.opened.clientPort[this.#row]!
  }

  get serverPort(): number {
    return this.#slot.opened.serverPort[this.#row]!
  }

  copyAddresses(to: Uint8Array, at: number): void {
    const { client, server } = this.#slot.opened
    const from = this.#row * 16
    for (let i = 0; i < 16; i++) {
      to[at + i] = client[from + i]!
      to[at + 16 + i] = server[from + i]!
    }
  }

  identity(): ConnectionIdentity {
    return this.#slot.readOpen(this.#row)
  }
}

/** What is known of the packet at hand: one object for all. */
class Facts implements PacketFacts {
  second = 0
  nanosecond = 0
  number = 0
  way: 0 | 1 = 0
  flags = 0
  seq = 0
  ack = 0
  payloadLength = 0
  linkType = 0
  wireLength = 0

  /** Turns to the packet of a row of events, whose row of packets is `at`. */
  move({ columns, packets }: PacketEventSlot, row: number, at: number): void {
    this.second = packets.second[at]!
    this.nanosecond = packets.nanosecond[at]!
    this.number = columns.packet[row]!
    this.way = columns.direction[row] as 0 | 1
    this.flags = packets.flags[at]!
    this.seq = packets.seq[at]!
    this.ack = packets.ack[at]!
    this.payloadLength = packets.payloadLength[at]!
    this.linkType = packets.linkType[at]!
    this.wireLength = packets.wireLength[at]!
  }
}
