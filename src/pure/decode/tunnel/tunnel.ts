/**
 * Tunnels: from an IP datagram to the one inside it. Mirrors `core::decode::tunnel`.
 *
 * Where the inside isn't valid nothing is taken off: the outer datagram is what was sent. Port numbers alone prove
 * nothing, so what is found by its UDP port must also have a plausible header, and an IP packet inside that fits.
 */
import { Fragment, type Datagram } from '../datagram.js'
import { Drop } from '../drop.js'
import { LayerKind, NO_ID, type PeerTable } from '../encap.js'
import { parse } from '../ip.js'
import { follow } from '../link/network-layer.js'
import { Step, type Walk } from '../link/walk.js'
import { UDP } from '../proto.js'
import { openGre } from './gre.js'
import { Opening } from './opening.js'
import { isTunnelPort, openUdp } from './udp.js'

/** Most tunnels that are opened, one in another. */
export const MAX_TUNNELS = 8

/** IP protocol numbers of tunnels. */
const Tunnel = { IPV4: 4, IPV6: 41, GRE: 47, ETHERIP: 97, MPLS: 137, ETHERNET: 143 } as const

/** Looking into `datagram` may be worth while. */
export function isCandidate(datagram: Datagram): boolean {
  switch (datagram.proto) {
    case UDP: {
      const ports = datagram.ports()
      return ports >= 0 && (isTunnelPort(Math.floor(ports / 65536)) || isTunnelPort(ports % 65536))
    }
    case Tunnel.IPV4:
    case Tunnel.IPV6:
    case Tunnel.GRE:
    case Tunnel.ETHERIP:
    case Tunnel.MPLS:
    case Tunnel.ETHERNET:
      return true
    default:
      return false
  }
}

/** Opens tunnels. */
export class TunnelOpener {
  readonly #walk: Walk
  readonly #opening: Opening

  constructor(walk: Walk, peers: PeerTable) {
    this.#walk = walk
    this.#opening = new Opening(walk.layers, peers)
  }

  /** Sets `inner` to the datagram inside `outer`; false where `outer` is no tunnel's. */
  open(outer: Datagram, inner: Datagram): boolean {
    if (outer.fragment === Fragment.Later) return false
    const { layers } = this.#walk
    const before = layers.length
    if (this.#header(outer) && this.#follow(outer, inner)) return true
    layers.length = before
    return false
  }

  /** Reads the tunnel's header and adds its layer. */
  #header(outer: Datagram): boolean {
    const opening = this.#opening
    opening.begin(outer)
    switch (outer.proto) {
      case Tunnel.IPV4:
      case Tunnel.IPV6:
        return ipInIp(opening)
      case Tunnel.GRE:
        return openGre(opening, 0)
      case Tunnel.ETHERIP:
        // RFC 3378: version 3 in the upper four bits, the rest reserved.
        if (!opening.has(0, 1) || opening.u8(0) >> 4 !== 3) return false
        opening.between(LayerKind.Etherip)
        return opening.rest(2, Step.Ethernet)
      case Tunnel.ETHERNET:
        opening.between(LayerKind.Etherip)
        return opening.rest(0, Step.Ethernet)
      case Tunnel.MPLS:
        opening.between(LayerKind.Mpls)
        return opening.rest(0, Step.Mpls)
      case UDP:
        return openUdp(opening)
      default:
        return false
    }
  }

  /** Walks from the tunnel's payload to the inner IP packet. */
  #follow(outer: Datagram, inner: Datagram): boolean {
    const walk = this.#walk
    const { bytes, start, end, wireLen, step, stepAt, argument, strict } = this.#opening
    walk.bytes = bytes
    walk.end = end
    const at = follow(walk, walk.go(step, start + stepAt, argument))
    if (at < 0 || parse(bytes, at, end, 0, inner) !== Drop.None) return false
    // The inner packet must fit in the outer one, where only a port number promised it.
    if (strict && at - start + inner.ipLen > wireLen) return false
    inner.reassembled = outer.reassembled
    inner.serial = outer.serial
    return true
  }
}

function ipInIp(opening: Opening): boolean {
  if (!opening.has(0, 1)) return false
  const { version, proto } = opening.outer
  const inner = opening.u8(0) >> 4
  let kind = 0
  if (proto === Tunnel.IPV4 && inner === 4) kind = version === 4 ? LayerKind.Ipip : LayerKind.FourInSix
  else if (proto === Tunnel.IPV6 && inner === 6) kind = version === 4 ? LayerKind.SixInFour : LayerKind.SixInSix
  else return false
  // RFC 3068: a 6to4 relay's answer may come from any relay; the inner address is unique.
  if (kind === LayerKind.SixInFour && (is6to4(opening, 8) || is6to4(opening, 24))) opening.push(kind, NO_ID)
  else opening.between(kind)
  return opening.rest(0, Step.Ip)
}

/** The IPv6 address at `at` lies in 2002::/16. */
function is6to4(opening: Opening, at: number): boolean {
  return opening.has(at, 2) && opening.u16(at) === 0x2002
}
