// One pass over a capture through the built package, for measuring from outside (wall time, memory):
//
//   node bench/flows.mjs FILE [FILTER]      prints `conns=N packets=N` of TCP as its last line
//
// With the filter `tcp` other packets make no records: other programs look at TCP alone.
import { basicChain, observe, tcpChain } from '../dist/index.js'

const [file, filter] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node bench/flows.mjs FILE [FILTER]')
  process.exit(2)
}
let conns = 0
let packets = 0
for await (const flow of observe(file, { chains: [basicChain(), tcpChain()], ...(filter && { filter }) })) {
  if (flow.proto !== 6) continue
  conns += 1
  packets += flow.pkt_fwd + flow.pkt_rev
}
console.log(`conns=${conns} packets=${packets}`)
