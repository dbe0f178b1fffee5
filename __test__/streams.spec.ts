// Stream events and connections: their order, their octets against a naive model, and what comes when buffers are full.
import { createHash } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { Connection, StreamEvent, StreamOptions } from '../src/index.js'
import { collect } from './support/collect.js'
import { connections, streamEvents } from './support/engine-under-test.js'
import { naiveStreams, type NaiveSide } from './support/naive-streams.js'
import { pcap, tcpFrame } from './support/frames.js'
import { Random } from './support/random.js'
import { ACK, FIN, PSH, RST, SYN, framesOf, troubledCapture, type Trouble } from './support/stream-capture.js'

/** As `deepEqual` on long arrays, in no time. */
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0
const sha256 = (octets: Uint8Array) => createHash('sha256').update(octets).digest('hex')

/** What a direction's events came to. */
interface Heard {
  octets: Uint8Array[]
  gaps: [number, number][]
  conflicts: number
  next: number
}

/** Checks the grammar (open, then data, gap and conflict, then close; offsets in a row) and keeps what came. */
class Listener {
  readonly ended = new Map<number, { fwd: Heard; rev: Heard; close: StreamEvent & { type: 'close' } }>()
  readonly #open = new Map<number, { fwd: Heard; rev: Heard; id: number }>()
  readonly #t: ExecutionContext
  #lastPacket = 0

  constructor(t: ExecutionContext) {
    this.#t = t
  }

  hear(event: StreamEvent): void {
    const { connection_id: id, client_port: port } = event.connection
    if (event.packet > 0) {
      this.#t.true(event.packet >= this.#lastPacket, 'capture order')
      this.#lastPacket = event.packet
    }
    const heard = this.#open.get(port)
    switch (event.type) {
      case 'open':
        this.#t.is(heard, undefined, 'opened twice')
        this.#open.set(port, { fwd: nothing(), rev: nothing(), id })
        break
      case 'data':
        this.#t.is(event.data.length, event.length)
        this.#t.true(event.length > 0)
        this.#goOn(heard![event.direction], event)
        heard![event.direction].octets.push(event.copy())
        break
      case 'gap':
        this.#goOn(heard![event.direction], event)
        heard![event.direction].gaps.push([event.offset, event.length])
        break
      case 'conflict':
        this.#t.not(event.kept[0], event.other[0])
        this.#t.not(event.kept.at(-1), event.other.at(-1))
        heard![event.direction].conflicts += event.kept.filter((octet, i) => octet !== event.other[i]).length
        break
      case 'close':
        this.#t.is(heard!.id, id)
        this.ended.set(port, { fwd: heard!.fwd, rev: heard!.rev, close: event })
        this.#open.delete(port)
    }
  }

  #goOn(heard: Heard, { offset, length }: { offset: number; length: number }): void {
    this.#t.is(offset, heard.next, 'contiguous')
    heard.next += length
  }

  end(): void {
    this.#t.is(this.#open.size, 0, 'all closed')
  }
}

const nothing = (): Heard => ({ octets: [], gaps: [], conflicts: 0, next: 0 })

async function listen(t: ExecutionContext, capture: Uint8Array | Uint8Array[], options?: StreamOptions): Promise<Listener> {
  const listener = new Listener(t)
  for await (const event of streamEvents(capture, options)) listener.hear(event)
  listener.end()
  return listener
}

function compareHeard(t: ExecutionContext, heard: Heard, naive: NaiveSide): void {
  t.is(sha256(Buffer.concat(heard.octets)), sha256(naive.octets))
  t.deepEqual(heard.gaps, naive.gaps)
  t.is(heard.conflicts, naive.conflicts)
}

