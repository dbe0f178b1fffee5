/** ICMPChain: whether an answer said "destination unreachable". */
import type { IcmpView } from '../packet/upper-views.js'
import { builtIn, type BuiltInChain, type Direction } from './chain.js'

/** The columns of {@link icmpChain}. */
export interface IcmpFields {
  /** An ICMP or ICMPv6 message in reverse direction said "destination unreachable". */
  icmp_unreachable: boolean
}

function note(record: IcmpFields, message: IcmpView, direction: Direction, unreachable: number): boolean {
  if (direction === 'rev' && message.type === unreachable) record.icmp_unreachable = true
  return !record.icmp_unreachable
}

const chain = builtIn<IcmpFields>({
  name: 'icmp',
  columns: ['icmp_unreachable'],
  newFlow: () => ({ icmp_unreachable: false }),
  // RFC 792 type 3, RFC 4443 type 1.
  icmp4: (record, message, direction) => note(record, message, direction, 3),
  icmp6: (record, message, direction) => note(record, message, direction, 1),
})

/** Destination unreachable: PATHspider's ICMPChain. A flow is complete after such an answer. */
export function icmpChain(): BuiltInChain<IcmpFields> {
  return chain
}
