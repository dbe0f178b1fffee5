// Flow records with typed columns, chosen by the chains given: TCP flows that the answering side reset.
//
//   node --import=@oxc-node/core/register examples/flow-records.ts [CAPTURE]
import { basicChain, observe, tcpChain } from 'tcpskein'

const capture = process.argv[2] ?? 'examples/captures/sample.pcap'
for await (const flow of observe(capture, { chains: [basicChain(), tcpChain()] })) {
  if (flow.tcp_connected && flow.tcp_rst_rev) console.log(flow.sip, flow.dp, flow.pkt_fwd)
}