function compareRecord(t: ExecutionContext, connection: Connection, naive: { fwd: NaiveSide; rev: NaiveSide }): void {
  for (const way of ['fwd', 'rev'] as const) {
    const [content, side] = [way === 'fwd' ? connection.client : connection.server, naive[way]]
    t.true(same(content.bytes(), side.octets))
    t.true(same(Buffer.concat(content.chunks() as Uint8Array[]), side.octets))
    t.deepEqual(content.gaps, side.gaps)
    t.is(content.length, side.octets.length)
    t.true(content.complete)
    t.is(content.sha256(), sha256(side.octets))
    t.is(connection[`stream_sha256_${way}`], sha256(side.octets))
    t.is(connection[`stream_len_${way}`], side.octets.length)
    t.is(connection[`gap_bytes_${way}`], side.gaps.reduce((sum, gap) => sum + gap[1], 0))
    t.is(connection[`conflict_bytes_${way}`], side.conflicts)
    t.is(connection[`payload_bytes_${way}`], side.payload)
    t.is(connection[`packets_${way}`], side.packets)
  }
}

const troubles: Record<string, Trouble> = {
  'in order': {},
  'sequence numbers wrap': { wrap: true },
  duplicates: { duplicate: 2 },
  reordered: { reorder: 8 },
  'reordered a lot': { reorder: 100, wrap: true },
  lost: { loss: 4 },
  overlapping: { overlap: 2, reorder: 5 },
  'overlapping with other octets': { overlap: 2, conflict: 2, reorder: 5, wrap: true },
  everything: { loss: 5, duplicate: 4, overlap: 3, conflict: 2, reorder: 12, wrap: true, connections: 8 },
}

for (const [name, trouble] of Object.entries(troubles)) {
  test(`events and records are what a naive model says: ${name}`, async t => {
    for (let seed = 1; seed <= 8; seed++) {
      const capture = troubledCapture(seed, trouble)
      const naive = naiveStreams(capture)
      const { ended } = await listen(t, capture)
      t.is(ended.size, naive.size)
      for (const [port, { fwd, rev }] of ended) {
        compareHeard(t, fwd, naive.get(port)!.fwd)
        compareHeard(t, rev, naive.get(port)!.rev)
      }
      const records = await collect(connections(capture, { hash: 'sha256' }))
      t.is(records.length, naive.size)
      for (const record of records) compareRecord(t, record, naive.get(record.client_port)!)
    }
  })
}

test('the model has something to say: troubles leave gaps and conflicts', t => {
  const sides = (name: string) => {
    return [...naiveStreams(troubledCapture(1, troubles[name]!)).values()].flatMap(c => [c.fwd, c.rev])
  }
  t.true(sides('lost').some(side => side.gaps.length > 1))
  t.true(sides('everything').some(side => side.gaps.length > 0))
  t.true(sides('everything').some(side => side.conflicts > 10))
})

/** Steps of a client on `port` that says `payloads` and leaves. */
const talk = (port: number, payloads: readonly (readonly [seq: number, payload: Uint8Array])[]) => [
  { ports: [port, 80] as [number, number], seq: 0, flags: SYN },
  { ports: [80, port] as [number, number], reversed: true, seq: 0, ack: 1, flags: SYN | ACK },
  ...payloads.map(([seq, payload]) => ({ ports: [port, 80] as [number, number], seq, ack: 1, flags: PSH | ACK, payload })),
]

test('more events than a batch holds: 30,000 data events, then 5,000 connections at once', async t => {
  const octets = new Random(5).octets(60_000)
  const small = Array.from({ length: 30_000 }, (_, i) => [1 + 2 * i, octets.subarray(2 * i, 2 * i + 2)] as const)
  const many = Array.from({ length: 5000 }, (_, i) => ({ ports: [2000 + i, 80] as [number, number], seq: 7, flags: SYN }))
  const { ended } = await listen(t, pcap(framesOf([...talk(1000, small), ...many])), { joinData: false })
  t.is(ended.size, 5001)
  t.is(ended.get(1000)!.fwd.octets.length, 30_000)
  t.is(sha256(Buffer.concat(ended.get(1000)!.fwd.octets)), sha256(octets))
  const records = await collect(connections(pcap(framesOf([...talk(1000, small), ...many]))))
  t.deepEqual(records.map(r => r.connection_id), Array.from({ length: 5001 }, (_, i) => i))
})

