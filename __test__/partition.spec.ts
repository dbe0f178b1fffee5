// `map` and `reduce`: what goes through both has the same records as what is read in one place, for every capture there is,
// in parts and by partitions of their keys; fragments, ICMP errors and the clock of the whole job included.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { tableFromIPC } from 'apache-arrow'
import test from 'ava'
import {
  basicChain,
  connections,
  dnsChain,
  dscpChain,
  ecnChain,
  evilChain,
  icmpChain,
  mssChain,
  observe,
  partition,
  PartitionFeed,
  streamEvents,
  surveyCaptures,
  tcpChain,
  tcpOptChain,
  tfoChain,
  udpChain,
  writePartition,
  type AnyChain,
  type PartitionOptions,
} from '../src/index.js'
import { run, shell } from './support/cli.js'
import { collect } from './support/collect.js'
import { corpusFolder, NO_CORPUS, root, samplePath } from './support/places.js'
import { packetStream, type PartitionRow } from './support/partitions.js'
import { jobFixtures } from './support/partition-captures.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-partition-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** Chains that headers are enough for. */
const CHAINS: readonly AnyChain[] = [
  basicChain(), tcpChain(), tcpOptChain(), mssChain(), tfoChain(), ecnChain(), dscpChain(), evilChain(), icmpChain(), udpChain(),
]

const HOUR = 3_600_000_000_000n

const ignore = { onError: () => {} }

/** Records as text, without the names of captures, which one capture alone doesn't have. */
const texts = (records: readonly object[]): string[] =>
  records.map(record => JSON.stringify({ ...record, capture: undefined }, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)))

const feedOf = (path: string, options: PartitionOptions) =>
  new PartitionFeed(writePartition(partition(path, { ...ignore, ...options }), []))

/** Rows of a whole job as its parts give them. */
async function rowsOf(parts: readonly { path: string; options: PartitionOptions }[]): Promise<PartitionRow[]> {
  const rows: PartitionRow[] = []
  for (const { path, options } of parts) {
    const chunks = await collect(writePartition(partition(path, { ...ignore, ...options }), []))
    for (const row of tableFromIPC(Buffer.concat(chunks)).toArray()) rows.push((row as { toJSON(): PartitionRow }).toJSON())
  }
  return rows
}

const byOrder = (a: PartitionRow, b: PartitionRow): number =>
  Number(a.order_ns - b.order_ns) || a.capture - b.capture || Number(a.packet - b.packet)

/** Rows as `partitions` jobs would get them, each in order. */
function shuffle(rows: readonly PartitionRow[], partitions: number): PartitionRow[][] {
  const found = Array.from({ length: partitions }, (): PartitionRow[] => [])
  for (const row of rows) found[Number(BigInt.asUintN(64, row.key) % BigInt(partitions))]!.push(row)
  return found.map(each => each.toSorted(byOrder))
}

/** Surveys parts of captures, as a job's driver does: numbers go on through a capture. */
async function surveyed(parts: readonly { path: string; options: PartitionOptions }[]) {
  const clockNs: bigint[] = []
  const loose: PartitionRow[] = []
  const before = new Map<number, { packets: number; latest: bigint | undefined }>()
  const numbered: { path: string; options: PartitionOptions }[] = []
  for (const { path, options } of parts) {
    const capture = options.firstCapture ?? 0
    const { packets, latest } = before.get(capture) ?? { packets: 0, latest: undefined }
    const survey = await surveyCaptures(path, { ...ignore, ...options })
    numbered.push({ path, options: { ...options, packetsBefore: packets, ...(latest === undefined ? {} : { timeBeforeNs: latest }) } })
    for (const { packet, timeNs, link, wireLen, data } of survey.fragments)
      loose.push({ key: 0n, order_ns: timeNs, time_ns: timeNs, packet: BigInt(packet + packets), capture, link, wire_len: wireLen, bytes: data })
    const times = [...survey.clockNs, ...(latest === undefined ? [] : [latest])]
    before.set(capture, { packets: packets + survey.packets, latest: times.reduce<bigint | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined) })
    clockNs.push(...survey.clockNs)
  }
  return { numbered, loose: loose.toSorted(byOrder), clockNs: clockNs.toSorted((a, b) => Number(a - b)) }
}

