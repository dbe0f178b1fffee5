// The shipped capture's expected records, and reading it in any way.
import { basicChain, connections, observe, tcpChain, type CaptureSource, type Connection, type FlowRecord } from '../../src/index.js'
import { collect } from './collect.js'
import { fixture, readJson, samplePath } from './places.js'

export const chains = [basicChain(), tcpChain()] as const

/** A record with both chains. */
export type BothRecord = FlowRecord<typeof chains>

interface Expected {
  packets: number
  not_ip: number
  flows: Record<string, unknown>[]
}

/** What `sample.json` says of the shipped capture. */
export const expectedSample = readJson<Expected>(fixture('sample.json'))

/** A record in the shape of the expectations: times as decimal text, and only their columns. */
export function asExpected(record: BothRecord, columns: readonly string[]): Record<string, unknown> {
  const all: Record<string, unknown> = { ...record, first_ns: String(record.first_ns), last_ns: String(record.last_ns) }
  return Object.fromEntries(columns.map(column => [column, all[column]]))
}

/** Reads captures with both chains, in order of first packets, in the shape of the expectations. */
export async function readAsExpected(source: CaptureSource | readonly CaptureSource[]): Promise<Record<string, unknown>[]> {
  const records = await collect(observe(source, { chains }))
  const columns = Object.keys(expectedSample.flows[0]!)
  return records.toSorted((a, b) => a.flow_id - b.flow_id).map(record => asExpected(record, columns))
}

/** Handshakes of the shipped capture, from the records of built-in chains alone. */
export async function handshakes(): Promise<number> {
  const records = await collect(observe(samplePath, { chains: [tcpChain()] }))
  return records.filter(flow => flow.tcp_synflags_fwd === 2 && ((flow.tcp_synflags_rev ?? 0) & 0x12) === 0x12).length
}

/** The shipped capture's connections that carry octets. */
export async function talking(): Promise<Connection[]> {
  const all = await collect(connections(samplePath))
  return all.filter(({ client, server }) => client.length + server.length > 0)
}
