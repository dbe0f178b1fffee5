// The streams of a capture, as a follower calls them back, packet by packet or a capture at a time.
//
//   node --import=@oxc-node/core/register examples/follow-streams.ts [CAPTURE]
import { TCPStreamFollower } from 'tcpskein'

const capture = process.argv[2] ?? 'examples/captures/sample.pcap'
const follower = new TCPStreamFollower({
  onData: s => console.log(`${s.clientAddr}:${s.clientPort} ${s.direction} ${s.chunk.length}, ${s.clientPayload.length} so far from the client`),
  onEnd: s => console.log(`${s.clientAddr}:${s.clientPort} ${s.finished ? 'closed' : 'ended'}`),
})
await follower.feed(capture)
await follower.close()
