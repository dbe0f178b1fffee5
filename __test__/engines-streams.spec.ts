// The native engine and the one in TypeScript hear the same captures and must say the same: every event with its octets,
// every record with its digests, the counters, and the errors.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { generate } from '../bench/generate.js'
import { streamEvents, type FlowError, type OverlapPolicy, type StreamEvent, type StreamOptions } from '../src/index.js'
import type { CaptureSource } from '../src/source.js'
import { StreamEvents } from '../src/stream-events.js'
import { corpusFolder, NO_CORPUS, readJson } from './support/places.js'
import { Random } from './support/random.js'
import { troubledCapture } from './support/stream-capture.js'
import { wildCapture } from './support/wild-capture.js'

/** A run of one engine, event by event. */
class Run {
  readonly errors: string[] = []
  readonly events: StreamEvents

  constructor(engine: 'native' | 'js', source: CaptureSource | CaptureSource[], options: StreamOptions) {
    const onError = ({ code, message }: FlowError) => void this.errors.push(`${code} ${message}`)
    this.events = new StreamEvents(source, { ...options, engine, onError }, { sha256: true })
  }

  async next(): Promise<StreamEvent | undefined> {
    return (await this.events.next()).value
  }
}

/** What an event says, without its octets and its record. */
function facts(event: StreamEvent | undefined): readonly unknown[] {
  if (event === undefined) return ['nothing']
  const { type, connection, timestampNs, packet } = event
  const place = 'length' in event ? [event.direction, event.offset, event.length] : []
  return [type, connection.connection_id, timestampNs, packet, ...place]
}

/** The octets that an event lends. */
function octets(event: StreamEvent | undefined): Uint8Array[] {
  if (event?.type === 'data') return [event.data]
  return event?.type === 'conflict' ? [event.kept, event.other] : []
}

const sameOctets = (a: Uint8Array, b: Uint8Array | undefined) => b !== undefined && Buffer.compare(a, b) === 0
const say = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) ?? 'nothing'

/** Where two events differ, or null. */
function difference(a: StreamEvent | undefined, b: StreamEvent | undefined): string | null {
  const [left, right] = [facts(a), facts(b)]
  if (left.length !== right.length || left.some((fact, i) => fact !== right[i])) return `${say(left)} is not ${say(right)}`
  const other = octets(b)
  if (!octets(a).every((part, i) => sameOctets(part, other[i]))) return `other octets: ${say(left)}`
  if (a?.type !== 'open' && a?.type !== 'close') return null
  const [one, two] = [say(a.connection), say(b!.connection)]
  return one === two ? null : `${one} is not ${two}`
}

/** Runs both engines side by side, one event for each segment; how many events there were. */
async function compare(
  t: ExecutionContext,
  title: string,
  source: CaptureSource | CaptureSource[],
  options: StreamOptions = {},
): Promise<number> {
  const exact = { ...options, joinData: false }
  const [native, js] = [new Run('native', source, exact), new Run('js', source, exact)]
  for (let count = 0; ; count++) {
    const [a, b] = [await native.next(), await js.next()]
    const differs = difference(a, b)
    if (differs !== null) t.fail(`${title} ${say(options)}, event ${count}: ${differs}`)
    if (differs === null && a !== undefined) continue
    t.deepEqual(js.errors, native.errors, title)
    t.deepEqual(js.events.stats, native.events.stats, `${title} ${say(options)}`)
    await Promise.all([native.events.return(), js.events.return()])
    return count
  }
}

/** Captures are read so many at a time, as one recording: to begin anew for each costs more than to read it. */
const TOGETHER = 48

for (const [name, folder] of [['MANIFEST.json', 'captures'], ['MANIFEST-bad.json', 'captures-bad']] as const)
  test(`both engines say the same of real captures: ${folder}`, async t => {
    t.timeout(120_000)
    const corpus = corpusFolder()
    if (corpus === null) {
      t.log(NO_CORPUS)
      t.pass()
      return
    }
    const manifest = readJson<{ file: string }[]>(join(corpus, 'dev', name))
    const files = manifest.map(({ file }) => join(corpus, 'dev', folder, file))
    let events = 0
    for (let i = 0; i < files.length; i += TOGETHER)
      events += await compare(t, `captures ${i} on`, files.slice(i, i + TOGETHER))
    t.log(`${files.length} captures, ${events} events`)
    t.true(events > files.length)
  })

