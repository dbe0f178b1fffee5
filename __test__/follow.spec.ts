// `tcpskein follow`: its three formats, its gaps, and the same octets that tshark follows.
import { spawnSync } from 'node:child_process'
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { connections } from '../src/index.js'
import { has, program, run } from './support/cli.js'
import { collect } from './support/collect.js'
import { pcap } from './support/frames.js'
import { NO_CORPUS, corpusFolder, root, samplePath } from './support/places.js'
import { ACK, FIN, PSH, RST, SYN, framesOf, troubledCapture } from './support/stream-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-follow-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const client = { ports: [1000, 80] as [number, number] }
const server = { ports: [80, 1000] as [number, number], reversed: true }
const text = (value: string) => new TextEncoder().encode(value)

/** Connection 0 is nothing, connection 1 has text, other octets, and a gap of 10 in the server's stream. */
const dialogue = [
  { ports: [999, 80] as [number, number], seq: 5, flags: SYN },
  { ...client, seq: 0, flags: SYN },
  { ...server, seq: 0, ack: 1, flags: SYN | ACK },
  { ...client, seq: 1, ack: 1, flags: PSH | ACK, payload: text('GET /\u001b[2J\r\n') },
  { ...server, seq: 1, ack: 12, flags: PSH | ACK, payload: text('200\tOK\n\u0000\u00ff') },
  { ...server, seq: 21, ack: 12, flags: PSH | ACK, payload: text('the end, of seventeen') },
  { ...server, seq: 42, ack: 12, flags: FIN | ACK },
  { ...client, seq: 12, ack: 43, flags: FIN | ACK },
]
const path = join(folder, 'dialogue.pcap')
writeFileSync(path, pcap(framesOf(dialogue)))

const follow = (...args: string[]) => run(['follow', path, '--connection', '1', ...args])

test('text: other octets are dots, a gap stands on a line of its own', async t => {
  const { status, stdout, stderr } = await follow()
  t.deepEqual([status, stderr], [0, ''])
  t.is(stdout, 'GET /.[2J\r\n200\tOK\n...\n[10 octets missing]\nthe end, of seventeen\n')
  t.is((await follow('--client')).stdout, 'GET /.[2J\r\n')
  t.is((await follow('--server', '--text')).stdout, '200\tOK\n...\n[10 octets missing]\nthe end, of seventeen\n')
  t.is((await follow('--both', '--text')).stdout, stdout)
})

test('hex: offsets count in the stream, the server is indented', async t => {
  const { status, stdout } = await follow('--hex')
  t.is(status, 0)
  t.deepEqual(stdout.split('\n'), [
    '00000000  47 45 54 20 2f 1b 5b 32  4a 0d 0a                 GET /.[2J..',
    '    00000000  32 30 30 09 4f 4b 0a 00  c3 bf                    200.OK....',
    '    0000000a  [10 octets missing]',
    '    00000014  74 68 65 20 65 6e 64 2c  20 6f 66 20 73 65 76 65  the end, of seve',
    '    00000024  6e 74 65 65 6e                                    nteen',
    '',
  ])
})

test('raw: the octets, what is missing on stderr', async t => {
  const { status, stdout, stderr } = await follow('--raw', '--client')
  t.deepEqual([status, stdout, stderr], [0, 'GET /\u001b[2J\r\n', ''])
  const other = await follow('--raw', '--server')
  t.is(other.stdout, '200\tOK\n\u0000\u00ffthe end, of seventeen')
  t.is(other.stderr, "tcpskein: [10 octets missing] at offset 10 of the server's stream\n")
})

test('a connection that is not there, or is no number', async t => {
  const absent = await run(['follow', path, '--connection', '2'])
  t.deepEqual([absent.status, absent.stdout], [2, ''])
  t.is(absent.stderr, 'tcpskein: there is no connection 2: the input has 2, counted from 0\n')
  for (const value of ['x', '-1', '1.5', '1e3']) {
    const bad = await run(['follow', path, `--connection=${value}`])
    t.deepEqual([bad.status, bad.stderr], [2, 'tcpskein: --connection: expected a whole number, 0 or more\n'])
  }
  t.is((await run(['follow', path])).status, 2)
  t.is((await follow('--raw', '--hex')).status, 2)
  t.is((await follow('--client', '--server')).status, 2)
  t.is((await run(['follow', join(folder, 'none.pcap'), '--connection', '0'])).status, 2)
})

