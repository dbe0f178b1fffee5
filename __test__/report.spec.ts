// The data of a report against what the public API says of the same captures.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  basicChain, connections, FileExistsError, observe, OptionError, SEGMENT_KINDS, series, streamEvents, writeReport,
  type AnalysedConnection, type SegmentPoint,
} from '../src/index.js'
import { TimeBins } from '../src/report/bins.js'
import { decodeContainer, encodeContainer, narrowed, type Container } from '../src/report/container.js'
import { KeptRows } from '../src/report/kept-rows.js'
import type { DetailMeta } from '../src/report/shapes.js'
import { run } from './support/cli.js'
import { collect } from './support/collect.js'
import { NO_CORPUS, corpusFolder, samplePath } from './support/places.js'
import { Random } from './support/random.js'
import { readPage } from './support/report-page.js'
import { troubledCapture } from './support/stream-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-report-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

let pages = 0
const fresh = (): string => join(folder, `page-${pages++}.html`)
const trouble = { connections: 5, loss: 20, duplicate: 20, overlap: 20, reorder: 6, wrap: true }

test('a container gives back what was put in, whatever the lengths', t => {
  for (let length = 0; length < 20; length++) {
    const arrays = {
      a: Uint8Array.from({ length }, (_, i) => i),
      b: Uint16Array.from({ length: length + 1 }, (_, i) => i * 1000),
      c: Uint32Array.from({ length: length * 2 }, (_, i) => i * 100_000),
      d: Float64Array.from({ length }, (_, i) => i / 3),
    }
    const meta = { length, text: 'ü</script>'.repeat(length) }
    const { meta: found, arrays: views } = decodeContainer<typeof meta>(encodeContainer({ meta, arrays }))
    t.deepEqual(found, meta)
    t.deepEqual({ ...views }, arrays)
  }
  t.deepEqual([[0, 255], [256], [65_536], [2 ** 32], [-1], [0.5], [Number.NaN]].map(values => narrowed(values).constructor.name), [
    'Uint8Array', 'Uint16Array', 'Uint32Array', 'Float64Array', 'Float64Array', 'Float64Array', 'Float64Array',
  ])
})

test('bins hold each amount where its time is, also when times run backwards', t => {
  for (const seed of [1, 2, 3, 4]) {
    const random = new Random(seed)
    const bins = new TimeBins(2, 10, 40)
    const given = Array.from({ length: 500 }, (_, i) => [1e9 + i * 100 * seed ** 4 - random.below(3000), random.below(100)] as const)
    for (const [us, amount] of given) {
      const at = bins.at(us)
      bins.sums[at]! += amount
      bins.sums[at + 1]! += 1
    }
    const { startMs, binMs, columns } = bins.finish()
    t.true(columns[0]!.length <= 40)
    const expected = columns[0]!.map((_, i) => {
      const from = Math.round(startMs * 1000 + i * binMs * 1000)
      return given.filter(([us]) => us >= from && us < from + binMs * 1000).reduce((sum, [, amount]) => sum + amount, 0)
    })
    t.deepEqual(columns[0], expected)
    t.is(columns[1]!.reduce((a, b) => a + b, 0), given.length)
  }
})

test('of many rows a bounded number is kept, and those with a mark longest', t => {
  const rows = new KeptRows(2, 1000)
  for (let i = 0; i < 50_000; i++) rows.add([i, i % 500 === 7 ? 1 : 0], i % 500 === 7)
  t.is(rows.given, 50_000)
  t.true(rows.length <= 1000 && rows.length > 400, `${rows.length}`)
  const [numbers, marks] = [rows.column(0), rows.column(1)]
  t.is(marks.reduce((a, b) => a + b, 0), 100, 'every marked row is there')
  t.is(rows.everyMarked, 1)
  const ordinary = [...numbers].filter((_, row) => marks[row] === 0)
  // Ordinary rows are counted without the marked ones.
  t.true(ordinary.map(i => i - Math.ceil(Math.max(0, i - 7) / 500)).every(place => place % rows.every === 0))
  t.deepEqual([...numbers], [...numbers].toSorted((a, b) => a - b))
  const marked = new KeptRows(1, 1000)
  for (let i = 0; i < 5000; i++) marked.add([i], true)
  t.true(marked.length <= 1000 && marked.everyMarked > 1)
})

