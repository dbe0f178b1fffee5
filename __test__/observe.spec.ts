// observe: every kind of source gives the same records; several captures; what records are.
import { spawnSync } from 'node:child_process'
import { createReadStream, readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { Observer, basicChain, observe, tcpChain, type CaptureSource } from '../src/index.js'
import { collect } from './support/collect.js'
import { captureOf } from './support/packets.js'
import { fixture, readJson, root, samplePath } from './support/places.js'
import { asExpected, chains, expectedSample, readAsExpected } from './support/sample.js'

const sample = readFileSync(samplePath)

/** The octets in pieces of the lengths that `length` gives. */
async function* pieces(octets: Uint8Array, length: () => number): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < octets.length; ) {
    const next = at + Math.max(0, length())
    yield octets.slice(at, next)
    at = next
  }
}

let seed = 7
/** 0 to 2,000; empty chunks happen too. */
const random = (): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return seed % 3 === 0 ? seed % 4 : seed % 2001
}

const sources: Record<string, () => CaptureSource> = {
  'a path': () => samplePath,
  'a file: URL': () => pathToFileURL(samplePath),
  octets: () => sample,
  'octets in the middle of a buffer': () => new Uint8Array(Buffer.concat([Buffer.alloc(3), sample])).subarray(3),
  'a Readable': () => createReadStream(samplePath, { highWaterMark: 1000 }),
  'a Readable over an array': () => Readable.from([sample.subarray(0, 100), sample.subarray(100)]),
  'a Web ReadableStream': () => Readable.toWeb(createReadStream(samplePath)) as ReadableStream<Uint8Array>,
  'an async iterable, octet by octet': () => pieces(sample, () => 1),
  'an async iterable, 7 octets at a time': () => pieces(sample, () => 7),
  'an async iterable, 65,536 octets at a time': () => pieces(sample, () => 65_536),
  'an async iterable of random chunks': () => pieces(sample, random),
  'an iterable': () => [sample.subarray(0, 10), sample.subarray(10)].values(),
}

for (const [title, source] of Object.entries(sources)) {
  test(`the shipped capture gives the expected records: ${title}`, async t => {
    t.deepEqual(await readAsExpected(source()), expectedSample.flows)
  })
}

test('the shipped capture gives the expected records: standard input', t => {
  const script = `
    import { observe, basicChain, tcpChain } from './dist/index.js'
    for await (const flow of observe('-', { chains: [basicChain(), tcpChain()] })) console.log(JSON.stringify(flow))`
  const args = ['--input-type=module', '--eval', script]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: root, input: sample, encoding: 'utf8' })
  t.deepEqual([status, stderr], [0, ''])
  const records = stdout.trim().split('\n').map(line => JSON.parse(line))
  const columns = Object.keys(expectedSample.flows[0]!)
  t.deepEqual(
    records.toSorted((a, b) => a.flow_id - b.flow_id).map(record => asExpected(record, columns)),
    expectedSample.flows,
  )
})

interface Fixtures {
  flows: Record<string, unknown>[]
  packets_per_flow: number[]
  files: Record<string, { packets: number; damage: string | null; damage_offset?: number }>
}
const fixtures = readJson<Fixtures>(fixture('fixtures.json'))

for (const [name, { packets, damage, damage_offset: offset }] of Object.entries(fixtures.files)) {
  test(`${name}: ${damage ?? `${packets} packets`}`, async t => {
    const errors: { code: string; message: string }[] = []
    const observer = observe(fixture(name), { chains, onError: error => errors.push(error) })
    const records = (await collect(observer)).toSorted((a, b) => a.flow_id - b.flow_id)
    t.is(observer.stats.packets, packets)
    if (damage === null) t.deepEqual(errors, [])
    else t.true(errors.length === 1 && errors[0]!.message.startsWith(`${fixture(name)}: offset ${offset}: `), errors[0]?.message)
    if (packets < 22) return
    const columns = Object.keys(fixtures.flows[0]!)
    const found = records.map(record => asExpected(record, columns))
    const micro = /-ns-/.test(name) ? (ns: string) => ns : (ns: string) => `${ns.slice(0, -3)}000`
    const times = (flow: Record<string, unknown>) => ({
      ...flow,
      first_ns: micro(String(flow.first_ns)),
      last_ns: micro(String(flow.last_ns)),
    })
    t.deepEqual(found, fixtures.flows.map(times))
  })
}

const [SYN, SYN_ACK, ACK, FIN_ACK] = [0x02, 0x12, 0x10, 0x11]
const [client, server] = ['192.0.2.1', '198.51.100.1']
const there = { src: client, dst: server, ports: [1000, 80] as [number, number] }
const back = { src: server, dst: client, ports: [80, 1000] as [number, number] }

