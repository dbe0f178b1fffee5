// traceFlows over whole captures: what is in the files, the limits, and what happens when a file can't be written.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  CaptureError,
  FileExistsError,
  OptionError,
  OutputError,
  TraceFlow,
  traceFlows,
  tracePackets,
  type TracedFlow,
  type TraceFlowsOptions,
  type TraceIndex,
  type TracePacket,
  type TraceStats,
} from '../src/index.js'
import { LINK, onEthernet, pcap as pcapFile } from '../scripts/captures/containers.mjs'
import { collect } from './support/collect.js'
import { pcap, tcpFrame, udpFrame } from './support/frames.js'
import { fixture, samplePath } from './support/places.js'
import { readPcap, readPcapng } from './support/read-captures.js'
import { canCount, openFilesIn } from './support/resources.js'

const base = mkdtempSync(join(tmpdir(), 'tcpskein-trace-flows-'))
test.after.always(() => rmSync(base, { recursive: true, force: true }))

let folders = 0
const folder = (): string => join(base, `out-${folders++}`)

const SYN = 2
const ACK = 16
const FIN = 1
const RST = 4
const MS = 1_000_000n

/** A capture of frames, a millisecond from one to the next. */
const capture = (...frames: Uint8Array[]): Uint8Array => pcap(frames.map((frame, i) => [BigInt(i + 1) * MS, frame]))

/** Frame numbers of each flow, in the order in which flows began. */
const frameNumbers = (index: readonly TracedFlow[]): (readonly number[])[] =>
  index.toSorted((a, b) => a.flow_id - b.flow_id).map(flow => flow.index)

const framesByLabel = (index: readonly TraceIndex[]): Map<string, readonly number[]> =>
  new Map(index.toSorted((x, y) => (x.label < y.label ? -1 : 1)).map(flow => [flow.label, flow.index]))

/** A connection of two sides, that ends with a FIN of each. */
const connection = [
  tcpFrame({ flags: SYN, seq: 1 }),
  tcpFrame({ flags: SYN | ACK, seq: 9, reversed: true, ports: [80, 1000] }),
  tcpFrame({ flags: ACK, seq: 2, payload: Buffer.from('hello') }),
  tcpFrame({ flags: FIN | ACK, seq: 7 }),
  tcpFrame({ flags: FIN | ACK, seq: 10, reversed: true, ports: [80, 1000] }),
  tcpFrame({ flags: ACK, seq: 8 }),
]

test('a file for each direction until its FIN; every frame is in one', async t => {
  const fout = folder()
  const { index, stats, captures } = await traceFlows(capture(...connection, udpFrame({})), { fout })
  t.deepEqual(frameNumbers(index), [[1, 3, 4], [2, 5], [6]])
  const labels = index.map(({ label }) => label)
  t.deepEqual(labels, ['10.0.0.1_1000-10.0.0.2_80-0.001', '10.0.0.2_80-10.0.0.1_1000-0.002', '10.0.0.1_1000-10.0.0.2_80-0.006'])
  t.deepEqual(readdirSync(fout).toSorted(), labels.map(label => `${label}.pcap`).toSorted())
  t.like(index[0], { src: '10.0.0.1', srcport: 1000, dst: '10.0.0.2', dstport: 80, first_ns: MS, last_ns: 4n * MS, first_packet: 1, packets: 3, captured_bytes: 167, end_reason: 'fin', vlan: null })
  t.is(index[2]!.end_reason, 'flush')
  for (const { fpout, index: numbers } of index) {
    const packets = readPcap(readFileSync(fpout!))
    t.deepEqual(packets.map(({ ns }) => ns), numbers.map(number => BigInt(number) * MS))
    for (const [i, packet] of packets.entries()) t.deepEqual([...packet.data], [...connection[numbers[i]! - 1]!])
  }
  t.like(stats, { packets: 7, notTcp: 1, tracedPackets: 6, flows: 3, ended: 3, openFlows: 0, files: 3, openFiles: 0, bufferedBytes: 0, unwrittenBytes: 0, droppedFrames: 0 })
  t.is(stats.writtenBytes, index.reduce((sum, { fpout }) => sum + readFileSync(fpout!).length, 0))
  t.is(captures.length, 1)
})

