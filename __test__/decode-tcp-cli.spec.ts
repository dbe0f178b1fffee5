// `tcpskein decode-tcp`: what it prints, its totals, its exit statuses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { run } from './support/cli.js'
import { pcap } from './support/frames.js'
import { ACK, FIN, PSH, SYN, framesOf } from './support/stream-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-decode-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const octets = (value: string) => new TextEncoder().encode(value)
const client = { ports: [1000, 80] as [number, number], ack: 1 }
const server = { ports: [80, 1000] as [number, number], reversed: true, ack: 1 }
const path = join(folder, 'dialogue.pcap')
writeFileSync(path, pcap(framesOf([
  { ...client, seq: 0, flags: SYN },
  { ...server, seq: 0, flags: SYN | ACK },
  { ...client, seq: 1, flags: PSH | ACK, payload: octets('GET /\u001b[2J\r\n') },
  { ...server, seq: 1, flags: ACK, payload: octets('200 ') },
  { ...server, seq: 15, flags: PSH, payload: octets('OK') },
  { ...client, seq: 12, flags: PSH | ACK, payload: octets('more') },
  { ...client, seq: 16, flags: FIN | ACK },
  { ...server, seq: 17, flags: FIN | ACK },
])))

const decode = (...args: string[]) => run(['decode-tcp', ...args])

test('-f prints each direction with what is new, gaps marked, and totals on stderr', async t => {
  const { status, stdout, stderr } = await decode('-f', path)
  t.is(status, 0, stderr)
  const [there, back] = ['10.0.0.1:1000=>10.0.0.2:80', '10.0.0.2:80=>10.0.0.1:1000']
  t.is(stdout, `${there} GET /.[2J\r\n${there} more\n${back} 200 \n[10 octets missing]\nOK\n`)
  t.regex(stderr, /^8 packets, 1 connection in .*\n {2}1 segments with neither SYN nor ACK\n$/)
})

test('--since start prints everything so far, as the original does', async t => {
  const { stdout } = await decode('-f', path, '--since', 'start', '-q', '--filter', 'tcp src port 1000')
  const id = '10.0.0.1:1000=>10.0.0.2:80'
  t.is(stdout, `${id} GET /.[2J\r\n${id} GET /.[2J\r\nmore\n`)
})

test('--hex prints offsets in the stream', async t => {
  const { stdout, stderr } = await decode('-f', path, '--hex', '-q')
  t.is(stderr, '')
  t.deepEqual(stdout.split('\n').slice(2), [
    '10.0.0.1:1000=>10.0.0.2:80',
    '0000000b  6d 6f 72 65                                       more',
    '10.0.0.2:80=>10.0.0.1:1000',
    '00000000  32 30 30 20                                       200 ',
    '00000004  [10 octets missing]',
    '0000000e  4f 4b                                             OK',
    '',
  ])
})

test('standard input and several captures', async t => {
  const piped = await run(['decode-tcp', '-f', '-', '-q'], readFileSync(path))
  t.is(piped.stdout, (await decode('-f', path, '-q')).stdout)
  const twice = await decode('-f', path, path, '-q')
  t.deepEqual([twice.status, twice.stdout.startsWith('10.0.0.1:1000=>10.0.0.2:80 GET')], [0, true])
})

test('bad usage is status 2, a capture that can not be read is status 1', async t => {
  const none = await decode()
  t.is(none.status, 2)
  t.regex(none.stderr, /expected -f FILE to read a capture, or -i INTERFACE to capture from an interface/)
  t.is((await decode('-f', path, '-i', 'eth0')).status, 2)
  t.is((await decode('-f', path, '--since', 'ever')).status, 2)
  t.is((await decode('-f', path, '--hex', '--text')).status, 2)
  t.is((await decode('-f', path, '--filter', 'tcp port')).status, 2)
  const absent = await decode('-f', join(folder, 'none.pcap'))
  t.deepEqual([absent.status, absent.stdout], [1, ''])
  const cut = join(folder, 'cut.pcap')
  writeFileSync(cut, readFileSync(path).subarray(0, -10))
  const broken = await decode('-f', cut)
  t.is(broken.status, 1)
  t.regex(broken.stdout, /GET/)
  t.regex(broken.stderr, /cut\.pcap/)
})

test('it reads as other commands do', async t => {
  const plain = await decode('-f', path, '-q')
  t.deepEqual(await decode('-f', path, '-q', '--no-decap', '--ignore-encap', '--checksum', 'ignore', '--engine', 'native', '--merge'), plain)
  const live = await decode('-i', 'no-such-interface', '-c', '1', '--duration', '1', '-s', '100', '-p', '--ring', '1M', '--direction', 'in', '--microseconds')
  t.is(live.status, 1)
  t.regex(live.stderr, /^tcpskein: no-such-interface: /)
  const { stderr } = await decode('-f', path, '--json')
  t.is((JSON.parse(stderr) as { stats: { packets: number } }).stats.packets, 8)
})

test('-i with no such interface says so in one line', async t => {
  const { status, stdout, stderr } = await decode('-i', 'no-such-interface', '-q')
  t.deepEqual([status === 0, stdout], [false, ''])
  t.regex(stderr, /^tcpskein: .+\n$/)
})