/** The segments of a container as `series` gives them. */
function pointsOf({ meta, arrays }: Container<DetailMeta>): Partial<SegmentPoint>[] {
  const at = (name: string, row: number) => arrays[name]![row]!
  const orNull = (value: number) => (Number.isNaN(value) ? null : value)
  return Array.from({ length: arrays.t!.length }, (_, row) => ({
    packet: at('packet', row),
    ts_ns: BigInt(meta.startNs) + BigInt(at('t', row)),
    direction: at('rev', row) === 1 ? 'rev' : 'fwd',
    flags: at('flags', row),
    offset: at('offset', row),
    length: at('length', row),
    ack: orNull(at('ack', row)),
    window: orNull(at('window', row)),
    kind: SEGMENT_KINDS.filter((_, bit) => (at('kind', row) >>> bit) & 1),
  }))
}

function withoutSack(point: SegmentPoint): Partial<SegmentPoint> {
  const { sack: _, ...rest } = point
  return rest
}

/** SACK blocks likewise. */
function sackOf({ arrays }: Container<DetailMeta>): number[][] {
  return Array.from(arrays.sackT!, (_, i) => [arrays.sackRev![i]!, arrays.sackLeft![i]!, arrays.sackRight![i]!])
}

test('segments, samples and first octets are those of series, analysis and streams, for all connections at once', async t => {
  const captures: [string, Uint8Array | string][] = [['sample', samplePath]]
  for (const seed of [1, 2, 3, 4]) captures.push([`seed ${seed}`, troubledCapture(seed, trouble)])
  for (const [name, capture] of captures) {
    const path = fresh()
    const headBytes = 700
    await writeReport(capture, path, { headBytes })
    const { details } = readPage(path)
    const heads = await naiveHeads(capture, headBytes)
    const records = await collect(connections(capture, { analyse: true, maxStreamBytes: 0 }))
    t.is(details.size, records.length, name)
    for (const record of records) {
      const detail = details.get(record.connection_id)!
      const points = await collect(series(capture, record))
      t.deepEqual(pointsOf(detail), points.map(withoutSack), `${name} ${record.connection_id}`)
      t.deepEqual(sackOf(detail), points.flatMap(({ direction, sack }) => sack.map(edges => [direction === 'rev' ? 1 : 0, ...edges])))
      t.deepEqual(detail.meta.samples, [record.rtt_samples_fwd, record.rtt_samples_rev], `${name} ${record.connection_id}: samples`)
      t.is(detail.arrays.rtt!.length, record.rtt_samples_fwd + record.rtt_samples_rev)
      checkSamples(detail, record, (have, want, what) => t.is(have, want, `${name} ${record.connection_id}: ${what}`))
      t.deepEqual(headsOf(detail), heads.get(record.connection_id) ?? [[], []], `${name} ${record.connection_id}: heads`)
    }
  }
})

test('round-trip samples of real captures are those of the analysis', async t => {
  t.timeout(600_000)
  const corpus = corpusFolder()
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  const captures = readdirSync(join(corpus, 'dev', 'captures')).filter((_, i) => i % 24 === 0)
  let [judged, samples] = [0, 0]
  for (const name of captures) {
    const capture = join(corpus, 'dev', 'captures', name)
    const path = fresh()
    await writeReport(capture, path, { onError: () => {}, maxSegments: 1_000_000, headBytes: 0, maxBytes: 2 ** 27 })
    const { details } = readPage(path)
    for await (const record of connections(capture, { analyse: true, maxStreamBytes: 0, onError: () => {} })) {
      const detail = details.get(record.connection_id)
      if (detail === undefined) continue
      t.deepEqual(detail.meta.samples, [record.rtt_samples_fwd, record.rtt_samples_rev], `${name} ${record.connection_id}`)
      checkSamples(detail, record, (have, want, what) => t.is(have, want, `${name} ${record.connection_id}: ${what}`))
      judged += 1
      samples += record.rtt_samples_fwd + record.rtt_samples_rev
    }
    rmSync(path)
  }
  t.log(`${samples} samples of ${judged} connections in ${captures.length} captures`)
  t.true(judged > 75 && samples > 500, `${judged}, ${samples}`)
})