const POLICIES: OverlapPolicy[] = ['first', 'last', 'bsd', 'linux', 'old-linux', 'solaris']

/** Options with every limit low or high, as the seed says. (What `want` says is heard sooner or later: it isn't here.) */
function someOptions(random: Random): StreamOptions {
  const one = <T>(...values: T[]): T => values[random.below(values.length)]!
  return {
    policy: one(...POLICIES),
    deliver: one('contiguous', 'contiguous', 'acked'),
    maxDirectionBytes: one(0, 112, 400, 2 ** 24),
    maxWaitingBytes: one(0, 112, 1000, 2 ** 26),
    conflictWindow: one(0, 1, 100, 5000, 2 ** 22),
    gapPatience: one(0, 0.4, 2, Infinity),
    maxConnections: one(1, 2, 3, 2 ** 19),
    idleTimeout: one(0, 1.5, 60, 7200, Infinity),
    linger: one(0, 1, 120, Infinity),
    maxGaps: one(0, 1, 3, 2 ** 14),
  }
}

test('both engines say the same of 2,080 wild captures', async t => {
  t.timeout(120_000)
  let events = 0
  for (let seed = 1; seed <= 160; seed++) {
    const random = new Random(seed)
    const options = someOptions(random)
    const sources = Array.from({ length: 13 }, (_, i) => {
      return wildCapture(seed * 13 + i, { ports: 1 + random.below(5), damage: random.once(4) })
    })
    events += await compare(t, `seeds ${seed * 13} on`, sources, { ...options, merge: random.once(4) })
  }
  t.log(`${events} events`)
  t.true(events > 100_000)
})

test('both engines say the same of captures with trouble, each policy', async t => {
  t.timeout(120_000)
  for (const [i, policy] of POLICIES.entries())
    for (let seed = 1; seed <= 8; seed++) {
      const trouble = { loss: 5, duplicate: 4, overlap: 3, conflict: 2, reorder: 12, wrap: seed % 2 === 0, connections: 8 }
      await compare(t, `seed ${seed}`, troubledCapture(seed * 6 + i, trouble), { policy, conflictWindow: seed * 1000 })
    }
  t.pass()
})

/** Events, where data that follows data of the same direction is one: how much comes at once is up to the engine. */
async function joined(engine: 'native' | 'js', source: CaptureSource): Promise<{ facts: unknown[]; octets: Buffer }[]> {
  const heard: { facts: unknown[]; octets: Uint8Array[] }[] = []
  let next = ''
  await streamEvents(source, { engine }).each(event => {
    const { connection, timestampNs, packet, type } = event
    const place = 'length' in event ? [event.direction, event.offset] : []
    if (type !== 'data' || next !== `${connection.connection_id} ${place.join(' ')}`)
      heard.push({ facts: [type, connection.connection_id, timestampNs, packet, ...place], octets: [] })
    heard.at(-1)!.octets.push(...octets(event).map(part => part.slice()))
    next = type === 'data' ? `${connection.connection_id} ${event.direction} ${event.offset + event.length}` : ''
  })
  return heard.map(({ facts, octets }) => ({ facts, octets: Buffer.concat(octets) }))
}

test('both engines say the same where segments are joined to events', async t => {
  const { path } = generate({ packets: 30_000, concurrent: 20, seed: 4 })
  const sources = [path, ...[1, 2, 3, 4].map(seed => troubledCapture(seed, { reorder: 8, loss: 9, conflict: 4, overlap: 5 }))]
  try {
    for (const source of sources) {
      const [native, js] = [await joined('native', source), await joined('js', source)]
      t.is(js.length, native.length)
      const at = native.findIndex(({ facts, octets }, i) => say(facts) !== say(js[i]!.facts) || !octets.equals(js[i]!.octets))
      t.is(at, -1, at < 0 ? '' : `${say(native[at]!.facts)} is not ${say(js[at]!.facts)}`)
    }
  } finally {
    rmSync(path, { force: true })
  }
})