test('bidirectional: a file for each connection', async t => {
  for (const format of ['pcap', 'ndjson']) {
    const { index } = await traceFlows(capture(...connection), { fout: folder(), bidirectional: true, format })
    t.deepEqual(frameNumbers(index), [[1, 2, 3, 4, 5, 6]], format)
    t.like(index[0], { packets: 6, end_reason: 'flush' })
  }
})

test('ports used again are told apart, in both ways of tracing', async t => {
  const syn = (seq: number) => tcpFrame({ flags: SYN, seq })
  const answer = (seq: number) => tcpFrame({ flags: SYN | ACK, seq, reversed: true, ports: [80, 1000] })
  const reset = tcpFrame({ flags: RST, seq: 2 })
  const data = (seq: number) => tcpFrame({ flags: ACK, seq })
  const again = capture(syn(1), syn(1), answer(50), reset, syn(5000), answer(70), data(5001))
  for (const format of ['pcap', 'tree']) {
    const one = await traceFlows(again, { fout: folder(), format })
    t.deepEqual(frameNumbers(one.index), [[1, 2, 4], [3], [5, 7], [6]], format)
    const both = await traceFlows(again, { fout: folder(), format, bidirectional: true })
    t.deepEqual(frameNumbers(both.index), [[1, 2, 3, 4], [5, 6, 7]], format)
    t.deepEqual(both.index.map(flow => flow.end_reason), ['reuse', 'flush'])
  }
})

test('a flow that is over waits for late packets, then its ports are another flow’s', async t => {
  const late = (seconds: bigint, seq: number): [bigint, Uint8Array] => [seconds * 1000n * MS, tcpFrame({ flags: ACK, seq })]
  const octets = pcap([
    ...connection.map((frame, i): [bigint, Uint8Array] => [BigInt(i) * MS, frame]),
    late(5n, 8), late(12n, 8), late(40n, 8),
  ])
  for (const format of ['pcap', 'ndjson']) {
    const { index } = await traceFlows(octets, { fout: folder(), format, bidirectional: true, linger: 10 })
    t.deepEqual(frameNumbers(index), [[1, 2, 3, 4, 5, 6, 7, 8], [9]], format)
    t.deepEqual(index.map(flow => flow.end_reason), ['fin', 'flush'])
  }
})

test('the engine and the class write the same files', async t => {
  for (const source of [samplePath, fixture('link-sll.pcap'), fixture('link-raw.pcap'), fixture('link-vlan.pcap')])
    for (const format of ['pcap', 'pcapng'])
      for (const options of [{}, { bidirectional: true, byteorder: 'big', nanosecond: true }] as const) {
        const [a, b] = [folder(), folder()]
        const { index } = await traceFlows(source, { fout: a, format, ...options })
        const flows = new TraceFlow({ fout: b, format, ...options })
        for await (const packet of tracePackets(source)) flows.dump(packet)
        const submitted = flows.submit()
        t.true(index.length > 0)
        t.deepEqual(readdirSync(a), readdirSync(b))
        t.deepEqual(framesByLabel(index), framesByLabel(submitted))
        const read = format === 'pcap' ? readPcap : readPcapng
        for (const name of readdirSync(a)) {
          const octets = readFileSync(join(a, name))
          t.true(read(octets).length > 0)
          t.deepEqual(octets, readFileSync(join(b, name)), `${source} ${format} ${name}`)
        }
      }
})

test('every format: the frames of each flow by name', async t => {
  const expected = framesByLabel((await traceFlows(samplePath, { fout: folder() })).index)
  for (const format of ['json', 'ndjson', 'plist', 'xml', 'tree', 'txt', 'text']) {
    const { index } = await traceFlows(samplePath, { fout: folder(), format })
    t.deepEqual(framesByLabel(index), expected)
    for (const { fpout, index: numbers } of index) {
      const text = readFileSync(fpout!, 'utf8')
      t.deepEqual([...text.matchAll(/\bFrame (\d+)\b/g)].map(match => Number(match[1])), [...numbers], `${format} ${fpout}`)
    }
  }
})

