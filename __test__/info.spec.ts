// What is told of captures: what they say of themselves, and what capinfos says of the same files.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connections, linkTypeName, observe, streamEvents, type CaptureInfo } from '../src/index.js'
import { Talkers } from '../src/cli/talkers.js'
import { has, run } from './support/cli.js'
import { collect } from './support/collect.js'
import { corpusFolder, fixture, NO_CORPUS, samplePath } from './support/places.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-info-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** Numbers in the file's byte order, here the big one. */
const u16 = (...values: number[]) => Buffer.concat(values.map(value => Buffer.from([value >> 8, value & 255])))
const u32 = (...values: number[]) => Buffer.concat(values.map(value => u16(value >>> 16, value & 0xffff)))
const padded = (octets: Buffer) => Buffer.concat([octets, Buffer.alloc(-octets.length & 3)])
const option = (code: number, value: Buffer | string) => {
  const octets = Buffer.from(value)
  return Buffer.concat([u16(code, octets.length), padded(octets)])
}
const block = (type: number, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([u32(type, body.length + 12), body, u32(body.length + 12)])
}
const section = (...options: Buffer[]) => block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1, 0), u32(0xffffffff, 0xffffffff), ...options)
const packet = (iface: number, ticks: number, length: number, wire: number) =>
  block(6, u32(iface, 0, ticks, length, wire), padded(Buffer.alloc(length)))

const LINE = 'a line\nand \u001b[31mred'
const described = Buffer.concat([
  section(option(1, 'first "comment"'), option(2, 'a machine'), option(3, 'a system'), option(4, 'a program')),
  block(1, u16(1, 0), u32(96), option(2, 'eth0'), option(3, 'the wire'), option(11, `\0${'tcp port 80'}`), option(9, Buffer.from([9]))),
  block(1, u16(147, 0), u32(0), option(1, LINE), option(9, Buffer.from([0x80 | 20]))),
  packet(0, 3_000_000, 60, 1500),
  packet(1, 1 << 20, 10, 10),
  block(5, u32(0, 0, 0), option(4, u32(0, 77)), option(5, u32(0, 3)), option(7, u32(0, 2)), option(8, u32(0, 70))),
])

const seen = async (source: Buffer | string): Promise<CaptureInfo> => {
  const observer = observe(source)
  await collect(observer)
  return observer.captures[0]!
}

test('captures: what a pcapng file says of itself', async t => {
  const info = await seen(described)
  t.like(info, {
    name: 'octets', format: 'pcapng', byteOrder: 'big', compression: null, sections: 1, interfaceCount: 2,
    hardware: 'a machine', os: 'a system', application: 'a program', inputBytes: described.length,
    packets: 2, capturedBytes: 70, wireBytes: 1510, firstNs: 3_000_000n, lastNs: 1_000_000_000n, inOrder: true,
    commentCount: 2, untimedPackets: 0, badOptions: 0,
  })
  t.deepEqual(info.comments, ['first "comment"', LINE])
  t.like(info.interfaces[0], {
    id: 0, linkType: 1, linkTypeName: 'ETHERNET', name: 'eth0', description: 'the wire', snaplen: 96,
    resolution: '10^-9', received: 77, dropped: 3, osDropped: 2, delivered: 70, filterAccepted: null, offsetSeconds: 0,
  })
  t.like(info.interfaces[1], { id: 1, linkType: 147, linkTypeName: 'USER0', name: null, snaplen: 0, resolution: '2^-20', received: null })
  t.is((JSON.parse(JSON.stringify(info)) as { lastNs: string }).lastNs, '1000000000')
})

test('captures: streamEvents and connections tell the same', async t => {
  const expected = await seen(described)
  const [events, records] = [streamEvents(described), connections(described)]
  await collect(events)
  await collect(records)
  t.deepEqual([...events.captures], [expected])
  t.deepEqual([...records.captures], [expected])
})

test('captures: times that go back, and none at all', async t => {
  const start = Buffer.concat([section(), block(1, u16(1, 0), u32(0))])
  const back = await seen(Buffer.concat([start, packet(0, 7, 1, 1), packet(0, 5, 1, 1), packet(0, 6, 1, 1)]))
  t.deepEqual([back.firstNs, back.lastNs, back.inOrder], [5000n, 7000n, false])
  const untimed = await seen(Buffer.concat([start, packet(0, 9, 1, 1), block(3, u32(4), Buffer.alloc(4))]))
  t.deepEqual([untimed.firstNs, untimed.lastNs, untimed.inOrder, untimed.untimedPackets], [9000n, 9000n, true, 1])
  const empty = await seen(start)
  t.deepEqual([empty.firstNs, empty.lastNs, empty.packets], [null, null, 0])
})

test('names of link types', t => {
  t.deepEqual([1, 101, 276, 9999].map(linkTypeName), ['ETHERNET', 'RAW', 'LINUX_SLL2', null])
})

