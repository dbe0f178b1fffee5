// The files of PcapWriter and FlowSummaryWriter, read back with other tools and by hand; and what happens when they
// can't be written.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  FLOW_SUMMARY_COLUMNS,
  FileExistsError,
  FlowSummaryWriter,
  PcapWriter,
  TCPStreamExtractor,
  WriterError,
  connections,
  type FlowError,
} from '../src/index.js'
import { has } from './support/cli.js'
import { pcap, tcpFrame } from './support/frames.js'
import { samplePath } from './support/places.js'
import { canCount, openFiles } from './support/resources.js'
import { ACK, SYN, framesOf, troubledCapture } from './support/stream-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-extract-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

let folders = 0
const newFolder = () => join(folder, String(++folders))
const filesOf = (...path: string[]) => readdirSync(join(...path)).toSorted()

/** What tcpdump shows of the packets of a file: time with nanoseconds, headers, every octet. */
const dump = (file: string, filter = ''): string =>
  execFileSync('tcpdump', ['-r', file, '-nn', '-tt', '--nano', '-XX', '-e', ...(filter === '' ? [] : [filter])], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

test('PcapWriter: tcpdump reads back exactly the frames of each connection', async t => {
  if (!has('tcpdump')) {
    t.log('skipped: tcpdump is not installed')
    t.pass()
    return
  }
  // The second time many parts make a file.
  for (const options of [{}, { flushPackets: 3 }]) {
    const out = newFolder()
    const writer = new PcapWriter(out)
    await new TCPStreamExtractor(samplePath, { writers: [writer], ...options }).run()
    let files = 0
    for await (const c of connections(samplePath)) {
      const names = filesOf(out, 'pcaps').filter(name => name.includes(`_${c.client_port}-`))
      t.is(names.length, 1)
      t.is(dump(join(out, 'pcaps', names[0]!)), dump(samplePath, `tcp port ${c.client_port} or (vlan and tcp port ${c.client_port})`))
      files += 1
    }
    t.is(filesOf(out, 'pcaps').length, files)
    t.is(writer.stats.files, files)
    t.is(writer.stats.bytes, filesOf(out, 'pcaps').reduce((sum, name) => sum + readFileSync(join(out, 'pcaps', name)).length, 0))
    t.is(writer.stats.wildTimes, 0)
  }
})

test('PcapWriter: a stream with two link types gets a file for each', async t => {
  const ethernet = (seq: number) => tcpFrame({ flags: ACK, seq, payload: Buffer.from('x') })
  const packets = [
    { data: ethernet(1), timestampNs: 1n },
    { data: ethernet(2).subarray(14), linkType: 101, timestampNs: 2n },
    { data: ethernet(3), timestampNs: 3n },
    { data: ethernet(4).subarray(14), linkType: 101, timestampNs: 4n },
  ]
  for (const flushPackets of [1, 100]) {
    const out = newFolder()
    await new TCPStreamExtractor(null, { packetList: packets, writers: [new PcapWriter(out)], flushPackets }).run()
    const names = filesOf(out, 'pcaps')
    const id = '10.0.0.1_1000-10.0.0.2_80-0.000000001-1'
    t.deepEqual(names, [`${id}.linktype101.pcap`, `${id}.pcap`])
    const read = async (name: string) => Object.values(await new TCPStreamExtractor(join(out, 'pcaps', name)).getClientServerStreams())[0]
    t.deepEqual((await read(names[1]!))!.gaps.client, [[1, 1]])
    t.is(readFileSync(join(out, 'pcaps', names[0]!)).readUInt32LE(20), 101)
    t.is(Buffer.from((await read(names[0]!))!.client).toString(), 'xx')
  }
})

test('FlowSummaryWriter: a line for each packet, by hand', async t => {
  const at = (ns: bigint, fields: Parameters<typeof tcpFrame>[0]): [bigint, Uint8Array] => [ns, tcpFrame(fields)]
  const data = (text: string) => ({ flags: ACK, payload: Buffer.from(text) })
  const capture = pcap([
    at(1_700_000_000_000_000_001n, { flags: SYN }),
    at(1_700_000_000_500_000_001n, { flags: SYN | ACK, ports: [80, 1000], reversed: true, seq: 100, ack: 1 }),
    at(1_700_000_001_000_000_000n, { ...data('hello'), seq: 1, ack: 101 }),
    // Repeated, and earlier than the packet before it.
    at(1_700_000_000_999_999_999n, { ...data('hello'), seq: 1, ack: 101 }),
    at(1_700_000_003_000_000_000n, { ...data('hi!'), ports: [80, 1000], reversed: true, seq: 101, ack: 6 }),
  ])
  const expected = [
    FLOW_SUMMARY_COLUMNS.join(','),
    '1700000000.000000001,fwd,0,0,0,0,,,',
    '1700000000.500000001,rev,0,0,0,0,0.500000000,0.500000000,',
    '1700000001.000000000,fwd,5,5,0,5,0.499999999,0.999999999,0.499999999',
    '1700000000.999999999,fwd,5,10,0,10,-0.000000001,-0.000000001,0.499999998',
    '1700000003.000000000,rev,3,10,3,13,2.000000001,2.000000001,2.499999999',
    '',
  ]
  for (const flushPackets of [1, 2, 100]) {
    const out = newFolder()
    await new TCPStreamExtractor(capture, { writers: [new FlowSummaryWriter(out)], flushPackets }).run()
    t.deepEqual(filesOf(out, 'flows'), ['10.0.0.1_1000-10.0.0.2_80-1700000000.000000001-1.csv'])
    t.deepEqual(readFileSync(join(out, 'flows', filesOf(out, 'flows')[0]!), 'utf8').split('\n'), expected)
  }
})

test('FlowSummaryWriter: the same times and lengths as tshark', async t => {
  if (!has('tshark')) {
    t.log('skipped: tshark is not installed')
    t.pass()
    return
  }
  const out = newFolder()
  await new TCPStreamExtractor(samplePath, { outputDir: out }).run()
  t.is(filesOf(out, 'pcaps').length, filesOf(out, 'flows').length)
  for (const name of filesOf(out, 'flows')) {
    const port = /_(\d+)-/.exec(name)![1]!
    const args = ['-r', samplePath, '-Y', `tcp.port == ${port}`, '-T', 'fields', '-e', 'frame.time_epoch', '-e', 'tcp.srcport', '-e', 'tcp.len']
    const fields = execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\n')
    const sums = { fwd: 0, rev: 0 }
    const expected = fields.map(line => {
      const [time, source, length] = line.split('\t')
      const direction = source === port ? 'fwd' : 'rev'
      sums[direction] += Number(length)
      return `${time},${direction},${length},${sums.fwd},${sums.rev},${sums.fwd + sums.rev}`
    })
    const lines = readFileSync(join(out, 'flows', name), 'utf8').trim().split('\n').slice(1)
    t.deepEqual(lines.map(line => line.split(',').slice(0, 6).join(',')), expected)
  }
})

test('names are safe, tell streams apart, and are the same in the next run', async t => {
  const capture = troubledCapture(3, { connections: 20, octets: 200 })
  const [a, b] = [newFolder(), newFolder()]
  for (const out of [a, b]) await new TCPStreamExtractor(capture, { outputDir: out }).run()
  t.deepEqual(filesOf(a, 'pcaps'), filesOf(b, 'pcaps'))
  t.is(filesOf(a, 'pcaps').length, 20)
  const v6 = pcap(framesOf([{ v6: true, flags: SYN }]))
  const out = newFolder()
  await new TCPStreamExtractor(v6, { outputDir: out }).run()
  t.deepEqual(filesOf(out, 'flows'), ['fd00..1_1000-fd00..2_80-1000.000000000-1.csv'])
})

test('nothing is overwritten unless that is asked for', async t => {
  const out = newFolder()
  await new TCPStreamExtractor(samplePath, { outputDir: out }).run()
  const before = filesOf(out, 'pcaps').map(name => readFileSync(join(out, 'pcaps', name)))
  await t.throwsAsync(new TCPStreamExtractor(samplePath, { outputDir: out }).run(), { instanceOf: FileExistsError, message: /pcaps: there are captures already$/ })
  const writers = [new PcapWriter(out, { overwrite: true }), new FlowSummaryWriter(out, { overwrite: true })]
  await new TCPStreamExtractor(samplePath, { writers }).run()
  t.deepEqual(filesOf(out, 'pcaps').map(name => readFileSync(join(out, 'pcaps', name))), before)
})

// Alone, because descriptors of the whole process are counted.
test.serial('few files are open at a time, whatever the number of streams', async t => {
  const steps = Array.from({ length: 5000 }, (_, i) => ({ ports: [1 + i, 80] as [number, number], flags: ACK, seq: 1, payload: Buffer.from('x') }))
  const out = newFolder()
  let most = 0
  const watch = setInterval(() => (most = Math.max(most, canCount ? readdirSync('/proc/self/fd').length : 0)), 1)
  await new TCPStreamExtractor(pcap(framesOf(steps)), { outputDir: out }).run()
  clearInterval(watch)
  t.is(filesOf(out, 'pcaps').length, 5000)
  t.is(filesOf(out, 'flows').length, 5000)
  t.true(most < 150, `${most} files were open`)
  if (canCount) t.is(openFiles(join(out, 'pcaps')), 0)
})

/** A file system of 256 KiB, where this process may mount one. */
function tinyDisk(): string | null {
  const disk = newFolder()
  mkdirSync(disk)
  const mounted = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]).status === 0
  return mounted ? disk : null
}

