// One flow is one task: `reduce` follows an elephant as long as it likes, with the right record and in memory that doesn't
// grow with it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { program } from './support/cli.js'
import { Elephant, SEGMENT } from './support/elephant.js'
import { packetStream } from './support/partitions.js'

const MIB = 2 ** 20

/** What `reduce` printed of an elephant, and the most memory it had before the end, in octets; null where none is told. */
async function reduce(elephant: Elephant, headers: boolean, words: readonly string[]): Promise<{ record: Record<string, unknown>; memory: number | null }> {
  const child = spawn(process.execPath, [program, 'reduce', '-q', ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  const printed = text(child.stdout)
  for await (const octets of packetStream(elephant.rows(headers))) if (!child.stdin.write(octets)) await once(child.stdin, 'drain')
  const memory = mostMemory(child.pid!)
  child.stdin.end()
  const lines = (await printed).trim().split('\n')
  if (lines.length !== 1) throw new Error(`${lines.length} records`)
  return { record: JSON.parse(lines[0]!) as Record<string, unknown>, memory }
}

function mostMemory(pid: number): number | null {
  const file = `/proc/${pid}/status`
  return existsSync(file) ? Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))![1]) * 1024 : null
}

/** The same as eight times as long: what is asked of both, and how much more memory the long one took. */
async function twice(t: ExecutionContext, segments: number, headers: boolean, words: readonly string[], check: (record: Record<string, unknown>, of: Elephant) => void): Promise<void> {
  const found: (number | null)[] = []
  for (const count of [segments, 8 * segments]) {
    const elephant = new Elephant(count)
    const { record, memory } = await reduce(elephant, headers, words)
    check(record, elephant)
    found.push(memory)
  }
  const [short, long] = found
  if (typeof short !== 'number' || typeof long !== 'number') {
    t.log('memory is not told here')
    return
  }
  const more = 7 * segments * (headers ? 54 : SEGMENT)
  t.log(`${Math.round(short / MIB)} MiB, and ${Math.round(long / MIB)} MiB with ${Math.round(more / MIB)} MiB of packets more`)
  t.true(long - short < 48 * MIB)
}

test.serial('connections: the whole stream of an elephant, in memory that does not grow with it', async t => {
  t.timeout(300_000)
  await twice(t, 24_000, false, ['--connections', '--hash', 'sha256'], (record, { segments, sha256, packets }) => {
    const { stream_len_fwd, payload_bytes_fwd, gap_bytes_fwd, stream_sha256_fwd, packets_fwd, packets_rev, state } = record
    t.deepEqual([stream_len_fwd, payload_bytes_fwd, gap_bytes_fwd, state], [segments * SEGMENT, segments * SEGMENT, 0, 'closed'])
    t.deepEqual([packets_fwd, Number(packets_fwd) + Number(packets_rev)], [segments + 3, packets])
    t.is(stream_sha256_fwd, sha256)
  })
})

test.serial('flows: all packets of an elephant, from headers', async t => {
  t.timeout(300_000)
  await twice(t, 60_000, true, [], (record, { segments, packets }) => {
    const { pkt_fwd, pkt_rev, oct_fwd } = record
    t.deepEqual([pkt_fwd, Number(pkt_fwd) + Number(pkt_rev)], [segments + 3, packets])
    t.is(oct_fwd, segments * (SEGMENT + 40) + 120)
  })
})
