/** Views of what IP packets carry. As with all views: one object serves packet after packet, and nothing is copied. */
import type { IpView } from './ip-view.js'
import type { Place } from './place.js'

/** What the views of upper layers have in common. Fields that weren't captured read as 0. */
abstract class UpperView {
  /** @internal */
  readonly place: Place
  /** @internal Filled in once, where the views are made. */
  ipViews: readonly [v4: IpView, v6: IpView] | undefined

  /** @internal */
  constructor(place: Place) {
    this.place = place
  }

  /** @internal Where the payload begins. */
  abstract get payloadAt(): number
  /** Octets of payload on the wire, captured or not. */
  abstract get payloadLength(): number

  /** The IP packet around this. */
  get ip(): IpView {
    return this.ipViews![this.place.version === 4 ? 0 : 1]
  }

  /** What was captured of the payload: a view, valid until the hook returns. Made anew each time it is asked for. */
  get payload(): Uint8Array {
    const { payloadAt, payloadLength } = this
    return this.place.slice(payloadAt, Math.min(this.place.upperEnd, payloadAt + payloadLength))
  }

  /** Number of the packet in its capture, from 1. */
  get packetNumber(): number {
    return this.place.columns!.number[this.place.row]!
  }

  /** Time, nanoseconds since the Unix epoch. */
  get timestampNs(): bigint {
    return this.place.columns!.ts_ns[this.place.row]!
  }

  /** Time, seconds since the Unix epoch, as exact as a double can be. */
  get timestamp(): number {
    const { columns, row } = this.place
    return columns!.second[row]! + columns!.nanosecond[row]! / 1e9
  }
}

/** A TCP header (RFC 9293 section 3.1). */
export class TcpView extends UpperView {
  /** Source port. */
  get srcPort(): number {
    return this.place.head16(0)
  }

  /** Destination port. */
  get dstPort(): number {
    return this.place.head16(2)
  }

  /** Sequence number. */
  get seq(): number {
    return this.place.head32(4)
  }

  /** Acknowledgment number; it only means something with {@link TCP_ACK}. */
  get ack(): number {
    return this.place.head32(8)
  }

  /** Data offset: octets of the header divided by four, 5 to 15. */
  get dataOffset(): number {
    return this.place.headOctet(12) >>> 4
  }

  /** The four bits behind the data offset that RFC 9293 reserves (`Rsrvd`), 0 to 15; the lowest of them is now {@link TcpView.ae}. */
  get reserved(): number {
    return this.place.headOctet(12) & 0x0f
  }

  /** The octet of control bits, `TCP_CWR` to `TCP_FIN`; {@link TcpView.ae} stands apart. */
  get flags(): number {
    return this.place.headOctet(13)
  }

  /** Accurate ECN (RFC 9768), once the nonce sum: the bit before the octet of flags. */
  get ae(): boolean {
    return (this.place.headOctet(12) & 1) !== 0
  }

  /** Receive window, unscaled. */
  get window(): number {
    return this.place.head16(14)
  }

  /** Checksum. */
  get checksum(): number {
    return this.place.u16(this.place.upper + 16, this.place.upperEnd)
  }

  /** Urgent pointer; it only means something with {@link TCP_URG}. */
  get urgentPointer(): number {
    return this.place.u16(this.place.upper + 18, this.place.upperEnd)
  }

  /** What was captured of the options: a view. {@link tcpOptions} reads them. */
  get options(): Uint8Array {
    const { place } = this
    return place.slice(place.upper + 20, Math.min(place.upperEnd, this.payloadAt))
  }

  /** Some of the options were not captured. */
  get optionsCut(): boolean {
    return this.payloadAt > this.place.upperEnd
  }

  get payloadLength(): number {
    return Math.max(0, this.place.upperLen - this.dataOffset * 4)
  }

  /** @internal */
  get payloadAt(): number {
    return this.place.upper + this.dataOffset * 4
  }
}

/** A UDP header (RFC 768). */
export class UdpView extends UpperView {
  /** Source port. */
  get srcPort(): number {
    return this.place.head16(0)
  }

  /** Destination port. */
  get dstPort(): number {
    return this.place.head16(2)
  }

  /** Octets of header and payload as the header says; 0 in a jumbogram (RFC 2675). */
  get length(): number {
    return this.place.head16(4)
  }

  /** Checksum; 0 = none. */
  get checksum(): number {
    return this.place.head16(6)
  }

  get payloadLength(): number {
    const { length } = this
    const most = Math.max(0, this.place.upperLen - 8)
    return length >= 8 ? Math.min(most, length - 8) : most
  }

  /** @internal */
  get payloadAt(): number {
    return this.place.upper + 8
  }
}

/** The header of an ICMP (RFC 792) or ICMPv6 (RFC 4443) message. */
export class IcmpView extends UpperView {
  /** Type. */
  get type(): number {
    return this.place.octet(this.place.upper, this.place.upperEnd)
  }

  /** Code. */
  get code(): number {
    return this.place.octet(this.place.upper + 1, this.place.upperEnd)
  }

  /** Checksum. */
  get checksum(): number {
    return this.place.u16(this.place.upper + 2, this.place.upperEnd)
  }

  /** The four octets behind the checksum, whose meaning depends on the type (identifier and sequence, MTU, …). */
  get restOfHeader(): number {
    return this.place.u32(this.place.upper + 4, this.place.upperEnd)
  }

  get payloadLength(): number {
    return Math.max(0, this.place.upperLen - 8)
  }

  /** @internal */
  get payloadAt(): number {
    return this.place.upper + 8
  }
}
