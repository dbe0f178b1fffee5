// A user's own chains: hooks, views, verdicts, and what happens when a hook throws.
import test from 'ava'
import {
  basicChain, ChainError, noopChain, observe, OptionError, TCP_ACK, TCP_FIN, TCP_SYN, tcpChain,
  type AnyChain, type Chain, type Direction,
} from '../src/index.js'
import { pcap, tcpFrame, udpFrame, icmpError, type TcpFields } from './support/frames.js'
import { canCount, threads, threadsLeft } from './support/resources.js'

const MS = 1_000_000n
const SEC = 1000n * MS

/** A segment of one flow, with an ACK. */
const segment = (fields: Partial<TcpFields> = {}) => tcpFrame({ seq: 1, flags: TCP_ACK, ...fields })

async function collect(capture: Uint8Array, chains: AnyChain[], options: object = {}): Promise<Record<string, unknown>[]> {
  const out: Record<string, unknown>[] = []
  for await (const flow of observe(capture, { chains, ...options })) out.push({ ...flow })
  return out
}

test('a hook\'s false completes the flow at exactly that packet', async t => {
  const counter: Chain<{ n: number }> = {
    name: 'counter',
    newFlow: () => ({ n: 0 }),
    tcp: record => (record.n += 1) !== 3,
  }
  // The third packet is at 10 s: complete then, emitted when packet time passes 15 s. Packets until then are late ones.
  const times = [9, 9.5, 10, 12, 14, 15.1, 16]
  const capture = pcap(times.map(time => [BigInt(Math.round(time * 10)) * 100n * MS, segment()]))
  const flows = await collect(capture, [counter, basicChain()])
  t.deepEqual(flows.map(({ n, pkt_fwd, end_reason }) => ({ n, pkt_fwd, end_reason })), [
    { n: 5, pkt_fwd: 5, end_reason: 'complete' },
    { n: 2, pkt_fwd: 2, end_reason: 'flush' },
  ])
})

test('every chain sees the packet that completes the flow', async t => {
  const seen: string[] = []
  const chain = (name: string, verdict: boolean): Chain => ({ name, newFlow: () => ({}), tcp: () => (seen.push(name), verdict) })
  await collect(pcap([[0n, segment()]]), [chain('a', false), chain('b', true), chain('c', false)])
  t.deepEqual(seen, ['a', 'b', 'c'])
})

test('hooks come in PATHspider\'s order: newFlow, IP, ICMP, upper layer', async t => {
  const seen: string[] = []
  const chain: Chain = {
    name: 'order',
    newFlow: () => (seen.push('newFlow'), {}),
    ip4: () => void seen.push('ip4'),
    ip6: () => void seen.push('ip6'),
    icmp4: () => void seen.push('icmp4'),
    icmp6: () => void seen.push('icmp6'),
    tcp: () => void seen.push('tcp'),
    udp: () => void seen.push('udp'),
  }
  const udp = udpFrame({ payload: Uint8Array.of(1, 2, 3) })
  await collect(pcap([[0n, segment()], [MS, udp], [2n * MS, icmpError(udp, 3)], [3n * MS, segment({ v6: true })]]), [chain])
  t.deepEqual(seen, ['newFlow', 'ip4', 'tcp', 'newFlow', 'ip4', 'udp', 'ip4', 'icmp4', 'newFlow', 'ip6', 'tcp'])
})

test('newFlow\'s false ignores the flow from then on', async t => {
  let asked = 0
  const picky: Chain = {
    name: 'picky',
    newFlow(packet) {
      asked += 1
      return packet.destinationPort === 80 || packet.sourcePort === 80 ? {} : false
    },
  }
  const frames = [segment(), segment({ ports: [1000, 443] }), segment({ ports: [443, 1000], reversed: true }), segment({ ports: [1000, 443] })]
  const observer = observe(pcap(frames.map((frame, i) => [BigInt(i) * MS, frame])), { chains: [picky, basicChain()] })
  const flows: unknown[] = []
  for await (const flow of observer) flows.push(flow.dp)
  t.deepEqual(flows, [80])
  t.is(asked, 2)
  t.is(observer.stats.ignored, 3)
  t.is(observer.stats.flows, 1)
})

