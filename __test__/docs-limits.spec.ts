// docs/limits.md: the defaults are those of the code, as far as one function has them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { checkExtract } from '../src/extract/options.js'
import { checkFollower } from '../src/follower/options.js'
import { checkLive } from '../src/live.js'
import { checkDecode, checkTimes, MAX_MERGED } from '../src/options.js'
import { checkStreams } from '../src/stream-options.js'
import { checkTrace } from '../src/trace/options.js'
import { root } from './support/places.js'

const page = readFileSync(join(root, 'docs', 'limits.md'), 'utf8')

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, h: 3600, MiB: 2 ** 20 }

/** Numbers of a cell: `16 MiB` in octets, `2 h` in seconds. */
const numbersOf = (cell: string): number[] =>
  [...cell.matchAll(/(\d[\d,]*)(?: (MiB|s|h)\b)?/g)].map(([, number, unit = '']) => Number(number!.replaceAll(',', '')) * UNITS[unit]!)

/** Options of a section with their defaults. */
function defaultsOf(heading: string): Record<string, number> {
  const [, section = ''] = new RegExp(`^## ${heading}$([^]*?)(?=^## |(?![^]))`, 'm').exec(page) ?? []
  const rows = [...section.matchAll(/^\| [^|]+ \| ([^|]+) \| ([^|]*) \| [^|]+ \|$/gm)]
  return Object.fromEntries(
    rows.flatMap(([, fallback, options]) => [...options!.matchAll(/`([\w.]+)`/g)].map(([, option], i) => [option!, numbersOf(fallback!)[i]!])),
  )
}

/** That the page has these, all of them and no other. */
const cases: [heading: string, actual: object, elsewhere?: readonly string[]][] = [
  ['Flows', checkTimes({})],
  ['Connections and streams', checkStreams({})],
  ['Writers of streams', checkExtract({}, 1), ['batchDocuments', 'batchBytes', 'maxRetries']],
  ['A file per flow', checkTrace({}, 'pcap'), ['maxBufferedBytes', 'maxFrames']],
]

for (const [heading, actual, elsewhere = []] of cases)
  test(heading, t => {
    const found = defaultsOf(heading)
    const names = Object.keys(found).filter(name => !elsewhere.includes(name))
    t.true(names.length >= 2, names.join())
    for (const name of names) t.is(found[name], (actual as Record<string, number>)[name], name)
  })

test('captures and packets', t => {
  const { ringBytes, 'fragments.maxBytes': maxBytes } = defaultsOf('Captures and packets')
  t.is(ringBytes, checkLive({ interface: 'any' }).ringBytes)
  const { fragmentMaxBytes, fragmentTimeoutV4, fragmentTimeoutV6 } = checkDecode({})
  t.is(maxBytes, fragmentMaxBytes)
  t.true(page.includes(`| ${fragmentTimeoutV4} s (IPv4), ${fragmentTimeoutV6} s (IPv6) | \`fragments.timeout\` |`))
  t.true(page.includes(`| captures merged at a time | ${MAX_MERGED} |`))
})

test('what is kept of streams', t => {
  const { maxStreamBytes, maxKeptBytes, maxQueuedBytes } = checkFollower({})
  for (const [option, octets] of Object.entries({ maxStreamBytes, maxKeptBytes, maxQueuedBytes }))
    t.true(page.includes(`| ${octets / 2 ** 20} MiB | \`${option}\` |`), option)
})
