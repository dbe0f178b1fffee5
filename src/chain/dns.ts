/** DNSChain: whether a valid DNS response (RFC 1035) came back. */
import { createRequire } from 'node:module'
import { builtIn, type BuiltInChain, type Direction } from './chain.js'

/** The columns of {@link dnsChain}. */
export interface DnsFields {
  /** A message in reverse direction was a response that can be parsed. */
  dns_response_valid: boolean
}

/** Reads one part of a message; `decode.bytes` says how long it was. */
interface Codec {
  readonly decode: ((message: Buffer, at: number) => unknown) & { readonly bytes: number }
}

/** The parts of the package `dns-packet` that are needed here; its types don't know them. */
type Codecs = Readonly<Record<'name' | 'question', Codec>>

let loaded: Codecs | undefined

/** Loaded when the first message comes: few programs need it, and loading it takes longer than all of this package. */
function codecs(): Codecs {
  loaded ??= createRequire(import.meta.url)('dns-packet') as Codecs
  return loaded
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
    return isWhole(Buffer.from(message.buffer, message.byteOffset, message.length))
  } catch {
    return false
  }
}

/**
 * The four sections are what the header counts, and nothing follows them. What is in a record's data doesn't matter:
 * RFC 3597 has unknown types passed on as they are.
 */
function isWhole(message: Buffer): boolean {
  const { name, question } = codecs()
  const count = (at: number) => message.readUInt16BE(at)
  let at = HEADER_LENGTH
  for (let left = count(4); left > 0; left--) {
    question.decode(message, at)
    at += question.decode.bytes
  }
  for (let left = count(6) + count(8) + count(10); left > 0; left--) {
    name.decode(message, at)
    // RFC 1035 section 4.1.3: type, class, time to live, length of the data.
    at += name.decode.bytes + 10
    at += message.readUInt16BE(at - 2)
  }
  return at === message.length
}

const chain = builtIn<DnsFields>({
  name: 'dns',
  columns: ['dns_response_valid'],
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
