// Packets from elsewhere: every API takes a feed as its source; the queue is bounded; the end and the reader's leaving
// are seen on the other side.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { OptionError, PacketFeed, basicChain, connections, observe, streamEvents } from '../src/index.js'
import { collect } from './support/collect.js'
import { packetsOf, tcpFrame } from './support/frames.js'
import { naiveStreams } from './support/naive-streams.js'
import { ACK, PSH, SYN, troubledCapture } from './support/stream-capture.js'

const capture = troubledCapture(20, { loss: 5, reorder: 5, duplicate: 4, connections: 6 })

function fed(): PacketFeed {
  const feed = new PacketFeed()
  for (const packet of packetsOf(capture)) feed.push(packet)
  feed.end()
  return feed
}

test('a feed gives what the same packets in a file give', async t => {
  const plain = (records: object[]) => records.map(record => ({ ...record }))
  t.deepEqual(plain(await collect(connections(fed()))), plain(await collect(connections(capture))))
  const chains = [basicChain()]
  t.deepEqual(await collect(observe(fed(), { chains })), await collect(observe(capture, { chains })))
  const lines = (events: { type: string; packet: number; timestampNs: bigint }[]) =>
    events.map(event => `${event.type} ${event.packet} ${event.timestampNs}`)
  t.deepEqual(lines(await collect(streamEvents(fed()))), lines(await collect(streamEvents(capture))))
  t.is((await collect(connections(fed()))).length, naiveStreams(capture).size)
})

test('link types may be mixed, data may be cut, and the time may be left out', async t => {
  const feed = new PacketFeed()
  const frame = (flags: number, seq: number, payload = '') =>
    tcpFrame({ flags, seq, payload: new TextEncoder().encode(payload) })
  const before = BigInt(Date.now()) * 1_000_000n
  t.true(feed.push({ data: frame(SYN, 9) }))
  t.true(feed.push({ data: frame(PSH | ACK, 10, 'raw').subarray(14), linkType: 101 }))
  const cut = frame(PSH | ACK, 13, 'snapped')
  t.true(feed.push({ data: cut.subarray(0, -4), wireLength: cut.length }))
  t.true(feed.push({ data: frame(PSH | ACK, 20, '!').subarray(14), linkType: 101 }))
  feed.end()
  const [record] = await collect(connections(feed))
  t.is(Buffer.from(record!.client.bytes()).toString(), 'rawsna!')
  t.deepEqual(record!.gaps_fwd, [[6, 4]])
  const slack = 2_000_000_000n
  t.true(record!.first_ns >= before - slack && record!.last_ns <= BigInt(Date.now()) * 1_000_000n + slack)
})

test('events come while the feed is open', async t => {
  const feed = new PacketFeed()
  const events = streamEvents(feed)
  const first = events.next()
  await sleep(20)
  t.true(feed.push({ data: tcpFrame({ flags: SYN, seq: 1 }) }))
  t.is((await first).value!.type, 'open')
  const second = events.next()
  t.true(feed.push({ data: tcpFrame({ flags: PSH | ACK, seq: 2, payload: Uint8Array.of(65) }) }))
  t.like((await second).value, { type: 'data', length: 1, packet: 2 })
  feed.end()
  t.is((await events.next()).value!.type, 'close')
  t.true((await events.next()).done)
})

test('the queue is bounded: a full one refuses, drained() tells when to go on, nothing is lost', async t => {
  const feed = new PacketFeed({ maxQueuedBytes: 20_000 })
  const run = connections(feed)
  const first = run.next()
  let refused = 0
  for (const packet of packetsOf(capture))
    while (!feed.push(packet)) {
      refused++
      t.true(feed.queuedBytes <= 20_000)
      await feed.drained()
    }
  feed.end()
  const records = [(await first).value!, ...(await collect(run))]
  t.true(refused > 0)
  t.is(records.length, naiveStreams(capture).size)
  t.deepEqual(records.map(r => r.stream_len_fwd), (await collect(connections(capture))).map(r => r.stream_len_fwd))
})

test('data is copied: the caller may use its buffer again', async t => {
  const feed = new PacketFeed()
  const data = tcpFrame({ flags: PSH | ACK, seq: 1, payload: new TextEncoder().encode('kept') })
  feed.push({ data })
  data.fill(0)
  feed.end()
  t.is(Buffer.from((await collect(connections(feed)))[0]!.client.bytes()).toString(), 'kept')
})

test('an empty feed is an empty capture', async t => {
  const feed = new PacketFeed()
  feed.end()
  feed.end()
  t.deepEqual(await collect(connections(feed)), [])
})

test('when the reader leaves, the feed is closed: writers wake and a push throws', async t => {
  const feed = new PacketFeed({ maxQueuedBytes: 200 })
  const events = streamEvents(feed)
  const waiting = events.next()
  feed.push({ data: tcpFrame({ flags: SYN, seq: 1 }) })
  await waiting
  while (feed.push({ data: tcpFrame({ flags: ACK, seq: 2 }) }));
  const drained = feed.drained()
  await events.return()
  await drained
  t.true(feed.closed)
  t.throws(() => feed.push({ data: tcpFrame({}) }), { code: 'ERR_CLOSED', message: /nobody reads/ })
  const ended = new PacketFeed()
  ended.end()
  t.throws(() => ended.push({ data: tcpFrame({}) }), { code: 'ERR_CLOSED', message: /after the end/ })
})

test('a feed has one reader', async t => {
  const feed = new PacketFeed()
  feed.end()
  await collect(connections(feed))
  await t.throwsAsync(collect(connections(feed)), { code: 'ERR_BUSY' })
})

test('what can be in no capture is refused', t => {
  const feed = new PacketFeed()
  const data = new Uint8Array(60)
  const code = 'ERR_INVALID_OPTION'
  t.throws(() => feed.push({ data: new Uint8Array(262_145) }), { code, message: /data/ })
  t.throws(() => feed.push({ data, wireLength: 59 }), { code, message: /wireLength/ })
  t.throws(() => feed.push({ data, linkType: 70_000 }), { code, message: /linkType/ })
  t.throws(() => feed.push({ data, timestampNs: -1n }), { code, message: /timestampNs/ })
  t.throws(() => feed.push({ data, timestampNs: 2n ** 64n }), { code, message: /timestampNs/ })
  t.throws(() => new PacketFeed({ maxQueuedBytes: 0 }), { code, message: /maxQueuedBytes/ })
  t.is(feed.queuedBytes, 0)
})

test('what is no packet, and options that there are not, are errors that say so', t => {
  t.throws(() => new PacketFeed({ maxQueuedByte: 5 } as never), { instanceOf: OptionError, message: /maxQueuedByte: there is no such option/ })
  for (const packet of [{}, { data: 'abc' }, { data: null }])
    t.throws(() => new PacketFeed().push(packet as never), { instanceOf: OptionError, message: /^data: expected a Uint8Array/ })
})
