// Streams as events, in capture order: octets and what is missing of each connection on port 80.
//
//   node --import=@oxc-node/core/register examples/stream-events.ts [CAPTURE]
import { streamEvents } from 'tcpskein'

const capture = process.argv[2] ?? 'examples/captures/sample.pcap'
const octets = new Map<number, number>()
for await (const event of streamEvents(capture, { filter: 'tcp port 80' })) {
  switch (event.type) {
    case 'open':
      octets.set(event.connection.connection_id, 0)
      break
    // A view, valid until the next event; event.copy() keeps it.
    case 'data':
      octets.set(event.connection.connection_id, octets.get(event.connection.connection_id)! + event.data.length)
      break
    case 'gap':
      console.log(event.connection.connection_id, event.direction, 'missing', event.length)
      break
    case 'close':
      console.log(event.connection.connection_id, event.connection.end_reason, octets.get(event.connection.connection_id))
      break
  }
}
