/**
 * What can be fed: packets in, as their octets with a link type or as this package's views, and captures. Out go packets
 * as a `PacketFeed` takes them.
 */
import { PacketFeed, type FedPacket } from '../packet-feed.js'
import { Ip4View, Ip6View, type IpView } from '../packet/ip-view.js'
import type { Place } from '../packet/place.js'
import { IcmpView, TcpView, UdpView } from '../packet/upper-views.js'
import { isReadable } from '../node/source.js'
import type { CaptureSource } from '../source.js'

/** A packet: octets with a link type, or a view that a hook of a chain was given. */
export type Packet = FedPacket | IpView | TcpView | UdpView | IcmpView

/** A packet or a capture. */
export type Fed = Packet | CaptureSource

/** LINKTYPE_RAW: an IP packet. */
const RAW = 101

/** The packet that `input` is, or undefined where it is none. The octets are still those of `input`. */
export function packetOf(input: unknown): FedPacket | undefined {
  if (input instanceof Ip4View || input instanceof Ip6View) return ofView(input.place, input.timestampNs)
  if (input instanceof TcpView || input instanceof UdpView || input instanceof IcmpView)
    return ofView(input.place, input.timestampNs)
  const { data } = (typeof input === 'object' && input !== null ? input : {}) as { data?: unknown }
  return data instanceof Uint8Array ? (input as FedPacket) : undefined
}

/** The same packet with octets of its own. */
export const copyOf = (packet: FedPacket): FedPacket => ({ ...packet, data: packet.data.slice() })

/** The capture that `input` is, or undefined where it is none. Of iterables only those that are known to give octets. */
export function captureOf(input: unknown): CaptureSource | undefined {
  if (typeof input === 'string' || input instanceof URL || input instanceof Uint8Array) return input
  if (input instanceof PacketFeed || (isReadable(input) && !input.readableObjectMode)) return input
  if (typeof input !== 'object' || input === null) return undefined
  return 'getReader' in input || 'interface' in input ? (input as CaptureSource) : undefined
}

/** The items that `input` gives, or undefined where it gives none. */
export function itemsOf(input: unknown): AsyncIterable<unknown> | Iterable<unknown> | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const gives = Symbol.asyncIterator in input || Symbol.iterator in input
  return gives ? (input as AsyncIterable<unknown> | Iterable<unknown>) : undefined
}

function ofView(place: Place, timestampNs: bigint): FedPacket {
  const whole = (place.columns?.packets[place.row] ?? 1) > 1 ? unfragmented(place) : undefined
  const data = whole ?? place.slice(place.ip, place.ipEnd)
  const wireLength = Math.max(data.length, whole ? data.length + place.upperLen - (place.upperEnd - place.upper) : place.ipLen)
  return { data, linkType: RAW, timestampNs, wireLength }
}

/**
 * The datagram that was put together from fragments, behind a header that says so. The view's own header is that of a
 * fragment.
 */
function unfragmented(place: Place): Uint8Array {
  const header = place.version === 4 ? 20 : 40
  const upper = place.slice(place.upper, place.upperEnd)
  const out = new Uint8Array(header + upper.length)
  const view = new DataView(out.buffer)
  out.set(place.slice(place.ip, place.ip + header))
  out.set(upper, header)
  if (place.version === 6) {
    view.setUint16(4, place.upperLen)
    out[6] = place.protocol
    return out
  }
  out[0] = 0x45
  view.setUint16(2, header + place.upperLen)
  view.setUint16(6, 0)
  view.setUint16(10, 0)
  view.setUint16(10, headerChecksum(view))
  return out
}

/** RFC 1071: of the 20 octets of an IPv4 header. */
function headerChecksum(view: DataView): number {
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at)
  sum = (sum & 0xffff) + (sum >>> 16)
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff
}
