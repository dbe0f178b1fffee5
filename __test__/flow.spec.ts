// The flow table: timers, eviction, aggregation, and which packets belong together.
import test from 'ava'
import { PROTOCOL, icmp } from '../scripts/captures/packets.mjs'
import { basicChain, observe, tcpChain, type ObserveOptions } from '../src/index.js'
import { collect } from './support/collect.js'
import { modelFlows, type ModelFlow, type ModelOptions, type ModelPacket } from './support/observer-model.js'
import { captureOf, ipPacket, type Sketch } from './support/packets.js'

const chains = [basicChain(), tcpChain()] as const
const RST = 0x04
const ACK = 0x10

const read = (sketches: readonly Sketch[], options: ObserveOptions<typeof chains> = {}) =>
  collect(observe(captureOf(sketches), { chains, ...options }))

/** Times here are whole microseconds, which a double holds. */
const seconds = (ns: bigint): number => Number(ns / 1000n) / 1e6

/** The records in the model's terms. */
async function modelOf(packets: readonly ModelPacket[], options: ModelOptions): Promise<ModelFlow[]> {
  const sketches = packets.map(packet => ({ ...packet, flags: packet.completes ? RST : ACK }))
  const records = await read(sketches, { ...options })
  return records.map(({ flow_id, sip, sp, first_ns, last_ns, pkt_fwd, pkt_rev, end_reason }) => {
    return { flow_id, sip, sp: sp!, end_reason, pkt_fwd, pkt_rev, first: seconds(first_ns), last: seconds(last_ns) }
  })
}

/** Numbers that look random and are the same each time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761
  return below => {
    state = (state ^ (state << 13)) >>> 0
    state = (state ^ (state >>> 17)) >>> 0
    state = (state ^ (state << 5)) >>> 0
    return state % below
  }
}

/** Packets of a few 5-tuples, with pauses from microseconds to minutes. */
function randomPackets(seed: number, disorder: boolean): ModelPacket[] {
  const random = randomFrom(seed)
  const tuples = 1 + random(5)
  let micros = 1_700_000_000_000_000 + random(2_000_000)
  return Array.from({ length: 2 + random(60) }, () => {
    // A quarter of the pauses ends at a whole second, where a timer's time is hit exactly.
    const scale = [1, 1000, 1_000_000, 4_000_000][random(4)]!
    micros += random(12) * scale
    if (random(4) === 0) micros = Math.ceil(micros / 1e6) * 1e6
    const late = disorder && random(4) === 0 ? random(20) * 1_000_000 : 0
    const tuple = random(tuples)
    const [src, dst] = ['192.0.2.1', `198.51.100.${tuple}`]
    const packet = { at: (micros - late) / 1e6, completes: random(8) === 0 }
    if (random(3) === 0) return { ...packet, src: dst, dst: src, ports: [80, 1000] }
    return { ...packet, src, dst, ports: [1000, 80] }
  })
}

const OPTIONS: readonly ModelOptions[] = [
  { idleTimeout: 30, expiryTimeout: 5 },
  { idleTimeout: 3, expiryTimeout: 1 },
  { idleTimeout: 2.5, expiryTimeout: 0.5 },
  { idleTimeout: 1, expiryTimeout: 7 },
  { idleTimeout: 4, expiryTimeout: 0 },
  { idleTimeout: 0, expiryTimeout: 2 },
]

for (const disorder of [false, true]) {
  test(`flows end as in a naive model of PATHspider's Observer${disorder ? ', packets out of order in time' : ''}`, async t => {
    const reasons = new Map<string, number>()
    for (let seed = 1; seed <= 200; seed++) {
      const packets = randomPackets(seed, disorder)
      const options = OPTIONS[seed % OPTIONS.length]!
      const wanted = modelFlows(packets, options)
      const found = await modelOf(packets, options)
      t.deepEqual(found, wanted, `seed ${seed}`)
      for (const { end_reason: reason } of wanted) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    }
    t.log([...reasons].map(([reason, count]) => `${count} ${reason}`).join(', '))
    for (const reason of ['complete', 'idle', 'flush']) t.true((reasons.get(reason) ?? 0) > 50)
  })
}

test('a full table ends the flow that completed first, else the one seen least recently, and counts it', async t => {
  let evicted = 0
  for (let seed = 1; seed <= 100; seed++) {
    const packets = randomPackets(seed, false)
    const options = { ...OPTIONS[seed % OPTIONS.length]!, maxFlows: 1 + (seed % 3) }
    const wanted = modelFlows(packets, options)
    t.deepEqual(await modelOf(packets, options), wanted, `seed ${seed}`)
    evicted += wanted.filter(flow => flow.end_reason === 'evicted').length
  }
  t.true(evicted > 50)
  const strangers = Array.from({ length: 10 }, (_, i) => ({ at: 1 + i / 10, src: '192.0.2.1', dst: '198.51.100.1', ports: [i, 9] as [number, number] }))
  const observer = observe(captureOf(strangers), { maxFlows: 4 })
  const records = await collect(observer)
  t.deepEqual(records.map(record => [record.flow_id, record.end_reason]), [
    ...[0, 1, 2, 3, 4, 5].map(id => [id, 'evicted']),
    ...[6, 7, 8, 9].map(id => [id, 'flush']),
  ])
  t.deepEqual([observer.stats.evicted, observer.stats.flows, observer.stats.openFlows], [6, 10, 0])
})

const [a, b] = ['192.0.2.1', '198.51.100.1']