test('the table of ignored flows is bounded: the first one is forgotten', async t => {
  const asked: (number | null)[] = []
  const none: Chain = { name: 'none', newFlow: packet => (asked.push(packet.sourcePort), false) }
  const frames = [1, 2, 3, 3, 1].map((port, i): [bigint, Uint8Array] => [BigInt(i) * MS, segment({ ports: [port, 80] })])
  t.deepEqual(await collect(pcap(frames), [none], { maxFlows: 2 }), [])
  t.deepEqual(asked, [1, 2, 3, 1])
})

test('views read every field of a segment', async t => {
  const fields: Record<string, unknown>[] = []
  const chain: Chain = {
    name: 'fields',
    newFlow: () => ({}),
    tcp(_, s, direction) {
      const { srcPort, dstPort, seq, ack, dataOffset, reserved, flags, ae, window, checksum, urgentPointer, payloadLength, timestampNs, packetNumber } = s
      const { source, destination, ttl, identification, dontFragment, totalLength, dscp, ecn } = s.ip as typeof s.ip & { version: 4 }
      fields.push({
        srcPort, dstPort, seq, ack, dataOffset, reserved, flags, ae, window, checksum, urgentPointer, payloadLength, timestampNs,
        packetNumber, source, destination, ttl, identification, dontFragment, totalLength, dscp, ecn, direction,
        options: [...s.options], payload: [...s.payload],
      })
    },
  }
  const frame = segment({
    seq: 0xfedc_ba98, ack: 0x8000_0001, reserved: 0b101, flags: 0xd2, ae: true, window: 0xfffe, checksum: 0xabcd, urgent: 0x1234,
    options: Uint8Array.of(2, 4, 5, 0xb4), payload: Uint8Array.of(7, 8, 9), tos: 0xb9, ttl: 63, id: 0xbeef, df: true,
  })
  await collect(pcap([[1_700_000_000n * SEC + 123_456_000n, frame]]), [chain])
  t.deepEqual(fields, [{
    srcPort: 1000, dstPort: 80, seq: 0xfedc_ba98, ack: 0x8000_0001, dataOffset: 6, reserved: 0b1011, flags: 0xd2, ae: true, window: 0xfffe,
    checksum: 0xabcd, urgentPointer: 0x1234, payloadLength: 3, timestampNs: 1_700_000_000_123_456_000n, packetNumber: 1,
    source: '10.0.0.1', destination: '10.0.0.2', ttl: 63, identification: 0xbeef, dontFragment: true, totalLength: 47,
    dscp: 0x2e, ecn: 1, direction: 'fwd', options: [2, 4, 5, 0xb4], payload: [7, 8, 9],
  }])
})

test('hooks that are async are refused, and a promise from newFlow is no record', async t => {
  const mine = (hooks: object) => ({ name: 'mine', newFlow: () => ({}), ...hooks })
  const says = (chain: object, hook: string) =>
    t.throws(() => observe('capture.pcap', { chains: [chain] as never }), {
      instanceOf: OptionError,
      message: `chains: the hook ${hook} of 'mine' is async; hooks are called for each packet, and not waited for`,
    })
  says(mine({ newFlow: async () => ({}) }), 'newFlow')
  says(mine({ async tcp() {} }), 'tcp')
  says(mine({ *udp() {} }), 'udp')
  const later = mine({ newFlow: () => Promise.reject(new Error('never seen')) })
  const error = await t.throwsAsync(collect(pcap([[0n, segment()]]), [later as never]), { instanceOf: ChainError })
  t.regex(error!.message, /newFlow gave a promise, but hooks are not waited for/)
})

