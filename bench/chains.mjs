/**
 * What chains cost: the built-in ones in the engine, one in TypeScript, and all in TypeScript; and that memory doesn't
 * grow.
 *
 *   node --expose-gc bench/chains.mjs CAPTURE [RUNS]
 */
import { argv, exit, memoryUsage } from 'node:process'
import {
  basicChain, dnsChain, dscpChain, ecnChain, evilChain, icmpChain, mssChain, noopChain, observe, tcpChain,
  tcpOptChain, tcpOptions, tfoChain, udpChain,
} from '../dist/index.js'

/** @typedef {import('../dist/index.js').AnyChain} AnyChain */

/** @returns {AnyChain[]} */
const all = () => [
  basicChain(), tcpChain(), tcpOptChain(), mssChain(), tfoChain(), ecnChain(), dscpChain(), evilChain(), icmpChain(),
  udpChain(), dnsChain(), noopChain(),
]

/**
 * Reads what most chains read, of every segment.
 * @type {import('../dist/index.js').Chain<{ sum: number }>}
 */
const reader = {
  name: 'reader',
  newFlow: () => ({ sum: 0 }),
  tcp(record, segment) {
    // `%` of such sums would be a division of doubles, which takes as long as all else here.
    record.sum = (record.sum + segment.flags + segment.seq + segment.ack + segment.window) & 0xfff_ffff
    return true
  },
}

/**
 * The options of SYNs.
 * @type {import('../dist/index.js').Chain<{ shift: number | null }>}
 */
const syns = {
  name: 'syns',
  newFlow: () => ({ shift: null }),
  tcp(record, segment) {
    if ((segment.flags & 2) !== 0) record.shift ??= tcpOptions(segment).windowScale
  },
}

/** @type {Record<string, () => AnyChain[]>} */
const CASES = {
  'no chain': () => [],
  'basic, tcp natively': () => [basicChain(), tcpChain()],
  'all built-in natively': all,
  'one TypeScript chain: flags, seq, ack, window': () => [reader],
  'one TypeScript chain: options of SYNs': () => [syns],
  'basic, tcp and one TypeScript chain': () => [basicChain(), tcpChain(), reader],
  'all built-in in TypeScript': () => all().map(chain => Object.assign({}, chain)),
}

/**
 * @param {string} capture
 * @param {AnyChain[]} chains
 */
async function run(capture, chains) {
  const start = performance.now()
  const observer = observe(capture, { chains })
  let flows = 0
  for await (const _ of observer) flows += 1
  return { seconds: (performance.now() - start) / 1000, packets: observer.stats.packets, flows }
}

/**
 * Resident memory after each of several runs in one process, until there were as many packets, or fifty runs.
 * @param {string} capture
 * @param {number} least
 */
async function memory(capture, least) {
  /** @type {number[]} */
  const megabytes = []
  let packets = 0
  while (packets < least && megabytes.length < 50) {
    packets += (await run(capture, [basicChain(), reader])).packets
    globalThis.gc?.()
    megabytes.push(Math.round(memoryUsage().rss / 1e6))
  }
  console.log(`memory after each run, ${packets} packets in all, MB: ${megabytes.join(' ')}`)
}

const [capture, runs = '5'] = argv.slice(2)
if (capture === undefined) {
  console.error('usage: bench/chains.mjs CAPTURE [RUNS]')
  exit(2)
}
for (const [name, chains] of Object.entries(CASES)) {
  const samples = []
  for (let i = 0; i < Number(runs); i++) samples.push(await run(capture, chains()))
  const best = samples.reduce((a, b) => (b.seconds < a.seconds ? b : a))
  if (samples.some(({ packets, flows }) => packets !== best.packets || flows !== best.flows)) throw new Error('runs must agree')
  const nanoseconds = (best.seconds * 1e9) / best.packets
  console.log(`${name}: ${best.seconds.toFixed(3)} s, ${nanoseconds.toFixed(0)} ns/packet, ${best.packets} packets, ${best.flows} flows`)
}
await memory(capture, 10_000_000)
