// A TCP connection between two hosts that a capture point in the middle sees: keeps both ends' sequence numbers and
// clocks, makes the packets, and keeps the books of what it made, which become the expected flow record.
import { ACK, FIN, PROTOCOL, PSH, RST, SYN, ip, option, tcp, versionOf } from './packets.mjs'
import { newRecord } from './record.mjs'

/** @typedef {'fwd' | 'rev'} Direction */
/** @typedef {{ mss?: number, windowScale?: number, sack?: boolean, timestamps?: boolean }} Abilities */
/**
 * @typedef {object} SegmentOptions
 * @property {Buffer} [payload]
 * @property {number} [offset] first octet, relative to the ISN; the next unsent one by default
 * @property {'before' | 'after'} [lost] lost before the capture point, which then doesn't see it, or after it
 * @property {number} [delay] microseconds by which it reaches the capture point late
 * @property {[number, number][]} [sack] blocks that this end holds, relative to the peer's ISN
 */
/** @typedef {import('./containers.mjs').IpPacket} IpPacket */

/** @param {Direction} direction @returns {Direction} */
const other = direction => (direction === 'fwd' ? 'rev' : 'fwd')

export class Conversation {
  /** @type {IpPacket[]} what the capture point sees, not yet in the order of time */
  packets = []

  /**
   * @param {object} setting
   * @param {string} setting.client
   * @param {string} setting.server
   * @param {[number, number]} setting.ports the client's, the server's
   * @param {bigint} setting.start nanoseconds since the Unix epoch
   * @param {[number, number]} setting.isn the client's, the server's
   * @param {Abilities} [setting.abilities] the options in both SYNs
   * @param {import('./record.mjs').TcpFacts} facts what a flow record must say, as the scenario's author knows it
   */
  constructor({ client, server, ports, start, isn, abilities = {} }, facts) {
    this.now = start
    this.abilities = abilities
    this.record = newRecord({ sip: client, dip: server, sp: ports[0], dp: ports[1], proto: PROTOCOL.tcp }, facts)
    this.ends = {
      fwd: newEnd(client, ports[0], isn[0], 1000),
      rev: newEnd(server, ports[1], isn[1], 700_000),
    }
  }

  /** Lets time pass. @param {number} microseconds */
  wait(microseconds) {
    this.now += BigInt(microseconds) * 1000n
    return this
  }

