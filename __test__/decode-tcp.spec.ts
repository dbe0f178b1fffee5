// decodeTcp: pieces at PSH and URG, the rest at the end, what is missing, and the helpers beside it.
import test from 'ava'
import { assembleBuffer, connectionIdToString, connections, decodeTcp, getMaximumSegmentSize, streamEvents, type DecodedData, type DecodeTcpOptions, type Gap } from '../src/index.js'
import { collect } from './support/collect.js'
import { text } from './support/followed.js'
import { pcap, udpFrame, type TcpFields } from './support/frames.js'
import { naiveStreams } from './support/naive-streams.js'
import { samplePath } from './support/places.js'
import { ACK, FIN, PSH, RST, SYN, framesOf, troubledCapture, type Trouble } from './support/stream-capture.js'

const URG = 32
const octets = (value: string) => new TextEncoder().encode(value)
const client = (seq: number, flags: number, payload = '', fields: Partial<TcpFields> = {}): Partial<TcpFields> => ({ ports: [1000, 80], seq, ack: 1, flags, payload: octets(payload), ...fields })
const server = (seq: number, flags: number, payload = ''): Partial<TcpFields> => client(seq, flags, payload, { ports: [80, 1000], reversed: true })
const open = [client(0, SYN), server(0, SYN | ACK), client(1, ACK)]
const captureOf = (steps: Partial<TcpFields>[]) => pcap(framesOf([...open, ...steps]))

/** One line for a piece. */
const line = ({ direction, offset, data, gaps, reason, complete }: DecodedData): string =>
  `${direction} ${offset} ${text(data)} ${reason}${gaps.map(gap => ` -${gap.join('+')}`).join('')}${complete ? '' : ' incomplete'}`

async function lines(steps: Partial<TcpFields>[], options: DecodeTcpOptions = {}): Promise<string[]> {
  return (await collect(decodeTcp(captureOf(steps), options))).map(line)
}

test('connectionId, data and ipVersion, for each segment with PSH or URG', async t => {
  const steps = [client(1, ACK, 'GET '), client(5, PSH | ACK, '/'), server(1, PSH | ACK, 'OK'), client(6, URG | ACK, '!'), client(7, ACK), server(3, ACK, ' no push')]
  const pieces = (await collect(decodeTcp(captureOf(steps)))).map(({ connectionId, data, ipVersion }) => [connectionIdToString(connectionId, ipVersion), text(data)])
  const [there, back] = ['10.0.0.1:1000=>10.0.0.2:80', '10.0.0.2:80=>10.0.0.1:1000']
  t.deepEqual(pieces, [[there, 'GET /'], [back, 'OK'], [there, 'GET /!'], [back, 'OK no push']])
})

test('IPv6', async t => {
  const six = [...open, client(1, PSH | ACK, 'six')].map(step => ({ ...step, v6: true }))
  const [piece] = await collect(decodeTcp(pcap(framesOf(six))))
  t.is(piece!.ipVersion, 6)
  t.is(connectionIdToString(piece!.connectionId, piece!.ipVersion), 'fd00::1.1000=>fd00::2.80')
})

test("since: 'start' gives all so far, 'lastPush' what is new", async t => {
  const steps = [client(1, PSH | ACK, 'ab'), client(3, ACK, 'cd'), client(5, PSH | ACK, 'ef'), client(7, ACK, 'gh')]
  t.deepEqual(await lines(steps, { since: 'start' }), ['fwd 0 ab push', 'fwd 0 abcdef push', 'fwd 0 abcdefgh end'])
  t.deepEqual(await lines(steps), await lines(steps, { since: 'start' }))
  t.deepEqual(await lines(steps, { since: 'lastPush' }), ['fwd 0 ab push', 'fwd 2 cdef push', 'fwd 6 gh end'])
})

test('a segment with PSH that brings nothing new is a piece since the start, and none since the last push', async t => {
  const steps = [client(1, PSH | ACK, 'ab'), client(1, PSH | ACK, 'ab'), client(3, PSH | ACK)]
  t.deepEqual(await lines(steps), ['fwd 0 ab push', 'fwd 0 ab push', 'fwd 0 ab push'])
  const run = decodeTcp(captureOf(steps), { since: 'lastPush' })
  t.deepEqual((await collect(run)).map(line), ['fwd 0 ab push'])
  t.like(run.stats, { pushes: 3, emptyPushes: 2 })
})

test('a segment that came early takes effect in its place', async t => {
  const steps = [client(3, PSH | ACK, 'cd'), client(7, PSH | ACK, 'gh'), client(1, ACK, 'ab'), client(5, ACK, 'ef'), client(9, ACK, 'i')]
  t.deepEqual(await lines(steps, { since: 'lastPush' }), ['fwd 0 abcd push', 'fwd 4 efgh push', 'fwd 8 i end'])
  t.deepEqual(await lines(steps), ['fwd 0 abcd push', 'fwd 0 abcdefgh push', 'fwd 0 abcdefghi end'])
})

