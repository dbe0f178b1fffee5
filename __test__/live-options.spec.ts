// What a user may say of a live source and a recording, and what is answered to the rest. Needs no privilege.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { CaptureError, connections, interfaces, observe, OptionError, PacketFeed, record, streamEvents, type LiveSource } from '../src/index.js'
import { checkLive } from '../src/live.js'
import { run } from './support/cli.js'
import { collect } from './support/collect.js'
import { samplePath } from './support/places.js'

test('a live source is checked when it is given, not when it is read', t => {
  const cases: [source: object, message: RegExp][] = [
    [{ interface: '' }, /^interface: /],
    [{ interface: 3 }, /^interface: /],
    [{ interface: 'e0', filter: 'tcp port httpd' }, /^option filter: /],
    [{ interface: 'e0', filter: 7 }, /^filter: /],
    [{ interface: 'e0', snaplen: 0 }, /^snaplen: /],
    [{ interface: 'e0', snaplen: 300_000 }, /^snaplen: /],
    [{ interface: 'e0', ringBytes: 1000 }, /^ringBytes: /],
    [{ interface: 'e0', direction: 'sideways' }, /^direction: expected one of in, out, both/],
    [{ interface: 'e0', packetLimit: 0 }, /^packetLimit: /],
    [{ interface: 'e0', timeLimit: -1 }, /^timeLimit: /],
    [{ interface: 'e0', backend: 'magic' }, /^backend: /],
    [{ interface: 'e0', promiscous: true }, /^promiscous: there is no such option/],
  ]
  for (const [source, message] of cases)
    for (const use of [observe, streamEvents, connections] as const)
      t.throws(() => use(source as LiveSource), { instanceOf: OptionError, message })
})

test('defaults are filled in', t => {
  t.deepEqual(checkLive({ interface: 'e0' }), {
    interface: 'e0',
    snaplen: 262_144,
    promiscuous: true,
    ringBytes: 16 * 2 ** 20,
    direction: 'both',
    nanoseconds: true,
    backend: 'auto',
  })
})

test('live sources are not merged', t => {
  t.throws(() => observe([samplePath, { interface: 'lo' }], { merge: true }), { instanceOf: OptionError, message: /^merge: / })
  t.throws(() => streamEvents([{ interface: 'lo' }, samplePath], { merge: true }), { instanceOf: OptionError, message: /^merge: / })
})

test('an interface that is not there is an error of the capture, after the records of others', async t => {
  const errors: unknown[] = []
  const sources = [samplePath, { interface: 'no-such-one' }, samplePath]
  const records = await collect(observe(sources, { separate: true, onError: error => errors.push(error) }))
  t.is(records.length, 2 * (await collect(observe(samplePath))).length)
  t.is(errors.length, 1)
  const [error] = errors as CaptureError[]
  t.true(error instanceof CaptureError)
  t.regex(error!.code, /^ERR_LIVE_(INTERFACE|UNSUPPORTED)$/)
  if (process.platform === 'linux') t.is(error!.message, 'no-such-one: interface no-such-one: there is no such interface')
})

test('a signal that has aborted already ends a live source before it begins', async t => {
  const records = await collect(observe({ interface: 'no-such-one' }, { signal: AbortSignal.abort() }))
  t.deepEqual(records, [])
  // Where no source is live, it throws as it always did.
  await t.throwsAsync(collect(observe(samplePath, { signal: AbortSignal.abort() })), { any: true, name: 'AbortError' })
})

test('interfaces are those that Node knows, and more', t => {
  const found = interfaces()
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    if (process.platform === 'win32') continue
    const one = found.find(each => each.name === name)
    t.truthy(one, name)
    t.true(one!.flags.includes('up'))
    for (const { address, cidr, mac } of addresses) {
      const known = one!.addresses.find(each => each.address === address)
      t.is(`${known?.address}/${known?.prefixLength}`, cidr!)
      if (mac !== '00:00:00:00:00:00') t.is(one!.mac, mac)
    }
  }
  const names = found.map(one => one.name)
  t.is(new Set(names).size, names.length)
})

