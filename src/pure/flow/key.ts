/**
 * Whom a packet belongs to: both endpoints in canonical order (the lesser address and port first), protocol, IP version
 * and what is wrapped around, as the words of a key that is the same for both directions. Mirrors `core::flow::key`.
 */
import { Datagram, Fragment } from '../decode/datagram.js'
import { quotedDatagram } from '../decode/decoder.js'
import { hasPorts, ICMP, ICMPV6 } from '../decode/proto.js'

/** Words of the longest key. */
export const KEY_WORDS = 11

/** What an {@link Identity} says of a packet. */
export const FROM_FIRST = 1
/** The packet is an ICMP error, matched to the flow that it quotes. */
export const QUOTED = 2

/** Finds keys. */
export class Identity {
  /** The key, as far as `used` words go. */
  readonly key: Int32Array
  used = 0
  readonly #quote = new Datagram()

  /** @param key takes the words of each key, {@link KEY_WORDS} at most */
  constructor(key: Int32Array) {
    this.key = key
  }

  /**
   * Sets the key of `datagram`; `encap` is what lies around it as far as it counts.
   *
   * @returns bits: {@link FROM_FIRST} where the packet goes (or, for a quote, is counted as going) from the key's first
   * endpoint, {@link QUOTED}; -1 where ports are needed but weren't captured
   */
  of(datagram: Datagram, encap: number): number {
    const { proto } = datagram
    if (proto === ICMP || proto === ICMPV6) {
      const quoted = this.#quoted(datagram, encap)
      if (quoted >= 0) return quoted | QUOTED
    }
    let ports = 0
    if (hasPorts(proto)) {
      ports = datagram.ports()
      if (ports < 0) return -1
    }
    return this.#set(datagram, datagram.src, datagram.dst, Math.floor(ports / 65536), ports & 0xffff, encap)
  }

  /** The key of all packets. */
  aggregate(): number {
    this.key[0] = 0
    this.used = 1
    return FROM_FIRST
  }

  /**
   * The flow that an ICMP error quotes (RFC 792, RFC 4443 section 3), with the direction turned round: the error travels
   * against the packet it quotes. -1 where it is no error, or quotes nothing that can be read.
   */
  #quoted(datagram: Datagram, encap: number): number {
    const { bytes, upper, upperCaptured } = datagram
    if (upperCaptured < 8 || datagram.fragment === Fragment.Later) return -1
    if (!isError(datagram.proto, bytes[upper]!)) return -1
    const inner = this.#quote
    if (!quotedDatagram(bytes, upper + 8, upper + upperCaptured, inner)) return -1
    let ports = 0
    if (hasPorts(inner.proto)) {
      ports = inner.ports()
      if (ports < 0) return -1
    }
    return this.#set(inner, inner.dst, inner.src, ports & 0xffff, Math.floor(ports / 65536), encap)
  }

  #set({ bytes, version, proto }: Datagram, src: number, dst: number, srcPort: number, dstPort: number, encap: number): number {
    const { key } = this
    key[0] = (proto << 8) | version
    key[1] = encap
    if (version === 4) return this.#setV4(bytes, src, dst, srcPort, dstPort)
    let order = 0
    for (let i = 0; i < 16 && order === 0; i++) order = bytes[src + i]! - bytes[dst + i]!
    const fromFirst = order < 0 || (order === 0 && srcPort <= dstPort)
    const a = fromFirst ? src : dst
    const b = fromFirst ? dst : src
    key[2] = fromFirst ? (srcPort << 16) | dstPort : (dstPort << 16) | srcPort
    for (let i = 0; i < 4; i++) {
      key[3 + i] = word(bytes, a + i * 4)
      key[7 + i] = word(bytes, b + i * 4)
    }
    this.used = 11
    return fromFirst ? FROM_FIRST : 0
  }

  #setV4(bytes: Uint8Array, src: number, dst: number, srcPort: number, dstPort: number): number {
    const { key } = this
    const a = word(bytes, src)
    const b = word(bytes, dst)
    // Without their signs.
    const order = (a ^ 0x8000_0000) - (b ^ 0x8000_0000)
    this.used = 5
    if (order < 0 || (order === 0 && srcPort <= dstPort)) {
      key[2] = (srcPort << 16) | dstPort
      key[3] = a
      key[4] = b
      return FROM_FIRST
    }
    key[2] = (dstPort << 16) | srcPort
    key[3] = b
    key[4] = a
    return 0
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** An ICMP message of this type quotes a packet. */
function isError(proto: number, type: number): boolean {
  // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
  if (proto === ICMP) return type === 3 || type === 4 || type === 5 || type === 11 || type === 12
  // Destination unreachable, packet too big, time exceeded, parameter problem.
  return type >= 1 && type <= 4
}