test('a function that is no hook is an error that says what may have been meant', t => {
  const chain = (more: object): AnyChain => ({ name: 'mine', newFlow: () => ({}), ...more })
  const says = (more: object, message: string) =>
    t.throws(() => observe('capture.pcap', { chains: [chain(more)] }), { instanceOf: OptionError, message })
  says({ tcpp: () => true }, "chains: 'mine' has a function tcpp, which is no hook; did you mean tcp?")
  says({ ipv6: () => true }, "chains: 'mine' has a function ipv6, which is no hook; did you mean ip6?")
  says({ segment: () => true }, "chains: 'mine' has a function segment, which is no hook; there are newFlow, ip4, ip6, icmp4, icmp6, tcp, udp")
  says({ tcp: 'yes' }, "chains: the hook tcp of 'mine' is no function")
  t.notThrows(() => observe('capture.pcap', { chains: [chain({ seen: new Map(), limit: 3 })] }))
  class Counter implements Chain {
    name = 'counter'
    newFlow = () => ({})
    remember() {}
  }
  t.notThrows(() => observe('capture.pcap', { chains: [new Counter()] }))
  class Misspelt extends Counter {
    udpp() {}
  }
  t.throws(() => observe('capture.pcap', { chains: [new Misspelt()] }), { instanceOf: OptionError, message: /udpp.*mean udp\?/ })
})

test('an ICMP error gives the packet that it quotes, and goes against it', async t => {
  const seen: unknown[] = []
  const chain: Chain = {
    name: 'quotes',
    newFlow: () => ({}),
    icmp4: (_, message, direction, quote) =>
      void seen.push([message.type, message.code, direction, quote?.source, quote?.sourcePort, quote?.udp?.dstPort, message.ip.source]),
  }
  const udp = udpFrame({ payload: Uint8Array.of(1) })
  await collect(pcap([[0n, udp], [MS, icmpError(udp, 3, 1)], [2n * MS, icmpError(udp, 8)]]), [chain])
  t.deepEqual(seen, [
    [3, 1, 'rev', '10.0.0.1', 1000, 53, '10.0.0.9'],
    [8, 0, 'fwd', undefined, undefined, undefined, '10.0.0.9'],
  ])
})

// By itself: other readers have threads too.
test.serial('what a hook throws ends the loop behind the records that were ready, with chain, hook, packet and cause', async t => {
  const cause = new RangeError('too many')
  const thrower: Chain<{ n: number }> = {
    name: 'thrower',
    newFlow: () => ({ n: 0 }),
    tcp(record, { packetNumber, flags }) {
      if (packetNumber === 4) throw cause
      record.n += 1
      return (flags & TCP_FIN) === 0
    },
  }
  const late = 100n * SEC
  const frames: [bigint, Uint8Array][] = [
    [0n, segment()], [MS, segment({ flags: TCP_FIN })], [late, segment({ ports: [2, 80] })], [late + MS, segment()], [late + 2n * MS, segment()],
  ]
  await collect(pcap(frames), [basicChain()])
  const before = canCount ? threads() : 0
  const flows: unknown[] = []
  const error = await t.throwsAsync(
    async () => {
      for await (const flow of observe(pcap(frames), { chains: [thrower] })) flows.push(flow.n)
    },
    { instanceOf: ChainError },
  )
  t.deepEqual(flows, [2])
  t.is(error.code, 'ERR_CHAIN')
  t.deepEqual([error.chain, error.hook, error.packet, error.cause], ['thrower', 'tcp', 4, cause])
  t.is(error.message, 'chain \'thrower\', hook tcp, packet 4: too many')
  if (!canCount) return t.log('skipped in part: threads are counted on Linux only')
  t.is(await threadsLeft(before), 0, 'a thread is left')
})

test('newFlow\'s exception and wrong answers are named too', async t => {
  const chain = (newFlow: () => unknown): AnyChain => ({ name: 'odd', newFlow }) as AnyChain
  for (const newFlow of [() => undefined, () => true, () => 1, () => { throw new Error('no') }]) {
    const error = await t.throwsAsync(collect(pcap([[0n, segment()]]), [chain(newFlow)]), { instanceOf: ChainError })
    t.deepEqual([error.hook, error.packet], ['newFlow', 1])
  }
})

