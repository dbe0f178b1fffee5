// Leaving early: `break`, `throw` and an aborted signal let go of the file and of the thread that reads it.
import { PassThrough, Readable } from 'node:stream'
import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { generate } from '../bench/generate.js'
import { connections, observe, streamEvents, type FlowBase, type Observer } from '../src/index.js'
import { collect } from './support/collect.js'
import { samplePath } from './support/places.js'
import { canCount, openFiles, settled, threads, threadsLeft } from './support/resources.js'

/** Large enough to be read ahead by a thread of its own, with records long before the end: flows idle out. */
const big = generate({ packets: 40_000, concurrent: 20, seed: 3 })
test.after.always(() => rmSync(big.path, { force: true }))

/** Records come while the file is being read. */
const early = { idleTimeout: 0, expiryTimeout: 0, maxFlows: 10 }

/** Runs `leave`, which takes some records and stops; then all must be as before. */
async function leaves(t: ExecutionContext, leave: () => Promise<void>): Promise<void> {
  // Node starts its own worker threads with the first task.
  await collect(observe(samplePath))
  const before = canCount ? threads() : 0
  await leave()
  if (!canCount) return t.log('skipped in part: open files and threads are counted on Linux only')
  t.is(await settled(() => openFiles(big.path), 0), 0, 'the file is open')
  t.is(await threadsLeft(before), 0, 'a thread is left')
}

test.serial('break lets go of the file and the thread', async t => {
  t.timeout(30_000)
  await leaves(t, async () => {
    let seen = 0
    for await (const flow of observe(big.path, early)) {
      if (canCount && seen === 0) t.is(openFiles(big.path), 1, `flow ${flow.flow_id}: the file is open while reading`)
      if (++seen === 3) break
    }
    t.is(seen, 3)
  })
})

test.serial('throw lets go of the file and the thread', async t => {
  await leaves(t, async () => {
    const error = await t.throwsAsync(async () => {
      for await (const flow of observe(big.path, early)) throw new RangeError(`flow ${flow.flow_id}`)
    })
    t.true(error instanceof RangeError)
  })
})

test.serial('return() without a single record lets go of the file and the thread', async t => {
  await leaves(t, async () => {
    const observer = observe(big.path, early)
    t.deepEqual(await observer.return(), { done: true, value: undefined })
    t.deepEqual(await observer.next(), { done: true, value: undefined })
    const started = observe(big.path, early)
    const first = started.next()
    await started.return()
    await first
    t.deepEqual(await started.next(), { done: true, value: undefined })
  })
})

test.serial('a signal aborted before throws its reason, and no file is opened', async t => {
  await leaves(t, async () => {
    const reason = new Error('not today')
    const error = await t.throwsAsync(collect(observe(big.path, { signal: AbortSignal.abort(reason) })))
    t.is(error, reason)
  })
})

test.serial('a signal aborted while reading throws its reason', async t => {
  await leaves(t, async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    let seen = 0
    const error = await t.throwsAsync(async () => {
      for await (const flow of observe(big.path, { ...early, signal: controller.signal })) {
        if (flow.flow_id >= 0 && ++seen === 5) controller.abort(reason)
      }
    })
    t.is(error, reason)
    t.true(seen >= 5 && seen < big.flows)
  })
})

test.serial('after an abort no record comes and the reason is thrown, also in the last batch', async t => {
  const reason = new Error('enough')
  for (const engine of ['native', 'js'] as const)
    for (const read of [observe, connections, streamEvents]) {
      const controller = new AbortController()
      let seen = 0
      const loop = async () => {
        for await (const _ of read(samplePath, { engine, signal: controller.signal })) {
          seen += 1
          controller.abort(reason)
        }
      }
      t.is(await t.throwsAsync(loop), reason, `${engine} ${read.name}`)
      t.is(seen, 1, `${engine} ${read.name}`)
    }
  const controller = new AbortController()
  const own = { name: 'own', newFlow: () => ({}) }
  const loop = async () => {
    for await (const _ of observe(samplePath, { chains: [own], signal: controller.signal })) controller.abort(reason)
  }
  t.is(await t.throwsAsync(loop), reason)
})

