// Builds packets octet by octet: IPv4, IPv6, TCP, UDP, ICMP and what may lie around them, with right checksums.
// In: addresses as text, numbers, options. Out: Buffers. Knows no capture format and no conversation.

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10
export const ECE = 0x40
export const CWR = 0x80

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 }
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd, qinq: 0x88a8 }

/** @param {number} value */
const u16 = value => Buffer.from([(value >>> 8) & 0xff, value & 0xff])
/** @param {number} value */
const u32 = value => Buffer.from([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff])

/** @param {string} text @returns {4 | 6} */
export const versionOf = text => (text.includes(':') ? 6 : 4)

/**
 * @param {string} text an address; of IPv6 with at most one `::` and no dotted part
 * @returns {Buffer} 4 or 16 octets
 */
export function address(text) {
  if (versionOf(text) === 4) return Buffer.from(text.split('.').map(Number))
  const [head = '', tail = ''] = text.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const groups = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.concat(groups.map(group => u16(Number.parseInt(group, 16))))
}

/**
 * The Internet checksum, RFC 1071.
 *
 * @param {...Buffer} parts each but the last of an even length
 */
export function checksum(...parts) {
  const data = Buffer.concat(parts)
  let sum = 0
  for (let i = 0; i < data.length; i += 2) sum += ((data[i] ?? 0) << 8) | (data[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/**
 * @param {Buffer} packet
 * @param {number} at where the checksum field lies
 * @param {number} value
 */
function withChecksum(packet, at, value) {
  packet.writeUInt16BE(value, at)
  return packet
}

/** The pseudo header of RFC 9293 §3.1 and RFC 8200 §8.1. @type {(src: string, dst: string, protocol: number, length: number) => Buffer} */
function pseudoHeader(src, dst, protocol, length) {
  const ends = Buffer.concat([address(src), address(dst)])
  return versionOf(src) === 4
    ? Buffer.concat([ends, u16(protocol), u16(length)])
    : Buffer.concat([ends, u32(length), u32(protocol)])
}

/**
 * An IP packet, IPv4 or IPv6 as the addresses are.
 *
 * @param {{ src: string, dst: string, protocol: number, id?: number, ttl?: number }} header
 * @param {Buffer} payload
 */
export function ip({ src, dst, protocol, id = 0, ttl = 64 }, payload) {
  if (versionOf(src) === 6) {
    const start = Buffer.from([0x60, 0x00, 0x00, 0x00])
    return Buffer.concat([start, u16(payload.length), Buffer.from([protocol, ttl]), address(src), address(dst), payload])
  }
  const length = 20 + payload.length
  // Version 4, five words; Don't Fragment.
  const start = [Buffer.from([0x45, 0x00]), u16(length), u16(id), u16(0x4000), Buffer.from([ttl, protocol]), u16(0)]
  const header = Buffer.concat([...start, address(src), address(dst)])
  return Buffer.concat([withChecksum(header, 10, checksum(header)), payload])
}

/**
 * A TCP segment, RFC 9293 §3.1.
 *
 * @param {{ src: string, dst: string, ports: [number, number], seq: number, ack: number, flags: number,
 *   window: number, options?: Buffer, payload?: Buffer }} segment
 */
export function tcp({ src, dst, ports, seq, ack, flags, window, options = Buffer.alloc(0), payload = Buffer.alloc(0) }) {
  const words = 5 + options.length / 4
  const head = [u16(ports[0]), u16(ports[1]), u32(seq), u32(ack), Buffer.from([words << 4, flags]), u16(window)]
  const segment = Buffer.concat([...head, u32(0), options, payload])
  return withChecksum(segment, 16, checksum(pseudoHeader(src, dst, PROTOCOL.tcp, segment.length), segment))
}

/** @type {(datagram: { src: string, dst: string, ports: [number, number], payload: Buffer }) => Buffer} */
export function udp({ src, dst, ports, payload }) {
  const length = 8 + payload.length
  const datagram = Buffer.concat([u16(ports[0]), u16(ports[1]), u16(length), u16(0), payload])
  return withChecksum(datagram, 6, checksum(pseudoHeader(src, dst, PROTOCOL.udp, length), datagram))
}

/** An ICMP message, RFC 792. @type {(type: number, code: number, rest: number, body: Buffer) => Buffer} */
export function icmp(type, code, rest, body) {
  const message = Buffer.concat([Buffer.from([type, code, 0, 0]), u32(rest), body])
  return withChecksum(message, 2, checksum(message))
}

/** A DNS message with one question for an A record and, if given, its answer, RFC 1035 §4. @type {(id: number, name: string, answer?: string) => Buffer} */
export function dns(id, name, answer) {
  const labels = name.split('.').flatMap(label => [Buffer.from([label.length]), Buffer.from(label)])
  const question = Buffer.concat([...labels, Buffer.from([0, 0, 1, 0, 1])])
  const flags = answer === undefined ? 0x0100 : 0x8180
  const header = Buffer.concat([u16(id), u16(flags), u16(1), u16(answer === undefined ? 0 : 1), u32(0)])
  if (answer === undefined) return Buffer.concat([header, question])
  // A pointer to the name at offset 12; type A, class IN, one hour, four octets.
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4])
  return Buffer.concat([header, question, record, address(answer)])
}

/** An ARP request or reply for IPv4 over Ethernet, RFC 826. @type {(operation: 1 | 2, from: string, to: string) => Buffer} */
export function arp(operation, from, to) {
  const start = Buffer.concat([u16(1), u16(ETHERTYPE.ipv4), Buffer.from([6, 4]), u16(operation)])
  const target = operation === 1 ? Buffer.alloc(6) : mac(to)
  return Buffer.concat([start, mac(from), address(from), target, address(to)])
}

/** TCP options, each padded or ordered as common stacks do. */
export const option = {
  /** @param {number} value */
  mss: value => Buffer.concat([Buffer.from([2, 4]), u16(value)]),
  /** @param {number} shift */
  windowScale: shift => Buffer.from([1, 3, 3, shift]),
  sackPermitted: () => Buffer.from([4, 2]),
  sackPermittedAlone: () => Buffer.from([1, 1, 4, 2]),
  /** @param {number} value @param {number} echo */
  timestamps: (value, echo) => Buffer.concat([Buffer.from([8, 10]), u32(value), u32(echo)]),
  /** @param {number} value @param {number} echo */
  timestampsAlone: (value, echo) => Buffer.concat([Buffer.from([1, 1, 8, 10]), u32(value), u32(echo)]),
  /** @param {[number, number][]} blocks left and right edges, as on the wire */
  sack: blocks => {
    const edges = blocks.flatMap(([left, right]) => [u32(left), u32(right)])
    return Buffer.concat([Buffer.from([1, 1, 5, 2 + 8 * blocks.length]), ...edges])
  },
}

/** A locally administered hardware address made from a host's address. @param {string} host */
export function mac(host) {
  return Buffer.concat([Buffer.from([0x02, versionOf(host)]), address(host).subarray(-4)])
}

/**
 * An Ethernet frame. Short ones are padded to 60 octets as on the wire, so that a frame's length is not its packet's.
 *
 * @param {{ src: string, dst: string, ethertype: number, vlans?: [tpid: number, id: number][] }} header
 * @param {Buffer} payload
 */
export function ethernet({ src, dst, ethertype, vlans = [] }, payload) {
  const tags = vlans.flatMap(([tpid, id]) => [u16(tpid), u16(id)])
  const frame = Buffer.concat([mac(dst), mac(src), ...tags, u16(ethertype), payload])
  return frame.length >= 60 ? frame : Buffer.concat([frame, Buffer.alloc(60 - frame.length)])
}

/** The EtherType of an IP packet. @param {Buffer} packet */
export const ethertypeOf = packet => ((packet[0] ?? 0) >>> 4 === 4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6)
