// One pass over a capture through the built package, for measuring from outside (wall time, memory):
//
//   node bench/flows.mjs FILE      prints `conns=N packets=N` as its last line
import { basicChain, observe, tcpChain } from '../dist/index.js'

const [file] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node bench/flows.mjs FILE')
  process.exit(2)
}
let conns = 0
let packets = 0
for await (const flow of observe(file, { chains: [basicChain(), tcpChain()] })) {
  if (flow.proto !== 6) continue
  conns += 1
  packets += flow.pkt_fwd + flow.pkt_rev
}
console.log(`conns=${conns} packets=${packets}`)
