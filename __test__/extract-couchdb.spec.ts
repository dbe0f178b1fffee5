// CouchDbWriter against a server process that speaks CouchDB's protocol, and an embedded database: documents, second
// runs, lost connections, refusals.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import test from 'ava'
import { CouchDbWriter, OptionError, TCPStreamExtractor, WriterError, type FlowError } from '../src/index.js'
import { CouchServer, type Stored } from './support/couch.js'
import { pcap } from './support/frames.js'
import { naiveStreams } from './support/naive-streams.js'
import { samplePath } from './support/places.js'
import { ACK, framesOf, troubledCapture } from './support/stream-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-couch-'))
const servers: CouchServer[] = []
test.after.always(async () => {
  for (const server of servers) await server.kill()
  rmSync(folder, { recursive: true, force: true })
})

let folders = 0
async function newServer(): Promise<CouchServer> {
  const place = join(folder, `server-${++folders}`)
  mkdirSync(place)
  const server = new CouchServer(place)
  servers.push(server)
  await server.start()
  return server
}

const extract = (source: string | Uint8Array, writer: CouchDbWriter, options = {}) => new TCPStreamExtractor(source, { writers: [writer], ...options }).run()

/** The octets of a stream's documents, put together. */
function octets(documents: readonly Stored[], stream: string, side: 'client' | 'server'): Buffer {
  const parts = documents.filter(document => document.stream === stream)
  return Buffer.concat(parts.map(({ _attachments }) => Buffer.from(_attachments?.[side]?.data ?? '', 'base64')))
}

const trouble = { connections: 12, octets: 4000, loss: 9, duplicate: 7, reorder: 4 }

/** The documents hold the streams of a capture, each once. */
function holds(documents: readonly Stored[], capture: Uint8Array): boolean {
  const streams = new Set(documents.map(({ stream }) => stream as string))
  const naive = naiveStreams(capture)
  const ends = documents.filter(({ last }) => last === true)
  return (
    streams.size === naive.size &&
    ends.length === naive.size &&
    [...streams].every(stream => {
      const { fwd, rev } = naive.get(Number(/_(\d+)-/.exec(stream)![1]))!
      return octets(documents, stream, 'client').equals(fwd.octets) && octets(documents, stream, 'server').equals(rev.octets)
    })
  )
}

test('documents hold what streams are; a second run adds nothing', async t => {
  t.timeout(120_000)
  const server = await newServer()
  const capture = troubledCapture(1, trouble)
  const first = new CouchDbWriter({ url: `${server.url}/streams`, batchDocuments: 5 })
  await extract(capture, first, { flushPackets: 20 })
  const documents = await server.documents('streams')
  t.true(holds(documents, capture))
  t.deepEqual(first.stats, { added: documents.length, existing: 0, updated: 0, failed: 0, retries: 0 })
  t.true(documents.length > 12)

  const second = new CouchDbWriter({ url: `${server.url}/streams` })
  await extract(capture, second, { flushPackets: 20 })
  t.deepEqual(second.stats, { added: 0, existing: documents.length, updated: 0, failed: 0, retries: 0 })
  t.deepEqual(await server.documents('streams'), documents)

  // Cut otherwise, the same ids hold something else.
  const third = new CouchDbWriter({ url: `${server.url}/streams` })
  await extract(capture, third, { flushPackets: 21 })
  t.true(third.stats.updated > 0)
  t.is(third.stats.failed, 0)
})

test('a document\'s fields are those of a connection record', async t => {
  t.timeout(120_000)
  const server = await newServer()
  await extract(samplePath, new CouchDbWriter({ url: `${server.url}/sample` }))
  const documents = await server.documents('sample')
  const lines = await new TCPStreamExtractor(samplePath).summary()
  t.is(documents.length, lines.length)
  for (const line of lines) {
    const document = documents.find(({ stream }) => stream === line.id)!
    t.is(document._id, `${line.id}:00000000`)
    t.like(document, {
      type: 'tcp-stream-part',
      key: line.key,
      part: 0,
      last: true,
      ip_version: line.ipVersion,
      client_addr: line.clientAddr,
      server_port: line.serverPort,
      first_ns: String(line.firstNs),
      last_ns: String(line.lastNs),
      client_state: line.clientState,
      end_reason: line.endReason,
      packets_fwd: line.packets.client,
      payload_bytes_rev: line.payloadBytes.server,
      part_len_fwd: line.streamBytes.client,
    })
  }
})

