/** EvilChain: the reserved bit of the IPv4 flags, RFC 3514's "evil bit". */
import { builtIn, type BuiltInChain } from './chain.js'
import { Role, roleOf } from './role.js'

/** The columns of {@link evilChain}. */
export interface EvilFields {
  /** The bit of the latest segment with SYN forward; null without one. */
  evilbit_syn_fwd: boolean | null
  /** The bit of the latest segment with SYN back; null without one. */
  evilbit_syn_rev: boolean | null
  /** The bit of the first packet with data forward; null without one. */
  evilbit_data_fwd: boolean | null
  /** The bit of the first packet with data back; null without one. */
  evilbit_data_rev: boolean | null
}

const chain = builtIn<EvilFields>({
  name: 'evil',
  columns: ['evilbit_syn_fwd', 'evilbit_syn_rev', 'evilbit_data_fwd', 'evilbit_data_rev'],
  newFlow: () => ({ evilbit_syn_fwd: null, evilbit_syn_rev: null, evilbit_data_fwd: null, evilbit_data_rev: null }),
  ip4(record, packet, direction) {
    const role = roleOf(packet)
    if (role === Role.Bare) return
    const evil = packet.reservedFlag
    if (role === Role.Syn) {
      if (direction === 'fwd') record.evilbit_syn_fwd = evil
      else record.evilbit_syn_rev = evil
    } else if (direction === 'fwd') record.evilbit_data_fwd ??= evil
    else record.evilbit_data_rev ??= evil
  },
})

/** The "evil bit": PATHspider's EvilChain. */
export function evilChain(): BuiltInChain<EvilFields> {
  return chain
}
