// Several captures as one, growing ones, and every way a capture comes in: the records must not depend on it.
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, createReadStream, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import {
  CaptureError,
  OptionError,
  basicChain,
  connections,
  flowTable,
  observe,
  streamEvents,
  tcpChain,
  type CaptureSource,
} from '../src/index.js'
import { addStats } from '../src/stats.js'
import { NO_STATS } from '../src/stream-events.js'
import { collect } from './support/collect.js'
import { captureOf } from './support/packets.js'
import { root, samplePath } from './support/places.js'
import { expectedSample } from './support/sample.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-sources-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const sample = readFileSync(samplePath)
const HEADER = 24

/** The packet records of a little-endian pcap file. */
function records(capture: Buffer): Buffer[] {
  const found = []
  for (let at = HEADER; at < capture.length; ) {
    const end = at + 16 + capture.readUInt32LE(at + 8)
    found.push(capture.subarray(at, end))
    at = end
  }
  return found
}

const packets = records(sample)

/** A copy without the record's prototype, and with other columns where there are any. */
const plain = <T extends object, Other extends object>(record: T, other?: Other) => Object.assign({}, record, other)

/** Where each packet of the sample went: which capture, and which number there. */
type Places = { capture: string; number: number }[]

/** The sample dealt out to captures, packet by packet, by `choose`. */
function deal(name: string, count: number, choose: (packet: number) => number): { paths: string[]; places: Places } {
  const paths = Array.from({ length: count }, (_, i) => join(folder, `${name}-${i}.pcap`))
  const hands: Buffer[][] = paths.map(() => [])
  const places = packets.map((packet, i) => {
    const hand = choose(i)
    hands[hand]!.push(packet)
    return { capture: paths[hand]!, number: hands[hand]!.length }
  })
  hands.forEach((hand, i) => writeFileSync(paths[i]!, Buffer.concat([sample.subarray(0, HEADER), ...hand])))
  return { paths, places }
}

const chains = [basicChain(), tcpChain()] as const
/** The flows of the whole sample, as they are where packets lie in several captures. */
async function wholeFlows(places: Places) {
  const flows = await collect(observe(samplePath, { chains }))
  return flows.map(flow => {
    const { capture, number } = places[flow.first_packet - 1]!
    return plain(flow, { first_packet: number, capture })
  })
}

const byId = <T extends { flow_id: number }>(flows: readonly T[]) => flows.map(flow => plain(flow)).toSorted((a, b) => a.flow_id - b.flow_id)

/** A connection and what it carried. */
async function carried(source: CaptureSource | readonly CaptureSource[], options: { merge?: boolean } = {}) {
  const found = []
  for await (const one of connections(source, options)) {
    const { first_packet: _, capture: _c, ...rest } = one
    found.push({ ...rest, client: one.client.sha256(), server: one.server.sha256() })
  }
  return found
}

for (const [title, count, choose] of [
  ['in turn', 3, (i: number) => i % 3],
  ['one of them empty', 3, (i: number) => (i % 2) * 2],
  ['by a rule of no sense', 5, (i: number) => (i * i + 3 * i) % 5],
] as const) {
  test(`merge: captures dealt out ${title} give the whole capture's flows`, async t => {
    const { paths, places } = deal(title.replaceAll(' ', '-'), count, choose)
    const observer = observe(paths, { chains, merge: true })
    t.deepEqual(byId(await collect(observer)), byId(await wholeFlows(places)))
    t.is(observer.stats.packets, packets.length)
    t.deepEqual(observer.captures.map(capture => capture.name), paths)
    t.deepEqual(observer.captures.map(capture => capture.packets), paths.map(path => places.filter(p => p.capture === path).length))
  })

  test(`merge: captures dealt out ${title} give the whole capture's streams`, async t => {
    const { paths, places } = deal(`streams-${title.replaceAll(' ', '-')}`, count, choose)
    const expected = await carried(samplePath)
    t.true(expected.length > 3)
    t.deepEqual(await carried(paths, { merge: true }), expected)
    t.notDeepEqual(await carried(paths), expected, 'one after another they are not in order')
    const numbers: [string | undefined, number][] = []
    for await (const event of streamEvents(paths, { merge: true }))
      if (event.type === 'open') numbers.push([event.connection.capture, event.connection.first_packet])
    const whole: [string, number][] = []
    for await (const event of streamEvents(samplePath))
      if (event.type === 'open') {
        const { capture, number } = places[event.connection.first_packet - 1]!
        whole.push([capture, number])
      }
    t.deepEqual(numbers, whole)
  })
}

