// The captures that tests read: the same two short connections in every container, link type and kind of damage, so
// that each file has the same answer, less what the damage took. Out: file name → content, purpose, expectation.
import { LINK, dress, pcap, pcapHeader, pcapRecord } from './containers.mjs'
import { Conversation } from './conversation.mjs'
import { ACK, SYN } from './packets.mjs'
import { filler } from './sample.mjs'

/** @typedef {import('./containers.mjs').IpPacket} IpPacket */
/**
 * @typedef {object} Fixture
 * @property {Buffer} content
 * @property {string} purpose one line for the README
 * @property {number} packets packets that can be read before the end or the damage
 * @property {string | null} damage what is wrong with the file, null for nothing
 * @property {number} damageOffset where in the file the damaged item begins
 */

/** 2026-02-03 04:05:06.000000789 UTC: the nanoseconds are lost in a file of microseconds. */
const START = 1_770_091_506_000_000_789n
const OVER_LIMIT = 256 * 1024 + 1

/** One IPv4 and one IPv6 connection, one after the other. */
function talks() {
  const facts = { syn: /** @type {[number, number]} */ ([SYN, SYN | ACK]), fin: /** @type {[boolean, boolean]} */ ([true, true]), connected: true }
  const abilities = { mss: 1400, windowScale: 6, timestamps: true }
  const make = (/** @type {string} */ client, /** @type {string} */ server, /** @type {bigint} */ start) =>
    new Conversation({ client, server, ports: [40_000, 7], start, isn: [1000, 4_000_000_000], abilities }, facts)
      .open().say('fwd', filler('ask', 120)).say('rev', filler('answer', 480)).close('fwd')
  return [
    make('192.0.2.1', '198.51.100.1', START),
    make('2001:db8::1', '2001:db8::2', START + 500_000_000n),
  ]
}

/** @param {IpPacket[]} packets @param {((packet: IpPacket) => Buffer) | undefined} clothe */
function frames(packets, clothe) {
  if (clothe === undefined) throw new TypeError('no such dress')
  return packets.map(packet => ({ ns: packet.ns, data: clothe(packet) }))
}

/** Every fixture by file name, and the flows that an unharmed one holds. */
export function fixtures() {
  const both = talks()
  const all = both.flatMap(talk => talk.packets)
  const v4 = both[0]?.packets ?? []
  const ether = frames(all, dress.ethernet)
  const count = all.length
  const whole = pcap(ether)
  const last = ether.at(-1)
  if (last === undefined) throw new RangeError('no packets')
  const lastAt = whole.length - pcapRecord(last, {}).length
  const tooLong = pcapRecord(last, {})
  tooLong.writeUInt32LE(OVER_LIMIT, 8)
  const pastEnd = pcapRecord(last, {})
  pastEnd.writeUInt32LE(200_000, 8)

  /** @type {(content: Buffer, purpose: string, packets?: number) => Fixture} */
  const good = (content, purpose, packets = count) => ({ content, purpose, packets, damage: null, damageOffset: 0 })
  /** @type {(content: Buffer, damage: string, damageOffset: number, packets: number, purpose: string) => Fixture} */
  const bad = (content, damage, damageOffset, packets, purpose) => ({ content, purpose, packets, damage, damageOffset })
  /** @type {(name: string, linkType: number, purpose: string, bigEndian?: boolean) => Fixture} */
  const link = (name, linkType, purpose, bigEndian = false) =>
    good(pcap(frames(all, dress[name]), { linkType, bigEndian }), purpose)

  return {
    flows: both.map(talk => talk.record.columns()),
    packetsPerFlow: both.map(talk => talk.packets.length),
    files: /** @type {Record<string, Fixture>} */ ({
      'capture-us-le.pcap': good(whole, 'Microseconds, little-endian: the plain case the others are compared with.'),
      'capture-us-be.pcap': good(pcap(ether, { bigEndian: true }), 'Microseconds, big-endian.'),
      'capture-ns-le.pcap': good(pcap(ether, { nano: true }), 'Nanoseconds, little-endian.'),
      'capture-ns-be.pcap': good(pcap(ether, { nano: true, bigEndian: true }), 'Nanoseconds, big-endian.'),
      'capture-snaplen-cut.pcap': good(pcap(ether, { snaplen: 80 }), 'Packets cut to 80 octets: headers whole, most options and payload gone.'),
      'capture-no-packets.pcap': good(pcapHeader({}), 'A header and nothing else: a good capture of no packets.', 0),
      'capture-empty.pcap': bad(Buffer.alloc(0), 'empty', 0, 0, 'No octet at all.'),
      'capture-magic-wrong.pcap': bad(Buffer.concat([Buffer.from('NOTA'), whole.subarray(4)]), 'magic', 0, 0, 'The first four octets are those of no capture format.'),
      'capture-header-cut.pcap': bad(whole.subarray(0, 17), 'truncated', 0, 0, 'Ends within the file header.'),
      'capture-record-cut.pcap': bad(whole.subarray(0, lastAt + 7), 'truncated', lastAt, count - 1, 'Ends within the last record’s header.'),
      'capture-last-cut.pcap': bad(whole.subarray(0, -5), 'truncated', lastAt, count - 1, 'Ends within the last packet.'),
      'capture-record-over-limit.pcap': bad(Buffer.concat([whole.subarray(0, lastAt), tooLong]), 'record length', lastAt, count - 1, 'The last record claims one octet more than 256 KiB.'),
      'capture-record-past-end.pcap': bad(Buffer.concat([whole.subarray(0, lastAt), pastEnd]), 'truncated', lastAt, count - 1, 'The last record claims 200,000 octets; the file ends long before.'),
      'link-vlan.pcap': link('vlan', LINK.ethernet, 'Ethernet with one 802.1Q tag.'),
      'link-qinq.pcap': link('qinq', LINK.ethernet, 'Ethernet with an 802.1ad and an 802.1Q tag.'),
      'link-raw.pcap': link('raw', LINK.raw, 'Raw IP, both versions (link type 101).'),
      'link-ipv4.pcap': good(pcap(frames(v4, dress.raw), { linkType: LINK.ipv4 }), 'Raw IPv4 (link type 228): the first flow only.', v4.length),
      'link-ipv6.pcap': good(pcap(frames(all.slice(v4.length), dress.raw), { linkType: LINK.ipv6 }), 'Raw IPv6 (link type 229): the second flow only.', count - v4.length),
      'link-null-le.pcap': link('nullLittle', LINK.null, 'BSD loopback, family in little-endian, IPv6 as macOS numbers it (30).'),
      'link-null-be.pcap': link('nullBig', LINK.null, 'BSD loopback in a big-endian file, IPv6 as FreeBSD numbers it (28).', true),
      'link-loop.pcap': link('loop', LINK.loop, 'OpenBSD loopback: the family in network byte order, IPv6 is 24.'),
      'link-sll.pcap': link('sll', LINK.sll, 'Linux cooked capture.'),
      'link-sll2.pcap': link('sll2', LINK.sll2, 'Linux cooked capture, version 2.'),
    }),
  }
}
