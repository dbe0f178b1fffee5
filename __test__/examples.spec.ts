// The examples run as they are written, and the program in the guide does.
import { execFile } from 'node:child_process'
import { createReadStream, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { basicChain, observe, tcpChain } from '../src/index.js'

const root = join(import.meta.dirname, '..')
const sample = 'examples/captures/sample.pcap'

/** What a program prints. */
function run(file: string, input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ['--import=@oxc-node/core/register', file]
    const child = execFile(process.execPath, args, { cwd: root }, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
    if (input === undefined) child.stdin!.end()
    else createReadStream(join(root, input)).pipe(child.stdin!)
  })
}

/** Handshakes of the sample by another way: from the records of built-in chains alone. */
async function connected(): Promise<number> {
  let n = 0
  for await (const flow of observe(join(root, sample), { chains: [tcpChain()] }))
    if (flow.tcp_synflags_fwd === 2 && flow.tcp_synflags_rev !== null && (flow.tcp_synflags_rev & 0x12) === 0x12) n += 1
  return n
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
  t.is(lines.filter(line => !line.endsWith(' null')).length, await connected())
})

test('columns.ts', async t => {
  let [flows, octets] = [0, 0]
  for await (const flow of observe(join(root, sample), { chains: [basicChain()] })) {
    flows += 1
    octets += flow.oct_fwd
  }
  t.is(await run('examples/columns.ts'), `${flows} flows, ${octets} octets forward\n`)
})

test('the program in docs/write-a-chain.md', async t => {
  const [, program] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/write-a-chain.md'), 'utf8')) ?? []
  const file = join(root, 'examples', `guide-${process.pid}.ts`)
  writeFileSync(file, program!)
  try {
    const lines = (await run(file)).trim().split('\n')
    t.is(lines.length, await connected())
    for (const line of lines) t.regex(line, /^[0-9a-f.:]+ port \d+: [\d.]+ µs$/)
  } finally {
    rmSync(file)
  }
})