/** Few samples are exact in the analysis; amounts in bins add up to the payload. */
function checkSamples(
  { arrays }: Container<DetailMeta>,
  record: AnalysedConnection,
  is: (have: unknown, want: unknown, what: string) => void,
): void {
  for (const [way, side] of [['fwd', 0], ['rev', 1]] as const) {
    const samples = [...arrays.rtt!].filter((_, i) => arrays.rttRev![i] === side)
    is(samples.length === 0 ? null : Math.min(...samples), record[`rtt_min_ns_${way}`], `least round trip ${way}`)
    is(sum(arrays, way === 'fwd' ? 'sentFwd' : 'sentRev'), record[`payload_bytes_${way}`], `payload ${way}`)
  }
}

function sum(arrays: Container<unknown>['arrays'], name: string): number {
  return Array.from(arrays[name]!).reduce((a, b) => a + b, 0)
}

type Piece = [offset: number, octets: string]

/** What each direction's first octets are by its events, runs joined. */
async function naiveHeads(capture: Uint8Array | string, limit: number): Promise<Map<number, [Piece[], Piece[]]>> {
  const heads = new Map<number, [Piece[], Piece[]]>()
  for await (const event of streamEvents(capture, { joinData: false })) {
    if (event.type !== 'data' || event.offset >= limit) continue
    const both = heads.get(event.connection.connection_id) ?? [[], []]
    heads.set(event.connection.connection_id, both)
    const pieces = both[event.direction === 'fwd' ? 0 : 1]
    const octets = Buffer.from(event.data.subarray(0, limit - event.offset)).toString('hex')
    const last = pieces.at(-1)
    if (last && last[0] + last[1].length / 2 === event.offset) last[1] += octets
    else pieces.push([event.offset, octets])
  }
  return heads
}

function headsOf({ meta, arrays }: Container<DetailMeta>): [Piece[], Piece[]] {
  const one = (way: 0 | 1): Piece[] => {
    const octets = Buffer.from(arrays[way === 0 ? 'headFwd' : 'headRev']!)
    let at = 0
    return meta.heads[way].map(([offset, length]) => [offset, octets.subarray(at, (at += length)).toString('hex')])
  }
  return [one(0), one(1)]
}

test('the table has every column of every record', async t => {
  for (const capture of [samplePath, troubledCapture(9, trouble)]) {
    const path = fresh()
    await writeReport(capture, path)
    const { meta, arrays } = readPage(path).table
    const records = await collect(connections(capture, { analyse: true, maxStreamBytes: 0 }))
    t.is(meta.length, records.length)
    t.is(meta.connections, records.length)
    for (const [row, record] of records.entries())
      for (const { name, kind, nullable, words } of meta.columns) {
        if (!(name in record)) continue
        const value = arrays[name]![row]!
        const present = !nullable || arrays[`${name}?`]![row] === 1
        const expected = record[name as keyof typeof record]
        const read = {
          number: () => value,
          bool: () => value === 1,
          time: () => BigInt(meta.baseNs) + BigInt(value),
          text: () => words?.[value],
          address: () => meta.addresses[value],
        }
        t.is(present ? read[kind]() : null, expected as never, `${name} of ${row}`)
      }
    const names = new Set(meta.columns.map(({ name }) => name))
    t.deepEqual(Object.keys(records[0]!).filter(name => !names.has(name)), ['gaps_fwd', 'gaps_rev'])
  }
})

