/**
 * Views of IP headers: getters that read the packet's octets when asked. One object serves packet after packet, so what
 * is to be kept must be copied before the hook returns.
 */
import { formatAddress } from '../address.js'
import { Upper } from './columns.js'
import type { Place } from './place.js'
import type { IcmpView, TcpView, UdpView } from './upper-views.js'

/** What IPv4 and IPv6 have in common. Fields that weren't captured read as 0. */
abstract class IpViewBase {
  /** @internal */
  readonly place: Place
  readonly #tcp: TcpView
  readonly #udp: UdpView
  readonly #icmp: IcmpView

  /** @internal */
  constructor(place: Place, uppers: Uppers) {
    this.place = place
    this.#tcp = uppers.tcp
    this.#udp = uppers.udp
    this.#icmp = uppers.icmp
  }

  /** Source address as text (RFC 5952 for IPv6); made anew each time it is asked for. */
  abstract get source(): string
  /** Destination address as text. */
  abstract get destination(): string
  /** IPv4 TOS or IPv6 traffic class. */
  abstract get trafficClass(): number

  /** Differentiated Services codepoint, 0 to 63 (RFC 2474). */
  get dscp(): number {
    return this.trafficClass >>> 2
  }

  /** ECN field, 0 to 3: not ECT, ECT(1), ECT(0), CE (RFC 3168). */
  get ecn(): number {
    return this.trafficClass & 3
  }

  /** Octets of the packet by its header, header included. */
  get size(): number {
    return this.place.ipLen
  }

  /** IP packets that it came in: 1, or the number of its fragments. */
  get packets(): number {
    const { columns, row } = this.place
    return columns!.packets[row]!
  }

  /** Octets of those IP packets, headers included: `size`, or the sum over all fragments. */
  get octets(): number {
    const { columns, row } = this.place
    return columns!.octets[row]!
  }

  /** Upper-layer protocol, behind IPv6 extension headers: 6 = TCP, 17 = UDP. */
  get upperProtocol(): number {
    return this.place.protocol
  }

  /** The packet is a fragment. */
  get isFragment(): boolean {
    return (this.place.meta & 0x60) !== 0
  }

  /** Source port, where the protocol has ports and they were captured. */
  get sourcePort(): number | null {
    const { place } = this
    return hasPorts(place) ? place.u16(place.upper, place.upperEnd) : null
  }

  /** Destination port, likewise. */
  get destinationPort(): number | null {
    const { place } = this
    return hasPorts(place) ? place.u16(place.upper + 2, place.upperEnd) : null
  }

  /** The TCP segment, where the packet holds a sound one. */
  get tcp(): TcpView | null {
    return this.place.kind === Upper.Tcp ? this.#tcp : null
  }

  /** The UDP datagram, where the packet holds one. */
  get udp(): UdpView | null {
    return this.place.kind === Upper.Udp ? this.#udp : null
  }

  /** The ICMP (in IPv4) or ICMPv6 (in IPv6) message, where the packet holds one. */
  get icmp(): IcmpView | null {
    return this.place.kind >= Upper.Icmp4 ? this.#icmp : null
  }

  /** What was captured behind the IP header (and IPv6 extension headers): a view, valid until the hook returns. */
  get payload(): Uint8Array {
    return this.place.slice(this.place.upper, this.place.upperEnd)
  }

  /** Octets behind the IP header by its length field, captured or not. */
  get payloadLength(): number {
    return this.place.upperLen
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

/** The views of what an IP packet may carry. */
export interface Uppers {
  readonly tcp: TcpView
  readonly udp: UdpView
  readonly icmp: IcmpView
}

/** TCP, UDP, SCTP and UDP-Lite begin with two ports. */
function hasPorts(place: Place): boolean {
  const { protocol } = place
  const fits = protocol === 6 || protocol === 17 || protocol === 132 || protocol === 136
  return fits && (place.meta & 0x40) === 0 && place.upper + 4 <= place.upperEnd
}

/** An IPv4 header (RFC 791 section 3.1). */
export class Ip4View extends IpViewBase {
  /** 4. */
  get version(): 4 {
    return 4
  }

  /** Internet header length, in words of four octets. */
  get ihl(): number {
    return this.place.bytes[this.place.ip]! & 0x0f
  }

  /** Type of service: DSCP and ECN. */
  get trafficClass(): number {
    return this.place.bytes[this.place.ip + 1]!
  }

  /** Octets of the packet as the header says; 0 where the capturing host left the length to its network card. */
  get totalLength(): number {
    return this.place.u16(this.place.ip + 2, this.place.ipEnd)
  }

  /** Identification. */
  get identification(): number {
    return this.place.u16(this.place.ip + 4, this.place.ipEnd)
  }

  /** The three flags: 4 = reserved, 2 = don't fragment, 1 = more fragments. */
  get flags(): number {
    return this.place.bytes[this.place.ip + 6]! >>> 5
  }

  /** The reserved bit: RFC 3514's "evil bit". */
  get reservedFlag(): boolean {
    return (this.flags & 4) !== 0
  }

  /** Don't fragment. */
  get dontFragment(): boolean {
    return (this.flags & 2) !== 0
  }

  /** More fragments. */
  get moreFragments(): boolean {
    return (this.flags & 1) !== 0
  }

  /** Fragment offset, in units of eight octets. */
  get fragmentOffset(): number {
    return this.place.u16(this.place.ip + 6, this.place.ipEnd) & 0x1fff
  }

  /** Time to live. */
  get ttl(): number {
    return this.place.bytes[this.place.ip + 8]!
  }

  /** Protocol. */
  get protocol(): number {
    return this.place.bytes[this.place.ip + 9]!
  }

  /** Header checksum. */
  get headerChecksum(): number {
    return this.place.u16(this.place.ip + 10, this.place.ipEnd)
  }

  /** Options: a view. */
  get options(): Uint8Array {
    const { ip, ipEnd } = this.place
    return this.place.slice(ip + 20, Math.min(ipEnd, ip + this.ihl * 4))
  }

  get source(): string {
    return formatAddress(this.place.bytes, this.place.ip + 12, 4)
  }

  get destination(): string {
    return formatAddress(this.place.bytes, this.place.ip + 16, 4)
  }
}

/** An IPv6 header (RFC 8200 section 3). */
export class Ip6View extends IpViewBase {
  /** 6. */
  get version(): 6 {
    return 6
  }

  /** Traffic class: DSCP and ECN. */
  get trafficClass(): number {
    const { bytes, ip } = this.place
    return ((bytes[ip]! << 4) | (bytes[ip + 1]! >>> 4)) & 0xff
  }

  /** Flow label, 20 bits. */
  get flowLabel(): number {
    const { bytes, ip } = this.place
    return ((bytes[ip + 1]! & 0x0f) << 16) | (bytes[ip + 2]! << 8) | bytes[ip + 3]!
  }

  /** Octets behind this header as it says, extension headers included. */
  override get payloadLength(): number {
    return this.place.u16(this.place.ip + 4, this.place.ipEnd)
  }

  /** What follows this header: an extension header or the upper layer. */
  get nextHeader(): number {
    return this.place.bytes[this.place.ip + 6]!
  }

  /** Hop limit. */
  get hopLimit(): number {
    return this.place.bytes[this.place.ip + 7]!
  }

  get source(): string {
    return formatAddress(this.place.bytes, this.place.ip + 8, 6)
  }

  get destination(): string {
    return formatAddress(this.place.bytes, this.place.ip + 24, 6)
  }
}

/** An IP header of either version; `version` tells which. */
export type IpView = Ip4View | Ip6View
