// Extracted streams of real captures against the octets that two independent tools agree on, and the pcaps written of
// them against the frames of the capture.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { PcapWriter, TCPStreamExtractor, connections, type StreamSummary } from '../src/index.js'
import { NO_CORPUS, corpusFolder, readJson } from './support/places.js'

const corpus = corpusFolder()
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-corpus-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

interface Listed {
  file: string
  agreedDirs: number
  tags: string[]
}

interface Side {
  agreed?: boolean
  length: number
  /** Only where there are octets. */
  sha256?: string
}

interface OracleStream {
  client?: [address: string, port: number]
  first_frame: number
  hard?: boolean
  data?: [Side | null, Side | null]
}

/** Captures that have much to agree on, of all kinds: in order of a digest of their names, so that it's no choice. */
function chosen(count: number): Listed[] {
  const all = readJson<Listed[]>(join(corpus!, 'dev', 'MANIFEST.json'))
  const digest = (name: string) => createHash('sha256').update(name).digest('hex')
  const candidates = all.filter(({ agreedDirs, tags }) => agreedDirs > 0 && !tags.includes('nested'))
  return candidates.toSorted((a, b) => digest(a.file).localeCompare(digest(b.file))).slice(0, count)
}

const sha256 = (octets: Uint8Array) => createHash('sha256').update(octets).digest('hex')

test('streams of fifty real captures are what two tools agree on', async t => {
  t.timeout(300_000)
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  let directions = 0
  for (const { file } of chosen(50)) {
    const path = join(corpus, 'dev', 'captures', file)
    const extractor = new TCPStreamExtractor(path, { onError: () => {}, maxKeptBytes: 2 ** 32 })
    const streams = Object.values(await extractor.getClientServerStreams())
    const lines = await extractor.summary()
    const byFirst = new Map(lines.map((line, i) => [line.firstPacket, i]))
    const { streams: expected } = readJson<{ streams: OracleStream[] }>(join(corpus, 'dev', 'oracle', `${file}.json`))
    for (const { client, first_frame, hard, data } of expected) {
      const at = byFirst.get(first_frame)
      if (hard !== true || at === undefined || !client || !data) continue
      const sides = turned(lines[at]!, client) ? (['server', 'client'] as const) : (['client', 'server'] as const)
      for (const [way, side] of sides.entries()) {
        const answer = data[way]
        if (!answer?.agreed) continue
        directions += 1
        const octets = streams[at]![side]
        const expected = [answer.length, answer.sha256 ?? sha256(new Uint8Array(0))]
        t.deepEqual([octets.length, sha256(octets)], expected, `${file}: packet ${first_frame}, ${side}`)
      }
    }
  }
  t.log(`${directions} directions`)
  t.true(directions > 100)
})

/** The tools call the sender of the first packet client; where that is an answer to a SYN, it is the server here. */
const turned = ({ clientAddr, clientPort }: StreamSummary, [address, port]: [string, number]): boolean =>
  !(clientPort === port && (clientAddr === address || address.includes(':')))

/** Records of a classic little-endian pcap. */
function* records(path: string): Generator<Buffer, undefined> {
  const octets = readFileSync(path)
  for (let at = 24; at < octets.length; at += 16 + octets.readUInt32LE(at + 8)) yield octets.subarray(at + 16, at + 16 + octets.readUInt32LE(at + 8))
}

test('pcaps of real captures hold every frame with TCP once', async t => {
  t.timeout(300_000)
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  for (const [i, { file, tags }] of chosen(30).entries()) {
    const path = join(corpus, 'dev', 'captures', file)
    const out = join(folder, String(i))
    await new TCPStreamExtractor(path, { writers: [new PcapWriter(out)], onError: () => {}, flushPackets: 50 }).run()
    let [packets, wanted] = [0, 0]
    for (const name of readdirSync(join(out, 'pcaps'))) for (const _ of records(join(out, 'pcaps', name))) packets += 1
    for await (const record of connections(path, { maxStreamBytes: 0, onError: () => {}, idleTimeout: 180 })) wanted += record.packets_fwd + record.packets_rev
    // A datagram in fragments is one packet in several frames.
    t.true(tags.includes('fragments') ? packets >= wanted : packets === wanted, `${file}: ${packets} frames, ${wanted} packets`)
  }
})
