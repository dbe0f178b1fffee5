// Analysis in columns, without an object per flow.
//
//   node --import=@oxc-node/core/register examples/columns.ts [CAPTURE]
import { basicChain, flowTable, tcpChain } from 'tcpskein'

const capture = process.argv[2] ?? 'examples/captures/sample.pcap'
const table = await flowTable(capture, { chains: [basicChain(), tcpChain()] })
const octets = table.column('oct_fwd').reduce((a, b) => a + b, 0)
console.log(`${table.length} flows, ${octets} octets forward`)
