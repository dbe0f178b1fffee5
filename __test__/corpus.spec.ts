// Real captures with independent answers, where they are at hand: every one is read, flows agree with two other tools,
// damaged ones end with one line, and PATHspider's own cases give PATHspider's fields.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import * as tcpskein from '../src/index.js'
import { basicChain, observe, tcpChain, type AnyChain, type FlowError } from '../src/index.js'
import { collect } from './support/collect.js'
import { compare, type Mismatch, type Oracle, type TcpRecord } from './support/oracle.js'
import { NO_CORPUS, corpusFolder, readJson } from './support/places.js'

const corpus = corpusFolder()

/** Runs a test where the corpus is, else says that it is skipped. */
function corpusTest(title: string, body: (t: ExecutionContext, folder: string) => Promise<void>): void {
  test(title, async t => {
    if (corpus !== null) return body(t, corpus)
    t.log(NO_CORPUS)
    t.pass()
  })
}

interface ManifestEntry {
  file: string
  packets: number
  packetsReference: number
  tags: string[]
}

interface Read {
  records: TcpRecord[]
  stats: tcpskein.ObserveStats
  errors: FlowError[]
}

/** Reads a capture with every packet of a 5-tuple in one flow. */
async function readWhole(path: string): Promise<Read> {
  const errors: FlowError[] = []
  const observer = observe(path, {
    chains: [basicChain(), tcpChain()],
    idleTimeout: Infinity,
    expiryTimeout: Infinity,
    onError: error => errors.push(error),
  })
  const records = await collect(observer)
  return { records, stats: observer.stats, errors }
}

corpusTest('every capture is read to its end, and flows agree with two other tools', async (t, folder) => {
  t.timeout(300_000)
  const dev = join(folder, 'dev')
  const unread: string[] = []
  const miscounted: string[] = []
  const mismatches: (Mismatch & { file: string })[] = []
  let [read, judged, agreed] = [0, 0, 0]
  for (const entry of readJson<ManifestEntry[]>(join(dev, 'MANIFEST.json'))) {
    const path = join(dev, 'captures', entry.file)
    const { records, stats, errors } = await readWhole(path)
    read += 1
    if (errors.length > 0 && !entry.tags.includes('reader-count-differs')) unread.push(`${entry.file}: ${errors.map(error => error.message).join('; ')}`)
    if (stats.packets !== entry.packets && stats.packets !== entry.packetsReference)
      miscounted.push(`${entry.file}: ${stats.packets} packets, not ${entry.packets} or ${entry.packetsReference}`)
    if (entry.tags.includes('nested') || entry.tags.includes('fragments')) continue
    // The tools leave packets with a broken TCP header out; here they count as packets of their flow (PATHspider's too).
    const strict = !entry.tags.includes('bad-tcp-header')
    const agreement = compare(readJson<Oracle>(join(dev, 'oracle', `${entry.file}.json`)), records, strict)
    judged += agreement.judged
    agreed += agreement.agreed
    for (const mismatch of agreement.mismatches) mismatches.push({ ...mismatch, file: entry.file })
  }
  t.log(`${read} captures read, ${unread.length} not in full, ${miscounted.length} with another number of packets`)
  t.log(`${agreed} of ${judged} 5-tuples agree (${((100 * agreed) / judged).toFixed(3)} %)`)
  for (const line of [...unread, ...miscounted].slice(0, 20)) t.log(line)
  for (const { file, key, field, want, have } of mismatches.slice(0, Number(process.env.TCPSKEIN_SHOW ?? 20)))
    t.log(`${file}: ${key}: ${field}: want ${JSON.stringify(want)}, have ${JSON.stringify(have)}`)
  t.true(read > 1000)
  t.true(judged > 1000)
  t.deepEqual(unread, [])
  t.deepEqual(miscounted, [])
  t.true(agreed >= 0.99 * judged)
})

interface BadEntry {
  file: string
  category: string
  tsharkExit: number
  tsharkPackets: number
  referencePackets: number | null
}

/** What may be wrong with a record or header, as our one line says it: `FILE: offset N: REASON`. */
const ONE_LINE = /^[^\n]*: offset \d+: [^\n]+$/

corpusTest('damaged captures end with one line, and what comes before the damage counts', async (t, folder) => {
  const dev = join(folder, 'dev')
  const problems: string[] = []
  let [whole, damaged] = [0, 0]
  for (const entry of readJson<BadEntry[]>(join(dev, 'MANIFEST-bad.json'))) {
    const path = join(dev, 'captures-bad', entry.file)
    const start = performance.now()
    const { stats, errors } = await readWhole(path)
    t.true(performance.now() - start < 2000, `${entry.file} is slow`)
    const [error] = errors
    if (error === undefined) whole += 1
    else damaged += 1
    t.true(errors.length < 2, entry.file)
    if (error) t.regex(error.message, ONE_LINE)
    if (error) t.true(error.message.startsWith(`${path}: `), error.message)
    const wrong = judgeBad(entry, stats, error)
    if (wrong !== null) problems.push(`${entry.file} (${entry.category}): ${wrong}: ${error?.message ?? 'no error'}`)
  }
  t.log(`${damaged} damaged captures refused or cut short, ${whole} read in full`)
  t.true(damaged > 20)
  t.deepEqual(problems, [])
})

/** What is wrong with our reading of a damaged capture, or null. */
function judgeBad(entry: BadEntry, stats: tcpskein.ObserveStats, error: FlowError | undefined): string | null {
  const counts = [entry.tsharkPackets, entry.referencePackets]
  // Of an unknown link type there are packets all the same; a version that nobody wrote, three octets, or nothing in a
  // gzip member are refused; and the header of a second file is no packet.
  const own = /version_99|link_type_65535|three_bytes|empty_gzip_member|two_files_concatenated/
  const known = entry.category !== 'unsupported' && !own.test(entry.file)
  if (known && !counts.includes(stats.packets)) return `${stats.packets} packets, not ${counts.join(' or ')}`
  if (known && entry.tsharkExit === 0 && entry.category === 'derived' && error) return 'others read it in full'
  if ((entry.category === 'cut-short' || entry.category === 'damaged') && !error) return 'no error'
  if (entry.tsharkExit !== 0 && known && !error && entry.category !== 'header-only') return 'others report damage'
  return null
}

interface PathspiderCases {
  cases: { capture: string; chains: string[]; flows: number; expected: Record<string, unknown> | null }[]
}

/** The chain of PATHspider's name, if the package has it. */
function chainNamed(name: string): AnyChain | undefined {
  const make = (tcpskein as Record<string, unknown>)[`${name}Chain`]
  return typeof make === 'function' ? (make as () => AnyChain)() : undefined
}

corpusTest("PATHspider's own cases give PATHspider's fields", async (t, folder) => {
  const { cases } = readJson<PathspiderCases>(join(folder, 'pathspider', 'expect.json'))
  let ran = 0
  for (const { capture, chains: names, flows, expected } of cases) {
    const chains = names.map(chainNamed)
    const path = join(folder, 'pathspider', 'captures', capture)
    const records = await collect(observe(path, { chains: chains as AnyChain[] }))
    t.is(records.length, flows, capture)
    const first = records[0] as unknown as Record<string, unknown>
    const found = Object.fromEntries(Object.keys(expected ?? {}).map(column => [column, first[column]]))
    t.deepEqual(found, expected ?? {}, capture)
    ran += 1
  }
  t.log(`${ran} of ${cases.length} cases`)
  t.is(ran, cases.length)
})
