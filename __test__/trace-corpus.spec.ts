// traceFlows over real captures: what its files hold, read again by tcpdump, against what tshark says of each frame of the
// original, grouped by a naive walk.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { traceFlows } from '../src/index.js'
import { has } from './support/cli.js'
import { corpusFolder, NO_CORPUS, readJson } from './support/places.js'
import { readPcap } from './support/read-captures.js'
import { naiveFlows, type SeenFrame } from './support/trace-naive.js'

const run = promisify(execFile)
const base = mkdtempSync(join(tmpdir(), 'tcpskein-trace-corpus-'))
test.after.always(() => rmSync(base, { recursive: true, force: true }))

/** Captures that are looked at. */
const WANTED = 60
/** More files than this take too long to read one by one. */
const MOST_FLOWS = 60

interface Capture {
  file: string
  tcp: number
  tags: string[]
  links: number[]
}

/** Classic pcap with TCP, spread over the whole corpus. VLANs and tunnels are left out: tshark's fields don't tell them apart. */
function choose(folder: string): string[] {
  const manifest = readJson<Capture[]>(join(folder, 'dev', 'MANIFEST.json'))
  const fits = manifest.filter(({ tcp, tags, links, file }) => {
    if (tcp === 0 || links.length !== 1 || tags.some(tag => ['pcapng', 'gz', 'zst', 'vlan', 'qinq', 'nested', 'mpls'].includes(tag))) return false
    const magic = readFileSync(join(folder, 'dev', 'captures', file)).toString('hex', 0, 4)
    return ['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d'].includes(magic)
  })
  const step = fits.length / WANTED
  return Array.from({ length: WANTED }, (_, i) => join(folder, 'dev', 'captures', fits[Math.floor(i * step)]!.file))
}

const FIELDS = [
  'frame.number', 'frame.protocols', 'ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'tcp.srcport', 'tcp.dstport', 'tcp.flags', 'tcp.seq_raw',
  'ip.fragment', 'ipv6.fragment',
]

/** The TCP frames of a capture as tshark sees them. */
async function tsharkFrames(path: string): Promise<SeenFrame[]> {
  const fields = FIELDS.flatMap(field => ['-e', field])
  const options = ['-o', 'tcp.desegment_tcp_streams:FALSE', '-o', 'ip.defragment:TRUE', '-o', 'tcp.relative_sequence_numbers:FALSE']
  const { stdout } = await run('tshark', ['-n', '-r', path, ...options, '-Y', 'tcp', '-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=a', '-E', 'aggregator=;', ...fields], { maxBuffer: 1 << 28 })
  return stdout.split('\n').filter(Boolean).flatMap(line => {
    const [number, protocols, src4, dst4, src6, dst6, sport, dport, flags, seq, fragments4, fragments6] = line.split('|').map(value => value.split(';'))
    // What an ICMP error quotes is no segment.
    if (/\bicmp(v6)?\b.*\btcp\b/.test(protocols!.join(':'))) return []
    const last = (values: string[] | undefined) => values?.at(-1) ?? ''
    const [src, dst] = last(src4) === '' ? [last(src6), last(dst6)] : [last(src4), last(dst4)]
    const bits = Number(last(flags) || 0)
    const fragments = [...fragments4!, ...fragments6!].filter(Boolean).map(Number)
    return [{
      number: Number(last(number)),
      from: `${src} ${last(sport)}`,
      to: `${dst} ${last(dport)}`,
      syn: (bits & 2) !== 0,
      ack: (bits & 16) !== 0,
      rst: (bits & 4) !== 0,
      fin: (bits & 1) !== 0,
      seq: Number(last(seq) || 0),
      fragments: fragments.filter(fragment => fragment !== Number(last(number))),
    }]
  })
}

/** Time and octets of each packet, as tcpdump prints them. */
async function tcpdumpPackets(path: string): Promise<string[]> {
  const { stdout } = await run('tcpdump', ['-nn', '-tt', '-q', '-xx', '--nano', '-r', path], { maxBuffer: 1 << 28 })
  return stdout.split(/\n(?=\d)/).filter(Boolean).map(text => {
    const [head, ...lines] = text.split('\n')
    const hex = lines.filter(line => line.startsWith('\t0x')).map(line => line.replace(/^\t0x[0-9a-f]+:/, '').replace(/\s/g, ''))
    return `${head!.split(' ')[0]} ${hex.join('')}`
  })
}

test('frames of each flow, as tcpdump reads them again', async t => {
  t.timeout(600_000)
  const folder = corpusFolder()
  const missing = folder === null ? NO_CORPUS : ['tshark', 'tcpdump'].filter(name => !has(name)).map(name => `skipped: there is no ${name}`)[0]
  if (missing !== undefined || folder === null) {
    t.log(missing)
    t.pass()
    return
  }
  const seen = { captures: 0, flows: 0, frames: 0 }
  for (const [i, path] of choose(folder).entries()) {
    const expected = naiveFlows(await tsharkFrames(path))
    if (expected.length === 0 || expected.length > MOST_FLOWS) continue
    const { index, stats } = await traceFlows(path, { fout: join(base, String(i)), nanosecond: true })
    const found = index.toSorted((a, b) => a.flow_id - b.flow_id)
    t.deepEqual(found.map(flow => [...flow.index]), expected, path)
    const original = readPcap(readFileSync(path))
    for (const { fpout, index: numbers } of found) {
      const frames = numbers.map(number => original[number - 1]!)
      const lines = frames.map(({ ns, data }) => `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, '0')} ${data.toString('hex')}`)
      t.deepEqual(await tcpdumpPackets(fpout!), lines, fpout)
      const packets = readPcap(readFileSync(fpout!))
      t.deepEqual(packets.map(({ wire, link }) => [wire, link]), frames.map(({ wire, link }) => [Math.max(wire, 0), link]))
      seen.frames += frames.length
    }
    t.is(stats.tracedPackets, expected.flat().length)
    t.is(stats.unwrittenBytes, 0)
    seen.captures += 1
    seen.flows += found.length
    rmSync(join(base, String(i)), { recursive: true })
  }
  t.true(seen.captures >= 50, `${seen.captures}`)
  t.log(`${seen.captures} captures, ${seen.flows} flows, ${seen.frames} frames`)
})
