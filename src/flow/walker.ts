/**
 * Walks batches of packets: finds each packet's flow, calls the chains' hooks, and collects finished flow records.
 *
 * The life of a flow is that of PATHspider's Observer: active, then complete (a hook said false) or idle, then emitted
 * after the expiry timeout; or ignored from its first packet on.
 */
import type { AnyChain, Direction } from '../chain/chain.js'
import { ChainError } from '../errors.js'
import type { FlowBase } from '../flow.js'
import { MOVES_CLOCK, NO_KEY, Upper, type PacketColumns } from '../packet/columns.js'
import { PacketViews, QuoteViews } from '../packet/views.js'
import { nanosecondsAt, secondsAt } from '../record.js'
import { HOOK_NAMES } from './hook-names.js'
import { Hooks, type Hook } from './hooks.js'
import { IGNORED, NO_FLOW } from './keys.js'
import { flowMaker, type OpenRecord } from './record-makers.js'
import { First, FIRST, Hot, HOT } from './slots.js'
import { END_REASONS, FlowTable, type FlowTableLimits } from './table.js'

/**
 * Packets whose flows are looked up before any of them is walked: what one look-up waits for comes while the next ones
 * are made.
 */
const AHEAD = 32

/** Numbers of kinds of hooks. */
const [IP4, IP6, ICMP4, ICMP6, TCP, UDP] = [0, 1, 2, 3, 4, 5]
const KINDS = 6

