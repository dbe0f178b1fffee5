// Leaving streams early: whatever way it is done, the file is closed and the thread is gone.
import { rmSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { generate } from '../bench/generate.js'
import { connections, streamEvents } from '../src/index.js'
import { collect } from './support/collect.js'
import { samplePath } from './support/places.js'
import { canCount, openFiles, settled, threads, threadsLeft } from './support/resources.js'

/** Large enough that there is much left to read when the loop is left. */
const big = generate({ packets: 40_000, concurrent: 20, seed: 4 })
test.after.always(() => rmSync(big.path, { force: true }))

/** Runs `leave`; then all must be as before. */
async function leaves(t: ExecutionContext, leave: () => Promise<void>): Promise<void> {
  // Node starts its own worker threads with the first task.
  await collect(streamEvents(samplePath))
  const before = canCount ? threads() : 0
  await leave()
  if (!canCount) return t.log('skipped in part: open files and threads are counted on Linux only')
  t.is(await settled(() => openFiles(big.path), 0), 0, 'the file is open')
  t.is(await threadsLeft(before), 0, 'a thread is left')
}

test.serial('break', async t => {
  await leaves(t, async () => {
    let seen = 0
    for await (const event of streamEvents(big.path)) {
      if (canCount && seen === 0) t.is(openFiles(big.path), 1, `${event.type}: the file is open while reading`)
      if (++seen === 3) break
    }
    t.is(seen, 3)
  })
  await leaves(t, async () => {
    for await (const record of connections(big.path, { maxConnections: 5 })) {
      t.is(record.end_reason, 'evicted')
      break
    }
  })
})

test.serial('a throw in the loop, and in a callback', async t => {
  const enough = new Error('enough')
  await leaves(t, async () => {
    const loop = async () => {
      for await (const event of streamEvents(big.path)) if (event.type === 'data') throw enough
    }
    t.is(await t.throwsAsync(loop), enough)
  })
  await leaves(t, async () => {
    t.is(await t.throwsAsync(streamEvents(big.path).each(() => Promise.reject(enough))), enough)
  })
  await leaves(t, async () => {
    const want = () => {
      throw enough
    }
    t.is(await t.throwsAsync(collect(streamEvents(big.path, { want }))), enough)
  })
})

test.serial('an abort throws its reason', async t => {
  await leaves(t, async () => {
    const controller = new AbortController()
    const reason = new Error('time is up')
    const loop = async () => {
      for await (const event of streamEvents(big.path, { signal: controller.signal }))
        if (event.type === 'data') controller.abort(reason)
    }
    t.is(await t.throwsAsync(loop), reason)
  })
  await leaves(t, async () => {
    const signal = AbortSignal.abort(new Error('before'))
    await t.throwsAsync(collect(connections(big.path, { signal })), { message: 'before' })
    await t.throwsAsync(collect(connections(big.path, { signal, separate: true })), { message: 'before' })
  })
})

test.serial('return before the first event, and twice', async t => {
  await leaves(t, async () => {
    const events = streamEvents(big.path)
    await events.return()
    await events.return()
    t.deepEqual(await events.next(), { done: true, value: undefined })
    const records = connections(big.path)
    await records.return()
    t.deepEqual(await records.next(), { done: true, value: undefined })
  })
})

test.serial('no loop at all holds nothing', async t => {
  await leaves(t, () => {
    streamEvents(big.path)
    connections(big.path)
    return Promise.resolve()
  })
})
