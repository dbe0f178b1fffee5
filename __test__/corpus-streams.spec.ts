// Connections of real captures against the answers of two independent tools, and the conflicts that are known to be there.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { connections, streamEvents } from '../src/index.js'
import { has } from './support/cli.js'
import { NO_CORPUS, corpusFolder, readJson } from './support/places.js'

const corpus = corpusFolder()
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-corpus-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** Groups of answers, and the least share that must agree. */
const GATES = [
  ['stream,packets,flags,bytes,options', '0.995'],
  ['connected,gaps,gapped', '0.98'],
] as const

test('connections of real captures are what two tools say', async t => {
  t.timeout(300_000)
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  if (!has('python3')) {
    t.log('skipped: python3 is not installed')
    t.pass()
    return
  }
  const captures = join(corpus, 'dev', 'captures')
  const files = readdirSync(captures).toSorted().map(name => join(captures, name))
  const lines: string[] = []
  for await (const record of connections(files, { separate: true, hash: 'sha256', maxStreamBytes: 0, onError: () => {} }))
    lines.push(JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)))
  t.true(lines.length > 7000)
  const out = join(folder, 'out.ndjson')
  const adapted = spawn('python3', [join(corpus, 'adapt.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  adapted.stdin.end(lines.map(line => `${line}\n`).join(''))
  const chunks: Buffer[] = []
  adapted.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  t.deepEqual(await once(adapted, 'close'), [0, null])
  writeFileSync(out, Buffer.concat(chunks))
  for (const [gate, least] of GATES) {
    const { status, stdout } = spawnSync('python3', [join(corpus, 'check.py'), join(corpus, 'dev'), out, '--gate', gate, '--min', least, '--show', '20'], { encoding: 'utf8' })
    for (const line of stdout.split('\n')) if (line.startsWith('GATE')) t.log(line)
    t.is(status, 0, stdout)
  }
})

interface Conflicts {
  file: string
  directions: { stream: number; dir: 0 | 1; conflictRanges: number }[]
}

test('each capture in which segments overlap with other octets reports a conflict', async t => {
  t.timeout(120_000)
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  const list = readJson<Conflicts[]>(join(corpus, 'dev', 'CONFLICTS.json'))
  t.true(list.length > 20)
  for (const { file, directions } of list) {
    const found = new Set<string>()
    await streamEvents(join(corpus, 'dev', 'captures', file), { onError: () => {} }).each(event => {
      if (event.type !== 'conflict') return
      found.add(event.direction)
      t.is(event.kept.length, event.length)
      t.is(event.other.length, event.length)
      t.not(event.kept[0], event.other[0])
    })
    t.true(found.size >= new Set(directions.map(({ dir }) => dir)).size, `${file}: ${[...found].join(' ')}`)
  }
})
