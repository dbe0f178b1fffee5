// DuckDB reads our Parquet: the query of docs/exports.md, its answers against sums over the records themselves.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import test from 'ava'
import { basicChain, connections, exportRecords, observe, tcpChain } from '../src/index.js'
import { collect } from './support/collect.js'
import { root, samplePath } from './support/places.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-duckdb-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

async function open(): Promise<DuckDBConnection> {
  return (await DuckDBInstance.create()).connect()
}

test('the query of the guide gives what the records say', async t => {
  const path = join(folder, 'connections.parquet')
  const make = () => connections(samplePath, { analyse: true, maxStreamBytes: 0 })
  await exportRecords(make(), path, { format: 'parquet', rowGroupSize: 5 })
  const guide = readFileSync(join(root, 'docs', 'exports.md'), 'utf8')
  const query = /```sql\n([\s\S]*?)```/.exec(guide)![1]!.replace('connections.parquet', path)
  const rows = (await (await open()).runAndReadAll(query)).getRowObjects()
  const records = (await collect(make())).filter(record => record.connected)
  const clients = new Set(records.map(record => record.client_addr))
  t.true(clients.size > 0)
  // Clients with as many octets as each other come in any order.
  t.deepEqual(rows.map(row => String(row.client_addr)).toSorted(), [...clients].toSorted())
  const octets = rows.map(row => Number(row.octets))
  t.deepEqual(octets, octets.toSorted((a, b) => b - a))
  for (const row of rows) {
    const mine = records.filter(record => record.client_addr === row.client_addr)
    const sum = (of: (record: (typeof mine)[number]) => number) => mine.reduce((total, record) => total + of(record), 0)
    t.is(Number(row.connections), mine.length)
    t.is(Number(row.octets), sum(record => record.payload_bytes_rev))
    t.is(Number(row.retransmissions), sum(record => record.kind_retransmission_fwd + record.kind_retransmission_rev))
    const first = mine.reduce((least, record) => (record.first_ns < least ? record.first_ns : least), mine[0]!.first_ns)
    t.is(nanoseconds(row.first), first)
  }
})

/** DuckDB keeps nanoseconds or, with a time zone, microseconds. */
function nanoseconds(value: unknown): bigint {
  const { nanos, micros } = value as { nanos?: bigint; micros?: bigint }
  return nanos ?? micros! * 1000n
}

test('every value of a flow record comes back', async t => {
  const path = join(folder, 'flows.parquet')
  const make = () => observe(samplePath, { chains: [basicChain(), tcpChain()] })
  const count = await exportRecords(make(), path, { format: 'parquet' })
  const rows = (await (await open()).runAndReadAll(`SELECT * FROM '${path}'`)).getRowObjects()
  const records = await collect(make())
  t.is(rows.length, count)
  records.forEach((record, i) => {
    for (const [name, value] of Object.entries(record)) {
      const have = rows[i]![name]
      const same = typeof value === 'bigint' ? nanoseconds(have) : typeof have === 'bigint' ? Number(have) : have
      t.is<unknown, unknown>(same, value, name)
    }
  })
})
