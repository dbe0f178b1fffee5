// However many threads a large capture is given, the answer is the same: records, their order, statistics, what the
// capture says of itself, and errors.
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import {
  basicChain, connections, dnsChain, dscpChain, ecnChain, evilChain, icmpChain, mssChain, observe, OptionError, tcpChain,
  tcpOptChain, tfoChain, udpChain, type FlowError, type ObserveOptions, type AnyChain,
} from '../src/index.js'
import { collect } from './support/collect.js'
import { Random } from './support/random.js'
import { ipPackets, linkFrame } from './support/wild-frames.js'

type Options = Omit<ObserveOptions<AnyChain[]>, 'chains'>

/** More than is worth a thread, and several blocks. */
const OCTETS = 3 << 20

let folder: string
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tcpskein-threads-'))
})
test.after.always(() => rm(folder, { recursive: true, force: true }))

/** A pcap file of packets of every kind, with times that now and then jump. */
function largeCapture(seed: number): Buffer {
  const random = new Random(seed)
  const parts = [Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex')]
  const frames = Array.from({ length: 400 }, () => ipPackets(random).map(packet => linkFrame(random, 1, packet))).flat()
  let [octets, second] = [24, 1_767_607_200]
  while (octets < OCTETS) {
    const frame = Buffer.from(frames[random.below(frames.length)]!)
    const cut = random.once(20) ? random.below(frame.length + 1) : frame.length
    if (random.once(500)) second += random.below(40)
    const head = Buffer.alloc(16)
    head.writeUInt32LE(second, 0)
    head.writeUInt32LE(random.below(1_000_000), 4)
    head.writeUInt32LE(cut, 8)
    head.writeUInt32LE(frame.length, 12)
    parts.push(head, frame.subarray(0, cut))
    octets += 16 + cut
  }
  return Buffer.concat(parts)
}

/** All that is said, as text: so much of it is compared in a moment. */
async function told(path: string, options: Options): Promise<string> {
  const errors: string[] = []
  const observer = observe(path, {
    chains: [
      basicChain(), tcpChain(), tcpOptChain(), mssChain(), tfoChain(), ecnChain(), dscpChain(), evilChain(), icmpChain(),
      udpChain(), dnsChain(),
    ],
    ...options,
    onError: ({ code, message }: FlowError) => errors.push(`${code} ${message}`),
  })
  const records = await collect(observer)
  return text({ errors, stats: observer.stats, captures: observer.captures, records }, path.endsWith('damaged'))
}

/** How far was read before damage was met depends on how much is read at once. */
const text = (value: unknown, damaged = false): string =>
  JSON.stringify(value, (name, each: unknown) => {
    if (damaged && name === 'inputBytes') return undefined
    return typeof each === 'bigint' ? `${each}n` : each
  })

const FEW_FLOWS: Options = { maxFlows: 50, idleTimeout: 2, expiryTimeout: 1 }
const ODD: Options = { checksum: 'count', decap: false, ignoreEncap: true, filter: 'ip or ip6' }

test('one, two and three threads say the same of whole, damaged and compressed captures', async t => {
  t.timeout(300_000)
  const plain = largeCapture(1)
  const damaged = Buffer.from(plain)
  // A length that can't be, four fifths into the file.
  const at = recordFrom(damaged, (OCTETS * 4) / 5)
  damaged.writeUInt32LE(0x7fff_ffff, at + 8)
  const files: Record<string, Uint8Array> = {
    whole: plain,
    damaged,
    cut: plain.subarray(0, plain.length - 7),
    gzip: gzipSync(plain, { level: 1 }),
  }
  for (const [name, octets] of Object.entries(files)) {
    const path = join(folder, name)
    writeFileSync(path, octets)
    for (const [i, options] of [{}, FEW_FLOWS, ODD, { aggregate: true }].entries()) {
      const one = await told(path, { ...options, threads: 1 })
      for (const threads of [2, 3]) t.true((await told(path, { ...options, threads })) === one, `${name}, ${i}: ${threads}`)
      if (name === 'damaged' && i === 1)
        t.true((await told(path, { ...options, engine: 'js', threads: 2 })) === one, `${name}: js`)
    }
  }
})

test('a loop that is left early lets go of its threads', async t => {
  const path = join(folder, 'early')
  writeFileSync(path, largeCapture(2))
  for (let i = 0; i < 3; i++)
    for await (const flow of observe(path, { chains: [basicChain()], threads: 3, idleTimeout: 1 })) {
      t.truthy(flow.sip)
      break
    }
})

test('merged captures, and jobs that are not divided', async t => {
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  writeFileSync(a, largeCapture(3))
  writeFileSync(b, largeCapture(4))
  const merged = async (threads: number) => collect(observe([a, b], { chains: [basicChain()], merge: true, threads }))
  t.is(text(await merged(3)), text(await merged(1)))
  const joined = async (threads: number) => collect(connections(a, { threads, maxStreamBytes: 0 }))
  t.is(text(await joined(2)), text(await joined(1)))
})

test('a number of threads that can not be', t => {
  for (const threads of [0, -1, 1.5, 65, '2' as unknown as number])
    t.throws(() => observe('x', { threads }), { instanceOf: OptionError, message: /^threads: expected a whole number from 1 to 64/ })
})

/** Where the first record at or after `from` begins. */
function recordFrom(capture: Buffer, from: number): number {
  let at = 24
  while (at < from) at += 16 + capture.readUInt32LE(at + 8)
  return at
}
