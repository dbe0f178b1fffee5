// Live captures against tcpdump captures of the same traffic, between real hosts (Linux TCP in network namespaces) over a
// bad wire; and how captures end: by the line, by limits, by a signal, by the interface. Needs Linux and root.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { basicChain, connections, observe, tcpChain, type LiveSource } from '../src/index.js'
import { program } from './support/cli.js'
import { collect } from './support/collect.js'
import { root } from './support/places.js'
import { lossyWire, obstacle, sh, Wire, type Inside } from './support/wire.js'

const why = obstacle(['tcpdump', 'gcc'])
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-live-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const job = join(root, '__test__', 'support', 'capture-live.mjs')
const transferScript = join(root, '__test__', 'support', 'transfer.mjs')

/** Octets that client and server send on each connection, to ports from 7000 on. */
const SIZES: readonly (readonly [number, number])[] = [[600_000, 1], [1, 900_000], [300_000, 300_000], [0, 70_000], [1460, 1461], [17, 0]]

let made = 0

/** A test with a wire of its own; skipped, and said so, where there can be none. */
function wired(title: string, run: (t: ExecutionContext, wire: Wire) => Promise<void>, trouble = false): void {
  // One after another: each has hosts that compute.
  test.serial(title, async t => {
    t.timeout(180_000)
    if (why !== null) {
      t.log(`skipped: ${why}`)
      t.pass()
      return
    }
    const wire = new Wire(trouble ? [lossyWire(folder), '7', '100', '50', '150'] : undefined)
    try {
      await run(t, wire)
    } finally {
      wire.remove()
    }
  })
}

interface Line {
  record?: Record<string, unknown> & { at: number }
  stats?: Record<string, number>
  captures?: { interfaces: { name: string; received: number | null; osDropped: number | null; delivered: number | null }[]; packets: number }[]
  error?: { code: string; message: string }
  held?: { before: Held; after: Held; own: string[] }
}
interface Held { files: number; threads: number }

/** What a capture in another process came to. */
class Captured {
  readonly lines: Line[]
  constructor(inside: Inside) {
    this.lines = inside.stdout.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Line)
    if (!this.lines.some(line => line.stats)) throw new Error(inside.said)
  }

  get records() {
    return this.lines.flatMap(line => (line.record ? [line.record] : []))
  }

  get end() {
    return this.lines.find(line => line.stats)!
  }

  get stats() {
    return this.end.stats!
  }

  get held() {
    return this.lines.find(line => line.held)!.held!
  }
}

/** Starts a job of capture-live.mjs on a host, and waits until it captures. */
async function capture(wire: Wire, name: string, source: Partial<LiveSource> = {}, options: object = {}): Promise<Inside> {
  const text = JSON.stringify({ source: { interface: 'e0', ...source }, options })
  const inside = wire.start(wire.b, process.execPath, job, name, text)
  await inside.says('ready')
  return inside
}

const ended = async (inside: Inside, signal?: NodeJS.Signals) => new Captured(await inside.ended(signal))

/** Sends files both ways; their digests by name. */
async function transfer(wire: Wire, sizes = SIZES): Promise<Map<string, string>> {
  const place = mkdtempSync(join(folder, 'files-'))
  const digests = new Map<string, string>()
  sizes.forEach(([c, s], i) => {
    for (const [side, size] of [['c', c], ['s', s]] as const) {
      const octets = randomBytes(size)
      writeFileSync(join(place, `${side}-${i}`), octets)
      digests.set(`${side}-${i}`, createHash('sha256').update(octets).digest('hex'))
    }
  })
  const server = wire.start(wire.b, process.execPath, transferScript, 'server', place, String(sizes.length))
  await server.says('ready')
  const client = wire.start(wire.a, process.execPath, transferScript, 'client', place, String(sizes.length), '10.98.0.2')
  const [done] = await Promise.all([client.ended(), server.ended()])
  if (done.status !== 0) throw new Error(done.said)
  // The last acknowledgements.
  await sleep(400)
  return digests
}