/** Packets in, flow records out. */
export class Walker {
  readonly table: FlowTable
  readonly #hooks: Hooks
  readonly #captures: readonly string[] | null
  readonly #views = new PacketViews()
  readonly #quote = new QuoteViews()
  /** Slots of the packets looked at ahead. */
  readonly #slots = new Int32Array(AHEAD)
  /** The hook being called, as its place among those of its kind * {@link KINDS} + the kind: for error messages. */
  #calling = -1
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
      for (let row = 0; row < rows; ) {
        const end = this.#lookAhead(columns, row, Math.min(rows, row + AHEAD))
        row = end > row ? this.#known(columns, row, end) : this.#packet(columns, row)
      }
    } catch (error) {
      const calling = this.#calling
      if (calling < 0) throw error
      const name = HOOK_NAMES[calling % KINDS]!
      const { chain } = this.#hooks[name][Math.floor(calling / KINDS)]!
      throw new ChainError(chain, name, this.#views.tcp.packetNumber, error)
    }
  }

  /** The record of a finished flow, once: its slot is free then. Times become bigints here, as late as can be. */
  finish(slot: number): FlowBase {
    const { slots } = this.table
    const { first } = slots
    const columns = slots.records[slot]!
    const at = slot * FIRST
    const [firstSecond, firstNanosecond] = [first[at + First.Second]!, first[at + First.Nanosecond]!]
    const [lastSecond, lastNanosecond] = [slots.get(slot, Hot.Second), slots.get(slot, Hot.Nanosecond)]
    const flow = flowMaker(columns)(
      columns,
      slots.id[slot]!,
      slots.version[slot]!,
      secondsAt(firstSecond, firstNanosecond),
      secondsAt(lastSecond, lastNanosecond),
      nanosecondsAt(firstSecond, firstNanosecond),
      nanosecondsAt(lastSecond, lastNanosecond),
      first[at + First.Packet]!,
      END_REASONS[slots.reason[slot]!]!,
      slots.outers[slot]!,
      this.#captures?.[first[at + First.Capture]!],
    )
    slots.give(slot)
    return flow
  }

  /** Looks up the flows of rows as far as they have one and time stands still; the row behind them. */
  #lookAhead(columns: PacketColumns, row: number, end: number): number {
    const { key, meta } = columns
    const { keys, slots } = this.table
    const found = this.#slots
    let at = row
    for (; at < end; at++) {
      if ((meta[at]! & MOVES_CLOCK) !== 0) break
      const slot = keys.get(key[at]!)
      if (slot === NO_FLOW) break
      found[at - row] = slot
      slots.look(slot)
    }
    return at
  }

  /** Walks rows whose flows were looked up; the row behind them, or behind one whose hook ended all flows. */
  #known(columns: PacketColumns, from: number, end: number): number {
    const { table } = this
    const { flushes } = table
    const { meta, second, nanosecond } = columns
    for (let row = from; row < end; row++) {
      const slot = this.#slots[row - from]!
      if (slot === IGNORED) {
        this.ignored += 1
        continue
      }
      table.touch(slot, second[row]!, nanosecond[row]!)
      this.#show(slot, row, meta[row]!)
      if (table.flushes !== flushes) return row + 1
    }
    return end
  }

  /** Walks any row; the row behind it. */
  #packet(columns: PacketColumns, row: number): number {
    const { table } = this
    const second = columns.second[row]!
    const nanosecond = columns.nanosecond[row]!
    table.advance(second, nanosecond)
    const key = columns.key[row]!
    if (key === NO_KEY) return row + 1
    const meta = columns.meta[row]!
    let slot = table.keys.get(key)
    if (slot === NO_FLOW) slot = this.#open(columns, row, key, meta)
    else if (slot !== IGNORED) table.touch(slot, second, nanosecond)
    if (slot === IGNORED) this.ignored += 1
    else this.#show(slot, row, meta)
    return row + 1
  }

  /** Opens the flow of a first packet, unless a chain wants to ignore it. */
  #open(columns: PacketColumns, row: number, key: number, meta: number): number {
    const { table } = this
    this.#views.place.move(row, meta)
    const record = this.#hooks.newFlow(this.#views.ip)
    if (record === undefined) {
      table.keys.ignore(key)
      return IGNORED
    }
    const slot = table.add(key, meta & 1, record, columns.second[row]!, columns.nanosecond[row]!)
    table.slots.begin(slot, columns, row)
    return slot
  }

  /** Shows a flow's packet to the hooks that it is for; where one says false the flow is complete. */
  #show(slot: number, row: number, meta: number): void {
    const views = this.#views
    const { slots } = this.table
    const record = slots.records[slot]!
    const direction: Direction = (meta & 1) === slots.hot[slot * HOT + Hot.FirstWay] ? 'fwd' : 'rev'
    views.place.move(row, meta)
    const { ip4, ip6, tcp, udp, icmp4, icmp6 } = this.#hooks
    let keep = true
    if ((meta & 0x80) === 0) {
      if (ip4.length > 0) keep = this.#call(ip4, IP4!, record, views.ip4, direction)
    } else if (ip6.length > 0) keep = this.#call(ip6, IP6!, record, views.ip6, direction)
    switch ((meta >>> 2) & 7) {
      case Upper.Tcp:
        if (tcp.length > 0) keep = this.#tcp(record, direction) && keep
        break
      case Upper.Udp:
        if (udp.length > 0) keep = this.#call(udp, UDP!, record, views.udp, direction) && keep
        break
      case Upper.Icmp4:
        keep = this.#icmp(icmp4, ICMP4!, record, direction) && keep
        break
      case Upper.Icmp6:
        keep = this.#icmp(icmp6, ICMP6!, record, direction) && keep
        break
      default:
    }
    if (!keep) this.table.complete(slot)
  }

  /** Segments are most of all packets. A single hook is called as what it is, which V8 can make part of this code. */
  #tcp(record: OpenRecord, direction: Direction): boolean {
    const { tcp, only } = this.#hooks
    const view = this.#views.tcp
    if (only === undefined) return this.#call(tcp, TCP!, record, view, direction)
    this.#calling = TCP!
    const verdict = only.tcp!(record, view, direction)
    this.#calling = -1
    return verdict !== false
  }

  #call<View>(hooks: readonly Hook<View>[], kind: number, record: OpenRecord, view: View, direction: Direction): boolean {
    let keep = true
    for (let i = 0; i < hooks.length; i++) {
      this.#calling = i * KINDS + kind
      if (hooks[i]!.call(record, view, direction) === false) keep = false
    }
    this.#calling = -1
    return keep
  }

  #icmp(hooks: Hooks['icmp4'], kind: number, record: OpenRecord, direction: Direction): boolean {
    if (hooks.length === 0) return true
    const quote = this.#quote.of(this.#views.place)
    let keep = true
    for (let i = 0; i < hooks.length; i++) {
      this.#calling = i * KINDS + kind
      if (hooks[i]!.call(record, this.#views.icmp, direction, quote) === false) keep = false
    }
    this.#calling = -1
    return keep
  }
}
