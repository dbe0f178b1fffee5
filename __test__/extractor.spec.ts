// TCPStreamExtractor: what comes out is what a naive model says, whole, in steps, in parts, by call and from the clock.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import {
  OptionError,
  StateError,
  TCPStreamExtractor,
  connections,
  type FedPacket,
  type StreamPart,
  type StreamWriter,
} from '../src/index.js'
import { packetsOf, pcap, tcpFrame, udpFrame } from './support/frames.js'
import { naiveStreams } from './support/naive-streams.js'
import { fixture, samplePath } from './support/places.js'
import { ACK, FIN, PSH, SYN, framesOf, troubledCapture } from './support/stream-capture.js'

const key = (port: number) => `10.0.0.1:${port} ==> 10.0.0.2:80`

/** A writer that keeps copies of what it gets. */
class Keeper implements StreamWriter {
  readonly name = 'keeper'
  readonly parts: { part: StreamPart; client: string; server: string; frames: string[] }[] = []
  opened = 0
  closed = 0

  open(): void {
    this.opened += 1
  }

  write(part: StreamPart): void {
    const frames = Array.from(part.packets, packet => Buffer.from(packet.frame).toString('hex'))
    const text = (octets: Uint8Array) => Buffer.from(octets).toString('latin1')
    this.parts.push({ part, client: text(part.client), server: text(part.server), frames })
  }

  close(): void {
    this.closed += 1
  }
}

const trouble = { connections: 5, octets: 6000, loss: 9, duplicate: 7, overlap: 5, reorder: 4 }

test('getStreams: octets of both sides by port, in order of sequence numbers', async t => {
  for (const seed of [1, 2, 3, 4]) {
    const capture = troubledCapture(seed, { ...trouble, wrap: seed % 2 === 0 })
    const streams = await new TCPStreamExtractor(capture).getStreams()
    const naive = naiveStreams(capture)
    t.deepEqual(Object.keys(streams).toSorted(), [...naive.keys()].map(key).toSorted())
    for (const [port, { fwd, rev }] of naive) {
      t.deepEqual(Buffer.from(streams[key(port)]![port]!), Buffer.from(fwd.octets))
      t.deepEqual(Buffer.from(streams[key(port)]![80]!), Buffer.from(rev.octets))
    }
  }
})

test('getClientServerStreams: by side, with what is missing', async t => {
  const capture = troubledCapture(7, trouble)
  const streams = await new TCPStreamExtractor(capture).getClientServerStreams()
  for (const [port, { fwd, rev }] of naiveStreams(capture)) {
    const { client, server, gaps, complete } = streams[key(port)]!
    t.deepEqual([Buffer.from(client), Buffer.from(server)], [Buffer.from(fwd.octets), Buffer.from(rev.octets)])
    t.deepEqual([gaps.client, gaps.server], [fwd.gaps, rev.gaps])
    t.true(complete)
  }
})

test('a second connection on the same ports has a key of its own; equal ports lose nothing', async t => {
  const talk = (isn: number, text: string, ports: [number, number]) => [
    { ports, seq: isn, flags: SYN },
    { ports, seq: isn + 1, flags: PSH | ACK, payload: Buffer.from(text) },
  ]
  const steps = [...talk(100, 'first', [1000, 80]), ...talk(5_000_000, 'second', [1000, 80]), ...talk(1, 'same', [123, 123])]
  const answer = { ports: [123, 123] as [number, number], reversed: true, seq: 9, flags: ACK, payload: Buffer.from('back') }
  const streams = await new TCPStreamExtractor(pcap(framesOf([...steps, answer]))).getStreams()
  const text = Object.entries(streams).map(([name, sides]) => [name, ...Object.values(sides).map(octets => Buffer.from(octets).toString())])
  t.deepEqual(text, [
    ['10.0.0.1:1000 ==> 10.0.0.2:80', '', 'first'],
    ['10.0.0.1:1000 ==> 10.0.0.2:80 #2', '', 'second'],
    ['10.0.0.1:123 ==> 10.0.0.2:123', 'sameback'],
  ])
})