test('merge: streams in small pieces, compressed data and files together', async t => {
  const { paths, places } = deal('mixed', 3, i => i % 3)
  const names = [paths[0]!, 'stream', 'octets']
  const expected = (await wholeFlows(places)).map(flow => plain(flow, { capture: names[paths.indexOf(flow.capture)] }))
  const source = () => [paths[0]!, createPieces(readFileSync(paths[1]!), 100), gzipSync(readFileSync(paths[2]!))]
  t.deepEqual(byId(await collect(observe(source(), { chains, merge: true }))), byId(expected))
  t.deepEqual(await carried(source(), { merge: true }), await carried(samplePath))
})

async function* createPieces(octets: Buffer, length: number): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < octets.length; at += length) yield octets.subarray(at, at + length)
}

test('merge: equal times come in the order given', async t => {
  const [a, b] = ['192.0.2.1', '192.0.2.2'].map(src => captureOf([{ at: 5, src, dst: '192.0.2.9', ports: [1, 2] }]))
  const first = async (source: Buffer[]) => (await collect(observe(source, { chains, merge: true })))[0]!.sip
  t.is(await first([a!, b!]), '192.0.2.1')
  t.is(await first([b!, a!]), '192.0.2.2')
})

test('merge: each capture that fails is reported, the others are read', async t => {
  const { paths } = deal('broken', 3, i => i % 3)
  const cut = join(folder, 'cut.pcap')
  writeFileSync(cut, readFileSync(paths[1]!).subarray(0, -3))
  const messages: string[] = []
  const sources = [paths[0]!, cut, join(folder, 'missing.pcap'), paths[2]!]
  const observer = observe(sources, { merge: true, onError: error => messages.push(`${error.code} ${error.message}`) })
  await collect(observer)
  t.is(observer.stats.packets, packets.length - 1)
  t.is(messages.length, 2)
  t.true(messages.some(m => m.startsWith(`ERR_CAPTURE_IO ${join(folder, 'missing.pcap')}: `)), messages.join('\n'))
  t.true(messages.some(m => m.startsWith(`ERR_CAPTURE_TRUNCATED ${cut}: `)), messages.join('\n'))
  await t.throwsAsync(collect(observe(sources, { merge: true })), { instanceOf: CaptureError })
})

test('merge, separate, follow: what can not be is refused at once', t => {
  const many = Array.from({ length: 65 }, () => samplePath)
  const refused: [() => unknown, RegExp][] = [
    [() => observe(many, { merge: true }), /^merge: at most 64 captures can be merged, not 65$/],
    [() => streamEvents(many, { merge: true }), /^merge: at most 64/],
    [() => connections(many, { merge: true }), /^merge: at most 64/],
    [() => observe(many, { merge: true, separate: true }), /^merge: captures are either merged or read separately$/],
    [() => connections(samplePath, { merge: true, follow: true }), /^follow: captures that are merged/],
    [() => observe(samplePath, { follow: 1 as unknown as boolean }), /^follow: expected true or false/],
  ]
  for (const [ask, message] of refused) t.throws(ask, { instanceOf: OptionError, message })
})

test('merge: 64 captures', async t => {
  const { paths, places } = deal('many', 64, i => (i * 7) % 64)
  t.deepEqual(byId(await collect(observe(paths, { chains, merge: true }))), byId(await wholeFlows(places)))
})

test('separate: each capture gives what it gives alone, under its name', async t => {
  const { paths } = deal('separate', 3, i => i % 3)
  const alone = await Promise.all(
    paths.map(async path => (await collect(observe(path, { chains }))).map(flow => plain(flow, { capture: path }))),
  )
  t.true(alone.every(flows => flows.length > 1))
  const observer = observe(paths, { chains, separate: true })
  t.deepEqual((await collect(observer)).map(flow => plain(flow)), alone.flat())
  t.is(observer.stats.packets, packets.length)
  t.is(observer.stats.flows, alone.flat().length)
  t.deepEqual(observer.captures.map(capture => capture.name), paths)
})