test('more released octets than the side buffer holds: 3 MiB behind one hole', async t => {
  const octets = new Random(6).octets(3 * 2 ** 20)
  const pieces = Array.from({ length: Math.ceil(octets.length / 1400) }, (_, i) => {
    return [1 + 1400 * i, octets.subarray(1400 * i, 1400 * (i + 1))] as const
  })
  const capture = pcap(framesOf(talk(1000, [...pieces.slice(1), pieces[0]!])))
  const { ended } = await listen(t, capture)
  t.is(sha256(Buffer.concat(ended.get(1000)!.fwd.octets)), sha256(octets))
  t.is(ended.get(1000)!.fwd.next, octets.length)
  const [record] = await collect(connections(capture, { maxStreamBytes: 2 ** 22 }))
  t.true(same(record!.client.bytes(), octets))
})

test('more conflicts than the side buffer holds', async t => {
  const octets = new Random(7).octets(700_000)
  const other = octets.map(octet => octet ^ 0xff)
  const split = (from: Uint8Array) =>
    Array.from({ length: 500 }, (_, i) => [1 + 1400 * i, from.subarray(1400 * i, 1400 * (i + 1))] as const)
  const capture = pcap(framesOf(talk(1000, [...split(octets), ...split(other)])))
  const { ended } = await listen(t, capture)
  t.is(ended.get(1000)!.fwd.conflicts, 700_000)
  t.is(sha256(Buffer.concat(ended.get(1000)!.fwd.octets)), sha256(octets))
})

test('a limit on gaps listed keeps their sum', async t => {
  const pieces = Array.from({ length: 50 }, (_, i) => [1 + 10 * i, Uint8Array.of(1, 2, 3)] as const)
  const [record] = await collect(connections(pcap(framesOf(talk(1000, pieces))), { maxGaps: 5 }))
  t.deepEqual(record!.gaps_fwd, [0, 1, 2, 3, 4].map(i => [3 + 10 * i, 7]))
  t.is(record!.gap_bytes_fwd, 49 * 7)
})

test('data is a view of what was read; copy() stays', async t => {
  const capture = troubledCapture(3, {})
  const [views, copies]: [Uint8Array[], Uint8Array[]] = [[], []]
  const buffers = new Set<ArrayBufferLike>()
  for await (const event of streamEvents(capture)) {
    if (event.type !== 'data') continue
    t.deepEqual(event.copy(), event.data)
    t.not(event.copy().buffer, event.data.buffer)
    buffers.add(event.data.buffer)
    views.push(event.data)
    copies.push(event.copy())
  }
  t.true(views.length > 20)
  t.true(buffers.size <= 2, 'no octet was copied: all views lie in the blocks')
  t.is(copies.reduce((sum, copy) => sum + copy.length, 0), views.reduce((sum, view) => sum + view.length, 0))
})

test('want: what nobody wants has no payload, and its record all the same', async t => {
  const capture = troubledCapture(4, { connections: 6, reorder: 4 })
  const naive = naiveStreams(capture)
  const asked: number[] = []
  const want = (c: { client_port: number }) => (asked.push(c.client_port), c.client_port === 1002)
  const events = await collect(streamEvents(capture, { want }))
  t.deepEqual(asked.toSorted(), [1000, 1001, 1002, 1003, 1004, 1005])
  for (const [port] of naive) {
    const own = events.filter(event => event.connection.client_port === port).map(event => event.type)
    t.deepEqual(port === 1002 ? [own[0], own.at(-1), own.includes('data')] : own, port === 1002 ? ['open', 'close', true] : ['open', 'close'])
  }
  const records = await collect(connections(capture, { want, hash: 'sha256' }))
  for (const record of records) {
    t.is(record.payload_bytes_fwd, naive.get(record.client_port)!.fwd.payload)
    t.is(record.client.chunks().length > 0, record.client_port === 1002)
  }
})

