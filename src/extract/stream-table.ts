/**
 * The streams that are open: in come what connections, packets and octets say, by slot; out come parts. When a stream
 * is cut, others decide.
 */
import { formatAddress } from '../address.js'
import type { ConnectionEndReason } from '../connection.js'
import { BufferPool, Growing } from './growing.js'
import { streamId, streamKey, type Ends } from './names.js'
import type { OpenedConnection } from './packet-events.js'
import { PacketLog, type PacketFacts } from './packet-log.js'
import { NO_START, type PacketTime, type PartStart, type StreamInfo, type StreamNames, type StreamPart } from './part.js'
import { NO_ENTRY, StateHistories } from './state-history.js'
import { inPage, SlotStatus, StreamSlots, type SlotPage, type StreamExtras } from './stream-slots.js'
import { TCP_STATES } from './state-names.js'
import { isDone, stateOf, takeSegment } from './tcp-states.js'

const NO_GAPS: StreamPart['gaps'] = { client: [], server: [] }
const NO_OCTETS = new Uint8Array(0)

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
    this.slots.reach(slot)
    const [page, at] = [this.slots.page(slot), inPage(slot)]
    page.id[at] = connection.id
    page.capture[at] = connection.capture
    page.version[at] = connection.version
    connection.copyAddresses(page.address, at * 32)
    page.port[at * 2] = connection.clientPort
    page.port[at * 2 + 1] = connection.serverPort
    this.openAgain(slot)
  }

  /** A packet of a connection whose stream was ended as stale: another stream begins. */
  openAgain(slot: number): void {
    this.slots.clear(slot)
    this.slots.page(slot).status[inPage(slot)] = SlotStatus.Open
  }

  /** Forgets a stream; its connection may go on. */
  close(slot: number, status: number): void {
    const [page, at] = [this.slots.page(slot), inPage(slot)]
    this.#histories.release(page.historyFirst[at]!, page.historyLast[at]!)
    this.slots.clear(slot)
    page.status[at] = status
  }

  /** Packets so far. */
  packets(slot: number): number {
    const { packets } = this.slots.page(slot)
    const at = inPage(slot) * 2
    return packets[at]! + packets[at + 1]!
  }

  /** Nothing more is to be expected of either end. */
  isOver(slot: number): boolean {
    const last = this.slots.page(slot).historyLast[inPage(slot)]!
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
    const [page, at] = [this.slots.page(slot), inPage(slot)]
    const [self, peer] = [at * 2 + facts.way, at * 2 + 1 - facts.way]
    if (this.packets(slot) === 0) begin(page, at, facts)
    page.lastWay[at] = facts.way
    page.packets[self]! += 1
    page.payload[self]! += facts.payloadLength
    page.second[self] = facts.second
    page.nanosecond[self] = facts.nanosecond
    return takeSegment(page, self, peer, facts, reset) && this.#settle(page, at, facts)
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
  cut(slot: number, reason: ConnectionEndReason | null): TablePart {
    const { logs, extras } = this.slots
    const [page, at] = [this.slots.page(slot), inPage(slot)]
    const part = new TablePart(this, slot, reason, {
      number: page.parts[at]!,
      octets: this.pending(slot),
      start: page.parts[at] === 0 ? NO_START : start(page, at),
      packets: logs[slot] ?? new PacketLog(this.#pool),
      extras: extras[slot],
    })
    page.parts[at]! += 1
    logs[slot] = undefined
    const more = extras[slot]
    if (more) {
      more.octets = [undefined, undefined]
      more.gaps = [undefined, undefined]
    }
    if (reason === null) page.mark(at)
    return part
  }

  /** What a stream is called. */
  names(slot: number): StreamNames {
    return this.#names(slot, ends(this.slots.page(slot), inPage(slot)))
  }

  /** What is known of a stream. */
  info(slot: number, reason: ConnectionEndReason | null): StreamInfo {
    const [page, at] = [this.slots.page(slot), inPage(slot)]
    const perSide = (column: Float64Array | Uint32Array) => ({ client: column[at * 2]!, server: column[at * 2 + 1]! })
    const both = ends(page, at)
    const { key, id, linkType } = this.#names(slot, both)
    const firstNs = nanoseconds([page.firstSecond[at]!, page.firstNanosecond[at]!])
    const [client, server] = states(page, at)
    return {
      key,
      id,
      connectionId: page.id[at]!,
      ...(this.#captures === null ? {} : { capture: this.#captures[page.capture[at]!]! }),
      ipVersion: page.version[at]!,
      ...both,
      linkType,
      firstNs,
      lastNs: lastNs(page, at, firstNs),
      firstPacket: page.firstPacket[at]!,
      packets: perSide(page.packets),
      payloadBytes: perSide(page.payload),
      streamBytes: perSide(page.streamed),
      gapBytes: perSide(page.gapBytes),
      clientState: TCP_STATES[client]!,
      serverState: TCP_STATES[server]!,
      stateHistory: this.#histories.list(page.historyFirst[at]!, firstNs),
      endReason: reason,
    }
  }

  #names(slot: number, both: Ends): StreamNames {
    const [page, at] = [this.slots.page(slot), inPage(slot)]
    const first = [page.firstSecond[at]!, page.firstNanosecond[at]!] as const
    const capture = this.#captures === null ? null : page.capture[at]!
    return { key: streamKey(both), id: streamId(both, first, page.firstPacket[at]!, capture), linkType: page.linkType[at]! }
  }

  /** Notes the states where they changed. */
  #settle(page: SlotPage, at: number, { second, nanosecond, number }: PacketFacts): boolean {
    const [client, server] = states(page, at)
    const last = page.historyLast[at]!
    if (last !== NO_ENTRY && this.#histories.statesAt(last) === (client | (server << 4))) return false
    const since = (second - page.firstSecond[at]!) * 1e9 + (nanosecond - page.firstNanosecond[at]!)
    const entry = this.#histories.push(last, since, number, client, server)
    if (last === NO_ENTRY) page.historyFirst[at] = entry
    page.historyLast[at] = entry
    return true
  }
}

function begin(page: SlotPage, at: number, { second, nanosecond, number, linkType }: PacketFacts): void {
  page.firstSecond[at] = second
  page.firstNanosecond[at] = nanosecond
  page.firstPacket[at] = number
  page.linkType[at] = linkType
}

function ends({ version, address, port }: SlotPage, at: number): Ends {
  return {
    clientAddr: formatAddress(address, at * 32, version[at]!),
    clientPort: port[at * 2]!,
    serverAddr: formatAddress(address, at * 32 + 16, version[at]!),
    serverPort: port[at * 2 + 1]!,
  }
}

function states({ facts }: SlotPage, at: number): [client: number, server: number] {
  const [client, server] = [facts[at * 2]!, facts[at * 2 + 1]!]
  return [stateOf(client, server), stateOf(server, client)]
}

function lastNs({ packets, second, nanosecond }: SlotPage, at: number, firstNs: bigint): bigint {
  let last = firstNs
  for (const side of [at * 2, at * 2 + 1]) {
    const time = packets[side]! > 0 ? nanoseconds([second[side]!, nanosecond[side]!]) : last
    if (time > last) last = time
  }
  return last
}

function start({ startPayload, startSeen, startSecond, startNanosecond, startWay }: SlotPage, at: number): PartStart {
  const time = (side: number): PacketTime | null => (startSeen[side] ? [startSecond[side]!, startNanosecond[side]!] : null)
  const [client, server] = [time(at * 2), time(at * 2 + 1)]
  return {
    payloadBytes: { client: startPayload[at * 2]!, server: startPayload[at * 2 + 1]! },
    lastPacket: { client, server, either: startWay[at] === 0 ? client : server },
  }
}

/** What a part is made of. */
interface PartFields {
  readonly number: number
  readonly octets: number
  readonly start: PartStart
  readonly packets: PacketLog
  readonly extras: StreamExtras | undefined
}

/**
 * A part that reads what is known of its stream when it is asked for. Before the table goes on, whoever keeps the part
 * asks for what will be needed.
 */
export class TablePart implements StreamPart {
  readonly number: number
  readonly start: PartStart
  readonly packets: PacketLog
  readonly client: Uint8Array
  readonly server: Uint8Array
  readonly gaps: StreamPart['gaps']
  readonly last: boolean
  /** Octets of memory that it holds. */
  readonly octets: number
  readonly #table: StreamTable
  readonly #slot: number
  readonly #reason: ConnectionEndReason | null
  readonly #lent: StreamExtras['octets'] | undefined
  #names: StreamNames | undefined
  #info: StreamInfo | undefined

  constructor(table: StreamTable, slot: number, reason: ConnectionEndReason | null, fields: PartFields) {
    const { number, octets, start, packets, extras } = fields
    this.#table = table
    this.#slot = slot
    this.#reason = reason
    this.#lent = extras?.octets
    this.last = reason !== null
    this.number = number
    this.octets = octets
    this.start = start
    this.packets = packets
    this.client = extras?.octets[0]?.view() ?? NO_OCTETS
    this.server = extras?.octets[1]?.view() ?? NO_OCTETS
    this.gaps = extras?.gaps[0] || extras?.gaps[1] ? { client: extras.gaps[0] ?? [], server: extras.gaps[1] ?? [] } : NO_GAPS
  }

  get names(): StreamNames {
    return (this.#names ??= this.#table.names(this.#slot))
  }

  get stream(): StreamInfo {
    return (this.#info ??= this.#table.info(this.#slot, this.#reason))
  }

  /** Lets go of the memory that it holds: nobody looks at it any more. */
  release(): void {
    this.packets.release()
    for (const octets of this.#lent ?? []) octets?.release()
  }
}

function nanoseconds([second, nanosecond]: PacketTime): bigint {
  return BigInt(second) * 1_000_000_000n + BigInt(nanosecond)
}
