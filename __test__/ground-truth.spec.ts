// The ground truth: real hosts (Linux TCP in two network namespaces) send each other known files over a bad wire; what
// tcpdump captured must give every file again, octet by octet.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { connections } from '../src/index.js'
import { collect } from './support/collect.js'
import { root } from './support/places.js'

/** Octets that client and server send on each connection. */
const SIZES: readonly (readonly [number, number])[] = [
  [20_000_000, 1], [1, 5_000_000], [2_000_000, 2_000_000], [0, 700_000], [65_536, 65_535], [1460, 1461], [100_000, 0], [17, 0],
]
/** In how many of 10,000 frames the wire loses, repeats, and holds back. */
const TROUBLE = ['100', '50', '150']

const names = ['a', 'm', 'b'].map(end => `tskein${process.pid}${end}`) as [string, string, string]
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-truth-'))
const children: ChildProcess[] = []

function sh(line: string): void {
  const { status, stderr } = spawnSync('bash', ['-c', `set -e; ${line}`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${line}: ${stderr}`)
}

/** Why this can't run here, or null. */
function obstacle(): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = ['ip', 'ethtool', 'tcpdump', 'gcc'].filter(tool => spawnSync('which', [tool]).status !== 0)
  if (missing.length > 0) return `needs ${missing.join(', ')}`
  if (spawnSync('ip', ['netns', 'add', names[0]]).status !== 0) return 'network namespaces are not allowed here'
  return null
}

/** Two hosts, a and b, and m between them with an end of each one's cable. */
function buildNetwork(): void {
  const [a, m, b] = names
  sh(`ip netns add ${m}; ip netns add ${b}`)
  for (const [host, end, address] of [[a, 'left', '10.99.0.1'], [b, 'right', '10.99.0.2']] as const) {
    sh(`ip -n ${m} link add name ${end} type veth peer name e0 netns ${host}`)
    // Frames as on a real wire: no larger than the MTU, with their checksums.
    sh(`ip netns exec ${host} ethtool -K e0 tso off gso off gro off tx off >/dev/null; ip netns exec ${m} ethtool -K ${end} gro off >/dev/null`)
    sh(`ip -n ${host} addr add ${address}/24 dev e0; ip -n ${host} link set e0 up; ip -n ${m} link set ${end} up`)
  }
}

/** A program in one of the namespaces, and all that it says. */
class Inside {
  said = ''
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>

  constructor(name: string, command: string, args: readonly string[]) {
    this.#child = spawn('ip', ['netns', 'exec', name, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.said += String(chunk)))
    this.#closed = once(this.#child, 'close')
    children.push(this.#child)
  }

  /** Waits until it says that it runs. */
  async ready(word: string): Promise<void> {
    while (!this.said.includes(word)) {
      if (this.#child.exitCode !== null) throw new Error(`ended early: ${this.said}`)
      await sleep(10)
    }
  }

  /** Waits for its end, having told it to stop. */
  async ended(signal?: NodeJS.Signals): Promise<string> {
    if (signal) this.#child.kill(signal)
    await this.#closed
    if (this.#child.exitCode !== 0) throw new Error(`exit status ${this.#child.exitCode}: ${this.said}`)
    return this.said
  }
}

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

/** Sends everything; the capture's path and what the wire did. */
async function transfer(): Promise<{ capture: string; wire: string }> {
  const [a, m, b] = names
  const [program, capture] = [join(folder, 'lossy-wire'), join(folder, 'capture.pcap')]
  const script = join(root, '__test__', 'support', 'transfer.mjs')
  sh(`gcc -O2 -o "${program}" "${join(root, '__test__', 'support', 'lossy-wire.c')}"`)
  const wire = new Inside(m, program, ['left', 'right', '7', ...TROUBLE])
  await wire.ready('ready')
  const tcpdump = new Inside(b, 'tcpdump', ['-i', 'e0', '-s', '0', '-B', '65536', '-w', capture, 'tcp'])
  await tcpdump.ready('listening')
  const server = new Inside(b, process.execPath, [script, 'server', folder, String(SIZES.length)])
  await server.ready('ready')
  const client = new Inside(a, process.execPath, [script, 'client', folder, String(SIZES.length), '10.99.0.2'])
  await Promise.all([client.ended(), server.ended()])
  // The last acknowledgements.
  await sleep(500)
  const told = await tcpdump.ended('SIGINT')
  if (!/\b0 packets dropped by kernel/.test(told)) throw new Error(`the capture is not whole: ${told}`)
  return { capture, wire: (await wire.ended('SIGTERM')).replace('ready', '') }
}

/** Ends what this test started and takes its namespaces away, whose cables go with them. */
function tearDown(): void {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
  for (const name of names) spawnSync('ip', ['netns', 'del', name])
  rmSync(folder, { recursive: true, force: true })
}

test('files sent over a bad wire come out of the capture whole', async t => {
  t.timeout(60_000)
  const why = obstacle()
  if (why !== null) {
    t.log(`skipped: ${why}`)
    t.pass()
    return
  }
  try {
    buildNetwork()
    const digests = writeFiles()
    const { capture, wire } = await transfer()
    const records = await collect(connections(capture, { maxStreamBytes: 2 ** 25, maxKeptBytes: 2 ** 27 }))
    const total = (name: 'out_of_order' | 'retransmitted_bytes') =>
      records.reduce((sum, record) => sum + record[`${name}_fwd`] + record[`${name}_rev`], 0)
    t.log(`${wire.trim()}; ${total('out_of_order')} segments out of order, ${total('retransmitted_bytes')} octets again`)
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
    tearDown()
  }
})
