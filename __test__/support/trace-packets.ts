// Packets for flow tracing, made by hand.
import type { TracePacket } from '../../src/index.js'

/** A packet of 10.0.0.1:1000 → 10.0.0.2:80 with one octet in its frame. */
export function tracePacket(fields: Partial<TracePacket> & { index: number }): TracePacket {
  const { index, timestamp = index } = fields
  const octets = Uint8Array.of(index & 0xff)
  return {
    protocol: 1,
    frame: { number: index, time_epoch: String(timestamp), len: 1, cap_len: 1, packet: octets },
    syn: false,
    fin: false,
    src: '10.0.0.1',
    dst: '10.0.0.2',
    srcport: 1000,
    dstport: 80,
    timestamp,
    ...fields,
  }
}

/** The same, the other way. */
export const answer = (fields: Partial<TracePacket> & { index: number }): TracePacket =>
  tracePacket({ src: '10.0.0.2', dst: '10.0.0.1', srcport: 80, dstport: 1000, ...fields })
