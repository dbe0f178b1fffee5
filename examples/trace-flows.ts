// A capture file for each TCP flow.
//
//   node --import=@oxc-node/core/register examples/trace-flows.ts FOLDER [CAPTURE]
import { traceFlows } from 'tcpskein'

const [folder = './flows', capture = 'examples/captures/sample.pcap'] = process.argv.slice(2)
const { index } = await traceFlows(capture, { fout: folder, format: 'pcap' })
console.log(`${index.length} flows`)