/** Columns without times and what else differs between two captures; and the times. */
function apart(record: object): { rest: object; times: number[] } {
  const { at: _, ...columns } = { at: 0, ...record } as Record<string, unknown>
  const isTime = (name: string) => /_ns$|^pkt_(first|last)$/.test(name)
  const entries = Object.entries(columns).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value] as const)
  return {
    rest: Object.fromEntries(entries.filter(([name]) => !isTime(name))),
    times: entries.filter(([name]) => name.endsWith('_ns')).map(([, value]) => Number(value) / 1e6),
  }
}

/** The same records, whatever their order; times are those of two sockets, which the kernel stamps one after the other. */
function sameRecords(t: ExecutionContext, live: readonly object[], file: readonly object[], key: string): void {
  const sorted = (list: readonly object[]) =>
    list.map(apart).toSorted((a, b) => Number((a.rest as Record<string, unknown>)[key]) - Number((b.rest as Record<string, unknown>)[key]))
  const [a, b] = [sorted(live), sorted(file)]
  t.deepEqual(a.map(one => one.rest), b.map(one => one.rest))
  a.forEach((one, i) => one.times.forEach((ms, j) => t.true(Math.abs(ms - b[i]!.times[j]!) < 50, `${ms} ms, ${b[i]!.times[j]} ms`)))
}

wired('what is captured live is what tcpdump captured, over a bad wire', async (t, wire) => {
  const file = join(folder, `same-${made++}.pcap`)
  const tcpdump = wire.start(wire.b, 'tcpdump', '-i', 'e0', '-s', '0', '-B', '65536', '--time-stamp-precision=nano', '-w', file)
  await tcpdump.says('listening')
  const source = { ringBytes: 64 * 2 ** 20 }
  const runs = []
  for (const name of ['flows', 'hooked', 'connections', 'hashes']) runs.push(await capture(wire, name, source))
  const table = await capture(wire, 'table', { ...source, timeLimit: 25 })
  const digests = await transfer(wire)
  const [flows, hooked, conns, hashes] = await Promise.all(runs.map(run => ended(run, 'SIGINT')))
  // tcpdump loses what came within the last second.
  await sleep(1200)
  t.regex((await tcpdump.ended('SIGINT')).said, /\b0 packets dropped by kernel/)

  const observer = observe(file, { chains: [basicChain(), tcpChain()] })
  const fromFile = await collect(observer)
  t.is(fromFile.length, SIZES.length)
  t.is(flows!.stats.packets, observer.stats.packets)
  // A table comes when its time is up.
  const { length, ports } = JSON.parse((await table.ended()).stdout.split('\n').find(line => line.startsWith('{'))!) as { length: number; ports: number[] }
  t.deepEqual([length, ports.toSorted((a, b) => a - b)], [SIZES.length, SIZES.map((_, i) => 7000 + i)])
  t.is(flows!.stats.dropped, 0)
  t.is(flows!.stats.received, flows!.stats.packets)
  sameRecords(t, flows!.records, fromFile, 'dp')
  // Without the TCP chain nobody says that a flow is complete.
  const counted: object[] = fromFile.map(({ pkt_fwd, pkt_rev, ...flow }) => ({ ...flow, end_reason: 'flush', pkt_fwd, pkt_rev, mine: pkt_fwd + pkt_rev }))
  const without = counted.map(flow => Object.fromEntries(Object.entries(flow).filter(([name]) => name in hooked!.records[0]!)))
  sameRecords(t, hooked!.records, without, 'dp')

  const known = await collect(connections(file, { maxStreamBytes: 0 }))
  sameRecords(t, conns!.records, known, 'server_port')
  const trouble = known.reduce((sum, c) => sum + c.out_of_order_fwd + c.out_of_order_rev, 0)
  t.true(trouble > 10, `the wire was bad: ${trouble} segments out of order`)
  t.is(hashes!.records.length, SIZES.length)
  for (const record of hashes!.records) {
    const i = Number(record.server_port) - 7000
    t.deepEqual([record.fwd, record.rev], [digests.get(`c-${i}`), digests.get(`s-${i}`)], `connection ${i}`)
  }
  const [told] = flows!.end.captures!
  t.like(told, { name: 'e0', format: 'live', packets: flows!.stats.packets })
  t.like(told!.interfaces[0], { name: 'e0', linkType: 1, received: flows!.stats.packets, osDropped: 0, delivered: flows!.stats.packets })
  for (const run of [flows!, hooked!, conns!, hashes!]) {
    t.deepEqual(run.held.own, [], 'no thread is left')
    t.is(run.held.after.files, run.held.before.files, 'no file is left open')
  }
}, true)