test('packetList: packets instead of a source, however many', async t => {
  const capture = troubledCapture(11, trouble)
  const list = packetsOf(capture)
  t.deepEqual(await new TCPStreamExtractor(null, { packetList: list }).getStreams(), await new TCPStreamExtractor(capture).getStreams())
  // More than a feed holds at a time.
  const many = Array.from({ length: 6000 }, (_, i): FedPacket => {
    const payload = Buffer.alloc(1000, i % 256)
    return { data: tcpFrame({ seq: 1 + i * 1000, flags: ACK, payload }), timestampNs: BigInt(i) }
  })
  const [sides] = Object.values(await new TCPStreamExtractor(null, { packetList: many }).getStreams())
  t.is(sides![1000]!.length, 6_000_000)
  t.throws(() => new TCPStreamExtractor(samplePath, { packetList: [] }), { instanceOf: OptionError, message: /^packetList/ })
})

test('processPackets: false reads nothing by itself', async t => {
  const extractor = new TCPStreamExtractor(samplePath, { processPackets: false })
  t.deepEqual(await extractor.getStreams(), {})
  const first = await extractor.next()
  t.is(first?.packet, 5)
  t.deepEqual((await extractor.summary()).map(({ key, packets }) => [key, packets]), [[first!.stream.key, { client: 1, server: 0 }]])
  await extractor.stop()
})

test('filter: other packets are as if they were not there', async t => {
  const extractor = new TCPStreamExtractor(samplePath, { filter: 'tcp port 25' })
  t.deepEqual(Object.keys(await extractor.getStreams()), ['192.0.2.13:50005 ==> 198.51.100.23:25'])
  t.true(extractor.stats.filtered > 50)
  t.throws(() => new TCPStreamExtractor(samplePath, { filter: 'tcp prot 25' }), { instanceOf: OptionError })
})

test('summary: a line for each stream, the same as the connection\'s record', async t => {
  const lines = await new TCPStreamExtractor(samplePath).summary()
  const records = []
  for await (const record of connections(samplePath)) records.push(record)
  t.is(lines.length, records.length)
  for (const record of records) {
    const line = lines.find(({ connectionId }) => connectionId === record.connection_id)!
    t.like(line, {
      ipVersion: record.ip_version,
      clientAddr: record.client_addr,
      clientPort: record.client_port,
      serverAddr: record.server_addr,
      serverPort: record.server_port,
      firstNs: record.first_ns,
      lastNs: record.last_ns,
      firstPacket: record.first_packet,
      packets: { client: record.packets_fwd, server: record.packets_rev },
      payloadBytes: { client: record.payload_bytes_fwd, server: record.payload_bytes_rev },
      streamBytes: { client: record.stream_len_fwd, server: record.stream_len_rev },
      endReason: record.end_reason,
      complete: true,
    })
  }
})

test('next: one packet with TCP at a time, in capture order', async t => {
  const capture = troubledCapture(5, trouble)
  const extractor = new TCPStreamExtractor(capture)
  const seen: [number, bigint, string][] = []
  for (let packet = await extractor.next(); packet; packet = await extractor.next())
    seen.push([packet.packet, packet.timestampNs, packet.direction])
  const expected = packetsOf(capture).map(({ data, timestampNs }, i) => [i + 1, timestampNs, data[35] === 80 && data[34] === 0 ? 'rev' : 'fwd'])
  t.deepEqual(seen, expected as typeof seen)
  t.is(await extractor.next(), undefined)
  t.deepEqual(await extractor.getStreams(), await new TCPStreamExtractor(capture).getStreams())
})

test('next goes past what is no TCP, and run goes on where next stopped', async t => {
  const writer = new Keeper()
  const frames = framesOf([{ flags: SYN }, { flags: ACK, seq: 1, payload: Buffer.from('abc') }])
  const capture = pcap([[1n, udpFrame({})], frames[0]!, [frames[0]![0] + 1n, udpFrame({})], frames[1]!])
  const extractor = new TCPStreamExtractor(capture, { writers: [writer] })
  t.is((await extractor.next())?.packet, 2)
  await extractor.run()
  t.deepEqual(writer.parts.map(({ client }) => client), ['abc'])
  t.deepEqual([writer.opened, writer.closed], [1, 1])
})

