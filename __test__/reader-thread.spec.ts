// The thread that a reader of the addon has: it ends with its reader, and never outlives the memory that it writes to.
import { execFile } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { generate } from '../bench/generate.js'
import { loadBinding } from '../src/native/load.js'
import { checkDecode } from '../src/options.js'
import { root, samplePath } from './support/places.js'
import { canCount } from './support/resources.js'

const big = generate({ packets: 60_000, concurrent: 20, seed: 5 })
test.after.always(() => rmSync(big.path, { force: true }))

const folder = join(root, 'src', 'binding')
const addon = readdirSync(folder).find(name => name.endsWith('.node'))
const options = { aggregate: false, decode: checkDecode({}) }

interface Ended {
  readonly code: unknown
  readonly text: string
}

/** Runs a program of this addon's, which ends in the way that it is told; a signal is no exit code. */
const ends = (way: string): Promise<Ended> =>
  new Promise(resolve => {
    const program = join(root, '__test__', 'support', 'reader-ends.mjs')
    const words = ['--expose-gc', program, way, join(folder, addon!), big.path, JSON.stringify(options)]
    const child = execFile(process.execPath, words, { timeout: 100_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (child.signalCode ?? error.code), text: (stdout + stderr).trim() }),
    )
  })

test('worker threads that are terminated while they read', async t => {
  t.timeout(120_000)
  t.deepEqual(await ends('terminate'), { code: 0, text: '0' })
})

test('a process that exits while it reads', async t => {
  for (let i = 0; i < 5; i++) t.deepEqual(await ends('exit'), { code: 0, text: '' })
})

test('a program ends though a reader is open, but not before requests are answered', async t => {
  t.deepEqual(await ends('drop'), { code: 0, text: '0' })
  t.deepEqual(await ends('wait'), { code: 0, text: 'first 0\nsecond 0\nthird 0' })
})

test('a thread per reader that is open and was asked', async t => {
  t.timeout(120_000)
  if (!canCount) return t.log('skipped: threads are counted on Linux only')
  t.deepEqual(await ends('threads'), { code: 0, text: '0 3 0 0' })
})

test('a reader that is closed while a request is under way answers it; later ones are refused', async t => {
  const reader = loadBinding().NativeReader.packets(options)
  const batchLength = (JSON.parse(reader.layout()) as { byteLength: number }).byteLength
  const blockLength = reader.blockLength()
  const request = () => reader.next(new Uint8Array(batchLength), new Uint8Array(blockLength))
  reader.openPath(samplePath, 'x')
  const answers = Promise.allSettled([request(), request()])
  reader.close()
  for (const answer of await answers)
    // The thread may have come to it before.
    t.true(answer.status === 'fulfilled' || (answer.reason as { code?: unknown }).code === 'ERR_CLOSED')
  await t.throwsAsync(request(), { code: 'ERR_CLOSED' })
})
