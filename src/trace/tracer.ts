/**
 * Which traced flow a packet belongs to, and when a flow is over: the TypeScript side of the engine's own table.
 *
 * By default a flow is one direction of a 4-tuple and ends with its FIN; with `bidirectional` it is both, and ends after
 * the FINs of both (or a RST), when no packet came for the linger time. A SYN with a new initial sequence number begins a
 * new flow.
 */
import type { TracePacket } from './packet.js'

/** Why a traced flow ended. */
export type TraceEndReason = 'fin' | 'reuse' | 'flush' | 'evicted'

/** How flows are told apart, and how many. */
export interface TraceRules {
  readonly bidirectional: boolean
  /** Seconds of packet time. */
  readonly linger: number
  readonly maxFlows: number
  /** A file can have but one link type, so a flow has. */
  readonly oneLink: boolean
}

/** One direction, as far as it tells where a connection begins and ends. */
interface Side {
  isn: number | undefined
  latest: number | undefined
  fin: boolean
}

/** An open flow. */
export class OpenFlow<Content> {
  readonly key: string
  /** Its first packet goes from the key's first endpoint. */
  readonly from: string
  readonly content: Content
  readonly sides: readonly [Side, Side] = [newSide(), newSide()]
  isOver = false
  last: number

  constructor(key: string, packet: TracePacket, content: Content) {
    this.key = key
    this.from = endpoint(packet.src, packet.srcport)
    this.content = content
    this.last = packet.timestamp
  }
}

/** Octets by which a SYN may come late: data with higher numbers was seen first. */
const LATE = 1 << 20

/** Open flows, the least recently seen first. */
export class Tracer<Content> {
  readonly #rules: TraceRules
  readonly #open: (packet: TracePacket) => Content
  readonly #ended: (flow: OpenFlow<Content>, reason: TraceEndReason) => void
  readonly #flows = new Map<string, OpenFlow<Content>>()
  /** Flows that are over, in that order, and when their time is up unless packets came. */
  readonly #lingering = new Map<OpenFlow<Content>, number>()
  /** Flows ended because there were too many. */
  evicted = 0
  /** Flows ever opened. */
  opened = 0

  /** `open` makes a new flow's content; `ended` hears of each flow that ended. */
  constructor(
    rules: TraceRules,
    open: (packet: TracePacket) => Content,
    ended: (flow: OpenFlow<Content>, reason: TraceEndReason) => void,
  ) {
    this.#rules = rules
    this.#open = open
    this.#ended = ended
  }

  /** The open flows, the least recently seen first. */
  open(): IterableIterator<OpenFlow<Content>> {
    return this.#flows.values()
  }

  /** Flows open now. */
  get size(): number {
    return this.#flows.size
  }

  /** Counts a packet to its flow. With `ends`, {@link Tracer.end} is to be called when the packet was dealt with. */
  take(packet: TracePacket): { flow: OpenFlow<Content>; ends: boolean } {
    this.#endOver(packet.timestamp)
    const key = this.#key(packet)
    let flow = this.#flows.get(key)
    if (flow && this.#beginsAnew(flow, packet)) {
      this.end(flow, 'reuse')
      flow = undefined
    }
    if (flow) this.#flows.delete(key)
    else flow = this.#begin(key, packet)
    // The latest comes last.
    this.#flows.set(key, flow)
    return { flow, ends: this.#count(flow, packet) }
  }

  /** Ends a flow. */
  end(flow: OpenFlow<Content>, reason: TraceEndReason): void {
    this.#flows.delete(flow.key)
    this.#lingering.delete(flow)
    this.#ended(flow, reason)
  }

  /** Ends all flows. */
  endAll(): void {
    for (const flow of this.#flows.values()) this.end(flow, 'flush')
  }

  #begin(key: string, packet: TracePacket): OpenFlow<Content> {
    while (this.#flows.size >= this.#rules.maxFlows) {
      const [oldest] = this.#flows.values()
      this.evicted += 1
      this.end(oldest!, 'evicted')
    }
    this.opened += 1
    return new OpenFlow(key, packet, this.#open(packet))
  }

  #endOver(now: number): void {
    for (const [flow, due] of this.#lingering) {
      if (due > now) return
      this.#lingering.delete(flow)
      const later = flow.last + this.#rules.linger
      if (later <= now) this.end(flow, 'fin')
      else this.#lingering.set(flow, later)
    }
  }

  #key({ src, srcport, dst, dstport, protocol, vlan, tunnel, tunnel_id }: TracePacket): string {
    const [from, to] = [endpoint(src, srcport), endpoint(dst, dstport)]
    const ends = this.#rules.bidirectional && from > to ? `${to} ${from}` : `${from} ${to}`
    return `${ends} ${vlan ?? ''} ${tunnel ?? ''} ${tunnel_id ?? ''} ${this.#rules.oneLink ? protocol : ''}`
  }

  /** True: with this packet the flow has ended. */
  #count(flow: OpenFlow<Content>, packet: TracePacket): boolean {
    const { bidirectional, linger } = this.#rules
    const side = sideOf(flow, packet)
    flow.last = packet.timestamp
    side.fin ||= packet.fin
    side.latest = packet.seq ?? side.latest
    if (packet.syn) side.isn ??= packet.seq
    if (!bidirectional) return packet.fin
    if (!flow.isOver && (packet.rst === true || flow.sides.every(({ fin }) => fin))) {
      flow.isOver = true
      this.#lingering.set(flow, packet.timestamp + linger)
    }
    return false
  }

  /** The packet can't belong to the flow: its SYN has another initial sequence number. */
  #beginsAnew(flow: OpenFlow<Content>, packet: TracePacket): boolean {
    const { syn, rst = false, ack = false, seq } = packet
    if (!syn || rst || seq === undefined) return false
    const side = sideOf(flow, packet)
    if (side.isn !== undefined) {
      // A server that answers a second time may choose another number; the client's SYN then tells.
      const isAnswer = this.#rules.bidirectional && ack && !flow.isOver
      return side.isn !== seq && !isAnswer
    }
    // Nothing of this direction was seen: the answer came first, or it is the answer.
    if (side.latest === undefined) return flow.sides.every(({ isn }) => isn === undefined) && !ack
    // Data that overtook its SYN.
    const ahead = (side.latest - seq - 1) | 0
    return ahead < 0 || ahead > LATE
  }
}

const newSide = (): Side => ({ isn: undefined, latest: undefined, fin: false })

const endpoint = (address: string, port: number): string => `${address} ${port}`

function sideOf(flow: OpenFlow<unknown>, { src, srcport }: TracePacket): Side {
  return flow.sides[endpoint(src, srcport) === flow.from ? 0 : 1]
}