/** The flows of loose fragments, once those of all parts are together. */
async function resolved(loose: readonly PartitionRow[], options: PartitionOptions) {
  if (loose.length === 0) return []
  const rows: PartitionRow[] = []
  const stream = writePartition(partition(new PartitionFeed(packetStream(loose)), options), [])
  for (const row of tableFromIPC(Buffer.concat(await collect(stream))).toArray()) rows.push((row as { toJSON(): PartitionRow }).toJSON())
  return rows.map(({ capture, packet, key }) => ({ capture, packet: Number(packet), key: String(key) }))
}

/** A whole job: survey, map, shuffle, reduce; the records of all partitions. */
async function job(
  parts: readonly { path: string; options: PartitionOptions }[],
  partitions: number,
  reduce: (feed: PartitionFeed) => AsyncIterable<object>,
): Promise<object[]> {
  const { numbered, loose, clockNs } = await surveyed(parts)
  const fragmentFlows = await resolved(loose, { tcpOnly: parts[0]!.options.tcpOnly ?? false })
  const rows = await rowsOf(numbered.map(({ path, options }) => ({ path, options: { ...options, fragmentFlows } })))
  const records: object[] = []
  for (const each of shuffle(rows, partitions)) records.push(...(await collect(reduce(new PartitionFeed(packetStream(each), { clockNs })))))
  return records
}

/** By first packet: the order in which flows begin, for ids are given by each partition. */
const sorted = (records: readonly object[]): string[] =>
  texts(records.map(record => ({ ...record, flow_id: undefined, connection_id: undefined }))).toSorted()

/** A file in parts of so many octets. */
const inParts = (path: string, octets: number, options: PartitionOptions = {}) =>
  Array.from({ length: Math.ceil(statSync(path).size / octets) }, (_, i) => ({
    path,
    options: { ...options, range: [i * octets, (i + 1) * octets] as const },
  }))

test('one stream through map and reduce: the same records, in the same order', async t => {
  const expected = await collect(observe(samplePath, { chains: CHAINS as never }))
  t.deepEqual(texts(await collect(observe(feedOf(samplePath, {}), { chains: CHAINS as never }))), texts(expected))
  const streams = await collect(connections(samplePath, { hash: 'sha256' }))
  t.deepEqual(texts(await collect(connections(feedOf(samplePath, { payload: true, tcpOnly: true }), { hash: 'sha256' }))), texts(streams))
  const withDns = [basicChain(), dnsChain()]
  const asked = await collect(observe(samplePath, { chains: withDns }))
  t.deepEqual(texts(await collect(observe(feedOf(samplePath, { payload: true }), { chains: withDns }))), texts(asked))
})

/** Names begin with a hash. A quarter of them takes a minute; with TCPSKEIN_WHOLE_CORPUS it is all of them. */
const isTaken = (name: string): boolean => process.env['TCPSKEIN_WHOLE_CORPUS'] !== undefined || '048c'.includes(name[0]!)

test('captures of the corpus: flows of headers, connections of frames', async t => {
  t.timeout(600_000)
  const corpus = corpusFolder()
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  const captures = join(corpus, 'dev', 'captures')
  let read = 0
  const joined: string[] = []
  for (const name of readdirSync(captures).filter(isTaken)) {
    const path = join(captures, name)
    if (statSync(path).size > 30e6) continue
    const { clockNs } = await surveyCaptures(path, ignore)
    // Captures that were joined in another order: what no time goes by in differs between a part and all.
    if (clockNs.some((time, i) => time < (clockNs[i - 1] ?? time) - HOUR)) {
      joined.push(name)
      continue
    }
    read += 1
    const feedOf = (own: string, options: PartitionOptions) =>
      new PartitionFeed(writePartition(partition(own, { ...ignore, ...options }), []), { clockNs })
    const flows = await collect(observe(path, { chains: CHAINS as never, ...ignore }))
    t.deepEqual(texts(await collect(observe(feedOf(path, {}), { chains: CHAINS as never, ...ignore }))), texts(flows), name)
    const streams = await collect(connections(path, { maxStreamBytes: 0, hash: 'sha256', ...ignore }))
    const reduced = connections(feedOf(path, { payload: true, tcpOnly: true }), { maxStreamBytes: 0, hash: 'sha256', ...ignore })
    t.deepEqual(texts(await collect(reduced)), texts(streams), name)
  }
  t.log(`${read} captures; not compared, for their times run back by hours: ${joined.join(', ')}`)
  t.true(joined.length < read / 50, `${joined.length} joined`)
  t.true(read > 100)
})