test('json: a frame as the original has it', async t => {
  const { index } = await traceFlows(samplePath, { fout: folder(), format: 'json', filter: 'host 198.51.100.20' })
  const flow = index.find(({ src }) => src === '192.0.2.10')!
  const document = JSON.parse(readFileSync(flow.fpout!, 'utf8')) as Record<string, Record<string, unknown>>
  const { ethernet, ...record } = document[`Frame ${flow.first_packet}`]!
  t.like(record, {
    frame_info: { ts_sec: 1_767_607_200, ts_usec: 12_545, incl_len: 74, orig_len: 74 },
    time: '2026-01-05T10:00:00.012545',
    time_epoch: '1767607200.012545',
    len: 74,
    cap_len: 74,
    protocols: 'Ethernet:IPv4:TCP',
  })
  t.like(ethernet, { dst: '02:04:c6:33:64:14', src: '02:04:c0:00:02:0a', type: 2048 })
  const { ipv4 } = ethernet as { ipv4: Record<string, unknown> }
  t.like(ipv4, { version: 4, hdr_len: 20, len: 60, id: 16_385, flags: { df: true, mf: false }, ttl: 64, protocol: 6, src: '192.0.2.10', dst: '198.51.100.20' })
  t.like(ipv4.tcp, {
    srcport: 49_152, dstport: 80, seq: 439_041_101, ack: 0, hdr_len: 40, window_size: 64_240, urgent_pointer: 0,
    flags: { cwr: false, ece: false, urg: false, ack: false, psh: false, rst: false, syn: true, fin: false },
    checksum: { type: 'bytes', value: '8\uFFFD', hex: '38bd' },
  })
})

test('times, lengths, link type and snapshot length are kept', async t => {
  const data = onEthernet({ ns: 0n, packet: Buffer.from(tcpFrame({ flags: ACK, payload: Buffer.alloc(200) }).subarray(14)), src: '10.0.0.1', dst: '10.0.0.2' })
  const source = pcapFile([{ ns: 1_500_000_000_123_456_789n, data }], { nano: true, snaplen: 96 })
  const cases = [
    [{ format: 'pcap', nanosecond: true }, 1_500_000_000_123_456_789n, readPcap],
    [{ format: 'pcap' }, 1_500_000_000_123_456_000n, readPcap],
    [{ format: 'pcap', byteorder: 'big', nanosecond: true }, 1_500_000_000_123_456_789n, readPcap],
    [{ format: 'pcapng', nanosecond: true }, 1_500_000_000_123_456_789n, readPcapng],
    [{ format: 'pcapng', byteorder: 'big' }, 1_500_000_000_123_456_000n, readPcapng],
  ] as const
  for (const [options, ns, read] of cases) {
    const { index } = await traceFlows(source, { fout: folder(), ...options })
    const packets = read(readFileSync(index[0]!.fpout!))
    t.deepEqual(packets, [{ ns, link: LINK.ethernet, snaplen: 96, wire: data.length, data: data.subarray(0, 96) }])
  }
})

test('a time that pcap can not hold is counted', async t => {
  const source = await collect(tracePackets(capture(...connection)))
  t.is(source.length, 6)
  const far = pcapngOf(2n ** 33n * 1_000_000_000n, connection[0]!)
  const classic = await traceFlows(far, { fout: folder() })
  t.is(classic.stats.badTimes, 1)
  t.is(readPcap(readFileSync(classic.index[0]!.fpout!))[0]!.ns, 0xffff_ffffn * 1_000_000_000n)
  const newer = await traceFlows(far, { fout: folder(), format: 'pcapng' })
  t.is(newer.stats.badTimes, 0)
  t.is(readPcapng(readFileSync(newer.index[0]!.fpout!))[0]!.ns, 2n ** 33n * 1_000_000_000n)
})

