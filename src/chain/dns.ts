/** DNSChain: whether a valid DNS response (RFC 1035) came back. */
import type { BuiltInChain } from './chain.js'
import { booleanColumn } from './columns.js'

/** The columns of {@link dnsChain}. */
export interface DnsFields {
  /** A message in reverse direction was a response that can be parsed. */
  dns_response_valid: boolean
}

const chain: BuiltInChain<DnsFields> = {
  name: 'dns',
  columns: ['dns_response_valid'],
  bind(view) {
    const responseValid = booleanColumn(view, 'dns_response_valid')
    return (row, record) => {
      record.dns_response_valid = responseValid(row)
    }
  },
}

/** DNS responses: PATHspider's DNSChain. A flow is complete after a valid one. */
export function dnsChain(): BuiltInChain<DnsFields> {
  return chain
}