test('an idle flow takes packets until it expires; then they open a new one', async t => {
  const flow = { src: a, dst: b, ports: [1, 2] as [number, number] }
  const other = { src: a, dst: b, ports: [3, 4] as [number, number] }
  const times = [0.5, 30.1, 35, 35.001, 36].map(after => Object.assign({ at: 1000 + after }, flow))
  const sorted = [...times, { ...other, at: 1030.05 }].toSorted((x, y) => x.at - y.at)
  const records = (await read(sorted)).filter(record => record.sp === 1)
  // A deadline is the whole second at or after it, and so is the time of a packet: 1000.5 + 30 comes with 1030.05
  // already, and what goes idle at 1031 is gone with the first packet after 1035.
  t.deepEqual(records.map(r => [r.pkt_fwd, r.pkt_first, r.pkt_last, r.end_reason]), [
    [3, 1000.5, 1035, 'idle'],
    [2, 1035.001, 1036, 'flush'],
  ])
})

test('timeouts of Infinity keep flows for ever', async t => {
  const flow = { src: a, dst: b, ports: [1, 2] as [number, number] }
  const packets = [{ ...flow, at: 1, flags: RST }, { ...flow, at: 2_000_000_000, flags: ACK }, { ...flow, at: 4_000_000_000, flags: ACK }]
  const records = await read(packets, { idleTimeout: Infinity, expiryTimeout: Infinity })
  t.deepEqual(records.map(record => [record.pkt_fwd, record.end_reason]), [[3, 'complete']])
})

test('only the tcp chain completes flows', async t => {
  const flow = { src: a, dst: b, ports: [1, 2] as [number, number] }
  const packets = [{ ...flow, at: 1, flags: RST }, { ...flow, at: 20, flags: ACK }]
  t.is((await read(packets)).length, 2)
  const records = await collect(observe(captureOf(packets), { chains: [basicChain()] }))
  t.deepEqual(records.map(record => [record.pkt_fwd, record.end_reason]), [[2, 'flush']])
})

test('aggregate makes one flow of all packets, all of them forward', async t => {
  const packets: Sketch[] = [
    { src: a, dst: b, ports: [1, 2], at: 1 },
    { src: b, dst: a, ports: [2, 1], at: 2 },
    { src: '2001:db8::1', dst: '2001:db8::2', at: 3 },
  ]
  const records = await read(packets, { aggregate: true })
  t.deepEqual(records.map(r => [r.sip, r.dp, r.pkt_fwd, r.pkt_rev, r.pkt_last]), [[a, 2, 3, 0, 3]])
})

test('protocols without ports give flows by addresses and protocol', async t => {
  const packets: Sketch[] = [
    { src: a, dst: b, at: 1, protocol: 89 },
    { src: b, dst: a, at: 2, protocol: 89 },
    { src: a, dst: b, at: 3, protocol: 47 },
    { src: '2001:db8::1', dst: '2001:db8::2', at: 4, protocol: 89 },
    { src: '2001:db8::2', dst: '2001:db8::1', at: 5, protocol: 89 },
    { src: a, dst: b, at: 6, ports: [0, 0] },
  ]
  const records = await read(packets)
  t.deepEqual(records.map(r => [r.sip, r.dip, r.sp, r.dp, r.proto, r.pkt_fwd, r.pkt_rev, r.oct_fwd]), [
    [a, b, null, null, 89, 1, 1, 24],
    [a, b, null, null, 47, 1, 0, 24],
    ['2001:db8::1', '2001:db8::2', null, null, 89, 1, 1, 44],
    [a, b, 0, 0, 17, 1, 0, 32],
  ])
})

test('protocol, version and ports tell flows apart; a flow to oneself has one direction', async t => {
  const packets: Sketch[] = [
    { src: a, dst: b, ports: [1, 2], at: 1 },
    { src: a, dst: b, ports: [1, 2], at: 2, flags: ACK },
    { src: a, dst: b, ports: [2, 1], at: 3 },
    { src: a, dst: a, ports: [5, 5], at: 4 },
    { src: a, dst: a, ports: [5, 5], at: 5 },
  ]
  const records = await read(packets)
  t.deepEqual(records.map(r => [r.proto, r.sp, r.pkt_fwd, r.pkt_rev]), [[17, 1, 1, 0], [6, 1, 1, 0], [17, 2, 1, 0], [17, 5, 2, 0]])
})

test('an ICMP error counts to the flow that it quotes, against the quoted packet', async t => {
  const router = '203.0.113.9'
  const probe: Sketch = { src: a, dst: b, ports: [1000, 33_434], at: 1 }
  const error = (type: number, quote: Buffer, at: number): Sketch => {
    return { src: router, dst: a, at, protocol: PROTOCOL.icmp, payload: icmp(type, 0, 0, quote) }
  }
  const unknown = ipPacket({ src: a, dst: b, ports: [7, 8], at: 0 })
  const packets = [
    probe,
    // Time exceeded: 20 octets of header and 8 of payload, as RFC 792 has it.
    error(11, ipPacket(probe).subarray(0, 28), 2),
    error(3, ipPacket(probe), 3),
    // An echo reply quotes nothing: addresses and protocol.
    error(0, ipPacket(probe), 4),
    // Too short to hold the ports.
    error(3, ipPacket(probe).subarray(0, 20), 5),
    // The quoted packet was never seen: its flow begins with the error.
    error(3, unknown, 6),
  ]
  const observer = observe(captureOf(packets), { chains })
  const records = (await collect(observer)).toSorted((x, y) => x.flow_id - y.flow_id)
  t.deepEqual(records.map(r => [r.sip, r.dip, r.proto, r.sp, r.pkt_fwd, r.pkt_rev, r.first_packet]), [
    [a, b, 17, 1000, 1, 2, 1],
    [router, a, 1, null, 2, 0, 4],
    [router, a, 1, null, 1, 0, 6],
  ])
  t.is(observer.stats.quoted, 3)
})