test('a server that answers with several initial sequence numbers: the one that the client acknowledges counts', async t => {
  const numbers = [238_755_595, 238_755_595, 2_859_879_429, 2_829_651_200]
  const answers = numbers.map(isn => ({ ...server(isn, SYN | ACK), ack: 3_420_771_759 }))
  const [from, at] = [2_829_651_201, 3_420_771_759]
  const steps = [
    ...answers,
    { ...client(at, PSH | ACK, 'hello'), ack: from },
    { ...server(from, PSH | ACK, 'served'), ack: at + 5 },
    { ...server(from + 6, PSH | ACK, ' whole'), ack: at + 5 },
  ]
  // The capture begins with the answers, and with the SYN.
  for (const syn of [[], [client(at - 1, SYN)]]) {
    const pieces = await collect(decodeTcp(pcap(framesOf([...syn, ...steps])), { since: 'lastPush' }))
    t.deepEqual(pieces.map(line), ['fwd 0 hello push', 'rev 0 served push', 'rev 6  whole push'])
  }
})

test('missing segments are gaps, never zeros', async t => {
  const steps = [client(1, PSH | ACK, 'ab'), client(5, PSH | ACK, 'ef'), client(7, PSH | ACK, 'gh'), client(20, FIN | ACK)]
  t.deepEqual(await lines(steps, { since: 'lastPush' }), ['fwd 0 ab push', 'fwd 2 ef push -2+2', 'fwd 6 gh push', 'fwd 8  end -8+11'])
  t.deepEqual(await lines(steps), ['fwd 0 ab push', 'fwd 0 abef push -2+2', 'fwd 0 abefgh push -2+2', 'fwd 0 abefgh end -2+2 -8+11'])
})

test('the rest comes when the stream ends: with the FIN, the RST, or the input', async t => {
  const rest = [client(1, ACK, 'rest')]
  const packetOf = async (steps: Partial<TcpFields>[]) => (await collect(decodeTcp(captureOf([...steps, server(9, ACK)])))).map(piece => `${line(piece)} ${piece.packet}`)
  t.deepEqual(await packetOf([...rest, client(5, FIN | ACK)]), ['fwd 0 rest end 5'])
  t.deepEqual(await packetOf([client(1, FIN | ACK, 'rest')]), ['fwd 0 rest end 4'])
  t.deepEqual(await packetOf([...rest, server(1, RST | ACK)]), ['fwd 0 rest end 5'])
  t.deepEqual(await packetOf(rest), ['fwd 0 rest end 0'])
  t.deepEqual(await packetOf([client(1, FIN | PSH | ACK, 'rest'), client(1, FIN | PSH | ACK, 'rest')]), ['fwd 0 rest push 4'])
})

test('a flag combination that can not be is counted, not fatal', async t => {
  const run = decodeTcp(captureOf([client(1, 0, 'ab'), client(3, PSH, 'cd'), client(5, PSH | ACK, 'ef')]))
  t.deepEqual((await collect(run)).map(line), ['fwd 0 abcd push', 'fwd 0 abcdef push'])
  t.is(run.stats.withoutAck, 2)
})

test('what is neither IP nor TCP is counted', async t => {
  const arp = Uint8Array.from([...new Uint8Array(12), 8, 6, ...new Uint8Array(28)])
  const others: [bigint, Uint8Array][] = [[1n, arp], [2n, arp], [3n, udpFrame({})]]
  const run = decodeTcp(pcap([...others, ...framesOf([client(1, PSH | ACK, 'x')])]))
  t.deepEqual((await collect(run)).map(line), ['fwd 0 x push'])
  t.like(run.stats, { packets: 4, nonIp: 2 })
})

test('a SYN is no piece, unless it brings octets', async t => {
  const capture = pcap(framesOf([client(0, SYN | PSH), server(0, SYN | ACK | PSH), client(1, PSH | ACK, 'x')]))
  t.deepEqual((await collect(decodeTcp(capture))).map(line), ['fwd 0 x push'])
  const fast = pcap(framesOf([client(0, SYN | PSH, 'fast')]))
  t.deepEqual((await collect(decodeTcp(fast))).map(line), ['fwd 0 fast push'])
})

test('direction, connection, packet and timestampNs', async t => {
  const [piece] = await collect(decodeTcp(captureOf([server(1, PSH | ACK, 'x')])))
  t.like(piece, { direction: 'rev', packet: 4, timestampNs: 1_000_000_030_000n, connectionId: ['10.0.0.2', 80, '10.0.0.1', 1000] })
  t.like(piece!.connection, { connection_id: 0, client_port: 1000, server_port: 80 })
})

