// PATHspider's TCPChain and Observer, member by member: the documented meaning, on captures made by hand. Each test runs
// the chain in the engine, and in TypeScript.
import test from 'ava'
import * as tcpskein from '../src/index.js'
import {
  basicChain, noopChain, observe, Observer, tcpChain, tcpOptions, type AnyChain, type BasicFields, type Chain, type FlowBase,
  type ObserveOptions, type TcpFields,
} from '../src/index.js'
import { collect } from './support/collect.js'
import { icmpError, pcap, tcpFrame, udpFrame, type TcpFields as Frame } from './support/frames.js'

const [FIN, SYN, RST, ACK, ECE, CWR] = [1, 2, 4, 16, 64, 128]
const SECOND = 1_000_000_000n

/** A segment from the client, or from the server. */
const fwd = (flags: number, fields: Partial<Frame> = {}) => tcpFrame({ flags, ...fields })
const rev = (flags: number, fields: Partial<Frame> = {}) => tcpFrame({ flags, reversed: true, ports: [80, 1000], ...fields })

/** Frames a second apart. */
const capture = (...frames: Uint8Array[]): Uint8Array => pcap(frames.map((frame, i) => [BigInt(i) * SECOND, frame]))

type Both = FlowBase & BasicFields & TcpFields

const own = (chain: AnyChain): AnyChain => ({ ...chain })

/** The records of a capture, natively and in TypeScript. */
async function bothWays(octets: Uint8Array, options: Omit<ObserveOptions<readonly AnyChain[]>, 'chains'> = {}): Promise<Both[][]> {
  const chains = [basicChain(), tcpChain()]
  const native = await collect(observe(octets, { ...options, chains }))
  const script = await collect(observe(octets, { ...options, chains: [...chains.map(own), own(noopChain())] as never }))
  return [native, script] as unknown as Both[][]
}

test('TCPChain.new_flow: false, and null for SYN flags', async t => {
  for (const [record] of await bothWays(capture(fwd(ACK))))
    t.like(record, {
      tcp_synflags_fwd: null, tcp_synflags_rev: null, tcp_fin_fwd: false, tcp_fin_rev: false, tcp_rst_fwd: false, tcp_rst_rev: false,
      tcp_connected: false,
    })
})

test('TCPChain.tcp, SYN flags: the first SYN of a direction wins', async t => {
  const octets = capture(fwd(SYN | ECE | CWR), fwd(SYN), rev(SYN | ACK | ECE), rev(SYN | ACK))
  for (const [record] of await bothWays(octets)) t.like(record, { tcp_synflags_fwd: SYN | ECE | CWR, tcp_synflags_rev: SYN | ACK | ECE })
})

test('TCPChain.tcp, FIN and RST flags: for the direction in which they went', async t => {
  for (const [record] of await bothWays(capture(fwd(ACK), rev(FIN | ACK))))
    t.like(record, { tcp_fin_fwd: false, tcp_fin_rev: true, tcp_rst_fwd: false, tcp_rst_rev: false })
  for (const [record] of await bothWays(capture(fwd(ACK), fwd(FIN), rev(RST))))
    t.like(record, { tcp_fin_fwd: true, tcp_fin_rev: false, tcp_rst_fwd: false, tcp_rst_rev: true })
  for (const [record] of await bothWays(capture(fwd(RST)))) t.like(record, { tcp_rst_fwd: true, tcp_rst_rev: false })
})

test('TCPChain.tcp, 3WHS: SYN, SYN and ACK back, ACK', async t => {
  const steps = [fwd(SYN, { seq: 1 }), rev(SYN | ACK, { seq: 9, ack: 2 }), fwd(ACK, { seq: 2, ack: 10 })]
  for (const [record] of await bothWays(capture(...steps))) t.true(record!.tcp_connected)
  for (const left of [0, 1, 2])
    for (const [record] of await bothWays(capture(...steps.filter((_, i) => i !== left)))) t.false(record!.tcp_connected)
})

test('TCPChain.tcp, flow completion: a FIN of each direction, or any RST', async t => {
  const reasons = async (...frames: Uint8Array[]) => (await bothWays(capture(...frames))).map(([record]) => record!.end_reason)
  t.deepEqual(await reasons(fwd(FIN), rev(FIN)), ['complete', 'complete'])
  t.deepEqual(await reasons(fwd(FIN), fwd(FIN)), ['flush', 'flush'])
  t.deepEqual(await reasons(fwd(ACK), rev(RST)), ['complete', 'complete'])
})

test('a hook that answers false: the flow is complete', async t => {
  const third: Chain<{ seen: number }> = {
    name: 'third',
    newFlow: () => ({ seen: 0 }),
    tcp: record => (record.seen += 1) < 3,
  }
  const frames = [1, 2, 3, 4].map(() => fwd(ACK))
  const records = await collect(observe(capture(...frames), { chains: [third], expiryTimeout: 0 }))
  t.deepEqual(records.map(({ seen, end_reason }) => [seen, end_reason]), [[3, 'complete'], [1, 'flush']])
})

test('new_flow that answers false: the flow is ignored', async t => {
  const picky: Chain<{ kept: boolean }> = { name: 'picky', newFlow: packet => (packet.upperProtocol === 17 ? { kept: true } : false) }
  const observer = observe(capture(fwd(SYN), udpFrame({}), fwd(ACK)), { chains: [picky] })
  t.deepEqual((await collect(observer)).map(({ kept }) => kept), [true])
  t.is(observer.stats.ignored, 2)
})

