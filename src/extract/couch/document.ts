/** Parts as documents: names are those of connection records, octets are attachments. */
import type { StreamPart } from '../part.js'

/** A document as `_bulk_docs` takes it. */
export interface PartDocument {
  readonly _id: string
  _rev?: string
  /** SHA-256 of all the rest: tells whether a document that is there already is the same. */
  readonly digest: string
  readonly [name: string]: unknown
}

/** Digits of a part's number, so that documents sort by it. */
const DIGITS = 8

/** The document of a part. The same part gives the same document in each run. */
export function partDocument(part: StreamPart): PartDocument {
  const { stream, number } = part
  const fields = {
    _id: `${stream.id}:${String(number).padStart(DIGITS, '0')}`,
    type: 'tcp-stream-part',
    stream: stream.id,
    key: stream.key,
    part: number,
    last: part.last,
    ...identity(part),
    ...counts(part),
    ...attachments(part),
  }
  return { ...fields, digest: process.getBuiltinModule('node:crypto').createHash('sha256').update(JSON.stringify(fields)).digest('hex') }
}

/** Times are strings of digits: JSON has no such integers in JavaScript. */
function identity({ stream }: StreamPart) {
  const { capture } = stream
  return {
    ...(capture === undefined ? {} : { capture }),
    ip_version: stream.ipVersion,
    client_addr: stream.clientAddr,
    client_port: stream.clientPort,
    server_addr: stream.serverAddr,
    server_port: stream.serverPort,
    first_packet: stream.firstPacket,
    first_ns: String(stream.firstNs),
    last_ns: String(stream.lastNs),
    client_state: stream.clientState,
    server_state: stream.serverState,
    state_history: stream.stateHistory.map(({ timestampNs, packet, client, server }) => ({
      timestamp_ns: String(timestampNs),
      packet,
      client,
      server,
    })),
    end_reason: stream.endReason,
  }
}

/** Of the stream so far; `part_…` of the part alone. */
function counts({ stream, packets, client, server, gaps }: StreamPart) {
  return {
    packets_fwd: stream.packets.client,
    packets_rev: stream.packets.server,
    payload_bytes_fwd: stream.payloadBytes.client,
    payload_bytes_rev: stream.payloadBytes.server,
    stream_len_fwd: stream.streamBytes.client,
    stream_len_rev: stream.streamBytes.server,
    gap_bytes_fwd: stream.gapBytes.client,
    gap_bytes_rev: stream.gapBytes.server,
    part_packets: packets.length,
    part_len_fwd: client.length,
    part_len_rev: server.length,
    gaps_fwd: gaps.client,
    gaps_rev: gaps.server,
  }
}

function attachments({ client, server }: StreamPart) {
  const sides = Object.entries({ client, server }).filter(([, octets]) => octets.length > 0)
  if (sides.length === 0) return {}
  return { _attachments: Object.fromEntries(sides.map(([name, octets]) => [name, attachment(octets)])) }
}

function attachment(octets: Uint8Array) {
  const data = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64')
  return { content_type: 'application/octet-stream', data }
}