for (const { name, octets } of jobFixtures()) {
  test(`parts and partitions: ${name}`, async t => {
    const path = join(folder, `${name.replace(/\W+/g, '-')}.pcap`)
    writeFileSync(path, octets)
    const expected = sorted(await collect(observe(path, { chains: CHAINS as never })))
    const streams = sorted(await collect(connections(path, { maxStreamBytes: 0, hash: 'sha256' })))
    for (const [size, partitions] of [[octets.length, 3], [Math.ceil(octets.length / 7), 4]] as const) {
      const flows = await job(inParts(path, size), partitions, feed => observe(feed, { chains: CHAINS as never }))
      t.deepEqual(sorted(flows), expected, `${size} octets, ${partitions} partitions`)
      const parts = inParts(path, size, { payload: true, tcpOnly: true })
      const found = await job(parts, partitions, feed => connections(feed, { maxStreamBytes: 0, hash: 'sha256' }))
      t.deepEqual(sorted(found), streams, `${size} octets, ${partitions} partitions`)
    }
  })
}

test('an elephant flow among mice: one partition has it, memory does not', async t => {
  const { octets } = jobFixtures().find(({ name }) => name === 'an elephant')!
  const path = join(folder, 'elephant.pcap')
  writeFileSync(path, octets)
  const shares = shuffle(await rowsOf([{ path, options: {} }]), 4).map(each => each.length)
  const all = shares.reduce((a, b) => a + b)
  t.true(Math.max(...shares) > 0.8 * all, `${shares}`)
  // Only its headers travel, and no more than one row for each packet.
  const rows = await rowsOf([{ path, options: {} }])
  t.true(rows.every(({ bytes }) => bytes.length <= 14 + 20 + 60))
  t.is(rows.length, all)
})

test('parts of a capture hold all of its packets, each once, and go on with its numbers', async t => {
  const size = statSync(samplePath).size
  const whole = await rowsOf([{ path: samplePath, options: {} }])
  for (const octets of [size, Math.ceil(size / 2), 1000, 333]) {
    const { numbered } = await surveyed(inParts(samplePath, octets))
    t.deepEqual((await rowsOf(numbered)).filter(({ packet }) => packet > 0n), whole.filter(({ packet }) => packet > 0n), `${octets}`)
  }
})

test('what can not be read in parts is refused, and a broken part tells where', async t => {
  const gzip = join(folder, 'sample.pcap.gz')
  const { gzipSync } = await import('node:zlib')
  writeFileSync(gzip, gzipSync(readFileSync(samplePath)))
  await t.throwsAsync(collect(partition(gzip, { range: [0, 100] })), { code: 'ERR_INVALID_OPTION', message: /gzip data is read from its start/ })
  await t.throwsAsync(collect(partition(Readable.from([readFileSync(samplePath)]), { range: [0, 9] })), { message: /only a file can be read in parts/ })
  const { octets } = jobFixtures().find(({ name }) => name === 'an elephant')!
  const cut = join(folder, 'cut.pcap')
  writeFileSync(cut, octets.subarray(0, octets.length - 3))
  const whole = await t.throwsAsync(collect(partition(cut)))
  const part = await t.throwsAsync(collect(partition(cut, { range: [1 << 20, 2 ** 40] })))
  t.deepEqual(await collect(partition(cut, { range: [2 ** 40, 2 ** 41] })), [])
  t.is(part?.message, whole?.message)
  t.regex(part?.message ?? '', /cut\.pcap: offset \d+: a packet is cut short/)
})

test('streams that are no packets, and packets out of order, end with one line', async t => {
  const arrow = await run(['map', samplePath])
  t.is(arrow.status, 0)
  const text = await run(['reduce'], Buffer.from('hello, this is no arrow stream'))
  t.is(text.status, 1)
  t.regex(text.stderr, /^tcpskein: .*not an Arrow IPC stream of packets/)
  const rows = (await rowsOf([{ path: samplePath, options: {} }])).toReversed()
  const error = await t.throwsAsync(collect(observe(new PartitionFeed(packetStream(rows)))))
  t.regex(error?.message ?? '', /row \d+ of the stream: it is out of order: sort by order_ns, capture and packet/)
  t.deepEqual(await collect(observe(new PartitionFeed(Readable.from([])))), [])
})

const headers = (path: string, options: PartitionOptions = {}) => feedOf(path, options)
const NEEDED = { code: 'ERR_CAPTURE_FORMAT', message: /^packets were mapped without what they carry, .* --payload or --connections$/ }

