// Two engines, one extractor: streams, summaries, files, counters and errors must not depend on which one reads.
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { generate } from '../bench/generate.js'
import { FlowSummaryWriter, PcapWriter, TCPStreamExtractor, type ExtractOptions, type FlowError, type StreamPart } from '../src/index.js'
import type { CaptureSource } from '../src/source.js'
import { corpusFolder, NO_CORPUS, readJson, samplePath } from './support/places.js'
import { troubledCapture } from './support/stream-capture.js'
import { wildCapture } from './support/wild-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-engines-extract-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

type Source = CaptureSource | readonly CaptureSource[]
const sha256 = (...octets: Uint8Array[]): string => octets.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')

/** What parts hold of each stream, put together again: where a stream is cut is up to how much comes at once. */
class Recorder {
  readonly name = 'recorder'
  readonly streams = new Map<string, { packets: unknown[]; gaps: unknown[]; octets: Buffer[][]; last: StreamPart['stream'] | null }>()

  write({ stream, packets, client, server, gaps, last }: StreamPart): void {
    const known = this.streams.get(stream.id) ?? { packets: [], gaps: [], octets: [[], []], last: null }
    this.streams.set(stream.id, known)
    for (const { second, nanosecond, packet, seq, ack, flags, direction, payloadLength, linkType, wireLength, frame } of packets)
      known.packets.push([second, nanosecond, packet, seq, ack, flags, direction, payloadLength, linkType, wireLength, sha256(frame)])
    known.octets[0]!.push(Buffer.from(client))
    known.octets[1]!.push(Buffer.from(server))
    known.gaps.push(...gaps.client.map(gap => ['client', ...gap]), ...gaps.server.map(gap => ['server', ...gap]))
    if (last) known.last = stream
  }

  told(): unknown {
    return [...this.streams].map(([id, { packets, gaps, octets, last }]) => [id, packets, gaps, octets.map(parts => sha256(...parts)), last])
  }
}

let runs = 0

/** All that an extractor gives with one engine. */
async function told(engine: 'native' | 'js', source: Source, options: ExtractOptions) {
  const errors: string[] = []
  const common = { ...options, engine, onError: ({ code, message }: FlowError) => void errors.push(`${code} ${message}`) }
  const kept = new TCPStreamExtractor(source, common)
  const streams = Object.entries(await kept.getClientServerStreams()).map(([key, { client, server, gaps, complete }]) => {
    return [key, sha256(client), sha256(server), gaps, complete]
  })
  const recorder = new Recorder()
  const outputDir = join(folder, `run-${runs++}`)
  const written = new TCPStreamExtractor(source, {
    ...common,
    writers: [recorder, new PcapWriter(outputDir), new FlowSummaryWriter(outputDir)],
  })
  const { parts: _, cutParts: __, ...stats } = await written.run()
  const names = readdirSync(outputDir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const files = names.map(({ parentPath, name }) => [name, sha256(readFileSync(join(parentPath, name)))]).toSorted()
  rmSync(outputDir, { recursive: true })
  return { streams, summary: await kept.summary(), parts: recorder.told(), files, stats, captures: written.captures, errors }
}

/** Compares the engines; how many streams there were. */
async function same(t: ExecutionContext, title: string, source: Source, options: ExtractOptions = {}): Promise<number> {
  const [native, js] = [await told('native', source, options), await told('js', source, options)]
  for (const name of ['errors', 'stats', 'streams', 'summary', 'parts', 'files', 'captures'] as const)
    t.deepEqual(js[name], native[name], `${title}: ${name}`)
  return native.summary.length
}

test('the sample', async t => {
  t.true((await same(t, 'sample', samplePath)) > 5)
  await same(t, 'cut often', samplePath, { flushPackets: 3 })
  await same(t, 'stale soon', samplePath, { staleTimeout: 0.5 })
  await same(t, 'filtered', samplePath, { filter: 'tcp port 80', ignoreEncap: true })
})

test('loss, reordering, repetition and overlap', async t => {
  let streams = 0
  for (let seed = 1; seed <= 8; seed++) {
    const trouble = { loss: 5, duplicate: 4, overlap: 3, conflict: 2, reorder: 12, wrap: seed % 2 === 0, connections: 12, octets: 20_000 }
    streams += await same(t, `seed ${seed}`, troubledCapture(seed, trouble), { gapPatience: seed % 3, flushPackets: 20 + seed })
  }
  t.true(streams >= 96)
})

test('wild captures, several of them', async t => {
  for (let seed = 1; seed <= 10; seed++) {
    const sources = [1, 2, 3].map(i => wildCapture(seed * 3 + i, { ports: 4, damage: seed % 4 === 0 }))
    await same(t, `seed ${seed}`, sources, { merge: seed % 3 === 0, staleTimeout: seed % 2 === 0 ? 2 : 180 })
  }
  t.pass()
})

test('more than a batch and a block hold', async t => {
  const { path } = generate({ packets: 60_000, concurrent: 200, seed: 9 })
  try {
    t.true((await same(t, 'generated', path)) > 200)
  } finally {
    rmSync(path, { force: true })
  }
})

test('step by step', async t => {
  const steps = async (engine: 'native' | 'js') => {
    const extractor = new TCPStreamExtractor(samplePath, { engine })
    const packets = []
    for (let packet = await extractor.next(); packet; packet = await extractor.next()) packets.push(packet)
    return packets
  }
  const [native, js] = [await steps('native'), await steps('js')]
  t.true(native.length > 20)
  t.deepEqual(js, native)
})

test('real captures: all with fragments, and one in eight of the others', async t => {
  t.timeout(300_000)
  const corpus = corpusFolder()
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  const listed = readJson<{ file: string; tags: string[] }[]>(join(corpus, 'dev', 'MANIFEST.json'))
  const files = listed.filter(({ tags }, i) => tags.includes('fragments') || i % 8 === 0).map(({ file }) => join(corpus, 'dev', 'captures', file))
  let streams = 0
  for (let i = 0; i < files.length; i += 32) streams += await same(t, `captures ${i} on`, files.slice(i, i + 32))
  t.log(`${files.length} captures, ${streams} streams`)
  t.true(streams > 400)
})
