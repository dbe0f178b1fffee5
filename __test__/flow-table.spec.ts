// flowTable: the same values as the flow records, column by column.
import { join } from 'node:path'
import test from 'ava'
import { basicChain, flowTable, mssChain, noopChain, observe, OptionError, tcpChain, type AnyChain, type Chain } from '../src/index.js'
import { pcap, tcpFrame, udpFrame } from './support/frames.js'

const sample = join(import.meta.dirname, '../examples/captures/sample.pcap')
const odd: Chain<{ label: string | null; seen: boolean; since: bigint | null }> = {
  name: 'odd',
  newFlow: packet => ({ label: packet.upperProtocol === 6 ? 'tcp' : null, seen: false, since: null }),
  tcp(record, segment) {
    record.seen = true
    record.since ??= segment.timestampNs
  },
}

const chainsOf = (own: readonly AnyChain[]): readonly AnyChain[] => [basicChain(), tcpChain(), mssChain(), ...own]

for (const [way, own] of [['natively', []], ['with a chain of one\'s own', [odd]]] as const)
  test(`every column has the records' values, ${way}`, async t => {
    for (const source of [sample, [sample, sample]]) {
      const records: Record<string, unknown>[] = []
      for await (const flow of observe(source, { chains: chainsOf(own) })) records.push({ ...flow })
      const table = await flowTable(source, { chains: chainsOf(own) })
      t.true(records.length > 10)
      t.is(table.length, records.length)
      t.deepEqual(records.map((_, row) => ({ ...table.record(row) })), records)
      t.deepEqual(table.columnNames.toSorted(), Object.keys(records[0]!).toSorted())
      t.is(table.stats.flows, records.length)
    }
  })

test('columns are arrays to compute with', async t => {
  const table = await flowTable(sample, { chains: [basicChain(), tcpChain(), odd] })
  let octets = 0
  let rows = 0
  for await (const flow of observe(sample, { chains: [basicChain()] })) {
    octets += flow.oct_fwd
    rows += 1
  }
  t.is(table.column('oct_fwd').reduce((a, b) => a + b, 0), octets)
  t.is(table.column('sip').length, rows)
  t.true(table.column('first_ns') instanceof BigInt64Array)
  t.true(ArrayBuffer.isView(table.column('since')))
  t.deepEqual([table.present('oct_fwd'), table.present('sp')?.length], [null, rows])
  // @ts-expect-error no such column
  t.throws(() => table.column('oct'), { instanceOf: OptionError, message: /there are flow_id/ })
})

test('a run without flows has the columns all the same', async t => {
  const table = await flowTable(pcap([]), { chains: [basicChain()] })
  t.is(table.length, 0)
  t.deepEqual([...table.column('oct_fwd')], [])
  const own = await flowTable(pcap([]), { chains: [basicChain(), { ...noopChain() }] })
  t.deepEqual([...own.column('oct_fwd')], [])
})

test('as an Apache Arrow table', async t => {
  if ((await import('apache-arrow').catch(() => null)) === null) {
    t.log('skipped: apache-arrow is not installed')
    t.pass()
    return
  }
  const capture = pcap([[0n, tcpFrame({ flags: 2 })], [1n, udpFrame({})]])
  for (const own of [[], [odd]] as const) {
    const table = await flowTable(capture, { chains: chainsOf(own) })
    const arrow = await table.toArrow()
    t.deepEqual([arrow.numRows, arrow.numCols], [2, table.columnNames.length])
    const rows = arrow.toArray() as Record<string, unknown>[]
    const pick = ({ sip, sp, tcp_synflags_fwd, tcp_connected, end_reason }: Record<string, unknown>) => [sip, sp, tcp_synflags_fwd, tcp_connected, end_reason]
    t.deepEqual(rows.map(pick), [['10.0.0.1', 1000, 2, false, 'flush'], ['10.0.0.1', 1000, null, false, 'flush']])
  }
})