test('a server that is killed in mid-run and comes back: no document is lost, none is there twice', async t => {
  t.timeout(240_000)
  const server = await newServer()
  const capture = troubledCapture(2, { ...trouble, connections: 60 })
  const writer = new CouchDbWriter({ url: `${server.url}/killed`, batchDocuments: 3, maxRetries: 200, retryDelay: 0.05 })
  const run = extract(capture, writer, { flushPackets: 10 })
  for (let kills = 0; kills < 3; kills++) {
    const before = writer.stats.added
    while (writer.stats.added < before + 10) await sleep(2)
    await server.kill()
    await sleep(150)
    await server.start()
  }
  await run
  const documents = await server.documents('killed')
  t.true(holds(documents, capture))
  t.is(new Set(documents.map(({ _id }) => _id)).size, documents.length)
  const { added, existing, failed, retries } = writer.stats
  t.is(added + existing, documents.length)
  t.deepEqual([failed, retries > 0], [0, true])
  t.log(`${documents.length} documents, ${retries} requests repeated, ${existing} stored by requests whose answers were lost`)
})

test('a server that is gone: each stream is named, and no credentials are', async t => {
  const url = 'http://somebody:s3cret%2Fword@127.0.0.1:9/streams'
  const secrets = /s3cret|somebody:|c29tZWJvZHk6/
  const options = { maxRetries: 2, retryDelay: 0.01 }
  const error = await t.throwsAsync(extract(samplePath, new CouchDbWriter({ url, ...options })), { instanceOf: WriterError })
  t.regex(error!.message, /^writer 'couchdb': http:\/\/127\.0\.0\.1:9\/streams: /)
  t.notRegex(inspect(error, { depth: 10 }), secrets)

  const server = await newServer()
  const authorized = server.url.replace('//', '//somebody:s3cret%2Fword@')
  const writer = new CouchDbWriter({ url: `${authorized}/gone`, batchDocuments: 2, ...options })
  const errors: FlowError[] = []
  await extract(samplePath, writer, {
    onWriterError: 'continue',
    onError: (one: FlowError) => errors.push(one),
    want: () => {
      // The database is there; then the server goes.
      server.strike()
      return true
    },
  })
  t.is(errors.length, 8)
  for (const one of errors) {
    t.regex(one.message, /^writer 'couchdb', stream \S+ ==> \S+: http:\/\/127/)
    t.notRegex(inspect(one, { depth: 10 }), secrets)
  }
  t.is(writer.stats.failed, 8)
})

test('what a server says is told, what it can\'t help is asked again, and credentials arrive', async t => {
  const seen: (string | undefined)[] = []
  let busy = 2
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    request.resume()
    const answer = (status: number, body: object) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (busy-- > 0) return answer(503, { error: 'busy', reason: 'come back for s3cret' })
    return answer(403, { error: 'forbidden', reason: 'not with s3cret' })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const writer = new CouchDbWriter({ url: `http://somebody:s3cret@127.0.0.1:${port}/prefix/db`, retryDelay: 0.01 })
  const error = await t.throwsAsync(extract(samplePath, writer), { instanceOf: WriterError })
  t.is(error!.message, `writer 'couchdb': http://127.0.0.1:${port}/prefix/db: status 403: forbidden: not with ***`)
  t.is(writer.stats.retries, 2)
  t.deepEqual(seen, Array.from({ length: 3 }, () => `Basic ${Buffer.from('somebody:s3cret').toString('base64')}`))
  server.close()
})