/** A pcapng with one Ethernet frame, times in microseconds; made by hand. */
function pcapngOf(ns: bigint, frame: Uint8Array, link = 1, second?: { link: number; frame: Uint8Array }): Buffer {
  const block = (type: number, body: Buffer) => {
    const head = Buffer.alloc(8)
    head.writeUInt32LE(type)
    head.writeUInt32LE(12 + body.length, 4)
    return Buffer.concat([head, body, head.subarray(4)])
  }
  const idb = (type: number) => block(1, Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]))
  const epb = (id: number, octets: Uint8Array) => {
    const head = Buffer.alloc(20)
    const ticks = ns / 1000n
    ;[id, Number(ticks >> 32n), Number(ticks & 0xffff_ffffn), octets.length, octets.length].forEach((word, i) => head.writeUInt32LE(word, i * 4))
    return block(6, Buffer.concat([head, octets, Buffer.alloc(-octets.length & 3)]))
  }
  const section = block(0x0a0d0d0a, Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex'))
  const more = second ? [idb(second.link), epb(1, second.frame)] : []
  return Buffer.concat([section, idb(link), epb(0, frame), ...more])
}

test('two link types in a flow: pcapng has an interface for each, pcap a file', async t => {
  const raw = connection[2]!.subarray(14)
  const mixed = pcapngOf(MS, connection[0]!, 1, { link: 101, frame: raw })
  const newer = await traceFlows(mixed, { fout: folder(), format: 'pcapng' })
  t.deepEqual(frameNumbers(newer.index), [[1, 2]])
  t.deepEqual(readPcapng(readFileSync(newer.index[0]!.fpout!)).map(({ link, data }) => [link, data.length]), [[1, 54], [101, 45]])
  const classic = await traceFlows(mixed, { fout: folder() })
  t.deepEqual(frameNumbers(classic.index), [[1], [2]])
  t.deepEqual(classic.index.map(({ label }) => label), ['10.0.0.1_1000-10.0.0.2_80-0.001', '10.0.0.1_1000-10.0.0.2_80-0.001-2'])
  t.deepEqual(classic.index.map(({ fpout }) => readPcap(readFileSync(fpout!))[0]!.link), [1, 101])
})

test('equal labels get a number each, and no file is lost', async t => {
  const fin = tcpFrame({ flags: FIN })
  const same = pcap([[MS, fin], [MS, fin], [MS, fin]])
  for (const format of ['pcap', 'json']) {
    const { index } = await traceFlows(same, { fout: folder(), format })
    const label = '10.0.0.1_1000-10.0.0.2_80-0.001'
    t.deepEqual(index.map(flow => flow.label), [label, `${label}-2`, `${label}-3`])
    t.is(new Set(index.map(({ fpout }) => fpout)).size, 3)
  }
})

test('fragments stand before the one that completes their datagram', async t => {
  const whole = tcpFrame({ flags: ACK, seq: 5, payload: Buffer.alloc(100, 7) })
  const [first, last] = fragmentsOf(whole, 48)
  const { index, stats } = await traceFlows(capture(connection[0]!, first!, connection[2]!, last!, first!), { fout: folder() })
  t.deepEqual(frameNumbers(index), [[1, 3, 2, 4]])
  t.like(stats, { packets: 5, tracedPackets: 4, reassembled: 1, lostFragments: 1 })
  const packets = readPcap(readFileSync(index[0]!.fpout!))
  t.deepEqual(packets.map(({ data }) => [...data]), [connection[0]!, connection[2]!, first!, last!].map(frame => [...frame]))
  t.deepEqual(packets.map(({ ns }) => ns / MS), [1n, 3n, 2n, 4n])
})

/** An Ethernet frame's IPv4 packet in two fragments, the first with `length` octets behind its header. */
function fragmentsOf(frame: Uint8Array, length: number): Uint8Array[] {
  const header = frame.subarray(0, 34)
  const body = frame.subarray(34)
  return [[0, length, 0x2000], [length, body.length, 0]].map(([from, to, flag]) => {
    const out = Buffer.concat([header, body.subarray(from, to)])
    out.writeUInt16BE(20 + to! - from!, 16)
    out.writeUInt16BE(77, 18)
    out.writeUInt16BE(flag! | (from! / 8), 20)
    return Uint8Array.from(out)
  })
}

