// The ground truth: real hosts (Linux TCP in two network namespaces) send each other known files over a bad wire; what
// tcpdump captured must give every file again, octet by octet.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { connections } from '../src/index.js'
import { collect } from './support/collect.js'
import { root } from './support/places.js'
import { lossyWire, obstacle, Wire, type Inside } from './support/wire.js'

/** Octets that client and server send on each connection. */
const SIZES: readonly (readonly [number, number])[] = [
  [20_000_000, 1], [1, 5_000_000], [2_000_000, 2_000_000], [0, 700_000], [65_536, 65_535], [1460, 1461], [100_000, 0], [17, 0],
]
/** In how many of 10,000 frames the wire loses, repeats, and holds back. */
const TROUBLE = ['100', '50', '150']

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-truth-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const digest = (octets: Uint8Array) => createHash('sha256').update(octets).digest('hex')

/** Writes the files; their digests by name. */
function writeFiles(): Map<string, string> {
  const digests = new Map<string, string>()
  SIZES.forEach((sizes, i) => {
    for (const [side, size] of [['c', sizes[0]], ['s', sizes[1]]] as const) {
      const octets = randomBytes(size)
      writeFileSync(join(folder, `${side}-${i}`), octets)
      digests.set(`${side}-${i}`, digest(octets))
    }
  })
  return digests
}

/** Waits for a program's end; what it said. */
async function whole(inside: Inside, signal?: NodeJS.Signals): Promise<string> {
  const { status, said } = await inside.ended(signal)
  if (status !== 0) throw new Error(`exit status ${status}: ${said}`)
  return said
}

/** Sends everything; the capture's path. */
async function transfer(wire: Wire): Promise<string> {
  const capture = join(folder, 'capture.pcap')
  const script = join(root, '__test__', 'support', 'transfer.mjs')
  const tcpdump = wire.start(wire.b, 'tcpdump', '-i', 'e0', '-s', '0', '-B', '65536', '-w', capture, 'tcp')
  await tcpdump.says('listening')
  const server = wire.start(wire.b, process.execPath, script, 'server', folder, String(SIZES.length))
  await server.says('ready')
  const client = wire.start(wire.a, process.execPath, script, 'client', folder, String(SIZES.length), '10.98.0.2')
  await Promise.all([whole(client), whole(server)])
  // tcpdump is given a block of packets when it is full or a second old; what is in one when it is stopped is lost.
  await sleep(1500)
  const told = await whole(tcpdump, 'SIGINT')
  if (!/\b0 packets dropped by kernel/.test(told)) throw new Error(`the capture is not whole: ${told}`)
  return capture
}

test('files sent over a bad wire come out of the capture whole', async t => {
  t.timeout(60_000)
  const why = obstacle(['tcpdump', 'gcc'])
  if (why !== null) {
    t.log(`skipped: ${why}`)
    t.pass()
    return
  }
  const wire = new Wire([lossyWire(folder), '7', ...TROUBLE])
  try {
    const digests = writeFiles()
    const capture = await transfer(wire)
    const records = await collect(connections(capture, { maxStreamBytes: 2 ** 25, maxKeptBytes: 2 ** 27 }))
    const total = (name: 'out_of_order' | 'retransmitted_bytes') =>
      records.reduce((sum, record) => sum + record[`${name}_fwd`] + record[`${name}_rev`], 0)
    t.log(`${total('out_of_order')} segments out of order, ${total('retransmitted_bytes')} octets again`)
    t.true(total('out_of_order') > 50 && total('retransmitted_bytes') > 50_000, 'the wire was bad')
    t.is(records.length, SIZES.length)
    for (const record of records) {
      const i = record.server_port - 7000
      t.deepEqual([record.client.length, record.server.length], [...SIZES[i]!])
      t.is(digest(record.client.bytes()), digests.get(`c-${i}`)!, `c-${i}`)
      t.is(record.server.sha256(), digests.get(`s-${i}`)!, `s-${i}`)
      t.deepEqual([...record.gaps_fwd, ...record.gaps_rev], [])
      t.deepEqual([record.connected, record.conflict_bytes_fwd, record.conflict_bytes_rev], [true, 0, 0])
      t.is(record.end_reason, 'fin')
    }
  } finally {
    wire.remove()
  }
})
