// What both sides of each connection sent, by their ports.
import { TCPStreamExtractor } from 'tcpskein'

const streams = await new TCPStreamExtractor('examples/captures/sample.pcap').getStreams()
for (const [key, sides] of Object.entries(streams))
  console.log(key, Object.entries(sides).map(([port, octets]) => `${port}: ${octets.length}`).join(', '))