wired('on a silent line flows and connections end when their time has come', async (t, wire) => {
  const options = { idleTimeout: 2, expiryTimeout: 1 }
  const runs = [
    await capture(wire, 'flows', {}, options),
    await capture(wire, 'hooked', {}, options),
    await capture(wire, 'connections', {}, { idleTimeout: 2, linger: 1 }),
  ]
  await transfer(wire, [[100, 100]])
  // To a port where nobody listens; what ICMP says of it belongs to the same flow.
  sh(`ip netns exec ${wire.a} bash -c 'echo x > /dev/udp/10.98.0.2/9'`)
  // Nothing but silence: the records come all the same.
  await Promise.all(runs.map((run, i) => run.says(i < 2 ? /"record".*\n(.*\n)*.*"record"/ : '"record"')))
  const [flows, hooked, conns] = await Promise.all(runs.map(run => ended(run, 'SIGINT')))
  for (const one of [flows!, hooked!]) {
    const after = (dp: number) => {
      const record = one.records.find(each => each.dp === dp)!
      return record.at - Number(BigInt(record.last_ns as string) / 1_000_000n)
    }
    // Packet time is rounded up to whole seconds. Complete: 1 s until it is emitted, and a tick a second.
    t.true(after(7000) > 0 && after(7000) < 5000, `${after(7000)} ms after the last packet`)
    // 2 s until it is idle, then the same.
    t.true(after(9) > 1900 && after(9) < 8000, `${after(9)} ms after the last packet`)
  }
  t.deepEqual(flows!.records.map(each => [each.dp, each.end_reason]), [[7000, 'complete'], [9, 'idle']])
  t.is(conns!.records.length, 1)
  t.is(conns!.records[0]!.end_reason, 'fin')
})

wired('an interface that goes down, or away, is an error after the records', async (t, wire) => {
  for (const [line, name] of [[`ip -n ${wire.b} link set e0 down`, 'down'], [`ip -n ${wire.b} link del e0`, 'away']] as const) {
    const run = await capture(wire, 'flows')
    await transfer(wire, [[1000, 1000]])
    sh(line)
    const { records, end, stats } = await ended(run)
    t.deepEqual([records.length, records[0]!.end_reason], [1, 'complete'], name)
    t.is(end.error?.code, 'ERR_LIVE_DOWN', name)
    t.is(end.error?.message, 'e0: interface e0 went down', name)
    t.true(stats.packets! > 8)
    if (name === 'down') sh(`ip -n ${wire.b} link set e0 up`)
  }
  const down = wire.start(wire.b, process.execPath, program, 'flows', '-i', 'e0')
  t.is((await down.ended()).status, 1)
  t.is(down.stderr.split('\n')[0], 'tcpskein: e0: interface e0: there is no such interface')
})

wired('Ctrl-C, a signal and leaving the loop end it at once, and open flows come', async (t, wire) => {
  for (const name of ['flows', 'signal']) {
    const run = await capture(wire, name)
    await transfer(wire, [[1000, 1000]])
    const before = Date.now()
    const { records, end, held } = await ended(run, 'SIGINT')
    t.true(Date.now() - before < 5000)
    t.deepEqual([records.length, records[0]!.end_reason, end.error], [1, name === 'flows' ? 'complete' : 'flush', undefined], name)
    t.deepEqual([held.own, held.after.files], [[], held.before.files])
  }
  const left = await capture(wire, 'leave', {}, { idleTimeout: 0, expiryTimeout: 0 })
  await transfer(wire, [[1000, 1000]])
  await left.says('"held"')
  const { held } = JSON.parse(left.stdout.split('\n').find(line => line.includes('"held"'))!) as { held: { own: string[]; before: Held; after: Held } }
  t.deepEqual([held.own, held.after.files], [[], held.before.files])
})

