/** What a stream is given: see `core::stream::Segment`. */

const NOTHING = new Uint8Array(0)

/** One segment. The object is filled again for each; RST payload is no stream data (RFC 9293 section 3.5.3). */
export class StreamSegment {
  /** The header's sequence number, as a signed 32-bit integer. */
  seq = 0
  /** SYN: the payload begins one later. */
  syn = false
  /** FIN: stands after the payload. */
  fin = false
  /** The payload as far as it was captured. More than `wireLength` is padding and ignored. */
  payload: Uint8Array = NOTHING
  /** Octets of payload on the wire. What was not captured is a hole that a retransmission may fill. */
  wireLength = 0
  /** The peer's last advertised window is zero: one new octet is a probe (RFC 9293 section 3.8.6.1). */
  zeroWindow = false
  /** Packet time. */
  second = 0
  nanosecond = 0
}
