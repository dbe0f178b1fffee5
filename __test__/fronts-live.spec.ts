// decode-tcp, extract and trace on an interface: what two hosts send each other is what each of them gives, and Ctrl-C ends
// them well. Needs Linux and root.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { connections } from '../src/index.js'
import { program } from './support/cli.js'
import { collect } from './support/collect.js'
import { root } from './support/places.js'
import { obstacle, sh, Wire } from './support/wire.js'

const why = obstacle([])
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-fronts-live-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** Octets that client and server send on each connection, to ports from 7000 on. */
const SIZES = [[40_000, 7], [1, 60_000], [0, 1460]] as const

const sentText = (side: string, i: number, length: number): string => `${side}${i}.`.repeat(Math.ceil(length / 3)).slice(0, length)

/** Runs a command on an interface while two hosts talk, until it is told to stop. */
async function overheard(t: ExecutionContext, name: string, ...args: string[]): Promise<string | null> {
  t.timeout(120_000)
  if (why !== null) {
    t.log(`skipped: ${why}`)
    t.pass()
    return null
  }
  const wire = new Wire()
  try {
    const place = join(folder, name)
    mkdirSync(place)
    SIZES.forEach((sizes, i) => sizes.forEach((size, side) => writeFileSync(join(place, `${'cs'[side]}-${i}`), sentText('cs'[side]!, i, size))))
    const inside = wire.start(wire.b, process.execPath, program, name, '-i', 'e0', '-q', ...args)
    // A packet socket is there: a line behind the head of the kernel's list.
    while (sh(`ip netns exec ${wire.b} cat /proc/net/packet`).trim().split('\n').length < 2) await sleep(20)
    const transfer = join(root, '__test__', 'support', 'transfer.mjs')
    const server = wire.start(wire.b, process.execPath, transfer, 'server', place, String(SIZES.length))
    await server.says('ready')
    const client = wire.start(wire.a, process.execPath, transfer, 'client', place, String(SIZES.length), '10.98.0.2')
    await Promise.all([client.ended(), server.ended()])
    await sleep(500)
    const { status, stdout, stderr } = await inside.ended('SIGINT')
    t.deepEqual([status, stderr], [0, ''])
    return stdout
  } finally {
    wire.remove()
  }
}

const isServer = (port: number): boolean => port >= 7000 && port < 7000 + SIZES.length

test.serial('decode-tcp -i prints what comes over an interface', async t => {
  const stdout = await overheard(t, 'decode-tcp')
  if (stdout === null) return
  const printed = new Map<string, string>()
  for (const line of stdout.trimEnd().split('\n')) {
    const [id, text] = line.split(' ') as [string, string]
    const [from, to] = id.split('=>').map(end => Number(end.split(':')[1])) as [number, number]
    const key = isServer(from) ? `s-${from - 7000}` : `c-${to - 7000}`
    printed.set(key, (printed.get(key) ?? '') + text)
  }
  for (const [i, sizes] of SIZES.entries())
    for (const [side, size] of sizes.entries()) t.is(printed.get(`${'cs'[side]}-${i}`) ?? '', sentText('cs'[side]!, i, size))
})

/** Each file holds one of the connections, whole. */
async function holdConnections(t: ExecutionContext, place: string): Promise<void> {
  const names = readdirSync(place)
  t.is(names.length, SIZES.length)
  for (const name of names) {
    const [connection, ...others] = await collect(connections(join(place, name)))
    t.is(others.length, 0)
    const i = connection!.server_port - 7000
    const sides = [connection!.client, connection!.server].map(side => Buffer.from(side.bytes()).toString('latin1'))
    t.deepEqual(sides, SIZES[i]!.map((size, side) => sentText('cs'[side]!, i, size)))
  }
}

test.serial('extract -i: streams of an interface', async t => {
  const out = join(folder, 'extracted')
  if ((await overheard(t, 'extract', '--out', out, '--writer', 'pcap')) !== null) await holdConnections(t, join(out, 'pcaps'))
})

test.serial('trace -i: flows of an interface', async t => {
  const out = join(folder, 'traced')
  if ((await overheard(t, 'trace', '--out', out, '--bidirectional')) !== null) await holdConnections(t, out)
})