wired('the command line: records as they come, totals, limits', async (t, wire) => {
  const run = wire.start(wire.b, process.execPath, program, 'flows', '-i', 'e0', '--format', 'ndjson', '--idle-timeout', '1', '--expiry-timeout', '0')
  await sleep(1500)
  await transfer(wire, [[1000, 1000]])
  await run.says('flow_id')
  t.is((await run.ended('SIGINT')).status, 0)
  t.regex(run.stderr, /^\d+ packets, 1 flow in /)
  const limited = wire.start(wire.b, process.execPath, program, 'connections', '-i', 'e0', '-c', '4', '--filter', 'tcp', '--format', 'ndjson')
  const timed = wire.start(wire.b, process.execPath, program, 'info', '-i', 'e0', '--duration', '4', '--json')
  const followed = wire.start(wire.b, process.execPath, program, 'follow', '-i', 'e0', '--connection', '0', '--client', '--raw')
  await sleep(1500)
  await transfer(wire, [[20, 1000]])
  t.is((await limited.ended()).status, 0)
  t.regex(limited.stderr, /^4 packets, 1 connection in /)
  t.is((await timed.ended()).status, 0, timed.said)
  t.like(JSON.parse(timed.stdout), { name: 'e0', format: 'live', flows: 1 })
  t.is((await followed.ended('SIGINT')).status, 0)
  t.is(followed.stdout.length > 0, true)
})

/** VLAN 7 between the hosts; false where the kernel has none. */
function vlanBetween(wire: Wire): boolean {
  try {
    for (const [host, address] of [[wire.a, '10.97.0.1'], [wire.b, '10.97.0.2']] as const)
      sh(`ip -n ${host} link add link e0 name v7 type vlan id 7; ip -n ${host} addr add ${address}/24 dev v7; ip -n ${host} link set v7 up`)
    return true
  } catch (error) {
    if (/Unknown device type/.test(String(error))) return false
    throw error
  }
}

wired('the filter is run by the kernel where it can be, with the same answer', async (t, wire) => {
  const file = join(folder, `filter-${made++}.pcap`)
  const filters = [
    'tcp port 7001',
    'tcp[13] & 2 != 0',
    // Reads at a computed place: run by the engine.
    'tcp[((tcp[12] & 0xf0) >> 2):1] >= 0 and port 7000',
    'vlan 7 and tcp',
    'tcp',
    'not vlan',
  ]
  const tags = vlanBetween(wire)
  if (!tags) t.log('skipped in part: this kernel has no VLAN devices, so nothing is tagged')
  const tcpdump = wire.start(wire.b, 'tcpdump', '-i', 'e0', '-s', '0', '-B', '65536', '-w', file)
  await tcpdump.says('listening')
  const runs = []
  for (const filter of filters) runs.push(await capture(wire, 'flows', { filter }))
  await transfer(wire, [[1000, 1000], [200_000, 10]])
  const to = tags ? '10.97.0.2' : '10.98.0.2'
  sh(`ip netns exec ${wire.a} bash -c 'for i in 1 2 3; do echo x > /dev/udp/${to}/9; done; echo x > /dev/tcp/${to}/9' || true`)
  await sleep(300)
  const results = await Promise.all(runs.map(run => ended(run, 'SIGINT')))
  // tcpdump loses what came within the last second.
  await sleep(1200)
  await tcpdump.ended('SIGINT')
  const count = (filter: string) => Number(sh(`tcpdump -r "${file}" -n '${filter}' 2>/dev/null | wc -l`))
  const [all, tagged] = [count(''), count('vlan')]
  t.is(tagged > 6, tags)
  for (const [i, filter] of filters.entries()) {
    const { packets, received, filtered } = results[i]!.stats
    t.is(count(filter) > 0, tags || !filter.startsWith('vlan'), filter)
    t.deepEqual([packets, filtered], [count(filter), 0], filter)
    // The kernel passes on what is wanted, and what has a tag; where it can't run the filter, everything.
    const untagged = filter.startsWith('vlan') ? 0 : packets!
    t.is(received, i === 2 ? all : untagged + tagged, filter)
  }
  t.true(results[3]!.records.every(record => record.vlan === 7))
})

