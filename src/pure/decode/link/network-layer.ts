/** From one step to the next, until the IP header. */
import { LinkType } from '../../capture/link-type.js'
import { Drop } from '../drop.js'
import { LayerKind, type Layers } from '../encap.js'
import { followEthertype, mpls } from './ethertype.js'
import { followLlc } from './llc.js'
import { ppp } from './serial.js'
import { first } from './start.js'
import { BROKEN, CUT, Step, type Walk } from './walk.js'
import { mac } from './wlan.js'

/** Most headers that are followed before the frame is called broken. */
const MAX_STEPS = 32

/**
 * Finds the IP header of the frame in `bytes` from `start` to `end`: where it begins, or one of {@link Drop} with its
 * sign turned. What lies around it goes to the walk's layers.
 */
export function networkLayer(link: number, bytes: Uint8Array, start: number, end: number, walk: Walk): number {
  // The common case first: plain Ethernet with IPv4 or IPv6.
  if (link === LinkType.ETHERNET && start + 14 <= end) {
    const kind = (bytes[start + 12]! << 8) | bytes[start + 13]!
    if (kind === 0x0800 || kind === 0x86dd) return start + 14
  }
  walk.bytes = bytes
  walk.end = end
  return follow(walk, walk.go(Step.Link, start, link))
}

/** Walks from `step` to the IP header: where it begins, or one of {@link Drop} with its sign turned. */
export function follow(walk: Walk, step: number): number {
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    if (step < 0) return step
    const { at, argument } = walk
    switch (step) {
      case Step.Ip:
        return at
      case Step.Ethertype:
        step = followEthertype(walk, argument, at)
        break
      case Step.Ethernet:
        step = walk.has(at + 12, 2) ? walk.go(Step.Ethertype, at + 14, walk.u16(at + 12)) : CUT
        break
      case Step.Llc:
        step = followLlc(walk, at)
        break
      case Step.Ppp:
        step = ppp(walk, at)
        break
      case Step.Mpls:
        step = mpls(walk, at)
        break
      case Step.Wlan:
        step = mac(walk, at, argument === 1)
        break
      default:
        step = first(walk, argument, at)
    }
  }
  return step < 0 ? step : BROKEN
}

/** Where the packet at `at` ends by the PPPoE header right before it, if there is one and the capture goes that far; else 0. */
export function pppoeEnd(bytes: Uint8Array, at: number, start: number, end: number, layers: Layers): number {
  if (layers.length === 0 || layers.kinds[layers.length - 1] !== LayerKind.Pppoe) return 0
  // RFC 2516 section 4: the length counts the payload, which begins with PPP's protocol number.
  if (at - 4 < start) return 0
  const packetEnd = at - 2 + ((bytes[at - 4]! << 8) | bytes[at - 3]!)
  return at < packetEnd && packetEnd <= end ? packetEnd : 0
}

/** A drop as the decoder gives it. */
export function dropOf(answer: number): number {
  return answer < 0 ? -answer : Drop.None
}
