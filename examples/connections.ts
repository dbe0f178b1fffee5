// Whole connections of one server port, with what each side sent.
//
//   node --import=@oxc-node/core/register examples/connections.ts [CAPTURE] [PORT]
import { connections } from 'tcpskein'

const [capture = 'examples/captures/sample.pcap', port = '80'] = process.argv.slice(2)
for await (const c of connections(capture, { maxStreamBytes: 1 << 20, want: c => c.server_port === Number(port) }))
  console.log(`${c.client_addr}:${c.client_port} → ${c.server_addr}:${c.server_port}`, c.client.length, c.server.length, c.server.gaps)