test('talkers: the largest stay, the table stays bounded', t => {
  const talkers = new Talkers(4)
  for (let round = 0; round < 100; round++) {
    talkers.add('large', 1000, 1)
    talkers.add('medium', 500, 1)
    talkers.add(`small ${round}`, 1, 1)
  }
  t.true(talkers.approximate)
  t.deepEqual(talkers.top(2), [
    { address: 'large', octets: 100_000, packets: 100 },
    { address: 'medium', octets: 50_000, packets: 100 },
  ])
  t.true(talkers.top(1000).length < 8)
})

interface Told extends Record<string, unknown> {
  protocols: { name: string; packets: number; octets: number | null }[]
  talkers: { address: string; packets: number; octets: number }[]
}

/** The sample's packets and octets by protocol and address, by a walk of our own over its frames. */
function naively(capture: Buffer) {
  const protocols = new Map<string, [number, number]>()
  const addresses = new Map<string, number>()
  const add = (name: string, octets: number) => {
    const [packets, sum] = protocols.get(name) ?? [0, 0]
    protocols.set(name, [packets + 1, sum + octets])
  }
  for (let at = 24; at < capture.length; at += 16 + capture.readUInt32LE(at + 8)) {
    const frame = capture.subarray(at + 16)
    const tagged = frame.readUInt16BE(12) === 0x8100
    const [type, ip] = [frame.readUInt16BE(tagged ? 16 : 12), frame.subarray(tagged ? 18 : 14)]
    if (type === 0x0806) {
      add('no IP', 0)
      continue
    }
    const v4 = type === 0x0800
    const octets = v4 ? ip.readUInt16BE(2) : 40 + ip.readUInt16BE(4)
    add(v4 ? 'IPv4' : 'IPv6', octets)
    const proto = ip[v4 ? 9 : 6]!
    add({ 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' }[proto] ?? 'other IP', octets)
    for (const end of v4 ? [12, 16] : [])
      addresses.set(ip.subarray(end, end + 4).join('.'), (addresses.get(ip.subarray(end, end + 4).join('.')) ?? 0) + octets)
  }
  return { protocols, addresses }
}

test('info --json: protocols and talkers of the shipped capture', async t => {
  const { status, stdout, stderr } = await run(['info', '--json', '--top', '100', samplePath])
  t.deepEqual([status, stderr], [0, ''])
  const told = JSON.parse(stdout) as Told
  const { protocols, addresses } = naively(readFileSync(samplePath))
  const found = new Map(told.protocols.map(({ name, packets, octets }) => [name, [packets, octets ?? 0]]))
  // An ICMP error belongs to the flow that it quotes, so its protocol is that flow's.
  const upper = ['TCP', 'UDP', 'ICMP', 'ICMPv6', 'other IP']
  for (const name of ['IPv4', 'IPv6', 'no IP']) t.deepEqual(found.get(name), protocols.get(name), name)
  const sum = (counts: ReadonlyMap<string, readonly number[]>) => upper.reduce((all, name) => all + (counts.get(name)?.[0] ?? 0), 0)
  t.is(sum(found), sum(protocols))
  t.true(found.get('TCP')![0]! >= protocols.get('TCP')![0])
  t.true(addresses.size > 3)
  for (const address of addresses.keys()) t.true(told.talkers.some(talker => talker.address === address), address)
  t.true(stdout.includes('"firstNs":1767607199962345000,'), 'times have every digit')
})

test('info: a table for people; texts of the file stay on their line', async t => {
  const path = join(folder, 'described.pcapng')
  writeFileSync(path, described)
  const { status, stdout, stderr } = await run(['info', path, samplePath])
  t.deepEqual([status, stderr], [0, ''])
  t.regex(stdout, /^format: {9}pcapng, big endian$/m)
  t.regex(stdout, /^interface 0: {4}eth0, 'the wire', ETHERNET \(link type 1\), snapshot 96, ticks of 10\^-9 s, filter 'tcp port 80', 77 received, 3 dropped, 2 dropped by the system, 70 delivered$/m)
  t.regex(stdout, /^comment: {8}a line\\u\{a\}and \\u\{1b\}\[31mred$/m)
  t.regex(stdout, /^first packet: {3}1970-01-01 00:00:00\.003000000 UTC$/m)
  t.regex(stdout, /^duration: {7}0\.997000000 s$/m)
  t.regex(stdout, /^TCP +82 +16,298$/m)
  t.is(stdout.match(/^file: /gm)?.length, 2)
})

test('info --filter: what is of the file and what of the packets that match is told apart', async t => {
  const count = naively(readFileSync(samplePath)).protocols.get('IPv6')![0]
  for (const engine of ['native', 'js']) {
    const args = ['info', samplePath, '--filter', 'ip6', '--engine', engine]
    t.like(JSON.parse((await run([...args, '--json'])).stdout), { packets: 90, matching: count })
    t.regex((await run(args)).stdout, new RegExp(`^packets: +90$[^]*^matching: +${count} packets, .*\n^flows: `, 'm'))
  }
  const { stdout } = await run(['info', samplePath])
  t.notRegex(stdout, /matching/)
})

test('info: a capture that breaks is told as far as it goes; what is none is an error', async t => {
  const cut = await run(['info', '--json', fixture('capture-last-cut.pcap')])
  t.is(cut.status, 1)
  t.true((JSON.parse(cut.stdout) as { packets: number }).packets > 0)
  t.regex(cut.stderr, /^\{"error":\{"code":"ERR_CAPTURE_TRUNCATED","message":".*capture-last-cut\.pcap: .*cut short.*"\}\}\n$/)
  const none = await run(['info', join(folder, 'missing'), fixture('capture-magic-wrong.pcap')])
  t.deepEqual([none.status, none.stdout], [1, ''])
  t.is(none.stderr.split('\n').length, 3)
})

test('info: standard input', async t => {
  const { status, stdout } = await run(['info', '--json', '-'], readFileSync(samplePath))
  t.is(status, 0)
  t.like(JSON.parse(stdout), { name: 'standard input', fileBytes: null, packets: 90, inputBytes: 19_666 })
})

const COLUMNS = ['packets', 'fileBytes', 'wireBytes', 'duration', 'first', 'last', 'byteRate', 'bitRate', 'average', 'packetRate', 'sha256', 'ripemd160', 'sha1', 'inOrder'] as const

/** What capinfos says of files: packets, sizes, times, rates, order. */
function capinfos(paths: readonly string[]): Map<string, Record<(typeof COLUMNS)[number], string>> {
  const options = ['-T', '-r', '-S', '-M', '-csduaeyizxoH']
  const { stdout } = spawnSync('capinfos', [...options, ...paths], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } })
  const lines = stdout.split('\n').filter(line => line !== '')
  return new Map(
    lines.map(line => {
      const [path, ...fields] = line.split('\t')
      return [path!, Object.fromEntries(COLUMNS.map((name, i) => [name, fields[i]!])) as never]
    }),
  )
}

function agrees(t: ExecutionContext, name: string, told: Record<string, unknown>, other: Record<(typeof COLUMNS)[number], string>): void {
  const close = (mine: unknown, theirs: string, what: string, tolerance: number) => {
    if (theirs === 'n/a' || mine === null) return
    t.true(Math.abs(Number(mine) - Number(theirs)) <= tolerance, `${name}: ${what} ${String(mine)}, not ${theirs}`)
  }
  t.is(told.packets, Number(other.packets), name)
  t.is(told.fileBytes, Number(other.fileBytes), name)
  t.is(told.wireBytes, Number(other.wireBytes), name)
  t.is(told.sha256, other.sha256, name)
  if (other.inOrder !== 'Unknown') t.is(told.inOrder, other.inOrder === 'True', name)
  close(told.firstNs === null ? null : Number(told.firstNs) / 1e9, other.first, 'first', 1e-6)
  close(told.lastNs === null ? null : Number(told.lastNs) / 1e9, other.last, 'last', 1e-6)
  close(told.durationNs === null ? null : Number(told.durationNs) / 1e9, other.duration, 'duration', 1e-6)
  close(told.averagePacketBytes, other.average, 'average', 0.0051)
  // capinfos subtracts times as doubles, which are good to half a microsecond.
  const error = 5e-7 / (Number(told.durationNs) / 1e9)
  const rate = (mine: unknown, theirs: string, what: string) => close(mine, theirs, what, 0.0051 + error * Number(mine))
  rate(told.bytesPerSecond, other.byteRate, 'octets a second')
  rate(told.bitsPerSecond, other.bitRate, 'bits a second')
  rate(told.packetsPerSecond, other.packetRate, 'packets a second')
}

test('info says what capinfos says, over 50 real captures', async t => {
  const corpus = corpusFolder()
  if (corpus === null || !has('capinfos')) {
    t.log(corpus === null ? NO_CORPUS : 'skipped: capinfos is not installed')
    t.pass()
    return
  }
  const captures = join(corpus, 'dev', 'captures')
  const names = readdirSync(captures).toSorted()
  // Every so many-th, so that all kinds are there.
  const chosen = names.filter((_, i) => i % Math.floor(names.length / 60) === 0).map(name => join(captures, name))
  const others = capinfos(chosen)
  const { stdout } = await run(['info', '--json', '--hash', 'sha256', ...chosen])
  let compared = 0
  for (const line of stdout.split('\n').slice(0, -1)) {
    const told = JSON.parse(line) as Record<string, unknown> & { name: string }
    const other = others.get(told.name)
    if (other === undefined) continue
    agrees(t, basename(told.name), told, other)
    compared += 1
  }
  t.log(`${compared} captures compared`)
  t.true(compared >= 50, `${compared} captures compared`)
})
