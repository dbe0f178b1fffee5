// The built-in chains give the same records and counters in the engine and in TypeScript: on whole captures, on mutated
// ones, and with timeouts and limits that matter.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import {
  basicChain, dnsChain, dscpChain, ecnChain, evilChain, icmpChain, mssChain, noopChain, observe, tcpChain, tcpOptChain,
  tfoChain, udpChain, type AnyChain, type ObserveTimes,
} from '../src/index.js'
import { icmpError, pcap, tcpFrame, udpFrame } from './support/frames.js'
import { Random } from './support/random.js'

const makers = [
  basicChain, tcpChain, tcpOptChain, mssChain, tfoChain, ecnChain, dscpChain, evilChain, icmpChain, udpChain, dnsChain,
  noopChain,
]

const OPTIONS: readonly ObserveTimes[] = [
  {},
  { idleTimeout: 0.5, expiryTimeout: 0, maxFlows: 3 },
  { idleTimeout: 2.25, expiryTimeout: 1.5, aggregate: true },
  { idleTimeout: Infinity, expiryTimeout: Infinity, maxFlows: 1 },
]

async function run(capture: string | Uint8Array, chains: readonly AnyChain[], options: ObserveTimes) {
  const errors: string[] = []
  const observer = observe(capture, { chains, ...options, onError: error => errors.push(`${error.code} ${error.message}`) })
  const records: unknown[] = []
  for await (const flow of observer) records.push({ ...flow })
  // How far the input was read when it turned out to be damaged depends on the size of blocks.
  const { inputBytes: _, ...stats } = observer.stats
  return { records, errors, stats }
}

const natively = (capture: string | Uint8Array, options: ObserveTimes) => run(capture, makers.map(make => make()), options)
const inTypeScript = (capture: string | Uint8Array, options: ObserveTimes) =>
  run(capture, makers.map((make): AnyChain => Object.assign({}, make())), options)

const sample = join(import.meta.dirname, '../examples/captures/sample.pcap')
const fixtures = join(import.meta.dirname, 'fixtures/captures')

test('the sample and every fixture', async t => {
  const captures = [sample, ...readdirSync(fixtures).filter(name => name.endsWith('.pcap')).map(name => join(fixtures, name))]
  for (const capture of captures)
    for (const options of OPTIONS) t.deepEqual(await inTypeScript(capture, options), await natively(capture, options), capture)
})

test('mutated captures', async t => {
  const whole = readFileSync(sample).subarray(0, 60_000)
  for (let round = 0; round < 60; round++) {
    const random = new Random(round + 1)
    const capture = Uint8Array.from(whole)
    for (let i = 0; i < 400; i++) mutate(capture, random)
    const options = OPTIONS[round % OPTIONS.length]!
    t.deepEqual(await inTypeScript(capture, options), await natively(capture, options), `round ${round}`)
  }
})

/** Changes one octet of one packet, of its headers mostly; the capture's own headers stay. */
function mutate(capture: Uint8Array, random: Random): void {
  const view = new DataView(capture.buffer)
  let at = 24
  for (let skip = random.below(200); skip > 0; skip--) {
    const next = at + 16 + view.getUint32(at + 8, true)
    if (next + 16 + 14 > capture.length) break
    at = next
  }
  const length = Math.min(view.getUint32(at + 8, true), capture.length - at - 16)
  if (length > 0) capture[at + 16 + random.below(Math.min(length, 90))] = random.below(256)
}

