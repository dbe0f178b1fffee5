// What a follower can be fed, what it does with what it can't read, and its other way out: updates().
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { PacketFeed, TCPStreamFollower, basicChain, observe, type Chain, type FollowerInput } from '../src/index.js'
import { ip, fragments as fragmentsOf } from './support/fragmented.js'
import { collect } from './support/collect.js'
import { packetsOf, pcap, tcpFrame } from './support/frames.js'
import { follow, recording } from './support/followed.js'
import { ACK, PSH, SYN, framesOf, troubledCapture } from './support/stream-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-follower-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const capture = troubledCapture(3, { loss: 8, reorder: 4, connections: 5 })
const path = join(folder, 'capture.pcap')
writeFileSync(path, capture)
const packets = packetsOf(capture)

async function* later<T>(items: Iterable<T>): AsyncGenerator<T, void> {
  for (const item of items) {
    await Promise.resolve()
    yield item
  }
}

function* pieces(octets: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < octets.length; at += 1000) yield octets.subarray(at, at + 1000)
}

/** The same packets as a feed. */
function fedPackets(): PacketFeed {
  const feed = new PacketFeed()
  for (const packet of packets) feed.push(packet)
  feed.end()
  return feed
}

const inputs: [string, () => FollowerInput][] = [
  ['a path', () => path],
  ['a file: URL', () => pathToFileURL(path)],
  ['the octets of a capture', () => capture],
  ['a Node stream', () => createReadStream(path)],
  ['a web stream', () => Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>],
  ['pieces of a capture', () => pieces(capture)],
  ['pieces of a capture, in time', () => later(pieces(capture))],
  ['a packet feed', fedPackets],
  ['a list of packets', () => packets],
  ['a generator of packets', () => packets.values()],
  ['an async generator of packets', () => later(packets)],
  ['a Node stream of packets', () => Readable.from(packets)],
  ['a list of captures', () => [path]],
  ['raw IP packets', () => packets.map(({ data, timestampNs }) => ({ data: data.subarray(14), linkType: 101, timestampNs: timestampNs! }))],
]
for (const [name, input] of inputs)
  test(`fed with ${name}`, async t => {
    t.deepEqual(await follow(input()), await follow(path))
  })

test('what is neither packet nor capture is ignored and counted', async t => {
  const { follower, lines } = recording()
  await follower.feed([null, ...packets, undefined, 42, {}, [1], Symbol('no packet')])
  for (const input of [null, 7, {}, [], new Map()]) await follower.feed(input as FollowerInput)
  t.is(follower.stats.ignoredInputs, 9)
  await follower.close()
  t.deepEqual(lines, await follow(path))
})

test('streams go on from one input to the next, whatever the inputs are', async t => {
  const [a, b, c] = [packets.slice(0, 20), packets.slice(20, 40), packets.slice(40)]
  const asCapture = (some: typeof packets) => pcap(some.map(({ timestampNs, data }) => [timestampNs!, data]))
  const { follower, lines } = recording()
  for (const packet of a) await follower.feed(packet)
  await follower.feed(asCapture(b))
  await follower.feed(later(c))
  await follower.close()
  const plain = (some: string[]) => some.filter(line => !line.includes(' end ')).toSorted()
  t.deepEqual(plain(lines), plain(await follow(path)))
})

/** Feeds what hooks of a chain are given. */
async function throughViews(source: Uint8Array, hook: 'tcp' | 'ip4' | 'ip6'): Promise<string[]> {
  const { follower, lines } = recording()
  const fed: Promise<void>[] = []
  const take = (_: object, view: FollowerInput) => void fed.push(follower.feed(view))
  const chain: Chain<{ none: null }> = { name: 'feeder', newFlow: () => ({ none: null }), [hook]: take }
  await collect(observe(source, { chains: [basicChain(), chain] }))
  await Promise.all(fed)
  await follower.close()
  return lines
}

