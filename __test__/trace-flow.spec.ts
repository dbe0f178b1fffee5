// TraceFlow member by member, and the files that its dumpers write.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import plist from 'plist'
import { FileExistsError, OptionError, OutputError, TraceFlow, type TraceIndex, type TraceOutput, type TracePacket } from '../src/index.js'
import { canCount, openFilesIn } from './support/resources.js'
import { answer, tracePacket } from './support/trace-packets.js'

const base = mkdtempSync(join(tmpdir(), 'tcpskein-trace-flow-'))
test.after.always(() => rmSync(base, { recursive: true, force: true }))

let folders = 0
const folder = (): string => join(base, `out-${folders++}`)

const forward = '10.0.0.1_1000-10.0.0.2_80-1'
const back = '10.0.0.2_80-10.0.0.1_1000-2'

/** Runs `action`; the warnings that it gave. */
async function warnings(action: () => void): Promise<{ name: string; message: string }[]> {
  const found: { name: string; message: string }[] = []
  const listen = ({ name, message }: Error) => found.push({ name, message })
  process.on('warning', listen)
  try {
    action()
    await turn()
  } finally {
    process.off('warning', listen)
  }
  return found
}

test.serial('trace gives the label: source, destination, time of the first packet', t => {
  const flows = new TraceFlow()
  t.is(flows.trace(tracePacket({ index: 1, timestamp: 1_500_000_000.012345 })), '10.0.0.1_1000-10.0.0.2_80-1500000000.012345')
  t.is(flows.trace(tracePacket({ index: 2, timestamp: 1_500_000_009 })), '10.0.0.1_1000-10.0.0.2_80-1500000000.012345')
  t.is(flows.trace(answer({ index: 3, timestamp: 7 })), '10.0.0.2_80-10.0.0.1_1000-7')
  t.is(flows.trace(tracePacket({ index: 4, src: '2001:db8::1', dst: '::', timestamp: 5.5 })), '2001.db8..1_1000-.._80-5.5')
})

test.serial('trace with output gives the dumper of the flow', t => {
  const fout = folder()
  const flows = new TraceFlow({ fout, format: 'json' })
  const packet = tracePacket({ index: 1, fin: true })
  flows.trace(packet, { output: true }).dump({ hello: 'world' }, 'Frame 1')
  t.deepEqual(JSON.parse(readFileSync(join(fout, `${forward}.json`), 'utf8')), { 'Frame 1': { hello: 'world' } })
})

test.serial('trace checks the packet, unless it is told not to', t => {
  const flows = new TraceFlow()
  const wrong: [Partial<Record<keyof TracePacket, unknown>>, RegExp][] = [
    [{ src: 'nowhere' }, /^packet\.src: expected an IP address, not nowhere$/],
    [{ dst: '10.0.0.256' }, /packet\.dst/],
    [{ srcport: 65_536 }, /packet\.srcport/],
    [{ dstport: -1 }, /packet\.dstport/],
    [{ protocol: 'Ethernet' }, /packet\.protocol/],
    [{ index: 1.5 }, /packet\.index/],
    [{ syn: 1 }, /packet\.syn/],
    [{ fin: undefined }, /packet\.fin/],
    [{ timestamp: Number.NaN }, /packet\.timestamp/],
    [{ frame: null }, /packet\.frame/],
    [{ seq: 2 ** 32 }, /packet\.seq/],
  ]
  for (const [fields, message] of wrong) {
    const packet = { ...tracePacket({ index: 1 }), ...fields } as TracePacket
    t.throws(() => flows.trace(packet), { instanceOf: OptionError, message })
    t.throws(() => flows.dump(packet), { instanceOf: OptionError, message })
  }
  t.throws(() => flows.trace(null as unknown as TracePacket), { instanceOf: OptionError })
  t.deepEqual(flows.submit(), [])
  t.is(flows.trace({ ...tracePacket({ index: 1 }), src: 'nowhere' }, { check: false }), 'nowhere_1000-10.0.0.2_80-1')
})