wired('limits, directions, lengths and times of packets', async (t, wire) => {
  const runs = {
    first: await capture(wire, 'flows', { packetLimit: 5 }),
    cut: await capture(wire, 'connections', { snaplen: 96 }),
    into: await capture(wire, 'flows', { direction: 'in' }),
    out: await capture(wire, 'flows', { direction: 'out' }),
    any: await capture(wire, 'flows', { interface: 'any', filter: 'tcp' }),
    lo: await capture(wire, 'flows', { interface: 'lo' }),
    // The last to begin: what follows must happen before it ends.
    brief: await capture(wire, 'flows', { timeLimit: 6, nanoseconds: false }),
  }
  await transfer(wire, [[50_000, 50_000]])
  // To a port where nobody listens.
  sh(`ip netns exec ${wire.b} bash -c 'for i in 1 2 3; do echo x > /dev/udp/127.0.0.1/9; done'`)
  await sleep(200)
  // These end by themselves.
  const [first, brief] = await Promise.all([ended(runs.first), ended(runs.brief)])
  t.deepEqual([first.stats.packets, first.records.length], [5, 1])
  t.true(brief.records.length === 1 && brief.records.every(record => BigInt(record.first_ns as string) % 1000n === 0n))
  const [cut, into, out, any, lo] = await Promise.all([runs.cut, runs.into, runs.out, runs.any, runs.lo].map(run => ended(run, 'SIGINT')))
  // The length on the wire counts, but octets that weren't captured are missing.
  t.is(cut!.records.length, 1)
  t.true(cut!.stats.capturedBytes! <= cut!.stats.packets! * 96)
  t.true(Number(cut!.records[0]!.gap_bytes_fwd) > 45_000, JSON.stringify(cut!.records[0]))
  const whole = brief.records[0]! as Record<string, number>
  t.is(Number(into!.records[0]!.pkt_fwd), whole.pkt_fwd!)
  t.is(Number(into!.records[0]!.pkt_rev), 0)
  t.is(Number(out!.records[0]!.pkt_fwd), whole.pkt_rev!)
  t.is(any!.records.length, 1)
  t.deepEqual([any!.records[0]!.pkt_fwd, any!.records[0]!.pkt_rev], [whole.pkt_fwd, whole.pkt_rev])
  // Three datagrams and what ICMP says of each, each once.
  t.is(lo!.stats.packets, 6)
})

wired('record: rotated files hold every packet, and tcpdump reads them', async (t, wire) => {
  const place = mkdtempSync(join(folder, 'record-'))
  const start = (...args: string[]) => wire.start(wire.b, process.execPath, program, 'record', '-i', 'e0', ...args)
  const runs = [
    start('-w', join(place, 'a.pcap'), '--rotate-size', '64K'),
    start('-w', join(place, 'b.pcapng'), '--rotate-size', '64K', '--files', '3'),
    start('-w', join(place, 'c.pcapng.zst')),
    start('-w', join(place, 'd.pcap'), '-c', '7', '--filter', 'tcp', '--microseconds'),
    start('-w', join(place, 'e.pcapng'), '--duration', '4', '-q'),
    wire.start(wire.b, process.execPath, program, 'record', '-i', 'any', '-w', join(place, 'f.pcap')),
  ]
  await sleep(2500)
  await transfer(wire, [[300_000, 100_000]])
  await Promise.all(runs.map((run, i) => run.ended(i === 3 || i === 4 ? undefined : 'SIGINT')))
  t.deepEqual(runs.map(run => run.status), runs.map(() => 0), runs.map(run => run.said).join('\n'))
  const files = (letter: string) => readdirSync(place).filter(name => name.startsWith(letter)).toSorted()
  const count = (name: string) => Number(sh(`tcpdump -r "${join(place, name)}" -n 2>/dev/null | wc -l`))
  const packets = (run: Inside) => Number(/([\d,]+) packets/.exec(run.stderr)?.[1]?.replaceAll(',', ''))
  const all = packets(runs[0]!)
  t.true(all > 300 && files('a').length > 5, runs[0]!.said)
  t.is(files('a')[0], 'a-00001.pcap')
  t.is(files('a').reduce((sum, name) => sum + count(name), 0), all)
  t.is(files('b').length, 3)
  t.true(Number(files('b')[2]!.slice(2, 7)) > 5)
  t.is(packets(runs[2]!), all)
  const observer = observe(join(place, 'c.pcapng.zst'), { chains: [basicChain()] })
  t.is((await collect(observer)).length >= 1, true)
  t.is(observer.stats.packets, all)
  t.like(observer.captures[0]!.interfaces[0], { name: 'e0', osDropped: 0, delivered: all })
  t.is(count('d.pcap'), 7)
  t.regex(runs[3]!.stderr, /^7 packets, [\d,]+ octets in 1 file in /)
  t.is(runs[4]!.said, '')
  t.true(count('f.pcap') >= all - 2)
  const [rotated, joined] = await Promise.all([
    collect(connections(files('a').map(name => join(place, name)))),
    collect(connections(join(place, 'c.pcapng.zst'))),
  ])
  t.deepEqual(rotated.map(c => [c.client.sha256(), c.server.sha256()]), joined.map(c => [c.client.sha256(), c.server.sha256()]))
})