  /**
   * One segment, 200 microseconds after the one before.
   *
   * @param {Direction} direction
   * @param {number} flags
   * @param {SegmentOptions} [options]
   */
  send(direction, flags, { payload = Buffer.alloc(0), offset, lost, delay = 0, sack = [] } = {}) {
    this.wait(200)
    const from = this.ends[direction]
    const to = this.ends[other(direction)]
    const start = offset ?? from.next
    const length = payload.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0)
    from.next = Math.max(from.next, start + length)
    if (lost !== 'before') {
      const options = this.#options(direction, flags, sack)
      const segment = { flags, options, payload, seq: (from.isn + start) >>> 0 }
      this.#emit(direction, segment, BigInt(delay) * 1000n)
    }
    if (lost === undefined && length > 0) receive(to, start, start + length)
    if (lost === undefined) to.echo = this.#tick(from)
    return this
  }

  /** Both ends have talked for a while: so many octets each way already. @param {number} fwd @param {number} rev */
  join(fwd, rev) {
    Object.assign(this.ends.fwd, { next: fwd, received: rev })
    Object.assign(this.ends.rev, { next: rev, received: fwd })
    return this
  }

  /** The three segments that open a connection. @param {number} [synFlags] @param {number} [synAckFlags] */
  open(synFlags = SYN, synAckFlags = SYN | ACK) {
    this.send('fwd', synFlags).wait(20_000).send('rev', synAckFlags).wait(500).send('fwd', ACK)
    return this
  }

  /** Payload that arrives, and the acknowledgement for it. @param {Direction} direction @param {Buffer} payload */
  say(direction, payload) {
    return this.send(direction, PSH | ACK, { payload }).wait(10_000).send(other(direction), ACK)
  }

  /** Both ends close, the given one first: FIN, ACK, FIN, ACK. @param {Direction} first */
  close(first) {
    return this.send(first, FIN | ACK).wait(300).send(other(first), ACK).wait(300)
      .send(other(first), FIN | ACK).wait(300).send(first, ACK)
  }

  /** @param {End} end its timestamp clock: one tick per millisecond */
  #tick(end) {
    return (end.clock + Number((this.now / 1_000_000n) % 1_000_000n)) >>> 0
  }

  /** @param {Direction} direction @param {number} flags @param {[number, number][]} sack */
  #options(direction, flags, sack) {
    const { mss, windowScale, sack: sackPermitted, timestamps } = this.abilities
    const from = this.ends[direction]
    const peer = this.ends[other(direction)]
    if (flags & RST) return Buffer.alloc(0)
    if (flags & SYN) {
      const list = mss === undefined ? [] : [option.mss(mss)]
      if (timestamps) list.push(option.sackPermitted(), option.timestamps(this.#tick(from), from.echo))
      else if (sackPermitted) list.push(option.sackPermittedAlone())
      if (windowScale !== undefined) list.push(option.windowScale(windowScale))
      return Buffer.concat(list)
    }
    const blocks = sack.map(([left, right]) => /** @type {[number, number]} */ ([peer.isn + left, peer.isn + right]))
    const list = timestamps ? [option.timestampsAlone(this.#tick(from), from.echo)] : []
    if (blocks.length > 0) list.push(option.sack(blocks.map(([left, right]) => [left >>> 0, right >>> 0])))
    return Buffer.concat(list)
  }

  /**
   * @param {Direction} direction
   * @param {{ flags: number, options: Buffer, payload: Buffer, seq: number }} segment
   * @param {bigint} delay
   */
  #emit(direction, segment, delay) {
    const from = this.ends[direction]
    const to = this.ends[other(direction)]
    const ends = { src: from.host, dst: to.host }
    const ack = segment.flags & ACK ? (to.isn + from.received) >>> 0 : 0
    const ports = /** @type {[number, number]} */ ([from.port, to.port])
    const body = tcp({ ...ends, ...segment, ports, ack, window: segment.flags & RST ? 0 : 64_240 })
    const packet = ip({ ...ends, protocol: PROTOCOL.tcp, id: (from.id += 1) & 0xffff }, body)
    this.packets.push({ ns: this.now + delay, packet, ...ends })
    // Counted from the parts, not from the packet: IP header, TCP header, options, payload.
    const octets = (versionOf(from.host) === 4 ? 20 : 40) + 20 + segment.options.length + segment.payload.length
    this.record.count(direction, octets, this.now + delay)
  }
}

/**
 * @typedef {object} End one host's side of the connection
 * @property {string} host
 * @property {number} port
 * @property {number} isn
 * @property {number} clock where its timestamp clock stands at the full thousand seconds
 * @property {number} next next octet to send, relative to its own ISN
 * @property {number} received next octet awaited, relative to the peer's ISN
 * @property {[number, number][]} held what arrived above `received`
 * @property {number} echo the peer's last timestamp
 * @property {number} id of its last IPv4 packet
 */

/** @param {string} host @param {number} port @param {number} isn @param {number} clock @returns {End} */
const newEnd = (host, port, isn, clock) =>
  ({ host, port, isn, clock, next: 0, received: 0, held: [], echo: 0, id: (port * 7) & 0xffff })

/** @param {End} end @param {number} start @param {number} stop */
function receive(end, start, stop) {
  end.held.push([start, stop])
  end.held.sort((a, b) => a[0] - b[0])
  for (const [left, right] of end.held) if (left <= end.received) end.received = Math.max(end.received, right)
  end.held = end.held.filter(([, right]) => right > end.received)
}
