/** UDPChain: datagrams without a checksum. */
import { builtIn, type BuiltInChain } from './chain.js'

/** The columns of {@link udpChain}. */
export interface UdpFields {
  /** The latest datagram forward had checksum 0 (none); null without a datagram. */
  udp_zero_checksum_fwd: boolean | null
  /** The same back. */
  udp_zero_checksum_rev: boolean | null
}

const chain = builtIn<UdpFields>({
  name: 'udp',
  columns: ['udp_zero_checksum_fwd', 'udp_zero_checksum_rev'],
  newFlow: () => ({ udp_zero_checksum_fwd: null, udp_zero_checksum_rev: null }),
  udp(record, { checksum }, direction) {
    if (direction === 'fwd') record.udp_zero_checksum_fwd = checksum === 0
    else record.udp_zero_checksum_rev = checksum === 0
  },
})

/** Whether UDP went without checksums: PATHspider's UDPChain. */
export function udpChain(): BuiltInChain<UdpFields> {
  return chain
}