test('mutated DNS messages', async t => {
  const message = Uint8Array.from([
    0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 1,
    7, 101, 120, 97, 109, 112, 108, 101, 3, 99, 111, 109, 0, 0, 1, 0, 1,
    0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 6, 3, 119, 119, 119, 0xc0, 12,
    0xc0, 41, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1,
    0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0,
  ])
  const random = new Random(7)
  const frames: [bigint, Uint8Array][] = []
  for (let i = 0; i < 6000; i++) {
    const answer = Uint8Array.from(message).subarray(0, i % 9 === 8 ? random.below(message.length) : message.length)
    for (let n = i % 4; n > 0; n--) answer[2 + random.below(message.length - 2)] = [0, 1, 12, 41, 63, 64, 192, 255][random.below(8)]!
    const overTcp = i % 5 === 0
    const asked = overTcp ? tcpFrame({ ports: [i + 1, 53] }) : withPort(udpFrame({ payload: message.subarray(0, 12) }), i + 1, 34)
    const said = overTcp
      ? tcpFrame({ ports: [53, i + 1], reversed: true, payload: Uint8Array.of(0, answer.length, ...answer) })
      : withPort(reversed(udpFrame({ payload: answer })), i + 1, 36)
    frames.push([BigInt(i), asked], [BigInt(i), said])
  }
  const native = await natively(pcap(frames), {})
  t.deepEqual(await inTypeScript(pcap(frames), {}), native)
  const valid = (native.records as { dns_response_valid: boolean }[]).filter(flow => flow.dns_response_valid).length
  t.true(valid > 1500 && valid < 5000, `${valid} valid ones: the mutations must hit and miss`)
})

function withPort(frame: Uint8Array, port: number, at: number): Uint8Array {
  new DataView(frame.buffer, frame.byteOffset).setUint16(at, port)
  return frame
}

/** Addresses and ports change places. */
function reversed(frame: Uint8Array): Uint8Array {
  const out = Uint8Array.from(frame)
  out.set(frame.subarray(30, 34), 26)
  out.set(frame.subarray(26, 30), 30)
  out.set(frame.subarray(36, 38), 34)
  out.set(frame.subarray(34, 36), 36)
  return out
}

test('what the chains say where PATHspider\'s text and code differ', async t => {
  const ect0 = 2
  const frames = [
    tcpFrame({ flags: 2, tos: 0x28 }), tcpFrame({ flags: 2, tos: 0x48 }), // two SYNs: the first codepoint counts
    tcpFrame({ flags: 0x10, tos: 0x60 | ect0 }), // no SYN, no data: no mark
    tcpFrame({ flags: 0x10, payload: Uint8Array.of(1) }), tcpFrame({ flags: 0x10, tos: 0x28, payload: Uint8Array.of(1) }),
  ]
  const capture = pcap(frames.map((frame, i) => [BigInt(i), frame]))
  for (const { records } of [await natively(capture, {}), await inTypeScript(capture, {})])
    t.like(records[0], { dscp_mark_syn_fwd: 10, dscp_mark_data_fwd: 0, ecn_ect0_data_fwd: false, ecn_ect0_syn_fwd: false })
})

test('a flow is complete after an unreachable message in reverse direction', async t => {
  const udp = udpFrame({ payload: Uint8Array.of(1) })
  const capture = pcap([[0n, udp], [1n, icmpError(udp, 11)], [2n, icmpError(udp, 3)]])
  for (const { records } of [await natively(capture, {}), await inTypeScript(capture, {})])
    t.like(records, [{ icmp_unreachable: true, end_reason: 'complete', pkt_fwd: 1, pkt_rev: 2 }])
})

const dev = join(process.env.TCPSKEIN_CORPUS ?? join(import.meta.dirname, '../../shared/corpus'), 'dev')

test('every capture of the corpus', async t => {
  if (!existsSync(join(dev, 'MANIFEST.json'))) {
    t.log(`skipped: no ${dev}; set TCPSKEIN_CORPUS`)
    t.pass()
    return
  }
  t.timeout(300_000)
  const captures = (folder: string) => readdirSync(join(dev, folder)).map(name => join(dev, folder, name))
  let flows = 0
  for (const [i, capture] of [...captures('captures'), ...captures('captures-bad')].entries()) {
    const options = OPTIONS[i % OPTIONS.length]!
    const native = await natively(capture, options)
    t.deepEqual(await inTypeScript(capture, options), native, capture)
    flows += native.records.length
  }
  t.log(`${flows} flows`)
})
