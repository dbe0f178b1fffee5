// Flow records of a network interface, for so many milliseconds. Needs the right to capture.
//
//   node --import=@oxc-node/core/register examples/live-flows.ts [INTERFACE] [MILLISECONDS]
import { basicChain, observe } from 'tcpskein'

const [name = 'eth0', time = '60000'] = process.argv.slice(2)
const source = { interface: name, filter: 'tcp' }
for await (const flow of observe(source, { chains: [basicChain()], signal: AbortSignal.timeout(Number(time)) }))
  console.log(flow.sip, flow.sp, flow.dip, flow.dp, flow.pkt_fwd + flow.pkt_rev)