test('limits: since the start, the start is kept and the rest counted; since the last push, nothing is lost', async t => {
  const steps = [client(1, ACK, 'abcd'), client(5, ACK, 'efgh'), client(9, PSH | ACK, 'ij')]
  const run = decodeTcp(captureOf(steps), { maxStreamBytes: 5 })
  t.deepEqual((await collect(run)).map(line), ['fwd 0 abcde push incomplete'])
  t.is(run.stats.missedBytes, 5)
  for (const limit of [{ maxStreamBytes: 3 }, { maxKeptBytes: 3 }])
    t.deepEqual(await lines(steps, { since: 'lastPush', ...limit }), ['fwd 0 abc limit', 'fwd 3 def limit', 'fwd 6 ghi limit', 'fwd 9 j push'])
  // Where others hold all that may be kept, octets go on their way at once.
  const other = client(0, ACK, 'xyz', { ports: [1001, 80] })
  const both = await lines([other, ...steps], { since: 'lastPush', maxKeptBytes: 3 })
  t.deepEqual(both, ['fwd 0 abcd limit', 'fwd 4 efgh limit', 'fwd 8 ij limit', 'fwd 0 xyz end'])
})

test('more pushes wait than are remembered: their octets come with others, and are counted', async t => {
  const count = 1500
  const early = Array.from({ length: count }, (_, i) => client(2 + i, PSH | ACK, 'x'))
  const run = decodeTcp(captureOf([...early, client(1, ACK, 'x')]), { since: 'lastPush' })
  const pieces = await collect(run)
  t.is(run.stats.mergedPushes, count - 1024)
  t.is(pieces.length, 1025)
  t.is(pieces.reduce((sum, piece) => sum + piece.data.length, 0), count + 1)
})

const troubles: [string, Trouble][] = [
  ['loss', { loss: 5, connections: 4 }],
  ['reordering and duplicates', { reorder: 6, duplicate: 3, connections: 4 }],
  ['overlaps and wrap-around', { overlap: 3, reorder: 3, loss: 8, wrap: true, connections: 4 }],
]
for (const [name, trouble] of troubles)
  test(`pieces since the last push, one behind the other, are what a naive model says: ${name}`, async t => {
    for (let seed = 1; seed <= 6; seed++) {
      const capture = troubledCapture(seed, trouble)
      const naive = naiveStreams(capture)
      const [all, gaps] = [new Map<string, Uint8Array[]>(), new Map<string, Gap[]>()]
      for (const { connection, direction, data, gaps: missing, offset } of await collect(decodeTcp(capture, { since: 'lastPush' }))) {
        const key = `${connection.client_port} ${direction}`
        const [pieces, found] = [all.get(key) ?? [], gaps.get(key) ?? []]
        t.is(offset, [...pieces.map(piece => piece.length), ...found.map(gap => gap[1])].reduce((a, b) => a + b, 0))
        all.set(key, [...pieces, data])
        gaps.set(key, [...found, ...missing.map(([at, length]): Gap => [at, length])])
      }
      for (const [port, sides] of naive)
        for (const way of ['fwd', 'rev'] as const) {
          const key = `${port} ${way}`
          t.is(Buffer.compare(Buffer.concat(all.get(key) ?? []), sides[way].octets), 0, `${name} ${seed} ${key}`)
          t.deepEqual(gaps.get(key) ?? [], sides[way].gaps)
        }
      // With everything since the start, the last piece is the stream.
      const last = new Map((await collect(decodeTcp(capture))).map(piece => [`${piece.connection.client_port} ${piece.direction}`, piece]))
      for (const [key, piece] of last) t.is(Buffer.compare(piece.data, Buffer.concat(all.get(key)!)), 0)
    }
  })

test('what a piece holds stays as it is', async t => {
  const pieces: [Uint8Array, string][] = []
  for await (const { data } of decodeTcp(samplePath)) pieces.push([data, text(data)])
  t.true(pieces.length > 10)
  for (const [data, was] of pieces) t.is(text(data), was)
})

test('leaving the loop, want that throws, a signal, and errors', async t => {
  for await (const piece of decodeTcp(samplePath)) {
    t.true(piece.data.length > 0)
    break
  }
  const failure = new Error('no')
  const want = () => {
    throw failure
  }
  t.is(await t.throwsAsync(collect(decodeTcp(samplePath, { want }))), failure)
  t.is(await t.throwsAsync(collect(decodeTcp(samplePath, { signal: AbortSignal.abort(failure) }))), failure)
  await t.throwsAsync(collect(decodeTcp('none.pcap')), { code: 'ERR_CAPTURE_IO' })
  const code = 'ERR_INVALID_OPTION'
  t.throws(() => decodeTcp(samplePath, { since: 'ever' as never }), { code, message: /since/ })
  t.throws(() => decodeTcp(samplePath, { maxStreamBytes: 0 }), { code, message: /maxStreamBytes/ })
  t.throws(() => decodeTcp(samplePath, { sinc: 'start' } as never), { code, message: /sinc/ })
})