test('reduce and map --arrow: what can not be read, and what is no stream, end with one line', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tcpskein-no-arrow-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const [text, empty] = [join(folder, 'text'), join(folder, 'empty')]
  writeFileSync(text, 'hello\n')
  writeFileSync(empty, '')
  for (const command of [['reduce'], ['map', '--arrow']]) {
    for (const [file, reason] of [[join(folder, 'none'), /ENOENT/], [folder, /EISDIR/], [text, /there is no Arrow stream/]] as const) {
      const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin', 'tcpskein.js'), ...command, file, '-q'], { encoding: 'utf8' })
      t.is(status, 1, `${command.join(' ')} ${file}`)
      t.regex(stderr, reason)
      t.is(stderr.trimEnd().split('\n').length, 1, stderr)
    }
  }
  // As from a program that had nothing to say.
  t.is(spawnSync(process.execPath, [join(root, 'bin', 'tcpskein.js'), 'reduce', empty, '-q']).status, 0)
})

test('packets mapped without what they carry give no records that need it', async t => {
  await t.throwsAsync(collect(connections(headers(samplePath))), NEEDED)
  await t.throwsAsync(collect(connections(headers(samplePath), { separate: true })), NEEDED)
  await t.throwsAsync(collect(streamEvents(headers(samplePath))), NEEDED)
  await t.throwsAsync(collect(observe(headers(samplePath), { chains: [basicChain(), dnsChain()] })), NEEDED)
  // Nor are they made whole by mapping them again; headers of whole frames are fine.
  await t.throwsAsync(collect(partition(headers(samplePath), { payload: true })), NEEDED)
  const again = feedOf(samplePath, { payload: true })
  const flows = await collect(observe(new PartitionFeed(writePartition(partition(again), []))))
  t.deepEqual(texts(flows), texts(await collect(observe(samplePath))))
})

test('reduce: headers only are refused with one line, alone and behind whole frames; nothing is printed', async t => {
  const map = async (options: PartitionOptions) => Buffer.concat(await collect(writePartition(partition(samplePath, options), [])))
  const [bare, whole, payload] = [await map({}), await map({ payload: true, tcpOnly: true }), await map({ payload: true })]
  for (const stream of [bare, Buffer.concat([whole, bare]), Buffer.concat([payload, bare])])
    for (const format of ['ndjson', 'arrow'])
      for (const words of [['--connections'], ['--chain', 'basic,dns']]) {
        const { status, stderr } = await run(['reduce', ...words, '--format', format, '-q'], stream)
        t.is(status, 1)
        t.regex(stderr, /^tcpskein: .*packets were mapped without what they carry[^\n]*--payload or --connections\n$/)
      }
  const { stdout } = await run(['reduce', '--connections', '-q'], bare)
  t.is(stdout, '')
  for (const stream of [whole, payload]) t.is((await run(['reduce', '--connections', '-q'], stream)).status, 0)
  const piped = shell(`tcpskein map '${samplePath}' -q | tcpskein reduce --connections -q`)
  t.deepEqual([piped.status, piped.stdout], [1, ''])
})

test('streams that follow each other are all read', async t => {
  const rows = (await rowsOf([{ path: samplePath, options: {} }])).filter(({ packet }) => packet > 0n)
  const thirds = [0, 1, 2].map(i => rows.slice((i * rows.length) / 3, ((i + 1) * rows.length) / 3))
  const streams = await Promise.all(thirds.map(async each => Buffer.concat(await collect(packetStream(each)))))
  const found = await collect(observe(new PartitionFeed(Readable.from([Buffer.concat(streams)])), { chains: CHAINS as never }))
  t.deepEqual(texts(found), texts(await collect(observe(samplePath, { chains: CHAINS as never }))))
})

test('survey: packets, times and loose fragments as one JSON object', async t => {
  const { status, stdout } = await run(['map', '--survey', samplePath, '-q'])
  t.is(status, 0)
  const { packets, clock_ns: clock, fragments } = JSON.parse(stdout) as { packets: number; clock_ns: string[]; fragments: object[] }
  const whole = await rowsOf([{ path: samplePath, options: {} }])
  t.is(packets, 90)
  t.true(clock.length >= 2 && BigInt(clock.at(-1)!) >= whole.at(-1)!.time_ns)
  t.true(Array.isArray(fragments))
})