test('hooks ip4, ip6, icmp4, icmp6, tcp, udp: the packet, the direction, and what an ICMP error quotes', async t => {
  const heard: string[] = []
  const chain: Chain<{ n: number }> = {
    name: 'heard',
    newFlow: () => ({ n: 0 }),
    ip4: (_, packet, direction) => void heard.push(`ip4 ${packet.source} ${direction}`),
    ip6: (_, packet, direction) => void heard.push(`ip6 ${packet.source} ${direction}`),
    tcp: (_, segment, direction) => void heard.push(`tcp ${segment.dstPort} ${direction}`),
    udp: (_, datagram, direction) => void heard.push(`udp ${datagram.dstPort} ${direction}`),
    icmp4: (_, message, direction, quoted) => void heard.push(`icmp4 ${message.type} ${direction} ${quoted?.destinationPort}`),
  }
  const octets = capture(fwd(SYN), rev(SYN | ACK), udpFrame({}), icmpError(fwd(SYN), 3), fwd(SYN, { v6: true }))
  await collect(observe(octets, { chains: [chain] }))
  t.deepEqual(heard, [
    'ip4 10.0.0.1 fwd', 'tcp 80 fwd', 'ip4 10.0.0.2 rev', 'tcp 1000 rev', 'ip4 10.0.0.1 fwd', 'udp 53 fwd', 'ip4 10.0.0.9 rev',
    'icmp4 3 rev 80', 'ip6 fd00::1 fwd', 'tcp 80 fwd',
  ])
})

test('Observer: idle_timeout 30, expiry_timeout 5, aggregate', async t => {
  const at = (second: number, frame: Uint8Array): [bigint, Uint8Array] => [BigInt(second) * SECOND, frame]
  const other = (second: number) => at(second, udpFrame({}))
  const ends = async (octets: Uint8Array, options = {}) => (await bothWays(octets, options)).map(records => records.filter(({ proto }) => proto === 6).map(({ end_reason, pkt_fwd }) => [end_reason, pkt_fwd]))
  const idle = pcap([at(0, fwd(ACK)), other(20), other(40), at(41, fwd(ACK))])
  t.deepEqual(await ends(idle), [[['idle', 1], ['flush', 1]], [['idle', 1], ['flush', 1]]])
  t.deepEqual(await ends(idle, { idleTimeout: 50 }), [[['flush', 2]], [['flush', 2]]])
  const late = pcap([at(0, fwd(RST)), at(4, fwd(RST)), other(9), at(10, fwd(RST))])
  t.deepEqual(await ends(late), [[['complete', 2], ['complete', 1]], [['complete', 2], ['complete', 1]]])
  const observer = new Observer(capture(fwd(SYN), udpFrame({})), { chains: [basicChain()], aggregate: true })
  t.is((await collect(observer)).length, 1)
})

test('statistics: packets, short and non-IP ones, flows, ignored ones', async t => {
  const noIp = Uint8Array.from(fwd(SYN))
  noIp.set([0x08, 0x06], 12)
  // Behind the IPv4 header are two octets of the four that ports take.
  const short = fwd(SYN).subarray(0, 14 + 20 + 2)
  const picky: Chain<{ n: number }> = { name: 'picky', newFlow: packet => (packet.destinationPort === 80 ? { n: 0 } : false) }
  const octets = capture(fwd(SYN), rev(SYN | ACK), noIp, short, fwd(SYN, { ports: [1000, 81] }), fwd(ACK, { ports: [1000, 81] }))
  const observer = observe(octets, { chains: [basicChain(), picky] })
  await collect(observer)
  t.like(observer.stats, { packets: 6, dropped: 0, shortKey: 1, nonIp: 1, flows: 1, ignored: 2 })
  const native = observe(octets, { chains: [basicChain()] })
  await collect(native)
  t.like(native.stats, { packets: 6, dropped: 0, shortKey: 1, nonIp: 1, flows: 2, ignored: 0 })
})

test('TCP_* and TO_*: the documented numbers', t => {
  const documented: Record<string, unknown> = {
    TCP_ACK: 16, TCP_CWR: 128, TCP_ECE: 64, TCP_FIN: 1, TCP_PSH: 8, TCP_RST: 4, TCP_SA: 18, TCP_SAE: 82, TCP_SAEC: 210,
    TCP_SEC: 194, TCP_SYN: 2, TCP_URG: 32, TO_EOL: 0, TO_EXID_FASTOPEN: [249, 137], TO_EXPA: 254, TO_EXPB: 255, TO_FASTOPEN: 34,
    TO_MPTCP: 30, TO_MSS: 2, TO_NOP: 1, TO_SACK: 5, TO_SACKOK: 4, TO_TS: 8, TO_WS: 3,
  }
  for (const [name, value] of Object.entries(documented)) t.deepEqual((tcpskein as Record<string, unknown>)[name], value, name)
})

test('tcp_options: a mapping of kinds to values', async t => {
  const options = Uint8Array.of(2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 1, 0)
  let found: [number, number[]][] = []
  const chain: Chain<{ n: number }> = {
    name: 'options',
    newFlow: () => ({ n: 0 }),
    tcp: (_, segment) => void (found = [...tcpOptions(segment)].map(([kind, value]) => [kind, [...value]])),
  }
  await collect(observe(capture(fwd(SYN, { options })), { chains: [chain] }))
  t.deepEqual(found, [[2, [5, 0xb4]], [3, [7]], [4, []]])
})
