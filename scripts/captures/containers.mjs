// Writes classic pcap files, in either byte order and either time resolution, and the link-layer headers that fixtures
// need. In: packets with times. Out: a whole file.
import { ETHERTYPE, ethernet, ethertypeOf, mac } from './packets.mjs'

/** @typedef {{ ns: bigint, data: Buffer }} Frame time since the Unix epoch in nanoseconds, octets on the wire */
/** @typedef {{ bigEndian?: boolean, nano?: boolean, linkType?: number, snaplen?: number }} PcapOptions */

export const LINK = { null: 0, ethernet: 1, raw: 101, loop: 108, sll: 113, ipv4: 228, ipv6: 229, sll2: 276 }

/** @param {boolean} bigEndian */
const writer = bigEndian => (/** @type {Buffer} */ buffer, /** @type {number} */ value, /** @type {number} */ at) =>
  bigEndian ? buffer.writeUInt32BE(value, at) : buffer.writeUInt32LE(value, at)

/**
 * The 24 octets at a file's head.
 *
 * @param {PcapOptions} options
 */
export function pcapHeader({ bigEndian = false, nano = false, linkType = LINK.ethernet, snaplen = 262_144 }) {
  const header = Buffer.alloc(24)
  const put = writer(bigEndian)
  put(header, nano ? 0xa1b23c4d : 0xa1b2c3d4, 0)
  if (bigEndian) header.writeUInt32BE(0x00020004, 4)
  else header.writeUInt32LE(0x00040002, 4)
  put(header, snaplen, 16)
  put(header, linkType, 20)
  return header
}

/**
 * One packet record: 16 octets, then what the snap length leaves of the packet.
 *
 * @param {Frame} frame
 * @param {PcapOptions} options
 */
export function pcapRecord({ ns, data }, { bigEndian = false, nano = false, snaplen = 262_144 }) {
  const kept = data.subarray(0, snaplen)
  const header = Buffer.alloc(16)
  const put = writer(bigEndian)
  put(header, Number(ns / 1_000_000_000n), 0)
  put(header, Number((ns % 1_000_000_000n) / (nano ? 1n : 1000n)), 4)
  put(header, kept.length, 8)
  put(header, data.length, 12)
  return Buffer.concat([header, kept])
}

/**
 * @param {Frame[]} frames
 * @param {PcapOptions} [options]
 */
export const pcap = (frames, options = {}) =>
  Buffer.concat([pcapHeader(options), ...frames.map(frame => pcapRecord(frame, options))])

/** @typedef {{ ns: bigint, packet: Buffer, src: string, dst: string }} IpPacket an IP packet and its ends */

/** @param {IpPacket} packet */
export const onEthernet = ({ packet, src, dst }) => ethernet({ src, dst, ethertype: ethertypeOf(packet) }, packet)

/** @param {IpPacket} packet in VLAN 100 */
export const inVlan = ({ packet, src, dst }) =>
  ethernet({ src, dst, ethertype: ethertypeOf(packet), vlans: [[ETHERTYPE.vlan, 100]] }, packet)

/** How each link type dresses an IP packet. @type {Record<string, (packet: IpPacket) => Buffer>} */
export const dress = {
  ethernet: onEthernet,
  vlan: inVlan,
  // The outer tag of IEEE 802.1ad, the inner of 802.1Q; the inner with priority 5.
  qinq: ({ packet, src, dst }) =>
    ethernet({ src, dst, ethertype: ethertypeOf(packet), vlans: [[ETHERTYPE.qinq, 200], [ETHERTYPE.vlan, 0xa064]] }, packet),
  raw: ({ packet }) => packet,
  // The address family in the byte order of the capturing host; for IPv6 30 is macOS, 28 FreeBSD, 24 OpenBSD.
  nullLittle: ({ packet }) => Buffer.concat([Buffer.from([isV4(packet) ? 2 : 30, 0, 0, 0]), packet]),
  nullBig: ({ packet }) => Buffer.concat([Buffer.from([0, 0, 0, isV4(packet) ? 2 : 28]), packet]),
  // Always in network byte order.
  loop: ({ packet }) => Buffer.concat([Buffer.from([0, 0, 0, isV4(packet) ? 2 : 24]), packet]),
  // Packet type (0: to us), ARPHRD_ETHER, address length and address, protocol.
  sll: ({ packet, src }) =>
    Buffer.concat([Buffer.from([0, 0, 0, 1, 0, 6]), mac(src), Buffer.alloc(2), ethertypeOctets(packet), packet]),
  // Protocol, reserved, interface 2, ARPHRD_ETHER, packet type, address length and address.
  sll2: ({ packet, src }) => {
    const middle = Buffer.from([0, 0, 0, 0, 0, 2, 0, 1, 0, 6])
    return Buffer.concat([ethertypeOctets(packet), middle, mac(src), Buffer.alloc(2), packet])
  },
}

/** @param {Buffer} packet */
const isV4 = packet => (packet[0] ?? 0) >>> 4 === 4

/** @param {Buffer} packet */
function ethertypeOctets(packet) {
  const octets = Buffer.alloc(2)
  octets.writeUInt16BE(ethertypeOf(packet))
  return octets
}
