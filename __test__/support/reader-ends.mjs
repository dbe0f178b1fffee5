// A reader of packets of the addon's, and ways to end while it reads.
// usage: node --expose-gc reader-ends.mjs WAY ADDON FILE OPTIONS-AS-JSON
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const [way, addon, file, options] = isMainThread ? process.argv.slice(2) : workerData
const { NativeReader } = createRequire(import.meta.url)(addon)

/** A reader that is open, and a function that makes a request. */
function open() {
  const reader = NativeReader.packets(JSON.parse(options))
  const batchLength = JSON.parse(reader.layout()).byteLength
  const blockLength = reader.blockLength()
  reader.openPath(file, 'x')
  return { reader, request: () => reader.next(new Uint8Array(batchLength), new Uint8Array(blockLength)) }
}

/** Reads the file again and again, two requests at a time, into memory that is new each time. */
async function readOn() {
  for (;;) {
    const { reader, request } = open()
    let ahead = request()
    for (let status = 0; status === 0; ) {
      const answer = ahead
      ahead = request()
      status = (await answer) & 7
    }
    await ahead
    reader.close()
  }
}

/** One request of a reader that is closed, or forgotten. @param {boolean} close */
async function once(close) {
  const { reader, request } = open()
  await request()
  if (close) reader.close()
}

/** Threads of ours. */
const ours = () =>
  readdirSync('/proc/self/task').filter(task => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').startsWith('tcpskein-walk')
    } catch {
      return false
    }
  }).length

/** Waits until there are none of them, at most ten seconds. */
async function gone() {
  for (let i = 0; i < 200 && ours() > 0; i++) {
    globalThis.gc?.()
    await sleep(50)
  }
  return ours()
}

const ways = {
  /** Worker threads that are terminated while they read. */
  async terminate() {
    for (let i = 0; i < 20; i++) {
      const worker = new Worker(new URL(import.meta.url), { workerData: ['read', addon, file, options] })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      await sleep(i)
      await worker.terminate()
    }
    console.log(await gone())
  },
  async read() {
    const reading = readOn()
    parentPort?.postMessage('reading', [])
    await reading
  },
  async exit() {
    setTimeout(() => process.exit(0), 20)
    await readOn()
  },
  /** The script ends, though a reader is open and half read. */
  async drop() {
    const { request } = open()
    console.log((await request()) & 7)
  },
  /** The event loop goes on until requests are answered, and no longer. */
  wait() {
    const { request } = open()
    for (const name of ['first', 'second', 'third']) request().then((/** @type {number} */ answer) => console.log(name, answer & 7))
  },
  /** One thread per open reader, and none of those that were closed or forgotten. */
  async threads() {
    const kept = [open(), open(), open()]
    const before = ours()
    await Promise.all(kept.map(({ request }) => request()))
    const open3 = ours()
    for (const { reader } of kept) reader.close()
    const closed = await gone()
    for (let i = 0; i < 200; i++) await once(i % 2 === 0)
    console.log(before, open3, closed, await gone())
  },
}

await ways[/** @type {keyof typeof ways} */ (way)]()