test.serial('a flow is one direction and ends with its FIN; submit gives open flows, then ended ones', t => {
  const flows = new TraceFlow()
  flows.trace(tracePacket({ index: 1, syn: true, seq: 5 }))
  flows.trace(answer({ index: 2 }))
  flows.trace(tracePacket({ index: 3, fin: true, seq: 6 }))
  flows.trace(tracePacket({ index: 4, seq: 7 }))
  const expected: TraceIndex[] = [
    { index: [2], label: back },
    { index: [4], label: '10.0.0.1_1000-10.0.0.2_80-4' },
    { index: [1, 3], label: forward },
  ]
  t.deepEqual(flows.submit(), expected)
  t.deepEqual(flows.index, expected)
  flows.trace(answer({ index: 5 }))
  t.deepEqual(flows.index.find(({ label }) => label === back)?.index, [2, 5])
  t.deepEqual(expected[0]!.index, [2])
})

test.serial('bidirectional: one flow for both directions, past the FINs, until a new SYN', t => {
  const flows = new TraceFlow({ bidirectional: true, linger: 10 })
  const packets = [
    tracePacket({ index: 1, syn: true, seq: 5 }),
    answer({ index: 2, syn: true, ack: true, seq: 9 }),
    answer({ index: 3, syn: true, ack: true, seq: 90 }),
    tracePacket({ index: 4, fin: true, ack: true, seq: 6 }),
    answer({ index: 5, fin: true, ack: true, seq: 10 }),
    tracePacket({ index: 6, ack: true, seq: 7 }),
    tracePacket({ index: 7, syn: true, seq: 500 }),
    tracePacket({ index: 8, syn: true, seq: 500 }),
    answer({ index: 9, rst: true, seq: 0 }),
    tracePacket({ index: 10, seq: 501, timestamp: 30 }),
  ]
  for (const packet of packets) flows.trace(packet)
  t.deepEqual(flows.submit().map(({ index }) => index), [[10], [1, 2, 3, 4, 5, 6], [7, 8, 9]])
})

test.serial('a SYN with a new number begins a new flow; a repeated one and a late one do not', t => {
  const flows = new TraceFlow()
  const syn = (index: number, seq: number) => flows.trace(tracePacket({ index, syn: true, seq }))
  flows.trace(tracePacket({ index: 1, seq: 101 }))
  syn(2, 100)
  syn(3, 100)
  syn(4, 7)
  flows.trace(tracePacket({ index: 5, seq: 8 }))
  t.deepEqual(flows.submit().map(({ index }) => index), [[4, 5], [1, 2, 3]])
})

test.serial('dump is bound, and every packet is in its file when it returns', t => {
  const fout = folder()
  const flows = new TraceFlow({ fout, format: 'ndjson' })
  const packets = [1, 2, 3].map(index => tracePacket({ index }))
  const { dump } = flows
  for (const [i, packet] of packets.entries()) {
    dump(packet)
    t.is(readFileSync(join(fout, `${forward}.ndjson`), 'utf8').split('\n').length, i + 2)
  }
  packets.forEach(flows.dump)
  t.is(flows.index[0]!.fpout, join(fout, `${forward}.ndjson`))
  t.is(flows.index[0]!.index.length, 6)
})

test.serial('an object is called like dump, and stays an object of its class', t => {
  class Counting extends TraceFlow {
    readonly #seen: string[] = []
    label(packet: TracePacket): string {
      this.#seen.push(this.trace(packet))
      return this.#seen.at(-1)!
    }
  }
  const [byCall, byDump, byApply] = [folder(), folder(), folder()]
  const called = new Counting({ fout: byCall, format: 'json' })
  const dumped = new TraceFlow({ fout: byDump, format: 'json' })
  const applied = new TraceFlow({ fout: byApply, format: 'json' })
  const packets = [tracePacket({ index: 1, syn: true }), answer({ index: 2 }), tracePacket({ index: 3, fin: true })]
  for (const packet of packets) {
    t.is(called(packet) as unknown, undefined)
    dumped.dump(packet)
    Reflect.apply(applied, null, [packet])
    // In its file when the call returns.
    for (const name of readdirSync(byDump))
      for (const other of [byCall, byApply]) t.is(readFileSync(join(other, name), 'utf8'), readFileSync(join(byDump, name), 'utf8'))
  }
  t.deepEqual(called.submit().map(({ index, label }) => [label, index]), dumped.submit().map(({ index, label }) => [label, index]))
  t.true(called instanceof TraceFlow && called instanceof Counting)
  t.false(dumped instanceof Counting)
  t.deepEqual([typeof called, typeof called.bind], ['function', 'function'])
  t.is(called.constructor, Counting)
  t.is(called.label(answer({ index: 4 })), back)
  const failure = t.throws(() => dumped({ ...packets[0]!, src: 'nowhere' }), { instanceOf: OptionError })
  t.regex(failure.message, /^packet\.src/)
})