test('two chains with the same column are refused', async t => {
  const twin = { ...basicChain(), name: 'twin' }
  // @ts-expect-error the type checker sees it too
  t.throws(() => observe('x', { chains: [basicChain(), twin] }), { instanceOf: OptionError, message: /'basic' and 'twin' both have a column sip/ })
  const late: Chain<{ tcp_connected: number }> = { name: 'late', newFlow: () => ({ tcp_connected: 1 }) }
  await t.throwsAsync(collect(pcap([[0n, segment()]]), [tcpChain(), late]), { instanceOf: OptionError, message: /'tcp' and 'late'/ })
  const base: Chain<{ flow_id: number }> = { name: 'base', newFlow: () => ({ flow_id: 1 }) }
  await t.throwsAsync(collect(pcap([[0n, segment()]]), [base]), { instanceOf: OptionError, message: /every flow record.*flow_id/ })
  // @ts-expect-error a chain needs newFlow
  t.throws(() => observe('x', { chains: [{ name: 'a' }] }), { instanceOf: OptionError })
})

for (const [way, extra] of [['natively', []], ['in TypeScript', [{ ...noopChain() }]]] as const)
  test(`flush ends the open flows and goes on, ${way}`, async t => {
    async function* chunks() {
      const whole = pcap([[0n, segment()], [MS, segment({ ports: [2, 80] })], [2n * MS, segment()]])
      yield whole.subarray(0, 24 + 2 * (16 + 54))
      await flushed
      yield whole.subarray(24 + 2 * (16 + 54))
    }
    let done = () => {}
    const flushed = new Promise<void>(resolve => {
      done = resolve
    })
    const observer = observe(chunks(), { chains: [basicChain(), ...extra] })
    const first = observer.next()
    while (observer.stats.packets < 2) await new Promise(resolve => {
      setTimeout(resolve, 1)
    })
    observer.flush()
    done()
    const flows: unknown[] = [(await first).value]
    for await (const flow of observer) flows.push(flow)
    t.deepEqual(
      flows.map(flow => [(flow as { sp: number }).sp, (flow as { pkt_fwd: number }).pkt_fwd, (flow as { end_reason: string }).end_reason]),
      [[1000, 1, 'flush'], [2, 1, 'flush'], [1000, 1, 'flush']],
    )
  })

for (const engine of ['native', 'js'] as const)
  test(`a hook may end all flows: those that follow begin new ones, ${engine}`, async t => {
    let n = 0
    const ender: Chain<{ seen: number }> = {
      name: 'ender',
      newFlow: () => ({ seen: 0 }),
      tcp(record) {
        record.seen += 1
        if ((n += 1) === 5) observer.flush()
      },
    }
    // Two flows in turn, within one second: the flush comes in the midst of packets whose flows are known.
    const frames = Array.from({ length: 9 }, (_, i): [bigint, Uint8Array] => [BigInt(i) * MS + MS, segment({ ports: [1 + (i % 2), 80] })])
    const observer = observe(pcap(frames), { chains: [ender, basicChain()], engine })
    const flows: unknown[][] = []
    for await (const { flow_id, sp, seen, last_ns, first_packet } of observer) flows.push([flow_id, sp, seen, last_ns / MS, first_packet])
    t.deepEqual(flows, [[0, 1, 3, 5n, 1], [1, 2, 2, 4n, 2], [2, 2, 2, 8n, 6], [3, 1, 2, 9n, 7]])
  })

for (const engine of ['native', 'js'] as const)
  test(`what was not captured of a header reads as 0, ${engine}`, async t => {
    const fields: number[][] = []
    const chain: Chain = {
      name: 'fields',
      newFlow: () => ({}),
      tcp: (_, tcp) => void fields.push([tcp.srcPort, tcp.dstPort, tcp.seq, tcp.ack, tcp.dataOffset, tcp.flags, tcp.window, tcp.checksum > 0 ? 1 : 0]),
    }
    const whole = segment({ seq: 0xfedc_ba98, ack: 0x8765_4321, window: 0xabcd })
    whole.set([0x12, 0x34], 14 + 20 + 16)
    // As much of the TCP header; with 13 octets there are no flags, so it is no segment.
    const frames = [13, 14, 15, 16, 17, 18, 20].map((length, i): [bigint, Uint8Array] => [BigInt(i) * MS, whole.subarray(0, 14 + 20 + length)])
    await collect(pcap(frames), [chain], { engine })
    const start = [1000, 80, 0xfedc_ba98, 0x8765_4321, 5, TCP_ACK]
    const all = [...start, 0xabcd]
    t.deepEqual(fields, [[...start, 0, 0], [...start, 0, 0], [...all, 0], [...all, 0], [...all, 1], [...all, 1]])
  })