test('the overview is what flows say', async t => {
  const path = fresh()
  await writeReport(samplePath, path)
  const { meta, arrays } = readPage(path).overview
  const flows = await collect(observe(samplePath, { chains: [basicChain()] }))
  const packets = (proto: number) => flows.filter(flow => flow.proto === proto).reduce((sum, flow) => sum + flow.pkt_fwd + flow.pkt_rev, 0)
  const share = (name: string) => meta.protocols.find(one => one.name === name)?.packets
  t.is(share('TCP'), packets(6))
  // A flow also counts the ICMP errors that quote it; here they count as what they are.
  t.is(share('UDP')! + share('ICMP')!, packets(17) + packets(1))
  t.is(sum(arrays, 'tcp') + sum(arrays, 'udp') + sum(arrays, 'other'), flows.reduce((all, flow) => all + flow.oct_fwd + flow.oct_rev, 0))
  t.is(meta.captures[0]!.packets, sum(arrays, 'packets') + (share('no IP') ?? 0))
  const sent = flows.reduce((all, flow) => all + (flow.sip === '192.0.2.10' ? flow.oct_fwd : 0) + (flow.dip === '192.0.2.10' ? flow.oct_rev : 0), 0)
  t.is(meta.talkers.find(({ address }) => address === '192.0.2.10')?.sentOctets, sent)
  const addresses = new Set(meta.talkers.map(({ address }) => address))
  t.is(meta.addresses, addresses.size)
  t.true(flows.every(flow => addresses.has(flow.sip) && addresses.has(flow.dip)))
})

test('what has no room is left out, and the page says so', async t => {
  const capture = troubledCapture(5, { ...trouble, connections: 30 })
  const path = fresh()
  const summary = await writeReport(capture, path, { maxDetails: 3, maxRows: 20 })
  const { table, details, overview } = readPage(path)
  t.is(summary.details, 3)
  t.is(details.size, 3)
  t.is(table.meta.length, 20)
  t.is(table.meta.connections, 30)
  t.deepEqual(overview.meta.leftOut, [
    'The table has the 20 connections that ended first, of 30.',
    'Segments, plots and streams are in this page for the 3 most interesting of 30 connections.',
  ])
  t.deepEqual(summary.leftOut, overview.meta.leftOut)
})

test('a page has no more octets than it may', async t => {
  // Octets that don't compress: 3 MB of them.
  const capture = troubledCapture(8, { connections: 60, octets: 60_000 })
  const path = fresh()
  const summary = await writeReport(capture, path, { maxBytes: 2 ** 20, headBytes: 65_536 })
  t.true(statSync(path).size <= 2 ** 20)
  t.is(statSync(path).size, summary.bytes)
  t.true(summary.details > 5 && summary.details < 60, `${summary.details}`)
  t.is(readPage(path).details.size, summary.details)
  t.regex(summary.leftOut.join(), /most interesting of 60/)
})

test('a segment limit thins a connection, and its marked segments stay', async t => {
  const capture = troubledCapture(6, { ...trouble, connections: 1, octets: 60_000, loss: 0, reorder: 0, duplicate: 20, overlap: 0 })
  const [record] = await collect(connections(capture, { analyse: true, maxStreamBytes: 0 }))
  const path = fresh()
  await writeReport(capture, path, { maxSegments: 100 })
  const detail = readPage(path).details.get(0)!
  const total = record!.packets_fwd + record!.packets_rev
  t.is(detail.meta.segments, total)
  t.true(total > 100 && detail.arrays.t!.length <= 100, `${detail.arrays.t!.length} of ${total}`)
  t.true(detail.meta.every > 1)
  const kept = pointsOf(detail).filter(({ kind }) => kind!.includes('retransmission')).length
  t.is(detail.meta.everyMarked, 1)
  t.is(kept, record!.kind_retransmission_fwd + record!.kind_retransmission_rev)
  t.deepEqual(detail.meta.samples, [record!.rtt_samples_fwd, record!.rtt_samples_rev])
})