wired('libpcap, where it is installed, gives the same', async (t, wire) => {
  const probe = wire.start(wire.b, process.execPath, program, 'flows', '-i', 'e0', '--backend', 'pcap', '--duration', '0')
  if (/libpcap is not installed/.test((await probe.ended()).stderr)) {
    t.log('skipped: libpcap is not installed')
    t.pass()
    return
  }
  t.is(probe.status, 0, probe.said)
  const runs = [await capture(wire, 'connections'), await capture(wire, 'connections', { backend: 'pcap' }), await capture(wire, 'connections', { backend: 'pcap', filter: 'tcp port 7000', direction: 'in' })]
  await transfer(wire, [[200_000, 100], [10, 10]])
  const [kernel, pcap, filtered] = await Promise.all(runs.map(run => ended(run, 'SIGINT')))
  sameRecords(t, pcap!.records, kernel!.records, 'server_port')
  t.deepEqual([pcap!.stats.packets, pcap!.stats.dropped], [kernel!.stats.packets, 0])
  t.is(filtered!.records.length, 1)
  t.is(Number(filtered!.records[0]!.stream_len_rev), 0)
  const down = await capture(wire, 'flows', { backend: 'pcap' })
  sh(`ip -n ${wire.b} link set e0 down`)
  t.is((await ended(down)).end.error?.code, 'ERR_LIVE_DOWN')
})

wired('without the privilege the error names the command that grants it', async (t, wire) => {
  const run = wire.start(wire.b, 'setpriv', '--reuid', '65534', '--clear-groups', '--bounding-set', '-net_raw,-net_admin', '--inh-caps=-all', process.execPath, program, 'flows', '-i', 'e0')
  await run.ended()
  if (/EACCES|MODULE_NOT_FOUND|not found/.test(run.stderr)) {
    t.log('skipped: this folder can not be read by nobody')
    t.pass()
    return
  }
  t.is(run.status, 1)
  const node = realpathSync(process.execPath)
  t.is(run.stderr.split('\n')[0], `tcpskein: e0: capturing on e0 is not permitted: grant it with \`sudo setcap cap_net_raw=ep ${node}\`, or use sudo`)
})

wired('any number of captures leave worker threads to others', async (t, wire) => {
  const script = `
    import { observe } from ${JSON.stringify(join(root, 'dist', 'index.js'))}
    import { readFile } from 'node:fs/promises'
    const runs = Array.from({ length: 8 }, () => observe({ interface: 'e0' }))
    const all = Promise.all(runs.map(async run => { for await (const _ of run); }))
    await new Promise(resolve => setTimeout(resolve, 500))
    let longest = 0
    for (let i = 0; i < 50; i++) {
      const start = performance.now()
      await readFile('/etc/hostname').catch(() => {})
      longest = Math.max(longest, performance.now() - start)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    for (const run of runs) run.finish()
    await all
    console.log(Math.round(longest))`
  const run = wire.start(wire.b, process.execPath, '--input-type=module', '-e', script)
  await run.ended()
  t.is(run.status, 0, run.said)
  t.true(Number(run.stdout) < 400, `${run.stdout} ms for a small file`)
})