test('want: only what is wanted', async t => {
  const some = await collect(decodeTcp(samplePath, { want: c => c.server_port === 80 }))
  t.true(some.length > 0 && some.every(piece => piece.connection.server_port === 80))
})

test('marks come with streamEvents where they are asked for, and only there', async t => {
  const events = await collect(streamEvents(samplePath))
  t.false(events.some(event => event.type === 'mark'))
  t.true((await collect(connections(samplePath))).length > 0)
  const capture = captureOf([client(3, PSH | ACK, 'cd'), client(1, ACK, 'ab'), client(5, FIN | ACK), server(1, RST | ACK)])
  const marks: unknown[] = []
  await streamEvents(capture, { marks: true }).each(event => {
    if (event.type === 'mark') marks.push([event.direction, event.offset, event.flags, event.over, event.waits])
  })
  t.deepEqual(marks, [['fwd', 4, PSH | ACK, false, true], ['fwd', 4, FIN | ACK, false, false], ['rev', 0, RST | ACK, true, false]])
  t.throws(() => connections(samplePath, { marks: true } as never), { code: 'ERR_INVALID_OPTION' })
})

test('connectionIdToString', t => {
  t.is(connectionIdToString(['192.0.2.1', 1, '192.0.2.2', 65_535]), '192.0.2.1:1=>192.0.2.2:65535')
  t.is(connectionIdToString(['192.0.2.1', 1, '192.0.2.2', 2], 4), '192.0.2.1:1=>192.0.2.2:2')
  t.is(connectionIdToString(['2001:db8::1', 1, '::', 2], 6), '2001:db8::1.1=>::.2')
  t.is(connectionIdToString(['2001:db8::1', 1, '::', 2]), '2001:db8::1.1=>::.2')
  t.is(connectionIdToString([Uint8Array.of(192, 0, 2, 1), 1, Uint8Array.of(192, 0, 2, 2), 2], 4), '192.0.2.1:1=>192.0.2.2:2')
  t.is(connectionIdToString([new Uint8Array(16), 1, new Uint8Array(16), 2], 6), '::.1=>::.2')
  const id = ['192.0.2.1', 1, '192.0.2.2', 2] as const
  for (const version of [0, 5, 7, -4, NaN, '4']) t.throws(() => connectionIdToString(id, version as number), { instanceOf: RangeError })
  t.throws(() => connectionIdToString(id, 6), { instanceOf: RangeError })
  t.throws(() => connectionIdToString(['::1', 1, '::1', 2], 4), { instanceOf: RangeError })
  t.throws(() => connectionIdToString([new Uint8Array(5), 1, new Uint8Array(4), 2], 4), { instanceOf: RangeError })
  t.throws(() => connectionIdToString(['192.0.2.1', 65_536, '192.0.2.2', 2]), { instanceOf: RangeError })
})

test('assembleBuffer', t => {
  const assembled = (segments: [number, string][]) => {
    const gaps: Gap[] = []
    return [text(assembleBuffer(new Map(segments.map(([at, value]) => [at, octets(value)])), gaps)), gaps]
  }
  t.deepEqual(assembled([]), ['', []])
  // As the original keeps them: the SYN's empty octets at 0, the first octet at 1; numbers, not texts, are in order.
  t.deepEqual(assembled([[0, ''], [10, 'jk'], [1, 'abc'], [4, 'defghi']]), ['abcdefghijk', []])
  t.deepEqual(assembled([[3, 'cd'], [9, 'ij']]), ['cdij', [[0, 2], [4, 4]]])
  t.deepEqual(assembled([[1, 'abcd'], [3, 'XYef'], [2, 'Q']]), ['abcdef', []])
  t.deepEqual(assembled([[0, 'ab'], [2, 'c']]), ['abc', []])
  t.is(text(assembleBuffer({ 4: octets('d'), 1: octets('abc') })), 'abcd')
  for (const at of [-1, 1.5, NaN]) t.throws(() => assembleBuffer(new Map([[at, octets('x')]])), { instanceOf: RangeError })
})

test('getMaximumSegmentSize', t => {
  const of = (...options: number[]) => getMaximumSegmentSize(Uint8Array.from(options))
  t.is(of(2, 4, 5, 0xb4), 1460)
  t.is(of(1, 1, 4, 2, 2, 4, 0x05, 0xa0), 1440)
  t.is(of(0, 2, 4, 5, 0xb4), null)
  t.is(of(), null)
  t.is(of(8, 0, 2, 4, 5, 0xb4), null)
  t.is(of(2, 3, 5), null)
  t.is(of(3, 3, 7), null)
})
