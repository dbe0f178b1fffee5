// TCPStreamFollower: what callbacks are told, when, and what they can answer.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { TCPStreamFollower, TcpStream, type FollowerOptions } from '../src/index.js'
import { packetsOf, pcap, tcpFrame, type TcpFields } from './support/frames.js'
import { follow, recording, text } from './support/followed.js'
import { naiveStreams } from './support/naive-streams.js'
import { ACK, FIN, PSH, RST, SYN, framesOf, troubledCapture, type Trouble } from './support/stream-capture.js'

const octets = (value: string) => new TextEncoder().encode(value)
const client = (fields: Partial<TcpFields>) => ({ ports: [1000, 80] as [number, number], ...fields })
const server = (fields: Partial<TcpFields>) => ({ ports: [80, 1000] as [number, number], reversed: true, ...fields })

const open = [
  client({ seq: 0, flags: SYN }),
  server({ seq: 0, ack: 1, flags: SYN | ACK }),
  client({ seq: 1, ack: 1, flags: ACK }),
]
const talk = [
  client({ seq: 1, ack: 1, flags: PSH | ACK, payload: octets('hello') }),
  server({ seq: 1, ack: 6, flags: PSH | ACK, payload: octets('world') }),
]
const fins = [client({ seq: 6, ack: 6, flags: FIN | ACK }), server({ seq: 6, ack: 7, flags: FIN | ACK })]
const last = client({ seq: 7, ack: 7, flags: ACK })
const captureOf = (steps: Partial<TcpFields>[]) => pcap(framesOf(steps))

test('clientAddr, serverAddr, clientPort, serverPort, identifier, finished, clientPayload, serverPayload', async t => {
  const seen: unknown[] = []
  const note = (s: TcpStream) => {
    t.true(s instanceof TcpStream)
    seen.push([s.clientAddr, s.clientPort, s.serverAddr, s.serverPort, s.identifier, s.finished, text(s.clientPayload), text(s.serverPayload)])
  }
  const follower = new TCPStreamFollower({ onData: note, onEnd: note })
  await follower.feed(captureOf([...open, ...talk, ...fins, last]))
  const ends = ['10.0.0.1', 1000, '10.0.0.2', 80, 0]
  t.deepEqual(seen, [[...ends, false, 'hello', ''], [...ends, false, 'hello', 'world'], [...ends, true, 'hello', 'world']])
  await follower.close()
  t.is(seen.length, 3)
})

test('IPv6 addresses are text as in RFC 5952', async t => {
  const seen = new Set<string>()
  const onData = (s: TcpStream) => void seen.add(`${s.clientAddr} ${s.serverAddr} ${s.ipVersion}`)
  await follow(captureOf([...open, ...talk].map(step => ({ ...step, v6: true }))), { onData })
  t.deepEqual([...seen], ['fd00::1 fd00::2 6'])
})

test('chunk, direction, offset, packet and timestampNs tell of the callback at hand', async t => {
  const seen: unknown[] = []
  const onData = (s: TcpStream) => void seen.push([text(s.chunk), s.direction, s.offset, s.packet, s.timestampNs])
  await follow(captureOf([...open, ...talk, client({ seq: 6, ack: 6, flags: ACK, payload: octets('!') })]), { onData })
  const at = (step: bigint) => 1_000_000_000_000n + step * 10_000n
  t.deepEqual(seen, [['hello', 'fwd', 0, 4, at(3n)], ['world', 'rev', 0, 5, at(4n)], ['!', 'fwd', 5, 6, at(5n)]])
})

test('a follower without callbacks follows all the same', async t => {
  const follower = new TCPStreamFollower()
  await follower.feed(captureOf([...open, ...talk]))
  t.is(follower.stats.flows, 1)
  await follower.close()
})

test('ends: FIN in both directions, RST, still open, idle', async t => {
  const ending = async (steps: Partial<TcpFields>[], options: FollowerOptions = {}) => (await follow(captureOf(steps), options)).at(-1)
  t.is(await ending([...open, ...talk, ...fins]), '0 end fin finished')
  t.is(await ending([...open, ...talk, fins[0]!]), '0 end eof')
  t.is(await ending([...open, ...talk, server({ seq: 6, ack: 6, flags: RST | ACK })]), '0 end rst finished')
  const late = [...framesOf([...open, ...talk]), ...framesOf([{ ports: [5, 6], flags: SYN }], 1_100_000_000_000n)]
  const lines = await follow(pcap(late), { idleTimeout: 10 })
  t.deepEqual(lines.slice(2), ['0 end idle', '1 end eof'])
})

