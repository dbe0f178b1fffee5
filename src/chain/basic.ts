/** BasicChain: who talks with whom, packets and octets per direction. */
import { formatAddress } from '../address.js'
import { whole } from '../batch/view.js'
import type { IpView } from '../packet/ip-view.js'
import { builtIn, type BuiltInChain, type Direction } from './chain.js'

/** The columns of {@link basicChain}. */
export interface BasicFields {
  /** Source address of the flow's first packet (RFC 5952 text). */
  sip: string
  /** Destination address of the flow's first packet. */
  dip: string
  /** Source port; null where the protocol has none. */
  sp: number | null
  /** Destination port; null where the protocol has none. */
  dp: number | null
  /** Upper-layer protocol number: 6 = TCP, 17 = UDP. */
  proto: number
  /** Packets forward. */
  pkt_fwd: number
  /** Packets back. */
  pkt_rev: number
  /** Octets of IP packets forward, headers included. */
  oct_fwd: number
  /** Octets of IP packets back, headers included. */
  oct_rev: number
}

function count(record: BasicFields, packet: IpView, direction: Direction): void {
  if (direction === 'fwd') {
    record.pkt_fwd += packet.packets
    record.oct_fwd += packet.octets
  } else {
    record.pkt_rev += packet.packets
    record.oct_rev += packet.octets
  }
}

const chain = builtIn<BasicFields>({
  name: 'basic',
  columns: ['sip', 'dip', 'sp', 'dp', 'proto', 'pkt_fwd', 'pkt_rev', 'oct_fwd', 'oct_rev'],
  bind(view) {
    const version = view.numbers('ip_version')
    const [sip, dip] = [view.addresses('sip'), view.addresses('dip')]
    const [sp, spThere] = [view.numbers('sp'), view.flags('sp')]
    const [dp, dpThere] = [view.numbers('dp'), view.flags('dp')]
    const proto = view.numbers('proto')
    const [packetsFwd, packetsRev] = [view.numbers('pkt_fwd'), view.numbers('pkt_rev')]
    const [octetsFwd, octetsRev] = [view.numbers('oct_fwd'), view.numbers('oct_rev')]
    return (row, record) => {
      record.sip = formatAddress(sip, row * 16, version[row]!)
      record.dip = formatAddress(dip, row * 16, version[row]!)
      record.sp = spThere[row] === 1 ? sp[row]! : null
      record.dp = dpThere[row] === 1 ? dp[row]! : null
      record.proto = proto[row]!
      record.pkt_fwd = whole(packetsFwd[row]!)
      record.pkt_rev = whole(packetsRev[row]!)
      record.oct_fwd = whole(octetsFwd[row]!)
      record.oct_rev = whole(octetsRev[row]!)
    }
  },
  newFlow(packet) {
    return {
      sip: packet.source,
      dip: packet.destination,
      sp: packet.sourcePort,
      dp: packet.destinationPort,
      proto: packet.upperProtocol,
      pkt_fwd: 0,
      pkt_rev: 0,
      oct_fwd: 0,
      oct_rev: 0,
    }
  },
  ip4: count,
  ip6: count,
})

/** Addresses, ports, protocol, packets and octets: PATHspider's BasicChain. */
export function basicChain(): BuiltInChain<BasicFields> {
  return chain
}
