/** What is timed: a plain read, flow records and streams, the last two by each engine. */
import { closeSync, openSync, readSync } from 'node:fs'
import * as zlib from 'node:zlib'
import { basicChain, observe, streamEvents, tcpChain, type EngineName } from '../index.js'

/** What a job found; two engines must find the same. */
export type Found = Readonly<Record<string, number>>

/** Something to time. */
export interface Job {
  readonly name: string
  /** Jobs of one kind must find the same. */
  readonly kind: 'read' | 'flows' | 'streams'
  run(path: string): Promise<Found>
}

/** The kinds besides the plain read. */
export const KINDS = ['flows', 'streams'] as const

/** The jobs of those kinds, each by each of the engines, behind the plain read. */
export function jobsOf(kinds: readonly (typeof KINDS)[number][], engines: readonly EngineName[]): Job[] {
  const runs = { flows, streams }
  const jobs = kinds.flatMap(kind =>
    engines.map(engine => ({ kind, name: `${kind}, ${engine}`, run: (path: string) => runs[kind](path, engine) })),
  )
  return [{ kind: 'read', name: 'plain read', run: read }, ...jobs]
}

const block = Buffer.alloc(512 * 1024)

async function read(path: string): Promise<Found> {
  const file = openSync(path, 'r')
  let bytes = 0
  for (let count; (count = readSync(file, block)) > 0; ) bytes += count
  closeSync(file)
  return { bytes }
}

/** One record per flow, with the basic and the tcp chain. */
export async function flows(path: string, engine: EngineName): Promise<Found> {
  let [records, octets, connected] = [0, 0, 0]
  const observer = observe(path, { engine, chains: [basicChain(), tcpChain()] })
  for await (const flow of observer) {
    records += 1
    octets += flow.oct_fwd + flow.oct_rev
    if (flow.tcp_connected) connected += 1
  }
  return { packets: observer.stats.packets, flows: records, octets, connected }
}

// zlib.crc32 came with Node 20.15 and 22.2.
const checksum: (data: Uint8Array, sum: number) => number =
  zlib.crc32 ?? ((data, sum) => data.reduce((so, octet) => (so * 31 + octet) >>> 0, sum))

/** Every octet of both directions of every connection through a checksum in a JavaScript callback. */
async function streams(path: string, engine: EngineName): Promise<Found> {
  let [connections, octets, gaps, sum] = [0, 0, 0, 0]
  const events = streamEvents(path, { engine })
  await events.each(event => {
    if (event.type === 'data') {
      sum = checksum(event.data, sum)
      octets += event.length
    } else if (event.type === 'gap') gaps += event.length
    else if (event.type === 'open') connections += 1
  })
  return { packets: events.stats.packets, connections, octets, gaps, checksum: sum }
}
