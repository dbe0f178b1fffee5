// Names of link types: those of libpcap, and one for each that is decoded; docs/captures.md lists these.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { linkTypeName } from '../src/index.js'
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