test('a recording is checked when it begins', t => {
  const source = { interface: 'no-such-one' }
  const cases: [path: string, options: object, message: RegExp][] = [
    ['', {}, /^path: /],
    ['x.pcap', { format: 'cap' }, /^format: /],
    ['x.pcap', { rotateBytes: 0 }, /^rotateBytes: /],
    ['x.pcap', { maxFiles: 3 }, /^maxFiles: needs rotateBytes or rotateSeconds/],
    ['x.pcap', { colour: 'red' }, /^colour: there is no such option/],
  ]
  for (const [path, options, message] of cases)
    t.throws(() => record(source, path, options), { instanceOf: OptionError, message })
  const error = t.throws(() => record(source, 'x.pcap'), { instanceOf: CaptureError })
  t.regex(error.code, /^ERR_LIVE_/)
})

test('the command line says what is missing or too much', async t => {
  const cases: [args: string[], status: number, message: RegExp][] = [
    [['flows'], 2, /missing required argument 'file' \(or -i for an interface\)/],
    [['flows', '-i', 'lo', samplePath], 2, /-i: .*sample\.pcap can not be read at the same time/],
    [['connections', '-i', 'lo', '--filter', 'tcp and'], 2, /^tcpskein: option filter: /],
    [['analyze'], 2, /missing required argument 'file' \(or -i for an interface\)/],
    [['analyze', '-i', 'no-such-one'], 1, /^tcpskein: no-such-one: /],
    [['analyze', '-i', 'no-such-one', '--series', '0'], 2, /^tcpskein: no-such-one: /],
    [['flows', '-i', 'no-such-one'], 1, /^tcpskein: no-such-one: /],
    [['record', '-w', 'x.pcap'], 2, /which interface\?/],
    [['record', '-i', 'lo'], 2, /required option '-w/],
    [['record', '-i', 'no-such-one', '-w', '/does/not/exist/x.pcap'], 1, /^tcpskein: /],
    [['flows', '-i', 'lo', '--ring', '16Q'], 2, /Expected octets/],
    [['flows', samplePath, '-c', '3'], 2, /^tcpskein: option '-c, --count <n>' needs an interface \(-i\)\n/],
    [['connections', samplePath, '--duration', '3'], 2, /'--duration <seconds>' needs an interface/],
    [['info', samplePath, '-p'], 2, /'-p, --no-promiscuous' needs an interface/],
    [['follow', samplePath, '--connection', '0', '--backend', 'pcap'], 2, /'--backend <name>' needs an interface/],
    [['decode-tcp', '-f', samplePath, '--microseconds'], 2, /'--microseconds' needs an interface/],
  ]
  for (const [args, status, message] of cases) {
    const found = await run(args)
    t.is(found.status, status, args.join(' '))
    t.regex(found.stderr, message)
  }
})

test('record replaces no file without --force', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tcpskein-record-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['one.pcap', 'a.b-00007.pcapng.zst', 'data-00001.raw']) writeFileSync(join(folder, name), 'mine')
  const cases: [args: string[], refused: boolean][] = [
    [['one.pcap'], true],
    [['one.pcap', '--force'], false],
    [['one.pcap', '--rotate-size', '1M'], false],
    [['a.b.pcapng.zst', '--rotate-size', '1M'], true],
    [['data.raw', '--rotate-time', '1'], true],
    [['a.b.pcapng.zst'], false],
  ]
  for (const [[name, ...args], refused] of cases) {
    const { status, stderr } = await run(['record', '-i', 'no-such-one', '-w', join(folder, name!), ...args])
    t.is(status, 1)
    t.is(/the file exists already \(--force /.test(stderr), refused, `${name} ${args.join(' ')}: ${stderr}`)
  }
})

test('tcpskein interfaces lists them', async t => {
  const { status, stdout } = await run(['interfaces'])
  t.is(status, 0)
  t.regex(stdout, /^name +mac +address +flags\n/)
  const lines = (await run(['interfaces', '--format', 'ndjson'])).stdout.trim().split('\n')
  t.deepEqual(lines.map(line => JSON.parse(line) as unknown), interfaces().map(one => ({ ...one })))
  for (const one of interfaces()) t.true(stdout.includes(one.name))
})

test('a packet feed is still no interface', async t => {
  const feed = new PacketFeed()
  feed.end()
  t.deepEqual(await collect(observe(feed)), [])
})