test('an end is called back at once, not when the connection is forgotten', async t => {
  const { follower, lines } = recording()
  for (const [timestampNs, data] of framesOf([...open, ...talk, ...fins])) await follower.feed({ data, timestampNs })
  t.is(lines.at(-1), '0 end fin finished')
  const again = recording()
  for (const [timestampNs, data] of framesOf([...open, ...talk, server({ seq: 6, ack: 6, flags: RST | ACK })])) await again.follower.feed({ data, timestampNs })
  t.is(again.lines.at(-1), '0 end rst finished')
  await Promise.all([follower.close(), again.follower.close()])
})

test('an end waits for what is missing before the FIN', async t => {
  const steps = [...open, client({ seq: 3, ack: 1, flags: ACK, payload: octets('llo') }), fins[0]!, server({ seq: 1, ack: 7, flags: FIN | ACK })]
  const { follower, lines } = recording()
  await follower.feed(captureOf(steps))
  t.deepEqual(lines, [])
  await follower.feed({ data: tcpFrame(client({ seq: 1, ack: 1, flags: ACK, payload: octets('he') })), timestampNs: 1_000_001_000_000n })
  t.is(lines.filter(line => line.includes('fwd')).map(line => line.split(' ')[3]).join(''), 'hello')
  t.is(lines.at(-1), '0 end fin finished')
  await follower.close()
})

test('some go on sending after a RST: nothing is lost, and the end is told once', async t => {
  const more = client({ seq: 6, ack: 6, flags: PSH | ACK, payload: octets(' again') })
  const { follower, lines, ended } = recording()
  await follower.feed(captureOf([...open, ...talk, server({ seq: 6, ack: 6, flags: RST | ACK }), more]))
  await follower.close()
  t.deepEqual(lines.slice(2), ['0 end rst finished', '0 fwd 5  again'])
  t.is(text(ended[0]!.clientPayload), 'hello again')
})

test('gaps are data: onGap, gaps, gapBytes, and no zeros in the payload', async t => {
  const steps = [
    ...open,
    client({ seq: 1, ack: 1, flags: ACK, payload: octets('he') }),
    client({ seq: 5, ack: 1, flags: ACK, payload: octets('o') }),
    server({ seq: 1, ack: 6, flags: FIN | ACK }),
    client({ seq: 6, ack: 2, flags: FIN | ACK }),
  ]
  const { follower, lines, ended } = recording()
  await follower.feed(captureOf(steps))
  await follower.close()
  t.deepEqual(lines, ['0 fwd 0 he', '0 fwd gap 2+2', '0 fwd 4 o', '0 end fin finished'])
  const { client: side } = ended[0]!
  t.deepEqual([text(side.payload), side.gaps, side.gapBytes, side.length, side.complete], ['heo', [[2, 2]], 2, 3, true])
})

test('after await feed(packet) its in-order data has been called back', async t => {
  const { follower, lines } = recording()
  const counts: number[] = []
  for (const [timestampNs, data] of framesOf([...open, ...talk])) {
    await follower.feed({ data, timestampNs })
    counts.push(lines.length)
  }
  t.deepEqual(counts, [0, 0, 0, 1, 2])
  await follower.close()
})

test('packets that are not waited for keep their order', async t => {
  const capture = troubledCapture(5, { loss: 9, reorder: 3, connections: 4 })
  const { follower, lines } = recording()
  await Promise.all(packetsOf(capture).map(packet => follower.feed(packet)))
  await follower.close()
  t.deepEqual(lines.toSorted(), (await follow(capture)).toSorted())
})

test('a callback that answers false is not called for that stream again', async t => {
  const other = (step: Partial<TcpFields>) => ({ ...step, ports: step.ports!.map(port => (port === 1000 ? 1001 : port)) as [number, number] })
  const both = [...open, ...talk, ...fins].flatMap(step => [step, other(step)])
  for (const answer of [false, Promise.resolve(false)]) {
    const { follower, lines } = recording({ onData: s => (s.clientPort === 1000 ? answer : undefined) })
    await follower.feed(captureOf(both))
    t.deepEqual(lines, ['0 fwd 0 hello', '1 fwd 0 hello', '1 rev 0 world', '1 end fin finished'])
    t.is(follower.stats.stopped, 1)
    await follower.close()
  }
})

test('want: a stream that is not wanted is never called back', async t => {
  t.deepEqual(await follow(captureOf([...open, ...talk, ...fins]), { want: c => c.server_port !== 80 }), [])
})