test.serial('makeFout makes the folder, and gives dumper and extension', t => {
  const extensions = {
    pcap: '.pcap', cap: '.pcap', pcapng: '.pcapng', json: '.json', ndjson: '.ndjson', plist: '.plist', xml: '.plist',
    tree: '.txt', txt: '.txt', text: '.txt',
  }
  for (const [format, extension] of Object.entries(extensions)) {
    const fout = join(folder(), 'a', 'b')
    const [Dumper, found] = TraceFlow.makeFout(fout, format)
    t.is(found, extension)
    t.deepEqual(readdirSync(fout), [])
    const output = { path: 'x', tail: '', text: '', write(data: unknown) { this.text += String(data) } }
    new Dumper(output, { protocol: 1, byteorder: 'little', nanosecond: false }).dump(tracePacket({ index: 1 }).frame, 'Frame 1')
    t.true(output.text.length > 0, format)
  }
})

test.serial('an unknown format gives a FormatWarning and no files', async t => {
  const fout = folder()
  let made: unknown
  const found = await warnings(() => {
    made = TraceFlow.makeFout(fout, 'docx')
    const flows = new TraceFlow({ fout, format: 'docx' })
    flows.dump(tracePacket({ index: 1 }))
    t.deepEqual(flows.submit(), [{ index: [1], label: forward }])
  })
  t.deepEqual(found.map(({ name }) => name), ['FormatWarning', 'FormatWarning'])
  t.is(found[0]!.message, 'Unsupported output format: docx; disabled file output feature')
  t.is((made as [unknown, string])[1], '')
  t.throws(() => readdirSync(fout), { code: 'ENOENT' })
})

test.serial('a file where the folder should be: FileWarning without a format, FileExistsError with one', async t => {
  const fout = folder()
  writeFileSync(fout, 'mine')
  const found = await warnings(() => void new TraceFlow({ fout }))
  t.deepEqual(found.map(({ name }) => name), ['FileWarning'])
  t.true(found[0]!.message.includes(fout))
  const error = t.throws(() => new TraceFlow({ fout, format: 'pcap' }), { instanceOf: FileExistsError, code: 'ERR_FILE_EXISTS' })
  t.true(error.message.includes(fout))
  t.throws(() => TraceFlow.makeFout(fout, 'json'), { instanceOf: FileExistsError })
  t.throws(() => TraceFlow.makeFout(join(fout, 'below'), 'json'), { instanceOf: OutputError, code: 'ERR_OUTPUT_IO' })
  t.is(readFileSync(fout, 'utf8'), 'mine')
  t.deepEqual(await warnings(() => void new TraceFlow()), [])
})

test.serial('registerDumper adds a format, and replaces one with a RegistryWarning', async t => {
  class Upper {
    readonly #output: TraceOutput
    constructor(output: TraceOutput) {
      this.#output = output
    }
    dump(_frame: object, name: string): void {
      this.#output.tail = 'END'
      this.#output.write(`${name.toUpperCase()}\n`)
    }
  }
  t.deepEqual(await warnings(() => TraceFlow.registerDumper('upper', Upper, 'up')), [])
  const again = await warnings(() => TraceFlow.registerDumper('upper', Upper, '.up'))
  t.deepEqual(again.map(({ name }) => name), ['RegistryWarning'])
  const fout = folder()
  const flows = new TraceFlow({ fout, format: 'upper' })
  flows.dump(tracePacket({ index: 1 }))
  flows.dump(tracePacket({ index: 2 }))
  t.is(readFileSync(join(fout, `${forward}.up`), 'utf8'), 'FRAME 1\nFRAME 2\nEND')
  for (const ext of ['', '../x', 'a/b', '.']) t.throws(() => TraceFlow.registerDumper('bad', Upper, ext), { instanceOf: OptionError })
})