test('a full disk: the stream is named, what was written stays readable, the run goes on or stops', async t => {
  const disk = tinyDisk()
  if (disk === null) {
    t.log('skipped: a small file system can only be mounted by root on Linux')
    t.pass()
    return
  }
  try {
    const steps = Array.from({ length: 100 }, (_, i) => [0, 1, 2].map(n => ({ ports: [1000 + i, 80] as [number, number], flags: ACK, seq: 1 + n * 1400, payload: Buffer.alloc(1400, i) }))).flat()
    const capture = pcap(framesOf(steps))
    const errors: FlowError[] = []
    const writer = new PcapWriter(disk)
    const options = { writers: [writer], flushPackets: 2, onWriterError: 'continue', onError: (error: FlowError) => void errors.push(error) } as const
    const stats = await new TCPStreamExtractor(capture, options).run()
    t.true(errors.length > 20 && errors.length === stats.writerErrors)
    for (const error of errors) {
      t.true(error instanceof WriterError)
      t.regex(error.message, /^writer 'pcap', stream 10\.0\.0\.1:1\d\d\d ==> 10\.0\.0\.2:80: (ENOSPC|ENOENT)/)
    }
    const files = filesOf(disk, 'pcaps')
    t.is(files.length, writer.stats.files)
    t.true(files.length > 20)
    for (const name of files) {
      const [sides] = Object.values(await new TCPStreamExtractor(join(disk, 'pcaps', name)).getClientServerStreams())
      t.true(sides!.client.length === 2800 || sides!.client.length === 4200, name)
    }
    rmSync(join(disk, 'pcaps'), { recursive: true })
    const stopped = new TCPStreamExtractor(capture, { writers: [new PcapWriter(disk)] })
    const error = await t.throwsAsync(stopped.run(), { instanceOf: WriterError, code: 'ERR_WRITER' })
    t.regex(error!.message, /ENOSPC/)
    t.is(error!.writer, 'pcap')
    t.regex(error!.stream!, /^10\.0\.0\.1:1\d\d\d ==> /)
  } finally {
    spawnSync('umount', [disk])
  }
})

