/** The hooks of a run's chains, in calling order, and what may go wrong in them. */
import type { AnyChain, Direction, Verdict } from '../chain/chain.js'
import { ChainError, OptionError } from '../errors.js'
import type { Ip4View, Ip6View, IpView } from '../packet/ip-view.js'
import type { IcmpView, TcpView, UdpView } from '../packet/upper-views.js'
import { columnOwners } from './columns.js'
import type { HookName } from './hook-names.js'
import { assignColumns, compileMaker, type MakeOpen, type OpenRecord } from './record-makers.js'

/** One chain's hook, bound to it. */
export interface Hook<View> {
  readonly chain: string
  readonly name: HookName
  readonly call: (record: object, view: View, direction: Direction, quote?: IpView | null) => Verdict
}

/** A chain whose columns keep changing isn't worth compiling for. */
const MAX_CHANGES = 100

/** The hooks of all chains. */
export class Hooks {
  readonly ip4: readonly Hook<Ip4View>[]
  readonly ip6: readonly Hook<Ip6View>[]
  readonly icmp4: readonly Hook<IcmpView>[]
  readonly icmp6: readonly Hook<IcmpView>[]
  readonly tcp: readonly Hook<TcpView>[]
  readonly udp: readonly Hook<UdpView>[]
  /** The chain with a hook for TCP, where there is one such. */
  readonly only: AnyChain | undefined
  readonly #chains: readonly AnyChain[]
  readonly #owners: Map<string, string>
  /** The columns that each chain gave with the flow before. */
  readonly #columns: (readonly string[] | undefined)[] = []
  /** What each chain gives with the flow at hand. */
  readonly #given: object[] = []
  #make: MakeOpen | undefined
  /** How often the columns changed. */
  #changes = 0

  constructor(chains: readonly AnyChain[]) {
    this.#chains = chains
    this.#owners = columnOwners(chains)
    this.ip4 = collect(chains, 'ip4')
    this.ip6 = collect(chains, 'ip6')
    this.icmp4 = collect(chains, 'icmp4')
    this.icmp6 = collect(chains, 'icmp6')
    this.tcp = collect(chains, 'tcp')
    this.udp = collect(chains, 'udp')
    this.only = this.tcp.length === 1 ? chains.find(chain => chain.tcp !== undefined) : undefined
  }

  /** What the hooks of a new flow get, with every chain's columns; undefined where one of them wants to ignore the flow. */
  newFlow(packet: IpView): OpenRecord | undefined {
    for (let i = 0; i < this.#chains.length; i++) {
      const fields = this.#fields(i, packet)
      if (fields === false) return undefined
      this.#given[i] = fields
    }
    this.#make ??= this.#changes > MAX_CHANGES ? assignColumns : compileMaker(this.#columns.map(columns => columns ?? []))
    return this.#make(this.#given)
  }

  #fields(index: number, packet: IpView): object | false {
    const chain = this.#chains[index]!
    let fields: object | false
    try {
      fields = chain.newFlow(packet) as object | false
      if (fields instanceof Promise) throw neverAwaited(fields)
      if (fields !== false && (typeof fields !== 'object' || fields === null))
        throw new TypeError(`newFlow must return an object with the chain's columns, or false, not ${String(fields)}`)
    } catch (error) {
      throw new ChainError(chain.name, 'newFlow', packet.packetNumber, error)
    }
    if (fields !== false) this.#check(index, chain.name, fields)
    return fields
  }

  #check(index: number, chain: string, fields: object): void {
    const columns = Object.keys(fields)
    const known = this.#columns[index]
    if (known?.length === columns.length && known.every((column, i) => column === columns[i])) return
    for (const column of columns) {
      const owner = this.#owners.get(column)
      if (owner !== undefined && owner !== chain)
        throw new OptionError(`chains: '${owner}' and '${chain}' both have a column ${column}`)
      this.#owners.set(column, chain)
    }
    this.#columns[index] = columns
    this.#changes += 1
    this.#make = undefined
  }
}

function neverAwaited(promise: Promise<unknown>): TypeError {
  // Nobody else looks at it.
  promise.catch(() => {})
  return new TypeError('newFlow gave a promise, but hooks are not waited for')
}

function collect<View>(chains: readonly AnyChain[], name: HookName): Hook<View>[] {
  const hooks: Hook<View>[] = []
  for (const chain of chains) {
    const hook = chain[name] as Hook<View>['call'] | undefined
    if (hook !== undefined) hooks.push({ chain: chain.name, name, call: hook.bind(chain) })
  }
  return hooks
}