/** Writes to a column that `newFlow` doesn't name, and always gives the same object. */
function freeChain(): Chain<{ n: number }> {
  const columns = { n: 0 }
  return {
    name: 'free',
    newFlow: () => columns,
    tcp(record, { seq }) {
      record.n += seq
      if (record.n > 3) Object.assign(record, { much: record.n, flow_id: 'taken' })
      return undefined
    },
  }
}

/** A chain whose columns differ from flow to flow. */
function fickleChain(): Chain<Record<string, number>> {
  let flows = 0
  return { name: 'fickle', newFlow: () => ({ [`column${flows++ % 3}`]: flows }), tcp: record => void (record.seen = 1) }
}

const BASE = [
  'flow_id', 'ip_version', 'pkt_first', 'pkt_last', 'first_ns', 'last_ns', 'first_packet', 'end_reason', 'vlan', 'tunnel',
  'tunnel_id',
]

test('a flow has its base columns, its chains\' and what hooks added, in this order; flows share nothing', async t => {
  const packets: [bigint, Uint8Array][] = [1, 2, 3].map(n => [BigInt(n) * SEC, segment({ ports: [1000 + n, 80], seq: n })])
  const flows = await collect(pcap([...packets, [4n * SEC, segment({ ports: [1002, 80], seq: 5 })]]), [freeChain()])
  t.deepEqual(flows.map(({ n, much }) => [n, much]), [[1, undefined], [7, 7], [3, undefined]])
  t.deepEqual(flows.map(({ flow_id }) => flow_id), [0, 1, 2])
  t.deepEqual(Object.keys(flows[0]!), [...BASE, 'n'])
  t.deepEqual(Object.keys(flows[1]!), [...BASE, 'n', 'much'])
})

test('what a hook puts in the place of a column is in the record', async t => {
  const moving: Chain<{ n?: number; m?: number }> = {
    name: 'moving',
    newFlow: () => ({ n: 1 }),
    tcp(record) {
      delete record.n
      record.m = 2
    },
  }
  const [flow] = await collect(pcap([[0n, segment()]]), [moving, basicChain()])
  t.like(flow, { n: undefined, m: 2, pkt_fwd: 1 })
})

test('chains whose columns change give each flow its own', async t => {
  const packets: [bigint, Uint8Array][] = Array.from({ length: 250 }, (_, n) => [BigInt(n) * MS, segment({ ports: [1000 + n, 80] })])
  const flows = await collect(pcap(packets), [fickleChain(), freeChain()])
  t.deepEqual(flows.map(flow => Object.keys(flow).slice(BASE.length)), packets.map((_, n) => [`column${n % 3}`, 'n', 'seen']))
})

test('leaving the loop early ends the run', async t => {
  const seen: Direction[] = []
  const chain: Chain = { name: 'early', newFlow: () => ({}), tcp: (_, __, direction) => (seen.push(direction), false) }
  const frames = Array.from({ length: 3000 }, (_, i): [bigint, Uint8Array] => [BigInt(i) * SEC, segment({ flags: TCP_SYN })])
  for await (const flow of observe(pcap(frames), { chains: [chain] })) {
    t.is(flow.flow_id, 0)
    break
  }
  t.true(seen.length > 0)
})

test('a batch of more small packets than it has rows loses none', async t => {
  // 54 octets and a record header of 16: a block holds more of them than a batch has rows.
  const frames = Array.from({ length: 40_000 }, (_, i): [bigint, Uint8Array] => [BigInt(i) * MS, segment({ snap: 34 + 4, ports: [1 + (i % 7), 80] })])
  const count: Chain<{ n: number }> = { name: 'count', newFlow: () => ({ n: 0 }), ip4: record => void (record.n += 1) }
  const flows = await collect(pcap(frames), [count, basicChain()])
  t.is(flows.reduce((n, flow) => n + (flow.n as number), 0), 40_000)
  t.deepEqual(flows.map(flow => flow.sp), [1, 2, 3, 4, 5, 6, 7])
})
