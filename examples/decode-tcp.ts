// What each side of each connection sent so far, at each segment with PSH or URG.
//
//   node --import=@oxc-node/core/register examples/decode-tcp.ts [CAPTURE]
import { connectionIdToString, decodeTcp } from 'tcpskein'

const capture = process.argv[2] ?? 'examples/captures/sample.pcap'
for await (const { connectionId, data, ipVersion } of decodeTcp(capture))
  console.log(connectionIdToString(connectionId, ipVersion), data.length)