/** Many flows at a time, each with several packets that take turns. */
function manyFlows(flows: number, rounds: number, payload: number): Uint8Array {
  const frames: Uint8Array[] = []
  for (let round = 0; round < rounds; round++)
    for (let flow = 0; flow < flows; flow++)
      frames.push(tcpFrame({ ports: [1000 + flow, 80], flags: ACK, seq: round * payload, payload: Buffer.alloc(payload, round) }))
  return capture(...frames)
}

test('never more files open than allowed, and nothing is lost', async t => {
  const source = manyFlows(40, 30, 700)
  for (const format of ['pcap', 'ndjson']) {
    const fout = folder()
    const { index, stats } = await traceFlows(source, { fout, format, maxOpenFiles: 4, maxBufferedBytes: 40_000 })
    t.is(stats.mostOpenFiles, 4, format)
    t.true(stats.reopened > 100 && stats.closedEarly > 100)
    t.true(stats.mostBufferedBytes < 120_000)
    t.like(stats, { files: 40, openFiles: 0, bufferedBytes: 0, unwrittenBytes: 0, tracedPackets: 1200 })
    for (const { index: numbers, fpout, srcport } of index) {
      t.deepEqual([...numbers], Array.from({ length: 30 }, (_, round) => round * 40 + srcport - 999))
      const text = readFileSync(fpout!)
      t.is(format === 'pcap' ? readPcap(text).length : text.toString().split('\n').length - 1, 30)
    }
  }
})

test('what is open is never more than the limit, as the system counts it', async t => {
  if (!canCount) {
    t.log('skipped: the system does not tell which files are open')
    t.pass()
    return
  }
  const fout = folder()
  const path = join(base, 'many.pcap')
  writeFileSync(path, manyFlows(300, 20, 1000))
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, openFilesIn(fout))
  }, 1)
  const { stats } = await traceFlows(path, { fout, maxOpenFiles: 4, maxBufferedBytes: 100_000 })
  clearInterval(timer)
  t.true(most <= 4, `${most}`)
  t.true(stats.reopened > 1000)
  t.is(readdirSync(fout).length, 300)
})

test('maxFlows: the flow seen least recently ends, and its file is complete', async t => {
  for (const format of ['pcap', 'ndjson']) {
    const { index, stats } = await traceFlows(manyFlows(3, 2, 10), { fout: folder(), format, maxFlows: 2 })
    t.deepEqual(frameNumbers(index), [[1], [2], [3], [4], [5], [6]])
    t.like(stats, { evicted: 4, flows: 6, files: 6 })
  }
})

test('maxFrames: further frame numbers are counted, the frames are written', async t => {
  for (const format of ['pcap', 'ndjson']) {
    const { index, stats } = await traceFlows(capture(...connection), { fout: folder(), format, maxFrames: 2 })
    t.deepEqual(frameNumbers(index), [[1], [2], []])
    t.like(stats, { droppedFrames: 4, tracedPackets: 6 })
  }
})

test('onFlow takes the flows, onStats the counters', async t => {
  const flows: TracedFlow[] = []
  const stats: TraceStats[] = []
  const summary = await traceFlows(capture(...connection), { fout: folder(), onFlow: flow => flows.push(flow), onStats: now => stats.push(now) })
  t.deepEqual(summary.index, [])
  t.deepEqual(flows.map(({ packets, index }) => [packets, index.length]), [[3, 0], [2, 0], [1, 0]])
  t.is(stats.at(-1)!.ended, 3)
  const error = new Error('mine')
  await t.throwsAsync(traceFlows(capture(...connection), { fout: folder(), onFlow: () => { throw error } }), { is: error })
})