test('a folder that can not be made is told before anything is read', async t => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const error = await t.throwsAsync(new TCPStreamExtractor(samplePath, { outputDir: file }).run(), { instanceOf: WriterError })
  t.regex(error!.message, /^writer 'pcap': ENOTDIR/)
  t.is(error!.stream, null)
})

test('a writer of one\'s own that fails: stop, go on, and who is told', async t => {
  const bad = (calls: string[]) => ({
    name: 'bad',
    write({ stream }: { stream: { key: string; serverPort: number } }) {
      calls.push(stream.key)
      if (stream.serverPort === 8080) throw new Error('no 8080 here')
    },
  })
  const stopped: string[] = []
  const out = newFolder()
  const error = await t.throwsAsync(new TCPStreamExtractor(samplePath, { writers: [bad(stopped), new PcapWriter(out)] }).run(), { instanceOf: WriterError })
  t.regex(error!.message, /^writer 'bad', stream .*:8080: no 8080 here$/)
  t.is((error!.cause as Error).message, 'no 8080 here')
  t.true(stopped.length < 8)
  // The other writer's files are whole.
  for (const name of filesOf(out, 'pcaps')) t.true(Object.keys(await new TCPStreamExtractor(join(out, 'pcaps', name)).getStreams()).length === 1)

  const all: string[] = []
  await t.throwsAsync(new TCPStreamExtractor(samplePath, { writers: [bad(all)], onWriterError: 'continue' }).run(), { instanceOf: WriterError })
  t.is(all.length, 8)
  const errors: FlowError[] = []
  const calm = new TCPStreamExtractor(samplePath, { writers: [bad([])], onWriterError: 'continue', onError: one => void errors.push(one) })
  t.is((await calm.run()).writerErrors, 2)
  t.is(errors.length, 2)
  t.false(existsSync(join(folder, 'undefined')))
})