test('push: packets by call; what does not fit is refused, not lost', async t => {
  const capture = troubledCapture(13, trouble)
  const extractor = new TCPStreamExtractor()
  const run = extractor.run()
  for (const packet of packetsOf(capture)) while (!extractor.push(packet)) await extractor.drained()
  extractor.end()
  await run
  t.deepEqual(await extractor.getStreams(), await new TCPStreamExtractor(capture).getStreams())
  t.throws(() => extractor.push({ data: new Uint8Array(60) }), { instanceOf: StateError })
  t.throws(() => new TCPStreamExtractor(samplePath).push({ data: new Uint8Array(60) }), { instanceOf: StateError })
})

test('staleTimeout: a stream without packets for so long is written and forgotten', async t => {
  const writer = new Keeper()
  const step = (at: number, port: number, seq: number, text: string): [bigint, Uint8Array] => [
    BigInt(at) * 1_000_000_000n,
    tcpFrame({ ports: [port, 80], seq, flags: ACK, payload: Buffer.from(text) }),
  ]
  const capture = pcap([step(1000, 1, 1, 'ab'), step(1010, 2, 1, 'x'), step(1100, 2, 2, 'y'), step(1120, 1, 3, 'cd'), step(1150, 2, 3, 'z')])
  const stats = await new TCPStreamExtractor(capture, { writers: [writer], staleTimeout: 95 }).run()
  const told = writer.parts.map(({ part, client }) => [part.stream.clientPort, part.number, part.last, part.stream.endReason, client])
  t.deepEqual(told, [
    [1, 0, true, 'idle', 'ab'],
    [2, 0, true, 'eof', 'xyz'],
    [1, 0, true, 'eof', 'cd'],
  ])
  t.deepEqual([stats.staleStreams, stats.streams], [1, 3])
  t.is(new Set(writer.parts.map(({ part }) => part.stream.id)).size, 3)
})

test('live input that falls silent: streams are stale by the clock', async t => {
  const writer = new Keeper()
  const extractor = new TCPStreamExtractor(null, { writers: [writer], staleTimeout: 0.2 })
  const run = extractor.run()
  extractor.push({ data: tcpFrame({ seq: 1, flags: ACK, payload: Buffer.from('one') }), timestampNs: 1_000_000_000n })
  for (let i = 0; i < 100 && writer.parts.length === 0; i++) await sleep(50)
  t.deepEqual(writer.parts.map(({ part, client }) => [part.last, part.stream.endReason, client]), [[true, 'idle', 'one']])
  t.is(extractor.stats.openStreams, 0)
  // The connection goes on as another stream.
  extractor.push({ data: tcpFrame({ seq: 4, flags: ACK, payload: Buffer.from('two') }), timestampNs: 1_100_000_000n })
  extractor.end()
  await run
  t.deepEqual(writer.parts.map(({ client }) => client), ['one', 'two'])
  t.is(new Set(writer.parts.map(({ part }) => part.stream.id)).size, 2)
})

test('flushPackets: a long stream is cut, and the parts make the whole', async t => {
  const capture = troubledCapture(17, { ...trouble, connections: 3 })
  for (const options of [{ flushPackets: 7 }, { flushBytes: 4096 }, { maxPendingBytes: 8192 }]) {
    const writer = new Keeper()
    const stats = await new TCPStreamExtractor(capture, { writers: [writer], ...options }).run()
    t.true(stats.cutParts > 3, JSON.stringify(options))
    const whole = await new TCPStreamExtractor(capture).getStreams()
    const seen = new Map<string, { client: string; server: string; packets: number; payload: number }>()
    for (const { part, client, server, frames } of writer.parts) {
      const { key, payloadBytes } = part.stream
      const sum = seen.get(key) ?? { client: '', server: '', packets: 0, payload: 0 }
      t.is(part.start.payloadBytes.client + part.start.payloadBytes.server, sum.payload)
      sum.client += client
      sum.server += server
      sum.packets += frames.length
      sum.payload = payloadBytes.client + payloadBytes.server
      seen.set(key, sum)
      t.is(part.last, part.stream.endReason !== null)
      if (part.last) t.is(sum.packets, part.stream.packets.client + part.stream.packets.server)
    }
    for (const [name, { client, server }] of seen) {
      const sides = whole[name]!
      const port = Number(/:(\d+) ==>/.exec(name)![1])
      t.deepEqual([client, server], [Buffer.from(sides[port]!).toString('latin1'), Buffer.from(sides[80]!).toString('latin1')])
    }
    t.is(seen.size, 3)
  }
})