test.serial('registerCallback hears of each flow that ended, its file complete', t => {
  const fout = folder()
  const heard: string[] = []
  const forget = TraceFlow.registerCallback(({ label }) => heard.push(`all ${label}`))
  const flows = new TraceFlow({ fout, format: 'ndjson' })
  flows.registerCallback(({ label, index, fpout }) => heard.push(`one ${label} ${index.length} ${readFileSync(fpout!, 'utf8').split('\n').length - 1}`))
  flows.registerCallback(() => heard.push('first'), { index: 0 })
  flows.dump(tracePacket({ index: 1 }))
  flows.dump(answer({ index: 2 }))
  t.deepEqual(heard, [])
  flows.dump(tracePacket({ index: 3, fin: true }))
  t.deepEqual(heard, [`all ${forward}`, 'first', `one ${forward} 2 2`])
  forget()
  flows.dump(answer({ index: 4, fin: true }))
  t.deepEqual(heard.slice(3), ['first', `one ${back} 2 2`])
})

test.serial('labels and files lead nowhere else, whatever the packet says', t => {
  const fout = folder()
  mkdirSync(fout, { recursive: true })
  writeFileSync(join(base, 'outside'), 'safe')
  const flows = new TraceFlow({ fout, format: 'pcap' })
  const nasty = ['../../outside', '/etc/passwd', '..', '.', '', 'a\0b', 'C:\\x', 'a'.repeat(5000), 'ä/\n', 'fe80::1%eth0']
  for (const [i, src] of nasty.entries()) {
    const packet = { ...tracePacket({ index: i + 1 }), src, dst: src, srcport: '../x' as unknown as number, timestamp: '../../y' as unknown as number }
    const label = flows.trace(packet, { check: false })
    t.regex(label, /^[\w.+-]{5,250}$/)
    t.is(basename(label), label)
  }
  for (const { fpout } of flows.submit()) t.is(join(fout, basename(fpout!)), fpout!)
  t.is(readdirSync(fout).length, nasty.length)
  t.is(readFileSync(join(base, 'outside'), 'utf8'), 'safe')
})

test.serial('a label that exists already gets a number; nothing is overwritten', t => {
  const fout = folder()
  mkdirSync(fout, { recursive: true })
  writeFileSync(join(fout, `${forward}.json`), 'mine')
  const target = join(base, 'target')
  if (process.platform !== 'win32') symlinkSync(target, join(fout, `${forward}-2.json`))
  const flows = new TraceFlow({ fout, format: 'json' })
  const next = process.platform === 'win32' ? 2 : 3
  t.is(flows.trace(tracePacket({ index: 1, fin: true })), `${forward}-${next}`)
  t.is(flows.trace(tracePacket({ index: 2, timestamp: 1 })), `${forward}-${next + 1}`)
  t.is(readFileSync(join(fout, `${forward}.json`), 'utf8'), 'mine')
  t.throws(() => readFileSync(target), { code: 'ENOENT' })
})

test.serial('never more files open than allowed, and nothing lost', t => {
  const fout = folder()
  const flows = new TraceFlow({ fout, format: 'json', maxOpenFiles: 4 })
  const expected = new Map<string, number[]>()
  for (let index = 1; index <= 400; index++) {
    const port = 1 + ((index * 7) % 40)
    flows.dump(tracePacket({ index, srcport: port, timestamp: 1 }))
    expected.set(`10.0.0.1_${port}-10.0.0.2_80-1`, [...(expected.get(`10.0.0.1_${port}-10.0.0.2_80-1`) ?? []), index])
    t.true(flows.openFiles <= 4)
    if (canCount) t.true(openFilesIn(fout) <= 4)
  }
  const submitted = flows.submit()
  t.is(flows.openFiles, 0)
  t.deepEqual(new Map(submitted.map(({ label, index }) => [label, [...index]])), expected)
  for (const { fpout, index } of submitted) {
    const document = JSON.parse(readFileSync(fpout!, 'utf8')) as object
    t.deepEqual(Object.keys(document), index.map(number => `Frame ${number}`))
  }
})