test('separate: a capture that fails does not keep the next from being read', async t => {
  const observer = observe([samplePath, join(folder, 'nothing.pcap'), samplePath], { separate: true })
  const found: unknown[] = []
  const reading = (async () => {
    for await (const flow of observer) found.push(flow)
  })()
  await t.throwsAsync(reading, { instanceOf: CaptureError, message: /nothing\.pcap: / })
  t.is(found.length, 2 * expectedSample.flows.length)
})

test('counters of runs add up, unknown link types by number', t => {
  const run = (flows: number, unknownLinkTypes: Record<string, number>) => ({ flows, unknownLinkTypes })
  t.deepEqual(addStats(run(1, { 147: 5 }), run(2, { 220: 1, 147: 2 })), run(3, { 147: 7, 220: 1 }))
  t.deepEqual(addStats(undefined, run(1, { 147: 5 })), run(1, { 147: 5 }))
  t.deepEqual(addStats({ ...NO_STATS }, { ...NO_STATS, unknownLinkTypes: { 9: 1 } }).unknownLinkTypes, { 9: 1 })
})

/** Waits until something is so. */
async function until(is: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !is(); tries++) await delay(50)
}

/** Writes a file in pieces from another process, with pauses between them. */
function startWriter(path: string, octets: Buffer, piece: number): Promise<number | null> {
  const script = `
    const { appendFileSync, readFileSync } = require('node:fs')
    const octets = readFileSync(process.argv[2])
    const write = at => {
      if (at >= octets.length) return
      appendFileSync(process.argv[1], octets.subarray(at, at + ${piece}))
      setTimeout(write, 30, at + ${piece})
    }
    write(0)`
  const whole = `${path}.whole`
  writeFileSync(whole, octets)
  writeFileSync(path, '')
  const child = spawn(process.execPath, ['--eval', script, path, whole], { stdio: 'inherit' })
  return new Promise(resolve => child.on('exit', resolve))
}

test('follow: a file that another process writes comes to the whole, flows come as they end', async t => {
  const path = join(folder, 'growing.pcap')
  const late = captureOf([0, 50, 100].map(at => ({ at: at + 2e9, src: '192.0.2.1', dst: '192.0.2.2', ports: [at + 1, 2] as [number, number] })))
  const octets = Buffer.concat([sample, late.subarray(HEADER)])
  const whole = await collect(observe(octets, { chains }))
  const writer = startWriter(path, octets, 1777)
  const observer = observe(path, { chains, follow: true })
  const found: object[] = []
  const reading = (async () => {
    for await (const flow of observer) found.push({ ...flow })
  })()
  await writer
  // All but the last flow are over by packet time.
  await until(() => found.length >= whole.length - 1)
  t.is(found.length, whole.length - 1)
  // Half a record: who writes it was interrupted.
  appendFileSync(path, sample.subarray(HEADER, HEADER + 9))
  await until(() => observer.stats.inputBytes === octets.length + 9)
  observer.finish()
  await reading
  t.deepEqual(found, whole.map(flow => plain(flow)))
  t.is(observer.captures[0]?.packets, packets.length + 3)
})

test('follow: streams and connections as they come', async t => {
  const path = join(folder, 'growing-streams.pcap')
  const expected = await carried(samplePath)
  const writer = startWriter(path, sample, 2500)
  const events = streamEvents(path, { follow: true })
  const records = connections(path, { follow: true })
  const types: string[] = []
  const both = Promise.all([
    (async () => {
      for await (const event of events) types.push(event.type)
    })(),
    (async () => {
      const found = []
      for await (const one of records) {
        const { first_packet: _, ...rest } = one
        found.push({ ...rest, client: one.client.sha256(), server: one.server.sha256() })
      }
      return found
    })(),
  ])
  await writer
  await until(() => events.stats.packets === packets.length && records.stats.packets === packets.length)
  t.true(types.includes('data'), 'data came while the file was open')
  events.finish()
  records.finish()
  const [, found] = await both
  t.deepEqual(found, expected)
  t.is(types.filter(type => type === 'close').length, expected.length)
})

test('follow: only the last capture is waited for', async t => {
  const { paths } = deal('rotated', 2, i => (i < 40 ? 0 : 1))
  const observer = observe(paths, { chains, follow: true })
  const reading = collect(observer)
  await until(() => observer.stats.packets === packets.length)
  observer.finish()
  t.is((await reading).length, (await collect(observe(paths))).length)
})