test('a file that is there already ends the run; with force it is replaced', async t => {
  for (const format of ['pcap', 'json']) {
    const fout = folder()
    mkdirSync(fout, { recursive: true })
    const name = `10.0.0.2_80-10.0.0.1_1000-0.002.${format}`
    writeFileSync(join(fout, name), 'mine')
    const options: TraceFlowsOptions = { fout, format }
    const error = await t.throwsAsync(traceFlows(capture(...connection), options), { instanceOf: FileExistsError, code: 'ERR_FILE_EXISTS' })
    t.true(error.message.includes(name), error.message)
    t.is(readFileSync(join(fout, name), 'utf8'), 'mine')
    const forced = await traceFlows(capture(...connection), { ...options, force: true })
    t.is(forced.index.length, 3)
    t.not(readFileSync(join(fout, name), 'utf8'), 'mine')
    t.is(readdirSync(fout).length, 3)
    writeFileSync(join(fout, 'notes.txt'), 'other files do no harm')
    await t.notThrowsAsync(traceFlows(capture(...connection), { ...options, force: true }))
  }
})

test('a folder that can not be written: an error that names the file', async t => {
  for (const format of ['pcap', 'json']) {
    const fout = folder()
    const gone = async () => {
      // The folder goes away while the capture is being read.
      async function* source(): AsyncGenerator<Uint8Array> {
        const octets = capture(...connection)
        yield octets.subarray(0, 200)
        rmSync(fout, { recursive: true })
        yield octets.subarray(200)
      }
      await traceFlows(source(), { fout, format })
    }
    const error = await t.throwsAsync(gone, { instanceOf: OutputError, code: 'ERR_OUTPUT_IO' })
    t.true(error.message.includes(fout), error.message)
    t.regex(error.message, /: cannot (create|read): /)
  }
  writeFileSync(join(base, 'file'), '')
  await t.throwsAsync(traceFlows(samplePath, { fout: join(base, 'file') }), { instanceOf: FileExistsError })
})

test('a full disk: what was written before stays readable', async t => {
  if (process.platform !== 'linux') {
    t.log('skipped: there is no /dev/full')
    t.pass()
    return
  }
  const fout = folder()
  // Flows of one packet each: with a FIN their files are written at once. One of the files is on a full disk.
  async function* source(): AsyncGenerator<Uint8Array> {
    const octets = manyFlows(2, 200, 1000)
    yield octets.subarray(0, octets.length / 2)
    for (const name of readdirSync(fout)) {
      writeFileSync(join(base, 'copy'), readFileSync(join(fout, name)))
      rmSync(join(fout, name))
      symlinkSync('/dev/full', join(fout, name))
      break
    }
    yield octets.subarray(octets.length / 2)
  }
  const error = await t.throwsAsync(traceFlows(source(), { fout, maxOpenFiles: 1, maxBufferedBytes: 0 }), { instanceOf: OutputError })
  t.regex(error.message, /\.pcap: cannot write: No space left on device$/)
  t.true(readPcap(readFileSync(join(base, 'copy'))).length > 50)
  const [, other] = readdirSync(fout)
  t.true(readPcap(readFileSync(join(fout, other!))).length > 50)
})

test('a capture that can not be read in full: its frames are written, then it is said', async t => {
  for (const format of ['pcap', 'ndjson']) {
    const fout = folder()
    await t.throwsAsync(traceFlows(fixture('capture-last-cut.pcap'), { fout, format }), { instanceOf: CaptureError, code: 'ERR_CAPTURE_TRUNCATED' })
    t.true(readdirSync(fout).length > 0)
    const errors: unknown[] = []
    const { stats } = await traceFlows([fixture('capture-last-cut.pcap'), samplePath], { fout: folder(), format, onError: error => errors.push(error) })
    t.is(errors.length, 1)
    t.true(stats.packets > 90)
  }
})

test('several captures: flows go on from one to the next, and say where they began', async t => {
  const [a, b] = [join(base, 'a.pcap'), join(base, 'b.pcap')]
  writeFileSync(a, capture(connection[0]!))
  writeFileSync(b, capture(connection[2]!, connection[1]!))
  for (const format of ['pcap', 'ndjson']) {
    const { index } = await traceFlows([a, b], { fout: folder(), format })
    t.deepEqual(index.map(flow => [flow.capture, flow.packets]).toSorted(), [[a, 2], [b, 1]])
  }
})