test('an answer that breaks off, or never comes, is a lost connection', async t => {
  const stored = new Map<string, { _id: string; digest: string }>()
  let [bulks, silent] = [0, 1]
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += String(chunk)))
    request.on('end', () => {
      const json = (value: unknown) => response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      if (request.method === 'PUT') return json({ ok: true })
      const { docs, keys } = JSON.parse(body) as { docs?: { _id: string; digest: string }[]; keys?: string[] }
      if (keys) return json({ rows: keys.map(id => ({ id, doc: stored.has(id) ? { ...stored.get(id), _rev: '1-x' } : null })) })
      const answers = docs!.map(doc => {
        if (stored.has(doc._id)) return { id: doc._id, error: 'conflict', reason: 'Document update conflict.' }
        stored.set(doc._id, doc)
        return { ok: true, id: doc._id, rev: '1-x' }
      })
      bulks += 1
      if (silent-- > 0) return undefined
      // The first answer after that is cut, the next one whole.
      if (bulks === 2) return response.writeHead(201, { 'content-type': 'application/json', 'content-length': 1000 }).end('[{"ok"', () => response.destroy())
      return json(answers)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const writer = new CouchDbWriter({ url: `http://127.0.0.1:${port}/db`, retryDelay: 0.01, timeout: 0.3 })
  await extract(samplePath, writer)
  t.is(stored.size, 8)
  const { retries, ...documents } = writer.stats
  t.deepEqual(documents, { added: 0, existing: 8, updated: 0, failed: 0 })
  // More where the machine is so busy that a whole answer takes too long.
  t.true(retries >= 2, `${retries} retries`)
})

test('an embedded database: documents, a second run, and sending them on', async t => {
  t.timeout(120_000)
  const path = join(folder, 'embedded')
  const capture = troubledCapture(4, trouble)
  const first = new CouchDbWriter({ path })
  await extract(capture, first)
  t.is(first.stats.added, 12)
  const second = new CouchDbWriter({ path })
  await extract(capture, second)
  t.deepEqual([second.stats.added, second.stats.existing], [0, 12])
  const server = await newServer()
  t.is((await second.replicateTo(`${server.url}/copied`)).docs_written, 12)
  t.true(holds(await server.documents('copied'), capture))
  t.is((await second.replicateTo(`${server.url}/copied`)).docs_written, 0)
  const error = await t.throwsAsync(second.replicateTo('http://somebody:s3cret@127.0.0.1:9/x'), { instanceOf: WriterError })
  t.notRegex(inspect(error, { depth: 10 }), /s3cret/)
  await t.throwsAsync(new CouchDbWriter({ url: `${server.url}/x` }).replicateTo(`${server.url}/y`), { code: 'ERR_CLOSED' })
})

test('options that can not be used; a URL is not repeated, for what is in it', t => {
  const wrong = [{}, { url: 'http://a/b', path: 'c' }, { url: 'nonsense s3cret' }, { url: 'ftp://a/b' }, { url: 'http://u:s3cret@a/' }, { url: 3 }, { path: '' }, { url: 'http://a/b', batchDocuments: 0 }, { url: 'http://a/b', retries: 3 }]
  for (const options of wrong) {
    const error = t.throws(() => new CouchDbWriter(options as never), { instanceOf: OptionError }, JSON.stringify(options))
    t.notRegex(error.message, /s3cret/)
  }
})

test('long streams and many: batches are bounded by octets', async t => {
  t.timeout(120_000)
  const server = await newServer()
  const steps = Array.from({ length: 600 }, (_, i) => ({ ports: [1000 + (i % 3), 80] as [number, number], flags: ACK, seq: 1 + Math.floor(i / 3) * 1000, payload: Buffer.alloc(1000, i % 251) }))
  const capture = pcap(framesOf(steps))
  const writer = new CouchDbWriter({ url: `${server.url}/long`, batchBytes: 50_000 })
  await extract(capture, writer, { flushBytes: 32_768 })
  const documents = await server.documents('long')
  t.true(holds(documents, capture))
  t.true(documents.length > 12)
  t.is(writer.stats.failed, 0)
})