test('a page that is there stays, and what can be read once only is refused', async t => {
  const path = fresh()
  writeFileSync(path, 'mine')
  await t.throwsAsync(writeReport(samplePath, path), { instanceOf: FileExistsError })
  t.is(readFileSync(path, 'utf8'), 'mine')
  await writeReport(samplePath, path, { overwrite: true })
  t.true(readFileSync(path, 'utf8').startsWith('<!doctype html>'))
  const own = fresh()
  copyFileSync(samplePath, own)
  await t.throwsAsync(writeReport(own, own, { overwrite: true }), { instanceOf: OptionError, message: /is an input/ })
  t.deepEqual(readFileSync(own), readFileSync(samplePath))
  await t.throwsAsync(writeReport('-', fresh()), { instanceOf: OptionError, message: /more than once/ })
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  await t.throwsAsync(writeReport(pipe, fresh()), { instanceOf: OptionError, message: /no file/ })
  const missing = fresh()
  await t.throwsAsync(writeReport(join(folder, 'no-such.pcap'), missing), { code: 'ERR_CAPTURE_IO' })
  t.false(existsSync(missing))
  await t.throwsAsync(writeReport(samplePath, join(folder, 'no', 'folder.html')), { code: 'ERR_OUTPUT_IO' })
  await t.throwsAsync(writeReport(samplePath, fresh(), { maxDetail: 3 } as object), { message: /maxDetail: there is no such option/ })
})

test('the command writes the page, says what is left out, and keeps its promises', async t => {
  const path = fresh()
  const done = await run(['report', samplePath, '-o', path, '--connections', '2'])
  t.is(done.status, 0, done.stderr)
  t.regex(done.stderr, /90 packets, 8 connections in .* octets in /)
  t.regex(done.stderr, /for the 2 most interesting of 8 connections/)
  t.is(readPage(path).details.size, 2)
  const again = await run(['report', samplePath, '-o', path])
  t.is(again.status, 1)
  t.regex(again.stderr, /exists already \(--force [^\n]*\)\n$/)
  t.is((await run(['report', samplePath, '-o', path, '--force', '--quiet'])).stderr, '')
  const json = await run(['report', samplePath, '-o', path, '--force', '--json'])
  t.is((JSON.parse(json.stderr) as { stats: { connections: number } }).stats.connections, 8)
  const piped = await run(['report', samplePath, '-o', '-'])
  t.true(piped.stdout.endsWith('</html>\n'))
  t.is((await run(['report', '-', '-o', fresh()])).status, 2)
  t.is((await run(['report', samplePath])).status, 2)
})

test('where no capture can be opened there is no page, and no server', async t => {
  const [path, missing] = [fresh(), join(folder, 'no-such.pcap')]
  for (const args of [['report', missing, '-o', path], ['serve', missing]]) {
    const { status, stdout, stderr } = await run(args)
    t.deepEqual([status, stdout], [1, ''])
    t.regex(stderr, /^tcpskein: .*no-such\.pcap: cannot open: [^\n]*\n$/)
  }
  t.false(existsSync(path))
  t.is((await run(['report', missing, samplePath, '-o', path])).status, 1)
  t.is(readPage(path).table.meta.length, 8)
})

test('a capture that ends early is shown as far as it goes', async t => {
  const cut = join(folder, 'cut.pcap')
  writeFileSync(cut, readFileSync(samplePath).subarray(0, -20))
  const path = fresh()
  const { status, stderr } = await run(['report', cut, '-o', path])
  t.is(status, 1)
  t.regex(stderr, /cut\.pcap/)
  const { overview, table } = readPage(path)
  t.is(overview.meta.errors.length, 1)
  t.true(table.meta.length > 0)
})