test('a promise is waited for before anything else is called back', async t => {
  const log: string[] = []
  const follower = new TCPStreamFollower({
    async onData(stream) {
      log.push(`begin ${text(stream.chunk)}`)
      await sleep(20)
      log.push(`done ${text(stream.chunk)}`)
    },
    onEnd: () => void log.push('end'),
  })
  await follower.feed(captureOf([...open, ...talk, ...fins]))
  t.deepEqual(log, ['begin hello', 'done hello', 'begin world', 'done world', 'end'])
  await follower.close()
})

const troubles: [string, Trouble][] = [
  ['loss', { loss: 6, connections: 6 }],
  ['reordering', { reorder: 6, connections: 6 }],
  ['duplicates and overlaps', { duplicate: 3, overlap: 4, reorder: 3, connections: 6 }],
  ['wrap-around', { wrap: true, loss: 9, reorder: 4, octets: 2000, connections: 6 }],
]
for (const [name, trouble] of troubles)
  test(`streams are what a naive model says: ${name}`, async t => {
    for (let seed = 1; seed <= 6; seed++) {
      const capture = troubledCapture(seed, trouble)
      const naive = naiveStreams(capture)
      const { follower, lines, ended } = recording()
      await follower.feed(seed % 2 === 0 ? capture : packetsOf(capture))
      await follower.close()
      t.is(ended.length, naive.size)
      for (const stream of ended) {
        const { fwd, rev } = naive.get(stream.clientPort)!
        for (const [side, model, way] of [[stream.client, fwd, 'fwd'], [stream.server, rev, 'rev']] as const) {
          t.is(Buffer.compare(side.payload, model.octets), 0, `${name} ${seed} ${stream.clientPort} ${way}`)
          t.deepEqual(side.gaps, model.gaps)
          t.is(side.length, model.octets.length)
          // Chunks, one behind the other, are the payload.
          const chunks = lines.filter(line => line.startsWith(`${stream.identifier} ${way} `) && !line.includes(' gap '))
          t.is(chunks.map(line => line.split(' ').slice(3).join(' ')).join(''), text(side.payload))
        }
      }
    }
  })

test('payload is not copied for each callback, and what was got stays as it is', async t => {
  const payload = new Uint8Array(1000).fill(65)
  const steps = Array.from({ length: 2000 }, (_, i) => client({ seq: 1 + i * 1000, ack: 1, flags: ACK, payload }))
  const buffers = new Set<ArrayBufferLike>()
  const got: Uint8Array[] = []
  let chunk: Uint8Array | undefined
  await follow(captureOf([...open, ...steps]), {
    joinData: false,
    onData(stream) {
      buffers.add(stream.clientPayload.buffer)
      got.push(stream.clientPayload)
      chunk ??= stream.chunk
    },
  })
  t.deepEqual(got.map(view => view.length), steps.map((_, i) => (i + 1) * 1000))
  t.true(buffers.size < 15, `${buffers.size} buffers`)
  t.is(text(chunk!), 'A'.repeat(1000))
})

test('maxStreamBytes and maxKeptBytes: the start is kept, the rest is counted, chunks have everything', async t => {
  const steps = [...open, ...talk, client({ seq: 6, ack: 6, flags: ACK, payload: octets('more') })]
  const one = recording({ maxStreamBytes: 7 })
  await one.follower.feed(captureOf(steps))
  t.is(one.follower.stats.missedBytes, 2)
  await one.follower.close()
  const [stream] = one.ended
  t.deepEqual([text(stream!.clientPayload), stream!.client.complete, stream!.client.length], ['hellomo', false, 9])
  t.deepEqual([text(stream!.serverPayload), stream!.server.complete], ['world', true])
  t.deepEqual(one.lines.slice(0, 3), ['0 fwd 0 hello', '0 rev 0 world', '0 fwd 5 more'])
  const all = recording({ maxKeptBytes: 8 })
  await all.follower.feed(captureOf(steps))
  await all.follower.close()
  t.deepEqual([text(all.ended[0]!.clientPayload), text(all.ended[0]!.serverPayload)], ['hello', 'wor'])
  const none = recording({ maxStreamBytes: 0 })
  await none.follower.feed(captureOf(steps))
  await none.follower.close()
  t.is(none.ended[0]!.clientPayload.length, 0)
  t.deepEqual(none.lines, one.lines)
})

test('what was kept of a stream that is over makes room for others', async t => {
  const steps = Array.from({ length: 50 }, (_, i) => [...open, ...talk, ...fins].map(step => ({ ...step, ports: step.ports.map(port => (port === 1000 ? 2000 + i : port)) as [number, number] }))).flat()
  const { follower, ended } = recording({ maxKeptBytes: 10 })
  await follower.feed(captureOf(steps))
  await follower.close()
  t.is(ended.length, 50)
  t.true(ended.every(stream => stream.client.complete && stream.server.complete))
})