test('views that hooks of chains are given can be fed: TCP and IP, IPv4 and IPv6', async t => {
  const frames = framesOf([
    { seq: 0, flags: SYN },
    { ports: [80, 1000], reversed: true, seq: 0, ack: 1, flags: SYN | ACK },
    { seq: 1, ack: 1, flags: PSH | ACK, payload: new TextEncoder().encode('hello') },
  ])
  t.deepEqual(await throughViews(pcap(frames), 'tcp'), ['0 fwd 0 hello', '0 end eof'])
  t.deepEqual(await throughViews(capture, 'tcp'), await follow(capture))
  t.deepEqual(await throughViews(capture, 'ip4'), await follow(capture))
  const six = pcap([[1n, tcpFrame({ v6: true, seq: 5, flags: PSH | ACK, payload: new TextEncoder().encode('six') })]])
  t.deepEqual(await throughViews(six, 'ip6'), ['0 fwd 0 six', '0 end eof'])
})

test('a view of a datagram that came in fragments has all of it', async t => {
  const segment = tcpFrame({ seq: 5, flags: PSH | ACK, payload: new TextEncoder().encode('put together from fragments') })
  const source = pcap(fragmentsOf(segment, 16).map((frame, i) => [BigInt(i), frame]))
  t.is(ip(segment).length, segment.length - 14)
  t.deepEqual(await follow(source), ['0 fwd 0 put together from fragments', '0 end eof'])
  t.deepEqual(await throughViews(source, 'tcp'), ['0 fwd 0 put together from fragments', '0 end eof'])
})

test('octets are copied: a buffer may be used again', async t => {
  const { follower, lines } = recording()
  const data = tcpFrame({ flags: PSH | ACK, seq: 1, payload: new TextEncoder().encode('kept') })
  const first = follower.feed({ data })
  const second = follower.feed(later([]))
  const third = follower.feed({ data })
  data.fill(0)
  await Promise.all([first, second, third])
  t.deepEqual(lines, ['0 fwd 0 kept'])
  await follower.close()
})

test('a capture that can not be read rejects; more may be fed', async t => {
  const { follower, lines } = recording()
  await t.throwsAsync(follower.feed(join(folder, 'none.pcap')), { code: 'ERR_CAPTURE_IO', message: /none\.pcap/ })
  await t.throwsAsync(follower.feed([capture.subarray(0, -3)]), { code: 'ERR_CAPTURE_TRUNCATED' })
  await t.throwsAsync(follower.feed({ interface: 'none' } as unknown as FollowerInput))
  await follower.feed(packets)
  await follower.close()
  t.is(lines.filter(line => line.includes(' end ')).length, 5)
})

test('onError is told of captures that can not be read, in place of a rejection', async t => {
  const codes: string[] = []
  const lines = await follow([join(folder, 'none.pcap'), path], { onError: error => codes.push(error.code) })
  t.deepEqual(codes, ['ERR_CAPTURE_IO'])
  t.deepEqual(lines, await follow(path))
})

test('packets that can be in no capture reject', async t => {
  const { follower } = recording()
  const code = 'ERR_INVALID_OPTION'
  await t.throwsAsync(follower.feed({ data: new Uint8Array(300_000) }), { code })
  await t.throwsAsync(follower.feed({ data: new Uint8Array(3), linkType: -1 }), { code })
  await follower.feed(packets)
  await follower.close()
})

test('what a callback throws ends the follower and comes out of feed', async t => {
  const failure = new Error('no more')
  for (const onData of [() => { throw failure }, () => Promise.reject(failure)]) {
    const follower = new TCPStreamFollower({ onData })
    t.is(await t.throwsAsync(follower.feed(path)), failure)
    await t.throwsAsync(follower.feed(path), { code: 'ERR_CLOSED' })
    await follower.close()
  }
})

test('what an iterable throws comes out of feed; the follower goes on', async t => {
  const failure = new Error('torn')
  const torn = async function* () {
    yield* packets.slice(0, 10)
    throw failure
  }
  const { follower, lines } = recording()
  t.is(await t.throwsAsync(follower.feed(torn())), failure)
  await follower.feed(packets.slice(10))
  await follower.close()
  t.deepEqual(lines, await follow(path))
})

