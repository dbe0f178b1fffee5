import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Disagreement, measure } from '../src/cli/bench-measure.js'
import type { Job } from '../src/cli/bench-jobs.js'
import { run } from './support/cli.js'

const capture = 'examples/captures/sample.pcap'

test('bench times both engines and keeps every sample, which found the same', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tcpskein-bench-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const json = join(folder, 'out.json')
  const { status, stdout } = await run(['bench', capture, '--rounds', '2', '--samples', json])
  t.is(status, 0)
  for (const job of ['plain read', 'flows, native', 'flows, js', 'streams, native', 'streams, js']) t.true(stdout.includes(job), job)
  const { rounds, versions, results } = JSON.parse(readFileSync(json, 'utf8')) as {
    rounds: number
    versions: { node: string }
    results: { timed: { job: string; kind: string; found: object; samples: number[] }[] }[]
  }
  t.is(rounds, 2)
  t.is(versions.node, process.versions.node)
  const [{ timed }] = results as [(typeof results)[0]]
  t.deepEqual(timed.map(one => one.samples.length), [2, 2, 2, 2, 2])
  t.deepEqual(timed[1]!.found, timed[2]!.found)
  t.deepEqual(timed[3]!.found, timed[4]!.found)
})

test('bench takes some jobs and engines', async t => {
  const { status, stdout } = await run(['bench', capture, '--rounds', '1', '--job', 'flows', '--engine', 'js'])
  t.is(status, 0)
  t.true(stdout.includes('flows, js'))
  t.false(stdout.includes('streams') || stdout.includes('flows, native'))
})

test('bench refuses what it does not know', async t => {
  for (const args of [['--job', 'flow'], ['--engine', 'rust'], ['--rounds', '0']])
    t.is((await run(['bench', capture, ...args])).status, 2, args.join(' '))
  t.is((await run(['bench', 'no-such-capture.pcap'])).status, 1)
})

test('engines that find different things are not timed', async t => {
  const job = (name: string, flows: number): Job => ({ name, kind: 'flows', run: () => Promise.resolve({ flows }) })
  const error = await t.throwsAsync(measure('x', [job('one', 3), job('two', 4)], 1, () => {}), { instanceOf: Disagreement })
  t.regex(error.message, /two found \{"flows":4\}, but one \{"flows":3\}/)
})
