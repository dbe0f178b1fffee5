/** BasicChain: who talks with whom, packets and octets per direction. */
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
