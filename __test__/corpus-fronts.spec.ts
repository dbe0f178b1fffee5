// TCPStreamFollower and decodeTcp over real captures: what they give is what two independent tools say.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { TCPStreamFollower, connections, decodeTcp, type TcpStream } from '../src/index.js'
import { has } from './support/cli.js'
import { collect } from './support/collect.js'
import { NO_CORPUS, corpusFolder } from './support/places.js'

const corpus = corpusFolder()
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-fronts-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** What one side sent, as the corpus' checker reads it. */
interface Side {
  length: number
  sha256: string
}

/** One connection, likewise. */
interface Checked {
  client: { addr: string; port: number }
  server: { addr: string; port: number }
  streamFwd: Side
  streamRev: Side
}

const side = (octets: readonly Uint8Array[]): Side => {
  const hash = createHash('sha256')
  for (const piece of octets) hash.update(piece)
  return { length: octets.reduce((sum, piece) => sum + piece.length, 0), sha256: hash.digest('hex') }
}

/** What the follower says of a capture, in order of first segments. */
async function followed(path: string): Promise<Checked[]> {
  const streams: TcpStream[] = []
  const follower = new TCPStreamFollower({ onEnd: stream => void streams.push(stream), onError: () => {} })
  await follower.feed(path)
  await follower.close()
  return streams
    .toSorted((a, b) => a.identifier - b.identifier)
    .map(stream => ({
      client: { addr: stream.clientAddr, port: stream.clientPort },
      server: { addr: stream.serverAddr, port: stream.serverPort },
      streamFwd: side([stream.clientPayload]),
      streamRev: side([stream.serverPayload]),
    }))
}

/** What `decodeTcp` says of it. A connection without octets has no piece: that there was one is told by its record. */
async function decoded(path: string): Promise<Checked[]> {
  const pieces = new Map<number, [fwd: Uint8Array[], rev: Uint8Array[]]>()
  for await (const { connection, direction, data } of decodeTcp(path, { since: 'lastPush', onError: () => {} })) {
    const sides = pieces.get(connection.connection_id) ?? [[], []]
    sides[direction === 'fwd' ? 0 : 1].push(data)
    pieces.set(connection.connection_id, sides)
  }
  const records = await collect(connections(path, { maxStreamBytes: 0, onError: () => {} }))
  return records
    .toSorted((a, b) => a.connection_id - b.connection_id)
    .map(({ connection_id, client_addr, client_port, server_addr, server_port }) => {
      const [fwd, rev] = pieces.get(connection_id) ?? [[], []]
      return {
        client: { addr: client_addr, port: client_port },
        server: { addr: server_addr, port: server_port },
        streamFwd: side(fwd),
        streamRev: side(rev),
      }
    })
}

/**
 * The one direction that both tools agree on and that is otherwise here. Its server answers with three initial sequence
 * numbers (packets 1 and 2, 3, 4), the client acknowledges the last of them (packet 5), and what the server sends (packets
 * 6 to 10) counts from that. The tools count from packet 1, take those 5,427 octets for older ones and drop them.
 */
const MENDED = 'ddd07696b68d-tls_multiple_synack_different_seq.pcapng'

/** Asks the corpus' checker what share of the directions that both tools agree on is the same here. */
async function agrees(t: ExecutionContext, name: string, read: (path: string) => Promise<Checked[]>): Promise<void> {
  t.timeout(600_000)
  if (corpus === null || !has('python3')) {
    t.log(corpus === null ? NO_CORPUS : 'skipped: python3 is not installed')
    t.pass()
    return
  }
  const captures = join(corpus, 'dev', 'captures')
  const lines: string[] = []
  for (const capture of readdirSync(captures).toSorted())
    for (const connection of await read(join(captures, capture))) lines.push(`${JSON.stringify({ capture, ...connection })}\n`)
  const out = join(folder, `${name}.ndjson`)
  writeFileSync(out, lines.join(''))
  const args = [join(corpus, 'check.py'), join(corpus, 'dev'), out, '--gate', 'stream', '--min', '0.999', '--field', 'stream', '--show', '20']
  const { status, stdout } = spawnSync('python3', args, { encoding: 'utf8' })
  for (const line of stdout.split('\n')) if (line !== '') t.log(line)
  t.is(status, 0, stdout)
  const differing = stdout.split('\n').filter(text => /^\s*\[stream/.test(text))
  t.deepEqual(differing.map(text => text.includes(MENDED) && text.includes('streamFwd(empty)')), [true], stdout)
}

test('payloads of followed streams', async t => {
  await agrees(t, 'follower', followed)
})

test('pieces of decodeTcp since the last push, one behind the other', async t => {
  await agrees(t, 'decode-tcp', decoded)
})
