// The types of columns are told without an engine; here the addon's own layout says whether they are right.
import test from 'ava'
import { parseLayout } from '../src/batch/view.js'
import { CHAINS } from '../src/cli/chains.js'
import { columnInfo, derived } from '../src/export/columns.js'
import { basicChain, observe, type ColumnInfo } from '../src/index.js'
import { loadBinding } from '../src/native/load.js'
import { checkDecode } from '../src/options.js'
import { samplePath } from './support/places.js'

test('types of all built-in columns', t => {
  const options = { idleTimeout: 30, expiryTimeout: 5, maxFlows: 10, aggregate: false, decode: checkDecode({}) }
  const reader = loadBinding().NativeReader.flows({ ...options, chains: Object.keys(CHAINS) })
  const { columns } = parseLayout(reader.layout())
  reader.close()
  const laidOut = new Map<string, ColumnInfo>(columns.map(place => [place.name, columnInfo(place)]))
  // The addon counts captures, and has times as integers only; records have names, and seconds too.
  laidOut.set('capture', derived('capture', 'text'))
  for (const name of ['pkt_first', 'pkt_last']) laidOut.set(name, derived(name, 'f64'))
  const told = observe([samplePath, samplePath], { chains: Object.values(CHAINS).map(make => make()) }).columns
  t.true(told.length > 60)
  for (const column of told) t.deepEqual(column, laidOut.get(column.name), column.name)
})

test('the same with either engine, and a chain of one’s own is anything', t => {
  const own = { name: 'own', columns: ['sip'], newFlow: () => ({ sip: 1 }) } as const
  for (const engine of ['native', 'js'] as const) {
    t.deepEqual(observe(samplePath, { engine, chains: [basicChain()] }).columns.at(11), { name: 'sip', type: 'text', nullable: false })
    t.deepEqual(observe(samplePath, { engine, chains: [own] }).columns.at(-1), { name: 'sip', type: 'any', nullable: true })
  }
})
