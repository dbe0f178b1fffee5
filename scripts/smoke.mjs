// Runs an addon on this machine: `node scripts/smoke.mjs [path of the addon]`, without one the checkout's own. The flows
// of the shipped capture must be what is written about it, the digests of its streams those of Node's own SHA-256, and a
// panic must be caught, which depends on how the library was linked. Works on dist/ and needs no other package.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { root } from './tools.mjs'

const [addon] = process.argv.slice(2)
if (addon !== undefined) process.env.NAPI_RS_NATIVE_LIBRARY_PATH = resolve(addon)

// By a name that is made up here, so that types can be checked where nothing is built.
const index = new URL('../dist/index.js', import.meta.url).href
const { basicChain, connections, observe, tcpChain } = await import(index)
const capture = join(root, 'examples', 'captures', 'sample.pcap')

async function flowsAreRight() {
  const { flows } = JSON.parse(readFileSync(join(root, '__test__', 'fixtures', 'captures', 'sample.json'), 'utf8'))
  const expected = new Map(flows.map((/** @type {{ first_packet: number }} */ flow) => [flow.first_packet, flow]))
  let records = 0
  for await (const flow of observe(capture, { chains: [basicChain(), tcpChain()] })) {
    const wanted = expected.get(flow.first_packet) ?? assert.fail(`a flow that begins with packet ${flow.first_packet}`)
    for (const [name, value] of Object.entries(wanted)) {
      const found = flow[name]
      assert.equal(typeof found === 'bigint' ? found.toString() : found, value, `${name} of packet ${flow.first_packet}`)
    }
    records += 1
  }
  assert.equal(records, flows.length)
  return records
}

async function streamsAreWhole() {
  let octets = 0
  for await (const record of connections(capture, { hash: 'sha256' })) {
    for (const [side, name] of [[record.client, 'fwd'], [record.server, 'rev']]) {
      octets += side.length
      assert.equal(createHash('sha256').update(side.bytes()).digest('hex'), record[`stream_sha256_${name}`])
    }
  }
  assert.ok(octets > 0)
  return octets
}

async function panicIsCaught() {
  const path = join(root, 'src', 'binding')
  const own = readdirSync(path).find(name => name.endsWith('.node') && name.includes(`.${process.platform}-${process.arch}`))
  const { NativeReader } = createRequire(import.meta.url)(process.env.NAPI_RS_NATIVE_LIBRARY_PATH ?? join(path, own ?? ''))
  const fragments = { fragmentPolicy: 'first', fragmentTimeoutV4: 30, fragmentTimeoutV6: 60, fragmentMaxBytes: 1 << 20 }
  const decode = { decap: true, ignoreEncap: false, checksum: 'ignore', ...fragments }
  const reader = NativeReader.flows({ idleTimeout: 30, expiryTimeout: 5, chains: [], maxFlows: 10, aggregate: false, decode })
  reader.openPath(capture, 'capture')
  reader.panicForTests()
  await assert.rejects(reader.next(new Uint8Array(JSON.parse(reader.layout()).byteLength)), { code: 'ERR_INTERNAL' })
}

const flows = await flowsAreRight()
const octets = await streamsAreWhole()
await panicIsCaught()
console.log(`${process.platform} ${process.arch}, Node ${process.versions.node}: ${flows} flows, ${octets} octets of streams, all as expected`)