test('finish: the stream at hand ends, no further capture is opened, open flows come', async t => {
  const half = sample.length - 1000
  let opened = 0
  async function* second() {
    opened += 1
    yield sample.subarray(0, half)
    observer.finish()
    yield sample.subarray(half)
  }
  // oxlint-disable-next-line require-yield
  async function* third() {
    opened += 1
  }
  const observer = observe([samplePath, second(), third()], { chains, onError: () => {} })
  const flows = await collect(observer)
  t.is(opened, 1)
  t.is(observer.stats.packets, packets.length + records(sample.subarray(0, half)).length - 1)
  t.is(observer.stats.openFlows, 0)
  t.is(flows.length, observer.stats.flows)
})

test('finish: a silent stream is waited for no longer', async t => {
  async function* silent() {
    yield sample
    await new Promise(() => {})
  }
  const observer = observe([silent(), samplePath, samplePath], { chains })
  const reading = collect(observer)
  await until(() => observer.stats.packets === packets.length)
  observer.finish()
  t.is((await reading).length, expectedSample.flows.length)
  t.is(observer.captures.length, 1)
  t.deepEqual([observer.stats.packets, observer.stats.openFlows], [packets.length, 0])
})

for (const [title, change, message] of [
  ['truncated', (path: string) => truncateSync(path, 100), /: the file was truncated while it was followed$/],
  ['replaced', (path: string) => { writeFileSync(`${path}.new`, sample); renameSync(`${path}.new`, path) }, /: the file was replaced while it was followed$/],
  ['removed', (path: string) => rmSync(path), /: the file was removed while it was followed$/],
] as const) {
  test(`follow: a file that is ${title} ends with a clear error, after all its flows`, async t => {
    const path = join(folder, `${title}.pcap`)
    writeFileSync(path, sample)
    const messages: string[] = []
    const observer = observe(path, { chains, follow: true, onError: error => messages.push(error.message) })
    const reading = collect(observer)
    await until(() => observer.stats.packets === packets.length)
    change(path)
    t.is((await reading).length, expectedSample.flows.length)
    t.is(messages.length, 1)
    t.regex(messages[0]!, message)
    t.true(messages[0]!.startsWith(path))
  })
}

test('follow: an abort ends the wait with its reason', async t => {
  const path = join(folder, 'aborted.pcap')
  writeFileSync(path, sample)
  const controller = new AbortController()
  const observer = observe(path, { follow: true, signal: controller.signal })
  const reading = collect(observer)
  await until(() => observer.stats.packets === packets.length)
  controller.abort(new Error('enough'))
  await t.throwsAsync(reading, { message: 'enough' })
})

const onUnix = process.platform === 'win32' ? test.skip : test

onUnix('cli: --follow prints flows as they end; Ctrl-C prints the rest and the totals', async t => {
  const path = join(folder, 'cli.pcap')
  const early = captureOf([0, 100].map(at => ({ at: at + 1e9, src: '192.0.2.1', dst: '192.0.2.2', ports: [at + 1, 2] as [number, number] })))
  writeFileSync(path, early)
  const child = spawn(process.execPath, [join(root, 'bin', 'tcpskein.js'), 'flows', '--follow', '--format', 'ndjson', path], { cwd: root })
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => (out += String(chunk)))
  child.stderr.on('data', chunk => (err += String(chunk)))
  const ended = new Promise(resolve => child.on('close', (code, signal) => resolve(code ?? signal)))
  await until(() => out.includes('\n'))
  t.is(out.split('\n').length - 1, 1, 'the flow that is over is printed while the file is open')
  appendFileSync(path, sample.subarray(HEADER))
  await until(() => out.split('\n').length - 1 > 1)
  child.kill('SIGINT')
  t.is(await ended, 0, err)
  t.is(out.split('\n').length - 1, 2 + expectedSample.flows.length)
  t.regex(err, /^92 packets, 13 flows in /)
})

test('cli: --merge and --separate on flows and connections', async t => {
  const { paths } = deal('cli', 2, i => i % 2)
  const lines = (command: string, ...args: string[]) => {
    const options = [join(root, 'bin', 'tcpskein.js'), command, '--format', 'ndjson', '-q', ...args]
    const { stdout, stderr, status } = spawnSync(process.execPath, options, { cwd: root, encoding: 'utf8' })
    t.deepEqual([status, stderr], [0, ''])
    return stdout.split('\n').length - 1
  }
  const separate = await Promise.all(paths.map(async path => (await collect(observe(path))).length))
  t.is(lines('flows', '--merge', ...paths), expectedSample.flows.length)
  t.is(lines('flows', '--separate', ...paths), separate[0]! + separate[1]!)
  t.is(lines('connections', '--merge', ...paths), (await carried(samplePath)).length)
})

