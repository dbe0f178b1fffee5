// One list of what flows, connections and analysed connections of a capture look like. Run as a program, it prints it.
import { pathToFileURL } from 'node:url'
import { basicChain, connections, observe, tcpChain, type Chain } from '../../src/index.js'
import { collect } from './collect.js'

/** Its second hook adds a column, and tries to take one. */
const own: Chain<{ seqs: number[] }> = {
  name: 'own',
  newFlow: () => ({ seqs: [] }),
  tcp: (record, { seq }) => void record.seqs.push(seq),
  udp: record => void Object.assign(record, { udp: true, flow_id: null }),
}

/** A record's class, its columns and its values. */
export async function everyRecord(path: string): Promise<string[]> {
  const records = await Promise.all([
    collect(observe([path, path], { chains: [basicChain(), tcpChain()] })),
    collect(observe([path, path], { chains: [own, basicChain()] })),
    collect(observe(path, { chains: [own] })),
    collect(connections(path)),
    collect(connections(path, { engine: 'js', hash: 'sha256' })),
    collect(connections([path, path], { analyse: true })),
  ])
  return records.flat().map(record => `${record.constructor.name} ${JSON.stringify(record)}`)
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) console.log(JSON.stringify(await everyRecord(process.argv[2]!)))