test('parts hold each frame once, in order', async t => {
  const capture = troubledCapture(19, trouble)
  const writer = new Keeper()
  await new TCPStreamExtractor(capture, { writers: [writer], flushPackets: 10 }).run()
  const ports = (frame: Uint8Array) => Math.max((frame[34]! << 8) | frame[35]!, (frame[36]! << 8) | frame[37]!)
  for (const port of naiveStreams(capture).keys()) {
    const frames = writer.parts.filter(({ part }) => part.stream.clientPort === port).flatMap(({ frames }) => frames)
    t.deepEqual(frames, packetsOf(capture).filter(({ data }) => ports(data) === port).map(({ data }) => Buffer.from(data).toString('hex')))
  }
})

test('a writer that is slow slows the reading; what waits is bounded', async t => {
  const step = (i: number) => ({ ports: [1000 + i, 80] as [number, number], flags: ACK, seq: 1, payload: Buffer.alloc(1000, i) })
  const capture = pcap(framesOf(Array.from({ length: 3000 }, (_, i) => step(i))))
  let [most, written] = [0, 0]
  const extractor: TCPStreamExtractor = new TCPStreamExtractor(capture, {
    writers: [
      {
        name: 'slow',
        async write(part) {
          await new Promise(resolve => setImmediate(resolve))
          most = Math.max(most, extractor.stats.queuedBytes)
          written += part.client.length
        },
      },
    ],
    maxPendingBytes: 100_000,
    maxQueuedBytes: 200_000,
  })
  const stats = await extractor.run()
  t.is(written, 3_000_000)
  t.is(stats.queuedBytes, 0)
  // A batch of packets may be handed over at once.
  t.true(most < 12_000_000, `${most} octets waited`)
})

test('keep and its limit: what has no room is counted, and nothing behind it is kept', async t => {
  const writer = new Keeper()
  const both = new TCPStreamExtractor(samplePath, { writers: [writer], keep: true })
  t.deepEqual(await both.getStreams(), await new TCPStreamExtractor(samplePath).getStreams())
  t.is(writer.parts.length, 8)
  const none = new TCPStreamExtractor(samplePath, { writers: [new Keeper()] })
  await t.throwsAsync(none.getStreams(), { instanceOf: StateError, message: /keep/ })
  const small = new TCPStreamExtractor(samplePath, { maxKeptBytes: 3000 })
  const warned = new Promise<Error>(resolve => process.once('warning', resolve))
  const streams = await small.getClientServerStreams()
  const { keptBytes, unkeptBytes, unkeptStreams } = small.stats
  t.true(keptBytes <= 3000)
  const kept = Object.values(streams).reduce((sum, { client, server }) => sum + client.length + server.length, 0)
  const all = Object.values(await new TCPStreamExtractor(samplePath).getStreams()).flatMap(Object.values).reduce((sum, octets) => sum + (octets as Uint8Array).length, 0)
  t.true(kept + unkeptBytes <= all && unkeptStreams > 0)
  t.false(Object.values(streams).every(({ complete }) => complete))
  t.regex((await warned).message, /maxKeptBytes/)
})

test('want: nothing is kept or written of other connections', async t => {
  const writer = new Keeper()
  const extractor = new TCPStreamExtractor(samplePath, { writers: [writer], want: ({ server_port }) => server_port === 25 })
  const stats = await extractor.run()
  t.deepEqual(writer.parts.map(({ part }) => part.stream.serverPort), [25])
  t.is(stats.streams, 1)
})

