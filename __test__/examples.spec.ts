// The examples run as they are written.
import { execFile } from 'node:child_process'
import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { basicChain, connections, observe, tcpChain } from '../src/index.js'
import { collect } from './support/collect.js'
import { root } from './support/places.js'
import { handshakes, talking } from './support/sample.js'

const sample = 'examples/captures/sample.pcap'

/** What a program prints, without standard input or with a file there. */
function run(file: string, input?: string, ...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ['--import=@oxc-node/core/register', file, ...words]
    const child = execFile(process.execPath, args, { cwd: root }, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
    if (input === undefined) child.stdin!.end()
    else createReadStream(join(root, input)).pipe(child.stdin!)
  })
}

test('flow-records.ts', async t => {
  const lines: string[] = []
  for await (const flow of observe(join(root, sample), { chains: [basicChain(), tcpChain()] }))
    if (flow.tcp_connected && flow.tcp_rst_rev) lines.push(`${flow.sip} ${flow.dp} ${flow.pkt_fwd}\n`)
  t.is(await run('examples/flow-records.ts'), lines.join(''))
})

test('handshake-time.ts', async t => {
  const lines = (await run('examples/handshake-time.ts', sample)).trim().split('\n')
  t.true(lines.length > 10)
  t.is(lines.filter(line => !line.endsWith(' null')).length, await handshakes())
})

test('columns.ts', async t => {
  let [flows, octets] = [0, 0]
  for await (const flow of observe(join(root, sample), { chains: [basicChain()] })) {
    flows += 1
    octets += flow.oct_fwd
  }
  t.is(await run('examples/columns.ts'), `${flows} flows, ${octets} octets forward\n`)
})

test('follow-streams.ts', async t => {
  const lines = (await run('examples/follow-streams.ts')).trim().split('\n')
  const octets = lines.map(line => Number(/ (?:fwd|rev) (\d+),/.exec(line)?.[1] ?? 0)).reduce((a, b) => a + b)
  const records = await collect(connections(join(root, sample)))
  t.is(octets, records.reduce((sum, c) => sum + c.client.length + c.server.length, 0))
  t.is(lines.filter(line => line.endsWith(' closed')).length, records.filter(c => c.end_reason === 'fin' || c.end_reason === 'rst').length)
  t.is(lines.filter(line => / (closed|ended)$/.test(line)).length, records.length)
})

test('decode-tcp.ts', async t => {
  const last = new Map((await run('examples/decode-tcp.ts')).trim().split('\n').map(line => line.split(' ') as [string, string]))
  for (const c of await talking()) {
    const [mark, client, server] = [c.ip_version === 4 ? ':' : '.', c.client_addr, c.server_addr]
    if (c.client.length > 0) t.is(last.get(`${client}${mark}${c.client_port}=>${server}${mark}${c.server_port}`), String(c.client.length))
    if (c.server.length > 0) t.is(last.get(`${server}${mark}${c.server_port}=>${client}${mark}${c.client_port}`), String(c.server.length))
  }
})

test('extract-streams.ts', async t => {
  const printed = await run('examples/extract-streams.ts')
  const found = await collect(connections(join(root, sample)))
  t.is(printed.split('\n').length - 1, found.length)
  for (const { client_port, server_port, client, server } of found) {
    t.regex(printed, new RegExp(`:${client_port} ==> .*\\b${client_port}: ${client.length}\\b`))
    t.regex(printed, new RegExp(`:${server_port} .*\\b${server_port}: ${server.length}\\b`))
  }
})

test('stream-events.ts', async t => {
  const lines = (await run('examples/stream-events.ts')).trim().split('\n')
  const records = await collect(connections(join(root, sample), { filter: 'tcp port 80' }))
  const ends = records.map(c => `${c.connection_id} ${c.end_reason} ${c.client.length + c.server.length}`)
  const gaps = records.flatMap(c => [...c.gaps_fwd, ...c.gaps_rev])
  t.deepEqual(lines.filter(line => !line.includes(' missing ')).toSorted(), ends.toSorted())
  t.is(lines.filter(line => line.includes(' missing ')).length, gaps.length)
})

test('connections.ts', async t => {
  const printed = await run('examples/connections.ts')
  for (const c of (await collect(connections(join(root, sample)))).filter(({ server_port }) => server_port === 80))
    t.true(printed.includes(`${c.client_addr}:${c.client_port} → ${c.server_addr}:80 ${c.client.length} ${c.server.length}`))
})

test('trace-flows.ts', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tcpskein-example-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const flows = Number.parseInt(await run('examples/trace-flows.ts', undefined, folder), 10)
  t.true(flows > 0)
  t.is(readdirSync(folder).filter(name => name.endsWith('.pcap')).length, flows)
})

test('js-engine.ts', async t => {
  const lines: string[] = []
  for await (const { sip, dip, pkt_fwd } of observe(join(root, sample), { chains: [basicChain()] })) lines.push(`${sip} ${dip} ${pkt_fwd}\n`)
  t.is(await run('examples/js-engine.ts'), lines.join(''))
})

test('live-flows.ts', async t => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    t.log('skipped: capturing on an interface needs Linux and root')
    return
  }
  const server = createServer(socket => socket.end('x'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  // Again and again, because the program needs a while until it captures.
  const talk = setInterval(() => connect(port, '127.0.0.1').resume().on('error', () => {}), 100)
  t.teardown(() => {
    clearInterval(talk)
    server.close()
  })
  const printed = await run('examples/live-flows.ts', undefined, 'lo', '4000')
  t.regex(printed, new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${port} \\d+$`, 'm'))
})