test('the rest of the input is not read once the connection has closed', async t => {
  // What follows the connection is no capture: reading on would fail. It lingers, so others come 3 minutes later.
  const late = framesOf([{ ports: [999, 80], seq: 5, flags: SYN }, { ports: [999, 80], seq: 5, flags: SYN }], 1_200_000_000_000n)
  const start = pcap([...framesOf([...dialogue.slice(0, 4), { ...server, seq: 1, ack: 12, flags: RST }]), ...late])
  const rubbish = new Uint8Array(2 ** 20).fill(0xee)
  const spoiled = join(folder, 'spoiled.pcap')
  writeFileSync(spoiled, Buffer.concat([start, rubbish]))
  const broken = await run(['follow', spoiled, '--connection', '0'])
  t.is(broken.status, 1, broken.stderr)
  // From a pipe, so that what comes later is seen later.
  const child = spawnSync('bash', ['-c', `( head -c ${start.length} "${spoiled}"; sleep 1; tail -c +${start.length + 1} "${spoiled}" ) | "${process.execPath}" "${program}" follow - --connection 1`], { cwd: root, encoding: 'utf8' })
  t.deepEqual([child.status, child.stdout, child.stderr], [0, 'GET /.[2J\r\n', ''])
})

test('standard input, several files, a filter', async t => {
  const { stdout } = await run(['follow', '-', '--connection', '1', '--client'], readFileSync(path))
  t.is(stdout, 'GET /.[2J\r\n')
  const filtered = await run(['follow', path, '--connection', '0', '--client', '--filter', 'port 1000'])
  t.is(filtered.stdout, 'GET /.[2J\r\n')
  const second = await run(['follow', samplePath, path, '--connection', '0', '--raw'])
  t.is(second.status, 0)
})

test('a large stream goes through a slow pipe whole', async t => {
  const capture = join(folder, 'large.pcap')
  const octets = troubledCapture(1, { connections: 1, octets: 900_000 })
  writeFileSync(capture, octets)
  const [record] = await collect(connections(createReadStream(capture), { maxStreamBytes: 2 ** 21 }))
  const { stdout } = spawnSync('bash', ['-c', `"${process.execPath}" "${program}" follow "${capture}" --connection 0 --client --raw | (sleep 0.3; cat)`], { maxBuffer: 2 ** 24 })
  t.is(Buffer.compare(stdout, record!.client.bytes()), 0)
  t.true(stdout.length > 100_000)
})

/** The octets of both sides as tshark follows them: server lines are indented. */
function tsharkFollows(file: string, stream: number): [Buffer, Buffer] {
  const { stdout } = spawnSync('tshark', ['-r', file, '-q', '-z', `follow,tcp,raw,${stream}`], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  const lines = stdout.split('\n').filter(line => /^\t?([0-9a-f]{2})+$/.test(line))
  const side = (indented: boolean) =>
    Buffer.from(lines.filter(line => line.startsWith('\t') === indented).join('').replaceAll('\t', ''), 'hex')
  return [side(false), side(true)]
}

test('the same octets as tshark follows', async t => {
  t.timeout(120_000)
  const corpus = corpusFolder()
  if (!has('tshark')) {
    t.log('skipped: tshark is not installed')
    t.pass()
    return
  }
  const captures = [samplePath]
  if (corpus === null) t.log(`in part ${NO_CORPUS}`)
  else captures.push(...['0525d9bb0ccc-ftp-too-long-command.pcap', '05ee057c21e1-smb1_eicar_andx_write_padding2.pcap', '06f739dfaa6b-http2-nghttp2.pcap', '02f3ad7987ba-input.pcap'].map(name => join(corpus, 'dev', 'captures', name)))
  let compared = 0
  for (const capture of captures)
    for (const record of (await collect(connections(capture))).toSorted((a, b) => a.connection_id - b.connection_id).slice(0, 4)) {
      const [fwd, rev] = tsharkFollows(capture, record.connection_id)
      const raw = (side: string) => spawnSync(process.execPath, [program, 'follow', capture, '--connection', String(record.connection_id), side, '--raw'], { maxBuffer: 2 ** 28 }).stdout
      t.is(Buffer.compare(raw('--client'), fwd), 0, `${capture} ${record.connection_id} client`)
      t.is(Buffer.compare(raw('--server'), rev), 0, `${capture} ${record.connection_id} server`)
      compared += fwd.length + rev.length
    }
  t.true(compared > 1000)
})
