/** What a chain is: a named set of columns, and how they are computed. */
import type { FlowBase } from '../flow.js'
import type { Ip4View, Ip6View, IpView } from '../packet/ip-view.js'
import type { IcmpView, TcpView, UdpView } from '../packet/upper-views.js'

/** Which way a packet goes: `fwd` is the direction of the flow's first packet. */
export type Direction = 'fwd' | 'rev'

/** What a hook answers: false says that the flow is complete. Anything else, nothing included, keeps it open. */
export type Verdict = boolean | void

/**
 * A chain: what it adds to a flow record, and hooks that are called for the flow's packets. Every chain sees a packet
 * before a `false` of any of them takes effect: the flow is complete with that packet, stays open to late packets for
 * `expiryTimeout`, and is then emitted.
 *
 * For each packet the IP hooks of all chains are called first, then the ICMP hooks, then those of the upper layer. The
 * views are read-only and the same objects for every packet: read what you need before the hook returns. A hook must
 * not be async.
 *
 * @typeParam Fields the columns that the chain adds to a flow record
 */
export interface Chain<Fields extends object = object> {
  /** The chain's name, as in error messages. */
  readonly name: string
  /** The chain's columns in order; {@link flowTable} needs them where no flow comes. */
  readonly columns?: readonly (keyof Fields & string)[]
  /**
   * Called for the first packet of a flow.
   *
   * @returns the columns with their first values, always the same ones; or false to ignore this flow from now on
   */
  newFlow(packet: IpView): Fields | false
  /** Called for each IPv4 packet. */
  ip4?(record: Fields, packet: Ip4View, direction: Direction): Verdict
  /** Called for each IPv6 packet. */
  ip6?(record: Fields, packet: Ip6View, direction: Direction): Verdict
  /** Called for each ICMP message in IPv4; `quote` is the IP packet that an error quotes, else null. */
  icmp4?(record: Fields, message: IcmpView, direction: Direction, quote: IpView | null): Verdict
  /** Called for each ICMPv6 message in IPv6; `quote` is the IP packet that an error quotes, else null. */
  icmp6?(record: Fields, message: IcmpView, direction: Direction, quote: IpView | null): Verdict
  /** Called for each TCP segment. */
  tcp?(record: Fields, segment: TcpView, direction: Direction): Verdict
  /** Called for each UDP datagram. */
  udp?(record: Fields, datagram: UdpView, direction: Direction): Verdict
}

/**
 * A chain of this package: where all chains are of this kind, the engine computes their columns itself. A copy of one
 * (`{ ...basicChain() }`) is a chain like any other and gives the same records.
 *
 * @typeParam Fields the columns that it adds to a flow record
 */
export interface BuiltInChain<Fields extends object> extends Chain<Fields> {
  /** Its columns, in order. */
  readonly columns: readonly (keyof Fields & string)[]
}

/** Any chain. */
// `never` would forbid calling the hooks; the chain's own fields are only known where it is made.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyChain = Chain<any>

// oxlint-disable-next-line typescript/no-explicit-any
type AnyBuiltInChain = BuiltInChain<any>

const builtInChains = new WeakSet<object>()

/** Marks a chain of this package. */
export function builtIn<Fields extends object>(chain: BuiltInChain<Fields>): BuiltInChain<Fields> {
  builtInChains.add(chain)
  return Object.freeze(chain)
}

/** The engine knows how to compute this very chain. */
export function isBuiltIn(chain: AnyChain): chain is AnyBuiltInChain {
  return builtInChains.has(chain)
}

/** The engine looks at what packets carry for this chain: `dns` is the only one. */
export function readsPayload(chain: AnyChain): boolean {
  return isBuiltIn(chain) && chain.name === 'dns'
}

/** The columns that a chain adds. */
export type FieldsOf<C> = C extends Chain<infer Fields> ? Fields : never

/** The columns that a list of chains adds. */
export type FieldsOfAll<Chains extends readonly AnyChain[]> = Chains extends readonly [
  infer First,
  ...infer Rest extends readonly AnyChain[],
]
  ? FieldsOf<First> & FieldsOfAll<Rest>
  : unknown

/** The columns that a chain adds, as far as they are known to the type checker. */
type ColumnsOf<C> = 0 extends 1 & FieldsOf<C> ? never : keyof FieldsOf<C>

/** The columns that two chains of a list share, or share with the base columns. */
type Clash<Chains, Taken> = Chains extends readonly [infer First, ...infer Rest]
  ? (ColumnsOf<First> & Taken) | Clash<Rest, Taken | ColumnsOf<First>>
  : never

/** What the type checker shows where two chains have a column of the same name. */
export interface ColumnsClash<Column> {
  'two chains, or a chain and the base columns, have the same column': Column
}

/** No demand on a list of chains whose columns differ; an impossible one where two are the same. */
export type WithoutClash<Chains extends readonly AnyChain[]> = [Clash<Chains, keyof FlowBase>] extends [never]
  ? unknown
  : ColumnsClash<Clash<Chains, keyof FlowBase>>
