// The shipped capture: a few hosts, a dozen conversations, one of each thing that flow analysis has to get right.
// Each conversation states beside its making what a flow record must say of it. Addresses are those of RFC 5737 and
// RFC 3849, set aside for documentation.
import { LINK, inVlan, onEthernet, pcap } from './containers.mjs'
import { Conversation } from './conversation.mjs'
import { ACK, CWR, ECE, ETHERTYPE, PROTOCOL, PSH, RST, SYN, arp, dns, ethernet, icmp, ip, udp } from './packets.mjs'
import { newRecord } from './record.mjs'

/** @typedef {import('./containers.mjs').Frame} Frame */
/** @typedef {{ frames: Frame[], record: ReturnType<typeof newRecord> | null }} Part some frames, and their one flow */

/** 2026-01-05 10:00:00 UTC, and a number of microseconds that is no round one. */
const START = 1_767_607_200_012_345_000n
const FULL = { mss: 1460, windowScale: 7, sack: true, timestamps: true }
const SYN_ACK = SYN | ACK
const CLIENT = '192.0.2.10'
const CLIENT6 = '2001:db8::10'
const SERVER6 = '2001:db8:0:1::20'

/** @param {number} ms after the capture's start */
const at = ms => START + BigInt(ms) * 1_000_000n

/** Readable filler that differs at each place. @param {string} label @param {number} length */
export function filler(label, length) {
  let text = ''
  for (let line = 1; text.length < length; line += 1) text += `${label} line ${String(line).padStart(4, '0')}\r\n`
  return Buffer.from(text.slice(0, length))
}

/** @param {Conversation} talk @param {(packet: import('./containers.mjs').IpPacket) => Buffer} [clothe] @returns {Part} */
const framed = (talk, clothe = onEthernet) => ({
  frames: talk.packets.map(packet => ({ ns: packet.ns, data: clothe(packet) })),
  record: talk.record,
})