test.serial('maxFlows bounds the open flows: the one seen least recently ends', t => {
  const flows = new TraceFlow({ maxFlows: 2 })
  for (const [index, srcport] of [1, 2, 1, 3, 2].entries()) flows.trace(tracePacket({ index, srcport }))
  t.deepEqual(flows.submit().map(({ index }) => index), [[3], [4], [1], [0, 2]])
})

test.serial('options that can not be used are refused', t => {
  for (const options of [{ fout: '' }, { format: 5 }, { byteorder: 'middle' }, { nanosecond: 1 }, { maxOpenFiles: 0 }, { linger: -1 }, { nonsense: 1 }])
    t.throws(() => new TraceFlow(options as object), { instanceOf: OptionError })
})

/** A frame with a value of every kind. */
const frame = {
  a: 1,
  text: 'x',
  long: 'the quick brown fox jumps over the lazy dog and runs away from it all',
  none: null,
  yes: true,
  half: 1.5,
  empty: {},
  nothing: [],
  octets: Uint8Array.of(1, 2),
  many: Uint8Array.from({ length: 20 }, (_, i) => i - 1).subarray(1, 19),
  buffer: Buffer.of(0xff),
  big: 2n ** 60n,
  list: [1, 'two', { k: 'v' }],
  deep: { in: { it: '' } },
}

/** Two frames in one flow; what the file holds. */
function written(format: string): string {
  const fout = folder()
  const flows = new TraceFlow({ fout, format })
  flows.dump(tracePacket({ index: 1, frame }))
  flows.dump(tracePacket({ index: 2, frame: { last: { a: [{ x: 1 }] } } }))
  return readFileSync(flows.submit()[0]!.fpout!, 'utf8')
}

test.serial('tree: the lines of the original', t => {
  const expected = `Frame 1
  |-- a -> 1
  |-- text -> x
  |-- long @
  |     |--> the quick brown fox jumps over the lazy
  |          dog and runs away from it all
  |-- none -> NIL
  |-- yes -> True
  |-- half -> 1.5
  |-- empty  -> NIL
  |-- nothing  -> NIL
  |-- octets -> 01 02
  |-- many @
  |     |--> 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
  |          10 11
  |-- buffer -> ff
  |-- big -> 1152921504606846976
  |-- list @
  |     |--> 1
  |     |--> two
  |     |--> --
  |     |-- k -> v
  |-- deep @
        |-- in @
              |-- it  -> NIL

Frame 2
  |-- last @
        |-- a @
              |--> --
              |-- x -> 1
`
  // A branch's name has a blank behind it.
  for (const format of ['tree', 'txt', 'text']) t.is(written(format), expected.replaceAll('@', ''))
})

test.serial('json: a member per frame, octets as text and hex', t => {
  const text = written('json')
  t.true(text.startsWith('{\n\t"Frame 1": {\n\t\t"a": 1,\n\t\t"text": "x",\n'), text)
  const { 'Frame 1': first, 'Frame 2': second } = JSON.parse(text) as Record<string, Record<string, unknown>>
  t.deepEqual(first!.octets, { type: 'bytes', value: '\u0001\u0002', hex: '0102' })
  t.deepEqual(first!.buffer, { type: 'bytes', value: '\uFFFD', hex: 'ff' })
  t.is(first!.big, '1152921504606846976')
  t.deepEqual([first!.none, first!.empty, first!.list], [null, {}, [1, 'two', { k: 'v' }]])
  t.deepEqual(second, { last: { a: [{ x: 1 }] } })
})

test.serial('ndjson: a line per frame with its name', t => {
  const lines = written('ndjson').split('\n')
  t.is(lines.pop(), '')
  t.deepEqual(lines.map(line => (JSON.parse(line) as { name: string }).name), ['Frame 1', 'Frame 2'])
  t.is((JSON.parse(lines[0]!) as typeof frame).half, 1.5)
})