test('flows stay open from one capture to the next', async t => {
  const first = captureOf([{ ...there, at: 10, flags: SYN }, { ...back, at: 11, flags: SYN_ACK }])
  const second = captureOf([
    { src: client, dst: server, ports: [5, 6], at: 12 },
    { ...there, at: 13, flags: ACK },
    { ...there, at: 14, flags: FIN_ACK },
    { ...back, at: 15, flags: FIN_ACK },
  ])
  const records = await collect(observe([Readable.from([first]), second], { chains }))
  const columns = records.map(r => [r.flow_id, r.capture, r.first_packet, r.pkt_first, r.pkt_last, r.pkt_fwd, r.pkt_rev, r.tcp_connected, r.end_reason])
  t.deepEqual(columns, [
    [0, 'stream', 1, 10, 15, 3, 2, true, 'complete'],
    [1, 'octets', 1, 12, 12, 1, 0, false, 'flush'],
  ])
})

test('a single capture gives no capture column; of several each names its own', async t => {
  const [one] = await collect(observe(samplePath))
  t.false('capture' in one!)
  const names = new Set((await collect(observe([samplePath, fixture('link-raw.pcap')]))).map(record => record.capture))
  t.deepEqual(names, new Set([samplePath, fixture('link-raw.pcap')]))
})

test('a capture that fails does not keep the next ones from being read', async t => {
  const errors: string[] = []
  const captures = [fixture('capture-last-cut.pcap'), '/does/not/exist', fixture('link-raw.pcap')]
  const observer = observe(captures, { onError: error => errors.push(error.code) })
  await collect(observer)
  t.deepEqual(errors, ['ERR_CAPTURE_TRUNCATED', 'ERR_CAPTURE_IO'])
  t.is(observer.stats.packets, 21 + 22)
  const silent = observe(captures)
  const seen: number[] = []
  const error = await t.throwsAsync(async () => {
    for await (const record of silent) seen.push(record.flow_id)
  })
  t.regex(error.message, /capture-last-cut/)
  t.true(seen.length > 0, 'the first error comes after the records')
})

test('the records of no chain have the base columns only', async t => {
  const [record] = await collect(observe(samplePath))
  t.deepEqual(Object.keys(record!), ['flow_id', 'ip_version', 'pkt_first', 'pkt_last', 'first_ns', 'last_ns', 'first_packet', 'end_reason', 'vlan', 'tunnel', 'tunnel_id'])
})

test('columns stand in the order of the chains', async t => {
  const base = 11
  const [record] = await collect(observe(samplePath, { chains: [tcpChain(), basicChain()] }))
  t.deepEqual(Object.keys(record!).slice(base), [...tcpChain().columns, ...basicChain().columns])
})

test('records are plain data: JSON, spread and structuredClone', async t => {
  const [record] = await collect(observe(samplePath, { chains }))
  const columns = Object.keys(record!)
  t.is(columns.length, 11 + 9 + 7)
  const spread = { ...record! }
  t.deepEqual(Object.keys(spread), columns)
  t.is(Object.getPrototypeOf(spread), Object.prototype)
  t.deepEqual(structuredClone(record!), spread)
  const json = JSON.parse(JSON.stringify(record)) as Record<string, unknown>
  t.deepEqual(Object.keys(json), columns)
  t.deepEqual(json, { ...spread, first_ns: String(record!.first_ns), last_ns: String(record!.last_ns) })
  t.is(BigInt(json.first_ns as string), record!.first_ns)
  t.deepEqual(Object.fromEntries(Object.entries(record!)), spread)
  const seen: string[] = []
  for (const column in record) seen.push(column)
  t.deepEqual(seen, [...columns], 'toJSON is not enumerated')
})

test('records stay as they are while later batches are read', async t => {
  const many = Array.from({ length: 5000 }, (_, i) => ({ src: client, dst: server, ports: [1 + i, 53] as [number, number], at: (1000 + i) / 1000 }))
  const records = await collect(observe(captureOf(many), { chains }))
  t.deepEqual(records.map(record => [record.flow_id, record.sp, record.pkt_first]), many.map((packet, i) => [i, packet.ports[0], packet.at]))
})

test('an Observer is its own iterator, and counts', async t => {
  const observer = new Observer(samplePath)
  t.is(observer[Symbol.asyncIterator](), observer)
  t.is(observer.stats.packets, 0)
  await collect(observer)
  const { packets, nonIp, inputBytes, flows, openFlows } = observer.stats
  t.deepEqual([packets, nonIp, inputBytes], [expectedSample.packets, expectedSample.not_ip, sample.length])
  t.deepEqual([flows, openFlows], [expectedSample.flows.length, 0])
  t.deepEqual(await observer.next(), { done: true, value: undefined })
})
