/**
 * Where the headers lie, for each kind of link layer; `vlan`, `mpls` and `pppoes` move them while compiling. Mirrors
 * `core::filter::layout`.
 */
import { LinkType } from '../capture/link-type.js'

/** A kind of link layer that programs are compiled for; all others: only lengths and `link[…]` can be asked for. */
export type LinkKind = 'ethernet' | 'raw' | 'rawV4' | 'rawV6' | 'null' | 'loop' | 'sll' | 'sll2' | 'ppp' | 'chdlc' | 'other'

/** The kind of a capture file's link type. */
export function kindOf(link: number): LinkKind {
  switch (link) {
    case LinkType.ETHERNET:
      return 'ethernet'
    case LinkType.RAW:
      return 'raw'
    case LinkType.IPV4:
      return 'rawV4'
    case LinkType.IPV6:
      return 'rawV6'
    case LinkType.NULL:
      return 'null'
    case LinkType.LOOP:
      return 'loop'
    case LinkType.LINUX_SLL:
      return 'sll'
    case LinkType.LINUX_SLL2:
      return 'sll2'
    case LinkType.PPP:
    case LinkType.PPP_HDLC:
      return 'ppp'
    case LinkType.C_HDLC:
      return 'chdlc'
    default:
      return 'other'
  }
}

/** Where the link layer says what its payload is, and where that begins. */
const PLACES: Readonly<Record<LinkKind, readonly [linkType: number, payload: number]>> = {
  ethernet: [12, 14],
  null: [0, 4],
  loop: [0, 4],
  sll: [14, 16],
  sll2: [0, 20],
  ppp: [2, 4],
  chdlc: [2, 4],
  raw: [0, 0],
  rawV4: [0, 0],
  rawV6: [0, 0],
  other: [0, 0],
}

/** Where things lie in a packet, in octets from its start, at one point of the expression. */
export class Layout {
  kind: LinkKind
  /** The link-layer header that `ether[…]` reads. */
  header = 0
  /** The field that says what the payload is. */
  linkType: number
  /** What stands behind the link-layer header; LLC, where there is one. */
  payload: number
  /** Octets of MPLS labels between the payload's start and the network layer. */
  labels = 0

  constructor(kind: LinkKind) {
    this.kind = kind
    ;[this.linkType, this.payload] = PLACES[kind]
  }

  /** Where the network layer begins. */
  get network(): number {
    return this.payload + this.labels
  }

  /** Behind one more VLAN tag. */
  pushVlan(): void {
    this.linkType += 4
    this.payload += 4
  }

  /** Behind one more MPLS label. */
  pushLabel(): void {
    this.labels += 4
  }

  /** Inside a PPPoE session (RFC 2516 section 4): six octets of header, then PPP without address and control. */
  pushPppoe(): void {
    this.header = this.network + 6
    this.kind = 'ppp'
    this.linkType = this.header
    this.payload = this.header + 2
    this.labels = 0
  }
}