test.serial('plist: a dictionary that a parser reads', t => {
  for (const format of ['plist', 'xml']) {
    const text = written(format)
    t.true(text.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist '))
    const { 'Frame 1': first, 'Frame 2': second } = plist.parse(text) as unknown as Record<string, Record<string, unknown>>
    t.like(first, { a: 1, text: 'x', yes: true, half: 1.5, list: [1, 'two', { k: 'v' }], deep: { in: { it: '' } } })
    t.deepEqual([...(first!.many as Uint8Array)], [...frame.many])
    t.false('none' in first!)
    t.deepEqual(second, { last: { a: [{ x: 1 }] } })
  }
  const fout = folder()
  const flows = new TraceFlow({ fout, format: 'plist' })
  flows.dump(tracePacket({ index: 1, frame: { odd: 'a\u0001<&\uD800b', key: { '\u0002': 1 } } }))
  const parsed = plist.parse(readFileSync(flows.submit()[0]!.fpout!, 'utf8')) as unknown as Record<string, unknown>
  t.deepEqual(parsed, { 'Frame 1': { odd: 'a\uFFFD<&\uFFFDb', key: { '\uFFFD': 1 } } })
})

const hex = (path: string): string => readFileSync(path).toString('hex')

test.serial('pcap: header and records, in either byte order, micro- or nanoseconds', t => {
  const packet = tracePacket({ index: 9, protocol: 101, frame: { time_epoch: '1.234567891', len: 5, packet: Uint8Array.of(0xaa, 0xbb) } })
  const expected: [byteorder: 'little' | 'big', nanosecond: boolean, text: string][] = [
    ['little', false, 'd4c3b2a1 0200 0400 00000000 00000000 00000400 65000000 01000000 47940300 02000000 05000000 aabb'],
    ['big', true, 'a1b23c4d 0002 0004 00000000 00000000 00040000 00000065 00000001 0dfb38d3 00000002 00000005 aabb'],
  ]
  for (const [byteorder, nanosecond, text] of expected) {
    const flows = new TraceFlow({ fout: folder(), format: 'pcap', byteorder, nanosecond })
    flows.dump(packet)
    t.is(hex(flows.submit()[0]!.fpout!), text.replaceAll(' ', ''))
  }
})

test.serial('pcap: a frame needs octets and a time', t => {
  const flows = new TraceFlow({ fout: folder(), format: 'pcap' })
  t.throws(() => flows.dump(tracePacket({ index: 1, frame: {} })), { instanceOf: OptionError, message: /frame\.packet/ })
  t.throws(() => flows.dump(tracePacket({ index: 1, frame: { packet: Uint8Array.of(1) } })), { instanceOf: OptionError, message: /time/ })
  const frame_info = { ts_sec: 3, ts_usec: 4, incl_len: 1, orig_len: 60 }
  flows.dump(tracePacket({ index: 1, frame: { packet: Uint8Array.of(1), frame_info } }))
  t.true(hex(flows.submit()[0]!.fpout!).endsWith('0300000004000000010000003c00000001'))
})

test.serial('pcap: packets of another link type make another file', t => {
  const flows = new TraceFlow({ fout: folder(), format: 'pcap' })
  for (const [index, protocol] of [1, 101, 1].entries()) flows.dump(tracePacket({ index, protocol }))
  t.deepEqual(flows.submit().map(({ index }) => index), [[1], [0, 2]])
})

test.serial('pcapng: section, interface and packets', t => {
  const packet = tracePacket({ index: 9, frame: { time_epoch: '1.5', len: 5, packet: Uint8Array.of(0xaa, 0xbb, 0xcc) } })
  const flows = new TraceFlow({ fout: folder(), format: 'pcapng' })
  flows.dump(packet)
  const section = '0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000'
  const link = '0100000020000000 01000000 00000000 0900010006000000 00000000 20000000'
  const block = '0600000024000000 00000000 00000000 60e31600 03000000 05000000 aabbcc00 24000000'
  t.is(hex(flows.submit()[0]!.fpout!), (section + link + block).replaceAll(' ', ''))
})

test.serial('a disk that is full: an error that names the file', t => {
  if (process.platform !== 'linux') {
    t.log('skipped: there is no /dev/full')
    t.pass()
    return
  }
  const flows = new TraceFlow({ fout: folder(), format: 'ndjson' })
  flows.dump(tracePacket({ index: 1 }))
  const { fpout } = flows.submit()[0]!
  rmSync(fpout!)
  symlinkSync('/dev/full', fpout!)
  const error = t.throws(() => flows.dump(tracePacket({ index: 2 })), { instanceOf: OutputError, code: 'ERR_OUTPUT_IO' })
  t.is(error.message, `${fpout}: cannot write: No space left on device`)
})
