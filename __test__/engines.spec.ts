// Two engines, one answer: what the native engine says of captures and what the one in JavaScript says are the same,
// field by field: records of all chains, statistics, what captures say of themselves, errors.
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  basicChain, dnsChain, dscpChain, ecnChain, evilChain, icmpChain, mssChain, noopChain, observe, tcpChain, tcpOptChain,
  tfoChain, udpChain, type AnyChain, type CaptureSource, type FlowError, type ObserveOptions,
} from '../src/index.js'
import { collect } from './support/collect.js'
import { corpusFolder, fixture, NO_CORPUS, samplePath } from './support/places.js'
import { Random } from './support/random.js'
import { wildFile } from './support/wild-container.js'
import { wildFilter } from './support/wild-filter.js'
import { pick } from './support/wild-frames.js'

const all = (): AnyChain[] => [
  basicChain(), tcpChain(), tcpOptChain(), mssChain(), tfoChain(), ecnChain(), dscpChain(), evilChain(), icmpChain(),
  udpChain(), dnsChain(), noopChain(),
]

type Options = Omit<ObserveOptions<AnyChain[]>, 'chains'>

/** All that an engine says. Errors inside compressed data lie where the inflater stood, which is each engine's own. */
async function told(source: CaptureSource | CaptureSource[], options: Options): Promise<object> {
  const errors: string[] = []
  const onError = ({ code, message }: FlowError) => {
    errors.push(`${code} ${message.replace(/offset \d+: (the gzip data is damaged: deflate).*/, '$1')}`)
  }
  const observer = observe(source, { ...options, chains: all(), onError })
  const records = (await collect(observer)).map(record => Object.entries(record))
  const captures = observer.captures.map(capture => Object.entries(capture))
  return { errors, stats: observer.stats, captures, records }
}

async function compare(t: ExecutionContext, what: string, source: CaptureSource | CaptureSource[], options: Options = {}) {
  const native = await told(source, { ...options, engine: 'native' })
  const js = await told(source, { ...options, engine: 'js' })
  t.deepEqual(js, native, what)
}

/** Options that change what is decoded or how flows end. */
function wildOptions(random: Random): Options {
  return {
    checksum: pick(random, ['ignore', 'count', 'drop']),
    decap: !random.once(4),
    ignoreEncap: random.once(4),
    aggregate: random.once(12),
    ...(random.once(2) && { filter: wildFilter(random, true) }),
    ...(random.once(6) && { maxFlows: 1 + random.below(4) }),
    ...(random.once(4) && { idleTimeout: random.below(5), expiryTimeout: random.below(3) }),
    ...(random.once(3) && {
      fragments: {
        policy: pick(random, ['first', 'last', 'bsd', 'bsd-right', 'linux', 'windows', 'solaris']),
        timeout: random.below(40),
        maxBytes: pick(random, [0, 100, 500, 8 << 20]),
      },
    }),
  }
}

test('the shipped capture and the fixtures', async t => {
  for (const path of [samplePath, ...readdirSync(fixture('.')).filter(name => name.endsWith('.pcap')).map(fixture)])
    await compare(t, path, path)
})

test('a name of a host: the native engine looks it up, the other says that it can not', t => {
  const said = (filter: string, engine: 'native' | 'js') =>
    t.throws(() => void observe(new Uint8Array(0), { filter, engine }).return(), { code: 'ERR_INVALID_OPTION' })!.message
  t.regex(said('host no-such-host.invalid', 'native'), /column 6: expected an address, or a host's name that can be looked up/)
  t.regex(said('host localhost', 'js'), /column 6: expected an address \(only the native engine looks up names\)/)
  t.notThrows(() => void observe(new Uint8Array(0), { filter: 'host localhost or src localhost', engine: 'native' }).return())
})

for (const engine of ['native', 'js'] as const)
  test(`${engine}: the direction is an error of the capture where its link layer does not tell`, async t => {
    const source = await readFile(samplePath)
    const observer = observe(source, { filter: 'inbound', engine, chains: [basicChain()] })
    const error = await t.throwsAsync(collect(observer), { code: 'ERR_INVALID_OPTION' })
    t.regex(error!.message, /"inbound" and "outbound" can't be told: packets of link type 1 don't say which way they went/)
    const cooked = observe(await readFile(fixture('link-sll.pcap')), { filter: 'inbound', engine, chains: [basicChain()] })
    t.is((await collect(cooked)).length, 2)
  })

test('expressions that are no filters', t => {
  const said = (filter: string, engine: 'native' | 'js'): string => {
    try {
      void observe(new Uint8Array(0), { filter, engine }).return()
    } catch (error) {
      return `${(error as FlowError).code} ${(error as FlowError).message}`
    }
    return ''
  }
  const random = new Random(4711)
  let wrong = 0
  for (let i = 0; i < 3000; i++) {
    const filter = wildFilter(random, false)
    const native = said(filter, 'native')
    if (native !== '') wrong += 1
    // A slip of the pen may make a name of an address, which one engine looks up.
    const js = said(filter, 'js').replace('an address (only the native engine looks up names)', "an address, or a host's name that can be looked up")
    if (native !== '' || !js.includes('looked up')) t.is(js, native, filter)
  }
  t.log(`${wrong} of 3000 are none`)
})

const CASES = Number(process.env.TCPSKEIN_CASES ?? 2000)
const FIRST = Number(process.env.TCPSKEIN_SEED ?? 1)

test('generated captures of every format, link type and encapsulation', async t => {
  t.timeout(300_000)
  for (let seed = FIRST; seed < FIRST + CASES; seed++) {
    const random = new Random(seed)
    const file = wildFile(random, 1 + random.below(60))
    await compare(t, `seed ${seed}`, file, wildOptions(random))
  }
  t.log(`${CASES} captures`)
})

test('generated captures, several at once and one after another', async t => {
  t.timeout(300_000)
  for (let seed = FIRST; seed < FIRST + CASES / 10; seed++) {
    const random = new Random(seed + 77_777)
    const files = Array.from({ length: 1 + random.below(4) }, () => wildFile(random, random.below(30)))
    await compare(t, `seed ${seed}`, files, { ...wildOptions(random), merge: random.once(2) })
  }
})

test('captures in small pieces', async t => {
  for (let seed = FIRST; seed < FIRST + CASES / 20; seed++) {
    const random = new Random(seed + 55_555)
    const file = wildFile(random, 20)
    const pieces = function* () {
      for (let at = 0; at < file.length; ) yield file.subarray(at, (at += 1 + random.below(random.once(3) ? 7 : 700)))
    }
    const list = [...pieces()]
    const stream = () => new ReadableStream({ start: control => (list.forEach(piece => control.enqueue(piece)), control.close()) })
    const native = await told(stream(), { engine: 'native' })
    t.deepEqual(await told(stream(), { engine: 'js' }), native, `seed ${seed}`)
  }
})

for (const folder of ['captures', 'captures-bad'])
  test(`real ones: ${folder}`, async t => {
    const corpus = corpusFolder()
    if (corpus === null) {
      t.log(NO_CORPUS)
      t.pass()
      return
    }
    t.timeout(600_000)
    const names = readdirSync(join(corpus, 'dev', folder))
    for (const name of names) await compare(t, name, join(corpus, 'dev', folder, name), { checksum: 'count' })
    t.log(`${names.length} captures`)
  })
