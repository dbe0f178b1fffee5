// The same work on the pure-TypeScript engine.
//
//   node --import=@oxc-node/core/register examples/js-engine.ts [CAPTURE]
import { basicChain, observe } from 'tcpskein'

const capture = process.argv[2] ?? 'examples/captures/sample.pcap'
for await (const flow of observe(capture, { engine: 'js', chains: [basicChain()] })) console.log(flow.sip, flow.dip, flow.pkt_fwd)
