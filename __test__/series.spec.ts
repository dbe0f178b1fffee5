// One connection's segments: against hand-made captures, and against the counts of the analysis.
import { join } from 'node:path'
import test from 'ava'
import { OptionError, SEGMENT_KINDS, connections, series } from '../src/index.js'
import { chooseEngines } from '../src/node/engines.js'
import { checkStreams } from '../src/stream-options.js'
import { collect } from './support/collect.js'
import { pcap, type TcpFields } from './support/frames.js'
import { samplePath } from './support/places.js'
import { ACK, FIN, PSH, SYN, framesOf, troubledCapture } from './support/stream-capture.js'

const octets = (n: number) => new Uint8Array(n).fill(65)
const client = { ports: [4000, 80] as [number, number], window: 1000 }
const server = { ports: [80, 4000] as [number, number], reversed: true, window: 500 }
const shift = (bits: number) => Uint8Array.of(1, 3, 3, bits)

/** Left and right edges as an option, padded to four octets. */
function sack(...edges: number[]): Uint8Array {
  const option = new Uint8Array(4 + edges.length * 4)
  option.set([1, 1, 5, 2 + edges.length * 4])
  edges.forEach((edge, i) => new DataView(option.buffer).setUint32(4 + i * 4, edge))
  return option
}

const steps: Partial<TcpFields>[] = [
  { ...client, seq: 4294967290, ack: 0, flags: SYN, options: shift(2) },
  { ...server, seq: 100, ack: 4294967291, flags: SYN | ACK, options: shift(3) },
  { ...client, seq: 4294967291, ack: 101, flags: ACK },
  { ...client, seq: 4294967291, ack: 101, flags: ACK | PSH, payload: octets(10) },
  { ...client, seq: 15, ack: 101, flags: ACK | PSH, payload: octets(5) },
  { ...server, seq: 101, ack: 5, flags: ACK, options: sack(15, 20) },
  { ...client, seq: 5, ack: 101, flags: ACK | PSH, payload: octets(10) },
  { ...server, seq: 101, ack: 20, flags: ACK | PSH, payload: octets(3) },
  { ...client, seq: 20, ack: 104, flags: ACK | FIN },
]
const capture = pcap(framesOf(steps))

test('points say where each segment stands, over a wrap of sequence numbers', async t => {
  const points = await collect(series(capture, 0))
  t.deepEqual(points.map(({ packet, direction, offset, length, ack, window }) => [packet, direction, offset, length, ack, window]), [
    [1, 'fwd', -1, 0, null, 1000],
    [2, 'rev', -1, 0, 0, 500],
    [3, 'fwd', 0, 0, 0, 4000],
    [4, 'fwd', 0, 10, 0, 4000],
    [5, 'fwd', 20, 5, 0, 4000],
    [6, 'rev', 0, 0, 10, 4000],
    [7, 'fwd', 10, 10, 0, 4000],
    [8, 'rev', 0, 3, 25, 4000],
    [9, 'fwd', 25, 0, 3, 4000],
  ])
  t.deepEqual(points[5]!.sack, [[20, 25]])
  // The initial round trip took 20 µs, and packet 7 comes 20 µs after packet 5: late, but not out of order.
  t.deepEqual(points.map(({ kind }) => kind.join()), ['', '', '', '', 'lost_segment', '', 'retransmission', '', ''])
  t.is(points[1]!.ts_ns - points[0]!.ts_ns, 10_000n)
  t.is(points[8]!.flags, ACK | FIN)
})

test('a record names the connection as well as its number does', async t => {
  for await (const record of connections(samplePath, { maxStreamBytes: 0 })) {
    const points = await collect(series(samplePath, record))
    t.is(points.length, record.packets_fwd + record.packets_rev)
    t.is(points[0]!.packet, record.first_packet)
    t.is(points.at(-1)!.ts_ns, record.last_ns)
    t.deepEqual(points, await collect(series(samplePath, record.connection_id)))
  }
})

test('the points of all connections add up to the counts of the analysis', async t => {
  const trouble = { connections: 4, loss: 20, duplicate: 20, overlap: 20, reorder: 6, wrap: true }
  for (const seed of [1, 2, 3]) {
    const troubled = troubledCapture(seed, trouble)
    for await (const record of connections(troubled, { analyse: true, maxStreamBytes: 0 })) {
      const points = await collect(series(troubled, record))
      for (const kind of SEGMENT_KINDS)
        for (const way of ['fwd', 'rev'] as const) {
          const have = points.filter(point => point.direction === way && point.kind.includes(kind)).length
          t.is(have, record[`kind_${kind}_${way}`], `${kind}_${way}`)
        }
    }
  }
})

test('kinds stand in the order of the engine', t => {
  const engine = chooseEngines('native').streams({ events: false, marks: false, sha256: false, analyse: true, ...checkStreams({}) })
  const { closes } = JSON.parse(engine.layout()) as { closes: { columns: { name: string }[] } }
  const names = closes.columns.map(({ name }) => /^kind_(.*)_fwd$/.exec(name)?.[1]).filter(name => name !== undefined)
  t.deepEqual(names, [...SEGMENT_KINDS])
})

test('what is not there is an option error', async t => {
  await t.throwsAsync(collect(series(samplePath, 999)), { instanceOf: OptionError, message: /no connection 999/ })
  t.throws(() => series(samplePath, -1), { instanceOf: OptionError })
  const [first] = await collect(connections(samplePath, { maxStreamBytes: 0 }))
  await t.throwsAsync(collect(series(capture, { ...first!, first_packet: 7 })), { message: /another one/ })
  await t.throwsAsync(collect(series(join('no', 'such', 'file'), 0)), { code: 'ERR_CAPTURE_IO' })
})