test.serial('a signal that is not aborted keeps no listener', async t => {
  const { signal } = new AbortController()
  let listeners = 0
  const counted = Object.create(signal, {
    addEventListener: { value: (...args: Parameters<AbortSignal['addEventListener']>) => (listeners++, signal.addEventListener(...args)) },
    removeEventListener: { value: (...args: Parameters<AbortSignal['removeEventListener']>) => (listeners--, signal.removeEventListener(...args)) },
    aborted: { get: () => signal.aborted },
    throwIfAborted: { value: () => signal.throwIfAborted() },
  }) as AbortSignal
  await collect(observe(samplePath, { signal: counted }))
  t.is(listeners, 0)
})

/** The next record, or what it was that came first. */
const withinASecond = async (promise: Promise<unknown>): Promise<unknown> =>
  Promise.race([promise.then(() => 'settled', (error: unknown) => error), sleep(1000, 'still waiting')])

const silent: Record<string, () => { source: Readable | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>; isStopped: () => boolean }> = {
  'a Readable': () => {
    const source = new PassThrough()
    source.write(readFileSync(samplePath).subarray(0, 1000))
    return { source, isStopped: () => source.destroyed }
  },
  'a Web ReadableStream': () => {
    let stopped = false
    const source = new ReadableStream<Uint8Array>({ cancel: () => void (stopped = true) })
    return { source, isStopped: () => stopped }
  },
}

for (const [title, make] of Object.entries(silent)) {
  test(`abort ends the wait for a silent stream: ${title}`, async t => {
    const { source, isStopped } = make()
    const controller = new AbortController()
    const next = withinASecond(observe(source, { signal: controller.signal }).next())
    await sleep(50)
    t.false(isStopped())
    const reason = new Error('too quiet')
    controller.abort(reason)
    t.is(await next, reason)
    t.true(isStopped())
  })

  test(`return() ends the wait for a silent stream: ${title}`, async t => {
    const { source, isStopped } = make()
    const observer: Observer = observe(source)
    const next = withinASecond(observer.next())
    await sleep(50)
    t.is(await withinASecond(observer.return()), 'settled')
    t.is(await next, 'settled')
    t.true(isStopped())
  })
}

test('abort ends the wait for an async iterable that never answers', async t => {
  const source: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
  const controller = new AbortController()
  const next = withinASecond(observe(source, { signal: controller.signal }).next())
  await sleep(50)
  const reason = new Error('too quiet')
  controller.abort(reason)
  t.is(await next, reason)
})

test('a stream that breaks ends its capture; what came before counts', async t => {
  const broken = async function* (): AsyncGenerator<Uint8Array, undefined> {
    yield readFileSync(samplePath)
    throw new RangeError('the cable is out')
  }
  const records: FlowBase[] = []
  const error = await t.throwsAsync(async () => {
    for await (const record of observe(broken())) records.push(record)
  })
  t.regex(error.message, /the cable is out/)
  t.is(records.length, 11)
})

test('a generator is told to stop', async t => {
  let cleaned = false
  const source = async function* (): AsyncGenerator<Uint8Array, undefined> {
    try {
      for (;;) yield readFileSync(big.path)
    } finally {
      cleaned = true
    }
  }
  for await (const flow of observe(source(), early)) if (flow.flow_id > 2) break
  await sleep(10)
  t.true(cleaned)
})

test('a chunk that is no octets is refused', async t => {
  const source = Readable.from([{ not: 'octets' }])
  await t.throwsAsync(collect(observe(source)), { code: 'ERR_INVALID_OPTION', message: /octets/ })
})

test('next() called many times at once gives each record once, in order', async t => {
  const wanted = (await collect(observe(samplePath))).map(record => record.flow_id)
  const observer = observe(samplePath)
  const answers = await Promise.all(Array.from({ length: wanted.length + 3 }, () => observer.next()))
  t.deepEqual(answers.filter(answer => answer.done !== true).map(answer => answer.value!.flow_id), wanted)
})
