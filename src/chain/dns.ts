/** DNSChain: whether a valid DNS response (RFC 1035) came back. */
import { decode } from 'dns-packet'
import { builtIn, type BuiltInChain, type Direction } from './chain.js'
import { booleanColumn } from './columns.js'

/** The columns of {@link dnsChain}. */
export interface DnsFields {
  /** A message in reverse direction was a response that can be parsed. */
  dns_response_valid: boolean
}

/** Octets of a DNS header. */
const HEADER_LENGTH = 12

function note(record: DnsFields, direction: Direction, message: () => Uint8Array): boolean {
  if (direction === 'rev' && !record.dns_response_valid) record.dns_response_valid = isValidResponse(message())
  return !record.dns_response_valid
}

/** The message behind its length (RFC 1035 section 4.2.2); nothing where it isn't there in full. */
function messageIn(payload: Uint8Array): Uint8Array {
  if (payload.length < 2) return payload.subarray(0, 0)
  const end = 2 + ((payload[0]! << 8) | payload[1]!)
  return payload.subarray(2, end <= payload.length ? end : 2)
}

function isValidResponse(message: Uint8Array): boolean {
  // RFC 1035 section 4.1.1: the QR bit. Only what claims to be a response is parsed.
  if (message.length < HEADER_LENGTH || (message[2]! & 0x80) === 0) return false
  try {
    return decode(Buffer.from(message.buffer, message.byteOffset, message.length)).type === 'response'
  } catch {
    return false
  }
}

const chain = builtIn<DnsFields>({
  name: 'dns',
  columns: ['dns_response_valid'],
  bind(view) {
    const responseValid = booleanColumn(view, 'dns_response_valid')
    return (row, record) => {
      record.dns_response_valid = responseValid(row)
    }
  },
  newFlow: () => ({ dns_response_valid: false }),
  tcp(record, segment, direction) {
    if (segment.payloadLength === 0) return true
    return note(record, direction, () => messageIn(segment.payload))
  },
  udp: (record, datagram, direction) => note(record, direction, () => datagram.payload),
})

/** DNS responses: PATHspider's DNSChain. A flow is complete after a valid one. */
export function dnsChain(): BuiltInChain<DnsFields> {
  return chain
}
