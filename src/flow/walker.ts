/**
 * Walks batches of packets: finds each packet's flow, calls the chains' hooks, and collects finished flow records.
 *
 * The life of a flow is that of PATHspider's Observer: active, then complete (a hook said false) or idle, then emitted
 * after the expiry timeout; or ignored from its first packet on.
 */
import type { AnyChain, Direction } from '../chain/chain.js'
import { ChainError } from '../errors.js'
import type { FlowBase } from '../flow.js'
import { NO_KEY, Upper, type Outer, type PacketColumns } from '../packet/columns.js'
import { PacketViews, QuoteViews } from '../packet/views.js'
import { nanosecondsAt, recordClass, secondsAt } from '../record.js'
import { Hooks, type Hook } from './hooks.js'
import { IGNORED, NO_FLOW } from './keys.js'
import { END_REASONS, FlowTable, type FlowTableLimits } from './table.js'

/** Packets in, flow records out. */
export class Walker {
  readonly table: FlowTable
  readonly #hooks: Hooks
  readonly #captures: readonly string[] | null
  readonly #views = new PacketViews()
  readonly #quote = new QuoteViews()
  /** The hook being called: what an error message names. */
  #calling: Hook<never> | undefined
  /** Packets of ignored flows. */
  ignored = 0

  /** `captures` names the captures where there are several. */
  constructor(chains: readonly AnyChain[], limits: FlowTableLimits, captures: readonly string[] | null) {
    this.table = new FlowTable(limits)
    this.#hooks = new Hooks(chains)
    this.#captures = captures
  }

  /**
   * Walks the first `rows` packets of a batch.
   *
   * @throws {@link ChainError} what a hook threw
   */
  walk(columns: PacketColumns, rows: number): void {
    this.#views.place.enter(columns)
    try {
      for (let row = 0; row < rows; row++) this.#packet(columns, row)
    } catch (error) {
      const hook = this.#calling
      if (hook === undefined) throw error
      throw new ChainError(hook.chain, hook.name, this.#views.tcp.packetNumber, error)
    }
  }

  /** The record of a finished flow, once: its slot is free then. Times become bigints here, as late as can be. */
  finish(slot: number): FlowBase {
    const { slots } = this.table
    const record = slots.records[slot]!
    record.flow_id = slots.id[slot]!
    const [firstSecond, firstNanosecond] = [slots.firstSecond[slot]!, slots.firstNanosecond[slot]!]
    const [lastSecond, lastNanosecond] = [slots.second[slot]!, slots.nanosecond[slot]!]
    record.first_ns = nanosecondsAt(firstSecond, firstNanosecond)
    record.last_ns = nanosecondsAt(lastSecond, lastNanosecond)
    record.pkt_first = secondsAt(firstSecond, firstNanosecond)
    record.pkt_last = secondsAt(lastSecond, lastNanosecond)
    record.end_reason = END_REASONS[slots.reason[slot]!]!
    slots.give(slot)
    return record
  }

  #packet(columns: PacketColumns, row: number): void {
    const { table } = this
    const second = columns.second[row]!
    const nanosecond = columns.nanosecond[row]!
    table.advance(second, nanosecond)
    const key = columns.key[row]!
    if (key === NO_KEY) return
    const meta = columns.meta[row]!
    this.#views.place.move(columns, row, meta)
    let slot = table.keys.get(key)
    if (slot === NO_FLOW) slot = this.#open(columns, row, key, meta)
    else if (slot !== IGNORED) table.touch(slot, second, nanosecond)
    if (slot === IGNORED) {
      this.ignored += 1
      return
    }
    const { slots } = table
    const direction: Direction = (meta & 1) === slots.firstIsFwd[slot] ? 'fwd' : 'rev'
    if (!this.#show(slots.records[slot]!, meta, direction)) table.complete(slot)
  }

  /** Opens the flow of a first packet, unless a chain wants to ignore it. */
  #open(columns: PacketColumns, row: number, key: number, meta: number): number {
    const { table } = this
    const record = newRecord(columns, row, meta, this.#captures)
    if (!this.#hooks.newFlow(record, this.#views.ip)) {
      table.keys.ignore(key)
      return IGNORED
    }
    return table.add(key, meta & 1, record, columns.second[row]!, columns.nanosecond[row]!)
  }

  /** Calls the hooks that the packet is for. False: one of them says that the flow is complete. */
  #show(record: FlowBase, meta: number, direction: Direction): boolean {
    const hooks = this.#hooks
    const views = this.#views
    let keep = true
    if ((meta & 0x80) === 0) keep = this.#call(hooks.ip4, record, views.ip4, direction)
    else keep = this.#call(hooks.ip6, record, views.ip6, direction)
    switch ((meta >>> 2) & 7) {
      case Upper.Tcp:
        return this.#call(hooks.tcp, record, views.tcp, direction) && keep
      case Upper.Udp:
        return this.#call(hooks.udp, record, views.udp, direction) && keep
      case Upper.Icmp4:
        return this.#icmp(hooks.icmp4, record, direction) && keep
      case Upper.Icmp6:
        return this.#icmp(hooks.icmp6, record, direction) && keep
      default:
        return keep
    }
  }

  #call<View>(hooks: readonly Hook<View>[], record: FlowBase, view: View, direction: Direction): boolean {
    let keep = true
    for (let i = 0; i < hooks.length; i++) {
      const hook = hooks[i]!
      this.#calling = hook as Hook<never>
      if (hook.call(record, view, direction) === false) keep = false
    }
    this.#calling = undefined
    return keep
  }

  #icmp(hooks: Hooks['icmp4'], record: FlowBase, direction: Direction): boolean {
    if (hooks.length === 0) return true
    const quote = this.#quote.of(this.#views.place)
    let keep = true
    for (const hook of hooks) {
      this.#calling = hook as Hook<never>
      if (hook.call(record, this.#views.icmp, direction, quote) === false) keep = false
    }
    this.#calling = undefined
    return keep
  }
}

/** A record whose columns are not known yet. */
type NewRecord = { [Column in keyof FlowBase]: FlowBase[Column] | null }

/**
 * The base columns of a new flow; what isn't known yet, and times, which are objects to V8, come when the flow ends.
 * A constructor that names its columns gets them, and room for a chain's, in one piece.
 */
const BaseRecord = function (this: NewRecord, version: number, firstPacket: number, outer: Outer) {
  this.flow_id = null
  this.ip_version = version
  this.pkt_first = null
  this.pkt_last = null
  this.first_ns = null
  this.last_ns = null
  this.first_packet = firstPacket
  this.end_reason = null
  this.vlan = outer.vlan
  this.tunnel = outer.tunnel
  this.tunnel_id = outer.tunnel_id
} as unknown as new (version: number, firstPacket: number, outer: Outer) => NewRecord
recordClass(BaseRecord)

function newRecord(columns: PacketColumns, row: number, meta: number, captures: readonly string[] | null): FlowBase {
  const record = new BaseRecord((meta & 0x80) === 0 ? 4 : 6, columns.number[row]!, columns.outer(row))
  if (captures !== null) record.capture = captures[columns.capture[row]!]!
  return record as FlowBase
}
