/** ICMPChain: whether an answer said "destination unreachable". */
import type { BuiltInChain } from './chain.js'
import { booleanColumn } from './columns.js'

/** The columns of {@link icmpChain}. */
export interface IcmpFields {
  /** An ICMP or ICMPv6 message in reverse direction said "destination unreachable". */
  icmp_unreachable: boolean
}

const chain: BuiltInChain<IcmpFields> = {
  name: 'icmp',
  columns: ['icmp_unreachable'],
  bind(view) {
    const unreachable = booleanColumn(view, 'icmp_unreachable')
    return (row, record) => {
      record.icmp_unreachable = unreachable(row)
    }
  },
}

/** Destination unreachable: PATHspider's ICMPChain. A flow is complete after such an answer. */
export function icmpChain(): BuiltInChain<IcmpFields> {
  return chain
}