const COMPRESSORS: [name: string, compress: (octets: Buffer) => Buffer | null][] = [
  ['gzip', octets => gzipSync(octets)],
  ...['zstd', 'lz4', 'xz'].map((tool): [string, (octets: Buffer) => Buffer | null] => [
    tool,
    octets => {
      const { status, stdout, error } = spawnSync(tool, ['-c'], { input: octets })
      return error === undefined && status === 0 ? stdout : null
    },
  ]),
]

for (const [name, compress] of COMPRESSORS) {
  test(`${name}: path, stream, pieces and standard input give the records of the plain capture`, async t => {
    const octets = compress(sample)
    if (octets === null) {
      t.log(`skipped: ${name} is not installed`)
      t.pass()
      return
    }
    const path = join(folder, `sample.${name}`)
    writeFileSync(path, octets)
    const expected = await collect(observe(samplePath, { chains }))
    t.is(expected.length, expectedSample.flows.length)
    for (const source of [path, octets, createReadStream(path), Readable.toWeb(createReadStream(path)), createPieces(octets, 1)]) {
      const observer = observe(source as CaptureSource, { chains })
      t.deepEqual(await collect(observer), expected)
      t.is(observer.captures[0]?.compression, name)
      t.is(observer.captures[0]?.inputBytes, octets.length)
    }
    const options = [join(root, 'bin', 'tcpskein.js'), 'flows', '--format', 'ndjson', '-q']
    const [piped, plain] = [['-', octets], [samplePath, undefined]].map(([file, input]) =>
      spawnSync(process.execPath, [...options, file as string], { cwd: root, encoding: 'utf8', ...(input ? { input: input as Buffer } : {}) }),
    )
    t.deepEqual([piped!.status, piped!.stderr], [0, ''])
    t.is(piped!.stdout, plain!.stdout)
  })
}

test('standard input, plain, gives the records of the file', t => {
  const options = [join(root, 'bin', 'tcpskein.js'), 'connections', '--format', 'csv', '-q']
  const piped = spawnSync(process.execPath, [...options, '-'], { cwd: root, encoding: 'utf8', input: sample })
  const plain = spawnSync(process.execPath, [...options, samplePath], { cwd: root, encoding: 'utf8' })
  t.deepEqual([piped.status, piped.stderr], [0, ''])
  t.true(plain.stdout.length > 500)
  t.is(piped.stdout, plain.stdout)
})

test('merge, separate: hooks in JavaScript give what the engine gives', async t => {
  const { paths } = deal('own', 3, i => i % 3)
  for (const how of [{ merge: true }, { separate: true }]) {
    const native = observe(paths, { chains: [basicChain()], ...how })
    const hooked = observe(paths, { chains: [{ ...basicChain() }], ...how })
    const all = async (flows: AsyncIterable<object>) => (await collect(flows)).map(flow => plain(flow))
    t.deepEqual(await all(hooked), await all(native))
    t.is(hooked.stats.packets, packets.length)
    t.is(hooked.captures.length, 3)
  }
})

test('separate: a table of flows has them all', async t => {
  const { paths } = deal('table', 3, i => i % 3)
  const table = await flowTable(paths, { separate: true })
  t.is(table.length, (await collect(observe(paths, { separate: true }))).length)
})

test('a stream that fails before it is read ends the loop and not the process', async t => {
  const nowhere = join(folder, 'no-such-file')
  for (const engine of ['native', 'js'] as const) {
    await t.throwsAsync(collect(observe(createReadStream(nowhere), { engine })), { code: 'ENOENT' })
    await t.throwsAsync(collect(streamEvents(createReadStream(nowhere), { engine })), { code: 'ENOENT' })
    // The second one fails while the first one is read.
    const failures: string[] = []
    const both = [createReadStream(samplePath), createReadStream(nowhere)]
    const records = await collect(observe(both, { engine, onError: error => failures.push(String(error)) }))
    t.true(records.length > 0)
    t.regex(failures[0]!, /ENOENT/)
  }
})
