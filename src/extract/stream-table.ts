/**
 * The streams that are open: in come what connections, packets and octets say, by slot; out come parts. When a stream
 * is cut, others decide.
 */
import { formatAddress } from '../address.js'
import type { ConnectionEndReason, Gap } from '../connection.js'
import { BufferPool, Growing } from './growing.js'
import { streamId, streamKey } from './names.js'
import type { OpenedConnection } from './packet-events.js'
import { PacketLog, type PacketFacts } from './packet-log.js'
import { NO_START, type PacketTime, type PartStart, type StreamInfo, type StreamPart } from './part.js'
import { NO_ENTRY, StateHistories } from './state-history.js'
import { SlotStatus, StreamSlots, type StreamExtras } from './stream-slots.js'
import { isDone, stateOf, takeSegment, TCP_STATES } from './tcp-states.js'

const NO_GAPS: readonly Gap[] = []
const NO_OCTETS = new Uint8Array(0)

/** A part, the octets of memory that it holds, and what lets go of them. */
export interface Cut {
  readonly part: StreamPart
  readonly octets: number
  readonly release: () => void
}

/** Streams by slot. */
export class StreamTable {
  readonly slots = new StreamSlots()
  readonly #histories = new StateHistories()
  readonly #pool = new BufferPool()
  /** Names of the captures, where there are several. */
  readonly #captures: readonly string[] | null

  constructor(captures: readonly string[] | null) {
    this.#captures = captures
  }

  /** Takes in a connection; its stream begins. */
  open(slot: number, connection: OpenedConnection): void {
    const { slots } = this
    slots.reach(slot)
    slots.id[slot] = connection.id
    slots.capture[slot] = connection.capture
    slots.version[slot] = connection.version
    connection.copyAddresses(slots.address, slot * 32)
    slots.port[slot * 2] = connection.clientPort
    slots.port[slot * 2 + 1] = connection.serverPort
    slots.clear(slot)
    slots.status[slot] = SlotStatus.Open
  }

  /** A packet of a connection whose stream was ended as stale: another stream begins. */
  openAgain(slot: number): void {
    this.slots.clear(slot)
    this.slots.status[slot] = SlotStatus.Open
  }

  /** Forgets a stream; its connection may go on. */
  close(slot: number, status: number): void {
    const { slots } = this
    this.#histories.release(slots.historyFirst[slot]!, slots.historyLast[slot]!)
    slots.clear(slot)
    slots.status[slot] = status
  }

  /** Packets so far. */
  packets(slot: number): number {
    const { packets } = this.slots
    return packets[slot * 2]! + packets[slot * 2 + 1]!
  }

  /** Nothing more is to be expected of either end. */
  isOver(slot: number): boolean {
    const last = this.slots.historyLast[slot]!
    if (last === NO_ENTRY) return false
    const states = this.#histories.statesAt(last)
    return isDone(states & 15) && isDone(states >>> 4)
  }

  /** Octets of memory of what was not handed out. */
  pending(slot: number): number {
    const extras = this.slots.extras[slot]
    const octets = extras === undefined ? 0 : (extras.octets[0]?.capacity ?? 0) + (extras.octets[1]?.capacity ?? 0)
    return octets + (this.slots.logs[slot]?.capacity ?? 0)
  }

  /**
   * Takes in a packet's header.
   *
   * @returns a state changed
   */
  header(slot: number, facts: PacketFacts, reset: boolean): boolean {
    const { slots } = this
    const [self, peer] = [slot * 2 + facts.way, slot * 2 + 1 - facts.way]
    if (this.packets(slot) === 0) this.#begin(slot, facts)
    slots.lastWay[slot] = facts.way
    slots.packets[self]! += 1
    slots.payload[self]! += facts.payloadLength
    slots.second[self] = facts.second
    slots.nanosecond[self] = facts.nanosecond
    return takeSegment(slots, self, peer, facts, reset) && this.#settle(slot, facts)
  }