test('an abort ends the run with its reason; until ends it with what there is', async t => {
  async function* endless(then: () => void): AsyncGenerator<Uint8Array> {
    yield capture(...connection)
    setTimeout(then, 10)
    await new Promise(() => {})
  }
  for (const format of ['pcap', 'ndjson']) {
    const reason = new Error('enough')
    const [abort, until] = [new AbortController(), new AbortController()]
    const aborted = traceFlows(endless(() => abort.abort(reason)), { fout: folder(), format, signal: abort.signal })
    await t.throwsAsync(aborted, { is: reason })
    const { index } = await traceFlows(endless(() => until.abort()), { fout: folder(), format, until: until.signal })
    t.is(index.length, 3)
  }
})

test('VLANs tell flows apart, unless they are to be ignored', async t => {
  const tagged = (vlan: number) => {
    const frame = Buffer.from(connection[2]!)
    return Uint8Array.from(Buffer.concat([frame.subarray(0, 12), Buffer.from([0x81, 0, 0, vlan]), frame.subarray(12)]))
  }
  const source = capture(tagged(5), tagged(6), tagged(5))
  for (const format of ['pcap', 'ndjson']) {
    const apart = await traceFlows(source, { fout: folder(), format })
    t.deepEqual(frameNumbers(apart.index), [[1, 3], [2]])
    t.deepEqual(apart.index.map(({ vlan }) => vlan).toSorted(), [5, 6])
    const joined = await traceFlows(source, { fout: folder(), format, ignoreEncap: true })
    t.deepEqual(frameNumbers(joined.index), [[1, 2, 3]])
  }
})

test('a flow record is plain data', async t => {
  const { index } = await traceFlows(capture(connection[0]!), { fout: folder() })
  const { first_ns, ...rest } = JSON.parse(JSON.stringify(index[0])) as Record<string, unknown>
  t.is(first_ns, '1000000')
  t.deepEqual(Object.keys({ ...index[0] }), Object.keys({ ...rest, first_ns }).toSorted((a, b) => Object.keys(index[0]!).indexOf(a) - Object.keys(index[0]!).indexOf(b)))
})

test('tracePackets: the fields of each TCP packet', async t => {
  const packets = await collect(tracePackets(capture(...connection, udpFrame({}))))
  t.is(packets.length, 6)
  const { frame, ...fields } = packets[3]!
  const expected: Omit<TracePacket, 'frame'> = {
    protocol: 1, index: 4, syn: false, fin: true, src: '10.0.0.1', dst: '10.0.0.2', srcport: 1000, dstport: 80, timestamp: 0.004,
    ack: true, rst: false, seq: 7, vlan: null, tunnel: null, tunnel_id: null,
  }
  t.deepEqual(fields, expected)
  t.deepEqual([...frame.packet!], [...connection[3]!])
  t.is(frame.time_epoch, '0.004000')
  const v6 = await collect(tracePackets(capture(tcpFrame({ v6: true, flags: SYN })), { filter: 'ip6' }))
  t.like(v6[0], { src: 'fd00::1', dst: 'fd00::2', syn: true })
  t.like((v6[0]!.frame.ethernet as { ipv6: object }).ipv6, { version: 6, next: 6, limit: 64, src: 'fd00::1' })
  await t.throwsAsync(collect(tracePackets('/does/not/exist.pcap')), { instanceOf: CaptureError })
  t.throws(() => tracePackets(samplePath, { nonsense: 1 } as object), { instanceOf: OptionError })
  for await (const packet of tracePackets(capture(...connection))) {
    t.is(packet.index, 1)
    break
  }
})

test('options that can not be used are refused', async t => {
  const wrong: object[] = [
    { fout: '' }, { maxOpenFiles: 0 }, { maxBufferedBytes: -1 }, { force: 1 }, { onFlow: 1 }, { maxFrames: 1.5 }, { merge: 'yes' },
    { filter: 'nonsense (' }, { separate: true }, { format: 7 }, { until: 5 },
  ]
  for (const options of wrong) await t.throwsAsync(traceFlows(samplePath, { fout: folder(), ...options }), { instanceOf: OptionError }, JSON.stringify(options))
})