test('after close and after finish nothing can be fed; both may be called again', async t => {
  const { follower } = recording()
  await follower.close()
  await follower.close()
  follower.finish()
  await t.throwsAsync(follower.feed(path), { code: 'ERR_CLOSED' })
})

test('await using closes', async t => {
  const { follower, lines } = recording()
  {
    await using inner = follower
    await inner.feed(path)
  }
  t.is(lines.filter(line => line.includes(' end ')).length, 5)
})

test('finish ends the wait for more packets; what came is followed', async t => {
  const endless = async function* () {
    yield* packets
    await new Promise(() => {})
  }
  const { follower, lines } = recording()
  const fed = follower.feed(endless())
  const expected = await follow(path)
  // Data comes while more is waited for: all that lies before the first hole of its direction.
  const inOrder = expected.findIndex(line => line.includes(' gap '))
  t.true(inOrder > 10)
  while (lines.length < inOrder) await sleep(10)
  follower.finish()
  await fed
  await follower.close()
  t.deepEqual(lines, expected)
})

test('a signal ends a follower', async t => {
  const controller = new AbortController()
  const { follower } = recording({ signal: controller.signal })
  await follower.feed(packets.slice(0, 5))
  const reason = new Error('enough')
  const fed = follower.feed(later((function* () { for (;;) yield packets[0] })()))
  controller.abort(reason)
  t.is(await t.throwsAsync(fed), reason)
  await follower.close()
})

test('a small queue: everything comes through, and what is not waited for is refused beyond it', async t => {
  t.deepEqual(await follow(packets, { maxQueuedBytes: 2000 }), await follow(path))
  t.deepEqual(await follow(later(packets), { maxQueuedBytes: 1 }), await follow(path))
  const { follower } = recording({ maxQueuedBytes: 2000 })
  const fed = await Promise.allSettled(packets.map(packet => follower.feed(packet)))
  const refused = fed.filter(result => result.status === 'rejected')
  t.true(refused.length > 0)
  for (const { reason } of refused) t.is((reason as { code: string }).code, 'ERR_BUSY')
  await follower.close()
})

test('options that can not be used', t => {
  const code = 'ERR_INVALID_OPTION'
  t.throws(() => new TCPStreamFollower({ onData: 1 as never }), { code, message: /onData/ })
  t.throws(() => new TCPStreamFollower({ ondata: () => {} } as never), { code, message: /ondata/ })
  t.throws(() => new TCPStreamFollower({ merge: true } as never), { code, message: /merge/ })
  t.throws(() => new TCPStreamFollower({ maxStreamBytes: -1 }), { code, message: /maxStreamBytes/ })
  t.throws(() => new TCPStreamFollower({ filter: 'tcp port' }), { code, message: /filter/ })
})

test('updates() gives what callbacks are told, and ends what is open', async t => {
  const { follower, lines } = recording()
  const seen: string[] = []
  for await (const { type, stream } of follower.updates(path)) seen.push(`${type} ${stream.identifier} ${stream.packet}`)
  t.is(seen.length, lines.length)
  t.deepEqual(seen.map(line => line.split(' ').slice(0, 2)), lines.map(line => [/ end /.test(line) ? 'end' : / gap /.test(line) ? 'gap' : 'data', line.split(' ')[0]!]))
  await t.throwsAsync(follower.feed(path), { code: 'ERR_CLOSED' })
})

test('updates() waits for its loop, and leaving the loop stops the follower', async t => {
  const { follower, lines } = recording()
  let seen = 0
  for await (const _ of follower.updates(path)) {
    await sleep(5)
    t.true(lines.length <= ++seen)
    if (seen === 3) break
  }
  t.true(lines.length <= 4)
  await follower.close()
})

test('updates() throws what feed would', async t => {
  await t.throwsAsync(collect(new TCPStreamFollower().updates(join(folder, 'none.pcap'))), { code: 'ERR_CAPTURE_IO' })
})
