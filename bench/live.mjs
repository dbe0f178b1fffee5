// The packet rate at which a live capture begins to drop, beside `tcpdump -w /dev/null`; and whether memory stays where
// it is. On a cable between two network namespaces that this program makes and takes away. Linux, root, gcc, tcpdump.
//
//   node bench/live.mjs [--payload 300] [--flows 1000] [--seconds 4] [--ring 16777216] [--from 50000] [--step 1.25]
//                       [--senders 1] [--rounds 1]
//   node bench/live.mjs --soak 1200 [--rate 20000] [--job flows]
//
// A step of the rate is one run of the sender for each job, one after another, so that a slow moment of the machine is
// seen in all. A job holds a rate where it drops at most one packet in a thousand. Several senders share the rate and the
// flows: where one is the limit, before anybody drops, more of them take the rate further.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    payload: { type: 'string', default: '300' },
    flows: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '4' },
    ring: { type: 'string', default: String(16 * 2 ** 20) },
    from: { type: 'string', default: '50000' },
    step: { type: 'string', default: '1.25' },
    senders: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    soak: { type: 'string' },
    rate: { type: 'string', default: '20000' },
    job: { type: 'string', default: 'flows' },
  },
})

const here = fileURLToPath(new URL('.', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-live-'))
const sender = join(folder, 'sender')
const [a, b] = [`tskein${process.pid}sa`, `tskein${process.pid}sb`]

/** @param {string} line */
function sh(line) {
  const { status, stderr } = spawnSync('bash', ['-c', `set -e; ${line}`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${line}: ${stderr}`)
}

/** A program in a namespace, and all that it says. @param {string} host @param {string[]} command */
function inside(host, ...command) {
  const child = spawn('ip', ['netns', 'exec', host, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += String(chunk)))
  return {
    pid: child.pid,
    async says(/** @type {string} */ word) {
      while (!said.includes(word)) {
        if (child.exitCode !== null) throw new Error(said)
        await sleep(10)
      }
    },
    async ended(/** @type {NodeJS.Signals | undefined} */ signal = undefined) {
      if (signal) child.kill(signal)
      await closed
      return said
    },
  }
}

const consumer = (/** @type {string} */ job) => ({
  start: () => inside(b, process.execPath, join(here, 'live-consumer.mjs'), job, 'e0', values.ring),
  ready: 'ready',
  read(/** @type {string} */ said) {
    const { received, dropped } = JSON.parse(said.slice(said.indexOf('{')))
    return { received, dropped }
  },
})

/** Who captures, and how each says what it dropped. */
const JOBS = {
  tcpdump: {
    start: () =>
      inside(b, 'tcpdump', '-i', 'e0', '-n', '-s', '0', '-B', String(Math.round(Number(values.ring) / 1024)), '-w', '/dev/null'),
    ready: 'listening',
    read(/** @type {string} */ said) {
      const [received, dropped] = [/(\d+) packets? received/, /(\d+) packets? dropped by kernel/].map(pattern => Number(pattern.exec(said)?.[1]))
      return { received, dropped }
    },
  },
  flows: consumer('flows'),
  streams: consumer('streams'),
}

/**
 * Sends from as many senders as wanted, each to a port of its own; packets in all, and the longest time.
 * @param {number} rate @param {string} seconds
 */
async function send(rate, seconds) {
  const senders = Number(values.senders)
  const share = (/** @type {number} */ of) => String(Math.round(of / senders))
  const running = Array.from({ length: senders }, (_, i) =>
    inside(a, sender, 'e0', share(rate), seconds, share(Number(values.flows)), values.payload, String(80 + i)).ended(),
  )
  const said = (await Promise.all(running)).map(one => one.trim().split(' ').map(Number))
  return { sent: said.reduce((sum, [sent = 0]) => sum + sent, 0), took: Math.max(...said.map(([, took = 1]) => took)) }
}

/** Sends at a rate while a job captures. @param {keyof typeof JOBS} name @param {number} rate */
async function step(name, rate) {
  const job = JOBS[name]
  const capture = job.start()
  await capture.says(job.ready)
  const { sent, took } = await send(rate, values.seconds)
  await sleep(300)
  const { received, dropped } = job.read(await capture.ended('SIGINT'))
  // What the sender's own packets were lost before they came here counts as nobody's.
  return { sent, rate: sent / took, received, dropped, share: dropped / Math.max(received, 1) }
}

/** Raises the rate until everybody drops, or the sender can't follow whoever captures. */
async function findLimits() {
  const names = /** @type {(keyof typeof JOBS)[]} */ (Object.keys(JOBS))
  /** @type {Record<string, number>} */
  const held = Object.fromEntries(names.map(name => [name, 0]))
  const open = new Set(names)
  let ends = false
  for (let rate = Number(values.from); open.size > 0 && !ends; rate *= Number(values.step)) {
    let most = 0
    // A copy, because names leave the set meanwhile.
    for (const name of Array.from(open)) {
      const { rate: real, received, dropped, share } = await step(name, Math.round(rate))
      const line = [`${Math.round(rate)}/s wanted`, `${Math.round(real)}/s sent`, `${received} received`, `${dropped} dropped`]
      console.log(`${name.padEnd(8)} ${line.join('  ')}`)
      if (share <= 0.001) held[name] = Math.max(held[name] ?? 0, real)
      else open.delete(name)
      most = Math.max(most, real)
    }
    ends = most < 0.8 * rate
  }
  for (const name of open) console.log(`${name}: still holds what the sender can give`)
  return held
}

/** Kilobytes of resident memory, open files and threads. @param {number | undefined} pid */
function resources(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]), files: readdirSync(`/proc/${pid}/fd`).length, threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1]) }
}

const median = (/** @type {number[]} */ list) => list.toSorted((x, y) => x - y)[Math.floor(list.length / 2)] ?? 0

/** A long steady run: memory of its last three quarters, by medians of a tenth of that each. @param {number} seconds */
async function soak(seconds) {
  const capture = consumer(values.job).start()
  await capture.says('ready')
  const sending = send(Number(values.rate), String(seconds))
  /** @type {ReturnType<typeof resources>[]} */
  const seen = []
  const start = performance.now()
  while (performance.now() - start < seconds * 1000) {
    await sleep(5000)
    seen.push(resources(capture.pid))
    if (seen.length % 12 === 0) console.log(`${Math.round((performance.now() - start) / 1000)} s`, seen.at(-1))
  }
  const { sent, took } = await sending
  await sleep(500)
  const said = await capture.ended('SIGINT')
  const late = seen.slice(Math.floor(seen.length / 4)).map(one => one.rss)
  const tenth = Math.max(1, Math.floor(late.length / 10))
  const [first, last] = [median(late.slice(0, tenth)), median(late.slice(-tenth))]
  console.log(`sent ${sent} in ${took} s; ${said.slice(said.indexOf('{')).trim()}`)
  console.log(`resident memory: ${first} KiB, then ${last} KiB: ${last - first} KiB more in the last three quarters`)
  console.log(`at most ${Math.max(...late)} KiB; files ${seen[0]?.files} → ${seen.at(-1)?.files}, threads ${seen[0]?.threads} → ${seen.at(-1)?.threads}`)
}

try {
  sh(`gcc -O2 -o "${sender}" "${join(here, 'live-sender.c')}"; ip netns add ${a}; ip netns add ${b}`)
  sh(`ip -n ${a} link add name e0 type veth peer name e0 netns ${b}`)
  for (const host of [a, b]) sh(`ip netns exec ${host} sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n ${host} link set e0 up`)
  if (values.soak !== undefined) await soak(Number(values.soak))
  else
    for (let round = 0; round < Number(values.rounds); round++) {
      const held = await findLimits()
      const ratio = (/** @type {string} */ name) => ((held[name] ?? 0) / (held.tcpdump ?? 1)).toFixed(2)
      console.log(`no drops up to: ${Object.entries(held).map(([name, rate]) => `${name} ${Math.round(rate)}/s`).join(', ')}`)
      console.log(`ratio to tcpdump: flows ${ratio('flows')}, streams ${ratio('streams')}`)
    }
} finally {
  for (const host of [a, b]) spawnSync('ip', ['netns', 'del', host])
  rmSync(folder, { recursive: true, force: true })
}
