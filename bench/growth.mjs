// What a packet and a flow cost as flows become many, and what a long input costs beside a short one.
// usage: node bench/growth.mjs [flows | input] [FLOWS...]
//
// `flows`: captures of ten and twenty million packets over so many open flows (10,000, 100,000, 500,000 and 2,000,000), each
// flow's packets far apart; the time is from the start to the first record, which comes when all packets are in, and the
// memory is what the process has more then than with one flow. What the second ten million add is what packets of open
// flows cost; what the first ten million cost more, beside what one flow does, is for opening them. `input`: 1 GB and 10 GB, made meanwhile and piped in.
import { spawn } from 'node:child_process'
import { createWriteStream, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { basicChain, observe, tcpChain } from '../dist/index.js'

const PACKETS = 10_000_000
const FRAME = 54
const RECORD = 16 + FRAME
const SECOND = 1_767_607_200

/** A pcap file's header: microseconds, Ethernet. */
function fileHeader() {
  return Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex')
}

/** A buffer of `count` records with all in them that is always the same. */
function records(count) {
  const out = Buffer.alloc(count * RECORD)
  for (let at = 0; at < out.length; at += RECORD) {
    out.writeUInt32LE(FRAME, at + 8)
    out.writeUInt32LE(FRAME, at + 12)
    const ip = at + 16 + 14
    out.writeUInt16BE(0x0800, ip - 2)
    out.writeUInt8(0x45, ip)
    out.writeUInt16BE(40, ip + 2)
    out.writeUInt8(64, ip + 8)
    out.writeUInt8(6, ip + 9)
    out.writeUInt32BE(0x0a000001, ip + 16)
    out.writeUInt16BE(443, ip + 22)
    out.writeUInt8(0x50, ip + 32)
    out.writeUInt8(0x10, ip + 33)
    out.writeUInt16BE(1024, ip + 34)
  }
  return out
}

/** Says at what time and in which flow the record at `at` is. */
function address(out, at, flow, second) {
  out.writeUInt32LE(second, at)
  out.writeUInt32BE(0x0b000000 + (flow >>> 12), at + 16 + 14 + 12)
  out.writeUInt16BE(2000 + (flow & 0xfff), at + 16 + 14 + 20)
}

/** Writes a capture of `packets` over `flows`; consecutive packets are of flows that lie far apart. */
async function write(out, packets, flows, secondOf) {
  out.write(fileHeader())
  const block = 16_384
  let flow = 0
  for (let done = 0; done < packets; done += block) {
    const octets = records(Math.min(block, packets - done))
    for (let at = 0, i = done; at < octets.length; at += RECORD, i++) {
      flow = (flow + 611_953) % flows
      address(octets, at, flow, secondOf(i))
    }
    if (!out.write(octets)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close').catch(() => {})
}

/** Reads all; says seconds to the first record, memory then and at most. */
async function measure(path) {
  const start = performance.now()
  let [first, memory, flows] = [0, 0, 0]
  const observer = observe(path, { chains: [basicChain(), tcpChain()], maxFlows: 1 << 22 })
  for await (const flow of observer)
    if (flows++ === 0) {
      first = (performance.now() - start) / 1000
      memory = process.memoryUsage.rss()
      if (flow.proto !== 6) throw new Error('not what was written')
    }
  const { packets, inputBytes } = observer.stats
  console.log(JSON.stringify({ first, memory, most: process.resourceUsage().maxRSS * 1024, flows, packets, inputBytes }))
}

/** Runs this program again as `words`, with `input` as its standard input; what it says. */
async function again(words, input = 'ignore') {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...words], { stdio: [input, 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', text => (said += text))
  await once(child, 'close')
  return JSON.parse(said)
}

/** The quickest of three runs over a capture of `packets` over `flows`. */
async function best(packets, flows) {
  const path = join(tmpdir(), `tcpskein-growth-${process.pid}.pcap`)
  try {
    await write(createWriteStream(path), packets, flows, () => SECOND)
    const runs = []
    for (let i = 0; i < 3; i++) runs.push(await again(['measure', path]))
    const run = runs.reduce((a, b) => (b.first < a.first ? b : a))
    if (run.packets !== packets || run.flows !== flows) throw new Error(`${run.packets} packets in ${run.flows} flows were found`)
    return run
  } finally {
    rmSync(path, { force: true })
  }
}

async function growthOfFlows(counts) {
  const [one, oneTwice] = [await best(PACKETS, 1), await best(2 * PACKETS, 1)]
  let [baseAll, basePacket] = [0, 0]
  for (const flows of counts) {
    const [once, twice] = [await best(PACKETS, flows), await best(2 * PACKETS, flows)]
    const all = (once.first * 1e9) / PACKETS
    // The second ten million open nothing.
    const packet = ((twice.first - once.first) * 1e9) / PACKETS
    const open = ((2 * once.first - twice.first - (2 * one.first - oneTwice.first)) * 1e9) / flows
    // Of few flows it would be the difference of nearly equal times.
    const opening = flows < 500_000 ? '' : `${open.toFixed(0)} ns to open one; `
    baseAll ||= all
    basePacket ||= packet
    console.log(
      `${flows} open flows: ${packet.toFixed(1)} ns for a packet of one (${(packet / basePacket).toFixed(2)} times the first), ` +
        `${opening}ten million packets with opening them ${all.toFixed(1)} ns each ` +
        `(${(all / baseAll).toFixed(2)} times); ${Math.round((once.memory - one.memory) / flows)} octets per flow`,
    )
  }
}

async function growthOfInput() {
  for (const gigabytes of [1, 10]) {
    const packets = Math.ceil((gigabytes * 1e9) / RECORD)
    const maker = spawn(process.execPath, [fileURLToPath(import.meta.url), 'make', String(packets)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const { most, packets: found, flows, inputBytes } = await again(['measure', '-'], maker.stdout)
    if (found !== packets) throw new Error(`${found} packets were found`)
    console.log(`${inputBytes} octets piped in, ${flows} flows: at most ${Math.round(most / 1024)} KiB resident`)
  }
}

const [what = 'flows', ...rest] = process.argv.slice(2)
if (what === 'measure') await measure(rest[0])
// Time goes on by a second per 100,000 packets, so flows end and others begin.
else if (what === 'make') await write(process.stdout, Number(rest[0]), 50_000, i => SECOND + Math.floor(i / 100_000))
else if (what === 'input') await growthOfInput()
else await growthOfFlows(rest.length > 0 ? rest.map(Number) : [10_000, 100_000, 500_000, 2_000_000])
