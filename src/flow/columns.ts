/** Which chain owns which column, and the order of a record's columns. */
import type { AnyChain } from '../chain/chain.js'
import { OptionError } from '../errors.js'
import { checkHooks } from './hook-names.js'

/** The columns that every record has, in order; `capture` is there where several captures are read. */
export const BASE_COLUMNS: readonly string[] = [
  'flow_id', 'ip_version', 'pkt_first', 'pkt_last', 'first_ns', 'last_ns', 'first_packet', 'end_reason', 'vlan', 'tunnel', 'tunnel_id', 'capture',
]

/** How messages call the owner of the base columns. */
const BASE = 'every flow record'

/**
 * Who owns the columns that the chains declare.
 *
 * @throws {@link OptionError} where two own the same one
 */
export function columnOwners(chains: readonly AnyChain[]): Map<string, string> {
  const owners = new Map<string, string>(BASE_COLUMNS.map(column => [column, BASE]))
  const names = new Set<string>()
  for (const { name, columns = [] } of chains) {
    if (names.has(name)) throw new OptionError(`chains: there are two chains with the name '${name}'`)
    names.add(name)
    for (const column of columns) {
      const owner = owners.get(column)
      if (owner !== undefined) throw new OptionError(`chains: '${owner}' and '${name}' both have a column ${column}`)
      owners.set(column, name)
    }
  }
  return owners
}

/** Checks that a list holds chains, and that no two of them declare the same column. */
export function checkChains(chains: unknown): readonly AnyChain[] {
  if (!Array.isArray(chains)) throw new OptionError('chains: expected a list of chains, such as [basicChain()]')
  for (const chain of chains as readonly Partial<AnyChain>[]) {
    if (typeof chain?.name !== 'string' || typeof chain.newFlow !== 'function')
      throw new OptionError('chains: expected chains, such as basicChain() (with its parentheses), or objects with name and newFlow')
    if (chain.columns !== undefined && !isNames(chain.columns))
      throw new OptionError(`chains: columns of '${chain.name}': expected a list of names`)
    checkHooks(chain, chain.name)
  }
  columnOwners(chains as readonly AnyChain[])
  return chains as readonly AnyChain[]
}

function isNames(columns: unknown): boolean {
  return Array.isArray(columns) && columns.every(name => typeof name === 'string')
}
