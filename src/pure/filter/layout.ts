/**
 * Where the headers lie, for each kind of link layer; `vlan`, `mpls` and `pppoes` move them while compiling. Mirrors
 * `core::filter::layout`.
 */
import { LinkType } from '../capture/link-type.js'
import { INNER_HEADER, INNER_LINK_TYPE, INNER_PAYLOAD } from './program.js'

/** All kinds of link layers that programs are compiled for. */
export const KINDS = [
  'ethernet', 'raw', 'rawV4', 'rawV6', 'null', 'loop', 'sll', 'sll2', 'ppp', 'chdlc',
  // PPP as pppd writes it, which way in the address' place; Solaris' ipnet.
  'pppd', 'ipnet',
  // Only lengths, `link[…]` and the direction can be asked for.
  'pflog', 'slip', 'juniper', 'pktap', 'directed',
  // All others: not even the direction.
  'other',
] as const

/** One of them. */
export type LinkKind = (typeof KINDS)[number]

const OPAQUE: ReadonlySet<LinkKind> = new Set(['pflog', 'slip', 'juniper', 'pktap', 'directed', 'other'])

/** Nothing is known of what the link layer carries. */
export const isOpaque = (kind: LinkKind): boolean => OPAQUE.has(kind)

/** Link types with one of Juniper's headers, whose fourth octet tells the direction. */
const JUNIPER: ReadonlySet<number> = new Set([
  130, 131, 132, 133, 134, 135, 136, 137, 164, 167, 168, 178, 179, 180, 181, 183, 194, 200, 232, 233, 234, 238,
])

const RARE: Readonly<Record<number, LinkKind>> = {
  8: 'slip', 117: 'pflog', 149: 'pktap', 166: 'pppd', 204: 'directed', 205: 'directed', 206: 'directed', 226: 'ipnet', 258: 'pktap',
}

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
      return RARE[link] ?? (JUNIPER.has(link) ? 'juniper' : 'other')
  }
}

/** Where the link layer says what its payload is, and where that begins. */
const PLACES: Readonly<Partial<Record<LinkKind, readonly [linkType: number, payload: number]>>> = {
  ethernet: [12, 14],
  null: [0, 4],
  loop: [0, 4],
  sll: [14, 16],
  sll2: [0, 20],
  ppp: [2, 4],
  pppd: [2, 4],
  chdlc: [2, 4],
  ipnet: [1, 24],
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
  /** In a Geneve packet, where there may be no link-layer header. */
  inGeneve = false

  constructor(kind: LinkKind) {
    this.kind = kind
    ;[this.linkType, this.payload] = PLACES[kind] ?? [0, 0]
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
    this.inGeneve = false
  }

  /** Inside a Geneve packet, which has Ethernet's types with or without its header. */
  pushGeneve(): void {
    this.kind = 'ethernet'
    this.header = INNER_HEADER
    this.linkType = INNER_LINK_TYPE
    this.payload = INNER_PAYLOAD
    this.labels = 0
    this.inGeneve = true
  }
}