/** Handshake with all the usual options, a request, a response of three segments, an orderly close by the server. */
function web() {
  const talk = new Conversation(
    { client: CLIENT, server: '198.51.100.20', ports: [49_152, 80], start: at(0), isn: [0x1a2b3c4d, 0x5e6f7081], abilities: FULL },
    { syn: [SYN, SYN_ACK], fin: [true, true], connected: true },
  )
  talk.open().say('fwd', Buffer.from('GET /index.txt HTTP/1.1\r\nHost: example.com\r\n\r\n'))
  const body = filler('page', 3500)
  const head = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`)
  const response = Buffer.concat([head, body])
  talk.send('rev', ACK, { payload: response.subarray(0, 1448) }).send('rev', ACK, { payload: response.subarray(1448, 2896) })
  talk.wait(8000).send('fwd', ACK).say('rev', response.subarray(2896))
  return framed(talk.close('rev'))
}

/** IPv6 and ECN set-up; one segment lost before the capture point, one after it; both sent again. */
function loss() {
  const talk = new Conversation(
    { client: CLIENT6, server: SERVER6, ports: [50_001, 8080], start: at(150), isn: [0x00c0ffee, 0x0badcafe], abilities: { ...FULL, mss: 1440 } },
    { syn: [SYN | ECE | CWR, SYN_ACK | ECE], fin: [true, true], connected: true },
  )
  talk.open(SYN | ECE | CWR, SYN_ACK | ECE).say('fwd', Buffer.from('LIST\r\n'))
  const data = filler('list', 4000)
  const piece = (/** @type {number} */ i) => data.subarray(i * 1000, i * 1000 + 1000)
  talk.send('rev', ACK, { payload: piece(0) }).send('rev', ACK, { payload: piece(1), lost: 'before' })
  talk.send('rev', ACK, { payload: piece(2) }).wait(9000).send('fwd', ACK, { sack: [[2001, 3001]] })
  talk.send('rev', PSH | ACK, { payload: piece(3) }).wait(9000).send('fwd', ACK, { sack: [[2001, 4001]] })
  talk.wait(30_000).send('rev', ACK, { payload: piece(1), offset: 1001 }).wait(9000).send('fwd', ACK)
  // The capture point sees this request twice; the server only the second time.
  const request = Buffer.from('QUIT please\r\n')
  talk.wait(50_000).send('fwd', PSH | ACK, { payload: request, lost: 'after' })
  talk.wait(250_000).send('fwd', PSH | ACK, { payload: request, offset: 7 }).wait(9000).send('rev', ACK)
  return framed(talk.close('fwd'))
}

/** Four segments of which the second comes last; the server's sequence numbers pass 2^32 on the way. */
function reordered() {
  const talk = new Conversation(
    { client: '192.0.2.11', server: '198.51.100.21', ports: [50_002, 8080], start: at(400), isn: [0x7fffff00, 0xfffffc00], abilities: FULL },
    { syn: [SYN, SYN_ACK], fin: [true, true], connected: true },
  )
  talk.open().say('fwd', Buffer.from('SEND\r\n'))
  for (const [i, delay] of [0, 900, 0, 0].entries()) {
    talk.send('rev', i === 3 ? PSH | ACK : ACK, { payload: filler(`part ${i}`, 700), delay })
  }
  return framed(talk.wait(5000).send('fwd', ACK).close('fwd'))
}

/** The client gives up in the middle: a reset after data. */
function reset() {
  const talk = new Conversation(
    { client: '192.0.2.12', server: '198.51.100.22', ports: [50_003, 2222], start: at(700), isn: [0x31415926, 0x27182818], abilities: FULL },
    { syn: [SYN, SYN_ACK], rst: [true, false], connected: true },
  )
  return framed(talk.open().say('rev', Buffer.from('220 ready\r\n')).wait(40_000).send('fwd', RST | ACK))
}

/** Nobody listens: the SYN is answered by a reset. */
function refused() {
  const talk = new Conversation(
    { client: CLIENT6, server: SERVER6, ports: [50_004, 8081], start: at(900), isn: [0x00abcdef, 0], abilities: { ...FULL, mss: 1440 } },
    { syn: [SYN, null], rst: [false, true] },
  )
  return framed(talk.send('fwd', SYN).wait(15_000).send('rev', RST | ACK))
}

/** The first SYN is lost after the capture point and sent again a second later; no option but the segment size. */
function synAgain() {
  const talk = new Conversation(
    { client: '192.0.2.13', server: '198.51.100.23', ports: [50_005, 25], start: at(1000), isn: [0x10000000, 0x20000000], abilities: { mss: 536 } },
    { syn: [SYN, SYN_ACK], fin: [true, true], connected: true },
  )
  talk.send('fwd', SYN, { lost: 'after' }).wait(1_000_000)
  talk.send('fwd', SYN, { offset: 0 }).wait(30_000).send('rev', SYN_ACK).wait(500).send('fwd', ACK)
  talk.say('rev', Buffer.from('220 mail.example.com\r\n')).say('fwd', Buffer.from('QUIT\r\n'))
  return framed(talk.close('rev'))
}

/** A connection inside VLAN 100. */
function tagged() {
  const talk = new Conversation(
    { client: '203.0.113.5', server: '203.0.113.80', ports: [50_006, 443], start: at(2500), isn: [0x0a0a0a0a, 0x0b0b0b0b], abilities: { mss: 1456, windowScale: 8, sack: true } },
    { syn: [SYN, SYN_ACK], fin: [true, true], connected: true },
  )
  return framed(talk.open().say('fwd', filler('hello', 200)).say('rev', filler('welcome', 900)).close('fwd'), inVlan)
}

/** A connection older than the capture: data and acknowledgements only. */
function midstream() {
  const talk = new Conversation(
    { client: '192.0.2.14', server: '198.51.100.24', ports: [50_007, 9000], start: at(3000), isn: [0x44000000, 0x55000000], abilities: { timestamps: true } },
    {},
  )
  talk.join(1_000_000, 2_000_000)
  return framed(talk.say('fwd', filler('tick', 64)).wait(90_000).say('rev', filler('tock', 128)))
}

/**
 * Single packets of one flow that isn't TCP.
 *
 * @param {import('./record.mjs').FlowKey} key
 * @param {[direction: 'fwd' | 'rev', ns: bigint, src: string, dst: string, protocol: number, payload: Buffer][]} packets
 * @returns {Part}
 */
function datagrams(key, packets) {
  const record = newRecord(key)
  const frames = packets.map(([direction, ns, src, dst, protocol, payload], i) => {
    record.count(direction, 20 + payload.length, ns)
    return { ns, data: onEthernet({ ns, src, dst, packet: ip({ src, dst, protocol, id: i + 1 }, payload) }) }
  })
  return { frames, record }
}

/** A name looked up. */
function lookup() {
  const server = '198.51.100.53'
  const ask = udp({ src: CLIENT, dst: server, ports: [53_001, 53], payload: dns(0x1111, 'example.com') })
  const tell = udp({ src: server, dst: CLIENT, ports: [53, 53_001], payload: dns(0x1111, 'example.com', '198.51.100.20') })
  return datagrams({ sip: CLIENT, dip: server, sp: 53_001, dp: 53, proto: PROTOCOL.udp }, [
    ['fwd', at(-30), CLIENT, server, PROTOCOL.udp, ask],
    ['rev', at(-12), server, CLIENT, PROTOCOL.udp, tell],
  ])
}

/** A name asked of a host that serves none: port unreachable, which quotes the question and belongs to its flow. */
function lookupRefused() {
  const host = '198.51.100.54'
  const ask = udp({ src: CLIENT, dst: host, ports: [53_002, 53], payload: dns(0x2222, 'example.org') })
  const quoted = ip({ src: CLIENT, dst: host, protocol: PROTOCOL.udp, id: 1 }, ask)
  return datagrams({ sip: CLIENT, dip: host, sp: 53_002, dp: 53, proto: PROTOCOL.udp }, [
    ['fwd', at(3500), CLIENT, host, PROTOCOL.udp, ask],
    ['rev', at(3520), host, CLIENT, PROTOCOL.icmp, icmp(3, 3, 0, quoted)],
  ])
}

/** An echo and its reply: a flow without ports. */
function ping() {
  const host = '198.51.100.20'
  const body = filler('ping', 56)
  return datagrams({ sip: CLIENT, dip: host, sp: null, dp: null, proto: PROTOCOL.icmp }, [
    ['fwd', at(3700), CLIENT, host, PROTOCOL.icmp, icmp(8, 0, 0x00010001, body)],
    ['rev', at(3718), host, CLIENT, PROTOCOL.icmp, icmp(0, 0, 0x00010001, body)],
  ])
}

/** What no flow is made of: a request for a hardware address and its answer. @returns {Part} */
function neighbours() {
  const router = '192.0.2.1'
  const ask = ethernet({ src: CLIENT, dst: router, ethertype: ETHERTYPE.arp }, arp(1, CLIENT, router))
  const tell = ethernet({ src: router, dst: CLIENT, ethertype: ETHERTYPE.arp }, arp(2, router, CLIENT))
  return { frames: [{ ns: at(-50), data: ask }, { ns: at(-49), data: tell }], record: null }
}

/** The capture and what flow analysis must make of it, flows in the order of their first packets. */
export function sample() {
  const parts = [
    neighbours(), lookup(), web(), loss(), reordered(), reset(), refused(), synAgain(), tagged(), midstream(),
    lookupRefused(), ping(),
  ]
  const frames = parts.flatMap(part => part.frames).toSorted((a, b) => (a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0))
  const flows = parts.flatMap(({ frames: own, record }) =>
    record === null ? [] : [{ first_packet: 1 + Math.min(...own.map(frame => frames.indexOf(frame))), ...record.columns() }],
  )
  return {
    capture: pcap(frames, { linkType: LINK.ethernet }),
    expected: {
      capture: 'examples/captures/sample.pcap',
      packets: frames.length,
      not_ip: 2,
      flows: flows.toSorted((a, b) => a.first_packet - b.first_packet),
    },
  }
}
