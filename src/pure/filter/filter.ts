/** Which packets a run takes. */
import { OptionError } from '../../errors.js'
import type { Packet } from '../capture/packet.js'

/** A compiled filter. */
export interface Filter {
  /** Whether a packet in `block` is chosen. */
  matches(packet: Packet, block: Uint8Array): boolean
}

/** A filter from its text in tcpdump's language; null where all packets are taken. */
export function compile(text: string | undefined): Filter | null {
  if (text === undefined) return null
  throw new OptionError('option filter: the js engine has no filter yet')
}