test('each waits for a promise, and gives the same events', async t => {
  const capture = troubledCapture(5, { reorder: 4, loss: 5 })
  const expected: string[] = []
  for await (const event of streamEvents(capture)) expected.push(`${event.type} ${event.packet}`)
  const found: string[] = []
  let running = 0
  await streamEvents(capture).each(async event => {
    t.is(++running, 1, 'one at a time')
    found.push(`${event.type} ${event.packet}`)
    if (found.length % 10 === 0) await new Promise(setImmediate)
    running--
  })
  t.deepEqual(found, expected)
  await t.throwsAsync(streamEvents(capture).each(() => Promise.reject(new Error('enough'))), { message: 'enough' })
  await t.throwsAsync(streamEvents(capture).each(() => { throw new Error('at once') }), { message: 'at once' })
})

test('maxStreamBytes keeps a prefix, and says so', async t => {
  const capture = troubledCapture(8, { octets: 4000 })
  const naive = naiveStreams(capture)
  for (const record of await collect(connections(capture, { maxStreamBytes: 1000 }))) {
    const { octets } = naive.get(record.client_port)!.fwd
    t.deepEqual(record.client.bytes(), octets.subarray(0, 1000))
    t.is(record.client.length, octets.length)
    t.is(record.client.complete, octets.length <= 1000)
    t.is(record.client.sha256(), octets.length <= 1000 ? sha256(octets) : null)
  }
  for (const record of await collect(connections(capture, { maxStreamBytes: 0, hash: 'sha256' }))) {
    t.is(record.client.bytes().length, 0)
    t.is(record.client.sha256(), sha256(naive.get(record.client_port)!.fwd.octets))
  }
})

test('maxKeptBytes bounds what all open connections keep', async t => {
  const records = await collect(connections(troubledCapture(9, { connections: 20 }), { maxKeptBytes: 5000 }))
  const kept = records.reduce((sum, record) => sum + record.client.bytes().length + record.server.bytes().length, 0)
  t.is(kept, 5000, 'all are open until the end')
  t.true(records.some(record => !record.client.complete))
})

test('records are plain objects: spread, JSON and structuredClone give the columns', async t => {
  const [record] = await collect(connections(troubledCapture(1, { loss: 3 })))
  const names = Object.keys(record!)
  t.false(names.includes('client') || names.includes('server'))
  t.deepEqual(Object.keys({ ...record! }), names)
  const clone = structuredClone(record!)
  t.deepEqual(Object.keys(clone), names)
  t.is(clone.gaps_fwd.length, record!.gaps_fwd.length)
  const text = JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  t.deepEqual(Object.keys(JSON.parse(text) as object), names)
})

test("deliver 'acked' holds octets until the peer has acknowledged them", async t => {
  const text = (value: string) => new TextEncoder().encode(value)
  const server = (ack: number) => ({ ports: [80, 1000] as [number, number], reversed: true, seq: 1, ack, flags: ACK })
  const steps = [...talk(1000, [[1, text('hello')]]), server(4), server(6), ...talk(1000, [[6, text('more')]]).slice(2)]
  const capture = pcap(framesOf(steps))
  const data = async (options: StreamOptions) => {
    const found: string[] = []
    await streamEvents(capture, options).each(event => {
      if (event.type === 'data') found.push(`${event.packet} ${event.offset} ${Buffer.from(event.data).toString()}`)
    })
    return found
  }
  t.deepEqual(await data({}), ['3 0 hellomore'])
  t.deepEqual(await data({ joinData: false }), ['3 0 hello', '6 5 more'])
  t.deepEqual(await data({ deliver: 'acked' }), ['4 0 hello', '0 5 more'])
  t.deepEqual(await data({ deliver: 'acked', joinData: false }), ['4 0 hel', '5 3 lo', '0 5 more'])
})