test('several captures: streams go on from one to the next, and names tell the capture', async t => {
  const frames = framesOf([{ flags: SYN }, { flags: ACK, seq: 1, payload: Buffer.from('ab') }, { flags: FIN | ACK, seq: 3 }])
  const captures = [pcap(frames.slice(0, 1)), pcap(frames.slice(1))]
  const writer = new Keeper()
  await new TCPStreamExtractor([...captures, fixture('link-raw.pcap')], { writers: [writer] }).run()
  const first = writer.parts.find(({ part }) => part.stream.clientPort === 1000)
  t.is(first!.client, 'ab')
  t.is(first!.part.packets.length, 0, 'a part is over when its write is')
  t.true(first!.part.stream.id.endsWith('-1-c1'))
  t.true(writer.parts.some(({ part }) => part.stream.id.endsWith('-c3') && part.stream.capture === fixture('link-raw.pcap')))
})

test('a capture that breaks off: what was there is written, then it is told', async t => {
  const writer = new Keeper()
  await t.throwsAsync(new TCPStreamExtractor(fixture('capture-last-cut.pcap'), { writers: [writer] }).run(), { code: 'ERR_CAPTURE_TRUNCATED' })
  t.true(writer.parts.length > 0 && writer.parts.every(({ part }) => part.last))
  t.is(writer.closed, 1)
})

test('stop and signal end the run and close the writers', async t => {
  const writer = new Keeper()
  const controller = new AbortController()
  const run = new TCPStreamExtractor(null, { writers: [writer], signal: controller.signal }).run()
  await sleep(20)
  controller.abort(new Error('enough'))
  await t.throwsAsync(run, { message: 'enough' })
  t.is(writer.closed, 1)
  const other = new Keeper()
  const extractor = new TCPStreamExtractor(null, { writers: [other] })
  const running = extractor.run()
  await extractor.stop()
  await running
  t.deepEqual([other.opened, other.closed], [1, 1])
})

test('asked twice at a time, or wrongly', async t => {
  const extractor = new TCPStreamExtractor(samplePath)
  const first = extractor.next()
  await t.throwsAsync(extractor.next(), { code: 'ERR_BUSY' })
  t.throws(() => extractor.run(), { code: 'ERR_BUSY' })
  await first
  t.is(extractor.run(), extractor.run())
  await t.throwsAsync(extractor.next(), { code: 'ERR_BUSY' })
  await extractor.run()
  const wrong = [{ staleTimeout: -1 }, { flushPackets: 0 }, { writers: [{}] }, { writers: 'pcap' }, { outputDir: '' }, { keep: 1 }, { onWriterError: 'go' }, { idleTimeout: 3 }, { outputDir: 'x', writers: [] }]
  for (const options of wrong) t.throws(() => new TCPStreamExtractor(samplePath, options as never), { instanceOf: OptionError }, JSON.stringify(options))
})

test('fragments: all frames of a datagram are with its stream', async t => {
  const whole = tcpFrame({ flags: ACK, seq: 1, id: 77, payload: Buffer.alloc(64, 'f') })
  const fragment = (from: number, to: number, more: boolean) => {
    const frame = Buffer.concat([whole.subarray(0, 34), whole.subarray(34 + from, 34 + to)])
    frame.writeUInt16BE(20 + to - from, 16)
    frame.writeUInt16BE((more ? 0x2000 : 0) | (from / 8), 20)
    return frame
  }
  const frames = [fragment(0, 24, true), fragment(48, 84, false), fragment(24, 48, true)]
  const stray = Buffer.from(fragment(0, 24, true))
  stray.writeUInt16BE(78, 18)
  const capture = pcap([stray, ...frames].map((frame, i): [bigint, Uint8Array] => [BigInt(i + 1), frame]))
  const writer = new Keeper()
  const stats = await new TCPStreamExtractor(capture, { writers: [writer] }).run()
  t.deepEqual(writer.parts.map(({ client, frames }) => [client, frames]), [['f'.repeat(64), frames.map(frame => frame.toString('hex'))]])
  t.is(stats.unclaimedFragments, 1)
})
