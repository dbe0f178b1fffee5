/** What an expression says, before any link type is known. Mirrors `core::filter::ast`. */

/** A whole expression or a part of one. */
export type Expr =
  /** The empty expression: every packet. */
  | { readonly is: 'any' }
  /** One primitive. */
  | { readonly is: 'test'; readonly test: Test }
  | { readonly is: 'not'; readonly inner: Expr }
  /** `a and b or c …`: one precedence, from left to right. */
  | { readonly is: 'chain'; readonly first: Expr; readonly rest: readonly Joined[] }

/** An operand of a chain, and how it is joined with all that stands left of it. */
export interface Joined {
  readonly join: 'and' | 'or'
  readonly expr: Expr
}

/** Every protocol keyword, and the keyword that stands for its protocol. */
const KEYWORDS = {
  ether: 'ether', link: 'ether', ppp: 'ether', slip: 'ether', fddi: 'ether', tr: 'ether', ip: 'ip', ip6: 'ip6', arp: 'arp',
  rarp: 'rarp', tcp: 'tcp', udp: 'udp', sctp: 'sctp', icmp: 'icmp', icmp6: 'icmp6', igmp: 'igmp', igrp: 'igrp', pim: 'pim',
  vrrp: 'vrrp', carp: 'carp', ah: 'ah', esp: 'esp', atalk: 'atalk', aarp: 'aarp', decnet: 'decnet', lat: 'lat', sca: 'sca',
  moprc: 'moprc', mopdl: 'mopdl', stp: 'stp', ipx: 'ipx', netbeui: 'netbeui', iso: 'iso', clnp: 'clnp', esis: 'esis',
  'es-is': 'esis', isis: 'isis', 'is-is': 'isis',
} as const

/** A protocol. */
export type Proto = (typeof KEYWORDS)[keyof typeof KEYWORDS]

const PROTOS = new Map<string, Proto>(Object.entries(KEYWORDS))

/** The protocol that a keyword names. */
export function protoOf(word: string): Proto | undefined {
  return PROTOS.get(word)
}

/** Which address or port of a packet is meant. */
export type Dir = 'src' | 'dst' | 'either' | 'both'

/** Which IP versions a protocol number is looked for in. */
export type Family = 'v4' | 'v6' | 'both'

/** Which protocols carry the IPv4 address that is looked for: `any` is IPv4, ARP and RARP. */
export type Carrier = 'any' | 'ip' | 'arp' | 'rarp'

/** Which transports carry the port that is looked for: `any` is TCP, UDP and SCTP. */
export type Transport = 'any' | 'tcp' | 'udp' | 'sctp'

/** An IPv6 address: four words of 32 bits. */
export type Words6 = readonly [number, number, number, number]

/** A mask and a value under it. */
export type Control = readonly [mask: number, value: number]

/** A primitive. */
export type Test =
  /** A protocol's keyword alone. */
  | { readonly is: 'proto'; readonly proto: Proto }
  /** `ether proto N`: an Ethernet type, or below 1501 an LLC service access point. */
  | { readonly is: 'etherType'; readonly number: number }
  /** `proto N`, `ip proto N`, `ip6 proto N`. */
  | { readonly is: 'ipProto'; readonly family: Family; readonly number: number }
  /** `protochain N` and its like: any header of the packet, not the first alone. */
  | { readonly is: 'protoChain'; readonly family: Family; readonly number: number }
  /** `host`, `net` with an IPv4 address. */
  | { readonly is: 'host4'; readonly carrier: Carrier; readonly dir: Dir; readonly addr: number; readonly mask: number }
  /** `host`, `net` with an IPv6 address, and the length of its prefix. */
  | { readonly is: 'host6'; readonly dir: Dir; readonly addr: Words6; readonly prefix: number }
  /** `ether host`. */
  | { readonly is: 'mac'; readonly dir: Dir; readonly mac: readonly number[] }
  /** `port`, `portrange`; both ends belong to it. */
  | { readonly is: 'port'; readonly transport: Transport; readonly dir: Dir; readonly low: number; readonly high: number }
  | { readonly is: 'broadcast' | 'ipBroadcast' | 'multicast' | 'ipMulticast' | 'ip6Multicast' | 'pppoed' }
  /** `outbound` (true) and `inbound`. */
  | { readonly is: 'outbound'; readonly out: boolean }
  /** `vlan [id]`, `mpls [label]`, `pppoes [session]`, `geneve [vni]`: they shift the offsets of all that follows. */
  | { readonly is: 'vlan' | 'mpls' | 'pppoes' | 'geneve'; readonly id: number | null }
  /** `llc`, and what its control field must be, if anything. */
  | { readonly is: 'llc'; readonly control: Control | null }
  /** `a relop b`, of unsigned 32-bit numbers. */
  | { readonly is: 'relation'; readonly left: Arith; readonly op: RelOp; readonly right: Arith }

/** A comparison. */
export type RelOp = '=' | '!=' | '>' | '>=' | '<' | '<='

/** An arithmetic operator on unsigned 32-bit numbers; they wrap. */
export type ArithOp = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>'

/** A number, computed for each packet. */
export type Arith =
  | { readonly is: 'num'; readonly value: number }
  /** Octets on the wire. */
  | { readonly is: 'len' }
  /** `proto[offset:size]`, in network byte order. */
  | { readonly is: 'load'; readonly proto: Proto; readonly offset: Arith; readonly size: number }
  | { readonly is: 'neg'; readonly inner: Arith }
  | { readonly is: 'binary'; readonly op: ArithOp; readonly left: Arith; readonly right: Arith }

/** The operator's result; -1 for a division by zero, which no packet survives. */
export function apply(op: ArithOp, a: number, b: number): number {
  switch (op) {
    case '+':
      return (a + b) >>> 0
    case '-':
      return (a - b) >>> 0
    case '*':
      return Math.imul(a, b) >>> 0
    case '/':
      return b === 0 ? -1 : Math.floor(a / b)
    case '%':
      return b === 0 ? -1 : a % b
    case '&':
      return (a & b) >>> 0
    case '|':
      return (a | b) >>> 0
    case '^':
      return (a ^ b) >>> 0
    case '<<':
      return b > 31 ? 0 : (a << b) >>> 0
    case '>>':
      return b > 31 ? 0 : a >>> b
  }
}

/** The number, where it's the same for every packet; else -1. */
export function constantOf(arith: Arith): number {
  if (arith.is === 'num') return arith.value
  if (arith.is === 'neg') {
    const inner = constantOf(arith.inner)
    return inner < 0 ? -1 : -inner >>> 0
  }
  if (arith.is !== 'binary') return -1
  const left = constantOf(arith.left)
  const right = left < 0 ? -1 : constantOf(arith.right)
  return right < 0 ? -1 : apply(arith.op, left, right)
}