test('several captures are one recording; separate ones are not', async t => {
  const capture = troubledCapture(12, { reorder: 6, duplicate: 5 })
  const naive = naiveStreams(capture)
  // Cut behind a packet in the middle; the second half gets a header of its own.
  let middle = 24
  const view = new DataView(capture.buffer)
  while (middle < capture.length / 2) middle += 16 + view.getUint32(middle + 8, true)
  const halves = [capture.subarray(0, middle), Buffer.concat([capture.subarray(0, 24), capture.subarray(middle)])]
  const records = await collect(connections(halves, { hash: 'sha256' }))
  t.is(records.length, naive.size)
  for (const record of records) {
    compareRecord(t, record, naive.get(record.client_port)!)
    t.is(record.capture, 'octets')
  }
  const apart = await collect(connections(halves, { separate: true }))
  t.is(apart.length, 2 * naive.size)
  t.is(apart.filter(record => record.connection_id === 0).length, 2)
  t.is(apart.filter(record => record.isn_fwd === null).length, naive.size)
})

test('a filter makes packets as if they were not there', async t => {
  const capture = troubledCapture(13, { connections: 4 })
  const run = connections(capture, { filter: 'port 1001' })
  const records = await collect(run)
  t.deepEqual(records.map(record => record.client_port), [1001])
  compareRecordLengths(t, records[0]!, naiveStreams(capture).get(1001)!)
  t.true(run.stats.filtered > 0)
  const fwd = await collect(connections(capture, { filter: 'src port 1001' }))
  t.deepEqual([fwd[0]!.packets_rev, fwd[0]!.connected], [0, false])
})

function compareRecordLengths(t: ExecutionContext, record: Connection, naive: { fwd: NaiveSide; rev: NaiveSide }): void {
  t.deepEqual([record.stream_len_fwd, record.stream_len_rev], [naive.fwd.octets.length, naive.rev.octets.length])
}

test('a RST ends a connection, and its ports may be used again', async t => {
  const ports: [number, number] = [1000, 80]
  const steps = [
    ...talk(1000, [[1, Uint8Array.of(1, 2, 3)]]),
    { ports, seq: 4, flags: RST },
    { ports, seq: 90_000, flags: SYN },
    { ports, seq: 90_001, flags: FIN | ACK, payload: Uint8Array.of(9) },
  ]
  const records = await collect(connections(pcap(framesOf(steps))))
  t.deepEqual(records.map(r => [r.connection_id, r.end_reason, r.state, r.stream_len_fwd, r.isn_fwd]), [
    [0, 'rst', 'reset', 3, 0],
    [1, 'eof', 'closing', 1, 90_000],
  ])
})

test('an option that does not exist or has no such value is refused at once', t => {
  const capture = pcap([[0n, tcpFrame({})]])
  const refused: [object, RegExp][] = [
    [{ maxStreamByte: 1 }, /maxStreamByte: there is no such option/],
    [{ policy: 'newest' }, /policy: expected first, last/],
    [{ deliver: 'later' }, /deliver: expected/],
    [{ want: true }, /want: expected a function/],
    [{ maxConnections: 0 }, /maxConnections: expected/],
    [{ gapPatience: -1 }, /gapPatience: expected/],
    [{ filter: 'port' }, /filter/],
  ]
  for (const [options, message] of refused) {
    if (!('maxStreamByte' in options) && !('filter' in options))
      t.throws(() => connections(capture, options as StreamOptions), { code: 'ERR_INVALID_OPTION', message })
    t.throws(() => streamEvents(capture, options as StreamOptions), { code: 'ERR_INVALID_OPTION', message })
  }
  t.throws(() => connections(capture, { hash: 'md5' } as object), { code: 'ERR_INVALID_OPTION' })
})
