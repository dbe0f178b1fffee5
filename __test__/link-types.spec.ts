// Names of link types: those of libpcap, and one for each that is decoded; docs/captures.md lists these.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { basicChain, linkTypeName, observe } from '../src/index.js'
import { collect } from './support/collect.js'
import { flowTotals } from '../src/cli/totals.js'
import { root } from './support/places.js'

const text = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Where the register has another name than libpcap's header, whose `DLT_` names are older. */
const OTHER_NAMES: ReadonlySet<string> = new Set([
  'PRISM_HEADER', 'AIRONET_HEADER', 'IEEE802_11_RADIO', 'IEEE802_11_RADIO_AVS', 'USB', 'MATCHING_MIN', 'MATCHING_MAX',
  'PFSYNC',
])

test('names are libpcap’s', t => {
  const header = '/usr/include/pcap/dlt.h'
  if (!existsSync(header)) {
    t.log(`skipped: there is no ${header}`)
    t.pass()
    return
  }
  // Below 104, numbers in files aren't those of the header.
  const theirs = [...readFileSync(header, 'latin1').matchAll(/^#define DLT_(\w+)\s+(\d+)\b/gm)]
    .map(([, name, number]) => [name!, Number(number)] as const)
    .filter(([name, number]) => number >= 104 && !OTHER_NAMES.has(name))
  t.true(theirs.length > 150)
  for (const [name, number] of theirs) t.is(linkTypeName(number), name, String(number))
})

test('names by the register: some that are no DLT_ names, and the newest', t => {
  const names = [0, 1, 6, 7, 12, 50, 101, 106, 119, 127, 137, 163, 186, 262, 264, 278, 301].map(linkTypeName)
  t.deepEqual(names, [
    'NULL', 'ETHERNET', 'IEEE802_5', 'ARCNET_BSD', 'RAW', 'PPP_HDLC', 'RAW', 'ATM_CLIP', 'IEEE802_11_PRISM',
    'IEEE802_11_RADIOTAP', 'JUNIPER_ATM1', 'IEEE802_11_AVS', 'USB_FREEBSD', 'ZWAVE_R3', 'ISO_14443', 'OPENVIZSLA', 'DECT_NR',
  ])
  t.deepEqual([11, 208, 302, 9999].map(linkTypeName), [null, null, null, null])
})

test('docs/captures.md lists the link types that are decoded', t => {
  const constants = [
    ...text('crates/core/src/decode/link/types.rs').matchAll(/^ {4}[A-Z]\w+ = (\d+),$/gm),
    ...text('crates/core/src/capture/mod.rs').matchAll(/pub const \w+: Self = Self\((\d+)\);/g),
  ]
  const decoded = constants.map(([, number]) => Number(number)).toSorted((a, b) => a - b)
  const rows = [...text('docs/captures.md').matchAll(/^\| (\d+) \| `(\w+)` \|/gm)].map(([, number, name]) => [Number(number), name])
  t.deepEqual(rows, decoded.map(number => [number, linkTypeName(number)]))
  t.true(rows.length > 40)
})

/** A capture of `packets` packets of a link type. */
function captureOf(linkType: number, packets: number): Uint8Array {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65_535, 16)
  header.writeUInt32LE(linkType, 20)
  const record = Buffer.alloc(20)
  record.writeUInt32LE(4, 8)
  record.writeUInt32LE(4, 12)
  return Buffer.concat([header, ...Array.from({ length: packets }, () => record)])
}

for (const engine of ['native', 'js'] as const)
  test(`${engine}: packets of unknown link types are counted by type, those of too many types as others`, async t => {
    const numbers = Array.from({ length: 66 }, (_, i) => 1000 + i)
    const observer = observe([...numbers, 1000].map(number => captureOf(number, number - 998)), { chains: [basicChain()], engine })
    t.deepEqual(await collect(observer), [])
    const { stats } = observer
    const packets = (number: number) => (number - 998) * (number === 1000 ? 2 : 1)
    t.is(stats.unknownLink, numbers.reduce((sum, number) => sum + packets(number), 0))
    t.deepEqual(stats.unknownLinkTypes, Object.fromEntries(numbers.slice(0, 64).map(number => [number, packets(number)])))
    const lines = flowTotals(stats, 1).split('\n')
    t.true(lines.includes('    65 of link type 1063'))
    t.true(lines.includes('    133 of others'))
  })

test('totals: unknown link types by name, the most frequent first, and no line for others where there are none', async t => {
  const observer = observe([captureOf(189, 1), captureOf(195, 3)], { chains: [basicChain()] })
  await collect(observer)
  const lines = flowTotals(observer.stats, 1).trimEnd().split('\n')
  t.deepEqual(lines.slice(-3), [
    '  4 packets of an unknown link type', `    3 of link type 195 (${linkTypeName(195)})`, `    1 of link type 189 (${linkTypeName(189)})`,
  ])
})