  /** Keeps a packet for the writers; of its frame `length` octets of `block` from `from` on. */
  keepPacket(slot: number, facts: PacketFacts, block: Uint8Array, from: number, length: number): void {
    const log = (this.slots.logs[slot] ??= new PacketLog(this.#pool))
    log.push(facts, block, from, length)
  }

  /** Octets of a stream came: keeps them for the writers. */
  keepOctets(slot: number, way: 0 | 1, octets: Uint8Array): void {
    const extras = this.extras(slot)
    const kept = (extras.octets[way] ??= new Growing(this.#pool))
    kept.push(octets)
  }

  /** Octets are missing: keeps that for the writers. */
  keepGap(slot: number, way: 0 | 1, offset: number, length: number): void {
    const gaps = (this.extras(slot).gaps[way] ??= [])
    const last = gaps.at(-1)
    if (last && last[0] + last[1] === offset) last[1] += length
    else gaps.push([offset, length])
  }

  /** What is rare, for writing. */
  extras(slot: number): StreamExtras {
    return (this.slots.extras[slot] ??= {
      octets: [undefined, undefined],
      gaps: [undefined, undefined],
      kept: null,
    })
  }

  /** Hands out what is pending; null: the stream goes on. */
  cut(slot: number, reason: ConnectionEndReason | null): Cut {
    const octets = this.pending(slot)
    const { logs, parts } = this.slots
    const extras = this.slots.extras[slot]
    const lent = [logs[slot], extras?.octets[0], extras?.octets[1]]
    const part = new TablePart(this, slot, reason, {
      number: parts[slot]!,
      start: parts[slot] === 0 ? NO_START : this.#start(slot),
      packets: logs[slot] ?? new PacketLog(this.#pool),
      client: extras?.octets[0]?.view() ?? NO_OCTETS,
      server: extras?.octets[1]?.view() ?? NO_OCTETS,
      gaps: { client: extras?.gaps[0] ?? NO_GAPS, server: extras?.gaps[1] ?? NO_GAPS },
    })
    parts[slot]! += 1
    logs[slot] = undefined
    if (extras) {
      extras.octets = [undefined, undefined]
      extras.gaps = [undefined, undefined]
    }
    if (reason === null) this.slots.mark(slot)
    return { part, octets, release: () => lent.forEach(buffer => buffer?.release()) }
  }

  /** What is known of a stream. */
  info(slot: number, reason: ConnectionEndReason | null): StreamInfo {
    const { slots } = this
    const perSide = (column: Float64Array | Uint32Array) => ({ client: column[slot * 2]!, server: column[slot * 2 + 1]! })
    const version = slots.version[slot]!
    const ends = {
      clientAddr: formatAddress(slots.address, slot * 32, version),
      clientPort: slots.port[slot * 2]!,
      serverAddr: formatAddress(slots.address, slot * 32 + 16, version),
      serverPort: slots.port[slot * 2 + 1]!,
    }
    const capture = slots.capture[slot]!
    const first = [slots.firstSecond[slot]!, slots.firstNanosecond[slot]!] as const
    const firstPacket = slots.firstPacket[slot]!
    const firstNs = nanoseconds(first)
    const [client, server] = this.#states(slot)
    return {
      key: streamKey(ends),
      id: streamId(ends, first, firstPacket, this.#captures === null ? null : capture),
      connectionId: slots.id[slot]!,
      ...(this.#captures === null ? {} : { capture: this.#captures[capture]! }),
      ipVersion: version,
      ...ends,
      linkType: slots.linkType[slot]!,
      firstNs,
      lastNs: this.#lastNs(slot, firstNs),
      firstPacket,
      packets: perSide(slots.packets),
      payloadBytes: perSide(slots.payload),
      streamBytes: perSide(slots.streamed),
      gapBytes: perSide(slots.gapBytes),
      clientState: TCP_STATES[client]!,
      serverState: TCP_STATES[server]!,
      stateHistory: this.#histories.list(slots.historyFirst[slot]!, firstNs),
      endReason: reason,
    }
  }

  #begin(slot: number, { second, nanosecond, number, linkType }: PacketFacts): void {
    const { slots } = this
    slots.firstSecond[slot] = second
    slots.firstNanosecond[slot] = nanosecond
    slots.firstPacket[slot] = number
    slots.linkType[slot] = linkType
  }

  #states(slot: number): [client: number, server: number] {
    const { facts } = this.slots
    const [client, server] = [facts[slot * 2]!, facts[slot * 2 + 1]!]
    return [stateOf(client, server), stateOf(server, client)]
  }

  /** Notes the states where they changed. */
  #settle(slot: number, { second, nanosecond, number }: PacketFacts): boolean {
    const { slots } = this
    const [client, server] = this.#states(slot)
    const last = slots.historyLast[slot]!
    if (last !== NO_ENTRY && this.#histories.statesAt(last) === (client | (server << 4))) return false
    const since = (second - slots.firstSecond[slot]!) * 1e9 + (nanosecond - slots.firstNanosecond[slot]!)
    const entry = this.#histories.push(last, since, number, client, server)
    if (last === NO_ENTRY) slots.historyFirst[slot] = entry
    slots.historyLast[slot] = entry
    return true
  }

  #time(slot: number, way: number): PacketTime | null {
    const { packets, second, nanosecond } = this.slots
    const side = slot * 2 + way
    return packets[side]! > 0 ? [second[side]!, nanosecond[side]!] : null
  }

  #lastNs(slot: number, firstNs: bigint): bigint {
    const times = [this.#time(slot, 0), this.#time(slot, 1)].filter(time => time !== null)
    return times.map(nanoseconds).reduce((a, b) => (a > b ? a : b), firstNs)
  }

  #start(slot: number): PartStart {
    const { startPayload, startSeen, startSecond, startNanosecond, startWay } = this.slots
    const time = (side: number): PacketTime | null => (startSeen[side] ? [startSecond[side]!, startNanosecond[side]!] : null)
    const [client, server] = [time(slot * 2), time(slot * 2 + 1)]
    return {
      payloadBytes: { client: startPayload[slot * 2]!, server: startPayload[slot * 2 + 1]! },
      lastPacket: { client, server, either: startWay[slot] === 0 ? client : server },
    }
  }
}

/** A part that reads what is known of its stream when it is asked for, or at last when the table goes on. */
class TablePart implements StreamPart {
  readonly number: number
  readonly start: PartStart
  readonly packets: PacketLog
  readonly client: Uint8Array
  readonly server: Uint8Array
  readonly gaps: StreamPart['gaps']
  readonly last: boolean
  readonly #table: StreamTable
  readonly #slot: number
  readonly #reason: ConnectionEndReason | null
  #info: StreamInfo | undefined

  constructor(
    table: StreamTable,
    slot: number,
    reason: ConnectionEndReason | null,
    fields: Omit<StreamPart, 'stream' | 'last'>,
  ) {
    this.#table = table
    this.#slot = slot
    this.#reason = reason
    this.last = reason !== null
    this.number = fields.number
    this.start = fields.start
    this.packets = fields.packets
    this.client = fields.client
    this.server = fields.server
    this.gaps = fields.gaps
  }

  get stream(): StreamInfo {
    return (this.#info ??= this.#table.info(this.#slot, this.#reason))
  }
}

function nanoseconds([second, nanosecond]: PacketTime): bigint {
  return BigInt(second) * 1_000_000_000n + BigInt(nanosecond)
}
