// A chain of one's own: the round-trip time of TCP handshakes, in packet time. Reads standard input.
//
//   node --import=@oxc-node/core/register examples/handshake-time.ts < examples/captures/sample.pcap
import { basicChain, observe, TCP_SA, TCP_SYN, type Chain } from 'tcpskein'

interface Rtt {
  syn_ns: bigint | null
  rtt_us: number | null
}

const rtt: Chain<Rtt> = {
  name: 'rtt',
  newFlow: () => ({ syn_ns: null, rtt_us: null }),
  tcp(record, segment, direction) {
    if (direction === 'fwd' && segment.flags === TCP_SYN) record.syn_ns ??= segment.timestampNs
    if (direction === 'rev' && (segment.flags & TCP_SA) === TCP_SA && record.syn_ns !== null)
      record.rtt_us ??= Number(segment.timestampNs - record.syn_ns) / 1000
    return true // false: this flow is complete
  },
}

for await (const flow of observe(process.stdin, { chains: [basicChain(), rtt] })) console.log(flow.dip, flow.rtt_us)
